/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults share that work through the preload library: one rule in the page of one service,
 * the parameters that say which calls it is about, and the calls of the fault contract. A kind of
 * this family is its own parameters, what it puts into the rule, and what its evidence says.
 */
#ifndef BLACKSTART_FAULTS_FIU_H
#define BLACKSTART_FAULTS_FIU_H

#include "agents/fiu/page.h"
#include "agents/fiu/victim.h"
#include "base/fault.h"

#include <linux/capability.h>

/* Which calls of which service. The args struct of a kind that is about calls starts with it. */
struct fiu_calls {
    struct addrs to;
    struct ports ports;
    struct name service;
    struct names points;
    struct ratio probability;
    struct path path;
    int64_t first;
    int64_t every;
    bool once;
};

#define FIU_DOC(id, name, covers) "; " name ": " covers
#define FIU_CALLS(what)                                                                            \
    P(struct fiu_calls, PARAM_NAME, service, .required = true,                                     \
      .doc =                                                                                       \
          "Lab service whose calls " what ", started with `faults: auto`; on a real host a "       \
          "unit that was given the library (`blackstart-agent preload UNIT` says how) or, where "  \
          "no library reaches it, the kernel's trap (`blackstart-agent trap UNIT`)."),             \
        P(struct fiu_calls, PARAM_NAMES, points, .required = true,                                 \
          .doc = "Points of failure: each stands for a family of libc functions" FIU_POINTS(       \
              FIU_DOC) "."),                                                                       \
        P(struct fiu_calls, PARAM_RATIO, probability, .def = "100%", .min = 1, .max = 1000000,     \
          .doc = "Share of the calls that " what "; which ones follows from the run's id."),       \
        P(struct fiu_calls, PARAM_BOOL, once,                                                      \
          .doc = "Only one call, the first that the filters and the share leave."),                \
        P(struct fiu_calls, PARAM_INT, first, .min = 1, .max = 1000000000,                         \
          .doc = "Only the first so many calls, in all processes of the service together."),       \
        P(struct fiu_calls, PARAM_INT, every, .min = 1, .max = 1000000000,                         \
          .doc = "Only each so-manyth call, counted in all processes together."),                  \
        P(struct fiu_calls, PARAM_PATH, path,                                                      \
          .doc = "Only calls on this file, or on files beneath this directory, as the service "    \
                 "sees it."),                                                                      \
        P(struct fiu_calls, PARAM_HOSTS, to,                                                       \
          .doc = "Only calls that speak to these hosts: connects and sends to their addresses, "   \
                 "and what goes over sockets connected to them."),                                 \
        P(struct fiu_calls, PARAM_PORTS, ports,                                                    \
          .doc = "Only calls that speak to these ports, at most four or ranges; without `to`, of " \
                 "any host, this one among them.")

/* What a record holds. What stands in the page is compared with the rule. */
struct fiu_record {
    uint32_t version;
    uint32_t trapped;     /* 1: followed by the service's supervisor, not by the library */
    struct fiu_rule rule; /* without deadline and beginning */
    char service[NAME_MAX_LEN + 1];
};

/* What the rows have in common, but for texts, parameters, check, prepare and evidence. */
#define FIU_ROW                                                                                    \
    .footprint = "the service's page " FIU_PAGE_DIR "/<service>.page", .touches = TOUCHES_PAGE,    \
    .caps = UINT64_C(1) << CAP_SYS_PTRACE /* to look at the service's executable */,               \
    .lifetime = LIFETIME_VICTIM, .evidence_class = EVIDENCE_COUNTER, .supported = fiu_supported,   \
    .apply = fiu_apply, .verify = fiu_verify, .renew = fiu_renew, .revert = fiu_revert

int fiu_supported(struct fault_host *host, struct err *err);
int fiu_calls_check(const void *args, struct err *err);
/* Fills the rule's filters. */
int fiu_calls_rule(const struct fiu_calls *calls, struct fiu_rule *rule, struct err *err);
/* The same for a service whose calls of these points are trapped: its supervisor lives, and the
 * rule is one that it can follow. */
int fiu_reach_trapped(int page, uint64_t points, const char *service, const struct fiu_rule *rule,
                      struct err *err);
/* ERR_UNSUPPORTED, with the reason, when the library reaches none of the service's programs, or one
 * of them works through io_uring. */
int fiu_reach(const struct fault_host *host, const char *service, struct err *err);
/* Fills the record with the rule; refuses a service that the library cannot reach. */
int fiu_prepare(struct fault_host *host, const char *service, const struct fiu_rule *rule,
                struct undo *undo, struct err *err);
int fiu_apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err);
int fiu_verify(struct fault_host *host, const struct undo *undo, bool *ret_active, struct err *err);
/* The three counters as items, proven by hits that make sense; what the service wrote over is said.
 * ret_counts->sane tells whether `what` is still to be filled. */
int fiu_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                 struct victim_counts *ret_counts, struct err *err);
/* " of posix.write, 12 seen beneath /var", for that sentence. Returns out. */
const char *fiu_calls_print(const struct fiu_rule *rule, uint64_t seen, char *out, size_t size);
/* How calls were reached, for the end of that sentence. */
const char *fiu_how(const struct fiu_record *record, const struct victim_counts *counts);
int fiu_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns, struct err *err);
int fiu_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
               struct err *err);

#endif
