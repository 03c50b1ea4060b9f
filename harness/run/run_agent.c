/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agents: one child for each host but `client`, and the calls that the engine asks for. */
#include "run/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct err *run_agent_failure(const json_t *result, const struct err *err)
{
    return result != NULL ? NULL : err;
}

struct run_call *run_call_new(struct run *r, size_t index, const char *id)
{
    struct run_call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort(); /* a few dozen bytes: nothing that could be reported would work either */
    c->run = r;
    c->index = index;
    (void)snprintf(c->id, sizeof(c->id), "%s", id != NULL ? id : "");
    return c;
}

static void on_lost(void *ctx, const struct err *why)
{
    struct run_agent *a = ctx;
    if (!a->up)
        return;
    a->up = false;
    if (!run_host_ended(a->run, a->host)) /* that is told by itself */
        run_say(a->run, "the agent of %s is gone: %s", a->run->plan->hosts[a->host].name, why->msg);
    if (!a->run->started)
        run_break(a->run, why);
    run_post(a->run, EVENT_AGENT_LOST, a->host, false, 0, why->msg);
}

/* The injection with this id in the present trial; n when it is of an earlier one. */
static size_t find_injection(const struct run *r, const char *id)
{
    size_t n = engine_n_injections(r->engine), i = 0;
    while (i < n && strcmp(engine_injection(r->engine, i)->id, id) != 0)
        i++;
    return i;
}

static void on_notice(void *ctx, const char *method, const json_t *params)
{
    struct run_agent *a = ctx;
    const char *id = json_string_value(json_object_get(params, "injection"));
    const char *by = json_string_value(json_object_get(params, "ended_by"));
    if (strcmp(method, "ended") != 0 || id == NULL || by == NULL || a->run->engine == NULL)
        return;
    size_t i = find_injection(a->run, id);
    if (strcmp(by, "instant") != 0 && i < engine_n_injections(a->run->engine))
        run_post(a->run, EVENT_INJECTION_ENDED, i, false, 0, by);
}

bool run_agent_link_failed(struct run *r, size_t host, const struct err *err)
{
    struct run_agent *a = &r->agents[host];
    if (err == NULL)
        return false;
    if (err->code == ERR_TIMEOUT && a->up) {
        on_lost(a, err);
        agentlink_close(a->link); /* end of file: the agent reverts everything */
        a->link = NULL;
    }
    return !a->up || run_lab_ended(r);
}

static int spawn_agent(struct run *r, size_t host, int *ret_fd, struct err *err)
{
    char program[PATH_MAX + 32], state[PATH_MAX + NAME_MAX_LEN + 8];
    (void)snprintf(program, sizeof(program), "%s/blackstart-agent", r->exe_dir);
    const char *name = r->plan->hosts[host].name;
    (void)snprintf(state, sizeof(state), "%s/agent-%s", r->state_dir, name);
    const char *const argv[] = {program, "stdio",      "--run", r->id,       "--host", name,
                                "--lab", "--state",    state,   "--root-fd", "@ROOT",  "--proc-fd",
                                "@PROC", "--init-pid", "@INIT", NULL};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return make_error(err, ERR_SYSTEM, errno, "make a link to the agent of %s", name);
    pid_t pid;
    int rc = lab_spawn(r->lab, name, argv, &ends[1], 1, &pid, err);
    (void)close(ends[1]);
    if (rc < 0) {
        (void)close(ends[0]);
        return wrap_error(err, "start the agent of %s", name);
    }
    *ret_fd = ends[0];
    return 0;
}

int run_agent_open(struct run *r, size_t host, agentlink_done *hello, struct err *err)
{
    struct run_agent *a = &r->agents[host];
    a->run = r;
    a->host = host;
    int fd = -1;
    struct agentlink_events events = {.lost = on_lost, .notice = on_notice, .ctx = a};
    char who[NAME_MAX_LEN + 12];
    (void)snprintf(who, sizeof(who), "agent of %s", r->plan->hosts[host].name);
    if (spawn_agent(r, host, &fd, err) < 0 ||
        agentlink_open(r->base, fd, who, &events, &a->link, err) < 0)
        return -1;
    a->up = true;
    char digest[65];
    catalogue_digest(r->options->faults, digest);
    json_t *params =
        json_pack("{s:i, s:s, s:s, s:s, s:i}", "protocol", 1, "run", r->id, "host",
                  r->plan->hosts[host].name, "catalogue", digest, "lease_ms", RUN_LEASE_S * 1000);
    agentlink_call(a->link, "hello", params, RUN_CALL_NS, hello, run_call_new(r, host, NULL));
    return 0;
}

