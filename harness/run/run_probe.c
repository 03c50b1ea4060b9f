/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probers: one process for each vantage; their samples go to the journal and to the engine. */
#include "run/run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct run *run;
    size_t role;
    int64_t asked_ns;
    size_t hosts[PLAN_HOSTS_MAX]; /* of the endpoints, in their order */
};

static const char *vantage_name(const struct scenario_probe *p)
{
    return p->from != NULL ? p->from : "client";
}

static void on_samples(void *ctx, const struct sample *samples, size_t n)
{
    struct run_vantage *v = ctx;
    struct run *r = v->run;
    struct err err;
    if (n == 0 || r->journal == NULL)
        return;
    if (journal_samples_add(r->journal, samples[0].trial, samples, n, &err) < 0)
        run_break(r, &err);
    for (size_t i = 0; i < n; i++)
        run_live_add(r->live, &samples[i]);
}

/* For people: a probe turned while something is, or was, injected. Counted from the newest fault
 * before it went bad; a slot is known to be bad only at its time limit, which is not hidden. */
static void tell_turn(struct run *r, size_t probe, bool good, const struct sample *last)
{
    const char *name = scenario_probe_label(&r->scenario->probes[probe]);
    if (!good) {
        r->shown[probe].fault_ns = r->fault_ns;
        r->shown[probe].fault = r->fault;
    }
    int64_t from = r->shown[probe].fault_ns;
    double after = from >= 0 ? (double)(last->due_ns - from) / 1e9 : 0;
    if (after < 0) /* it was on its way when the fault came */
        after = 0;
    double later = (double)(run_now(r) - last->due_ns) / 1e9;
    char known[40] = "";
    if (later >= 0.5)
        (void)snprintf(known, sizeof(known), " (known %.1f s later)", later);
    const char *fault = from >= 0 ? r->shown[probe].fault : "the start";
    if (good)
        run_say(r, "recovered: %s, %.3f s after %s%s", name, after, fault, known);
    else
        run_say(r, "failing: %s (%s), %.3f s after %s%s", name, sample_result_word(last->result),
                after, fault, known);
}

static void tell_signal(struct run *r, size_t probe, bool there, const struct sample *last)
{
    double after = r->fault_ns >= 0 ? (double)(last->due_ns - r->fault_ns) / 1e9 : 0;
    const char *name = scenario_probe_label(&r->scenario->probes[probe]);
    if (!there)
        run_say(r, "silent again: %s", name);
    else if (r->fault_ns >= 0)
        run_say(r, "signal: %s, %.3f s after %s", name, after > 0 ? after : 0, r->fault);
    else
        run_say(r, "signal: %s, without a fault", name);
}

/* For people: what this slot turned, if it turned anything. */
static void tell_slot(struct run *r, size_t probe, bool good, const struct sample *last)
{
    bool was_good = r->shown[probe].good, seen = r->shown[probe].seen;
    if (r->scenario->probes[probe].signal) {
        if (was_good != good || (good && !seen))
            tell_signal(r, probe, good, last);
        return;
    }
    if (engine_state(r->engine) == ENGINE_STEADY && !good && (!seen || was_good))
        run_say(r, "waiting for the steady state: %s is bad (%s)",
                scenario_probe_label(&r->scenario->probes[probe]),
                sample_result_word(last->result));
    if (seen && was_good != good && engine_state(r->engine) >= ENGINE_INJECT)
        tell_turn(r, probe, good, last);
}

static void on_slot(void *ctx, size_t probe, bool good, const struct sample *last)
{
    struct run *r = ctx;
    if (!r->shown[probe].seen || r->shown[probe].good != good)
        run_record(r, "probe.state",
                   json_pack("{s:s, s:s, s:s}", "probe", r->scenario->probes[probe].name, "from",
                             vantage_name(&r->scenario->probes[probe]), "state",
                             good ? "good" : "bad"));
    tell_slot(r, probe, good, last);
    r->shown[probe].seen = true;
    r->shown[probe].good = good;
    run_post(r, EVENT_PROBE, probe, good, last->due_ns,
             good ? NULL : sample_result_word(last->result));
}

