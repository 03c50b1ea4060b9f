/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/fiu.h"

#include <inttypes.h>
#include <stdio.h>

struct args {
    struct fiu_calls calls;
    struct duration delay;
    struct duration jitter;
};

#define MILLISECOND INT64_C(1000000)

static const struct param params[] = {
    FIU_CALLS("wait"),
    P(struct args, PARAM_DURATION, delay, .required = true, .min = 1000, .max = 60000 * MILLISECOND,
      .doc = "How long a call waits before it is made."),
    P(struct args, PARAM_DURATION, jitter, .min = 1000, .max = 60000 * MILLISECOND,
      .doc = "Each call waits up to so much longer or shorter, evenly spread; at most `delay`."),
};

static int check(const void *in, struct err *err)
{
    const struct args *args = in;
    if (args->jitter.ns > args->delay.ns)
        return make_error(err, ERR_INPUT, 0,
                          "`jitter` is more than `delay`: no call can wait less than nothing");
    return fiu_calls_check(&args->calls, err);
}

static int prepare(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    const struct args *args = in;
    struct fiu_rule rule = {
        .action = FIU_DELAY, .delay_ns = args->delay.ns, .jitter_ns = args->jitter.ns};
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
    char about[96];
    if (fiu_evidence(host, undo, ret, &counts, err) != 0)
        return -1;
    uint64_t added_us = counts.added_ns / 1000;
    ret->items[ret->n++] = (struct evidence_item){"added_us", added_us};
    ret->proven = ret->proven && added_us > 0;
    if (counts.sane)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%" PRIu64 " calls%s, %" PRIu64 " waited %" PRIu64 ".%03" PRIu64
                       " ms in all%s",
                       counts.calls, fiu_calls_print(rule, counts.seen, about, sizeof(about)),
                       counts.hits, added_us / 1000, added_us % 1000, fiu_how(record, &counts));
    return 0;
}

const struct fault fault_fiu_delay = {
    .name = "fiu.delay",
    .summary = "Let chosen system calls of one service take longer.",
    .doc =
        "A library preloaded into the service lets calls such as fsync or connect wait before "
        "they are made, as on a slow disk or towards a slow host: all, a share, the first so "
        "many, each so-manyth; only on files beneath a path, or only those that speak to given "
        "hosts or ports. The waiting is measured where it happens and reported as its sum. A "
        "revert ends waits that are under way within 20 ms, a lease that runs out at once. A "
        "signal that comes meanwhile is handled; the call goes on waiting. Reaches programs "
        "that make their calls through libc; static programs, Go and users of io_uring, for their "
        "calls on files, when they are started for it (fiu.fail says how), and "
        "are refused otherwise. Timeouts that the program itself gives to a call "
        "(poll, epoll_wait) begin after the wait.",
    .example = "- fault: fiu.delay\n"
               "  hosts: n1\n"
               "  service: redis\n"
               "  points: [posix.write]\n"
               "  delay: 20ms\n"
               "  path: /var/lib/redis\n"
               "  for: 5s\n",
    FAULT_PARAMS(struct args, params),
    .check = check,
    .prepare = prepare,
    .evidence = evidence,
    FIU_ROW,
};
