/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each kind of target says in each edge case: a run of up to three probes, a slot every
 * 100 ms, a pause of n1 sent at 3 s, active at 3.01 s, removed between 6 s and 6.02 s.
 */
#include "analysis/analysis.h"
#include "base/buf.h"
#include "base/clock.h"
#include "check.h"
#include "story.h"

#include <stdio.h>

enum { PROBES = 3 };

/* A character a slot: `.` good after 2 ms, `s` good after 400 ms, `w` answered after 600 ms, which
 * is too slow, `x` time-out, `r` too low a rate, `u` one that is not known, `-` gap, `l` good but
 * sent 50 ms late, `d` 20 ms, which still counts. For a signal `.` is there. */
struct tale {
    const char *name;
    const char *write, *read, *alert; /* NULL: no such probe */
    struct scenario_target target;
    const char *figures; /* "1.490..1.602 pass" */
    const char *why;     /* part of it */
    const char *more;    /* lines before `prober` */
    enum impact impact;
    bool dry;
    int rate_ms; /* the window of write's rate; 0: it is none */
};

#define N10        ".........."
#define X10        "xxxxxxxxxx"
#define G10        "----------"
#define R10        "rrrrrrrrrr"
#define BEFORE_3S  N10 N10 N10 "."
#define BAD_1S5    X10 "xxxxx"
#define AFTER_4S   N10 N10 N10 N10
#define OUTAGE     BEFORE_3S BAD_1S5 AFTER_4S /* bad from 3.1 s to 4.5 s */
#define QUIET      BEFORE_3S N10 "....." AFTER_4S
#define SILENT     X10 X10 X10 "x" BAD_1S5 X10 X10 X10 X10
#define FIRES_4S   X10 X10 X10 X10 ".........." N10 N10 X10 "xxxxxx" /* from 4.0 s on */
#define FIRES_3S   X10 X10 X10 "." N10 N10 N10 "......" X10 "xxxxxxxxx"
#define ABORT_AT_4 "{'t':4000000000,'ev':'abort','why':'guard','what':'enough'}\n"

#define LATENCY(p, ms, ...)                                                                        \
    {                                                                                              \
        .kind = TARGET_LATENCY, .probe = "write", .percentile = {(p)*10000},                       \
        .within = {STORY_MS(ms)}, __VA_ARGS__                                                      \
    }
#define LOST(name, ms, ...)                                                                        \
    {                                                                                              \
        .kind = TARGET_OUTAGE, .probe = (name), .within = {STORY_MS(ms)}, __VA_ARGS__              \
    }
#define BUDGET(share, percent)                                                                     \
    {                                                                                              \
        .kind = TARGET_BUDGET, .probe = "write", .slo = {share}, .period = {STORY_MS(100000)},     \
        .limit = {                                                                                 \
            (percent)*10000                                                                        \
        }                                                                                          \
    }
#define DETECT(ms, ...)                                                                            \
    {                                                                                              \
        .kind = TARGET_DETECTION, .probe = "alert", .within = {STORY_MS(ms)}, __VA_ARGS__          \
    }
#define BLAST(of_what, percent)                                                                    \
    {                                                                                              \
        .kind = TARGET_BLAST, .blast_of = (of_what), .limit = {(percent)*10000 }                   \
    }

static size_t tale_probes(const struct tale *t, struct scenario_probe *ret, const char **slots)
{
    const char *const names[PROBES] = {"write", "read", "alert"};
    const char *const given[PROBES] = {t->write, t->read, t->alert};
    size_t n = 0;
    for (size_t i = 0; i < PROBES; i++) {
        if (given[i] == NULL)
            continue;
        slots[n] = given[i];
        ret[n++] = (struct scenario_probe){.name = names[i],
                                           .every = {STORY_MS(100)},
                                           .timeout = {STORY_MS(1000)},
                                           .impact = i == 0 ? t->impact : IMPACT_ALLOWED,
                                           .signal = i == 2,
                                           .weight = i == 0 ? 3 : 1};
        if (i == 0 && t->rate_ms != 0)
            ret[n - 1].expect.rate =
                (struct probe_rate){.given = true, .over = {STORY_MS(t->rate_ms)}};
    }
    return n;
}

