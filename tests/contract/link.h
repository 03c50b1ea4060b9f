/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link to the real agent on a lab host, one call at a time: frames of JSON-RPC over a socket.
 */
#ifndef BLACKSTART_TESTS_CONTRACT_LINK_H
#define BLACKSTART_TESTS_CONTRACT_LINK_H

#include "base/frame.h"
#include "lab/lab.h"

struct link {
    int fd;
    char run[32];
    int64_t id;
    struct frame_reader reader;
    char last_ended[64]; /* injection of the last `ended` notice */
};

/* Starts the agent on that host and waits for nothing. ret->run: of which run, "ct" if empty. */
int link_open(struct lab *lab, const char *host, const char *program, const char *state,
              struct link *ret, struct err *err) MUST_CHECK;

/* The first word to it; the answer is the caller's, NULL with err. */
json_t *link_hello(struct link *link, const char *host, struct err *err);
/* Steals params. The result (caller decrefs), or NULL with err: the agent's own when it refused. */
json_t *link_call(struct link *link, const char *method, json_t *params, struct err *err);
void link_close(struct link *link);
/* True once the agent's side is closed. */
bool link_wait_end(struct link *link, int ms);

#endif
