/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400 }; /* the longest double without an exponent has 309 before its point */

static bool is_digit(const char *body, size_t at, size_t len)
{
    return at < len && body[at] >= '0' && body[at] <= '9';
}

static size_t digits(const char *body, size_t at, size_t len)
{
    while (is_digit(body, at, len))
        at++;
    return at;
}

/* The end of the number whose first digit is at `at`. */
static size_t number_end(const char *body, size_t at, size_t len)
{
    size_t end = digits(body, at, len);
    if (end < len && body[end] == '.' && is_digit(body, end + 1, len))
        end = digits(body, end + 1, len);
    if (end < len && (body[end] == 'e' || body[end] == 'E')) {
        size_t sign = end + 1 < len && (body[end + 1] == '-' || body[end + 1] == '+');
        if (is_digit(body, end + 1 + sign, len))
            end = digits(body, end + 1 + sign, len);
    }
    return end;
}

bool number_find(const regex_t *match, const char *body, size_t len, double *ret, size_t *ret_end)
{
    regmatch_t m[2] = {{.rm_so = 0, .rm_eo = (regoff_t)len}, {.rm_so = -1}};
    if (match != NULL && regexec(match, body, 2, m, REG_STARTEND) != 0)
        return false;
    const regmatch_t *in = m[1].rm_so >= 0 ? &m[1] : &m[0];
    size_t at = (size_t)in->rm_so, end = (size_t)in->rm_eo;
    while (at < end && !is_digit(body, at, end))
        at++;
    if (at == end)
        return false;
    size_t behind = number_end(body, at, end);
    /* A sign belongs to it where it is not a hyphen between words. */
    if (at > (size_t)in->rm_so && body[at - 1] == '-' &&
        (at - 1 == (size_t)in->rm_so || strchr(" \t\r\n=:,;([{\"'", body[at - 2]) != NULL))
        at--;
    char text[DIGITS_MAX + 1];
    if (behind - at > DIGITS_MAX)
        return false;
    memcpy(text, body + at, behind - at);
    text[behind - at] = '\0';
    *ret = strtod(text, NULL);
    if (ret_end != NULL)
        *ret_end = behind;
    return isfinite(*ret);
}
