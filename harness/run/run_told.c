/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journal lines of what a step asked, of a runbook's commands, and of how far waves came. */
#include "run/run_parts.h"

#include <stdlib.h>
#include <string.h>

static const char *host_name(const struct run *r, size_t host)
{
    return host < r->plan->n_hosts ? r->plan->hosts[host].name : NULL;
}

static void say_admission(struct run *r, const struct action *a, const struct scenario_step *s)
{
    char text[64];
    const char *host = host_name(r, a->host);
    bool person = a->by != NULL && strcmp(a->by, "approval") == 0;
    if (strcmp(a->text, "asked") == 0)
        run_say(
            r, "%s waits for %s (a model: %s)", s->fault->name, s->approval.by,
            duration_print((struct duration){approval_wait_ns(&s->approval)}, text, sizeof(text)));
    else if (strcmp(a->text, "approved") == 0)
        run_say(r, "%s: approved%s%s", s->approval.by, a->why[0] != '\0' ? ": " : "", a->why);
    else if (strcmp(a->text, "refused") == 0)
        run_say(r, "REFUSED by %s%s%s%s: %s", person ? s->approval.by : "the ", person ? "" : a->by,
                host != NULL ? " " : "", host != NULL ? host : "",
                a->why[0] != '\0' ? a->why : s->fault->name);
}

void run_record_admission(struct run *r, const struct action *a)
{
    const struct plan_step *p = &r->plan->steps[a->index];
    json_t *members =
        json_pack("{s:i, s:s, s:s, s:s*, s:s*, s:s*}", "step", (int)p->number, "fault",
                  p->step->fault->name, "state", a->text, "by", a->by, "host",
                  host_name(r, a->host), "what", a->why[0] != '\0' ? a->why : NULL);
    if (p->step->as != NULL)
        (void)json_object_set_new(members, "as", json_string(p->step->as->name));
    if (p->step->approval.by != NULL)
        (void)json_object_set_new(members, "approver", json_string(p->step->approval.by));
    if (a->by != NULL && strcmp(a->by, "check") == 0 && strcmp(a->text, "check") != 0) {
        run_take_output(r, a->index, members);
        free(r->step_output[a->index]);
        r->step_output[a->index] = NULL;
    }
    run_record(r, "admission", members);
    say_admission(r, a, p->step);
}

void run_record_task(struct run *r, const struct action *a)
{
    const struct plan_step *p = &r->plan->steps[a->index];
    const struct scenario_task *t = &p->step->tasks[a->host];
    const char *state = strcmp(a->text, "run") == 0 ? "typed" : a->text;
    json_t *members =
        json_pack("{s:i, s:i, s:s, s:s, s:s*}", "step", (int)p->number, "task", (int)a->host + 1,
                  "name", t->name, "state", state, "what", a->why[0] != '\0' ? a->why : NULL);
    const struct selector *hosts = t->hosts != NULL ? t->hosts : p->step->hosts;
    char text[80] = "";
    (void)json_object_set_new(members, "on",
                              json_string(selector_print(hosts, text, sizeof(text))));
    if (strcmp(state, "typed") == 0) /* from here on it is by a person's hand */
        (void)json_object_set_new(members, "recovery", json_true());
    bool over = strcmp(state, "end") == 0 || strcmp(state, "failed") == 0;
    if (over)
        run_take_output(r, a->index, members);
    run_record(r, "runbook", members);
    if (strcmp(state, "begin") == 0)
        run_say(r, "runbook: %s, after %s", t->name, duration_print(t->takes, text, sizeof(text)));
    if (strcmp(state, "failed") != 0 && over) {
        free(r->step_output[a->index]);
        r->step_output[a->index] = NULL;
    }
}

/* Which hosts a roll-out has reached, and which not; each once. */
static void rollout_hosts(const struct run *r, size_t step, json_t *reached, json_t *spared)
{
    uint32_t begun;
    uint64_t seen = 0;
    const struct plan_injections *list = engine_rollout(r->engine, step, &begun);
    for (size_t i = 0; i < list->n; i++) {
        uint64_t bit = UINT64_C(1) << list->list[i].host;
        if ((seen & bit) == 0)
            (void)json_array_append_new(list->list[i].wave <= begun ? reached : spared,
                                        json_string(r->plan->hosts[list->list[i].host].name));
        seen |= bit;
    }
}

void run_record_rollout(struct run *r, const struct action *a)
{
    uint32_t begun;
    json_t *reached = json_array(), *spared = json_array();
    const struct plan_step *p = &r->plan->steps[a->index];
    const struct plan_injections *list = engine_rollout(r->engine, a->index, &begun);
    bool wave = strcmp(a->text, "wave") == 0;
    rollout_hosts(r, a->index, reached, spared);
    if (wave)
        run_say(r, "wave %u of %u", begun, list->n_waves);
    else if (strcmp(a->text, "done") != 0)
        run_say(r, "the roll-out %s after wave %u of %u: %s",
                strcmp(a->text, "healed") == 0    ? "is taken back"
                : strcmp(a->text, "refused") == 0 ? "is refused"
                                                  : "stops",
                begun, list->n_waves, a->why);
    run_record(r, "rollout",
               json_pack("{s:i, s:s, s:s, s:i, s:i, s:o, s:o, s:s*}", "step", (int)p->number,
                         "fault", p->step->fault->name, "state", a->text, "wave", (int)begun,
                         "waves", (int)list->n_waves, "reached", reached, "spared", spared, "what",
                         a->why[0] != '\0' ? a->why : NULL));
}
