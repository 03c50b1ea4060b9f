/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "contract/injection.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "patience.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { READ_APART_MS = 250, SETTLE_MS = 4000 };

void injection_rest(int ms)
{
    struct timespec t = clock_timespec(ms * NS_PER_MS);
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

int injection_count_fds(void)
{
    int n = 0;
    CLEANUP_DIR DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    return n;
}

bool injection_prepare(struct contract *c, struct injection *i, int64_t lease_ns)
{
    struct err err;
    memset(i, 0, sizeof(*i));
    (void)snprintf(i->undo.run, sizeof(i->undo.run), "%s", c->host.run);
    (void)snprintf(i->undo.injection, sizeof(i->undo.injection), "i%u", ++c->injections);
    (void)snprintf(i->undo.fault, sizeof(i->undo.fault), "%s", c->row->name);
    i->undo.lease_ns = c->host.now() + lease_ns;
    int rc = c->row->prepare(&c->host, c->args, &i->undo, &err);
    c->made[c->injections % CONTRACT_MADE] = i->undo;
    if (rc == 0)
        return true;
    contract_break(c, "prepare: %s", err.msg);
    return false;
}

bool injection_apply(struct contract *c, struct injection *i, const struct look *before)
{
    struct err err;
    int rc = c->row->apply(&c->host, c->args, &i->undo, &err);
    c->made[c->injections % CONTRACT_MADE] = i->undo;
    if (rc == 0)
        return true;
    contract_break(c, "apply: %s", err.msg);
    injection_revert(c, i, &i->undo, "after a failed apply");
    injection_same_soon(c, before, "after a failed apply");
    return false;
}

bool injection_is_active(struct contract *c, const struct injection *i)
{
    struct err err;
    bool active = false;
    if (c->row->verify(&c->host, &i->undo, &active, &err) == 0)
        return active;
    contract_break(c, "verify: %s", err.msg);
    return false;
}

void injection_revert(struct contract *c, const struct injection *i, const struct undo *undo,
                      const char *when)
{
    struct revert_report report = {0};
    struct err err;
    int64_t start = clock_system(CLOCK_MONOTONIC);
    uint32_t bound = c->row->bound_ms != 0 ? c->row->bound_ms : 1000;
    (void)i;
    if (c->row->revert(&c->host, undo, &report, &err) != 0)
        contract_break(c, "revert %s: %s (by hand: %s)", when, err.msg, report.manual);
    else if (report.foreign)
        contract_break(c, "revert %s: takes our own doing for a foreign change: %s", when,
                       report.what);
    if (clock_system(CLOCK_MONOTONIC) - start > patience(bound) * NS_PER_MS)
        contract_break(c, "revert %s takes longer than its bound", when);
}

bool injection_evidence_grows(struct contract *c, const struct injection *i, struct evidence *ret)
{
    struct evidence first = {0};
    struct err err;
    bool grew = false;
    /* The traffic of one interval must show; several are given to a busy machine. */
    for (int tries = 0; tries < patience(8) && !grew; tries++) {
        if (tries == 0 && c->row->evidence(&c->host, &i->undo, &first, &err) != 0)
            return false;
        injection_rest(READ_APART_MS / 4);
        if (c->row->evidence(&c->host, &i->undo, ret, &err) != 0)
            return false;
        for (uint32_t k = 0; k < ret->n && k < first.n; k++)
            grew |= ret->items[k].value > first.items[k].value;
        if (c->row->evidence_class != EVIDENCE_COUNTER && ret->proven)
            break;
    }
    return grew;
}

void injection_same_now(struct contract *c, const struct look *before, const char *when)
{
    CLEANUP_LOOK struct look now = {0};
    struct err err;
    if (look_take(c, &now, &err) != 0)
        contract_break(c, "%s", err.msg);
    else
        look_compare(c, before, &now, when);
}

void injection_same_soon(struct contract *c, const struct look *before, const char *when)
{
    size_t kept = c->broken.len;
    int64_t end = clock_system(CLOCK_MONOTONIC) + patience(SETTLE_MS) * NS_PER_MS;
    for (;;) {
        injection_same_now(c, before, when);
        if (c->broken.len == kept || clock_system(CLOCK_MONOTONIC) > end)
            return;
        c->broken.len = kept;
        c->broken.data[kept] = '\0';
        injection_rest(20);
    }
}