int run_agent_fit(const json_t *hello, struct err *err)
{
    const json_t *one;
    size_t i;
    json_int_t unreadable = json_integer_value(json_object_get(hello, "unreadable"));
    if (unreadable > 0)
        return make_error(err, ERR_DIRTY, 0,
                          "%d undo records are there that this version cannot read: run "
                          "blackstart-agent undo --all there, with the version that wrote them",
                          (int)unreadable);
    json_array_foreach(json_object_get(hello, "replayed"), i, one)
    {
        const char *fault = json_string_value(json_object_get(one, "fault"));
        const char *what = json_string_value(json_object_get(one, "what"));
        if (!json_is_true(json_object_get(one, "reverted")))
            return make_error(err, ERR_DIRTY, 0, "an earlier %.60s is not put back: %.300s",
                              fault != NULL ? fault : "fault", what != NULL ? what : "unknown");
    }
    return 0;
}

static void on_hello(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                     int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run *r = c->run;
    struct err unfit;
    (void)sent_ns;
    (void)got_ns;
    if (err == NULL && run_agent_fit(result, &unfit) != 0)
        err = &unfit;
    if (err != NULL) {
        struct err why = *err;
        (void)wrap_error(&why, "the agent of %s", r->plan->hosts[c->index].name);
        run_break(r, &why);
    }
    r->pending--;
    free(c);
}

int run_agents_start(struct run *r, struct err *err)
{
    for (size_t h = 0; h < r->plan->n_hosts; h++) {
        if (!r->plan->hosts[h].has_agent)
            continue;
        r->pending++;
        if (run_agent_open(r, h, on_hello, err) < 0)
            return -1;
    }
    return run_wait(r, RUN_SETUP_S, "the agents", err);
}

void run_agents_stop(struct run *r)
{
    for (size_t h = 0; h < PLAN_HOSTS_MAX; h++) {
        if (r->agents[h].link != NULL)
            agentlink_close(r->agents[h].link);
        json_decref(r->agents[h].left);
        r->agents[h].link = NULL;
        r->agents[h].left = NULL;
        r->agents[h].up = false;
    }
}

static const struct scenario_step *step_of(const struct run *r, const struct engine_injection *i)
{
    return r->plan->steps[i->step].step;
}

static json_t *id_params(const struct engine_injection *i)
{
    return json_pack("{s:s}", "injection", i->id);
}

/* About one injection, to its host's agent; a lost one is not asked. Steals params. */
static void call(struct run *r, size_t injection, const char *method, json_t *params,
                 agentlink_done *done)
{
    const struct engine_injection *i = engine_injection(r->engine, injection);
    const struct run_agent *a = &r->agents[i->host];
    if (step_of(r, i)->load != NULL)
        run_load_call(r, injection, method, params, done);
    else if (a->up)
        agentlink_call(a->link, method, params, RUN_CALL_NS, done,
                       run_call_new(r, injection, i->id));
    else
        json_decref(params);
}

/* What the agent itself said: which host it is of, stands beside it. */
static const char *own_words(const struct err *err)
{
    const char *colon = strncmp(err->msg, "agent of ", 9) == 0 ? strstr(err->msg, ": ") : NULL;
    return colon != NULL ? colon + 2 : err->msg;
}

/* Says what came back of prepare or apply, and tells the engine. */
static void on_prepared(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                        int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run *r = c->run;
    bool denied = err != NULL && err->code == ERR_DENIED;
    (void)result;
    (void)sent_ns;
    (void)got_ns;
    json_t *members = json_pack("{s:s, s:b, s:s*}", "injection", c->id, "ok", err == NULL,
                                denied ? "what" : "error", err != NULL ? err->msg : NULL);
    if (denied)
        (void)json_object_set_new(members, "refused", json_true());
    run_record(r, "prepared", members);
    if (denied)
        run_post_refused(r, c->index, own_words(err));
    else if (!run_agent_link_failed(r, engine_injection(r->engine, c->index)->host, err))
        run_post(r, EVENT_PREPARED, c->index, err == NULL, 0, err != NULL ? err->msg : NULL);
    free(c);
}

