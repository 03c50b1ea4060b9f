/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/clock.h"

#include <inttypes.h>
#include <stdio.h>

int clock_prepare(struct fault_host *host, const struct clock_of *of, struct fiu_rule *rule,
                  struct undo *undo, struct err *err)
{
    rule->action = FIU_SHIFT;
    rule->points = FIU_BIT(FIU_REALTIME) | (of->monotonic ? FIU_BIT(FIU_MONOTONIC) : 0);
    return fiu_prepare(host, of->service.s, rule, undo, err);
}

int clock_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                   struct err *err)
{
    struct victim_counts counts;
    if (fiu_evidence(host, undo, ret, &counts, err) != 0)
        return -1;
    bool back = counts.added_ns > INT64_MAX;
    uint64_t us = (back ? -counts.added_ns : counts.added_ns) / 1000;
    ret->items[0] = (struct evidence_item){"readings", counts.hits};
    ret->items[1] = (struct evidence_item){"shift_us", us};
    ret->n = 2;
    ret->proven = ret->proven && us > 0;
    if (counts.sane)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%" PRIu64 " readings of the clock, the last %" PRIu64 ".%06" PRIu64
                       " s %s the truth",
                       counts.hits, us / 1000000, us % 1000000, back ? "behind" : "ahead of");
    return 0;
}