static void on_prober_lost(void *ctx, const struct err *why)
{
    struct run_vantage *v = ctx;
    struct err err = *why;
    v->lost = true;
    (void)run_lab_ended(v->run); /* then that is why */
    (void)wrap_error(&err, "the prober at %s", v->host);
    run_break(v->run, &err);
}

static int spawn_prober(void *ctx, const int *fds, size_t n_fds, pid_t *ret_pid, struct err *err)
{
    struct run_vantage *v = ctx;
    char program[PATH_MAX + 32];
    (void)snprintf(program, sizeof(program), "%s/blackstart-prober", v->run->exe_dir);
    const char *const argv[] = {program, NULL};
    return lab_spawn(v->run->lab, v->host, argv, fds, n_fds, ret_pid, err);
}

static struct run_vantage *find_vantage(struct run *r, const char *host)
{
    for (size_t i = 0; i < r->n_vantages; i++)
        if (strcmp(r->vantages[i].host, host) == 0)
            return &r->vantages[i];
    return NULL;
}

static void on_done(void *ctx, const struct err *err)
{
    struct run *r = ctx;
    if (err != NULL)
        run_break(r, err);
    if (r->pending > 0)
        r->pending--;
}

static int open_vantage(struct run *r, const char *host, struct err *err)
{
    if (find_vantage(r, host) != NULL)
        return 0;
    if (r->n_vantages == RUN_VANTAGES_MAX)
        return make_error(err, ERR_LIMIT, 0, "probes from more than %d hosts",
                          (int)RUN_VANTAGES_MAX);
    struct run_vantage *v = &r->vantages[r->n_vantages];
    *v = (struct run_vantage){.run = r, .host = host};
    struct proberlink_events events = {.samples = on_samples, .lost = on_prober_lost, .ctx = v};
    if (proberlink_open(r->base, spawn_prober, v, &events, &v->client, err) < 0)
        return wrap_error(err, "start the prober at %s", host);
    r->n_vantages++;
    r->pending++;
    return proberlink_configure(v->client, r->clock.epoch, r->options->seed, on_done, r, err);
}

size_t run_endpoints(struct run *r, const struct selector *of, size_t *hosts,
                     struct prober_endpoint *ret, struct err *err)
{
    struct selector_host all[PLAN_HOSTS_MAX];
    bool chosen[PLAN_HOSTS_MAX] = {false};
    for (size_t i = 0; i < r->plan->n_hosts; i++)
        all[i] = (struct selector_host){.name = r->plan->hosts[i].name,
                                        .labels = r->plan->hosts[i].labels,
                                        .n_labels = r->plan->hosts[i].n_labels};
    if (of == NULL)
        (void)make_error(err, ERR_INPUT, 0, "it has no hosts");
    else if (selector_resolve(of, all, r->plan->n_hosts, NULL, 0, r->options->seed, chosen, err) ==
             0) {
        size_t n = 0;
        for (size_t h = 0; h < r->plan->n_hosts; h++) {
            if (!chosen[h])
                continue;
            const struct plan_host *host = &r->plan->hosts[h];
            ret[n] = (struct prober_endpoint){.name = host->name};
            for (size_t a = 0; a < host->n_addrs; a++) {
                char text[64];
                (void)addr_print(&host->addrs[a], text, sizeof(text));
                text[strcspn(text, "/")] = '\0';
                if (host->addrs[a].family == 4)
                    (void)snprintf(ret[n].ip, sizeof(ret[n].ip), "%.15s", text);
                else
                    (void)snprintf(ret[n].ip6, sizeof(ret[n].ip6), "%.45s", text);
            }
            hosts[n++] = h;
        }
        return n;
    }
    return 0;
}

