/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_SEEN_MAX = 1024 };

struct walk {
    struct reader *r;
    const struct scenario_step *faults[STEPS_SEEN_MAX];
    size_t n_faults;
    int64_t last_end; /* of the faults that do not hold up the steps */
};

static void see_fault(struct walk *w, const struct scenario_step *step)
{
    for (size_t i = 0; step->name != NULL && i < w->n_faults; i++)
        if (w->faults[i]->name != NULL && strcmp(w->faults[i]->name, step->name) == 0)
            reader_problem(w->r, step->pos, NULL, "two fault steps are called \"%s\"", step->name);
    if (step->wait_end && step->length.ns == 0)
        reader_problem(w->r, step->pos, NULL, "wait_end: needs \"for\", or the wait has no end");
    if (w->n_faults < STEPS_SEEN_MAX)
        w->faults[w->n_faults++] = step;
}

/* The least time at which the steps can be over when they begin at `t`. */
static int64_t walk_steps(struct walk *w, const struct scenario_step *steps, size_t n, int64_t t)
{
    for (size_t i = 0; i < n; i++) {
        const struct scenario_step *step = &steps[i];
        t += approval_wait_ns(&step->approval) + runbook_least_ns(step);
        bool refused = step->approval.by != NULL && !approval_given(&step->approval);
        int64_t end = refused ? t : t + step->length.ns;
        if (step->kind == STEP_FAULT) {
            see_fault(w, step);
            w->last_end = end > w->last_end ? end : w->last_end;
        }
        if (step->kind == STEP_WAIT || (step->kind == STEP_FAULT && step->wait_end))
            t = end;
        int64_t longest = t;
        for (size_t j = 0; j < step->n_branches; j++) {
            end = walk_steps(w, step->branches[j].steps, step->branches[j].n, t);
            longest = end > longest ? end : longest;
        }
        t = longest;
    }
    return t;
}

/* A fault without a length holds until the steps end: with none behind it, for no time at all. What
 * is over at once needs no time. */
static void check_ends(struct reader *r, const struct scenario_step *steps, size_t n, bool followed)
{
    for (size_t i = 0; i < n; i++) {
        const struct scenario_step *step = &steps[i];
        bool more = followed || i + 1 < n;
        if (step->kind == STEP_FAULT && step->length.ns == 0 && !more && !step->wait_end &&
            step->fault != NULL && step->fault->lifetime != LIFETIME_INSTANT)
            reader_problem(r, step->pos,
                           "give it `for: 10s`, or put a step such as a wait after it",
                           "%s would be removed as soon as it is on: it has no \"for\", and no "
                           "step follows",
                           step->fault->name);
        for (size_t j = 0; j < step->n_branches; j++)
            check_ends(r, step->branches[j].steps, step->branches[j].n,
                       more || step->n_branches > 1);
    }
}

static void check_heals(struct walk *w, const struct scenario_step *steps, size_t n)
{
    const char *words[STEPS_SEEN_MAX];
    size_t n_words = 0;
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i]->name != NULL)
            words[n_words++] = w->faults[i]->name;
    for (size_t i = 0; i < n; i++) {
        bool known = steps[i].kind != STEP_HEAL || steps[i].name == NULL;
        for (size_t j = 0; !known && j < n_words; j++)
            known = strcmp(words[j], steps[i].name) == 0;
        if (!known)
            reader_unknown(w->r, steps[i].pos, "there is no fault step called", steps[i].name,
                           words, n_words);
        for (size_t j = 0; j < steps[i].n_branches; j++)
            check_heals(w, steps[i].branches[j].steps, steps[i].branches[j].n);
    }
}

static void check_deadline(struct reader *r, int64_t least)
{
    const struct scenario *s = r->s;
    const struct node *node = node_get(r->root, "deadline");
    struct pos pos = node != NULL ? node->pos : node_get(r->root, "steps")->pos;
    char needed[40], limit[40];
    int64_t trial = least + s->steady_for.ns;
    /* One trial that fits makes the product fit 64 bits. */
    uint32_t n = s->sequential.at_most != 0 ? scenario_sequential_least(&s->sequential) : s->trials;
    int64_t all = trial <= s->deadline.ns ? trial * n : trial;
    if (all <= s->deadline.ns)
        return;
    reader_problem(r, pos, "a later deadline, shorter steps or fewer trials",
                   "deadline: the steps take at least %s%s, and the run is ended after %s",
                   duration_print((struct duration){all}, needed, sizeof(needed)),
                   s->trials > 1 ? " with all trials" : "",
                   duration_print(s->deadline, limit, sizeof(limit)));
}

static void check_services(struct reader *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->s->n_probes; i++)
        n += !r->s->probes[i].signal;
    if (n == 0 && r->s->n_probes != 0)
        reader_problem(r, r->s->probes[0].pos, NULL,
                       "probes: all are signals, and none says how users see the system");
}

static int64_t slots_in(int64_t length, int64_t every)
{
    return (length + every - 1) / every;
}

/*
 * What the schedule needs to show a steady state, when every answer is good: the first slot is due
 * within an interval, a rate knows nothing before its window is full, and slots must then span
 * `for`. The time-out plays no part: an answer may come at once.
 */
static int64_t steady_least(const struct scenario *s, const struct scenario_probe *p)
{
    int64_t every = p->every.ns;
    return every *
           (1 + slots_in(p->expect.rate.over.ns, every) + slots_in(s->steady_for.ns, every));
}

static void check_steady(struct reader *r, const struct scenario_probe *p)
{
    const struct node *probe = node_get(node_get(r->root, "probes"), p->name);
    const struct node *every = probe != NULL ? node_get(probe, "every") : NULL;
    char needed[40], interval[40], length[40], within[40], hint[100];
    int64_t least = steady_least(r->s, p);
    if (least <= r->s->steady_within.ns)
        return;
    (void)duration_print((struct duration){least}, needed, sizeof(needed));
    (void)snprintf(hint, sizeof(hint), "a shorter interval, or steady: {within: %s}", needed);
    reader_problem(r, every != NULL ? every->pos : p->pos, hint,
                   "every: asked each %s%s, it takes %s to see that all is good for %s, and steady "
                   "gives it %s",
                   duration_print(p->every, interval, sizeof(interval)),
                   p->expect.rate.over.ns != 0 ? " for a rate" : "", needed,
                   duration_print(r->s->steady_for, length, sizeof(length)),
                   duration_print(r->s->steady_within, within, sizeof(within)));
}

void scenario_check(struct reader *r)
{
    struct walk w = {.r = r};
    identities_make_users(r);
    int64_t end = walk_steps(&w, r->s->steps, r->s->n_steps, 0);
    check_heals(&w, r->s->steps, r->s->n_steps);
    check_services(r);
    for (size_t i = 0; i < r->s->n_probes; i++)
        check_steady(r, &r->s->probes[i]);
    loads_check(r);
    check_ends(r, r->s->steps, r->s->n_steps, false);
    check_deadline(r, end > w.last_end ? end : w.last_end);
}
