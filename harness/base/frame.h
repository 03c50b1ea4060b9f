/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON-RPC 2.0 frames, one JSON document per line, between coordinator and agent
 * (docs/agent-protocol.md) and between coordinator and prober. A frame has caps on size, depth and
 * element count; a peer that passes them, or sends what is not JSON, duplicate keys or bad UTF-8,
 * gets ERR_PROTOCOL and the link is closed.
 */
#ifndef BLACKSTART_BASE_FRAME_H
#define BLACKSTART_BASE_FRAME_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { FRAME_MAX = 256 * 1024, FRAME_DEPTH_MAX = 12 };

struct frame_reader {
    struct buf in;
    size_t scanned;
};

void frame_reader_init(struct frame_reader *r);
void frame_reader_free(struct frame_reader *r);

/* Bytes that arrived. */
int frame_feed(struct frame_reader *r, const void *data, size_t len, struct err *err) MUST_CHECK;

/* The next whole frame (caller decrefs), or *ret = NULL when there is none yet. */
int frame_next(struct frame_reader *r, json_t **ret, struct err *err) MUST_CHECK;

/* Parses one line of len bytes without its newline. */
int frame_parse(const char *line, size_t len, json_t **ret, struct err *err) MUST_CHECK;

/* Appends compact JSON and a newline. */
int frame_put(struct buf *out, const json_t *frame, struct err *err) MUST_CHECK;

/* {"jsonrpc":"2.0","id":id,"method":method,"params":params}; steals params (may be NULL). */
json_t *frame_request(int64_t id, const char *method, json_t *params);
/* {"jsonrpc":"2.0","id":id,"result":result}; steals result. */
json_t *frame_result(int64_t id, json_t *result);
/* {"jsonrpc":"2.0","id":id,"error":{"code":-32000,"message":msg,"data":{"word":err_word}}} */
json_t *frame_error(int64_t id, const struct err *why);
/* Fills *ret from a frame's error member; false if it has none. */
bool frame_is_error(const json_t *frame, struct err *ret);

#endif
