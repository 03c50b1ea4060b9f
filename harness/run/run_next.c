/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between two trials: whether there is to be another, which the one who started the run knows (the
 * run itself does not judge), and when it may begin, where two runs take turns.
 */
#include "run/run_parts.h"

#include <errno.h>
#include <unistd.h>

enum { TURN_LIMIT_S = 24 * 3600 };
static const char partner_ended[] = "the run that it takes turns with has ended";

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
    struct run *r = ctx;
    char byte;
    (void)what;
    ssize_t n = read(fd, &byte, 1);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    (void)event_del(r->turn);
    r->turn_lost = r->turn_lost || n != 1;
    if (!r->started && r->pending > 0)
        r->pending--;
    else if (r->turn_lost)
        run_post(r, EVENT_INTERRUPT, 0, true, 0, partner_ended);
    else
        run_post(r, EVENT_NEXT, 0, true, 0, NULL);
}

static int turn_await(struct run *r, struct err *err)
{
    if (r->turn == NULL)
        r->turn = event_new(r->base, r->options->turn_fd, EV_READ | EV_PERSIST, on_turn, r);
    if (r->turn == NULL || event_add(r->turn, NULL) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for an event");
    if (write(r->options->turn_fd, "r", 1) != 1)
        return make_error(err, ERR_SYSTEM, errno, "tell that a trial is ready");
    return 0;
}

int run_next_first(struct run *r, struct err *err)
{
    if (!r->options->takes_turns)
        return 0;
    if (turn_await(r, err) < 0)
        return -1;
    r->pending = 1;
    int rc = run_wait(r, TURN_LIMIT_S, "the other run's lab and services", err);
    r->pending = 0;
    if (rc == 0 && r->turn_lost)
        return make_error(err, ERR_CANCELLED, 0, "%s", partner_ended);
    return rc;
}

void run_next_last(struct run *r)
{
    struct err ignored;
    if (!r->options->takes_turns || r->aborted || turn_await(r, &ignored) < 0)
        return;
    r->started = false;
    r->pending = 1;
    /* However this ends, what follows is the lab's end. */
    int rc = run_wait(r, TURN_LIMIT_S, "the other run", &ignored);
    (void)rc;
    r->pending = 0;
}

void run_next_ask(struct run *r)
{
    char why[300] = "";
    struct err err;
    if (r->options->another != NULL) {
        bool ok = r->options->another(r->options->another_ctx, why, sizeof(why));
        run_record(r, "next", json_pack("{s:b, s:s}", "ok", ok, "what", why));
        if (why[0] != '\0')
            run_say(r, "%s", why);
        if (!ok || !r->options->takes_turns) {
            run_post(r, EVENT_NEXT, 0, ok, 0, why);
            return;
        }
    }
    if (turn_await(r, &err) < 0)
        run_break(r, &err);
}
