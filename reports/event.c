/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/event.h"

#include <stdio.h>
#include <string.h>

/* "probe write at n1 bad"; the client, where users stand, is not named. */
static void probe_text(const json_t *members, char *out, size_t size)
{
    const char *probe = json_string_value(json_object_get(members, "probe"));
    const char *from = json_string_value(json_object_get(members, "from"));
    const char *state = json_string_value(json_object_get(members, "state"));
    bool named = from != NULL && strcmp(from, "client") != 0;
    (void)snprintf(out, size, "probe %s%s%s %s", probe != NULL ? probe : "?", named ? " at " : "",
                   named ? from : "", state != NULL ? state : "?");
}

const char *event_text(const struct history_event *e, char *out, size_t size)
{
    static const struct {
        const char *ev, *name, *what;
    } rows[] = {
        {"lab.up", "lab up", NULL},
        {"services.ready", "services ready", NULL},
        {"trial.start", "trial", "trial"},
        {"steady", "steady state", "why"},
        {"role", "role", "host"},
        {"apply", "fault asked", "injection"},
        {"applied", "fault on", "injection"},
        {"revert", "revert asked", "injection"},
        {"reverted", "fault off", "injection"},
        {"step", "step", "what"},
        {"rollout", "waves", "state"},
        {"admission", "asked", "state"},
        {"runbook", "runbook", "name"},
        {"hold", "hold", "state"},
        {"guard", "guard", "what"},
        {"abort", "abort", "what"},
        {"renew", "lease not renewed", "host"},
        {"trial.end", "trial end", "outcome"},
        {"run.end", "end", "error"},
    };
    if (strcmp(e->ev, "probe.state") == 0) {
        probe_text(e->members, out, size);
        return out;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].ev, e->ev) != 0)
            continue;
        const json_t *v = rows[i].what != NULL ? json_object_get(e->members, rows[i].what) : NULL;
        const char *state = json_string_value(json_object_get(e->members, "state"));
        if (json_is_string(v))
            (void)snprintf(out, size, "%s %s%s%s", rows[i].name, json_string_value(v),
                           strcmp(e->ev, "step") == 0 && state != NULL ? ": " : "",
                           strcmp(e->ev, "step") == 0 && state != NULL ? state : "");
        else
            (void)snprintf(out, size, "%s", rows[i].name);
        return out;
    }
    return NULL;
}
