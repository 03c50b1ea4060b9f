/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/phase.h"

#include <string.h>

const char *const phase_words[PHASE_CALLS] = {"prepare", "apply", "hold", "revert"};

static json_t *make_params(const char *method, const struct phase_life *life)
{
    if (strcmp(method, "prepare") == 0)
        return json_pack("{s:s,s:s,s:o,s:i}", "injection", life->injection, "fault", life->fault,
                         "args", json_deep_copy(life->args), "lease_ms", life->lease_ms);
    if (strcmp(method, "renew") == 0)
        return json_pack("{s:i}", "lease_ms", life->lease_ms);
    return json_pack("{s:s}", "injection", life->injection);
}

bool phase_call(struct rig_agent *a, enum phase phase, const struct phase_life *life,
                int timeout_ms, json_t **ret)
{
    static const char *const hold[] = {"evidence", "renew", "verify", NULL};
    const char *const one[] = {phase_words[phase], NULL};
    const char *const *methods = phase == PHASE_HOLD ? hold : one;
    json_t *result = NULL;
    bool ok = true;
    for (size_t i = 0; ok && methods[i] != NULL; i++) {
        json_decref(result);
        ok = rig_call(a, methods[i], make_params(methods[i], life), timeout_ms, &result);
    }
    if (ret != NULL)
        *ret = result;
    else
        json_decref(result);
    return ok;
}
