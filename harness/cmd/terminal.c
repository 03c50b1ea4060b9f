/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/terminal.h"

#include "base/utf8.h"

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

static void put(FILE *stream, const char *text, bool styled)
{
    for (size_t len = strlen(text); len > 0;) {
        uint32_t c = (unsigned char)*text;
        size_t n = styled ? style_at(text) : 0;
        bool whole = n != 0;
        if (!whole)
            n = utf8_decode(text, len, &c);
        if (whole || (n != 0 && !is_harmful(c)))
            (void)fwrite(text, 1, n, stream);
        else
            (void)fprintf(stream, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
        n = n != 0 ? n : 1;
        text += n;
        len -= n;
    }
}

void terminal_put(FILE *stream, const char *text)
{
    put(stream, text, false);
}

void terminal_put_styled(FILE *stream, const char *text)
{
    put(stream, text, true);
}