static int add_probe(struct run *r, size_t index, size_t *ret_n, json_t *list, struct err *err)
{
    const struct scenario_probe *p = &r->scenario->probes[index];
    struct prober_endpoint endpoints[PLAN_HOSTS_MAX];
    size_t hosts[PLAN_HOSTS_MAX];
    size_t n = run_endpoints(r, p->hosts, hosts, endpoints, err);
    if (n == 0)
        return wrap_error(err, "probe %s", p->name);
    *ret_n = n;
    json_t *names = json_array();
    for (size_t k = 0; k < n; k++)
        (void)json_array_append_new(names, json_string(endpoints[k].name));
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", p->name, "from",
                                                vantage_name(p), "hosts", names));
    if (journal_samples_schedule(r->journal, (uint16_t)index, r->options->seed, p->every.ns, err) <
        0)
        return -1;
    struct run_vantage *v = find_vantage(r, vantage_name(p));
    r->pending++;
    return proberlink_add(v->client, (uint16_t)index, p, endpoints, n, on_done, r, err);
}

int run_probes_start(struct run *r, struct err *err)
{
    const struct scenario *s = r->scenario;
    size_t n_endpoints[ENGINE_PROBES_MAX] = {0};
    for (size_t i = 0; i < s->n_probes; i++)
        if (open_vantage(r, vantage_name(&s->probes[i]), err) < 0)
            return -1;
    for (size_t i = 0; i < s->n_roles; i++)
        if (open_vantage(r, vantage_name(&s->roles[i]), err) < 0)
            return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_probes; i++)
        if (add_probe(r, i, &n_endpoints[i], list, err) < 0) {
            json_decref(list);
            return -1;
        }
    run_record(r, "probes", json_pack("{s:o}", "list", list));
    if (run_live_new(s, n_endpoints, on_slot, r, &r->live, err) < 0)
        return -1;
    return run_wait(r, RUN_SETUP_S, "the probers", err);
}

void run_probes_stop(struct run *r)
{
    for (size_t i = 0; i < r->n_vantages; i++)
        proberlink_close(r->vantages[i].client);
    r->n_vantages = 0;
    run_live_free(r->live);
    r->live = NULL;
}

static void on_started(void *ctx, const struct err *err)
{
    if (err != NULL)
        run_break(ctx, err);
}

void run_probes_begin_trial(struct run *r, uint32_t trial)
{
    struct err err;
    for (size_t i = 0; i < r->n_vantages; i++)
        if (!r->vantages[i].lost &&
            proberlink_start(r->vantages[i].client, trial, on_started, r, &err) < 0)
            run_break(r, &err);
}

static json_t *machine_json(const struct prober_machine *m)
{
    json_t *o = json_object();
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"steal", m->steal},
                {"ticks", m->ticks},
                {"pressure_us", m->pressure_us},
                {"load_milli", m->load_milli}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].value >= 0)
            (void)json_object_set_new(o, rows[i].name, json_integer(rows[i].value));
    return o;
}

/* What the prober told of itself; NULL: it did not answer, and what it had is not complete. All
 * hosts of a lab share one clock. */
static void record_health(struct run *r, const char *vantage, const struct prober_health *h)
{
    if (h == NULL) {
        run_record(r, "prober",
                   json_pack("{s:s, s:I}", "vantage", vantage, "until_ns", (json_int_t)run_now(r)));
        return;
    }
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:{s:i, s:i}, s:o, s:o}", "vantage",
                          vantage, "late", (json_int_t)h->late, "gaps", (json_int_t)h->gaps, "sent",
                          (json_int_t)h->sent, "cpu_ns", (json_int_t)h->cpu_ns, "until_ns",
                          (json_int_t)h->until_ns, "clock", "lo_ns", 0, "hi_ns", 0, "begin",
                          machine_json(&h->begin), "end", machine_json(&h->end));
    if (json_array_size(h->served) != 0)
        (void)json_object_set_new(o, "served", json_deep_copy(h->served));
    if (h->null_n > 0)
        (void)json_object_set_new(
            o, "null",
            json_pack("{s:I, s:I, s:I, s:I, s:I}", "n", (json_int_t)h->null_n, "late",
                      (json_int_t)h->null_late, "p50_ns", (json_int_t)h->null_p50_ns, "p99_ns",
                      (json_int_t)h->null_p99_ns, "max_ns", (json_int_t)h->null_max_ns));
    run_record(r, "prober", o);
}