static struct sample tale_sample(size_t probe, uint32_t slot, char c)
{
    int64_t due = STORY_MS(100) * slot;
    struct sample s = {.due_ns = due,
                       .sent_ns = due + STORY_MS(c == 'l'   ? 50
                                                 : c == 'd' ? 20
                                                            : 0),
                       .slot = slot,
                       .probe = (uint16_t)probe,
                       .result = SAMPLE_GOOD};
    int64_t took = c == 's' ? 400 : c == 'w' ? 600 : c == 'x' ? 1000 : 2;
    s.done_ns = s.sent_ns + STORY_MS(took);
    if (c == 'w')
        s.result = SAMPLE_SLOW;
    else if (c == 'r' || c == 'u')
        s.result = c == 'r' ? SAMPLE_RATE : SAMPLE_RATE_UNKNOWN;
    else if (c == 'x')
        s.result = SAMPLE_TIMEOUT;
    else if (c == '-')
        s.result = SAMPLE_GAP;
    return s;
}

static void tale_lines(const struct tale *t, size_t len, struct buf *b)
{
    buf_puts(b,
             "{'t':0,'ev':'run.start','format':1,'run':'r','text':'','file':'f','sha256':'0'}\n");
    buf_puts(b, "{'t':0,'ev':'lab.up','hosts':[{'name':'n1'},{'name':'n2'}]}\n");
    buf_puts(b, "{'t':0,'ev':'probes','list':[{'name':'write','hosts':['n1']},"
                "{'name':'read','hosts':['n2']},{'name':'alert','hosts':['n2']}]}\n");
    buf_printf(b, "{'t':0,'ev':'trial.start','trial':0,'fault_free':%s}\n",
               t->dry ? "true" : "false");
    buf_puts(b, "{'t':2500000000,'ev':'steady','held':true}\n");
    buf_puts(b, t->dry ? "" : STORY_PAUSE);
    buf_puts(b, t->more != NULL ? t->more : "");
    buf_printf(b, "{'t':90000000000,'ev':'prober','sent':1,'until_ns':%lld}\n",
               (long long)STORY_MS(100) * (long long)len);
    buf_printf(b, "{'t':90000000000,'ev':'trial.end','trial':0,'outcome':'%s'}\n",
               t->more != NULL ? "aborted" : "done");
    buf_puts(b, "{'t':90000000000,'ev':'run.end','aborted':false}\n");
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '\'')
            b->data[i] = '"';
}

static void tale_check(const struct tale *t)
{
    static struct sample samples[1024];
    struct scenario_probe probes[PROBES];
    const char *slots[PROBES];
    struct fault fault = {.name = "process.pause"};
    struct scenario_step step = {.kind = STEP_FAULT, .fault = &fault};
    struct scenario s = {.probes = probes,
                         .targets = &t->target,
                         .n_targets = 1,
                         .steps = &step,
                         .n_steps = 1,
                         .steady_for = {STORY_MS(2000)},
                         .stable_for = {STORY_MS(1000)}};
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
    CLEANUP_HISTORY struct history *h = NULL;
    CLEANUP_ANALYSIS struct analysis *a = NULL;
    size_t n = 0;
    s.n_probes = tale_probes(t, probes, slots);
    for (size_t p = 0; p < s.n_probes; p++)
        for (uint32_t k = 0; slots[p][k] != '\0'; k++)
            samples[n++] = tale_sample(p, k, slots[p][k]);
    tale_lines(t, strlen(t->write), &text);
    if (history_parse(text.data, text.len, samples, n, &h, &err) != 0 ||
        analysis_make(&s, h, &a, &err) != 0 || a->n_trials != 1) {
        printf("\n  %s: %s\n", t->name, err.msg);
        CU_FAIL("the tale cannot be told");
        return;
    }
    const struct analysis_target *g = &a->trials[0].targets[0];
    char figures[120];
    (void)snprintf(figures, sizeof(figures), "%.3f..%.3f %s", g->lower, g->upper,
                   verdict_word(g->verdict));
    if (strcmp(figures, t->figures) != 0 || strstr(g->why, t->why) == NULL) {
        printf("\n  %s:\n  wanted %s \"%s\"\n  got    %s \"%s\"\n", t->name, t->figures, t->why,
               figures, g->why);
        CU_FAIL("another verdict");
    }
}

