/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Over which time a target is measured. */
#include "analysis/analysis_target.h"

const char target_never_removed[] = "a fault was never seen to be removed";

bool target_windows(const struct target_case *c, struct target_window ret[2])
{
    const struct span *in = &c->t->waves[0].injected;
    struct span out = {INT64_MIN, INT64_MIN};
    ret[0] = (struct target_window){in->lo, SPAN_OPEN};
    ret[1] = (struct target_window){in->hi, SPAN_OPEN};
    if (c->of->over.ns > 0) {
        ret[0].to = in->lo + c->of->over.ns;
        ret[1].to = in->hi + c->of->over.ns;
        return true;
    }
    if (c->of->during == DURING_WHOLE)
        return true;
    for (size_t i = 0; i < c->t->n_waves; i++) {
        const struct span *u = &c->t->waves[i].undone;
        if (u->lo == HISTORY_UNKNOWN || u->hi == HISTORY_UNKNOWN)
            return false;
        out.lo = u->lo > out.lo ? u->lo : out.lo;
        out.hi = u->hi > out.hi ? u->hi : out.hi;
    }
    if (c->of->during == DURING_FAULT) {
        ret[0].to = out.hi;
        ret[1].to = out.lo;
    } else {
        ret[0] = (struct target_window){out.lo, SPAN_OPEN};
        ret[1] = (struct target_window){out.hi, SPAN_OPEN};
    }
    return true;
}

const char *target_window_text(struct analysis_maker *m, const struct scenario_target *of)
{
    static const char *const durings[] = {"", "during the fault", "during recovery"};
    char over[40];
    if (of->over.ns > 0)
        return analysis_text(m, "over %s", duration_print(of->over, over, sizeof(over)));
    return durings[of->during];
}
