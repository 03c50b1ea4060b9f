/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All labs are up all the time: the runs have their trials in turns, so that whatever drifts on the
 * machine meets all alike. This process gives the turns and passes signals on; when it dies, the
 * runs see their streams end, and put everything back as after an interrupt.
 */
#include "cmd/cmd_run_turns.h"

#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_judge.h"
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

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]) };

/* Our ends of the streams; -1: over. */
static int fds[RUN_TURNS_MAX];

/* The handler has nothing else to know them by. */
static volatile sig_atomic_t pids[RUN_TURNS_MAX];
static volatile sig_atomic_t interrupted;
static pid_t owner;

static void on_signal(int sig)
{
    int saved = errno;
    if (getpid() != owner) {
        (void)signal(sig, SIG_DFL);
        (void)raise(sig);
    }
    interrupted = 1;
    for (int i = 0; i < RUN_TURNS_MAX; i++)
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

/* Whose line it is; names are padded to one width. */
struct speaker {
    const char *name;
    int width;
};

static void say(void *ctx, int64_t t_ns, const char *text)
{
    const struct speaker *s = ctx;
    (void)printf("%s%-*s %8.3f%s  %s\n", terminal_style(stdout, STYLE_DIM), s->width, s->name,
                 (double)t_ns / 1e9, terminal_style(stdout, STYLE_PLAIN), text);
    (void)fflush(stdout);
}

/* The child: one run, in a process group of its own, so that a key pressed reaches us alone. */
static int child_run(const struct command_args *args, const struct run_turns *turns, size_t which,
                     int fd)
{
    const struct run_turn *t = &turns->runs[which];
    struct speaker speaker = {.name = t->name};
    struct err err = {0};
    struct run_options o = {.scenario = t->scenario,
                            .faults = &fault_catalogue,
                            .trials = turns->trials,
                            .seed = turns->seed,
                            .takes_turns = true,
                            .turn_fd = fd,
                            .dir = t->dir};
    for (size_t i = 0; i < turns->n; i++)
        if ((int)strlen(turns->runs[i].name) > speaker.width)
            speaker.width = (int)strlen(turns->runs[i].name);
    if (!command_flag(args, "json") && !command_flag(args, "quiet"))
        o.view = (struct run_view){.say = say, .ctx = &speaker};
    struct cmd_store store;
    if (cmd_store_of_run(args, command_value(args, "out"), &store, &err) == 0)
        o.history = cmd_store_earlier(&store, t->scenario);
    int rc = run_execute(&o, &err);
    json_decref(o.history);
    if (rc == 0)
        return 0;
    (void)fprintf(stderr, "blackstart run: %s: %s\n", t->name, err.msg);
    return err_exit_status(err.code);
}

static int child_start(const struct command_args *args, const struct run_turns *turns, size_t which,
                       struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return make_error(err, ERR_SYSTEM, errno, "make a stream for turns");
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < N_PASSED_ON; i++)
            (void)signal(passed_on[i], SIG_DFL);
        (void)setpgid(0, 0);
        (void)close(ends[0]);
        for (size_t i = 0; i < turns->n; i++) /* else they would not see our end */
            if (fds[i] >= 0)
                (void)close(fds[i]);
        int status = child_run(args, turns, which, ends[1]);
        (void)fflush(stdout);
        _exit(status);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return make_error(err, ERR_SYSTEM, errno, "start a run's process");
    }
    pids[which] = pid;
    fds[which] = ends[0];
    return 0;
}

static void over(size_t which)
{
    if (fds[which] >= 0)
        (void)close(fds[which]);
    fds[which] = -1;
}