#define TALES(table)                                                                               \
    static void test_##table(void)                                                                 \
    {                                                                                              \
        for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                            \
            tale_check(&(table)[i]);                                                               \
    }

static const struct tale latency[] = {
    {"never impacted", QUIET, .target = LATENCY(90, 200, .over = {0}),
     .figures = "0.002..0.002 pass", .why = "upper bound 2.0 ms of 56 requests is within 200.0 ms"},
    {"answers that never came are slower than all", OUTAGE, .target = LATENCY(90, 200, .over = {0}),
     .figures = "1.000..inf fail", .why = "15 of 56 requests got no answer"},
    {"but not when fewer may be slow", OUTAGE, .target = LATENCY(50, 200, .over = {0}),
     .figures = "0.002..0.002 pass", .why = "within"},
    {"between: some of the bounds had no answer", OUTAGE, .target = LATENCY(75, 200, .over = {0}),
     .figures = "0.002..inf inconclusive", .why = "there is no upper bound"},
    {"too few for the percentile", QUIET, .target = LATENCY(99, 200, .over = {0}),
     .figures = "0.002..inf inconclusive",
     .why = "55 requests are too few: an upper bound of the 99% percentile needs 299"},
    {"slow, though good",
     BEFORE_3S "ssssssssss"
               "sssss" AFTER_4S,
     .target = LATENCY(90, 200, .over = {0}), .figures = "0.400..0.400 fail",
     .why = "lower bound 400.0 ms of 56 requests is beyond 200.0 ms"},
    {"from when it was due, not from when it was sent",
     BEFORE_3S "dddddddddd"
               "ddddd" AFTER_4S,
     .target = LATENCY(90, 200, .over = {0}), .figures = "0.022..0.022 pass",
     .why = "upper bound 22.0 ms"},
    {"answered, but too late: as late as it was",
     BEFORE_3S "wwwwwwwwww"
               "wwwww" AFTER_4S,
     .target = LATENCY(90, 700, .over = {0}), .figures = "0.600..0.600 pass",
     .why = "upper bound 600.0 ms"},
    {"what was sent late may have been anything",
     BEFORE_3S "llllllllll"
               "lllll" AFTER_4S,
     .target = LATENCY(20, 200, .over = {0}), .figures = "0.000..0.002 pass", .why = "upper bound"},
    {"and enough of it leaves no upper bound",
     BEFORE_3S "llllllllll"
               "lllll" AFTER_4S,
     .target = LATENCY(90, 200, .over = {0}), .figures = "0.002..inf inconclusive",
     .why = "0 of 56 requests got no answer and 15 are not known"},
    {"gaps",
     BEFORE_3S "--........"
               "....." AFTER_4S,
     .target = LATENCY(50, 200, .over = {0}), .figures = "0.002..0.002 inconclusive",
     .why = "2 of 56 requests of the window are missing"},
    {"over a window", BEFORE_3S BAD_1S5 AFTER_4S,
     .target = LATENCY(50, 200, .over = {STORY_MS(2000)}), .figures = "1.000..inf fail",
     .why = "15 of 20 requests got no answer"},
    {"during the fault", BEFORE_3S N10 N10 N10 "ssssssssss" N10 "....",
     .target = LATENCY(75, 200, .during = DURING_FAULT), .figures = "0.002..0.002 pass",
     .why = "of 31 requests"},
    {"during recovery", BEFORE_3S N10 N10 N10 "ssssssssss" N10 "....",
     .target = LATENCY(50, 200, .during = DURING_RECOVERY), .figures = "0.002..0.400 inconclusive",
     .why = "bounds reach up to 400.0 ms of 25 requests"},
    {"never recovered", BEFORE_3S X10 X10 X10 X10 X10 "....",
     .target = LATENCY(50, 200, .over = {0}), .figures = "1.000..inf fail", .why = "got no answer"},
    {"aborted", OUTAGE, .target = LATENCY(90, 200, .over = {0}), .more = ABORT_AT_4,
     .figures = "0.000..inf inconclusive", .why = "aborted (guard): enough; what would have come"},
    {"without a fault it is shown", QUIET, .target = LATENCY(90, 200, .over = {0}), .dry = true,
     .figures = "0.002..0.002 not judged", .why = "no fault was injected"},
};
TALES(latency)

