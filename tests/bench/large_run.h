/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a run's directory with as many samples as asked for, in the real format, by the real
 * writer: a scenario of three hosts, a fault in each trial with an outage after it, answers with
 * noise. The same numbers always give the same run.
 */
#ifndef BLACKSTART_TESTS_LARGE_RUN_H
#define BLACKSTART_TESTS_LARGE_RUN_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jitter.h"
#include "draw.h"
#include "journal/journal.h"

#include <stdio.h>
#include <stdlib.h>

struct large_run {
    const char *dir; /* is there, and empty */
    uint64_t samples;
    uint32_t trials, probes, endpoints;
    int64_t every_ns;
};

enum { LARGE_RUN_BATCH = 256, LARGE_RUN_LATE = 8192 };
#define LARGE_RUN_SEED UINT64_C(20266)

static inline void large_run_scenario(const struct large_run *l, struct buf *b)
{
    buf_puts(b, "version: 1\nname: large\nlab:\n  hosts:\n    client: {}\n");
    for (uint32_t i = 0; i < l->endpoints; i++)
        buf_printf(b, "    n%u: {labels: [member]}\n", i + 1);
    buf_puts(b, "probes:\n");
    for (uint32_t i = 0; i < l->probes; i++)
        buf_printf(b,
                   "  p%u: {kind: tcp, port: 80, hosts: {label: member}, endpoints: any, "
                   "every: %lldus, timeout: 1s}\n",
                   i, (long long)(l->every_ns / NS_PER_US));
    buf_puts(b, "steps:\n  - {fault: network.partition, hosts: [n1], peers: [client], for: 2s}\n"
                "targets:\n");
    for (uint32_t i = 0; i < l->probes; i++)
        buf_printf(b,
                   "  - recovery_time: {probe: p%u, within: 10s}\n"
                   "  - availability: {probe: p%u, over: 10s, at_least: 50%%}\n",
                   i, i);
}

struct large_run_maker {
    const struct large_run *l;
    struct journal *j;
    struct clock clock;
    uint64_t written;
    uint32_t slot; /* of each probe, the next one */
    int64_t base, down, up;
    struct sample batch[LARGE_RUN_BATCH];
    size_t n;
    bool failed;
};

static inline void large_run_append(struct large_run_maker *m, int64_t t, const char *ev,
                                    json_t *members)
{
    struct err err;
    if (!m->failed && journal_append_at(m->j, t, ev, members, &err) != 0) {
        (void)fprintf(stderr, "%s: %s\n", ev, err.msg);
        m->failed = true;
    }
}

static inline void large_run_flush(struct large_run_maker *m, uint32_t trial)
{
    struct err err;
    if (!m->failed && m->n != 0 && journal_samples_add(m->j, trial, m->batch, m->n, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        m->failed = true;
    }
    m->n = 0;
}

static inline void large_run_begin(struct large_run_maker *m)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    struct err err;
    large_run_scenario(m->l, &text);
    large_run_append(m, 0, "run.start",
                     json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{}, s:I, s:i, s:b}",
                               "format", 1, "run", "large", "wall", "2026-01-01T00:00:00Z",
                               "version", BLACKSTART_VERSION, "kernel", "none", "scenario", "large",
                               "file", "large.yaml", "text", buf_text(&text), "sha256", "00",
                               "vars", "seed", (json_int_t)LARGE_RUN_SEED, "trials",
                               (int)m->l->trials, "no_fault", 0));
    json_t *hosts = json_array(), *names = json_array(), *list = json_array();
    for (uint32_t i = 0; i < m->l->endpoints; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i + 1);
        (void)json_array_append_new(names, json_string(name));
        (void)json_array_append_new(hosts, json_pack("{s:s, s:[s], s:[s]}", "name", name, "addrs",
                                                     "10.0.0.1", "labels", "member"));
    }
    for (uint32_t i = 0; i < m->l->probes; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "p%u", i);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:O}", "name", name, "from", "client", "hosts", names));
        if (journal_samples_schedule(m->j, (uint16_t)i, LARGE_RUN_SEED, m->l->every_ns, &err) != 0)
            m->failed = true;
    }
    json_decref(names);
    large_run_append(m, 1, "lab.up", json_pack("{s:o, s:i}", "hosts", hosts, "took_ns", 1));
    large_run_append(m, 2, "probes", json_pack("{s:o}", "list", list));
}

/* One attempt; good unless it was sent in the outage. */
static inline struct sample large_run_sample(struct large_run_maker *m, uint32_t trial,
                                             uint16_t probe, uint16_t endpoint, int64_t *sent)
{
    int64_t due = m->base + (int64_t)m->slot * m->l->every_ns +
                  jitter_slot(LARGE_RUN_SEED, probe, m->slot, m->l->every_ns);
    *sent = endpoint == 0 ? due + 40000 + draw(40000) : *sent + draw(3000);
    uint32_t send = 20000 + (uint32_t)draw(30000);
    bool bad = *sent >= m->down && *sent < m->up;
    int64_t took = send + 80000 + draw(300000);
    struct sample s = {.due_ns = due,
                       .sent_ns = *sent,
                       .done_ns = *sent + (bad ? NS_PER_SEC + took / 8 : took),
                       .slot = m->slot,
                       .probe = probe,
                       .endpoint = endpoint,
                       .result = bad ? SAMPLE_TIMEOUT : SAMPLE_GOOD,
                       .bytes = bad ? 0 : 5,
                       .trial = trial,
                       .send_ns = send};
    *sent += send;
    return s;
}

