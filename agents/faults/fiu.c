/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/fiu.h"

#include "agents/host/unit_name.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_VERSION = 2 };

int fiu_supported(struct fault_host *host, struct err *err)
{
    if (faccessat(host->root, &FIU_PAGE_DIR[1], F_OK, 0) == 0)
        return 0;
    return make_error(err, ERR_UNSUPPORTED, 0, "%s",
                      host->lab
                          ? "no service of this host was started with the preload library: "
                            "write `preload: true` in the service's part of the lab"
                          : "no unit of this host is started with the preload library: "
                            "`blackstart-agent preload UNIT` says what one needs, or, where no "
                            "library reaches it, `blackstart-agent trap UNIT`");
}

/* The same owner for the same injection, in each of the agent's processes and after a restart. */
static uint64_t owner_make(const struct undo *undo)
{
    const char *const parts[] = {undo->run, "/", undo->injection};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const char *c = parts[i]; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return hash | 1; /* 0 is nobody */
}

/* The one that its page has. */
static int service_name(const struct fault_host *host, const char *service,
                        char out[NAME_MAX_LEN + 1], struct err *err)
{
    if (!host->lab)
        return unit_name_service(out, service, err);
    (void)snprintf(out, NAME_MAX_LEN + 1, "%s", service);
    return 0;
}

int fiu_prepare(struct fault_host *host, const char *service, const struct fiu_rule *rule,
                struct undo *undo, struct err *err)
{
    struct fiu_record *record = (struct fiu_record *)undo->data;
    _Static_assert(sizeof(*record) <= sizeof(undo->data), "fits into an undo record");
    memset(record, 0, sizeof(*record));
    record->version = RECORD_VERSION;
    if (service_name(host, service, record->service, err) != 0)
        return -1;
    record->rule = *rule;
    record->rule.owner = owner_make(undo);
    record->rule.seed = record->rule.owner;
    undo->size = sizeof(*record);
    CLEANUP_FD int page = -1;
    uint64_t trapped = 0;
    bool alive;
    if (victim_open(host->root, record->service, &page, err) != 0 ||
        victim_trapped(page, &trapped, &alive, err) != 0)
        return -1;
    record->trapped = trapped != 0;
    return trapped != 0 ? fiu_reach_trapped(page, trapped, record->service, &record->rule, err)
                        : fiu_reach(host, record->service, err);
}

int fiu_apply(struct fault_host *host, const void *in, struct undo *undo, struct err *err)
{
    (void)in;
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    struct fiu_rule rule = record->rule;
    rule.deadline = undo->lease_ns;
    rule.since = host->now();
    CLEANUP_FD int page = -1;
    if (victim_open(host->root, record->service, &page, err) != 0)
        return -1;
    return victim_arm(page, &rule, err);
}

/* Opens the page of an undo record, if it is one of ours. */
static int record_open(struct fault_host *host, const struct undo *undo, int *ret_page,
                       struct err *err)
{
    const struct fiu_record *record = undo_record(undo, RECORD_VERSION, sizeof(*record), err);
    if (record == NULL)
        return -1;
    if (memchr(record->service, '\0', sizeof(record->service)) == NULL)
        return make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return victim_open(host->root, record->service, ret_page, err);
}

int fiu_verify(struct fault_host *host, const struct undo *undo, bool *ret_active, struct err *err)
{
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    struct fiu_rule found;
    bool armed = false;
    CLEANUP_FD int page = -1;
    if (record_open(host, undo, &page, err) != 0)
        return -1;
    *ret_active = false;
    struct err missing;
    if (victim_find(page, record->rule.owner, &found, &missing) != 0)
        return missing.code == ERR_NOT_FOUND ? 0
                                             : make_error(err, missing.code, 0, "%s", missing.msg);
    if (victim_is_armed(page, &found, &armed, err) != 0)
        return -1;
    bool alive = armed && host->now() < found.deadline;
    found.deadline = record->rule.deadline;
    found.since = record->rule.since;
    *ret_active = alive && memcmp(&found, &record->rule, sizeof(found)) == 0;
    return 0;
}

int fiu_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                 struct victim_counts *ret_counts, struct err *err)
{
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    struct victim_counts *counts = ret_counts;
    CLEANUP_FD int page = -1;
    if (record_open(host, undo, &page, err) != 0 ||
        victim_counts(page, record->rule.owner, counts, err) != 0)
        return -1;
    *ret = (struct evidence){
        .items = {{"calls", counts->calls}, {"seen", counts->seen}, {"hits", counts->hits}},
        .n = 3,
        .proven = counts->sane && counts->hits > 0};
    if (!counts->sane)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "the service has written over its own counters: they say nothing");
    return 0;
}

const char *fiu_how(const struct fiu_record *record, const struct victim_counts *counts)
{
    if (record->trapped == 0)
        return "";
    return counts->answered
               ? ", trapped in the kernel"
               : ", trapped in the kernel; the service or its supervisor has ended since";
}

int fiu_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns, struct err *err)
{
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    CLEANUP_FD int page = -1;
    if (record_open(host, undo, &page, err) != 0)
        return -1;
    return victim_renew(page, record->rule.owner, lease_ns, host->now, err);
}

/*
 * A page that is gone was deleted by somebody else, and cannot be reached any more: the processes
 * that still have it mapped end the rule themselves at its deadline.
 */
int fiu_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
               struct err *err)
{
    const struct fiu_record *record = (const struct fiu_record *)undo->data;
    CLEANUP_FD int page = -1;
    struct err why;
    memset(ret, 0, sizeof(*ret));
    if (record_open(host, undo, &page, &why) != 0) {
        if (why.code != ERR_NOT_FOUND && why.code != ERR_FOREIGN)
            return make_error(err, why.code, 0, "%s", why.msg);
        ret->foreign = true;
        (void)snprintf(ret->what, sizeof(ret->what),
                       "the service's page is gone or changed; the rule ends by itself");
        return 0;
    }
    if (victim_disarm(page, record->rule.owner, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual),
                       "restart the service %s in the lab's host %s", record->service, host->name);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "the rule is out of the page of %.63s",
                   record->service);
    return 0;
}
