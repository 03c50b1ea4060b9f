/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/clock.h"

struct args {
    struct clock_of of;
    struct ratio rate;
    int direction;
};

enum { FAST, SLOW };
static const char *const directions[] = {"fast", "slow", NULL};

static const struct param params[] = {
    CLOCK_OF(.required = true, .doc = CLOCK_SERVICE),
    P(struct args, PARAM_RATIO, rate, .required = true, .min = 1, .max = 1000000,
      .doc = "How much too fast or too slow it runs; 100% fast is twice as fast, 100% slow stands "
             "still."),
    P(struct args, PARAM_ENUM, direction, .def = "fast", .choices = directions,
      .doc = "Whether it gains or loses."),
};

static int prepare(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    const struct args *args = in;
    int64_t ppm = args->rate.ppm;
    struct fiu_rule rule = {.rate_ppm = args->direction == SLOW ? -ppm : ppm};
    return clock_prepare(host, &args->of, &rule, undo, err);
}

const struct fault fault_clock_drift = {
    .name = "clock.drift",
    .summary = "Let one service's clock run too fast or too slow.",
    .doc = "A library preloaded into the service shifts what it reads from the clock, by more the "
           "longer the fault lasts; it begins without a step. " CLOCK_DOC,
    .example = "- fault: clock.drift\n"
               "  hosts: n1\n"
               "  service: redis\n"
               "  rate: 10%\n"
               "  direction: slow\n"
               "  for: 5s\n",
    FAULT_PARAMS(struct args, params),
    .prepare = prepare,
    .evidence = clock_evidence,
    FIU_ROW,
};