static const struct tale outage[] = {
    {"never impacted", QUIET, .target = LOST("write", 100, .over = {0}),
     .figures = "0.000..0.000 pass", .why = "upper bound 0.000 s"},
    {"one outage", OUTAGE, .target = LOST("write", 2000, .over = {0}),
     .figures = "1.400..1.602 pass",
     .why = "upper bound 1.602 s of a full outage is within 2.000 s"},
    {"beyond the limit", OUTAGE, .target = LOST("write", 1000, .over = {0}),
     .figures = "1.400..1.602 fail",
     .why = "lower bound 1.400 s of a full outage is beyond 1.000 s"},
    {"between", OUTAGE, .target = LOST("write", 1500, .over = {0}),
     .figures = "1.400..1.602 inconclusive", .why = "the limit 1.500 s lies between the bounds"},
    {"flapping: each dip counts",
     BEFORE_3S "xxxxx"
               "..."
               "xxxxxxx" AFTER_4S,
     .target = LOST("write", 3000, .over = {0}), .figures = "1.000..1.404 pass", .why = "within"},
    /* The window and three intervals behind it: half a second. */
    {"of a rate: less its window", BEFORE_3S R10 "rrrrr" AFTER_4S, .rate_ms = 200,
     .target = LOST("write", 500, .over = {0}), .figures = "0.898..1.602 fail",
     .why = "beyond 0.500 s; what came back for less than a rate's window counts as away"},
    {"of a rate: shorter than the window", BEFORE_3S "rrrrr" AFTER_4S, .rate_ms = 200,
     .target = LOST("write", 500, .over = {0}), .figures = "0.000..0.602 inconclusive",
     .why = "lies between the bounds 0.000 s and 0.602 s"},
    {"of a rate: what is not known proves nothing", BEFORE_3S R10 "uuuuu" AFTER_4S, .rate_ms = 200,
     .target = LOST("write", 500, .over = {0}), .figures = "0.398..1.602 inconclusive",
     .why = "lies between"},
    {"of a rate: no answer proves its own instant", BEFORE_3S X10 "uuuuu" AFTER_4S, .rate_ms = 200,
     .target = LOST("write", 500, .over = {0}), .figures = "0.900..1.602 fail", .why = "beyond"},
    {"a part of the window", OUTAGE, .target = LOST("write", 1000, .over = {STORY_MS(500)}),
     .figures = "0.400..0.500 pass", .why = "within"},
    {"partial impact: by weight", OUTAGE, QUIET, .target = LOST(NULL, 2000, .over = {0}),
     .figures = "1.050..1.202 pass", .why = "within"},
    {"the other probe alone", OUTAGE, QUIET, .target = LOST("read", 100, .over = {0}),
     .figures = "0.000..0.000 pass", .why = "within"},
    {"a signal is no service", OUTAGE, NULL, SILENT, .target = LOST(NULL, 2000, .over = {0}),
     .figures = "1.400..1.602 pass", .why = "within"},
    {"gaps may have been lost",
     BEFORE_3S "----------"
               "....." AFTER_4S,
     .target = LOST("write", 100, .over = {0}), .figures = "0.000..1.102 inconclusive",
     .why = "10 of 56 slots of write in the window are missing"},
    {"a gap inside an outage",
     BEFORE_3S "xxxxx"
               "---"
               "xxxxxxx" AFTER_4S,
     .target = LOST("write", 3000, .over = {0}), .figures = "1.000..1.602 inconclusive",
     .why = "are missing"},
    {"never recovered", BEFORE_3S X10 X10 X10, .target = LOST("write", 5000, .over = {0}),
     .figures = "2.900..inf inconclusive", .why = "not recovered for good"},
    {"never recovered, and beyond", BEFORE_3S X10 X10 X10,
     .target = LOST("write", 2000, .over = {0}), .figures = "2.900..inf fail",
     .why = "lower bound 2.900 s"},
    {"aborted", OUTAGE, .target = LOST("write", 5000, .over = {0}), .more = ABORT_AT_4,
     .figures = "1.400..inf inconclusive", .why = "aborted (guard): enough"},
    {"without a fault", QUIET, .target = LOST("write", 5000, .over = {0}), .dry = true,
     .figures = "0.000..0.000 not judged", .why = "without one"},
};
TALES(outage)

