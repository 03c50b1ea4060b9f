/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/hosts_entries.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_one_of(const struct names *names, const char *word, size_t len)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (strlen(names->v[i].s) == len && strncasecmp(names->v[i].s, word, len) == 0)
            return true;
    return false;
}

/* Behind the address, up to a comment. */
static bool has_name(const char *line, size_t len, const struct names *names)
{
    bool is_address = true;
    for (size_t at = 0; at < len && line[at] != '#';) {
        size_t from = at;
        while (at < len && !is_space(line[at]) && line[at] != '#')
            at++;
        if (at > from && !is_address && is_one_of(names, line + from, at - from))
            return true;
        is_address = is_address && at == from;
        at += at < len && is_space(line[at]);
    }
    return false;
}

int hosts_entries_drop(const char *text, size_t len, const struct names *names, struct buf *out,
                       uint32_t *ret_n, struct err *err)
{
    *ret_n = 0;
    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t n = newline != NULL ? (size_t)(newline - text) - at : len - at;
        size_t whole = n + (newline != NULL);
        if (has_name(text + at, n, names))
            (*ret_n)++;
        else
            buf_add(out, text + at, whole);
        at += whole;
    }
    return buf_ok(out) ? 0 : make_error(err, ERR_LIMIT, 0, "the hosts file is too large");
}
