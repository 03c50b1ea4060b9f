/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/clock.h"

struct args {
    struct clock_of of;
    struct duration by;
    int direction;
};

enum { FORWARD, BACKWARD };
static const char *const directions[] = {"forward", "backward", NULL};

#define A_YEAR (INT64_C(8760) * 3600 * 1000000000)

static const struct param params[] = {
    CLOCK_OF,
    P(struct args, PARAM_DURATION, by, .required = true, .min = 1000000, .max = A_YEAR,
      .doc = "How far the clock is off."),
    P(struct args, PARAM_ENUM, direction, .def = "forward", .choices = directions,
      .doc = "Ahead of the truth, or behind it; no reading is before 1970."),
};

static int prepare(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    const struct args *args = in;
    struct fiu_rule rule = {.offset_ns = args->direction == BACKWARD ? -args->by.ns : args->by.ns};
    return clock_prepare(host, &args->of, &rule, undo, err);
}

const struct fault fault_clock_skew = {
    .name = "clock.skew",
    .summary = "Let one service's clock be wrong by a fixed time.",
    .doc = "A library preloaded into the service shifts what it reads from the clock. " CLOCK_DOC,
    .example = "- fault: clock.skew\n"
               "  hosts: n1\n"
               "  service: redis\n"
               "  by: 1h\n"
               "  direction: backward\n"
               "  for: 5s\n",
    FAULT_PARAMS(struct args, params),
    .prepare = prepare,
    .evidence = clock_evidence,
    FIU_ROW,
};