void run_agent_prepare(struct run *r, size_t injection)
{
    const struct engine_injection *i = engine_injection(r->engine, injection);
    const struct fault *fault = step_of(r, i)->fault;
    json_t *args = params_encode(fault->params, fault->n_params, i->args);
    json_t *params = json_pack("{s:s, s:s, s:o, s:i}", "injection", i->id, "fault", fault->name,
                               "args", json_incref(args), "lease_ms", RUN_LEASE_S * 1000);
    const struct scenario_identity *as = step_of(r, i)->as;
    if (as != NULL) {
        json_t *groups = json_array();
        for (size_t k = 0; k < as->n_groups; k++)
            (void)json_array_append_new(groups, json_string(as->groups[k]));
        (void)json_object_set_new(
            params, "as",
            json_pack("{s:s, s:o}", "user", scenario_identity_user(as), "groups", groups));
    }
    /* While a person looks, `for` stands still here, which the agent cannot know. */
    if (i->for_ns > 0 && !r->options->hold)
        (void)json_object_set_new(params, "for_ms", json_integer(i->for_ns / NS_PER_MS));
    json_t *members =
        json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:I}", "injection", i->id, "fault", fault->name,
                  "host", r->plan->hosts[i->host].name, "group", (int)i->group, "step",
                  (int)i->step + 1, "args", args, "for_ns", (json_int_t)i->for_ns);
    if (i->wave != 0)
        (void)json_object_set_new(members, "wave", json_integer(i->wave));
    if (i->phase != 0)
        (void)json_object_set_new(members, "phase", json_integer(i->phase));
    run_record(r, "prepare", members);
    call(r, injection, "prepare", params, on_prepared);
}

static void on_applied(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                       int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run *r = c->run;
    const struct engine_injection *i = engine_injection(r->engine, c->index);
    bool active = err == NULL && json_is_true(json_object_get(result, "active"));
    const char *what = json_string_value(json_object_get(result, "what"));
    const char *error = err != NULL ? err->msg : active ? NULL : "it is not active after all";
    int64_t asked = sent_ns - r->clock.epoch, got = got_ns - r->clock.epoch;
    run_record(r, "applied",
               json_pack("{s:s, s:b, s:s*, s:I, s:I, s:s*}", "injection", c->id, "ok", active,
                         "error", error, "asked_ns", (json_int_t)asked, "active_ns",
                         (json_int_t)got, "what", what));
    if (active) {
        run_say(r, "fault on: %s on %s", step_of(r, i)->fault->name, r->plan->hosts[i->host].name);
        const char *name = step_of(r, i)->name;
        r->fault_ns = got;
        r->fault = name != NULL ? name : step_of(r, i)->fault->name;
    }
    if (!run_agent_link_failed(r, i->host, err))
        run_post(r, EVENT_APPLIED, c->index, active, got, error);
    free(c);
}

void run_agent_apply(struct run *r, size_t injection)
{
    const struct engine_injection *i = engine_injection(r->engine, injection);
    r->seen[injection].asked = true;
    r->agents[i->host].touched = true;
    run_record(r, "apply", id_params(i));
    call(r, injection, "apply", id_params(i), on_applied);
}

void run_evidence_text(const struct run *r, char *ret, size_t size)
{
    const char *item = NULL;
    ret[0] = '\0';
    for (size_t i = 0; i < engine_n_injections(r->engine); i++) {
        const struct run_seen *seen = &r->seen[i];
        size_t used = strlen(ret);
        if (seen->item[0] == '\0' || seen->off)
            continue;
        bool same = item != NULL && strcmp(item, seen->item) == 0;
        if (!same)
            (void)snprintf(ret + used, size - used, "%s%s%s: ", used != 0 ? "; " : "", seen->item,
                           seen->counter ? " so far" : "");
        item = seen->item;
        used = strlen(ret);
        (void)snprintf(ret + used, size - used, "%s%s %lld", same ? ", " : "",
                       r->plan->hosts[engine_injection(r->engine, i)->host].name,
                       (long long)seen->count);
    }
}

/* asked_ns -1: the last reading, which came with the revert */
static void record_evidence(struct run *r, const char *id, int64_t asked_ns, const json_t *evidence)
{
    if (!json_is_object(evidence))
        return;
    json_t *members = json_deep_copy(evidence);
    (void)json_object_set_new(members, "injection", json_string(id));
    if (asked_ns >= 0)
        (void)json_object_set_new(members, "asked_ns", json_integer(asked_ns));
    run_record(r, "evidence", members);
    size_t i = find_injection(r, id);
    const char *class = json_string_value(json_object_get(evidence, "class"));
    void *item = json_object_iter(json_object_get(evidence, "items"));
    if (i >= engine_n_injections(r->engine) || item == NULL)
        return;
    struct run_seen *seen = &r->seen[i];
    (void)snprintf(seen->item, sizeof(seen->item), "%s", json_object_iter_key(item));
    seen->count = json_integer_value(json_object_iter_value(item));
    seen->counter = class != NULL && strcmp(class, evidence_class_word(EVIDENCE_COUNTER)) == 0;
    run_progress_show(r);
}

