/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two runs, each a process with a lab of its own, both labs up all the time: A and B have their
 * trials in turns, so that whatever drifts on the machine meets both alike. This process gives the
 * turns and passes signals on; when it dies, or one of the runs ends early, the other sees its
 * stream end, and puts everything back as after an interrupt.
 */
#include "cmd/cmd_run_pair.h"

#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_compare.h"
#include "cmd/cmd_judge.h"
#include "cmd/cmd_load.h"
#include "cmd/terminal.h"
#include "journal/journal.h"
#include "run/run.h"
#include "run/run_dir.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char names[] = "AB";
static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

struct runner {
    char dir[PATH_MAX];
    int fd; /* our end; -1: over */
    int status;
};

/* The handler has nothing else to know them by. */
static volatile sig_atomic_t pids[2];
static pid_t owner;

static void on_signal(int sig)
{
    int saved = errno;
    if (getpid() != owner) {
        (void)signal(sig, SIG_DFL);
        (void)raise(sig);
    }
    for (int i = 0; i < 2; i++)
        if (pids[i] > 0)
            (void)kill((pid_t)pids[i], sig);
    errno = saved;
}

static void signals_take(struct sigaction before[N_PASSED_ON])
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    owner = getpid();
    for (size_t i = 0; i < N_PASSED_ON; i++) {
        (void)sigaction(passed_on[i], &action, &before[i]);
        if (passed_on[i] == SIGHUP && before[i].sa_handler == SIG_IGN) /* nohup */
            (void)sigaction(SIGHUP, &before[i], NULL);
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

static void signals_give_back(const struct sigaction before[N_PASSED_ON])
{
    for (size_t i = 0; i < N_PASSED_ON; i++)
        (void)sigaction(passed_on[i], &before[i], NULL);
}

static void say(void *ctx, int64_t t_ns, const char *text)
{
    (void)printf("%s%c %8.3f%s  %s\n", terminal_style(stdout, STYLE_DIM), *(const char *)ctx,
                 (double)t_ns / 1e9, terminal_style(stdout, STYLE_PLAIN), text);
    (void)fflush(stdout);
}

/* The child: one run, in a process group of its own, so that a key pressed reaches us alone. */
static int child_run(const struct command_args *args, const struct run_pair *pair, int which,
                     const struct runner *r, int fd)
{
    struct err err = {0};
    struct run_options o = {.scenario = pair->scenarios[which],
                            .faults = &fault_catalogue,
                            .trials = pair->trials,
                            .seed = pair->seed,
                            .takes_turns = true,
                            .turn_fd = fd,
                            .dir = r->dir};
    if (!command_flag(args, "json") && !command_flag(args, "quiet"))
        o.view = (struct run_view){.say = say, .ctx = (void *)(uintptr_t)&names[which]};
    struct cmd_store store;
    if (cmd_store_of_run(args, command_value(args, "out"), &store, &err) == 0)
        o.history = cmd_store_earlier(&store, pair->scenarios[which]);
    int rc = run_execute(&o, &err);
    json_decref(o.history);
    if (rc == 0)
        return 0;
    (void)fprintf(stderr, "blackstart run: %c: %s\n", names[which], err.msg);
    return err_exit_status(err.code);
}

static int child_start(const struct command_args *args, const struct run_pair *pair, int which,
                       struct runner *runners, struct err *err)
{
    int ends[2];
    struct runner *r = &runners[which];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return make_error(err, ERR_SYSTEM, errno, "make a stream for turns");
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < N_PASSED_ON; i++)
            (void)signal(passed_on[i], SIG_DFL);
        (void)setpgid(0, 0);
        (void)close(ends[0]);
        if (runners[!which].fd >= 0) /* else it would not see our end */
            (void)close(runners[!which].fd);
        int status = child_run(args, pair, which, r, ends[1]);
        (void)fflush(stdout);
        _exit(status);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return make_error(err, ERR_SYSTEM, errno, "start a run's process");
    }
    pids[which] = pid;
    r->fd = ends[0];
    return 0;
}

static void over(struct runner *r)
{
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}

