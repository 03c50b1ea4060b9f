/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/injector.h"
#include "crash/change.h"
#include "crash/site.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the tracer is asked to let go: a tracer that is killed between a call's entry and its exit
 * would leave it without the error. */
enum { END_SIGNAL = SIGUSR1, END_TRIES = 2000, END_PAUSE_US = 500 };

static volatile sig_atomic_t is_ending;
static bool failing; /* between entry and exit of a call that fails */

static void end_soon(int signal)
{
    (void)signal;
    is_ending = 1;
}

static long trace(long request, pid_t pid, uintptr_t data)
{
    return ptrace((enum __ptrace_request)request, pid, NULL, data);
}

static bool is_syscall_stop(int status)
{
    return WSTOPSIG(status) == (SIGTRAP | 0x80);
}

/* The signals that reach the victim meanwhile go through; its own group-stops do too. */
static void go_on(pid_t victim, int status)
{
    int signal = WSTOPSIG(status);
    bool event = status >> 16 != 0 || is_syscall_stop(status);
    (void)trace(PTRACE_SYSCALL, victim, event ? 0 : (uintptr_t)signal);
}

static void put_register(pid_t victim, size_t at, long value)
{
    (void)ptrace(PTRACE_POKEUSER, victim, at, value);
}

/* The kernel makes no call of the number -1; what it returns is put in at the exit. */
static void skip_call(pid_t victim)
{
    put_register(victim, offsetof(struct user, regs.orig_rax), -1);
}

static void put_result(pid_t victim, long result)
{
    put_register(victim, offsetof(struct user, regs.rax), result);
}

/* The first call behind a change, and each change itself: the calls between only look. */
static bool borders_on_change(pid_t victim, const struct __ptrace_syscall_info *info)
{
    static bool changed = true;
    bool was_changed = changed;
    changed = change_is_made(victim, info);
    return was_changed || changed;
}

static bool is_counted(pid_t victim, const struct injector_plan *plan,
                       const struct injector_tally *tally, const struct __ptrace_syscall_info *info)
{
    if (plan->counts != NULL && !plan->counts(plan, (long)info->entry.nr))
        return false;
    if (plan->by_change && !borders_on_change(victim, info))
        return false;
    return !plan->by_site || tally->hits > 0 || site_counts(victim, info);
}

/* At a call's entry or exit; true: nothing more is to be done to the victim. */
static bool harm(pid_t victim, const struct injector_plan *plan, struct injector_tally *tally)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, victim, sizeof(info), &info) <= 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && failing) {
        put_result(victim, -plan->error);
        failing = false;
        return !plan->lasts;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    long number = (long)info.entry.nr;
    if (!is_counted(victim, plan, tally, &info))
        return false;
    if (++tally->calls < plan->k || (!plan->lasts && tally->calls > plan->k))
        return false;
    if (tally->hits++ == 0)
        tally->number = number;
    if (plan->signal != 0) {
        (void)kill(victim, plan->signal);
        return true;
    }
    failing = true;
    skip_call(victim);
    return false;
}

static bool hold(pid_t victim, int *ret_status)
{
    return trace(PTRACE_INTERRUPT, victim, 0) == 0 && waitpid(victim, ret_status, __WALL) == victim;
}

static void tell_ready(int fd)
{
    (void)!write(fd, "", 1);
}

/* The next event of the victim's, which the end interrupts; exits when there is none any more. */
static bool take_event(pid_t victim, int *ret_status)
{
    bool held = waitpid(victim, ret_status, __WALL) == victim;
    if ((!held && errno != EINTR) || (held && !WIFSTOPPED(*ret_status)))
        _exit(0);
    return held;
}

/* Its own heirs are no matter of ours. */
static pid_t take_heir(pid_t parent)
{
    unsigned long heir = 0;
    int status;
    (void)ptrace(PTRACE_GETEVENTMSG, parent, NULL, &heir);
    (void)trace(PTRACE_DETACH, parent, 0);
    if (heir == 0 || waitpid((pid_t)heir, &status, __WALL) != (pid_t)heir || !WIFSTOPPED(status))
        _exit(0);
    (void)trace(PTRACE_SETOPTIONS, (pid_t)heir, PTRACE_O_TRACESYSGOOD);
    return (pid_t)heir;
}

