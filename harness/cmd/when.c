/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "%Y-%m-%dT%H:%M:%SZ"

static const struct {
    char unit;
    long seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};

static bool age_parse(const char *text, time_t now, time_t *ret)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || n > 1000000 || end[0] == '\0' || end[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].unit == end[0]) {
            *ret = now - (time_t)n * units[i].seconds;
            return true;
        }
    return false;
}

static bool date_parse(const char *text, time_t *ret)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &tm);
        bool utc = end != NULL && strcmp(end, "Z") == 0;
        if (end == NULL || (*end != '\0' && !utc))
            continue;
        *ret = utc ? timegm(&tm) : mktime(&tm);
        return *ret >= 0;
    }
    return false;
}

int when_parse(const char *option, const char *text, time_t now, char ret[WHEN_TEXT],
               struct err *err)
{
    time_t at = 0;
    struct tm tm;
    if ((age_parse(text, now, &at) || date_parse(text, &at)) && gmtime_r(&at, &tm) != NULL &&
        strftime(ret, WHEN_TEXT, FORM, &tm) != 0)
        return 0;
    return make_error(err, ERR_USAGE, 0,
                      "--%s %s: expected an age such as 90d or a date such as "
                      "2026-03-01",
                      option, text);
}

void when_print(const char *wall, char ret[WHEN_TEXT])
{
    struct tm tm = {.tm_isdst = 0};
    const char *end = strptime(wall, FORM, &tm);
    time_t at = end != NULL && *end == '\0' ? timegm(&tm) : -1;
    if (at < 0 || localtime_r(&at, &tm) == NULL ||
        strftime(ret, WHEN_TEXT, "%Y-%m-%d %H:%M", &tm) == 0)
        (void)snprintf(ret, WHEN_TEXT, "%.16s", wall);
}
