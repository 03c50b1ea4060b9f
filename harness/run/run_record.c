/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journal lines, and what people see while it runs. */
#include "base/utf8.h"
#include "run/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum { OUTPUT_LINES_SAID = 5 };

void run_record_at(struct run *r, int64_t t, const char *ev, json_t *members)
{
    struct err err;
    if (r->journal == NULL || r->unwritten) {
        json_decref(members);
        return;
    }
    if (journal_append_at(r->journal, t, ev, members, &err) < 0) {
        r->unwritten = true;
        run_break(r, &err);
    }
}

void run_record(struct run *r, const char *ev, json_t *members)
{
    run_record_at(r, run_now(r), ev, members);
}

PRINTF_LIKE(3, 0)
static void tell(struct run *r, void (*how)(void *ctx, int64_t t_ns, const char *text),
                 const char *fmt, va_list args)
{
    char text[600];
    if (how != NULL && vsnprintf(text, sizeof(text), fmt, args) >= 0)
        how(r->options->view.ctx, run_now(r), text);
}

void run_say(struct run *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(r, r->options->view.say, fmt, args);
    va_end(args);
}

void run_ask(struct run *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(r, r->options->view.ask, fmt, args);
    va_end(args);
}

void run_status(struct run *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(r, r->options->view.status, fmt, args);
    va_end(args);
}

static json_t *sequential_json(const struct scenario_sequential *plan)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "good_ppm", (int)plan->good.ppm, "bad_ppm",
                     (int)plan->bad.ppm, "alpha_ppm", (int)plan->alpha.ppm, "beta_ppm",
                     (int)plan->beta.ppm, "at_most", (int)plan->at_most, "undecided",
                     (int)plan->undecided);
}

/* Both are in the scenario's text too: here for whoever reads journals without the language. */
static void record_outage(const struct scenario *s, json_t *members)
{
    const struct scenario_outage *o = &s->outage;
    if (s->variant != NULL)
        (void)json_object_set_new(members, "variant", json_string(s->variant));
    if (o->title == NULL)
        return;
    json_t *outage =
        json_pack("{s:s, s:s, s:s, s:s}", "title", o->title, "class", scenario_outage_class(o),
                  "fidelity", scenario_outage_fidelity(o), "scale", o->scale);
    if (o->duration.ns != 0)
        (void)json_object_set_new(outage, "duration_ns", json_integer(o->duration.ns));
    if (outage != NULL)
        (void)json_object_set_new(members, "outage", outage);
}

int run_record_start(struct run *r, struct err *err)
{
    const struct scenario *s = r->scenario;
    struct utsname machine;
    char wall[40] = "", digest[DIGEST_TEXT];
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(wall, sizeof(wall), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (uname(&machine) < 0)
        return make_error(err, ERR_SYSTEM, errno, "uname");
    catalogue_digest(r->options->faults, digest);
    json_t *vars = json_object();
    for (size_t i = 0; i < s->n_vars; i++)
        (void)json_object_set_new(vars, s->vars[i].name, json_string(s->vars[i].value));
    json_t *members = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:I, s:i, s:b, s:s}",
        "format", 1, "run", r->id, "wall", wall, "version", BLACKSTART_VERSION, "kernel",
        machine.release, "machine", machine.machine, "node", machine.nodename, "scenario", s->name,
        "file", s->file, "text", json_stringn(s->text, s->len), "sha256", s->sha256, "vars", vars,
        "seed", (json_int_t)r->options->seed, "trials", (int)r->options->trials, "no_fault",
        r->options->no_fault, "catalogue", digest);
    if (members != NULL && s->other_text != NULL)
        (void)json_object_set_new(members, "other", json_stringn(s->other_text, s->other_len));
    if (members != NULL)
        record_outage(s, members);
    if (members != NULL && r->options->sequential != NULL)
        (void)json_object_set_new(members, "sequential", sequential_json(r->options->sequential));
    if (members == NULL)
        return make_error(err, ERR_INPUT, 0, "the scenario cannot stand in a journal: not UTF-8");
    if (journal_append(r->journal, "run.start", members, err) < 0)
        return -1;
    return r->options->history == NULL
               ? 0
               : journal_append(r->journal, "history", json_incref(r->options->history), err);
}

void run_say_output(struct run *r, const char *output)
{
    char line[200];
    for (const char *p = output != NULL ? utf8_last_lines(output, OUTPUT_LINES_SAID) : "";
         *p != '\0';) {
        size_t len = strcspn(p, "\n");
        (void)snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : 199), p);
        utf8_clean(line, strlen(line));
        run_say(r, "  | %s", line);
        p += len + (p[len] == '\n');
    }
}

void run_take_output(struct run *r, size_t step, json_t *members)
{
    const char *kept = r->step_output[step];
    if (kept == NULL)
        return;
    json_t *output = json_string(kept);
    (void)json_object_set_new(members, "output",
                              output != NULL ? output : json_string("(not UTF-8)"));
}

