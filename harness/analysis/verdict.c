/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/verdict.h"

#include "base/err.h"

const char *verdict_word(enum verdict v)
{
    static const char *const words[] = {
        [VERDICT_NOT_JUDGED] = "not judged",
        [VERDICT_PASS] = "pass",
        [VERDICT_INCONCLUSIVE] = "inconclusive",
        [VERDICT_INVALID] = "invalid",
        [VERDICT_FAIL] = "fail",
    };
    return words[v];
}

enum verdict verdict_at_most(double lower, double upper, double limit)
{
    if (upper <= limit)
        return VERDICT_PASS;
    return lower > limit ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
}

enum verdict verdict_at_least(double lower, double upper, double limit)
{
    if (lower >= limit)
        return VERDICT_PASS;
    return upper < limit ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
}

int verdict_exit(enum verdict v, bool dirty)
{
    if (dirty)
        return err_exit_status(ERR_DIRTY);
    if (v == VERDICT_FAIL)
        return 1;
    return v == VERDICT_INCONCLUSIVE || v == VERDICT_INVALID ? 3 : 0;
}
