/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service says it was asked: its own counter, read when a trial begins, every second, and
 * when all of the trial's attempts have ended, so that the prober's share of it can be told. Growth
 * is added up between two readings that follow each other: a counter that began anew in between, or
 * a reading that failed, costs that part of the trial alone. Each reading is itself a request, by
 * which the counter has grown at the next, whether it counts before it answers or behind.
 */
#include "base/clock.h"
#include "prober/loop_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct prober_served {
    struct prober *prober; /* while a question is on its way */
    struct prober_probe *probe;
    struct prober_probe_spec spec; /* its pointers are ours */
    void *args;
    char *match;
    struct prober_target *targets;
    struct seen {
        int64_t last;  /* the reading before, or -1 */
        uint64_t from; /* attempts that had been answered by then */
        struct prober_served_count sum;
    } * seen; /* one for each endpoint */
};

void prober_served_free(struct prober_served *s)
{
    if (s == NULL)
        return;
    free(s->args);
    free(s->match);
    free(s->targets);
    free(s->seen);
    free(s);
}

static void *copy(const void *from, size_t n)
{
    void *own = malloc(n + 1);
    if (own != NULL)
        memcpy(own, from, n);
    return own;
}

int prober_served_new(struct prober_probe *probe, const struct prober_probe_spec *spec,
                      struct err *err)
{
    const struct prober_probe_spec *ask = spec->served;
    struct prober_served *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    probe->served = s;
    s->probe = probe;
    s->args = copy(ask->args, ask->kind->args_size);
    s->match = ask->number.match != NULL ? strdup(ask->number.match) : NULL;
    s->targets = copy(spec->targets, spec->n_targets * sizeof(*spec->targets));
    s->seen = calloc(spec->n_targets, sizeof(*s->seen));
    if (s->args == NULL || (s->match == NULL && ask->number.match != NULL) || s->targets == NULL ||
        s->seen == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    s->spec = (struct prober_probe_spec){.kind = ask->kind,
                                         .args = s->args,
                                         .every_ns = ask->timeout_ns,
                                         .timeout_ns = ask->timeout_ns,
                                         .fresh = ask->fresh,
                                         .number = {.given = true, .match = s->match},
                                         .targets = s->targets,
                                         .n_targets = spec->n_targets};
    return 0;
}

static int64_t count_of(const struct prober_asked *asked)
{
    /* Beyond 2^53 a double has no odd numbers. */
    bool known = asked->result == SAMPLE_GOOD && asked->number >= 0 && asked->number < 0x1p53;
    return known ? (int64_t)asked->number : -1;
}

static void seen_add(struct seen *seen, int64_t count, uint64_t answered)
{
    seen->sum.asked++;
    if (count >= 0 && seen->last >= 0 && count >= seen->last) {
        seen->sum.known++;
        seen->sum.grown += count - seen->last;
        seen->sum.own += (int64_t)(answered - seen->from) + 1;
    }
    seen->last = count;
    seen->from = answered;
}

static void on_asked(void *ctx, const struct prober_asked *asked, size_t n)
{
    struct prober_served *s = ctx;
    if (n == 0) /* the prober ends */
        return;
    s->prober->served_open--;
    for (size_t i = 0; i < n; i++)
        seen_add(&s->seen[i], count_of(&asked[i]), s->probe->targets[i].answered);
}

static void ask_all(struct prober *p)
{
    struct err err;
    for (size_t i = 0; i < p->n_probes; i++) {
        struct prober_served *s = p->probes[i]->served;
        if (s != NULL) {
            s->prober = p;
            p->served_open += prober_ask(p, &s->spec, on_asked, s, &err) == 0;
        }
    }
}

static void tick(void *ctx)
{
    struct prober *p = ctx;
    if (!p->running)
        return;
    p->served_timer.at_ns = prober_now() + NS_PER_SEC;
    if (p->served_open == 0) /* else one hangs */
        ask_all(p);
}

void prober_served_begin(struct prober *p)
{
    bool any = false;
    for (size_t i = 0; i < p->n_probes; i++) {
        struct prober_served *s = p->probes[i]->served;
        any = any || s != NULL;
        for (size_t k = 0; s != NULL && k < s->spec.n_targets; k++)
            s->seen[k] = (struct seen){
                .last = -1, .sum = {.probe = p->probes[i]->index, .endpoint = (uint16_t)k}};
    }
    p->served_ended = false;
    if (any && p->served_timer.ready == NULL) {
        p->served_timer = (struct prober_timer){.ready = tick, .ctx = p};
        prober_timer_add(p, &p->served_timer);
    }
    if (any)
        tick(p);
}

void prober_served_end(struct prober *p)
{
    p->served_ended = true;
    p->served_timer.at_ns = 0;
    ask_all(p);
}

bool prober_served_at(const struct prober *p, size_t at, struct prober_served_count *ret)
{
    for (size_t i = 0; i < p->n_probes; i++) {
        const struct prober_served *s = p->probes[i]->served;
        size_t n = s != NULL ? s->spec.n_targets : 0;
        if (at < n) {
            *ret = s->seen[at].sum;
            return true;
        }
        at -= n;
    }
    return false;
}
