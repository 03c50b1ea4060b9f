/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run told in a few words, as journal text and samples, for the tests of the analysis: a probe
 * `write` asked every 100 ms on n1 and n2, one pause of a leader on n1 sent at 3 s, active 10 ms
 * later, taken away at 6 s. Each field left empty is as a sound run has it.
 */
#ifndef BLACKSTART_TESTS_STORY_H
#define BLACKSTART_TESTS_STORY_H

#include "analysis/analysis.h"
#include "base/buf.h"
#include "base/clock.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define STORY_MS(n) ((int64_t)(n)*NS_PER_MS)

struct story {
    const char *write; /* a character a slot of 100 ms, from 0 s on: `.` good, `x` bad, `r` too low
                        * a rate, `-` gap */
    int rate_ms;       /* the probe's expect.rate: its window; 0: none */
    int recovery_limit_ms, availability_permille, over_ms; /* 0: no such target */
    int blast_permille;                                    /* -1: no such target */
    enum measured_from from;
    enum impact impact;
    const char *steady; /* default {"held":true} */
    const char *faults; /* lines between `steady` and `prober`; default: the pause */
    const char *more;   /* lines before `prober` */
    bool no_fault, dies, dirty;
    bool torn;               /* dies in the middle of a line */
    uint32_t trials;         /* default 1; all alike, but: */
    const char *const *each; /* the slots of each, as long as `write`; NULL: all as `write` */
    bool dry_first;          /* the first is without a fault */
    uint32_t stop;           /* 1 + the trial in which a person stops the run */
    bool stop_between;       /* or behind them all */
    const char *start;       /* more members of run.start: ",'trials':3" */
    const struct scenario_symptom *symptoms;
    size_t n_symptoms;
    const struct scenario_load *loads;
    size_t n_loads;
    int length_ms; /* of the scenario's fault step, which is for trials without a fault */
    bool wait_end; /* of that step */
    const struct scenario_approval *approval; /* asked before it; NULL: none */
    bool planned;                             /* and behind it come a command and a wait that are */
    bool acts;                                /* that step is no fault, but a command */
};

static inline const char *story_slots(const struct story *s, uint32_t trial)
{
    return s->each != NULL ? s->each[trial] : s->write;
}

#define STORY_PREPARE(id, fault, host, group)                                                      \
    "{'t':2900000000,'ev':'prepare','injection':'" id "','fault':'" fault "','host':'" host        \
    "','group':" group ",'step':0,'args':{},'for_ns':3000000000}\n"
#define STORY_APPLIED(id, asked, active)                                                           \
    "{'t':" active ",'ev':'applied','injection':'" id "','ok':true,'asked_ns':" asked              \
    ",'active_ns':" active "}\n"
#define STORY_EVIDENCE(id, class, proven)                                                          \
    "{'t':3500000000,'ev':'evidence','injection':'" id                                             \
    "','items':{'n':1},'class':'" class "','proven':" proven ",'what':'what was seen'}\n"
#define STORY_REVERTED(id, asked, done)                                                            \
    "{'t':" done ",'ev':'reverted','injection':'" id "','ok':true,'asked_ns':" asked               \
    ",'done_ns':" done ",'ended_by':'command'}\n"
#define STORY_PAUSE                                                                                \
    STORY_PREPARE("i1", "process.pause", "n1", "0")                                                \
    STORY_APPLIED("i1", "3000000000", "3010000000")                                                \
    STORY_EVIDENCE("i1", "state", "true") STORY_REVERTED("i1", "6000000000", "6020000000")

#define STORY_STOP                                                                                 \
    "{'t':5000000000,'ev':'abort','why':'interrupt','what':'stopped by the person'}\n"

static inline uint32_t story_trials(const struct story *s)
{
    return s->trials != 0 ? s->trials : 1;
}

/* False: the run dies in it. */
static inline bool story_trial(const struct story *s, uint32_t t, struct buf *b)
{
    bool dry = s->dry_first && t == 0;
    long long end = (long long)STORY_MS(100) * (long long)strlen(s->write);
    buf_printf(b, "{'t':0,'ev':'trial.start','trial':%u,'fault_free':%s}\n", t,
               s->no_fault || dry ? "true" : "false");
    buf_printf(b, "{'t':2500000000,'ev':'steady',%s}\n",
               s->steady != NULL ? s->steady : "'held':true");
    if (!dry)
        buf_puts(b, s->faults != NULL ? s->faults : STORY_PAUSE);
    buf_puts(b, s->more != NULL ? s->more : "");
    if (s->stop == t + 1)
        buf_puts(b, STORY_STOP);
    if (s->torn)
        buf_puts(b, "{'t':9000000000,'ev':'evid");
    if (s->dies || s->torn)
        return false;
    buf_printf(b, "{'t':%lld,'ev':'prober','sent':1,'until_ns':%lld}\n", end, end);
    buf_printf(b, "{'t':90000000000,'ev':'trial.end','trial':%u,'outcome':'%s'}\n", t,
               s->stop == t + 1 ? "aborted" : "done");
    return true;
}

