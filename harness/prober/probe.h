/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe contract: one kind is one file in harness/prober/ exporting one const row, and one line
 * in probes.def. A probe is open loop: slot k is due at s_k whatever happened before, so that many
 * attempts may be in flight. Rows are read by the scenario (parameters, docs, schema); their
 * functions run only inside the prober's process.
 */
#ifndef BLACKSTART_PROBER_PROBE_H
#define BLACKSTART_PROBER_PROBE_H

#include "base/err.h"
#include "base/kind.h"
#include "base/sample.h"

#include <stdbool.h>

struct prober; /* the loop: harness/prober/loop.h */

/* Bounds of a number in the body: the first in what `match` captures, or matches, or in all of it.
 */
struct probe_number {
    bool given, has_least, has_most;
    const char *match; /* as probe_expect.body; NULL: the body */
    double at_least, at_most;
};

/* Growth of a counter in the body, found as a number is: at_least per `per`, over `over`. */
struct probe_rate {
    bool given;
    const char *match;
    double at_least;
    struct duration over, per;
};
/* How far back what a slot of it says may reach: the window, and what answers that are missing may
 * add to it. 0: it is not given. */
int64_t probe_rate_blur(const struct probe_rate *rate, int64_t every_ns);

/* What an answer must be to be good. */
struct probe_expect {
    uint16_t status_lo,
        status_hi;       /* HTTP status or exit status; 0,0: the kind's own (200-299; 0) */
    const char *body;    /* extended regular expression, REG_NEWLINE, that must match; NULL: any */
    bool has_rcode;      /* the status is a name server's response code */
    const char *address; /* that a name server must answer, as inet_ntop writes it; NULL: any */
    struct duration latency; /* slower is bad; 0: the time-out alone */
    struct probe_number number;
    struct probe_rate rate;
};

enum endpoints_rule { ENDPOINTS_ONE, ENDPOINTS_ANY, ENDPOINTS_EACH, ENDPOINTS_ROLE };

struct probe_kind {
    KIND_ROW;    /* lab_only: exec */
    bool rcodes; /* it asks name servers: expect.rcode and expect.address are for it */
    /*
     * What no single parameter shows to be wrong. Returns NULL, or the key that is to blame, and
     * says why in err. Texts have examples in the place of ${host} and its addresses. NULL:
     * nothing.
     */
    const char *(*check)(const void *args, const struct probe_expect *expect, bool fresh,
                         struct err *err);
    /*
     * One attempt at one endpoint; when it ends, calls prober_done(attempt, result, status, bytes).
     * Texts in args have ${host}, ${host.ip}, ${host.ip6} replaced already. See
     * harness/prober/loop.h.
     */
    const struct probe_ops *ops;
};

extern const struct kinds probe_kinds;
const struct probe_kind *probe_kind_find(const char *name);
/* The kind's check, of args as written. Same answer. */
const char *probe_kind_check(const struct probe_kind *kind, const void *args,
                             const struct probe_expect *expect, bool fresh, struct err *err);

#endif
