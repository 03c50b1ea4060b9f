/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs whose trials alternate, each a process with a lab of its own: two builds (`run --against`),
 * or the variants of a scenario (`run --compare`). Each run is judged by itself here; what they are
 * together is the caller's.
 */
#ifndef BLACKSTART_CMD_RUN_TURNS_H
#define BLACKSTART_CMD_RUN_TURNS_H

#include "cmd/command.h"
#include "scenario/scenario.h"

#include <limits.h>

enum { RUN_TURNS_MAX = SCENARIO_VARIANTS_MAX };

struct run_turn {
    const struct scenario *scenario; /* the caller's */
    const char *name;                /* "A": stands before its lines */
    const char *folder;              /* below --out, and behind the name of a folder else */
    char dir[PATH_MAX];              /* where it went */
    int status;                      /* of its process: 0, it came to its end */
    int judged;                      /* the exit status of its verdict */
};

struct run_turns {
    struct run_turn *runs;
    size_t n; /* at most RUN_TURNS_MAX */
    uint32_t trials, reports;
    uint64_t seed;
    bool together; /* when one ends early, so do the others */
    bool silent;   /* the verdicts of the runs are not printed */
};

/* All to their ends, judged and reported. 0, or 3 when one could not be carried out, or 4 when one
 * left a host dirty; or -1, with err, printed for --json too. */
int cmd_run_turns(const struct command_args *args, struct run_turns *turns,
                  struct err *err) MUST_CHECK;
/* When the folders are not needed any more: they belong to whoever called sudo. */
void cmd_run_turns_done(const struct command_args *args, const struct run_turns *turns);

#endif