/* Until the run is ready for its next turn; false: it has ended. */
static bool await(size_t which)
{
    char byte;
    ssize_t n;
    do
        n = read(fds[which], &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        over(which);
    return n == 1;
}

/* One turn to each that still runs; false: none does, or one has ended that the others need. */
static bool round_of(const struct run_turns *turns)
{
    bool any = false;
    for (size_t i = 0; i < turns->n; i++) {
        if (fds[i] < 0)
            continue;
        bool goes_on = write(fds[i], "g", 1) == 1 && await(i);
        if (!goes_on)
            over(i);
        if (!goes_on && turns->together)
            return false;
        any = any || goes_on;
    }
    return any;
}

static void child_wait(struct run_turn *t, size_t which)
{
    int status = 0;
    over(which);
    if (pids[which] <= 0)
        return;
    while (waitpid((pid_t)pids[which], &status, 0) < 0 && errno == EINTR)
        ;
    pids[which] = 0;
    t->status = WIFEXITED(status) ? WEXITSTATUS(status) : err_exit_status(ERR_SYSTEM);
}

/* One lab after the other is made, then the trials take turns: all to their ends. */
static int carry_out(const struct command_args *args, struct run_turns *turns, struct err *err)
{
    struct sigaction before[N_PASSED_ON];
    int rc = 0;
    bool ready = true;
    for (size_t i = 0; i < turns->n; i++)
        fds[i] = -1;
    interrupted = 0;
    signals_take(before);
    for (size_t i = 0; rc == 0 && ready && !interrupted && i < turns->n; i++) {
        rc = child_start(args, turns, i, err);
        ready = rc == 0 && (await(i) || !turns->together);
    }
    while (ready && !interrupted && round_of(turns))
        continue;
    for (size_t i = 0; i < turns->n; i++)
        over(i);
    for (size_t i = 0; i < turns->n; i++)
        child_wait(&turns->runs[i], i);
    signals_give_back(before);
    return rc;
}

static int dirs_make(const char *out, const struct run_turns *turns, struct err *err)
{
    for (size_t i = 0; i < turns->n; i++) {
        struct run_turn *t = &turns->runs[i];
        char path[PATH_MAX];
        int n = out != NULL
                    ? snprintf(path, sizeof(path), "%s/%s", out, t->folder)
                    : snprintf(path, sizeof(path), "%.60s-%s", t->scenario->name, t->folder);
        if (n < 0 || (size_t)n >= sizeof(path))
            return make_error(err, ERR_INPUT, 0, "%.60s...: the path is too long", out);
        if (run_dir_make(out != NULL ? path : NULL, path, t->dir, err) < 0)
            return -1;
    }
    return 0;
}

/* Each run's reports and verdict. */
static int judge_all(const struct command_args *args, const struct run_turns *turns,
                     struct err *err)
{
    const int dirty = err_exit_status(ERR_DIRTY);
    int worst = 0;
    for (size_t i = 0; i < turns->n; i++) {
        struct run_turn *t = &turns->runs[i];
        char journal[PATH_MAX + 32];
        struct judge judge = {.dir = t->dir,
                              .reports = turns->reports,
                              .silent = turns->silent || command_flag(args, "json")};
        (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, t->dir);
        if (access(journal, F_OK) < 0)
            return make_error(err, ERR_SYSTEM, 0, "run %s did not come to its first trial",
                              t->name);
        if (cmd_store_of_run(args, command_value(args, "out"), &judge.store, err) < 0)
            return -1;
        if (!judge.silent)
            (void)printf("\n%s: ", t->name);
        t->judged = cmd_judge(&judge, err);
        if (t->judged == -1 && t->status != 0 && err->code == ERR_INPUT)
            err->code = ERR_SYSTEM; /* it has said why its journal is none */
        if (t->judged < 0)
            return -1;
        if (t->judged == dirty || (t->status != 0 && worst == 0))
            worst = t->judged == dirty ? dirty : 3;
    }
    return worst;
}

int cmd_run_turns(const struct command_args *args, struct run_turns *turns, struct err *err)
{
    if (dirs_make(command_value(args, "out"), turns, err) < 0 || carry_out(args, turns, err) < 0)
        return -1;
    return judge_all(args, turns, err);
}

void cmd_run_turns_done(const struct command_args *args, const struct run_turns *turns)
{
    for (size_t i = 0; i < turns->n; i++)
        run_dir_give_back(command_value(args, "out"), turns->runs[i].dir);
}