static inline void story_lines(const struct story *s, struct buf *b)
{
    buf_puts(b, "{'t':0,'ev':'run.start','format':1,'run':'r','text':'','file':'f','sha256':'0'");
    buf_printf(b, ",'no_fault':%s%s}\n", s->no_fault ? "true" : "false",
               s->start != NULL ? s->start : "");
    buf_puts(b, "{'t':0,'ev':'lab.up','hosts':[{'name':'n1'},{'name':'n2'}]}\n");
    buf_puts(b, "{'t':0,'ev':'probes','list':[{'name':'write','hosts':['n1','n2']}]}\n");
    for (uint32_t t = 0; t < story_trials(s); t++)
        if (!story_trial(s, t, b))
            return;
    buf_printf(b, "{'t':90000000000,'ev':'host','host':'n1','clean':%s%s,'listed':[%s]}\n",
               s->dirty ? "false" : "true",
               s->dirty ? ",'differences':['+ route to nowhere'],'left':['i1: ip route del ...']"
                        : ",'differences':[],'left':[]",
               "'/var/lib/app: written by app'");
    if (s->stop_between)
        buf_puts(b, STORY_STOP);
    buf_printf(b, "{'t':90000000000,'ev':'run.end','aborted':%s}\n",
               s->stop_between || s->stop != 0 ? "true" : "false");
}

static inline size_t story_samples(const struct story *s, struct sample *ret, size_t max)
{
    size_t n = 0;
    for (uint32_t t = 0; t < story_trials(s); t++)
        for (uint32_t k = 0; k < strlen(s->write) && n + 2 <= max; k++)
            for (uint16_t e = 0; e < 2; e++) {
                int64_t due = STORY_MS(100) * k;
                char slot = story_slots(s, t)[k];
                enum sample_result result = slot == '.'   ? SAMPLE_GOOD
                                            : slot == 'x' ? SAMPLE_TIMEOUT
                                            : slot == 'r' ? SAMPLE_RATE
                                                          : SAMPLE_GAP;
                ret[n++] = (struct sample){.due_ns = due,
                                           .sent_ns = due,
                                           .done_ns = due + STORY_MS(2),
                                           .slot = k,
                                           .endpoint = e,
                                           .trial = t,
                                           .result = (uint16_t)result};
            }
    return n;
}

struct story_told {
    struct scenario scenario;
    struct scenario_probe probe;
    struct scenario_target targets[3];
    struct scenario_step step, steps[3];
    struct fault fault;
    struct history *history;
    struct analysis *analysis;
};

static inline void story_scenario(const struct story *s, struct story_told *t)
{
    *t = (struct story_told){.history = NULL};
    t->probe = (struct scenario_probe){.name = "write",
                                       .endpoints = ENDPOINTS_ANY,
                                       .every = {STORY_MS(100)},
                                       .timeout = {STORY_MS(1000)},
                                       .impact = s->impact,
                                       .weight = 1};
    t->probe.expect.rate =
        (struct probe_rate){.given = s->rate_ms != 0, .over = {STORY_MS(s->rate_ms)}};
    t->fault = (struct fault){.name = "process.kill", .lifetime = LIFETIME_INSTANT};
    t->step = (struct scenario_step){
        .kind = STEP_FAULT, .fault = &t->fault, .length = {STORY_MS(s->length_ms)}};
    t->step.wait_end = s->wait_end;
    if (s->approval != NULL)
        t->step.approval = *s->approval;
    t->step.kind = s->acts ? STEP_RUN : t->step.kind;
    t->steps[0] = t->step;
    t->steps[1] = (struct scenario_step){.kind = STEP_RUN, .planned = true};
    t->steps[2] = (struct scenario_step){.kind = STEP_WAIT, .planned = true};
    size_t n = 0;
    if (s->recovery_limit_ms != 0)
        t->targets[n++] = (struct scenario_target){.kind = TARGET_RECOVERY,
                                                   .probe = "write",
                                                   .from = s->from,
                                                   .within = {STORY_MS(s->recovery_limit_ms)}};
    if (s->availability_permille != 0)
        t->targets[n++] =
            (struct scenario_target){.kind = TARGET_AVAILABILITY,
                                     .probe = "write",
                                     .over = {STORY_MS(s->over_ms)},
                                     .limit = {(uint32_t)s->availability_permille * 1000}};
    if (s->blast_permille >= 0)
        t->targets[n++] = (struct scenario_target){.kind = TARGET_BLAST,
                                                   .limit = {(uint32_t)s->blast_permille * 1000}};
    t->scenario = (struct scenario){.probes = &t->probe,
                                    .n_probes = 1,
                                    .targets = t->targets,
                                    .n_targets = n,
                                    .symptoms = s->symptoms,
                                    .n_symptoms = s->n_symptoms,
                                    .loads = s->loads,
                                    .n_loads = s->n_loads,
                                    .steps = t->steps,
                                    .n_steps = s->planned ? 3 : 1,
                                    .steady_for = {STORY_MS(2000)},
                                    .stable_for = {STORY_MS(1000)}};
}

/* Fills *t, which the caller frees by story_free; the analysis is NULL when the test has failed. */
static inline void story_tell(const struct story *s, struct story_told *t)
{
    static struct sample samples[16384];
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    story_scenario(s, t);
    story_lines(s, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\'')
            text.data[i] = '"';
    size_t n = story_samples(s, samples, sizeof(samples) / sizeof(samples[0]));
    if (history_parse(text.data, text.len, samples, n, &t->history, &err) != 0 ||
        analysis_make(&t->scenario, t->history, &t->analysis, &err) != 0)
        CU_FAIL("the story cannot be told");
    CU_ASSERT_STRING_EQUAL(err.msg, "");
}

static inline void story_free(struct story_told *t)
{
    analysis_free(t->analysis);
    history_free(t->history);
}

#endif
