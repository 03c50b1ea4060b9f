/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGINT, SIGTERM and SIGHUP (the terminal is gone) as bytes in a pipe: they can be seen by the
 * loop and by waits outside of it, and the mask that our children inherit stays as it was. A reader
 * of our output that goes away does not end a run.
 */
#include "run/run_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static pid_t owner;
static const int asked[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_ASKED = sizeof(asked) / sizeof(asked[0]) };
static struct sigaction before[N_ASKED];

static void on_signal(int sig)
{
    int saved = errno;
    /* A child that has not called exec yet shares the pipe, but is not asked to stop the run. */
    if (getpid() != owner) {
        (void)signal(sig, SIG_DFL);
        (void)raise(sig);
    } else {
        ssize_t n = write(ends[1], "x", 1);
        (void)n;
    }
    errno = saved;
}

/* A handler, since SIG_IGN would go over to what our children execute. It stays for the report. */
static void on_pipe(int sig)
{
    if (getpid() != owner) {
        (void)signal(sig, SIG_DFL);
        (void)raise(sig);
    }
}

int run_signal_open(struct err *err)
{
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe for signals");
    owner = getpid();
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction pipe_action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
    (void)sigaction(SIGPIPE, &pipe_action, NULL);
    for (size_t i = 0; i < N_ASKED; i++) {
        (void)sigaction(asked[i], &action, &before[i]);
        if (asked[i] == SIGHUP && before[i].sa_handler == SIG_IGN) /* nohup */
            (void)sigaction(SIGHUP, &before[i], NULL);
    }
    return 0;
}

int run_signal_fd(void)
{
    return ends[0];
}

unsigned run_signal_take(void)
{
    char bytes[64];
    ssize_t n = read(ends[0], bytes, sizeof(bytes));
    return n > 0 ? (unsigned)n : 0;
}

/* A wait outside of the loop asks this; the signal stays in the pipe for the loop. */
bool run_signal_waiting(void *ctx)
{
    (void)ctx;
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

void run_signal_close(void)
{
    if (ends[0] < 0)
        return;
    for (size_t i = 0; i < N_ASKED; i++)
        (void)sigaction(asked[i], &before[i], NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    ends[0] = ends[1] = -1;
}