/* Lets the victim go on until it forks, and then for good. */
static pid_t await_heir(pid_t victim, int fd)
{
    int status;
    tell_ready(fd);
    for (bool asked = false;;) {
        bool held = take_event(victim, &status);
        int event = held ? status >> 16 : 0;
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK)
            return take_heir(victim);
        if (asked && event == PTRACE_EVENT_STOP) {
            (void)trace(PTRACE_DETACH, victim, 0);
            _exit(0);
        }
        if (held)
            (void)trace(PTRACE_CONT, victim, event != 0 ? 0 : (uintptr_t)WSTOPSIG(status));
        if (is_ending && !asked)
            asked = trace(PTRACE_INTERRUPT, victim, 0) == 0;
    }
}

/* Nothing more is to be done to it. An interrupt is lost where the victim stops at a call's exit
 * before it comes to that: any stop is as good, but one within a call that fails. */
static bool is_done(pid_t victim, int status, bool asked, const struct injector_plan *plan,
                    struct injector_tally *tally)
{
    if (!is_syscall_stop(status))
        return asked && status >> 16 == PTRACE_EVENT_STOP;
    return harm(victim, plan, tally) || (is_ending && !failing);
}

static _Noreturn void follow(pid_t victim, const struct injector_plan *plan,
                             struct injector_tally *tally, int fd)
{
    int status;
    const struct sigaction action = {.sa_handler = end_soon}; /* interrupts waitpid() */
    const uintptr_t forks = plan->heir ? PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK : 0;
    (void)sigaction(END_SIGNAL, &action, NULL);
    if (trace(PTRACE_SEIZE, victim, PTRACE_O_TRACESYSGOOD | forks) != 0 ||
        (!plan->heir && !hold(victim, &status)))
        _exit(1);
    if (plan->heir)
        victim = await_heir(victim, fd);
    (void)trace(PTRACE_SYSCALL, victim, 0);
    if (!plan->heir)
        tell_ready(fd);
    for (bool asked = false;;) {
        bool held = take_event(victim, &status);
        if (held && is_done(victim, status, asked, plan, tally)) {
            (void)trace(PTRACE_DETACH, victim, 0);
            _exit(0);
        }
        if (held)
            go_on(victim, status);
        if (is_ending && !asked)
            asked = trace(PTRACE_INTERRUPT, victim, 0) == 0;
    }
}

static bool is_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char word;
    return poll(&p, 1, 2000) > 0 && read(fd, &word, 1) == 1;
}

bool injector_plan_start(struct injector_child *ret, pid_t victim, const struct injector_plan *plan)
{
    int pair[2];
    struct injector_tally *tally =
        mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        return false;
    if (pipe2(pair, O_CLOEXEC) != 0) {
        (void)munmap(tally, sizeof(*tally));
        return false;
    }
    *tally = (struct injector_tally){.number = -1};
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(pair[0]);
        follow(victim, plan, tally, pair[1]);
    }
    (void)close(pair[1]);
    *ret = (struct injector_child){.pid = pid, .tally = tally};
    bool ready = pid > 0 && is_ready(pair[0]);
    (void)close(pair[0]);
    unsigned ignored;
    if (!ready)
        (void)injector_finish(ret, &ignored);
    return ready;
}

bool injector_finish(struct injector_child *c, unsigned *ret_calls)
{
    bool gone = c->pid <= 0;
    for (int i = 0; !gone && i < END_TRIES; i++) {
        (void)kill(c->pid, END_SIGNAL);
        gone = waitpid(c->pid, NULL, WNOHANG) != 0;
        if (!gone)
            (void)usleep(END_PAUSE_US);
    }
    if (!gone) {
        (void)kill(c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
    }
    bool hit = c->tally->hits > 0;
    *ret_calls = c->tally->calls;
    (void)munmap(c->tally, sizeof(*c->tally));
    return hit;
}

int injector_harm(pid_t child, const int line[2], const struct injector_plan *plan, bool *ret_hit)
{
    struct injector_child c;
    int status = -1;
    unsigned calls;
    *ret_hit = false;
    bool started = injector_plan_start(&c, child, plan);
    if (started)
        (void)!write(line[1], "", 1);
    else
        (void)kill(child, SIGKILL);
    if (waitpid(child, &status, 0) != child || !started)
        status = -1;
    if (started)
        *ret_hit = injector_finish(&c, &calls);
    (void)close(line[0]);
    (void)close(line[1]);
    return status;
}

void injector_exec(unsigned k, bool by_change, char **argv)
{
    const struct injector_plan plan = {.signal = SIGKILL, .k = k, .by_change = by_change};
    static struct injector_tally tally;
    int line[2];
    char word;
    if (pipe2(line, O_CLOEXEC) != 0)
        _exit(126);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(line[0], &word, 1) == 1) /* held, and counted from here */
            (void)execv(argv[0], argv);
        _exit(127);
    }
    (void)close(line[0]);
    follow(pid, &plan, &tally, line[1]);
}
