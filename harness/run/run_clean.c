/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts before and after: the agents' baselines, and the comparison with them. */
#include "run/run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_baseline(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                        int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    struct run_agent *a = &c->run->agents[c->index];
    (void)sent_ns;
    (void)got_ns;
    const char *digest = json_string_value(json_object_get(result, "digest"));
    if (digest != NULL)
        (void)snprintf(a->digest, sizeof(a->digest), "%s", digest);
    if (!run_agent_link_failed(c->run, c->index, err))
        run_post(c->run, EVENT_BASELINE, c->index, err == NULL, 0, err != NULL ? err->msg : NULL);
    free(c);
}

void run_agent_baseline(struct run *r, size_t host)
{
    if (r->agents[host].up)
        agentlink_call(r->agents[host].link, "baseline", NULL, RUN_CALL_NS, on_baseline,
                       run_call_new(r, host, NULL));
}

/* The `host` line: what differs, what could not be put back, and what others wrote meanwhile (NULL:
 * not known). Steals differences. */
static void record_host(struct run *r, size_t host, bool clean, json_t *differences,
                        const json_t *listed)
{
    struct run_agent *a = &r->agents[host];
    bool left = json_array_size(a->left) != 0;
    clean = clean && !left;
    a->touched = !clean;
    const char *name = r->plan->hosts[host].name;
    if (clean)
        run_say(r, "host %s is clean", name);
    else
        run_say(r, "host %s IS NOT CLEAN: %zu differences", name, json_array_size(differences));
    run_record(r, "host",
               json_pack("{s:s, s:b, s:o, s:o, s:O*}", "host", name, "clean", clean, "differences",
                         differences, "left", a->left != NULL ? json_incref(a->left) : json_array(),
                         "listed", listed));
    run_post(r, EVENT_CLEAN, host, clean, 0, NULL);
}

static void on_clean(void *ctx, const json_t *result, const struct err *failed, int64_t sent_ns,
                     int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    (void)sent_ns;
    (void)got_ns;
    if (err != NULL && run_host_ended(c->run, c->index)) { /* it died while it was looked at */
        run_post(c->run, EVENT_CLEAN, c->index, false, 0, NULL);
        free(c);
        return;
    }
    json_t *differences = json_array();
    bool clean = err == NULL && json_is_true(json_object_get(result, "clean"));
    if (err != NULL)
        (void)json_array_append_new(differences, json_sprintf("not known: %s", err->msg));
    else
        (void)json_array_extend(differences, json_object_get(result, "differences"));
    record_host(c->run, c->index, clean, differences, json_object_get(result, "listed"));
    free(c);
}

/* What the lost agent's guardian had put back, no replay has to: that it is gone is known now. */
static void record_guarded(struct run *r, size_t host)
{
    for (size_t i = 0; i < engine_n_injections(r->engine); i++) {
        const struct engine_injection *injection = engine_injection(r->engine, i);
        if (injection->host != host || !r->seen[i].asked || r->seen[i].off)
            continue;
        r->seen[i].off = true;
        run_record(r, "reverted",
                   json_pack("{s:s, s:b, s:I, s:s, s:b, s:s}", "injection", injection->id, "ok", 1,
                             "done_ns", (json_int_t)run_now(r), "ended_by",
                             ended_by_word(ENDED_GUARDIAN), "foreign", 0, "what",
                             "put back without its agent, as a new one found"));
        run_say(r, "fault off: %s on %s, put back without its agent",
                r->plan->steps[injection->step].step->fault->name, r->plan->hosts[host].name);
    }
}

/* A new agent has no dump to compare with, but its own now has the same digest, or has not. */
static void on_new_baseline(void *ctx, const json_t *result, const struct err *failed,
                            int64_t sent_ns, int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    const char *was = c->run->agents[c->index].digest;
    (void)sent_ns;
    (void)got_ns;
    const char *is = json_string_value(json_object_get(result, "digest"));
    bool clean = err == NULL && is != NULL && was[0] != '\0' && strcmp(is, was) == 0;
    json_t *differences = json_array();
    if (clean)
        record_guarded(c->run, c->index);
    else
        (void)json_array_append_new(
            differences, json_sprintf("kernel objects are not as they were: digest %s, now %s (%s)",
                                      was, is != NULL ? is : "unknown",
                                      err != NULL ? err->msg : "read by a new agent"));
    record_host(c->run, c->index, clean, differences, NULL);
    free(c);
}

static void record_replay(struct run *r, size_t host, const json_t *replayed)
{
    struct run_agent *a = &r->agents[host];
    const json_t *one;
    size_t i;
    json_array_foreach(replayed, i, one)
    {
        bool ok = json_is_true(json_object_get(one, "reverted"));
        const char *what = json_string_value(json_object_get(one, "what"));
        run_record(r, "reverted",
                   json_pack("{s:O?, s:b, s:s, s:b, s:s*, s:s*}", "injection",
                             json_object_get(one, "injection"), "ok", ok, "ended_by", "replay",
                             "foreign", json_is_true(json_object_get(one, "foreign")), "what", what,
                             "restored_by", run_agent_restored_by(one)));
        const char *id = json_string_value(json_object_get(one, "injection"));
        for (size_t k = 0; id != NULL && k < engine_n_injections(r->engine); k++)
            if (strcmp(engine_injection(r->engine, k)->id, id) == 0)
                r->seen[k].off = true;
        run_say(r, "%s: %s on %s%s%s", ok ? "fault off" : "COULD NOT BE PUT BACK",
                id != NULL ? id : "?", r->plan->hosts[host].name, what != NULL ? ": " : "",
                what != NULL ? what : "");
        if (!ok)
            run_agent_keep_left(a, id != NULL ? id : "?", what != NULL ? what : "unknown");
    }
}

static void on_hello_again(void *ctx, const json_t *result, const struct err *failed,
                           int64_t sent_ns, int64_t got_ns)
{
    const struct err *err = run_agent_failure(result, failed);
    struct run_call *c = ctx;
    (void)sent_ns;
    (void)got_ns;
    struct run_agent *a = &c->run->agents[c->index];
    if (err != NULL) {
        record_host(c->run, c->index, false,
                    json_pack("[o]", json_sprintf("not known: %s", err->msg)), NULL);
        free(c);
        return;
    }
    record_replay(c->run, c->index, json_object_get(result, "replayed"));
    agentlink_call(a->link, "baseline", NULL, RUN_CALL_NS, on_new_baseline, c);
}

void run_agent_clean(struct run *r, size_t host)
{
    struct run_agent *a = &r->agents[host];
    struct err err;
    if (a->died || run_lab_ended(r)) { /* nothing is there to be clean */
        run_post(r, EVENT_CLEAN, host, false, 0, NULL);
        return;
    }
    if (a->up && !a->replaced) {
        agentlink_call(a->link, "clean", json_pack("{s:[]}", "paths"), RUN_CALL_NS, on_clean,
                       run_call_new(r, host, NULL));
        return;
    }
    if (a->up) {
        agentlink_call(a->link, "baseline", NULL, RUN_CALL_NS, on_new_baseline,
                       run_call_new(r, host, NULL));
        return;
    }
    /* A new agent replays what the lost one left. */
    if (a->link != NULL)
        agentlink_close(a->link);
    a->link = NULL;
    a->replaced = true;
    if (run_agent_open(r, host, on_hello_again, &err) < 0)
        record_host(r, host, false, json_pack("[o]", json_sprintf("not known: %s", err.msg)), NULL);
}
