/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the protocol's methods: JSON params to a typed request, typed reply to a JSON result
 * (docs/agent-protocol.md). Pure: no descriptors, no host.
 */
#ifndef BLACKSTART_AGENTS_METHOD_H
#define BLACKSTART_AGENTS_METHOD_H

#include "agents/wire.h"

#include <jansson.h>

/* A request and what follows it; body is taken when a method needs one, at most ARGS_MAX. */
struct method_call {
    struct agent_request request;
    void *body;
};

struct method_result {
    const struct agent_reply *reply;
    const struct agent_item *items;
    int32_t netside;
    bool own_uid;
};

struct method {
    const char *name;
    enum agent_op op;
    const char *const *params; /* names that it may have, NULL-terminated */
    int (*read)(const json_t *params, struct method_call *ret, struct err *err);
    json_t *(*write)(const struct method_result *result); /* NULL: no memory */
};

const struct method *method_find(const char *name);

/* Unknown members are refused, then read() fills *ret; the caller frees ret->body. */
int method_read(const struct method *m, const json_t *params, struct method_call *ret,
                struct err *err) MUST_CHECK;

/* {"injection":...,"ended_by":...} of an unasked end. */
json_t *method_ended(const struct agent_reply *reply);

#endif
