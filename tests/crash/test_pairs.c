/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two faults at once on one host, drawn from the whole catalogue, put back in either order: the one
 * that stays goes on, and at the end the host is as before. One pair may be refused: two faults on
 * the same thing. The short form tries a few; BLACKSTART_FULL=yes two hundred.
 * PAIRS_SEED=n: those pairs again. PAIRS_FAULT=name,...: only kinds whose names begin so.
 */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "crash/sweep.h"
#include "crash/walk.h"
#include "seed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SHORT = 20,
    FULL = 200,
    LEASE_MS = 60000,
    SETTLE_MS = 5000,
    END_MS = 8000,
    LEAKS_MAX = 5,
    STARTED_US = 50000
};

struct tally {
    unsigned pairs, refused, leaks;
    unsigned later; /* what the first acts on was away with the second: it came back after it */
};

struct pair {
    const struct kind *kind[2];
    unsigned first; /* put back first */
    bool together;  /* both were on */
    char why[200];  /* if not */
    char said[2][200];
};

static struct sweep s;
static struct kinds kinds;
static struct tally tally;

static bool call(struct rig_agent *a, const char *method, const char *id)
{
    json_t *result = NULL;
    bool ok = rig_call(a, method, json_pack("{s:s}", "injection", id), RIG_CALL_MS, &result);
    json_decref(result);
    return ok;
}

static const char *const ids[] = {"i1", "i2"};

static bool put_on(struct rig_agent *a, struct pair *p, unsigned i)
{
    json_t *result = NULL;
    bool ok =
        rig_call(a, "prepare",
                 json_pack("{s:s,s:s,s:O,s:i}", "injection", ids[i], "fault", p->kind[i]->row->name,
                           "args", p->kind[i]->args, "lease_ms", LEASE_MS),
                 RIG_CALL_MS, &result);
    json_decref(result);
    return ok && call(a, "apply", ids[i]);
}

static void leak(const struct pair *p, const char *what, const char *detail)
{
    tally.leaks++;
    s.stale = true;
    (void)printf("\n    %s and %s, %s first: %s\n%.3000s\n    %s | %s\n", p->kind[0]->name,
                 p->kind[1]->name, p->kind[p->first]->name, what, detail, p->said[0], p->said[1]);
}

static bool put_back(struct rig_agent *a, struct pair *p, unsigned i)
{
    json_t *result = NULL;
    bool ok = rig_call(a, "revert", json_pack("{s:s}", "injection", ids[i]), RIG_CALL_MS, &result);
    const char *what = json_string_value(json_object_get(result, "what"));
    (void)snprintf(p->said[i], sizeof(p->said[i]), "%.190s", ok ? (what ? what : "") : a->why);
    json_decref(result);
    return ok;
}

static bool is_active(struct rig_agent *a, unsigned i)
{
    json_t *result = NULL;
    (void)rig_call(a, "verify", json_pack("{s:s}", "injection", ids[i]), RIG_CALL_MS, &result);
    bool active = json_is_true(json_object_get(result, "active"));
    json_decref(result);
    return active;
}

/* Both act on the network alone, where nothing that one does ends the other, and it does not end by
 * itself. */
static bool are_apart(const struct pair *p, unsigned last)
{
    return p->kind[0]->row->touches == TOUCHES_KERNEL &&
           p->kind[1]->row->touches == TOUCHES_KERNEL &&
           p->kind[last]->row->lifetime != LIFETIME_INSTANT;
}

static void play(struct rig_agent *a, struct pair *p)
{
    unsigned last = 1 - p->first;
    bool on = put_on(a, p, 0);
    if (!on)
        leak(p, "the first one is refused", a->why);
    p->together = on && put_on(a, p, 1);
    if (!p->together) {
        (void)snprintf(p->why, sizeof(p->why), "%s", a->why);
        (void)put_back(a, p, 0);
        return;
    }
    bool done = put_back(a, p, p->first);
    (void)usleep(STARTED_US); /* a service that was just started is not yet itself */
    if (done && are_apart(p, last) && !is_active(a, last))
        leak(p, "the one that stays has ended", "");
    if (!put_back(a, p, last))
        leak(p, "the second is not put back", a->why);
    if (done)
        return;
    tally.later++;
    if (!put_back(a, p, p->first))
        leak(p, "the first is not put back when the second is", a->why);
}

static int try_pair(struct pair *p, struct err *err)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    struct rig_agent a;
    int64_t took;
    int status;
    if (rig_start(&s.rig, &a, NULL, err) != 0)
        return -1;
    rig_await_connection(&s.rig);
    play(&a, p);
    if (sweep_await_clean(&s, &diff, SETTLE_MS, &took, err) != 0)
        return -1;
    if (diff.len > 0)
        leak(p, "left behind while the agent lives", buf_text(&diff));
    if (!rig_stop(&a, END_MS, &status))
        leak(p, "the agent's processes did not end", "");
    buf_drop(&diff, diff.len);
    rig_strays(&s.rig, &diff);
    if (diff.len > 0)
        leak(p, "processes are left", buf_text(&diff));
    tally.pairs += p->together;
    tally.refused += !p->together;
    if (!p->together)
        (void)printf("\n    %s with %s: refused: %s", p->kind[0]->name, p->kind[1]->name, p->why);
    return s.stale ? sweep_renew(&s, err) : 0;
}

static uint64_t find_seed(void)
{
    uint64_t seed = seed_take("PAIRS_SEED");
    (void)printf("\n    PAIRS_SEED=%llu", (unsigned long long)seed);
    return seed;
}

static void test_pairs(void)
{
    static struct sweep_tally unused;
    struct addrs peers;
    struct err err;
    const char *full = getenv("BLACKSTART_FULL");
    unsigned wanted = full != NULL && strcmp(full, "yes") == 0 ? FULL : SHORT;
    uint64_t seed = find_seed();
    CU_ASSERT_EQUAL_FATAL(sweep_open(&s, "pairs", BINARY_DIR "/blackstart-agent", &err), 0);
    s.tally = &unused;
    rig_peers(&s.rig, &peers);
    CU_ASSERT_EQUAL_FATAL(kinds_make(&kinds, &fault_catalogue, &peers, getenv("PAIRS_FAULT"), &err),
                          0);
    for (unsigned tries = 0; tally.pairs < wanted && tries < 2 * wanted; tries++) {
        struct pair p = {.first = walk_random(&seed, 2)};
        for (unsigned i = 0; i < 2; i++)
            p.kind[i] = &kinds.v[walk_random(&seed, (unsigned)kinds.n)];
        if (tally.leaks >= LEAKS_MAX)
            break;
        if (try_pair(&p, &err) != 0) {
            (void)printf("\n    %s\n", err.msg);
            break;
        }
    }
    (void)printf(
        "\n    figure: %u pairs of faults at once, put back in random order (%u of the first "
        "only behind the second), %u refused, %u left something\n    ",
        tally.pairs, tally.later, tally.refused, tally.leaks);
    CU_ASSERT_EQUAL(tally.leaks, 0);
    CU_ASSERT_EQUAL(tally.pairs, wanted);
    kinds_free(&kinds);
    sweep_close(&s);
}

static const struct check_test tests[] = {
    {"pairs", test_pairs},
};

CHECK_MAIN("crash/pairs", tests)
