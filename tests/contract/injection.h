/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One injection of the contract test, driven as the agent drives it: the record as prepare made it
 * and as apply noted it, readings, the revert, and what the host looks like then.
 */
#ifndef BLACKSTART_TESTS_CONTRACT_INJECTION_H
#define BLACKSTART_TESTS_CONTRACT_INJECTION_H

#include "contract/contract.h"

struct injection {
    struct undo undo;
};

/* False, with a line in broken, when it fails. */
bool injection_prepare(struct contract *c, struct injection *i, int64_t lease_ns);
/* What fails is put back at once. */
bool injection_apply(struct contract *c, struct injection *i, const struct look *before);
bool injection_is_active(struct contract *c, const struct injection *i);
void injection_revert(struct contract *c, const struct injection *i, const struct undo *undo,
                      const char *when);

/* Two readings a while apart; *ret is the second. */
bool injection_evidence_grows(struct contract *c, const struct injection *i, struct evidence *ret);

/* Equal at once; equal within the time that a service needs to come up. */
void injection_same_now(struct contract *c, const struct look *before, const char *when);
void injection_same_soon(struct contract *c, const struct look *before, const char *when);

/* The agent is killed and its lease runs out: by lifetime, who ends it. */
void injection_check_lease(struct contract *c, const struct look *before);
/* Somebody puts another thing where the fault acts: it stays. */
void injection_check_foreign(struct contract *c, const struct look *before);

void injection_rest(int ms);
int injection_count_fds(void);

#endif