/* 0.1 % of 100 s is 0.1 s, 10 % are 10 s. */
static const struct tale budget[] = {
    {"one outage", OUTAGE, .target = BUDGET(900000, 20), .figures = "0.140..0.160 pass",
     .why =
         "upper bound 16.020% of the 10.0 s that the budget allows is within 20.000%; 15 requests"},
    {"more than all", OUTAGE, .target = BUDGET(999000, 100), .figures = "14.000..16.020 fail",
     .why = "lower bound 1400.000% of the 0.1 s"},
    {"between", OUTAGE, .target = BUDGET(900000, 15), .figures = "0.140..0.160 inconclusive",
     .why = "the limit 15.000% lies between"},
    {"never impacted", QUIET, .target = BUDGET(900000, 1), .figures = "0.000..0.000 pass",
     .why = "0 requests were bad"},
    {"gaps",
     BEFORE_3S "----------"
               "....." AFTER_4S,
     .target = BUDGET(900000, 50), .figures = "0.000..0.110 inconclusive",
     .why = "10 of 56 slots are missing"},
    {"never recovered", BEFORE_3S X10 X10 X10, .target = BUDGET(900000, 50),
     .figures = "0.290..inf inconclusive", .why = "not recovered for good"},
    {"aborted", OUTAGE, .target = BUDGET(900000, 50), .more = ABORT_AT_4,
     .figures = "0.140..inf inconclusive", .why = "aborted (guard)"},
};
TALES(budget)

