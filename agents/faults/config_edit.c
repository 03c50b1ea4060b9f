/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_edit.h"

#include "base/utf8.h"

#include <string.h>

static int finish(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "the edited file would be larger than %zu bytes",
                          out->max);
    return 0;
}

int config_edit(const char *text, size_t len, const struct text *find, const struct text *replace,
                struct buf *out, struct err *err)
{
    const char *at = text, *end = text + len;
    size_t found = 0;
    if (find->len == 0)
        return make_error(err, ERR_INPUT, 0, "find is empty");
    for (;;) {
        const char *hit = at < end ? memmem(at, (size_t)(end - at), find->s, find->len) : NULL;
        if (hit == NULL)
            break;
        buf_add(out, at, (size_t)(hit - at));
        buf_add(out, replace->s, replace->len);
        at = hit + find->len;
        found++;
    }
    buf_add(out, at, (size_t)(end - at));
    if (found == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "the text to find does not occur in the file");
    return finish(out, err);
}

int config_edit_span(const char *text, size_t len, size_t start, size_t end,
                     const struct text *replace, struct buf *out, struct err *err)
{
    buf_add(out, text, start);
    buf_add(out, replace->s, replace->len);
    buf_add(out, text + end, len - end);
    return finish(out, err);
}

int config_edit_line(const char *text, size_t len, int64_t line, const struct text *replace,
                     struct buf *out, struct err *err)
{
    size_t at = 0;
    int64_t number = 1;
    for (; number < line && at < len; number++) {
        const char *newline = memchr(text + at, '\n', len - at);
        at = newline != NULL ? (size_t)(newline - text) + 1 : len;
    }
    if (at >= len)
        return make_error(err, ERR_NOT_FOUND, 0, "the file has fewer than %lld lines",
                          (long long)line);
    const char *newline = memchr(text + at, '\n', len - at);
    size_t end = newline != NULL ? (size_t)(newline - text) : len;
    if (replace->len == 0 && newline != NULL)
        end++;
    else if (end > at && text[end - 1] == '\r' && newline != NULL)
        end--;
    return config_edit_span(text, len, at, end, replace, out, err);
}

/* The character at *at, which moves behind it; the text has been found to be UTF-8. */
static uint32_t take(const char *text, size_t *at)
{
    unsigned char lead = (unsigned char)text[(*at)++];
    if (lead < 0x80)
        return lead;
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t c = lead & (0x3fu >> more);
    for (; more > 0; more--)
        c = c << 6 | ((unsigned char)text[(*at)++] & 0x3fu);
    return c;
}

static void put_utf16(struct buf *out, uint32_t unit)
{
    unsigned char two[2] = {(unsigned char)(unit & 0xff), (unsigned char)(unit >> 8)};
    buf_add(out, two, sizeof(two));
}

static void encode_utf16(const char *text, size_t len, struct buf *out)
{
    put_utf16(out, 0xfeff);
    for (size_t at = 0; at < len;) {
        uint32_t c = take(text, &at);
        if (c >= 0x10000) {
            put_utf16(out, 0xd800 | (c - 0x10000) >> 10);
            c = 0xdc00 | ((c - 0x10000) & 0x3ff);
        }
        put_utf16(out, c);
    }
}

static void encode_latin1(const char *text, size_t len, struct buf *out)
{
    for (size_t at = 0; at < len;) {
        uint32_t c = take(text, &at);
        unsigned char one = c <= 0xff ? (unsigned char)c : '?';
        buf_add(out, &one, 1);
    }
}

static void encode_bom(const char *text, size_t len, struct buf *out)
{
    if (len < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0)
        buf_puts(out, "\xef\xbb\xbf");
    buf_add(out, text, len);
}

static void encode_crlf(const char *text, size_t len, struct buf *out)
{
    for (size_t at = 0; at < len; at++) {
        if (text[at] == '\n' && (at == 0 || text[at - 1] != '\r'))
            buf_puts(out, "\r");
        buf_add(out, text + at, 1);
    }
}

static void encode_kept(const char *text, size_t len, struct buf *out)
{
    buf_add(out, text, len);
}

int config_encode(const char *text, size_t len, enum config_encoding encoding, struct buf *out,
                  struct err *err)
{
    static void (*const encoders[])(const char *, size_t, struct buf *) = {
        [CONFIG_KEPT] = encode_kept, [CONFIG_UTF16] = encode_utf16, [CONFIG_LATIN1] = encode_latin1,
        [CONFIG_BOM] = encode_bom,   [CONFIG_CRLF] = encode_crlf,
    };
    if ((encoding == CONFIG_UTF16 || encoding == CONFIG_LATIN1) && !utf8_valid(text, len))
        return make_error(err, ERR_INPUT, 0, "the file is not UTF-8, so it cannot be recoded");
    encoders[encoding](text, len, out);
    return finish(out, err);
}
