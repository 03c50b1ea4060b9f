/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls a rule is about: from parameters to the rule's filters. */
#include "agents/faults/fiu.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Points of calls that have no path, so that a filter would keep the rule from ever matching. */
static const uint64_t pathless = FIU_BIT(FIU_SOCKET) | FIU_BIT(FIU_BIND) | FIU_BIT(FIU_LISTEN) |
                                 FIU_BIT(FIU_CONNECT) | FIU_BIT(FIU_ACCEPT) | FIU_BIT(FIU_SEND) |
                                 FIU_BIT(FIU_RECV) | FIU_BIT(FIU_POLL);

/* Points of calls that speak to somebody. */
static const uint64_t speaking = FIU_BIT(FIU_CONNECT) | FIU_BIT(FIU_SEND) | FIU_BIT(FIU_RECV) |
                                 FIU_BIT(FIU_READ) | FIU_BIT(FIU_WRITE) | FIU_BIT(FIU_CLOSE);

static int points_read(const struct names *names, uint64_t *ret, struct err *err)
{
    *ret = 0;
    for (uint32_t i = 0; i < names->n; i++) {
        enum fiu_point point = victim_point(names->v[i].s);
        if (point != FIU_N_POINTS) {
            *ret |= FIU_BIT(point);
            continue;
        }
        const char *near = nearest_word(names->v[i].s, victim_point_names, FIU_N_POINTS);
        return make_error(err, ERR_INPUT, 0,
                          "`%s` is no point of failure%s%s%s; points are posix.open, posix.read, "
                          "posix.write, posix.fsync and their like",
                          names->v[i].s, near != NULL ? " (did you mean `" : "",
                          near != NULL ? near : "", near != NULL ? "`?)" : "");
    }
    if (*ret == 0)
        return make_error(err, ERR_INPUT, 0, "`points` names no point of failure");
    return 0;
}

int fiu_calls_check(const void *in, struct err *err)
{
    const struct fiu_calls *calls = in;
    struct fiu_rule rule = {.points = 0};
    return fiu_calls_rule(calls, &rule, err);
}

static int filters_check(const struct fiu_calls *calls, uint64_t points, struct err *err)
{
    bool path = calls->path.s[0] != '\0', to = calls->to.n > 0 || calls->ports.n > 0;
    if (path && (points & pathless) != 0)
        return make_error(err, ERR_INPUT, 0,
                          "`path` and a point of calls on sockets: these have no path, and would "
                          "never be hit");
    if (to && (points & ~speaking) != 0)
        return make_error(err, ERR_INPUT, 0,
                          "`to` and `ports` go with posix.connect, posix.send, posix.recv, "
                          "posix.read, posix.write and posix.close: other calls speak to nobody");
    if (to && path)
        return make_error(err, ERR_INPUT, 0, "`path` with `to` or `ports`: no call has both");
    if (calls->to.n > FIU_ADDRS_MAX)
        return make_error(err, ERR_INPUT, 0, "`to` has %u addresses, and a rule holds at most %d",
                          calls->to.n, FIU_ADDRS_MAX);
    if (calls->ports.n > FIU_PORTS_MAX)
        return make_error(err, ERR_INPUT, 0, "`ports` has %u entries, and a rule holds at most %d",
                          calls->ports.n, FIU_PORTS_MAX);
    if (calls->once && calls->first > 1)
        return make_error(err, ERR_INPUT, 0, "`once` is `first: 1`: give one of the two");
    return 0;
}

int fiu_calls_rule(const struct fiu_calls *calls, struct fiu_rule *rule, struct err *err)
{
    if (points_read(&calls->points, &rule->points, err) != 0 ||
        filters_check(calls, rule->points, err) != 0)
        return -1;
    rule->ppm = calls->probability.ppm;
    rule->budget = calls->once ? 1 : (uint64_t)calls->first;
    rule->every = (uint64_t)calls->every;
    rule->prefix_len = (uint32_t)strnlen(calls->path.s, PATH_MAX_LEN);
    memcpy(rule->prefix, calls->path.s, rule->prefix_len);
    rule->n_addrs = calls->to.n;
    for (uint32_t i = 0; i < calls->to.n; i++) {
        const struct addr *from = &calls->to.a[i];
        rule->addrs[i].family = from->family;
        rule->addrs[i].prefix = from->prefix;
        memcpy(rule->addrs[i].ip, from->ip, sizeof(from->ip));
    }
    rule->n_ports = calls->ports.n;
    for (uint32_t i = 0; i < calls->ports.n; i++)
        rule->ports[i] = (struct fiu_ports){calls->ports.r[i].lo, calls->ports.r[i].hi};
    return 0;
}

static void points_print(uint64_t points, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < FIU_N_POINTS && n < size; i++)
        if (points & FIU_BIT(i))
            n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
                                  victim_point_names[i]);
}

const char *fiu_calls_print(const struct fiu_rule *rule, uint64_t seen, char *out, size_t size)
{
    char points[48], where[64];
    points_print(rule->points, points, sizeof(points));
    (void)snprintf(where, sizeof(where), "%s%.50s", rule->prefix_len > 0 ? " beneath " : "",
                   rule->prefix);
    if (rule->n_addrs > 0 || rule->n_ports > 0)
        (void)snprintf(where, sizeof(where), " to the given addresses");
    (void)snprintf(out, size, " of %s, %" PRIu64 " seen%s", points, seen, where);
    return out;
}
