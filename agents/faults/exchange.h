/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the host exchanged with a version of ours in one step, the service that reads it told,
 * and the original put back: what the faults share that push something bad. On disk, beside the
 * file, while it is on: FILE (our version until the exchange, the original after it) and, with a
 * service, TODO, which is there as long as the service has to be told again. Their names come from
 * the run and the injection, so that revert needs nothing that only apply knew. Knows nothing of
 * what the version says.
 */
#ifndef BLACKSTART_FAULTS_EXCHANGE_H
#define BLACKSTART_FAULTS_EXCHANGE_H

#include "agents/host/hostfs.h"
#include "base/buf.h"

enum { EXCHANGE_MAX = 1024 * 1024 };
enum { EXCHANGE_NONE, EXCHANGE_RELOAD, EXCHANGE_RESTART };
extern const char *const exchange_applies[];

/* Part of an undo record. The caller fills path, apply and service; the rest is prepare's. */
struct exchange {
    int32_t apply;
    int32_t told;      /* noted by apply: what the service's init answered */
    uint32_t discards; /* filled by the caller: what others put in its place meanwhile is expected,
                        * and gives way to the original */
    uint32_t reserved;
    uint64_t digest, original_digest;
    struct hostfs_meta original, parent;
    struct hostfs_meta parent_after; /* noted by apply; dev 0: not noted */
    struct name service;
    struct path path;
};

/* Pure: apply and service are given together. */
int exchange_check(int apply, const struct name *service, struct err *err) MUST_CHECK;

/* Reads the original; what it holds goes to ret_now. Then the caller makes its version and promises
 * it: the one that it will put. Both change nothing. */
int exchange_prepare(const struct fault_host *host, const struct undo *undo, struct exchange *x,
                     struct buf *ret_now, struct err *err) MUST_CHECK;
int exchange_promise(const struct fault_host *host, struct exchange *x, const void *version,
                     size_t len, struct err *err) MUST_CHECK;

/* What it holds now, for a caller that makes its version again. */
int exchange_read(const struct fault_host *host, const struct undo *undo, const struct exchange *x,
                  struct buf *ret_now, struct err *err) MUST_CHECK;
/* ERR_FOREIGN when the original has been changed since. */
int exchange_put(const struct fault_host *host, const struct undo *undo, struct exchange *x,
                 const void *version, size_t len, struct err *err) MUST_CHECK;

int exchange_verify(const struct fault_host *host, const struct undo *undo,
                    const struct exchange *x, bool *ret_active, struct err *err) MUST_CHECK;
int exchange_evidence(const struct fault_host *host, const struct undo *undo,
                      const struct exchange *x, struct evidence *ret, struct err *err) MUST_CHECK;

/* From any state. No allocation. */
int exchange_revert(const struct fault_host *host, const struct undo *undo,
                    const struct exchange *x, struct revert_report *ret,
                    struct err *err) MUST_CHECK;

#endif
