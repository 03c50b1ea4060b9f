/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's services, as faults see them: which there are, how one stands, and telling it to stop,
 * start, restart or stay down. Of a lab host its init is asked (base/hostctl.h), of a real one
 * systemd (systemd.h). Bringing one back after a fault has ended it says who did, because a
 * recovery by our hand is not the system's own.
 */
#ifndef BLACKSTART_AGENTS_HOST_SERVICE_H
#define BLACKSTART_AGENTS_HOST_SERVICE_H

#include "base/err.h"
#include "base/fault.h"
#include "base/hostctl.h"

#include <stdbool.h>
#include <stdint.h>

struct service_info {
    struct name name;
    int32_t pid, state;
};

/* Up to max services of a lab host. Allocates: for prepare only. */
int service_list(struct service_info *list, uint32_t max, uint32_t *ret_n,
                 struct err *err) MUST_CHECK;

static inline bool service_is_up(int32_t state)
{
    return state == SERVICE_READY || state == SERVICE_STARTING;
}

/* ERR_UNSUPPORTED where there is nobody who could be told. */
int service_supported(struct fault_host *host, struct err *err) MUST_CHECK;

/* How it stands: an enum service_state, its main process in the host's own numbers, and whether it
 * is kept from starting. ERR_NOT_FOUND when there is none of that name. */
int service_look(const struct fault_host *host, const char *service, struct hostctl_look *ret,
                 struct err *err) MUST_CHECK;

/*
 * START, STOP, RESTART, MASK or UNMASK, waiting at most wait_ns for its effect: whoever waits
 * longer than a second lets the leases of other injections lapse. A service that is still on its
 * way up then is a success; how long it takes is what the run measures.
 */
int service_order(const struct fault_host *host, enum hostctl_op op, const char *service,
                  int64_t wait_ns, struct err *err) MUST_CHECK;

/* The same in a lab, with RELOAD too, waiting at most a second. */
int service_tell(enum hostctl_op op, const char *service, struct err *err) MUST_CHECK;

/*
 * Starts a service that is down. One that runs is left alone; one that is held by others too,
 * unless held_by_us. Adds a sentence to ret->what, and the way by hand to ret->manual when it
 * fails. No allocation in a lab.
 */
int service_bring_back(const struct fault_host *host, const char *service, bool held_by_us,
                       struct revert_report *ret, struct err *err) MUST_CHECK;

/* The same in a lab. */
int service_heal(const char *service, bool held_by_us, struct revert_report *ret,
                 struct err *err) MUST_CHECK;

/* Sets ret->restored_by, if it was lower, and adds a sentence for people to ret->what. */
void service_say(struct revert_report *ret, const char *service, enum restored_by by);

/* For bound_ms: the longest that n operations take, status calls included. */
#define SERVICE_BOUND_MS(n) (1000U + 5000U * (n))

#endif
