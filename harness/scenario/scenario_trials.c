/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `trials`: how often the whole is repeated, a number or a plan that stops by itself. */
#include "scenario/scenario_read.h"

enum { TRIALS_MAX = 10000, NOT_CERTAIN_PPM = 999999 };

uint32_t scenario_sequential_least(const struct scenario_sequential *plan)
{
    const double one = 1e6;
    double step = plan->bad.ppm / (double)plan->good.ppm, likelihood = 1;
    uint32_t n = 0;
    for (; n < TRIALS_MAX && likelihood > plan->beta.ppm / (one - plan->alpha.ppm); n++)
        likelihood *= step;
    return n;
}

#define SHARE(key, field, most, value, what)                                                       \
    {                                                                                              \
        .name = key, .type = KEY_PARAM, .param = PARAM_RATIO,                                      \
        AT(struct scenario_sequential, field), .min = 1, .max = (most), .def = (value),            \
        .doc = (what)                                                                              \
    }

static const struct key sequential_keys[] = {
    SHARE("good", good, NOT_CERTAIN_PPM, "99%",
          "A system of which this share of runs passes should be accepted."),
    SHARE("bad", bad, NOT_CERTAIN_PPM, "90%",
          "One of which only this share passes should be rejected."),
    SHARE("alpha", alpha, 499999, "5%", "How often a good one may be rejected."),
    SHARE("beta", beta, 499999, "5%", "How often a bad one may be accepted."),
    {.name = "at_most",
     .type = KEY_COUNT,
     AT(struct scenario_sequential, at_most),
     .min = 1,
     .max = TRIALS_MAX,
     .def = "100",
     .doc = "The run ends after so many trials, decided or not."},
    {.name = "undecided",
     .type = KEY_COUNT,
     AT(struct scenario_sequential, undecided),
     .min = 0,
     .max = TRIALS_MAX,
     .def = "3",
     .doc = "So many trials may be inconclusive or invalid, which count for neither side; one more "
            "ends the run without a decision."},
};

static void finish_sequential(struct reader *r, const struct node *node, void *at)
{
    const struct scenario_sequential *plan = at;
    if (plan->good.ppm == 0 || plan->bad.ppm == 0)
        return; /* reported already */
    if (plan->bad.ppm >= plan->good.ppm)
        reader_problem(r, node->pos, "good: 99%, bad: 90%",
                       "sequential: \"bad\" must be a smaller share than \"good\"");
    else if (scenario_sequential_least(plan) > plan->at_most)
        reader_problem(r, node->pos, "a larger at_most, or shares that are further apart",
                       "sequential: %u straight passes are needed to accept, and at_most is %u",
                       scenario_sequential_least(plan), plan->at_most);
}

static const struct section section_sequential = {
    .name = "sequential",
    KEYS(sequential_keys),
    .may_be_empty = true,
    .doc = "A plan, stated before, by which the run stops as soon as enough trials have passed or "
           "missed (Wald's sequential probability ratio test): with the defaults after 31 straight "
           "passes, or 2 straight misses. A trial passes when all its targets are met.",
    .example = "trials: {sequential: {good: 99%, bad: 90%, alpha: 5%, beta: 5%, at_most: 100}}\n",
    .finish = finish_sequential};

static void finish_trials(struct reader *r, const struct node *node, void *at)
{
    struct scenario *s = at;
    (void)r;
    if (node_get(node, "sequential") != NULL && s->sequential.at_most != 0)
        s->trials = s->sequential.at_most;
}

static const struct key trials_keys[] = {
    {.name = "count",
     .type = KEY_COUNT,
     AT(struct scenario, trials),
     .min = 1,
     .max = TRIALS_MAX,
     .def = "1",
     .group = 1,
     .doc = "So often. A series (more than one) begins with a fault-free trial."},
    {.name = "sequential",
     .type = KEY_SECTION,
     AT(struct scenario, sequential),
     .section = &section_sequential,
     .group = 1,
     .doc = "Until the plan has decided."},
};
const struct section section_trials = {
    .name = "trials",
    KEYS(trials_keys),
    .shorthand = "count",
    .one_of = true,
    .doc = "How often the whole is repeated; a number alone is `count`.",
    .example = "trials: 30\n",
    .finish = finish_trials};

void scenario_sequential_default(struct scenario_sequential *ret)
{
    *ret = (struct scenario_sequential){
        .good = {990000}, .bad = {900000}, .alpha = {50000}, .beta = {50000}};
    ret->at_most = 100;
    ret->undecided = 3;
}
