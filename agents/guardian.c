/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/guardian.h"
#include "agents/seal.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum guardian_op { GUARDIAN_ADD, GUARDIAN_RENEW, GUARDIAN_REMOVE, GUARDIAN_RELEASE };

struct guardian_word {
    uint32_t op, slot;
    int64_t busy_until;
    int64_t deadlines[UNDO_SLOTS]; /* ADD: only [slot] counts */
};

enum { REVERT_TRIES = 3, REVERT_PAUSE_MS = 200, DEATH_WAIT_MS = 5000 };

static struct watch {
    const struct guardian_duty *duty;
    int fd, timer, privside; /* privside: pidfd */
    pid_t privside_pid;
    int64_t busy_until;
    bool held[UNDO_SLOTS];
    int64_t deadlines[UNDO_SLOTS];
    struct undo undos[UNDO_SLOTS]; /* pages are only used once a slot is */
} watch;

static int64_t watch_earliest(void)
{
    int64_t first = LEASE_NEVER;
    for (unsigned i = 0; i < UNDO_SLOTS; i++)
        if (watch.held[i] && watch.deadlines[i] < first)
            first = watch.deadlines[i];
    return first == LEASE_NEVER ? first : first + GUARDIAN_GRACE_MS * NS_PER_MS;
}

static void watch_take(const struct guardian_word *word)
{
    unsigned slot = word->slot;
    if (word->op == GUARDIAN_RENEW)
        memcpy(watch.deadlines, word->deadlines, sizeof(watch.deadlines));
    if (word->op == GUARDIAN_REMOVE && slot < UNDO_SLOTS)
        watch.held[slot] = false;
}

static bool privside_is_stopped(void)
{
    char path[32], text[512];
    (void)snprintf(path, sizeof(path), "%d/stat", (int)watch.privside_pid);
    CLEANUP_FD int fd = openat(watch.duty->host->proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *state = strrchr(text, ')'); /* behind the name, which may hold anything */
    return state != NULL && (state[2] == 'T' || state[2] == 't');
}

static void privside_end(void)
{
    struct pollfd gone = {.fd = watch.privside, .events = POLLIN};
    (void)syscall(SYS_pidfd_send_signal, watch.privside, SIGKILL, NULL, 0);
    while (poll(&gone, 1, DEATH_WAIT_MS) < 0 && errno == EINTR)
        ;
}

/* It reverted what could be, and ends by itself, unless somebody stops it on the way. A guardian
 * that is stopped itself ends with it: that is set before the answer for which privside waits. */
static _Noreturn void privside_see_off(void)
{
    const uint32_t op = GUARDIAN_RELEASE;
    struct err ignored;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)!wire_send(watch.fd, &op, sizeof(op), NULL, 0, &ignored);
    struct pollfd gone = {.fd = watch.privside, .events = POLLIN};
    for (int waited = 0; waited < DEATH_WAIT_MS && !privside_is_stopped();
         waited += GUARDIAN_LOOK_MS)
        if (poll(&gone, 1, GUARDIAN_LOOK_MS) > 0)
            _exit(0);
    privside_end();
    _exit(0);
}

/* 0: taken and acknowledged; 1: privside is gone. */
static int watch_listen(void)
{
    static struct guardian_word word;
    static struct undo undo;
    struct err err;
    size_t size;
    if (wire_receive(watch.fd, &word, sizeof(word), &undo, sizeof(undo), &size, -1, &err) != 0 ||
        size < sizeof(word))
        return 1;
    watch.busy_until = word.busy_until;
    if (word.op == GUARDIAN_RELEASE)
        privside_see_off();
    if (word.op == GUARDIAN_ADD && word.slot < UNDO_SLOTS) {
        watch.undos[word.slot] = undo;
        watch.held[word.slot] = true;
        watch.deadlines[word.slot] = word.deadlines[word.slot];
    } else {
        watch_take(&word);
    }
    if (lease_arm(watch.timer, watch_earliest(), &err) != 0)
        return 1;
    return wire_send(watch.fd, &word.op, sizeof(word.op), NULL, 0, &err) != 0;
}

static bool slot_revert(unsigned slot)
{
    const struct undo *undo = &watch.undos[slot];
    const struct fault *row = catalogue_find(watch.duty->catalogue, undo->fault);
    /* Those that ended with privside too: their revert reads that back, and removes what the kernel
     * leaves (a link, a mapping's file). */
    if (row == NULL)
        return true;
    struct revert_report report = {0};
    struct err err;
    for (int i = 0; i < REVERT_TRIES; i++) {
        if (row->revert(watch.duty->host, undo, &report, &err) == 0)
            return undo_done(watch.duty->log, slot, &err) == 0;
        struct timespec pause = clock_timespec(REVERT_PAUSE_MS * NS_PER_MS);
        (void)nanosleep(&pause, NULL);
    }
    (void)fprintf(stderr, "blackstart-agent: guardian: %s %s: %s\n%s%s", undo->fault,
                  undo->injection, err.msg, report.manual, report.manual[0] != '\0' ? "\n" : "");
    return false;
}

static int watch_end(void)
{
    bool clean = true;
    for (unsigned i = UNDO_SLOTS; i-- > 0;)
        if (watch.held[i])
            clean = slot_revert(i) && clean;
    undo_close(watch.duty->log);
    return clean ? 0 : 4;
}

