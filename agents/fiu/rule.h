/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule says about one call: pure, no clock, no page, no allocation, so that the victim can
 * ask inside any of its system calls. Shared by the preload library, the agent and the tests.
 */
#ifndef BLACKSTART_AGENTS_FIU_RULE_H
#define BLACKSTART_AGENTS_FIU_RULE_H

#include "agents/fiu/page.h"

/* Is the path the prefix itself or beneath it? "/a/b" holds "/a/b" and "/a/b/c", not "/a/bc". */
static inline bool fiu_rule_holds(const struct fiu_rule *rule, const char *path)
{
    size_t len = rule->prefix_len;
    if (len == 0 || (len == 1 && rule->prefix[0] == '/'))
        return len == 0 || path[0] == '/';
    if (len >= FIU_PREFIX_MAX || strncmp(path, rule->prefix, len) != 0)
        return false;
    return path[len] == '\0' || path[len] == '/';
}

/* splitmix64: a series of numbers, and a function of seed and n alone. */
static inline uint64_t fiu_rule_mix(uint64_t seed, uint64_t n)
{
    uint64_t x = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/*
 * Is the n-th seen call hit? The same seed gives the same series, whichever of the service's
 * processes makes the calls. With `every` the share is of each so-manyth call.
 */
static inline bool fiu_rule_draws(const struct fiu_rule *rule, uint64_t n)
{
    if (rule->every > 1 && (n + 1) % rule->every != 0)
        return false;
    return (((fiu_rule_mix(rule->seed, n) >> 32) * 1000000) >> 32) < rule->ppm;
}

/* How long the n-th seen call waits: evenly from delay - jitter to delay + jitter, never below 0.
 */
static inline int64_t fiu_rule_delay(const struct fiu_rule *rule, uint64_t n)
{
    if (rule->jitter_ns <= 0 || rule->jitter_ns > INT64_MAX / 4)
        return rule->delay_ns;
    uint64_t span = 2 * (uint64_t)rule->jitter_ns + 1;
    uint64_t drawn = fiu_rule_mix(rule->seed ^ UINT64_C(0x6a69747465720000), n) % span;
    int64_t delay = rule->delay_ns - rule->jitter_ns + (int64_t)drawn;
    return delay > 0 ? delay : 0;
}

/* What is added to a reading of a shifted clock at `now` (CLOCK_BOOTTIME). */
static inline int64_t fiu_rule_shift(const struct fiu_rule *rule, int64_t now)
{
    int64_t passed = now > rule->since ? now - rule->since : 0;
    int64_t whole = passed / 1000000, rest = passed % 1000000;
    return rule->offset_ns + whole * rule->rate_ppm + rest * rule->rate_ppm / 1000000;
}

static inline bool fiu_addr_holds(const struct fiu_addr *net, unsigned family,
                                  const unsigned char *ip)
{
    unsigned bytes = net->prefix / 8u, bits = net->prefix % 8u;
    if (net->family != family || net->prefix > (family == 4 ? 32 : 128) ||
        memcmp(net->ip, ip, bytes) != 0)
        return false;
    return bits == 0 || ((net->ip[bytes] ^ ip[bytes]) >> (8 - bits)) == 0;
}

/* Is a socket's other end one that the rule is about? An IPv4 address in IPv6 clothes is IPv4. */
static inline bool fiu_rule_reaches(const struct fiu_rule *rule, unsigned family,
                                    const unsigned char *ip, uint16_t port)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (family == 6 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
        family = 4;
        ip += sizeof(mapped);
    }
    bool address = rule->n_addrs == 0, at_port = rule->n_ports == 0;
    for (uint32_t i = 0; i < rule->n_addrs && i < FIU_ADDRS_MAX; i++)
        address = address || fiu_addr_holds(&rule->addrs[i], family, ip);
    for (uint32_t i = 0; i < rule->n_ports && i < FIU_PORTS_MAX; i++)
        at_port = at_port || (rule->ports[i].lo <= port && port <= rule->ports[i].hi);
    return address && at_port;
}

/* Takes one hit out of the budget; false when it is used up. Counts the hit. */
static inline bool fiu_rule_spend(const struct fiu_rule *rule, _Atomic uint64_t *hits)
{
    uint64_t spent = atomic_load_explicit(hits, memory_order_relaxed);
    do {
        if (rule->budget != 0 && spent >= rule->budget)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(hits, &spent, spent + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* Counts a call that the filters leave; true when it is hit, with its number in *ret_n. */
static inline bool fiu_slot_hits(struct fiu_slot *slot, const struct fiu_rule *rule,
                                 uint64_t *ret_n)
{
    *ret_n = atomic_fetch_add_explicit(&slot->seen, 1, memory_order_relaxed);
    return fiu_rule_draws(rule, *ret_n) && fiu_rule_spend(rule, &slot->hits);
}

#endif
