/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request in, one reply out: privside's side of each operation. Knows the injector and the
 * host's dump, not how messages travel.
 */
#ifndef BLACKSTART_AGENTS_ANSWER_H
#define BLACKSTART_AGENTS_ANSWER_H

#include "agents/inject.h"
#include "base/buf.h"

struct answerer {
    struct injector *injector;
    pid_t guardian;
    bool greeted;
    uint32_t unreadable; /* told by hello, as replayed is */
    struct buf baseline;
    uint32_t n_replayed;
    struct agent_item replayed[ITEMS_MAX]; /* told by hello */
};

struct answer {
    struct agent_reply reply;
    struct agent_item items[ITEMS_MAX];
};

/* The request has passed wire_check_request(); body is what followed it. */
void answer_request(struct answerer *a, const struct agent_request *r, const void *body,
                    struct answer *ret);

/* Of an injection that ended unasked. */
void answer_ended(const struct injection *j, struct agent_reply *ret);

#endif