static void record_step(struct run *r, const struct action *a)
{
    const struct plan_step *p = &r->plan->steps[a->index];
    bool skipped = strcmp(a->text, "skipped") == 0;
    bool begin = strcmp(a->text, "begin") == 0;
    char what[620];
    (void)snprintf(what, sizeof(what), "%s%s%s%s", p->what, skipped ? " (skipped: no fault)" : "",
                   a->why[0] != '\0' ? ": " : "", a->why);
    json_t *members = json_pack("{s:i, s:s, s:s}", "step", (int)p->number, "what", what, "state",
                                skipped ? "end" : a->text);
    if (!begin)
        run_take_output(r, a->index, members);
    if (p->step->kind == STEP_RUN && p->step->recovery)
        (void)json_object_set_new(members, "recovery", json_true());
    run_record(r, "step", members);
    if (begin) {
        if (p->step->kind != STEP_FAULT)
            run_say(r, "%s", p->what);
        return;
    }
    if (a->why[0] != '\0') {
        run_say(r, "step %u failed: %s", p->number, a->why);
        run_say_output(r, r->step_output[a->index]);
    }
    free(r->step_output[a->index]);
    r->step_output[a->index] = NULL;
}

static void record_role(struct run *r, const struct action *a)
{
    const char *role = r->scenario->roles[a->index].name;
    const char *host = a->host < r->plan->n_hosts ? r->plan->hosts[a->host].name : NULL;
    r->role_holder[a->index] = a->host;
    run_record(r, "role",
               json_pack("{s:s, s:s?, s:s, s:b}", "role", role, "host", host, "when", a->text, "ok",
                         a->ok));
    if (strcmp(a->text, "after-apply") != 0)
        run_say(r, "the %s is %s", role, host != NULL ? host : "nobody");
    else if (!a->ok)
        run_say(r, "the %s had moved to %s before the fault was on", role,
                host != NULL ? host : "nobody");
}

static void record_trial_start(struct run *r, const struct action *a)
{
    r->fault_ns = -1;
    memset(r->seen, 0, sizeof(r->seen));
    run_record(r, "trial.start",
               json_pack("{s:i, s:b}", "trial", (int)a->index, "fault_free", a->ok));
    if (r->options->trials > 1)
        run_say(r, "trial %zu%s", a->index, a->ok ? ", without a fault" : "");
}

static void record_steady(struct run *r, const struct action *a)
{
    run_record(r, "steady", json_pack("{s:b, s:s*}", "held", a->ok, "why", a->ok ? NULL : a->why));
    if (a->ok)
        run_say(r, "steady state held");
    else
        run_say(r, "NO STEADY STATE, nothing is injected: %s", a->why);
}

/* What follows is said as it is: nothing is put back where nothing was done, or nobody is left. */
/* That on the blast radius is on no probe. */
static void record_guard(struct run *r, const struct action *a)
{
    if (a->index < r->scenario->n_probes)
        run_record(r, "guard",
                   json_pack("{s:s, s:s}", "probe",
                             scenario_probe_label(&r->scenario->probes[a->index]), "what", a->why));
    else
        run_record(r, "guard", json_pack("{s:s, s:s}", "measure", "blast_radius", "what", a->why));
}

static void record_abort(struct run *r, const struct action *a)
{
    r->cut = true;
    run_record(r, "abort", json_pack("{s:s, s:s}", "why", a->text, "what", a->why));
    const char *next = r->lab_ended ? "all that was injected ended with it"
                       : strcmp(a->text, "agent lost") == 0
                           ? "a new agent puts back there what this one left"
                       : a->index != 0 ? "putting everything back"
                                       : "nothing is there to be put back";
    run_say(r, "ABORT (%s): %s; %s", a->text, a->why, next);
}

void run_record_action(struct run *r, const struct action *a)
{
    switch (a->kind) {
    case ACTION_TRIAL_START:
        record_trial_start(r, a);
        break;
    case ACTION_STATE:
        r->state_ns = run_now(r);
        if (a->why[0] != '\0')
            run_say(r, "%s", a->why);
        break;
    case ACTION_STEADY:
        record_steady(r, a);
        break;
    case ACTION_ROLE:
        record_role(r, a);
        break;
    case ACTION_STEP:
        record_step(r, a);
        break;
    case ACTION_ROLLOUT:
        run_record_rollout(r, a);
        break;
    case ACTION_ADMISSION:
        run_record_admission(r, a);
        break;
    case ACTION_TASK:
        run_record_task(r, a);
        break;
    case ACTION_GUARD:
        record_guard(r, a);
        run_say(r, "GUARD: %s", a->why);
        break;
    case ACTION_ABORT:
        record_abort(r, a);
        break;
    case ACTION_TRIAL_END:
        run_record(
            r, "trial.end",
            json_pack("{s:i, s:s}", "trial", (int)a->index, "outcome", a->ok ? "done" : "aborted"));
        break;
    case ACTION_BASELINE: /* what these do is recorded where it is done */
    case ACTION_ASK_ROLE:
    case ACTION_PREPARE:
    case ACTION_APPLY:
    case ACTION_EVIDENCE:
    case ACTION_REVERT:
    case ACTION_RENEW:
    case ACTION_RUN:
    case ACTION_CHECK:
    case ACTION_HOLD:
    case ACTION_HOLD_OVER:
    case ACTION_CLEAN:
    case ACTION_DRAIN:
    case ACTION_NEXT:
    case ACTION_END:
        break;
    }
}
