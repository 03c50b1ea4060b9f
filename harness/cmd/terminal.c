/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/terminal.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const sequences[] = {
    [STYLE_PLAIN] = "\033[0m", [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",
    [STYLE_RED] = "\033[31m",  [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m",
    [STYLE_BLUE] = "\033[34m",
};

bool terminal_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_colour != NULL && no_colour[0] != '\0')
        return false;
    if (term == NULL || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(stream)) == 1;
}

const char *terminal_style(FILE *stream, enum style style)
{
    return terminal_has_colour(stream) ? sequences[style] : "";
}

int terminal_width(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return TERMINAL_WIDTH_OTHERWISE;
    return size.ws_col;
}

static bool is_harmful(uint32_t c)
{
    bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
    bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                     c == 0x200f || c == 0x061c;
    return control || direction;
}

/* Bytes of the style that begins there; 0: none. */
static size_t style_at(const char *text)
{
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
        if (strncmp(text, sequences[i], strlen(sequences[i])) == 0)
            return strlen(sequences[i]);
    return 0;
}

/* One character, or what stands for it; returns its columns. */
static size_t put_one(FILE *stream, const char *text, size_t n, uint32_t c)
{
    if (n != 0 && !is_harmful(c))
        return fwrite(text, 1, n, stream) == n;
    return (size_t)fprintf(stream, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

/* Of each line at most `columns`: styles take none, and are always written. */
static void put(FILE *stream, const char *text, bool styled, size_t columns)
{
    size_t at = 0;
    for (size_t len = strlen(text); len > 0;) {
        uint32_t c = (unsigned char)*text;
        size_t n = styled ? style_at(text) : 0;
        if (n != 0) {
            (void)fwrite(text, 1, n, stream);
        } else {
            n = utf8_decode(text, len, &c);
            if (at < columns || c == '\n')
                at += put_one(stream, text, n, c);
            at = c == '\n' ? 0 : at;
        }
        n = n != 0 ? n : 1;
        text += n;
        len -= n;
    }
}

void terminal_put(FILE *stream, const char *text)
{
    put(stream, text, false, SIZE_MAX);
}

void terminal_put_styled(FILE *stream, const char *text)
{
    put(stream, text, true, SIZE_MAX);
}

void terminal_put_cut(FILE *stream, const char *text)
{
    bool terminal = isatty(fileno(stream)) == 1;
    put(stream, text, true, terminal ? (size_t)terminal_width(stream) : SIZE_MAX);
}