static void on_evidence(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                        int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    (void)got_ns;
    size_t i = find_injection(c->run, c->id);
    if (i < engine_n_injections(c->run->engine)) {
        size_t host = engine_injection(c->run->engine, i)->host;
        record_evidence(c->run, c->id, sent_ns - c->run->clock.epoch, result);
        (void)run_agent_link_failed(c->run, host, err);
    }
    free(c);
}

void run_agent_evidence(struct run *r, size_t injection)
{
    call(r, injection, "evidence", id_params(engine_injection(r->engine, injection)), on_evidence);
}

void run_agent_keep_left(struct run_agent *a, const char *id, const char *what)
{
    if (a->left == NULL)
        a->left = json_array();
    (void)json_array_append_new(a->left, json_sprintf("%s: %s", id, what));
}

const char *run_agent_restored_by(const json_t *result)
{
    const char *word = json_string_value(json_object_get(result, "restored_by"));
    return restored_by_find(word) != RESTORED_BY_NOBODY ? word : NULL;
}

static void on_reverted(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                        int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run *r = c->run;
    const struct engine_injection *i = engine_injection(r->engine, c->index);
    const char *host = r->plan->hosts[i->host].name;
    record_evidence(r, c->id, -1, json_object_get(result, "evidence"));
    const char *what = json_string_value(json_object_get(result, "what"));
    run_record(r, "reverted",
               json_pack("{s:s, s:b, s:s*, s:I, s:I, s:O*, s:b, s:s*, s:s*}", "injection", c->id,
                         "ok", err == NULL, "error", err != NULL ? err->msg : NULL, "asked_ns",
                         (json_int_t)(sent_ns - r->clock.epoch), "done_ns",
                         (json_int_t)(got_ns - r->clock.epoch), "ended_by",
                         json_object_get(result, "ended_by"), "foreign",
                         json_is_true(json_object_get(result, "foreign")), "what", what,
                         "restored_by", run_agent_restored_by(result)));
    bool lost = run_agent_link_failed(r, i->host, err);
    r->seen[c->index].off = err == NULL;
    if (err == NULL)
        run_say(r, "fault off: %s on %s%s%s", step_of(r, i)->fault->name, host,
                what != NULL && what[0] != '\0' ? ": " : "", what != NULL ? what : "");
    else if (!r->lab_ended && !r->agents[i->host].died)
        run_say(r, "%s on %s COULD NOT BE PUT BACK: %s", step_of(r, i)->fault->name, host,
                err->msg);
    if (err != NULL && !lost)
        run_agent_keep_left(&r->agents[i->host], c->id, err->msg);
    if (!lost)
        run_post(r, EVENT_REVERTED, c->index, err == NULL, 0, err != NULL ? err->msg : NULL);
    free(c);
}

void run_agent_revert(struct run *r, size_t injection)
{
    const struct engine_injection *i = engine_injection(r->engine, injection);
    run_record(r, "revert", id_params(i));
    call(r, injection, "revert", id_params(i), on_reverted);
}

static void on_renewed(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                       int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run *r = c->run;
    (void)sent_ns;
    (void)got_ns;
    const json_t *lapsed = json_object_get(result, "lapsed"), *id;
    size_t i;
    if (err != NULL || json_array_size(lapsed) != 0)
        run_record(r, "renew",
                   json_pack("{s:s, s:b, s:o}", "host", r->plan->hosts[c->index].name, "ok",
                             err == NULL, "lapsed",
                             lapsed != NULL ? json_deep_copy(lapsed) : json_array()));
    json_array_foreach(lapsed, i, id)
    {
        size_t at = json_is_string(id) ? find_injection(r, json_string_value(id)) : SIZE_MAX;
        if (at < engine_n_injections(r->engine))
            run_post(r, EVENT_LAPSED, at, false, 0, NULL);
    }
    (void)run_agent_link_failed(r, c->index, err);
    free(c);
}

void run_agent_renew(struct run *r, size_t host)
{
    if (r->agents[host].up)
        agentlink_call(r->agents[host].link, "renew",
                       json_pack("{s:i}", "lease_ms", RUN_LEASE_S * 1000), RUN_CALL_NS, on_renewed,
                       run_call_new(r, host, NULL));
}
