/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <string.h>

/* How many bytes follow a first byte, and its own bits; -1: no first byte. */
static int first_byte(unsigned char c, uint32_t *bits)
{
    if (c < 0x80) {
        *bits = c;
        return 0;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        *bits = c & 0x1fu;
        return 1;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *bits = c & 0x0fu;
        return 2;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *bits = c & 0x07u;
        return 3;
    }
    return -1;
}

size_t utf8_decode(const char *s, size_t len, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t c = 0;
    if (len == 0)
        return 0;
    int more = first_byte((unsigned char)s[0], &c);
    if (more < 0 || (size_t)more >= len)
        return 0;
    for (int i = 1; i <= more; i++) {
        unsigned char b = (unsigned char)s[i];
        if ((b & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (b & 0x3fu);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (ret != NULL)
        *ret = c;
    return (size_t)more + 1;
}

bool utf8_valid(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf8_decode(s + i, len - i, NULL);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

void utf8_clean(char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = utf8_decode(s + i, len - i, &c);
        if (n == 0 || c < 0x20 || c == 0x7f) {
            s[i] = '?';
            n = n == 0 ? 1 : n;
        }
        i += n;
    }
}

const char *utf8_last_lines(const char *text, size_t n)
{
    const char *at = text + strlen(text);
    if (at > text && at[-1] == '\n')
        at--;
    for (; at > text; at--)
        if (at[-1] == '\n' && --n == 0)
            break;
    return at;
}