static inline void large_run_put(struct large_run_maker *m, const struct sample *s)
{
    m->batch[m->n++] = *s;
    if (m->n == LARGE_RUN_BATCH)
        large_run_flush(m, s->trial);
    m->written++;
}

/* Slots up to `samples` of them; what timed out comes when the outage is over, as it would. */
static inline void large_run_slots(struct large_run_maker *m, uint32_t trial, uint64_t samples)
{
    struct sample *late = calloc(LARGE_RUN_LATE, sizeof(*late));
    size_t n_late = 0;
    while (!m->failed && late != NULL && m->written < samples) {
        for (uint16_t p = 0; p < m->l->probes; p++) {
            int64_t sent = 0;
            for (uint16_t e = 0; e < m->l->endpoints; e++) {
                struct sample s = large_run_sample(m, trial, p, e, &sent);
                if (s.result == SAMPLE_GOOD || n_late == LARGE_RUN_LATE)
                    large_run_put(m, &s);
                else
                    late[n_late++] = s;
            }
        }
        m->slot++;
        if (m->base + (int64_t)m->slot * m->l->every_ns > m->up)
            while (n_late != 0)
                large_run_put(m, &late[--n_late]);
    }
    while (late != NULL && n_late != 0)
        large_run_put(m, &late[--n_late]);
    free(late);
}

/* The fault comes three seconds after the trial's beginning and stays for two. */
static inline void large_run_trial(struct large_run_maker *m, uint32_t trial)
{
    const struct large_run *l = m->l;
    int64_t begin = m->base + (int64_t)m->slot * l->every_ns, on = begin + 3 * NS_PER_SEC;
    uint64_t samples = l->samples * (trial + 1) / l->trials;
    char id[16];
    struct err err;
    (void)snprintf(id, sizeof(id), "i%u", trial);
    m->down = on + 5 * NS_PER_MS;
    m->up = m->down + NS_PER_SEC + draw(NS_PER_SEC / 2);
    large_run_append(m, begin, "trial.start",
                     json_pack("{s:i, s:b}", "trial", (int)trial, "fault_free", 0));
    large_run_slots(m, trial, samples);
    large_run_flush(m, trial);
    int64_t end = m->base + (int64_t)m->slot * l->every_ns;
    large_run_append(m, on - NS_PER_MS, "steady", json_pack("{s:b}", "held", 1));
    large_run_append(m, on - 2000, "prepare",
                     json_pack("{s:s, s:s, s:s, s:i, s:i, s:{}, s:I}", "injection", id, "fault",
                               "network.partition", "host", "n1", "group", (int)trial, "step", 1,
                               "args", "for_ns", 2 * (json_int_t)NS_PER_SEC));
    large_run_append(m, on - 1000, "prepared", json_pack("{s:s, s:b}", "injection", id, "ok", 1));
    large_run_append(m, on, "apply", json_pack("{s:s}", "injection", id));
    large_run_append(m, on + NS_PER_MS, "applied",
                     json_pack("{s:s, s:b, s:I, s:I}", "injection", id, "ok", 1, "asked_ns",
                               (json_int_t)on, "active_ns", (json_int_t)on + NS_PER_MS));
    large_run_append(m, on + NS_PER_SEC, "evidence",
                     json_pack("{s:s, s:{s:i}, s:s, s:b, s:s, s:I}", "injection", id, "items",
                               "dropped", 40, "class", "counter", "proven", 1, "what",
                               "40 packets dropped", "asked_ns", (json_int_t)on + NS_PER_MS * 5));
    int64_t off = on + 2 * NS_PER_SEC;
    large_run_append(m, off, "revert", json_pack("{s:s}", "injection", id));
    large_run_append(m, off + NS_PER_MS, "reverted",
                     json_pack("{s:s, s:b, s:I, s:I, s:s}", "injection", id, "ok", 1, "asked_ns",
                               (json_int_t)off, "done_ns", (json_int_t)off + NS_PER_MS, "ended_by",
                               "command"));
    large_run_append(m, end, "prober",
                     json_pack("{s:s, s:i, s:i, s:I, s:i, s:I}", "vantage", "client", "late", 0,
                               "gaps", 0, "sent", (json_int_t)(samples / l->trials), "cpu_ns", 1,
                               "until_ns", (json_int_t)end));
    if (!m->failed && journal_samples_end(m->j, &err) != 0)
        m->failed = true;
    large_run_append(m, end + 1, "trial.end",
                     json_pack("{s:i, s:s}", "trial", (int)trial, "outcome", "done"));
    m->base += NS_PER_SEC;
}

/* 0, or -1 with a message on stderr. */
static inline int large_run_make(const struct large_run *l)
{
    struct err err;
    CLEANUP_JOURNAL struct journal *j = NULL;
    struct large_run_maker *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return -1;
    m->l = l;
    draw_state = LARGE_RUN_SEED;
    m->base = NS_PER_SEC;
    clock_virtual(&m->clock, 0);
    if (journal_create(l->dir, &m->clock, &j, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        free(m);
        return -1;
    }
    m->j = j;
    large_run_begin(m);
    for (uint32_t t = 0; t < l->trials; t++)
        large_run_trial(m, t);
    int64_t end = m->base + (int64_t)m->slot * l->every_ns;
    for (uint32_t i = 0; i < l->endpoints; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i + 1);
        large_run_append(
            m, end, "host",
            json_pack("{s:s, s:b, s:[], s:[]}", "host", name, "clean", 1, "differences", "left"));
    }
    large_run_append(m, end, "run.end", json_pack("{s:b}", "aborted", 0));
    bool failed = m->failed;
    free(m);
    return failed ? -1 : 0;
}

#endif
