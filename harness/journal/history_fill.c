/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two passes over the lines: the first counts, the second fills arrays of exactly that size. */
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <string.h>

struct filler {
    struct history *h;
    const struct history_line *line;
    size_t number;
    struct history_trial *trial; /* the one that is open, or NULL */
    struct err *err;
};

static int bad(const struct filler *f, const char *what)
{
    return make_error(f->err, ERR_INPUT, 0, JOURNAL_FILE ":%zu: %s %s", f->number, f->line->ev,
                      what);
}

static int no_memory(const struct filler *f)
{
    return make_error(f->err, ERR_LIMIT, ENOMEM, "journal of %zu lines", f->h->n_events);
}

static int on_run_start(struct filler *f)
{
    const struct history_line *l = f->line;
    struct history *h = f->h;
    if (f->number != 1)
        return bad(f, "stands only on the first line");
    if (l->format != 1)
        return make_error(f->err, ERR_UNSUPPORTED, 0,
                          JOURNAL_FILE " has a format that this version does not know");
    if (l->text == NULL || l->file == NULL || l->run == NULL || l->sha256 == NULL)
        return bad(f, "needs run, file, text and sha256");
    h->start = h->events[0].members;
    h->run = l->run;
    h->wall = l->wall;
    h->version = l->version;
    h->kernel = l->kernel;
    h->machine = l->machine;
    h->scenario = l->scenario;
    h->file = l->file;
    h->text = l->text;
    h->sha256 = l->sha256;
    h->seed = l->seed == HISTORY_UNKNOWN ? 0 : (uint64_t)l->seed;
    h->n_trials_asked = l->trials > 0 ? (uint32_t)l->trials : 1;
    h->no_fault = l->no_fault == 1;
    if (l->sequential != NULL && !history_plan_read(l->sequential, &h->plan))
        return bad(f, "has a sequential plan that means nothing");
    return 0;
}

static struct history_host *host_find(struct history *h, const char *name)
{
    for (size_t i = 0; i < h->n_hosts; i++)
        if (strcmp(h->hosts[i].name, name) == 0)
            return &h->hosts[i];
    return NULL;
}

static int on_lab_up(struct filler *f)
{
    struct history *h = f->h;
    const json_t *list = f->line->hosts;
    if (h->hosts != NULL)
        return bad(f, "stands only once");
    h->hosts = arena_array(&h->arena, json_array_size(list) + 1, sizeof(*h->hosts));
    if (h->hosts == NULL)
        return no_memory(f);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name == NULL || host_find(h, name) != NULL)
            return bad(f, "needs hosts with a name each");
        h->hosts[h->n_hosts++] = (struct history_host){.name = name,
                                                       .addrs = json_object_get(item, "addrs"),
                                                       .labels = json_object_get(item, "labels")};
    }
    return 0;
}

static int on_host(struct filler *f)
{
    const struct history_line *l = f->line;
    struct history_host *host = l->host != NULL ? host_find(f->h, l->host) : NULL;
    if (host == NULL || l->clean < 0)
        return bad(f, "needs `clean` and a host of lab.up");
    /* A host is checked after every trial; dirty once is dirty. */
    host->clean = l->clean == 1 && (!host->known || host->clean);
    host->known = true;
    if (l->listed != NULL) /* since the run's start, so that the newest has all */
        host->listed = l->listed;
    if (l->clean == 0) {
        host->differences = l->differences;
        host->left = l->left;
    }
    return 0;
}

static int probe_fill(struct filler *f, const json_t *item, struct history_probe *ret)
{
    const json_t *hosts = json_object_get(item, "hosts");
    ret->name = json_string_value(json_object_get(item, "name"));
    ret->from = json_string_value(json_object_get(item, "from"));
    if (ret->name == NULL)
        return bad(f, "needs probes with a name each");
    ret->hosts = arena_array(&f->h->arena, json_array_size(hosts) + 1, sizeof(*ret->hosts));
    if (ret->hosts == NULL)
        return no_memory(f);
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        ret->hosts[i] = json_string_value(json_array_get(hosts, i));
        if (ret->hosts[i] == NULL)
            return bad(f, "needs hosts by name");
        ret->n_hosts++;
    }
    return 0;
}