/* Until the run is ready for its next turn; false: it has ended. */
static bool await(struct runner *r)
{
    char byte;
    ssize_t n;
    do
        n = read(r->fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static void alternate(struct runner *runners)
{
    bool on = true;
    for (int i = 0; on; i = !i)
        on = write(runners[i].fd, "g", 1) == 1 && await(&runners[i]);
}

static void child_wait(int which, struct runner *r)
{
    int status = 0;
    over(r);
    if (pids[which] <= 0)
        return;
    while (waitpid((pid_t)pids[which], &status, 0) < 0 && errno == EINTR)
        ;
    pids[which] = 0;
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : err_exit_status(ERR_SYSTEM);
}

/* Both to their ends. */
static int carry_out(const struct command_args *args, const struct run_pair *pair,
                     struct runner *runners, struct err *err)
{
    struct sigaction before[N_PASSED_ON];
    signals_take(before);
    int rc = child_start(args, pair, 0, runners, err);
    bool ready = rc == 0 && await(&runners[0]);
    if (ready)
        rc = child_start(args, pair, 1, runners, err);
    if (ready && rc == 0 && await(&runners[1]))
        alternate(runners);
    over(&runners[0]);
    over(&runners[1]);
    child_wait(0, &runners[0]);
    child_wait(1, &runners[1]);
    signals_give_back(before);
    return rc;
}

static int dirs_make(const char *out, const struct run_pair *pair, struct runner *runners,
                     struct err *err)
{
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX];
        int n = out != NULL
                    ? snprintf(path, sizeof(path), "%s/%c", out, "ab"[i])
                    : snprintf(path, sizeof(path), "%.60s-%c", pair->scenarios[i]->name, "ab"[i]);
        if (n < 0 || (size_t)n >= sizeof(path))
            return make_error(err, ERR_INPUT, 0, "%.60s...: the path is too long", out);
        if (run_dir_make(out != NULL ? path : NULL, path, runners[i].dir, err) < 0)
            return -1;
    }
    return 0;
}

/* Each run's reports and verdict; the worse exit status of the two that counts here. */
static int judge_both(const struct command_args *args, const struct run_pair *pair,
                      struct runner *runners, struct err *err)
{
    int worst = 0;
    for (int i = 0; i < 2; i++) {
        char journal[2 * PATH_MAX + 32]; /* gcc sees both directories as one text */
        struct judge judge = {
            .dir = runners[i].dir, .reports = pair->reports, .silent = command_flag(args, "json")};
        (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, runners[i].dir);
        if (access(journal, F_OK) < 0)
            return make_error(err, ERR_SYSTEM, 0, "run %c did not come to its first trial",
                              names[i]);
        if (cmd_store_of_run(args, command_value(args, "out"), &judge.store, err) < 0)
            return -1;
        if (!judge.silent)
            (void)printf("\n%c: ", names[i]);
        int status = cmd_judge(&judge, err);
        if (status < 0)
            return -1;
        if (status == err_exit_status(ERR_DIRTY) || (runners[i].status != 0 && worst == 0))
            worst = status == err_exit_status(ERR_DIRTY) ? status : 3;
    }
    return worst;
}

int cmd_run_pair(const struct command_args *args, const struct run_pair *pair, struct err *err)
{
    const char *out = command_value(args, "out");
    static struct runner runners[2];
    runners[0].fd = runners[1].fd = -1;
    if (dirs_make(out, pair, runners, err) < 0)
        return cmd_refused(args, err);
    if (carry_out(args, pair, runners, err) < 0)
        return -1;
    int worst = judge_both(args, pair, runners, err), status = worst;
    if (worst >= 0) {
        const char *a = runners[0].dir, *b = runners[1].dir;
        const struct comparison what = {.a = &a,
                                        .b = &b,
                                        .n_a = 1,
                                        .n_b = 1,
                                        .allow_different = true,
                                        .json = command_flag(args, "json")};
        if (!what.json)
            (void)puts("");
        status = cmd_compare(&what, err);
    }
    run_dir_give_back(out, runners[0].dir);
    run_dir_give_back(out, runners[1].dir);
    return status >= 0 && worst > 0 ? worst : status;
}
