/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/clock.h"
#include "agents/faults/clock_host.h"

struct args {
    struct clock_of of;
    struct duration by;
    int direction;
};

enum { FORWARD, BACKWARD };
static const char *const directions[] = {"forward", "backward", NULL};

#define A_YEAR (INT64_C(8760) * 3600 * 1000000000)

static const struct param params[] = {
    CLOCK_OF(.doc = CLOCK_SERVICE " Left out: the clock of the whole host, which is refused in "
                                  "a lab, where all hosts share the machine's."),
    P(struct args, PARAM_DURATION, by, .required = true, .min = 1000000, .max = A_YEAR,
      .doc = "How far the clock is off."),
    P(struct args, PARAM_ENUM, direction, .def = "forward", .choices = directions,
      .doc = "Ahead of the truth, or behind it; no reading is before 1970."),
};

/* Of a lab's host only a service's clock can be wrong; of a real one, its own at any time. */
static int supported(struct fault_host *host, struct err *err)
{
    return host->lab ? fiu_supported(host, err) : 0;
}

static int check(const void *in, struct err *err)
{
    const struct args *args = in;
    if (args->of.service.s[0] == '\0' && args->of.monotonic)
        return make_error(err, ERR_INPUT, 0,
                          "`monotonic` needs a `service`: those clocks of a whole host never step, "
                          "and leases are written in them");
    return 0;
}

static int prepare(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    const struct args *args = in;
    int64_t by = args->direction == BACKWARD ? -args->by.ns : args->by.ns;
    struct fiu_rule rule = {.offset_ns = by};
    return args->of.service.s[0] == '\0' ? clock_host_prepare(host, by, undo, err)
                                         : clock_prepare(host, &args->of, &rule, undo, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    return clock_host_has(undo) ? clock_host_apply(host, undo, err)
                                : fiu_apply(host, args, undo, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    return clock_host_has(undo) ? clock_host_verify(undo, ret_active, err)
                                : fiu_verify(host, undo, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    return clock_host_has(undo) ? clock_host_evidence(undo, ret, err)
                                : clock_evidence(host, undo, ret, err);
}

/* Of a whole host's clock the guardian alone keeps the deadline. */
static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    return clock_host_has(undo) ? 0 : fiu_renew(host, undo, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    return clock_host_has(undo) ? clock_host_revert(host, undo, ret, err)
                                : fiu_revert(host, undo, ret, err);
}

const struct fault fault_clock_skew = {
    .name = "clock.skew",
    .summary = "Let a service's or a whole host's clock be wrong by a fixed time.",
    .doc =
        "A library preloaded into the service shifts what it reads from the clock. " CLOCK_DOC
        " Without a service the whole host's clock (CLOCK_REALTIME) is stepped, for all "
        "programs, timers set to a time of day and the times of files; it is stepped back by "
        "the same amount at the end, by the agent or its guardian, and what proves it is the clock "
        "read back. The clocks that leases are written in do not move. An NTP daemon sees the "
        "step: one that sets the clock right "
        "ends the fault's effect, which is reported, and is left as it is.",
    .example = "- fault: clock.skew\n"
               "  hosts: n1\n"
               "  service: redis\n"
               "  by: 1h\n"
               "  direction: backward\n"
               "  for: 5s\n",
    FAULT_PARAMS(struct args, params),
    .footprint = "the service's page " FIU_PAGE_DIR "/<service>.page; of a whole host "
                 "CLOCK_REALTIME and the file " CLOCK_HOST_MARK,
    .touches = TOUCHES_PAGE,
    .caps = UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_SYS_TIME,
    .lifetime = LIFETIME_VICTIM,
    .evidence_class = EVIDENCE_COUNTER,
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
