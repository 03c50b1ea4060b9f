/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/frame.h"

#include "base/utf8.h"

#include <string.h>

enum {
    ELEMENTS_MAX = 16384,
    FEED_MAX = FRAME_MAX + 65536 /* a whole frame, and what one read brought behind it */
};

void frame_reader_init(struct frame_reader *r)
{
    *r = (struct frame_reader){.in = BUF_INIT(FEED_MAX)};
}

void frame_reader_free(struct frame_reader *r)
{
    buf_free(&r->in);
    r->scanned = 0;
}

int frame_feed(struct frame_reader *r, const void *data, size_t len, struct err *err)
{
    buf_add(&r->in, data, len);
    if (!buf_ok(&r->in))
        return make_error(err, ERR_PROTOCOL, 0, "a frame of more than %d bytes", FRAME_MAX);
    return 0;
}

int frame_next(struct frame_reader *r, json_t **ret, struct err *err)
{
    *ret = NULL;
    if (r->in.len == 0)
        return 0;
    const char *newline = memchr(r->in.data + r->scanned, '\n', r->in.len - r->scanned);
    size_t len = newline != NULL ? (size_t)(newline - r->in.data) : r->in.len;
    if (len > FRAME_MAX)
        return make_error(err, ERR_PROTOCOL, 0, "a frame of more than %d bytes", FRAME_MAX);
    if (newline == NULL) {
        r->scanned = len;
        return 0;
    }
    int failed = frame_parse(r->in.data, len, ret, err);
    buf_drop(&r->in, len + 1);
    r->scanned = 0;
    return failed;
}

/* Depth and element count are capped before the parser allocates anything for them. */
static int check_shape(const char *line, size_t len, struct err *err)
{
    size_t depth = 0, elements = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        char c = line[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
            continue;
        }
        quoted = c == '"';
        elements += c == ',' || c == '[' || c == '{';
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        if (depth > FRAME_DEPTH_MAX)
            return make_error(err, ERR_PROTOCOL, 0, "a frame nested deeper than %d",
                              FRAME_DEPTH_MAX);
        if (elements > ELEMENTS_MAX)
            return make_error(err, ERR_PROTOCOL, 0, "a frame of more than %d elements",
                              ELEMENTS_MAX);
    }
    return 0;
}

int frame_parse(const char *line, size_t len, json_t **ret, struct err *err)
{
    json_error_t why;
    *ret = NULL;
    if (len > FRAME_MAX)
        return make_error(err, ERR_PROTOCOL, 0, "a frame of more than %d bytes", FRAME_MAX);
    if (check_shape(line, len, err) != 0)
        return -1;
    json_t *frame = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (frame == NULL) {
        utf8_clean(why.text, strlen(why.text));
        return make_error(err, ERR_PROTOCOL, 0, "a frame that is not JSON: %s", why.text);
    }
    if (!json_is_object(frame)) {
        json_decref(frame);
        return make_error(err, ERR_PROTOCOL, 0, "a frame that is not a JSON object");
    }
    *ret = frame;
    return 0;
}

static int dump_into(const char *data, size_t len, void *ctx)
{
    struct buf *b = ctx;
    buf_add(b, data, len);
    return buf_ok(b) ? 0 : -1;
}

int frame_put(struct buf *out, const json_t *frame, struct err *err)
{
    CLEANUP_BUF struct buf line = BUF_INIT(FRAME_MAX + 1);
    if (frame == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for a frame");
    if (json_dump_callback(frame, dump_into, &line, JSON_COMPACT) != 0 || line.len > FRAME_MAX)
        return make_error(err, ERR_LIMIT, 0, "a frame of more than %d bytes", FRAME_MAX);
    buf_puts(&line, "\n");
    buf_add(out, line.data, line.len);
    if (!buf_ok(&line) || !buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "no room for a frame");
    return 0;
}

json_t *frame_request(int64_t id, const char *method, json_t *params)
{
    return json_pack("{s:s, s:I, s:s, s:o*}", "jsonrpc", "2.0", "id", (json_int_t)id, "method",
                     method, "params", params);
}

json_t *frame_result(int64_t id, json_t *result)
{
    return json_pack("{s:s, s:I, s:o}", "jsonrpc", "2.0", "id", (json_int_t)id, "result", result);
}

json_t *frame_error(int64_t id, const struct err *why)
{
    char text[ERR_MSG_MAX];
    memcpy(text, why->msg, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    utf8_clean(text, strlen(text));
    return json_pack("{s:s, s:I, s:{s:i, s:s, s:{s:s}}}", "jsonrpc", "2.0", "id", (json_int_t)id,
                     "error", "code", -32000, "message", text, "data", "word", err_word(why->code));
}

bool frame_is_error(const json_t *frame, struct err *ret)
{
    const json_t *error = json_object_get(frame, "error");
    if (error == NULL)
        return false;
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *word = json_string_value(json_object_get(json_object_get(error, "data"), "word"));
    enum err_code code = err_from_word(word);
    if (code == ERR_NONE)
        code = ERR_PROTOCOL;
    (void)make_error(ret, code, 0, "%s", message != NULL ? message : "an error without a message");
    return true;
}
