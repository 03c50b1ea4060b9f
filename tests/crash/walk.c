/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/walk.h"

#include <limits.h>
#include <signal.h>

/* The agent's start makes more calls than WALK_REPLAY_FIRST before it opens its log. */
enum { BIRTH_CALLS = 120, ROUND_CALLS = 40 };
enum { UNFIT_MAX = 3, DRAWS = 4, SPAN_FIRST = 150, SPAN_LEAST = 40 };

/* Where a first draw may land; what is not there is drawn again below what was counted. */
static const unsigned reach[SWEEP_PHASES][SWEEP_VICTIMS] = {
    [SWEEP_PREPARE] = {12, 80, 12}, [SWEEP_APPLY] = {12, 80, 12, 40},
    [SWEEP_HOLD] = {30, 80, 12, 8}, [SWEEP_REVERT] = {12, 80, 12, 8},
    [SWEEP_END] = {0, 100, 100},    [SWEEP_REPLAY] = {0, 150, 0},
};

unsigned walk_random(uint64_t *seed, unsigned below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below == 0 ? 0 : (unsigned)((*seed >> 33) % below);
}

/* As sweep_try; a host that is no use any more is replaced. */
static int try_point(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
                     struct err *err)
{
    int hit = sweep_try(s, p, ret_calls, err);
    if (hit >= 0 && !s->stale)
        return hit;
    if (hit < 0) {
        buf_printf(&s->notes, "%s: began anew: %s\n", p->kind->name, err->msg);
        if (++s->tally->unfit > UNFIT_MAX)
            return -1;
    }
    if (sweep_renew(s, err) != 0)
        return -1;
    return hit < 0 ? 1 : hit;
}

bool walk_is_over(const struct sweep *s)
{
    return s->deadline != 0 && clock_system(CLOCK_MONOTONIC) >= s->deadline;
}

/* A bearer is born with a hundred calls or so; then it goes round and round for as long as it is
 * let. */
static unsigned most_calls(const struct sweep_point *p)
{
    if (p->victim != SWEEP_BEARER)
        return UINT_MAX;
    return p->phase == SWEEP_APPLY ? BIRTH_CALLS : ROUND_CALLS;
}

static int walk_pair(struct sweep *s, struct sweep_point *p, unsigned first, unsigned stride,
                     unsigned max_leaks, struct err *err)
{
    unsigned calls;
    for (p->k = first; max_leaks == 0 || s->tally->leaks < max_leaks; p->k += stride) {
        if (walk_is_over(s) || p->k > most_calls(p))
            return 0;
        int hit = try_point(s, p, &calls, err);
        if (hit <= 0)
            return hit;
    }
    return 0;
}

int walk_all(struct sweep *s, const struct kind *kind, int signal, unsigned stride,
             unsigned max_leaks, struct err *err)
{
    /* A stop holds what is open and locked; a death leaves only what has been changed. */
    struct sweep_point p = {.kind = kind, .signal = signal, .by_change = signal == SIGKILL};
    unsigned turn = 0; /* another first call in each, so that a stride covers all sorts of calls */
    for (unsigned i = 0; i < WALK_PAIRS; i++) {
        p.phase = (enum sweep_phase)(i / SWEEP_VICTIMS);
        p.victim = (enum sweep_victim)(i % SWEEP_VICTIMS);
        bool skips = p.phase == SWEEP_REPLAY && !p.by_change;
        unsigned first = (skips ? WALK_REPLAY_FIRST : 1) + turn++ % stride;
        if (sweep_is_played(p.phase, p.victim, signal) &&
            !(p.victim == SWEEP_BEARER && s->tally->is_unborne) &&
            walk_pair(s, &p, first, stride, max_leaks, err) != 0)
            return -1;
    }
    s->tally->is_finished = !walk_is_over(s);
    return 0;
}

/* A recovery has something to do only behind a phase in which privside died. */
static bool is_drawn(unsigned pair, int signal, bool again)
{
    enum sweep_phase phase = (enum sweep_phase)(pair / SWEEP_VICTIMS);
    enum sweep_victim victim = (enum sweep_victim)(pair % SWEEP_VICTIMS);
    if (again && (phase >= SWEEP_END || victim != SWEEP_PRIVSIDE))
        return false;
    return sweep_is_played(phase, victim, signal);
}

void walk_kind_init(struct walk_kind *w, int signal, bool again, uint64_t *seed)
{
    *w = (struct walk_kind){.span = SPAN_FIRST};
    for (unsigned i = 0; i < WALK_PAIRS; i++)
        if (is_drawn(i, signal, again))
            w->pairs[w->n++] = (unsigned char)i;
    for (unsigned i = w->n; i > 1; i--) {
        unsigned other = walk_random(seed, i);
        unsigned char kept = w->pairs[i - 1];
        w->pairs[i - 1] = w->pairs[other];
        w->pairs[other] = kept;
    }
}

/* A call in first..first+below-1, if it can be one that was not tried. */
static unsigned draw(struct walk_kind *w, unsigned pair, unsigned first, unsigned below,
                     uint64_t *seed)
{
    unsigned k = first;
    for (unsigned tries = 0; tries < 8; tries++) {
        k = first + walk_random(seed, below);
        if (k >= 256 || (w->tried[pair][k / 64] >> k % 64 & 1) == 0)
            break;
    }
    if (k < 256)
        w->tried[pair][k / 64] |= UINT64_C(1) << k % 64;
    return k;
}

static int sample_again(struct sweep *s, struct walk_kind *w, struct sweep_point *p, uint64_t *seed,
                        struct err *err)
{
    unsigned calls;
    p->k = 1 + walk_random(seed, reach[p->phase][p->victim]);
    p->again = WALK_REPLAY_FIRST + walk_random(seed, w->span);
    int hit = try_point(s, p, &calls, err);
    w->span = hit > 0 ? w->span * 9 / 8 : w->span * 3 / 4;
    if (w->span < SPAN_LEAST)
        w->span = SPAN_LEAST;
    return hit < 0 ? -1 : 0;
}

int walk_sample(struct sweep *s, struct walk_kind *w, const struct kind *kind, int signal,
                bool again, uint64_t *seed, struct err *err)
{
    unsigned pair = w->pairs[w->next++ % w->n], calls = 0;
    struct sweep_point p = {.kind = kind,
                            .signal = signal,
                            .phase = (enum sweep_phase)(pair / SWEEP_VICTIMS),
                            .victim = (enum sweep_victim)(pair % SWEEP_VICTIMS)};
    if (again)
        return sample_again(s, w, &p, seed, err);
    if (p.victim == SWEEP_BEARER && s->tally->is_unborne) {
        w->pairs[--w->next % w->n] = w->pairs[w->n - 1];
        w->n--;
        return 0;
    }
    unsigned first = p.phase == SWEEP_REPLAY ? WALK_REPLAY_FIRST : 1;
    unsigned below = reach[p.phase][p.victim];
    for (unsigned tries = 0; tries < DRAWS && below > 0; tries++) {
        p.k = draw(w, pair, first, below, seed);
        int hit = try_point(s, &p, &calls, err);
        if (hit != 0)
            return hit < 0 ? -1 : 0;
        below = calls < first ? 0 : calls - first + 1;
    }
    return 0;
}