static void end_drain(struct run *r)
{
    struct err err;
    r->draining = false;
    if (r->drain_timer != NULL)
        (void)evtimer_del(r->drain_timer);
    for (size_t i = 0; i < r->n_vantages; i++)
        if (r->vantages[i].stopping || r->vantages[i].lost)
            record_health(r, r->vantages[i].host, NULL);
    if (journal_samples_end(r->journal, &err) < 0)
        run_break(r, &err);
    run_loads_drain(r);
}

/* A prober that was stopped, or that the machine starves, must not hold the run for good. */
static void on_drain_late(evutil_socket_t fd, short what, void *ctx)
{
    struct run *r = ctx;
    struct err err;
    (void)fd;
    (void)what;
    if (!r->draining || r->pending == 0)
        return;
    const char *host = "";
    for (size_t i = r->n_vantages; i-- > 0;) {
        struct run_vantage *v = &r->vantages[i];
        if (!v->stopping)
            continue;
        host = v->host;
        v->stopping = false;
        record_health(r, host, NULL); /* the last that is recorded of this trial */
    }
    (void)make_error(&err, ERR_TIMEOUT, 0,
                     "the prober at %s did not answer for %d s: its measurement is not complete",
                     host, RUN_DRAIN_S);
    run_break(r, &err);
    r->pending = 0;
    end_drain(r);
}

static void arm_drain(struct run *r)
{
    struct timeval limit = {.tv_sec = 0};
    for (size_t i = 0; i < r->scenario->n_probes; i++) {
        time_t timeout = (time_t)(r->scenario->probes[i].timeout.ns / NS_PER_SEC) + 1;
        limit.tv_sec = timeout > limit.tv_sec ? timeout : limit.tv_sec;
    }
    limit.tv_sec += RUN_DRAIN_S;
    if (r->drain_timer == NULL)
        r->drain_timer = evtimer_new(r->base, on_drain_late, r);
    if (r->drain_timer != NULL)
        (void)evtimer_add(r->drain_timer, &limit);
}

static void on_stopped(void *ctx, const struct prober_health *health, const struct err *err)
{
    struct run_vantage *v = ctx;
    struct run *r = v->run;
    if (!r->draining || !v->stopping)
        return;
    if (err != NULL)
        run_break(r, err);
    else
        v->stopping = false;
    if (health != NULL)
        record_health(r, v->host, health);
    if (r->pending > 0 && --r->pending == 0)
        end_drain(r);
}

void run_probes_drain(struct run *r)
{
    struct err err;
    run_logs_after(r);
    r->draining = true;
    r->pending = 1;
    for (size_t i = 0; i < r->n_vantages; i++) {
        struct run_vantage *v = &r->vantages[i];
        v->stopping = false;
        if (v->lost)
            continue;
        v->stopping = true;
        r->pending++;
        if (proberlink_stop(v->client, on_stopped, v, &err) < 0) {
            r->pending--;
            run_break(r, &err);
        }
    }
    if (--r->pending == 0)
        end_drain(r);
    else
        arm_drain(r);
}

static void on_answer(void *ctx, const struct prober_answer *answers, size_t n,
                      const struct err *err)
{
    struct question *q = ctx;
    uint64_t holders = 0;
    for (size_t k = 0; err == NULL && k < n; k++)
        if (answers[k].result == SAMPLE_GOOD)
            holders |= UINT64_C(1) << q->hosts[k];
    run_post_role(q->run, q->role, holders, q->asked_ns);
    free(q);
}

void run_probes_ask(struct run *r, size_t role)
{
    const struct scenario_probe *p = &r->scenario->roles[role];
    struct prober_endpoint endpoints[PLAN_HOSTS_MAX];
    struct err err;
    struct question *q = calloc(1, sizeof(*q));
    if (q == NULL)
        abort(); /* as in run_agent.c: too small to fail alone */
    *q = (struct question){.run = r, .role = role, .asked_ns = run_now(r)};
    size_t n = run_endpoints(r, p->hosts, q->hosts, endpoints, &err);
    struct run_vantage *v = find_vantage(r, vantage_name(p));
    if (n == 0 || v == NULL || v->lost ||
        proberlink_ask(v->client, p, endpoints, n, on_answer, q, &err) < 0) {
        run_post_role(r, role, 0, q->asked_ns);
        free(q);
    }
}
