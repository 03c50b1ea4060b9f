/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small run with something of everything, from its scenario's text and its journal, for the files
 * in golden/ and for what takes reports apart: three trials after a fault-free one, of which one
 * meets its target, one misses it and one has a fault that did nothing; two probes; a host that was
 * left dirty.
 */
#ifndef BLACKSTART_TESTS_REPORTS_EXAMPLE_H
#define BLACKSTART_TESTS_REPORTS_EXAMPLE_H

#include "agents/faults/catalogue.h"
#include "base/clock.h"
#include "check.h"
#include "reports/report.h"

#include <stdio.h>

#define EXAMPLE_SCENARIO                                                                           \
    "version: 1\n"                                                                                 \
    "name: checkout\n"                                                                             \
    "description: The leader of the orders' store hangs.\n"                                        \
    "lab: {hosts: [n1, n2], services: {store: {command: /bin/store}}}\n"                           \
    "probes:\n"                                                                                    \
    "  write: {kind: tcp, port: 8080, hosts: [n1, n2], endpoints: any, every: 100ms}\n"            \
    "  read: {kind: tcp, port: 8081, hosts: n2, every: 100ms, impact: none}\n"                     \
    "steps:\n"                                                                                     \
    "  - {fault: process.pause, hosts: n1, service: store, for: 3s}\n"                             \
    "recovered: {stable_for: 1s}\n"                                                                \
    "targets:\n"                                                                                   \
    "  - recovery_time: {probe: write, from: fault, within: 1s}\n"                                 \
    "  - availability: {probe: read, over: 5s, at_least: 99.9%}\n"

enum { EXAMPLE_TRIALS = 4, EXAMPLE_SLOTS = 100, EXAMPLE_SAMPLES_MAX = 2000 };
#define EXAMPLE_TRIAL_NS (20 * NS_PER_SEC)

struct example {
    struct scenario *scenario;
    struct history *history;
    struct analysis *analysis;
};

static inline void example_trial(struct buf *b, int n, const char *id, bool proven)
{
    long long t = (long long)n * EXAMPLE_TRIAL_NS, s = NS_PER_SEC;
    buf_printf(b, "{'t':%lld,'ev':'trial.start','trial':%d,'fault_free':%s}\n", t, n,
               n == 0 ? "true" : "false");
    buf_printf(b, "{'t':%lld,'ev':'steady','held':true}\n", t + 2 * s);
    if (n != 0) {
        buf_printf(b,
                   "{'t':%lld,'ev':'role','role':'leader','host':'n1','when':'select','ok':true}\n",
                   t + 2 * s);
        buf_printf(b,
                   "{'t':%lld,'ev':'step','step':1,'what':'process.pause on n1','state':'begin'}\n"
                   "{'t':%lld,'ev':'prepare','injection':'%s','fault':'process.pause','host':'n1',"
                   "'group':0,'step':0,'args':{'service':'store'},'for_ns':3000000000}\n"
                   "{'t':%lld,'ev':'prepared','injection':'%s','ok':true}\n"
                   "{'t':%lld,'ev':'apply','injection':'%s'}\n",
                   t + 3 * s, t + 3 * s, id, t + 3 * s, id, t + 3 * s, id);
        buf_printf(b,
                   "{'t':%lld,'ev':'applied','injection':'%s','ok':true,'asked_ns':%lld,"
                   "'active_ns':%lld}\n",
                   t + 3 * s + 10000000, id, t + 3 * s, t + 3 * s + 10000000);
        buf_printf(b,
                   "{'t':%lld,'ev':'evidence','injection':'%s','items':{'stopped':%d},"
                   "'class':'state','proven':%s,'what':'%s'}\n",
                   t + 4 * s, id, proven, proven ? "true" : "false",
                   proven ? "process 214 is stopped" : "no process is stopped");
        buf_printf(b, "{'t':%lld,'ev':'probe.state','probe':'write','state':'bad'}\n", t + 4 * s);
        buf_printf(b,
                   "{'t':%lld,'ev':'reverted','injection':'%s','ok':true,'asked_ns':%lld,"
                   "'done_ns':%lld,'ended_by':'command','what':'process 214 goes on'}\n",
                   t + 6 * s + 20000000, id, t + 6 * s, t + 6 * s + 20000000);
        buf_printf(b,
                   "{'t':%lld,'ev':'step','step':1,'what':'process.pause on n1','state':'end'}\n",
                   t + 6 * s + 20000000);
    }
    buf_printf(b,
               "{'t':%lld,'ev':'prober','late':2,'gaps':0,'sent':300,'cpu_ns':41000000,"
               "'until_ns':%lld}\n",
               t + 10 * s, t + 10 * s);
    buf_printf(b, "{'t':%lld,'ev':'trial.end','trial':%d,'outcome':'done'}\n", t + 11 * s, n);
}

