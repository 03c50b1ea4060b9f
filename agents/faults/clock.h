/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults on one program's clock share: which clocks of which service, and the sentence of
 * their evidence. The rule in the service's page, and all else, is of the family of the preload
 * library (fiu.h).
 */
#ifndef BLACKSTART_FAULTS_CLOCK_H
#define BLACKSTART_FAULTS_CLOCK_H

#include "agents/faults/fiu.h"

/* The args struct of each kind starts with it. */
struct clock_of {
    struct name service;
    bool monotonic;
};

#define CLOCK_SERVICE                                                                              \
    "Lab service whose clock it is, started with `preload: true`; on a real host a unit that was " \
    "given the library (`blackstart-agent preload UNIT` says how)."

/* The doc of `service`, and what else is to be said of it. */
#define CLOCK_OF(...)                                                                              \
    P(struct clock_of, PARAM_NAME, service, __VA_ARGS__),                                          \
        P(struct clock_of, PARAM_BOOL, monotonic,                                                  \
          .doc = "Also the clocks that never step by themselves (monotonic, boot time), as when "  \
                 "a virtual machine was stopped and goes on.")

/* For the rows' doc. */
#define CLOCK_DOC                                                                                  \
    "All that the program reads through libc: clock_gettime, gettimeofday, time, timespec_get, "   \
    "and the same by syscall(). Left alone is what the kernel does with time: timers, sleeps, "    \
    "timeouts and deadlines (a program that reckons a deadline from a shifted clock waits so "     \
    "much longer or shorter), the times of files, and every other program. The lease is read "     \
    "past the library and never shifted. When the fault ends, the clock steps back to the truth. " \
    "Static programs, Go and users of io_uring are refused before anything is done."

int clock_prepare(struct fault_host *host, const struct clock_of *of, struct fiu_rule *rule,
                  struct undo *undo, struct err *err);
int clock_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                   struct err *err);

#endif