static int on_probes(struct filler *f)
{
    struct history *h = f->h;
    const json_t *list = f->line->list;
    if (h->probes != NULL)
        return bad(f, "stands only once");
    h->probes = arena_array(&h->arena, json_array_size(list) + 1, sizeof(*h->probes));
    if (h->probes == NULL)
        return no_memory(f);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (probe_fill(f, json_array_get(list, i), &h->probes[h->n_probes++]) != 0)
            return -1;
    return 0;
}

/* Room for as many of `ev` as stand between here and the trial's end. */
static size_t count_ahead(const struct filler *f, const char *ev)
{
    size_t n = 0;
    for (size_t i = f->number; i < f->h->n_events; i++) {
        const char *name = json_string_value(json_object_get(f->h->events[i].members, "ev"));
        if (name != NULL && strcmp(name, "trial.end") == 0)
            break;
        if (name != NULL && strcmp(name, ev) == 0)
            n++;
    }
    return n;
}

static int on_trial_start(struct filler *f)
{
    struct history *h = f->h;
    if (f->trial != NULL)
        return bad(f, "stands inside another trial");
    if (f->line->trial < 0 || f->line->trial >= UINT32_MAX)
        return bad(f, "needs the trial's number");
    for (size_t i = 0; i < h->n_trials; i++)
        if (h->trials[i].trial == (uint32_t)f->line->trial)
            return bad(f, "names a trial for the second time");
    struct history_trial *t = &h->trials[h->n_trials++];
    *t = (struct history_trial){.trial = (uint32_t)f->line->trial,
                                .first_event = f->number - 1,
                                .fault_free = f->line->fault_free == 1,
                                .start_ns = f->line->t,
                                .end_ns = HISTORY_UNKNOWN,
                                .steady_ns = HISTORY_UNKNOWN,
                                .guard_ns = HISTORY_UNKNOWN,
                                .abort_ns = HISTORY_UNKNOWN,
                                .by_hand_ns = HISTORY_UNKNOWN,
                                .failed_number = HISTORY_UNKNOWN,
                                .failed_ns = HISTORY_UNKNOWN,
                                .until_ns = HISTORY_UNKNOWN,
                                .late = -1,
                                .gaps = -1,
                                .sent = -1,
                                .cpu_ns = -1};
    t->injections = arena_array(&h->arena, count_ahead(f, "prepare") + 1, sizeof(*t->injections));
    t->roles = arena_array(&h->arena, count_ahead(f, "role") + 1, sizeof(*t->roles));
    t->vantages = arena_array(&h->arena, count_ahead(f, "prober") + 1, sizeof(*t->vantages));
    if (t->injections == NULL || t->roles == NULL || t->vantages == NULL)
        return no_memory(f);
    f->trial = t;
    return 0;
}

static int on_trial_end(struct filler *f)
{
    f->trial->end_ns = f->line->t;
    f->trial->outcome = f->line->outcome != NULL ? f->line->outcome : "done";
    f->trial = NULL;
    return 0;
}

static int on_steady(struct filler *f)
{
    if (f->line->held < 0)
        return bad(f, "needs `held`");
    f->trial->steady_known = true;
    f->trial->steady_held = f->line->held == 1;
    f->trial->steady_ns = f->line->t;
    f->trial->steady_why = f->line->why;
    return 0;
}

static int on_role(struct filler *f)
{
    const struct history_line *l = f->line;
    if (l->role == NULL || l->when == NULL)
        return bad(f, "needs role and when");
    f->trial->roles[f->trial->n_roles++] = (struct history_role){
        .t = l->t, .role = l->role, .host = l->host, .when = l->when, .ok = l->ok == 1};
    return 0;
}

static struct history_injection *injection_find(const struct history_trial *t, const char *id)
{
    for (size_t i = 0; id != NULL && i < t->n_injections; i++)
        if (strcmp(t->injections[i].id, id) == 0)
            return &t->injections[i];
    return NULL;
}