static inline void example_lines(int trials, struct buf *b)
{
    buf_puts(b, "{'t':12000000,'ev':'lab.up','hosts':[{'name':'n1','addrs':['10.0.0.1']},{'name':"
                "'n2','addrs':['10.0.0.2']}],'took_ns':12000000}\n"
                "{'t':13000000,'ev':'services.ready','took_ns':1000000}\n"
                "{'t':14000000,'ev':'probes','list':[{'name':'write','from':'client','hosts':['n1',"
                "'n2']},{'name':'read','from':'client','hosts':['n2']}]}\n");
    for (int n = 0; n < trials; n++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "i%d", n);
        example_trial(b, n, id, n != 3);
    }
    buf_puts(b,
             "{'t':80000000000,'ev':'host','host':'n1','clean':false,'differences':["
             "'+ route to nowhere'],'left':['i2: ip route del blackhole 10.0.0.9']}\n"
             "{'t':80000000000,'ev':'host','host':'n2','clean':true,'differences':[],'left':[]}\n"
             "{'t':80100000000,'ev':'run.end','aborted':false}\n");
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '\'')
            b->data[i] = '"';
}

/* The first line, which has the scenario's text in it. */
static inline void example_start(struct buf *b)
{
    json_t *o = json_pack(
        "{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{}, s:i, s:i, s:b}", "t", 0,
        "ev", "run.start", "format", 1, "run", "r1a2b-c3d4e", "wall", "2026-02-28T23:59:30Z",
        "version", "0.1.0", "kernel", "6.1.0-32-amd64", "machine", "x86_64", "scenario", "checkout",
        "file", "scenarios/checkout.yaml", "text", EXAMPLE_SCENARIO, "sha256",
        "f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "vars", "seed", 4711,
        "trials", 3, "no_fault", 0);
    char *line = json_dumps(o, JSON_COMPACT);
    buf_printf(b, "%s\n", line != NULL ? line : "");
    free(line);
    json_decref(o);
}

/* Writes fail on both hosts from 3.1 s of the trial on: 0.7 s in the first, 1.5 s in the others.
 * Slots from `first` on of each trial, at most EXAMPLE_SLOTS. */
static inline size_t example_samples(uint32_t trials, uint32_t first, struct sample *ret)
{
    size_t n = 0;
    for (uint32_t trial = 0; trial < trials; trial++)
        for (uint32_t k = first; k < EXAMPLE_SLOTS; k++)
            for (uint16_t e = 0; e < 3; e++) {
                int64_t due = trial * EXAMPLE_TRIAL_NS + k * 100 * NS_PER_MS;
                bool bad = e < 2 && trial != 0 && k >= 31 && k < (trial == 1 ? 38 : 46);
                ret[n++] = (struct sample){.due_ns = due,
                                           .sent_ns = due,
                                           .done_ns = due + (2 + e) * NS_PER_MS,
                                           .slot = trial * EXAMPLE_SLOTS + k,
                                           .probe = e == 2,
                                           .endpoint = e == 1,
                                           .trial = trial,
                                           .result = bad ? SAMPLE_TIMEOUT : SAMPLE_GOOD};
            }
    return n;
}

/* Fills *t, whatever comes of it; the analysis is NULL when the test has failed. */
static inline void example_tell(struct example *t)
{
    static struct sample samples[EXAMPLE_SAMPLES_MAX];
    struct problems problems = {0};
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf head = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20);
    *t = (struct example){.scenario = NULL};
    example_start(&head);
    example_lines(EXAMPLE_TRIALS, &text);
    buf_puts(&head, buf_text(&text));
    if (scenario_parse("scenarios/checkout.yaml", EXAMPLE_SCENARIO, strlen(EXAMPLE_SCENARIO),
                       &fault_catalogue, NULL, 0, &t->scenario, &problems, &err) != 0 ||
        history_parse(head.data, head.len, samples, example_samples(EXAMPLE_TRIALS, 0, samples),
                      &t->history, &err) != 0 ||
        analysis_make(t->scenario, t->history, &t->analysis, &err) != 0) {
        printf("\n  %s\n", err.msg);
        for (size_t i = 0; i < problems.n; i++)
            printf("  %s\n", problems.list[i].text);
        CU_FAIL("the example cannot be told");
    }
    problems_free(&problems);
}

static inline void example_free(struct example *t)
{
    analysis_free(t->analysis);
    history_free(t->history);
    scenario_free(t->scenario);
}

#endif
