/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer against what the scenario expects of it. */
#include "prober/loop_parts.h"
#include "prober/number.h"
#include "prober/rate.h"

#include <stdio.h>
#include <string.h>

static int pattern_compile(regex_t *ret, const char *pattern, int flags, struct err *err)
{
    int r = regcomp(ret, pattern, REG_EXTENDED | REG_NEWLINE | flags);
    if (r != 0) {
        char why[128];
        (void)regerror(r, ret, why, sizeof(why));
        return make_error(err, ERR_INPUT, 0, "the pattern %s: %s", pattern, why);
    }
    return 0;
}

int prober_expect_open(struct prober_probe *probe, const struct prober_probe_spec *spec,
                       struct err *err)
{
    if (spec->body != NULL && pattern_compile(&probe->body, spec->body, REG_NOSUB, err) != 0)
        return -1;
    probe->has_body = spec->body != NULL;
    if (spec->address != NULL && strlen(spec->address) >= sizeof(probe->address))
        return make_error(err, ERR_INPUT, 0, "that is no address");
    (void)snprintf(probe->address, sizeof(probe->address), "%s",
                   spec->address != NULL ? spec->address : "");
    if (spec->number.match != NULL &&
        pattern_compile(&probe->number.match, spec->number.match, 0, err) != 0)
        return -1;
    probe->number.has_match = spec->number.match != NULL;
    probe->number.bounds = spec->number;
    probe->number.bounds.match = NULL; /* the spec's, which goes */
    probe->has_number = spec->number.given;
    if (spec->rate.match != NULL &&
        pattern_compile(&probe->counter.match, spec->rate.match, 0, err) != 0)
        return -1;
    probe->counter.has_match = spec->rate.match != NULL;
    probe->has_rate = spec->rate.given;
    probe->rate = spec->rate;
    probe->rate.match = NULL;
    return 0;
}

void prober_expect_close(struct prober_probe *probe)
{
    if (probe->has_body)
        regfree(&probe->body);
    if (probe->number.has_match)
        regfree(&probe->number.match);
    if (probe->counter.has_match)
        regfree(&probe->counter.match);
}

static bool find(const struct prober_number *n, const char *body, size_t len, double *ret,
                 size_t *ret_end)
{
    return number_find(n->has_match ? &n->match : NULL, body, len, ret, ret_end);
}

static bool is_open(const struct prober_number *n, const char *body, size_t len)
{
    double value = 0;
    size_t end = 0;
    return !find(n, body, len, &value, &end) || end == len;
}

bool prober_expects_more(const struct prober_probe *probe, const char *body, size_t len)
{
    return (probe->has_number && is_open(&probe->number, body, len)) ||
           (probe->has_rate && is_open(&probe->counter, body, len));
}

/* Is it the data of one of the lines that the dns kind makes of answers? */
static bool has_address(const char *address, const char *body, size_t len)
{
    char line[INET6_ADDRSTRLEN + 16];
    int n = snprintf(line, sizeof(line), " %s %s\n", strchr(address, ':') != NULL ? "AAAA" : "A",
                     address);
    return memmem(body, len, line, (size_t)n) != NULL;
}

static enum sample_result number_expects(struct prober_number *n, const char *body, size_t len)
{
    if (!find(n, body, len, &n->value, NULL))
        return SAMPLE_NO_NUMBER;
    if (n->bounds.has_least && n->value < n->bounds.at_least)
        return SAMPLE_LOW;
    if (n->bounds.has_most && n->value > n->bounds.at_most)
        return SAMPLE_HIGH;
    return SAMPLE_GOOD;
}

enum sample_result prober_expects(struct prober_probe *probe, unsigned status, uint16_t lo,
                                  uint16_t hi, const char *body, size_t len)
{
    if (probe->status_lo != 0 || probe->status_hi != 0) {
        lo = probe->status_lo;
        hi = probe->status_hi;
    }
    if (status < lo || status > hi)
        return SAMPLE_STATUS;
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)len};
    if (probe->has_body && regexec(&probe->body, body, 1, &range, REG_STARTEND) != 0)
        return SAMPLE_CONTENT;
    if (probe->address[0] != '\0' && !has_address(probe->address, body, len))
        return SAMPLE_CONTENT;
    return probe->has_number ? number_expects(&probe->number, body, len) : SAMPLE_GOOD;
}

enum sample_result prober_judge(struct prober_attempt *a, unsigned status, uint16_t lo, uint16_t hi,
                                const char *body, size_t len)
{
    struct prober_probe *probe = a->target->probe;
    enum sample_result result = prober_expects(probe, status, lo, hi, body, len);
    double value = 0;
    if (result != SAMPLE_GOOD || !probe->has_rate)
        return result;
    if (!find(&probe->counter, body, len, &value, NULL))
        return SAMPLE_NO_NUMBER;
    const struct prober_reading now = {
        .sent_ns = a->sent_ns, .done_ns = prober_now(), .value = value};
    return rate_judge(&a->target->readings, &probe->rate, probe->every_ns, &now);
}
