/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wait while a person looks inside: how it is ended, and that this is said. The leases are
 * renewed meanwhile by the engine, as always.
 */
#include "run/run_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void on_key(evutil_socket_t fd, short what, void *ctx)
{
    char bytes[256];
    struct run *r = ctx;
    (void)what;
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    (void)event_del(r->keys);
    run_post(r, EVENT_GO_ON, 0, true, 0, NULL);
}

int run_hold_open(struct run *r, struct err *err)
{
    r->keys = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_key, r);
    return r->keys != NULL ? 0 : make_error(err, ERR_LIMIT, 0, "out of memory for events");
}

/* Nothing can come from /dev/null or from a file. */
static bool is_pipe(void)
{
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void run_hold_begin(struct run *r)
{
    bool terminal = isatty(STDIN_FILENO) != 0;
    if (!terminal && !is_pipe()) {
        run_ask(r, "NOT HOLDING: the standard input is neither a terminal nor a pipe, so that "
                   "nothing could end it");
        run_post(r, EVENT_GO_ON, 0, true, 0, NULL);
        return;
    }
    if (terminal)
        (void)tcflush(STDIN_FILENO, TCIFLUSH); /* an Enter from before was not meant for this */
    if (event_add(r->keys, NULL) < 0) {
        run_ask(r, "NOT HOLDING: the standard input cannot be waited for");
        run_post(r, EVENT_GO_ON, 0, true, 0, NULL);
        return;
    }
    run_record(r, "hold", json_pack("{s:s}", "state", "begin"));
    run_ask(r,
            "HOLDING: the fault is on and stays on, for %d minutes at most. Look inside: "
            "blackstart lab exec --name %s HOST -- COMMAND",
            (int)RUN_HOLD_MIN, r->id);
    if (terminal)
        run_ask(r, "Enter goes on; Ctrl-C puts everything back and ends the run");
    else
        run_ask(
            r,
            "a line on the standard input, or its end, goes on; `kill -INT %ld` puts everything "
            "back and ends the run",
            (long)getpid());
}

void run_hold_over(struct run *r, const char *by_whom)
{
    (void)event_del(r->keys);
    run_record(r, "hold", json_pack("{s:s, s:s}", "state", "end", "why", by_whom));
    if (strcmp(by_whom, "limit") == 0)
        run_ask(r, "nobody went on for %d minutes: going on", (int)RUN_HOLD_MIN);
    else if (strcmp(by_whom, "person") == 0)
        run_say(r, "going on");
}
