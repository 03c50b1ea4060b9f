/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"

#include <stdio.h>
#include <string.h>

/* Decimal only, no sign; leaves *at behind the number. */
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
    const char *p = *at;
    uint64_t value = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == *at)
        return false;
    *at = p;
    *ret = value;
    return true;
}

/* The n-th word (from 0) of text that single spaces part. */
static const char *find_word(const char *at, const char *end, unsigned n)
{
    for (; n > 0 && at < end; n--) {
        at = memchr(at, ' ', (size_t)(end - at));
        if (at == NULL)
            return end;
        at++;
    }
    return at;
}

static const char *last_paren(const char *text, size_t len)
{
    return memrchr(text, ')', len);
}

int proc_parse_stat(const char *text, size_t len, struct proc_stat *ret, struct err *err)
{
    const char *end = text + len;
    const char *open = memchr(text, '(', len);
    const char *close = last_paren(text, len);
    uint64_t pid, parent, start;
    const char *at = text;
    if (open == NULL || close == NULL || close < open || !take_number(&at, end, &pid) ||
        pid > INT32_MAX)
        return make_error(err, ERR_PROTOCOL, 0, "not a line of /proc/PID/stat");
    /* Behind the name: state, parent, ... and, as the 20th word, the start time. */
    const char *state = close + 2;
    const char *parent_at = find_word(state, end, 1);
    const char *start_at = find_word(state, end, 19);
    if (state >= end || !take_number(&parent_at, end, &parent) || parent > INT32_MAX ||
        !take_number(&start_at, end, &start))
        return make_error(err, ERR_PROTOCOL, 0, "a line of /proc/PID/stat is cut off");
    *ret = (struct proc_stat){
        .pid = (int32_t)pid, .parent = (int32_t)parent, .state = *state, .start = start};
    size_t n = (size_t)(close - open - 1);
    if (n >= sizeof(ret->comm))
        n = sizeof(ret->comm) - 1;
    memcpy(ret->comm, open + 1, n);
    return 0;
}

bool proc_parse_status(const char *text, const char *field, int32_t *ret_last)
{
    size_t n = strlen(field);
    const char *line = text;
    while (line != NULL && strncmp(line, field, n) != 0) {
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    if (line == NULL)
        return false;
    const char *end = strchrnul(line, '\n');
    bool found = false;
    for (const char *at = line + n; at < end;) {
        uint64_t value;
        if (*at == '\t' || *at == ' ') {
            at++;
        } else if (take_number(&at, end, &value) && value <= INT32_MAX) {
            *ret_last = (int32_t)value;
            found = true;
        } else {
            return false;
        }
    }
    return found;
}

int proc_parse_pid_file(const char *text, size_t len, int32_t *ret, struct err *err)
{
    const char *at = text, *end = text + len;
    uint64_t pid;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (!take_number(&at, end, &pid) || pid == 0 || pid > INT32_MAX ||
        (at < end && *at != '\n' && *at != ' ' && *at != '\0'))
        return make_error(err, ERR_INPUT, 0,
                          "a pid file holds one decimal number in its first line");
    *ret = (int32_t)pid;
    return 0;
}

/* The name of any directory of the path. */
static bool has_part(const char *path, size_t len, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = path, *end = path + len; at < end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash != NULL ? slash : end;
        if ((size_t)(stop - at) == n && memcmp(at, name, n) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

static bool is_beneath(const char *path, size_t len, const char *above)
{
    size_t n = strlen(above);
    if (n == 1)
        return true; /* the root, above all */
    return len >= n && memcmp(path, above, n) == 0 && (len == n || path[n] == '/');
}

bool proc_parse_cgroup(const char *text, const char *cgroup)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        /* ID:CONTROLLERS:PATH; a path may hold colons, the other two not. */
        const char *path = memchr(line, ':', (size_t)(end - line));
        path = path != NULL ? memchr(path + 1, ':', (size_t)(end - path - 1)) : NULL;
        if (path != NULL) {
            size_t len = (size_t)(end - ++path);
            if (cgroup[0] == '/' ? is_beneath(path, len, cgroup) : has_part(path, len, cgroup))
                return true;
        }
        line = *end == '\n' ? end + 1 : end;
    }
    return false;
}

static int is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

int proc_check_query(const struct proc_query *query, struct err *err)
{
    int given = is_given(query->service) + is_given(query->unit) + is_given(query->pid_file) +
                is_given(query->name) + is_given(query->cgroup);
    if (given != 1)
        return make_error(
            err, ERR_INPUT, 0,
            "say which process by exactly one of service, unit, pid_file, process and cgroup");
    return 0;
}
