/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each prober said of itself at the end of a trial. */
#include "journal/history_parts.h"

int64_t history_number(const json_t *object, const char *name, int64_t absent)
{
    const json_t *v = json_object_get(object, name);
    int64_t n = json_is_integer(v) ? json_integer_value(v) : absent;
    return n > HISTORY_TIME_MAX || n < -HISTORY_TIME_MAX ? absent : n;
}

static struct history_machine machine_read(const json_t *object)
{
    return (struct history_machine){.steal = history_number(object, "steal", -1),
                                    .ticks = history_number(object, "ticks", -1),
                                    .pressure_us = history_number(object, "pressure_us", -1),
                                    .load_milli = history_number(object, "load_milli", -1)};
}

/* One prober per vantage: counts add up, the schedule ended with the first. */
static void trial_sum(struct history_trial *t, const struct history_line *l)
{
    int64_t *const to[] = {&t->late, &t->gaps, &t->sent, &t->cpu_ns};
    const int64_t from[] = {l->late, l->gaps, l->sent, l->cpu_ns};
    for (size_t i = 0; i < 4; i++)
        if (from[i] >= 0 && *to[i] <= HISTORY_TIME_MAX)
            *to[i] = *to[i] < 0 ? from[i] : *to[i] + from[i];
    if (l->until_ns >= 0 && (t->until_ns == HISTORY_UNKNOWN || l->until_ns < t->until_ns))
        t->until_ns = l->until_ns;
}

static int64_t known(int64_t n)
{
    return n >= 0 ? n : -1;
}

static struct history_served served_read(const json_t *o)
{
    return (struct history_served){.probe = history_number(o, "probe", -1),
                                   .endpoint = history_number(o, "endpoint", -1),
                                   .asked = known(history_number(o, "asked", -1)),
                                   .known = known(history_number(o, "known", -1)),
                                   .grown = known(history_number(o, "grown", -1)),
                                   .own = known(history_number(o, "own", -1))};
}

int history_vantage_take(struct history *h, struct history_trial *t, const struct history_line *l)
{
    size_t n_served = json_array_size(l->served);
    struct history_served *served = arena_array(&h->arena, n_served + 1, sizeof(*served));
    if (served == NULL)
        return -1;
    for (size_t i = 0; i < n_served; i++)
        served[i] = served_read(json_array_get(l->served, i));
    trial_sum(t, l);
    int64_t lo = history_number(l->clock, "lo_ns", 0), hi = history_number(l->clock, "hi_ns", 0);
    t->vantages[t->n_vantages++] = (struct history_vantage){
        .host = l->vantage != NULL ? l->vantage : "client",
        .late = known(l->late),
        .gaps = known(l->gaps),
        .sent = known(l->sent),
        .cpu_ns = known(l->cpu_ns),
        .until_ns = l->until_ns,
        .clock_lo = lo < hi ? lo : hi,
        .clock_hi = lo < hi ? hi : lo,
        .null_n = history_number(l->null, "n", -1),
        .null_late = history_number(l->null, "late", -1),
        .null_p50_ns = history_number(l->null, "p50_ns", -1),
        .null_p99_ns = history_number(l->null, "p99_ns", -1),
        .null_max_ns = history_number(l->null, "max_ns", -1),
        .begin = machine_read(l->begin),
        .end = machine_read(l->end),
        .served = served,
        .n_served = n_served,
    };
    return 0;
}
