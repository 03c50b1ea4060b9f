/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recovery beside work that was announced: what lies wholly inside of it is not the fault's. */
#include "golden.h"

/* The fault is on from 3.0 s to 6.02 s; bad from 3.1 s to 4.5 s, and good until 6.7 s. */
#define FIRST BEFORE BAD_1S5 GOOD_2S ".."
#define STEP(t, n, state)                                                                          \
    "{'t':" t "0000000,'ev':'step','step':" n ",'what':'w','state':'" state "'}\n"
/* From 7 s to 8 s, and from there to 9 s. */
#define WINDOW                                                                                     \
    STEP("700", "2", "begin")                                                                      \
    STEP("800", "2", "end") STEP("800", "3", "begin") STEP("900", "3", "end")
#define APART                                                                                      \
    STEP("700", "2", "begin")                                                                      \
    STEP("800", "2", "end")                                                                        \
    STEP("800", "1", "end") STEP("801", "3", "begin") STEP("900", "3", "end")
#define CUT_SHORT STEP("700", "2", "begin")
/* Bad from 7.5 s to 8.3 s; from 6.9 s to 8.3 s; from 7.5 s to 9.1 s. */
#define INSIDE                                                                                     \
    FIRST "......."                                                                                \
          "xxxxxxxxx" GOOD_2S GOOD_2S
#define EARLIER                                                                                    \
    FIRST "."                                                                                      \
          "xxxxxxxxxxxxxxx" GOOD_2S GOOD_2S
#define LATER                                                                                      \
    FIRST "......."                                                                                \
          "xxxxxxxxxxxxxxxxx" GOOD_2S GOOD_2S
#define ALONE                                                                                      \
    BEFORE GOOD_2S GOOD_2S "...."                                                                  \
                           "xxxxxxxxx" GOOD_2S GOOD_2S
#define STILL_ON                                                                                   \
    STORY_PREPARE("i1", "process.pause", "n1", "0")                                                \
    STORY_APPLIED("i1", "3000000000", "3010000000")                                                \
    STORY_EVIDENCE("i1", "state", "true") STORY_REVERTED("i1", "7400000000", "7600000000")

#define RECOVERY .recovery_limit_ms = 9000, .blast_permille = -1
#define COUNTS(name, ...)                                                                          \
    {                                                                                              \
        name, {__VA_ARGS__, RECOVERY}, VERDICT_PASS, 0, "", "recovery_time 5.290..5.402 pass",     \
            "(the last of 2 outages"                                                               \
    }
static const struct golden planned[] = {
    {"inside: left out",
     {INSIDE, RECOVERY, .planned = true, .more = WINDOW},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 1.490..1.602 pass",
     "is within 9.000 s; left out: 1 outage that lies in a planned step"},
    COUNTS("nobody had planned it", INSIDE, .more = WINDOW),
    COUNTS("it began before", EARLIER, .planned = true, .more = WINDOW),
    COUNTS("the fault was still on", INSIDE, .planned = true, .more = WINDOW, .faults = STILL_ON),
    COUNTS("two windows with a step between them", INSIDE, .planned = true, .more = APART),
    COUNTS("a step that did not end is no window", INSIDE, .planned = true, .more = CUT_SHORT),
    {"it goes on behind",
     {LATER, RECOVERY, .planned = true, .more = WINDOW},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 6.090..6.202 pass",
     "(the last of 2 outages"},
    {"without any other there was no impact of the fault",
     {ALONE, RECOVERY, .planned = true, .more = WINDOW},
     VERDICT_PASS,
     0,
     "",
     NULL,
     "no impact seen"},
    {"which is not what was expected",
     {ALONE, RECOVERY, .planned = true, .more = WINDOW, .impact = IMPACT_EXPECTED},
     VERDICT_INVALID,
     3,
     "nothing to recover from; left out: 1 outage that lies in a planned step",
     NULL,
     NULL},
};
GOLDENS(planned)

static const struct check_test tests[] = {
    {"planned", test_planned},
};

CHECK_MAIN("recovery and planned work", tests)