/* A deadline has passed. Whoever is stopped can do nothing about it; whoever is busy will. */
static bool watch_is_over(void)
{
    struct err ignored;
    int64_t now = watch.duty->host->now();
    if (now >= watch.busy_until + GUARDIAN_GRACE_MS * NS_PER_MS || privside_is_stopped())
        return true;
    return lease_arm(watch.timer, now + GUARDIAN_LOOK_MS * NS_PER_MS, &ignored) != 0;
}

static int watch_run(void)
{
    struct pollfd fds[] = {{.fd = watch.fd, .events = POLLIN},
                           {.fd = watch.timer, .events = POLLIN},
                           {.fd = watch.duty->link}}; /* hang-up only */
    for (;;) {
        int n = poll(fds, 3, fds[2].fd < 0 ? GUARDIAN_LOOK_MS : -1);
        if (n < 0 && errno != EINTR)
            break;
        if (n < 0)
            continue;
        if (fds[2].revents != 0)
            fds[2].fd = -1;
        /* Without a link privside is about to end, unless it is stopped: then nobody else would
         * end it when nothing is injected. */
        if (n == 0 && privside_is_stopped())
            break;
        /* Words first: a renewal that has arrived counts. */
        if (fds[0].revents != 0) {
            if (watch_listen() != 0)
                break;
            continue;
        }
        if (fds[1].revents != 0 && watch_is_over())
            break;
    }
    privside_end();
    return watch_end();
}

static int guardian_main(const struct guardian_duty *duty, int fd, int privside)
{
    struct err err;
    watch.duty = duty;
    watch.fd = fd;
    watch.privside = privside;
    watch.privside_pid = getppid();
    (void)prctl(PR_SET_NAME, "bs-guardian");
    /* Ctrl-C reaches the whole group; the coordinator decides what it means. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    for (size_t i = 0; i < sizeof(duty->close_fds) / sizeof(duty->close_fds[0]); i++)
        if (duty->close_fds[i] >= 0)
            (void)close(duty->close_fds[i]);
    if (lease_timer(&watch.timer, &err) != 0 || seal_privileged(duty->caps, &err) != 0) {
        (void)fprintf(stderr, "blackstart-agent: guardian: %s\n", err.msg);
        return 3;
    }
    return watch_run();
}

int guardian_start(struct guardian *g, const struct guardian_duty *duty, struct err *err)
{
    int pair[2];
    if (wire_pair(pair, err) != 0)
        return -1;
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];
    CLEANUP_FD int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0)
        return make_error(err, ERR_SYSTEM, errno, "pidfd_open");
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "fork the guardian");
    if (pid == 0) {
        (void)close(steal_fd(&ours));
        _exit(guardian_main(duty, theirs, self));
    }
    g->pid = pid;
    g->fd = steal_fd(&ours);
    return 0;
}

void guardian_kill(struct guardian *g)
{
    if (g->fd < 0)
        return;
    (void)kill(g->pid, SIGKILL);
    (void)waitpid(g->pid, NULL, 0);
    (void)close(steal_fd(&g->fd));
}

static int guardian_say(struct guardian *g, const struct guardian_word *word,
                        const struct undo *undo, struct err *err)
{
    uint32_t answer = UINT32_MAX;
    size_t size = 0;
    if (guardian_is_lost(g))
        return make_error(err, ERR_REFUSED, 0, "the guardian is lost");
    size_t undo_size = undo != NULL ? offsetof(struct undo, data) + undo->size : 0;
    if (wire_send(g->fd, word, sizeof(*word), undo, undo_size, err) == 0 &&
        wire_receive(g->fd, &answer, sizeof(answer), NULL, 0, &size, GUARDIAN_ANSWER_MS, err) ==
            0 &&
        size == sizeof(answer) && answer == word->op)
        return 0;
    if (size == 0)
        (void)make_error(err, ERR_SYSTEM, 0, "the guardian does not answer");
    guardian_kill(g);
    return wrap_error(err, "guardian");
}

void guardian_release(struct guardian *g)
{
    const struct guardian_word word = {.op = GUARDIAN_RELEASE};
    struct err ignored;
    if (g->fd < 0)
        return;
    if (guardian_say(g, &word, NULL, &ignored) != 0)
        guardian_kill(g);
    else
        (void)close(steal_fd(&g->fd));
}

int guardian_add(struct guardian *g, unsigned slot, const struct undo *undo, int64_t deadline,
                 int64_t busy_until, struct err *err)
{
    struct guardian_word word = {.op = GUARDIAN_ADD, .slot = slot, .busy_until = busy_until};
    word.deadlines[slot] = deadline;
    return guardian_say(g, &word, undo, err);
}

int guardian_renew(struct guardian *g, const int64_t deadlines[UNDO_SLOTS], int64_t busy_until,
                   struct err *err)
{
    struct guardian_word word = {.op = GUARDIAN_RENEW, .busy_until = busy_until};
    memcpy(word.deadlines, deadlines, sizeof(word.deadlines));
    return guardian_say(g, &word, NULL, err);
}

int guardian_remove(struct guardian *g, unsigned slot, int64_t busy_until, struct err *err)
{
    struct guardian_word word = {.op = GUARDIAN_REMOVE, .slot = slot, .busy_until = busy_until};
    return guardian_say(g, &word, NULL, err);
}