static const struct tale detection[] = {
    {"from the impact", OUTAGE, NULL, FIRES_4S, .target = DETECT(2000, .from = FROM_IMPACT),
     .figures = "0.800..1.002 pass", .why = "upper bound 1.002 s is within 2.000 s"},
    {"from the fault", OUTAGE, NULL, FIRES_4S, .target = DETECT(2000, .from = FROM_FAULT),
     .figures = "0.890..1.002 pass", .why = "within"},
    {"too late", OUTAGE, NULL, FIRES_4S, .target = DETECT(500, .from = FROM_IMPACT),
     .figures = "0.800..1.002 fail", .why = "lower bound 800.0 ms is beyond 500.0 ms"},
    {"between", OUTAGE, NULL, FIRES_4S, .target = DETECT(900, .from = FROM_IMPACT),
     .figures = "0.800..1.002 inconclusive", .why = "lies between"},
    {"of one service", QUIET, OUTAGE, FIRES_4S,
     .target = DETECT(2000, .from = FROM_IMPACT, .impact_on = "read"),
     .figures = "0.800..1.002 pass", .why = "within"},
    {"at once", BEFORE_3S "..." BAD_1S5 AFTER_4S, NULL, FIRES_3S "xxx",
     .target = DETECT(2000, .from = FROM_IMPACT), .figures = "0.000..0.000 pass",
     .why = "it was there before any impact"},
    {"never", OUTAGE, NULL, SILENT, .target = DETECT(2000, .from = FROM_IMPACT),
     .figures = "5.400..inf fail",
     .why = "lower bound 5.400 s is beyond 2.000 s; the signal never"},
    {"not yet", OUTAGE, NULL, SILENT, .target = DETECT(9000, .from = FROM_IMPACT),
     .figures = "5.400..inf inconclusive",
     .why = "the signal had not come when the observation ended"},
    {"without impact", QUIET, NULL, FIRES_4S, .target = DETECT(2000, .from = FROM_IMPACT),
     .figures = "0.000..1.002 pass",
     .why = "detected without an impact seen, at most 1.002 s after"},
    {"without impact, late", QUIET, NULL, FIRES_4S, .target = DETECT(500, .from = FROM_IMPACT),
     .figures = "0.000..1.002 inconclusive", .why = "detected without an impact seen"},
    {"neither", QUIET, NULL, SILENT, .target = DETECT(2000, .from = FROM_IMPACT),
     .figures = "0.000..inf inconclusive",
     .why = "no impact seen, and no signal: nothing to detect"},
    {"neither, but the fault should be noticed", QUIET, NULL, SILENT,
     .target = DETECT(2000, .from = FROM_FAULT), .figures = "5.490..inf fail", .why = "never came"},
    {"no impact where one is expected", QUIET, NULL, SILENT, .impact = IMPACT_EXPECTED,
     .target = DETECT(2000, .from = FROM_IMPACT), .figures = "0.000..inf invalid",
     .why = "nothing to detect"},
    {"on before the fault", OUTAGE, NULL, X10 X10 "xxxxx." FIRES_3S,
     .target = DETECT(2000, .from = FROM_IMPACT), .figures = "2.400..2.602 invalid",
     .why = "the signal alert was there before the fault"},
    {"gaps: it may have come in one", OUTAGE, NULL,
     X10 X10 X10 "xxx---xxxx..........." X10 X10 X10 "xxxxx",
     .target = DETECT(2000, .from = FROM_IMPACT), .figures = "0.100..1.002 inconclusive",
     .why = "3 of 56 slots of the signal are missing"},
    {"aborted before", OUTAGE, NULL, FIRES_4S,
     .more = "{'t':3500000000,'ev':'abort','why':'guard','what':'enough'}\n",
     .target = DETECT(2000, .from = FROM_IMPACT), .figures = "0.400..inf inconclusive",
     .why = "aborted (guard): enough; the signal had not come until then"},
    {"without a fault", QUIET, NULL, SILENT, .target = DETECT(2000, .from = FROM_IMPACT),
     .dry = true, .figures = "0.000..inf not judged", .why = "without one"},
};
TALES(detection)

static const struct tale blast[] = {
    {"services by weight", OUTAGE, QUIET, SILENT, .target = BLAST(BLAST_SERVICES, 80),
     .figures = "0.750..0.750 pass", .why = "75.0% of the probes' weight"},
    {"hosts: the faulted one", OUTAGE, QUIET, .target = BLAST(BLAST_HOSTS, 100),
     .figures = "1.000..1.000 pass", .why = "1 of the 2 hosts with a probe of their own"},
    {"hosts: another one too", OUTAGE, OUTAGE, .target = BLAST(BLAST_HOSTS, 100),
     .figures = "2.000..2.000 fail", .why = "2 of the 2 hosts"},
    {"hosts: none", QUIET, QUIET, .target = BLAST(BLAST_HOSTS, 100), .figures = "0.000..0.000 pass",
     .why = "0 of the 2 hosts"},
    {"hosts: one is not known", OUTAGE,
     BEFORE_3S "-----....."
               "....." AFTER_4S,
     .target = BLAST(BLAST_HOSTS, 100), .figures = "1.000..2.000 inconclusive", .why = "1 or more"},
    {"hosts: aborted", OUTAGE, QUIET, .target = BLAST(BLAST_HOSTS, 100), .more = ABORT_AT_4,
     .figures = "1.000..inf inconclusive", .why = "aborted (guard)"},
};
TALES(blast)

static const struct check_test tests[] = {
    {"latency", test_latency},     {"outage seconds", test_outage}, {"error budget", test_budget},
    {"detection", test_detection}, {"blast radius", test_blast},
};

CHECK_MAIN("analysis targets", tests)
