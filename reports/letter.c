/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/letter.h"

#include "base/utf8.h"

#include <string.h>

enum { TEXT_MAX = 16 << 20 };

uint32_t letter_next(const char **s)
{
    uint32_t c;
    if (**s == '\0')
        return 0;
    size_t n = utf8_decode(*s, strnlen(*s, 4), &c);
    *s += n != 0 ? n : 1;
    return n != 0 ? c : LETTER_UNKNOWN;
}

void letter_put(struct buf *out, uint32_t c)
{
    char bytes[4];
    size_t n;
    if (c < 0x80) {
        bytes[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        bytes[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++)
        bytes[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
    buf_add(out, bytes, n);
}

/* Control characters, and those that turn the direction of a line around. */
static bool is_harmless(uint32_t c)
{
    return c == '\n' || c == '\t' ||
           (c >= 0x20 && c != 0x7F && (c < 0x80 || c > 0x9F) && (c < 0x2028 || c > 0x202E) &&
            (c < 0x2066 || c > 0x2069));
}

void letter_put_lines(struct buf *out, const char *s)
{
    for (uint32_t c; (c = letter_next(&s)) != 0;)
        letter_put(out, is_harmless(c) ? c : LETTER_UNKNOWN);
}

json_t *letter_json(const char *s)
{
    if (s == NULL)
        return json_null();
    json_t *whole = json_string(s);
    if (whole != NULL)
        return whole;
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    for (uint32_t c; (c = letter_next(&s)) != 0;)
        letter_put(&out, c);
    whole = json_string(buf_text(&out));
    return whole != NULL ? whole : json_null();
}

static bool xml_allows(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7F) ||
           (c > 0x9F && c != 0xFFFE && c != 0xFFFF);
}

/* Line ends as references: in an attribute they would become spaces. */
void letter_put_xml(struct buf *out, const char *s)
{
    for (uint32_t c; s != NULL && (c = letter_next(&s)) != 0;)
        switch (c) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>': /* of "]]>" */
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        case '\t':
        case '\n':
        case '\r':
            buf_printf(out, "&#%u;", (unsigned)c);
            break;
        default:
            letter_put(out, xml_allows(c) ? c : LETTER_UNKNOWN);
        }
}
