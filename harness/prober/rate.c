/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/rate.h"

#include <stdlib.h>
#include <string.h>

/* So long may answers be missing before the window is filled anew. */
static int64_t hole(const struct probe_rate *rate, int64_t every_ns)
{
    return rate->over.ns / 4 > 3 * every_ns ? rate->over.ns / 4 : 3 * every_ns;
}

int64_t probe_rate_blur(const struct probe_rate *rate, int64_t every_ns)
{
    return rate->given ? rate->over.ns + hole(rate, every_ns) : 0;
}

/* Did the counter begin anew? */
static bool is_reset(const struct prober_readings *r, const struct prober_reading *now)
{
    for (size_t i = r->n; i-- > r->from;)
        if (r->list[i].done_ns <= now->sent_ns)
            return now->value < r->list[i].value;
    return false;
}

static bool make_room(struct prober_readings *r)
{
    if (r->from > r->n / 2) {
        memmove(r->list, r->list + r->from, (r->n - r->from) * sizeof(*r->list));
        r->n -= r->from;
        r->from = 0;
    }
    if (r->n < r->room)
        return true;
    size_t room = 2 * r->room + 64;
    struct prober_reading *more = realloc(r->list, room * sizeof(*more));
    if (more == NULL)
        return false;
    r->list = more;
    r->room = room;
    return true;
}

static bool append(struct prober_readings *r, const struct prober_reading *now)
{
    const struct prober_reading *last = r->n > r->from ? &r->list[r->n - 1] : NULL;
    /* Overtaken: it is judged, and the later one stays. */
    if (last != NULL && (now->sent_ns <= last->sent_ns || now->value < last->value))
        return true;
    if (!make_room(r))
        return false;
    r->list[r->n++] = *now;
    return true;
}

enum sample_result rate_judge(struct prober_readings *r, const struct probe_rate *rate,
                              int64_t every_ns, const struct prober_reading *now)
{
    int64_t begin = now->sent_ns - rate->over.ns;
    if (r->n > r->from &&
        (now->sent_ns - r->list[r->n - 1].sent_ns > hole(rate, every_ns) || is_reset(r, now)))
        r->from = r->n = 0;
    if (!append(r, now))
        return SAMPLE_GAP;
    /* Of those before the window as many stay as one that was overtaken may need. */
    while (r->from + 1 < r->n && r->list[r->from + 1].sent_ns <= begin - rate->over.ns)
        r->from++;
    size_t at = r->from;
    while (at + 1 < r->n && r->list[at + 1].sent_ns <= begin)
        at++;
    const struct prober_reading *base = &r->list[at];
    if (base->sent_ns > begin)
        return SAMPLE_RATE_UNKNOWN;
    double wanted = rate->at_least * (double)(now->sent_ns - base->sent_ns) / (double)rate->per.ns;
    return now->value - base->value >= wanted ? SAMPLE_GOOD : SAMPLE_RATE;
}
