/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/html_text.h"

#include "analysis/analysis.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Characters that no page may hold, or that would let a log line rearrange the words around it. */
static bool is_harmful(uint32_t c)
{
    bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
    bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                     c == 0x200f || c == 0x061c;
    bool none = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
    return control || direction || none;
}

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

bool html_text_upto(struct buf *out, const char *text, size_t most)
{
    size_t left = text != NULL ? strlen(text) : 0,
           end = most < SIZE_MAX - out->len ? out->len + most : SIZE_MAX;
    while (left != 0) {
        uint32_t c = 0;
        size_t n = utf8_decode(text, left, &c);
        const char *as = n == 0 || is_harmful(c) ? replacement : entity(c);
        n = n != 0 ? n : 1;
        if (out->len + (as != NULL ? strlen(as) : n) > end)
            return false;
        buf_add(out, as != NULL ? as : text, as != NULL ? strlen(as) : n);
        text += n;
        left -= n;
    }
    return true;
}

void html_text(struct buf *out, const char *text)
{
    (void)html_text_upto(out, text, SIZE_MAX);
}

void html_textf(struct buf *out, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    html_text(out, text);
}

#define NBSP "\xc2\xa0" /* a figure and its unit stay on one line */

const char *html_time(int64_t ns, char ret[32])
{
    if (ns == HISTORY_UNKNOWN || ns == SPAN_OPEN)
        (void)snprintf(ret, 32, "%s", ns == SPAN_OPEN ? "open" : "?");
    else
        (void)snprintf(ret, 32, "%.3f" NBSP "s", (double)ns / 1e9);
    return ret;
}

const char *html_duration(int64_t ns, char ret[32])
{
    if (ns == HISTORY_UNKNOWN || ns == SPAN_OPEN || ns < 0)
        (void)snprintf(ret, 32, "%s", ns == SPAN_OPEN ? "open" : "?");
    else if (ns < 100000)
        (void)snprintf(ret, 32, "%.0f" NBSP "\xc2\xb5s", (double)ns / 1e3);
    else if (ns < 1000000000)
        (void)snprintf(ret, 32, ns % 1000000 == 0 ? "%.0f" NBSP "ms" : "%.1f" NBSP "ms",
                       (double)ns / 1e6);
    else
        (void)snprintf(ret, 32, ns % 1000000000 == 0 ? "%.0f" NBSP "s" : "%.3f" NBSP "s",
                       (double)ns / 1e9);
    return ret;
}

static void put_words(struct buf *out, const char *measure, bool capital)
{
    char words[64];
    (void)snprintf(words, sizeof(words), "%s", measure);
    if (capital)
        words[0] = (char)toupper((unsigned char)words[0]);
    for (char *p = words; *p != '\0'; p++)
        if (*p == '_')
            *p = ' ';
    html_text(out, words);
}

void html_words(struct buf *out, const char *measure)
{
    put_words(out, measure, false);
}

void html_measure(struct buf *out, const char *measure)
{
    put_words(out, measure, true);
}
