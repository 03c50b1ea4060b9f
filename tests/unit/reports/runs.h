/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of every kind, as stories, beside what their reports must say. */
#ifndef BLACKSTART_TESTS_REPORTS_RUNS_H
#define BLACKSTART_TESTS_REPORTS_RUNS_H

#include "../analysis/golden.h"

#define REPORTS_MAX 8

struct reported {
    const char *name;
    struct story story;
    const char *verdict;
    int exit_status;
    const char *says[REPORTS_MAX]; /* in the text, in this order */
    const char *never;             /* in the text; NULL: nothing is forbidden */
};

static const struct scenario_target run_bought = {
    .kind = TARGET_AVAILABILITY, .probe = "write", .over = {STORY_MS(1000)}, .limit = {500000}};
static const struct scenario_target run_answered = {
    .kind = TARGET_AVAILABILITY, .probe = "write", .over = {STORY_MS(3000)}, .limit = {10000}};
static const struct scenario_symptom run_symptoms[] = {
    {.shows = "nobody can <buy> & \"pay\" | `it`",
     .missed = true,
     .targets = &run_bought,
     .n_targets = 1},
    {.shows = "the page answers", .targets = &run_answered, .n_targets = 1}};

static const struct reported runs[] = {
    {"pass",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1},
     "pass",
     0,
     {"pass: ", "recovery_time of write from fault: 1.490 s .. 1.602 s", "5.000 s",
      "process.pause on n1: proven", "n1: clean", "n2: not looked at", "fault on", "fault off"},
     "NOT"},
    {"fail",
     {OUTAGE, .recovery_limit_ms = 200, .blast_permille = -1},
     "fail",
     1,
     {"fail: ", "1.490 s .. 1.602 s", "0.200 s", "n1: clean"},
     NULL},
    {"inconclusive",
     {OUTAGE, .recovery_limit_ms = 1550, .blast_permille = -1},
     "inconclusive",
     3,
     {"inconclusive: ", "1.490 s .. 1.602 s", "1.550 s"},
     NULL},
    {"invalid",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = STORY_PREPARE("i1", "network.partition", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "counter", "false")
              STORY_REVERTED("i1", "6000000000", "6020000000")},
     "invalid",
     3,
     {"invalid: ", "matched nothing", "network.partition on n1: NOT PROVEN", "what was seen"},
     NULL},
    {"aborted",
     {BEFORE BAD_1S5, .recovery_limit_ms = 200, .blast_permille = -1,
      .more = "{'t':4000000000,'ev':'abort','why':'interrupt','what':'stopped by the person'}\n"},
     "inconclusive",
     3,
     {"inconclusive: ", "stopped by the person", "abort"},
     NULL},
    {"a dirty host",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .dirty = true},
     "pass",
     4,
     {"pass: ", "DIRTY", "n1: NOT CLEAN", "+ route to nowhere", "ip route del",
      "/var/lib/app: written by app"},
     NULL},
    {"a dry trial",
     {QUIET, .availability_permille = 990, .over_ms = 5000, .blast_permille = -1, .faults = "",
      .no_fault = true},
     "pass",
     0,
     {"pass: no fault was injected", "not judged", ": 100.000 % .. 100.000 %", "without faults",
      "slots since the steady state", "nothing was injected"},
     "since the fault"},
    {"several trials",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .trials = 3},
     "pass",
     0,
     {"pass: ", "3 of 3 trials passed", "trial 0: pass", "trial 1: pass", "trial 2: pass"},
     NULL},
    {"symptoms shown",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .symptoms = run_symptoms,
      .n_symptoms = 2},
     "pass",
     0,
     {"pass: ", "symptoms of the outage", "shown        \"nobody can <buy> & \"pay\" | `it`\"",
      "availability of write over 1s must be missed: ", "the page answers"},
     NULL},
    {"and in none of several trials",
     {QUIET, .recovery_limit_ms = 5000, .blast_permille = -1, .trials = 3, .dry_first = true,
      .symptoms = run_symptoms, .n_symptoms = 2},
     "invalid",
     3,
     {"invalid: trial 1: the reproduction did not show \"nobody can <buy>", "not shown    \"nobody",
      "shown in 0 of 2 trials", "shown in 2 of 2 trials; and in the fault-free one"},
     NULL},
    {"a torn journal",
     {BEFORE BAD_1S5, .recovery_limit_ms = 5000, .blast_permille = -1, .torn = true,
      .faults = STORY_PREPARE("i1", "process.pause", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "state", "true")},
     "inconclusive",
     3,
     {"inconclusive: ", "journal ends before the run", "verified gone ?", "torn"},
     NULL},
    {"a bad baseline",
     {QUIET, .recovery_limit_ms = 5000, .blast_permille = -1,
      .steady = "'held':false,'why':'write is bad'", .faults = ""},
     "invalid",
     3,
     {"invalid: ", "already bad", "write is bad", "nothing was injected"},
     NULL},
};

#endif