static int on_prepare(struct filler *f)
{
    const struct history_line *l = f->line;
    struct history_trial *t = f->trial;
    if (l->injection == NULL || l->fault == NULL || l->host == NULL)
        return bad(f, "needs injection, fault and host");
    if (injection_find(t, l->injection) != NULL)
        return bad(f, "names an injection for the second time");
    t->injections[t->n_injections++] = (struct history_injection){
        .id = l->injection,
        .fault = l->fault,
        .host = l->host,
        .group = l->group,
        .step = l->step,
        .wave = l->wave,
        .phase = l->phase,
        .args = l->args,
        .for_ns = l->for_ns,
        .asked_ns = HISTORY_UNKNOWN,
        .active_ns = HISTORY_UNKNOWN,
        .revert_asked_ns = HISTORY_UNKNOWN,
        .undone_ns = HISTORY_UNKNOWN,
    };
    return 0;
}

/* The injection that the line is about; -1 and a message when there is none. */
static int injection_of(struct filler *f, struct history_injection **ret)
{
    *ret = injection_find(f->trial, f->line->injection);
    if (*ret == NULL)
        return bad(f, "names an injection that was never prepared");
    if (f->line->error != NULL && (*ret)->error == NULL)
        (*ret)->error = f->line->error;
    return 0;
}

static int on_prepared(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    i->prepared = f->line->ok == 1;
    i->refused = f->line->refused == 1;
    return 0;
}

static int on_apply(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    /* Intent: the fault may be on from here, even when no result follows. */
    i->asked_ns = f->line->t;
    return 0;
}

static int on_applied(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    const struct history_line *l = f->line;
    i->applied = l->ok == 1;
    if (l->asked_ns >= 0)
        i->asked_ns = l->asked_ns;
    if (i->applied) {
        i->active_ns = l->active_ns >= 0 ? l->active_ns : l->t;
        if (i->asked_ns == HISTORY_UNKNOWN || i->active_ns < i->asked_ns)
            return bad(f, "is active before it was asked for");
    }
    return 0;
}

static int on_evidence(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    static const enum evidence_class classes[] = {EVIDENCE_COUNTER, EVIDENCE_STATE, EVIDENCE_EVENT};
    for (size_t c = 0; f->line->class != NULL && c < 3; c++)
        if (strcmp(evidence_class_word(classes[c]), f->line->class) == 0) {
            i->evidence_class = classes[c];
            i->evidence_seen = true;
        }
    if (!i->evidence_seen || f->line->proven < 0)
        return bad(f, "needs class and proven");
    struct history_evidence *e = arena_array(&f->h->arena, 1, sizeof(*e));
    if (e == NULL)
        return no_memory(f);
    *e = (struct history_evidence){.t = f->line->t,
                                   .asked_ns = f->line->asked_ns,
                                   .items = f->line->items,
                                   .proven = f->line->proven == 1,
                                   .what = f->line->what};
    if (i->newest != NULL)
        i->newest->next = e;
    else
        i->evidence = e;
    i->newest = e;
    return 0;
}

static int on_renew(struct filler *f)
{
    for (size_t k = 0; k < json_array_size(f->line->lapsed); k++) {
        struct history_injection *i =
            injection_find(f->trial, json_string_value(json_array_get(f->line->lapsed, k)));
        if (i != NULL)
            i->lapsed = true;
    }
    return 0;
}

static int on_revert(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    if (i->revert_asked_ns == HISTORY_UNKNOWN)
        i->revert_asked_ns = f->line->t;
    return 0;
}

static int on_reverted(struct filler *f)
{
    struct history_injection *i;
    if (injection_of(f, &i) != 0)
        return -1;
    const struct history_line *l = f->line;
    i->reverted = l->ok == 1;
    i->foreign = l->foreign == 1;
    i->what = l->what;
    i->ended_by = l->ended_by;
    i->restored_by = restored_by_find(l->restored_by);
    if (l->asked_ns >= 0)
        i->revert_asked_ns = l->asked_ns;
    if (i->reverted)
        i->undone_ns = l->done_ns >= 0 ? l->done_ns : l->t;
    return 0;
}

static int on_runbook(struct filler *f)
{
    if (f->line->recovery == 1 && f->trial->by_hand_ns == HISTORY_UNKNOWN)
        f->trial->by_hand_ns = f->line->t;
    return 0;
}

