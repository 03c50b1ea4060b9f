/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One agent, as the coordinator sees it: a byte stream with JSON-RPC frames on it
 * (docs/agent-protocol.md), in the lab a child's descriptors, on a real host ssh's. Calls are
 * asynchronous on the coordinator's libevent loop and have a time-out each; a link that breaks
 * fails all calls under way and says so once.
 */
#ifndef BLACKSTART_AGENTLINK_H
#define BLACKSTART_AGENTLINK_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct agentlink;

/* result is borrowed; NULL when err says why. sent_ns and got_ns: CLOCK_MONOTONIC around the call.
 */
typedef void agentlink_done(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                            int64_t got_ns);

struct agentlink_events {
    void (*lost)(void *ctx, const struct err *why); /* once; no call may follow */
    void (*notice)(void *ctx, const char *method,
                   const json_t *params); /* the agent's own words: "ended" */
    void *ctx;
};

/* Takes fd (a stream socket), on success only. who: "agent of n1", for messages. */
int agentlink_open(struct event_base *base, int fd, const char *who,
                   const struct agentlink_events *events, struct agentlink **ret,
                   struct err *err) MUST_CHECK;
/* Steals params. done is called exactly once, never from inside this call. */
void agentlink_call(struct agentlink *link, const char *method, json_t *params, int64_t timeout_ns,
                    agentlink_done *done, void *ctx);
bool agentlink_is_up(const struct agentlink *link);
/* Calls under way are answered with ERR_CANCELLED. May be called from inside a callback. */
void agentlink_close(struct agentlink *link);

#endif
