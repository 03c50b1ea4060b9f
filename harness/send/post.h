/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP POST of JSON to a collector that a person named, by libcurl, for `blackstart send`. It
 * knows neither runs nor reports, and no agent is linked with it. It follows no redirection and
 * speaks http and https alone; certificates are checked.
 */
#ifndef BLACKSTART_SEND_POST_H
#define BLACKSTART_SEND_POST_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum { POST_ANSWER_MAX = 64 << 10, POST_MS = 30000, POST_HEADERS_MAX = 16 };

struct post {
    const char *url;
    const char *const *headers; /* "Name: value", up to a NULL; NULL: none of its own */
    const char *body;
    size_t len;
    int64_t
        whole_ms; /* of one attempt, from the connection to the answer's last byte; 0: POST_MS */
};

/* A connection that several requests share. */
struct post_link;
int post_open(struct post_link **ret, struct err *err) MUST_CHECK;
void post_close_at(struct post_link **link);
#define CLEANUP_POST __attribute__((cleanup(post_close_at)))

/*
 * 0: the server took it (2xx), and `answer` has what it said, a JSON object or nothing. Where
 * nobody answers in time, or the server is busy (429, 502, 503, 504), it is tried once more after a
 * second: it takes at most twice `whole_ms` and that second, however slowly an answer drips in.
 * Anything else is an error with the server's own words.
 */
int post_send(struct post_link *link, const struct post *p, struct buf *answer,
              struct err *err) MUST_CHECK;

#endif
