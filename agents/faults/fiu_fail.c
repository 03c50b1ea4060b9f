/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/fiu.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct args {
    struct fiu_calls calls;
    int error;
};

static const struct param params[] = {
    FIU_CALLS("fail"),
    P(struct args, PARAM_ERRNO, error, .required = true,
      .doc = "The error that a failing call reports."),
};

static int prepare(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    const struct args *args = in;
    struct fiu_rule rule = {.action = FIU_FAIL, .error = args->error};
    if (fiu_calls_rule(&args->calls, &rule, err) != 0)
        return -1;
    return fiu_prepare(host, args->calls.service.s, &rule, undo, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    const struct fiu_rule *rule = &record->rule;
    struct victim_counts counts;
    char about[128];
    if (fiu_evidence(host, undo, ret, &counts, err) != 0)
        return -1;
    const char *error = strerrorname_np(rule->error);
    if (counts.sane)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%" PRIu64 " calls%s, %" PRIu64 " failed with %s%s", counts.calls,
                       fiu_calls_print(rule, counts.seen, about, sizeof(about)), counts.hits,
                       error != NULL ? error : "an error", fiu_how(record, &counts));
    return 0;
}

const struct fault fault_fiu_fail = {
    .name = "fiu.fail",
    .summary = "Let chosen system calls of one service fail with an error.",
    .doc =
        "A library preloaded into the service (libfiu's points of failure) lets calls such as "
        "write or fsync report an error: a share of them, the first so many, each so-manyth; "
        "all, or only those on files beneath a path, or only those that speak to given hosts or "
        "ports. Rule and lease stand in a page shared with the service's processes, which stop "
        "following it at its deadline whatever became of the agent. Reaches programs that make "
        "their calls through libc. Static programs, Go and users of io_uring are reached when the "
        "lab starts them with `faults: seccomp`, or systemd with what `blackstart-agent trap UNIT` "
        "prints: then the kernel stops their calls on files "
        "until a supervisor has answered, by the same rule; otherwise they are refused before "
        "anything is done. What stdio writes by itself, when a buffer is full or at exit, is "
        "not reached; the stdio points are where the program calls it. Nor is "
        "what a program hands to kernel AIO (libaio).",
    .example = "- fault: fiu.fail\n"
               "  hosts: n1\n"
               "  service: redis\n"
               "  points: [posix.write]\n"
               "  error: ENOSPC\n"
               "  path: /var/lib/redis\n"
               "  for: 5s\n",
    FAULT_PARAMS(struct args, params),
    .check = fiu_calls_check,
    .prepare = prepare,
    .evidence = evidence,
    FIU_ROW,
};