static int on_step(struct filler *f)
{
    const struct history_line *l = f->line;
    (void)on_runbook(f);
    if (l->state != NULL && strcmp(l->state, "failed") == 0 && f->trial->failed_step == NULL) {
        f->trial->failed_step = l->what != NULL ? l->what : "a step failed";
        f->trial->failed_number = l->step;
        f->trial->failed_ns = l->t;
    }
    return 0;
}

static int on_prober(struct filler *f)
{
    return history_vantage_take(f->h, f->trial, f->line) == 0 ? 0 : no_memory(f);
}

static int on_guard(struct filler *f)
{
    if (f->trial->guard_probe == NULL) {
        f->trial->guard_probe = f->line->probe != NULL ? f->line->probe : "the blast radius";
        f->trial->guard_what = f->line->what;
        f->trial->guard_ns = f->line->t;
    }
    return 0;
}

static int on_abort(struct filler *f)
{
    const char **why = f->trial != NULL ? &f->trial->abort_why : &f->h->abort_why;
    const char **what = f->trial != NULL ? &f->trial->abort_what : &f->h->abort_what;
    if (*why != NULL)
        return 0;
    *why = f->line->why != NULL ? f->line->why : "error";
    *what = f->line->what;
    if (f->trial != NULL)
        f->trial->abort_ns = f->line->t;
    return 0;
}

static int on_run_end(struct filler *f)
{
    f->h->ended = true;
    f->h->aborted = f->line->aborted == 1;
    f->h->error = f->line->error;
    return 0;
}

static const struct handler {
    const char *ev;
    bool in_trial; /* outside of one it is an error */
    int (*run)(struct filler *f);
} handlers[] = {
    {"run.start", false, on_run_start},
    {"lab.up", false, on_lab_up},
    {"probes", false, on_probes},
    {"host", false, on_host},
    {"trial.start", false, on_trial_start},
    {"trial.end", true, on_trial_end},
    {"steady", true, on_steady},
    {"role", true, on_role},
    {"prepare", true, on_prepare},
    {"prepared", true, on_prepared},
    {"apply", true, on_apply},
    {"applied", true, on_applied},
    {"evidence", true, on_evidence},
    {"renew", true, on_renew},
    {"revert", true, on_revert},
    {"reverted", true, on_reverted},
    {"step", true, on_step},
    {"runbook", true, on_runbook},
    {"prober", true, on_prober},
    {"guard", true, on_guard},
    {"abort", false, on_abort},
    {"run.end", false, on_run_end},
};

static int line_apply(struct filler *f)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strcmp(handlers[i].ev, f->line->ev) != 0)
            continue;
        if (handlers[i].in_trial && f->trial == NULL)
            return bad(f, "stands outside of any trial");
        return handlers[i].run(f);
    }
    return 0;
}

static size_t count_trials(const struct history *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_events; i++) {
        const char *name = json_string_value(json_object_get(h->events[i].members, "ev"));
        n += name != NULL && strcmp(name, "trial.start") == 0;
    }
    return n;
}

int history_fill(struct history *h, struct err *err)
{
    struct filler f = {.h = h, .number = 0, .err = err};
    size_t n = count_trials(h);
    h->trials = arena_array(&h->arena, n + 1, sizeof(*h->trials));
    if (h->trials == NULL)
        return no_memory(&f);
    for (size_t i = 0; i < h->n_events; i++) {
        struct history_line line;
        struct history_event *e = &h->events[i];
        if (history_line_read(e->members, i + 1, &line, err) != 0)
            return -1;
        e->t = line.t;
        e->ev = line.ev;
        h->end_ns = line.t > h->end_ns ? line.t : h->end_ns;
        f.line = &line;
        f.number = i + 1;
        if (i == 0 && strcmp(line.ev, "run.start") != 0)
            return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":1: must be run.start");
        bool inside = f.trial != NULL;
        if (line_apply(&f) != 0)
            return -1;
        if (inside || f.trial != NULL)
            h->trials[e->trial = (uint32_t)(h->n_trials - 1)].n_events++;
    }
    return 0;
}
