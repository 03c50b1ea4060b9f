/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/inject.h"
#include "agents/identity.h"
#include "agents/rival.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum { BOUND_MS = 1000, STUCK_TRIES = 10, STUCK_PAUSE_MS = 1000 };

const char *inject_state_word(enum inject_state state)
{
    static const char *const words[] = {
        [INJECT_FREE] = "free",   [INJECT_PREPARED] = "prepared", [INJECT_ACTIVE] = "active",
        [INJECT_STUCK] = "stuck", [INJECT_ENDED] = "ended",
    };
    return words[state];
}

static bool is_live(const struct injection *j)
{
    return j->state == INJECT_PREPARED || j->state == INJECT_ACTIVE || j->state == INJECT_STUCK;
}

static unsigned slot_of(const struct injector *in, const struct injection *j)
{
    return (unsigned)(j - in->all);
}

static struct injection *find(struct injector *in, const char *id)
{
    for (size_t i = 0; i < INJECTIONS_MAX; i++)
        if (in->all[i].state != INJECT_FREE && strcmp(in->all[i].undo.injection, id) == 0)
            return &in->all[i];
    return NULL;
}

static struct injection *find_known(struct injector *in, const char *id, struct err *err)
{
    struct injection *j = find(in, id);
    if (j == NULL)
        (void)make_error(err, ERR_NOT_FOUND, 0, "there is no injection %s", id);
    return j;
}

/* A free slot, or that of the injection that ended first. */
static struct injection *find_place(struct injector *in)
{
    struct injection *oldest = NULL;
    for (size_t i = 0; i < INJECTIONS_MAX; i++) {
        struct injection *j = &in->all[i];
        if (j->state == INJECT_FREE)
            return j;
        if (j->state == INJECT_ENDED && (oldest == NULL || j->order < oldest->order))
            oldest = j;
    }
    return oldest;
}

static int64_t bound_of(const struct injection *j)
{
    return (j->row->bound_ms != 0 ? j->row->bound_ms : BOUND_MS) * NS_PER_MS +
           touched_bound_ns(j->touched);
}

static int tell_deadlines(struct injector *in, struct err *err)
{
    int64_t deadlines[UNDO_SLOTS];
    for (unsigned i = 0; i < UNDO_SLOTS; i++)
        deadlines[i] = is_live(&in->all[i]) ? in->all[i].deadline : LEASE_NEVER;
    return guardian_renew(in->guardian, deadlines, in->busy_until, err);
}

/* The row's work may take longer than what is left of a lease: the guardian is told before. */
static void tell_busy(struct injector *in, const struct injection *j)
{
    struct err ignored; /* a lost guardian is seen by inject_settle() */
    int64_t until = in->host->now() + bound_of(j);
    if (guardian_is_lost(in->guardian) || inject_earliest(in) > until || in->busy_until >= until)
        return;
    in->busy_until = until;
    (void)!tell_deadlines(in, &ignored);
}

static void forget_args(struct injection *j)
{
    free(j->args);
    j->args = NULL;
}

static void forget_files(struct injection *j)
{
    touched_free(j->touched);
    j->touched = NULL;
}

void inject_files_quiet(const struct fault_host *host, const struct undo *undo)
{
    struct injection *j = find(host->quiet_ctx, undo->injection);
    if (j != NULL && is_live(j))
        touched_quiet(j->touched, host);
}

/* The last reading counts as evidence of the whole; a failure here must not stop the revert. */
static void read_evidence(struct injector *in, struct injection *j)
{
    struct evidence now = {0};
    struct err ignored;
    if (j->state != INJECT_ACTIVE || j->row->evidence(in->host, &j->undo, &now, &ignored) != 0)
        return;
    j->evidence = now;
    j->has_evidence = true;
}

static void mark_ended(struct injector *in, struct injection *j, enum ended_by by)
{
    struct err ignored; /* a record that stays is replayed, which finds nothing to do */
    if (undo_done(in->log, slot_of(in, j), &ignored) != 0)
        (void)snprintf(j->report.what, sizeof(j->report.what), "reverted; %.120s", ignored.msg);
    j->ended_by = by;
    j->order = ++in->ended;
    j->state = INJECT_ENDED;
    forget_args(j);
    forget_files(j);
    if (!in->many)
        in->busy_until = 0;
    if (!guardian_is_lost(in->guardian))
        (void)!guardian_remove(in->guardian, slot_of(in, j), in->busy_until, &ignored);
}

/* Puts one back. On failure it is stuck: its record stays and it is tried again. */
static int end(struct injector *in, struct injection *j, enum ended_by by, struct err *err)
{
    tell_busy(in, j);
    read_evidence(in, j);
    j->report = (struct revert_report){0};
    touched_reverting(j->touched, in->host);
    if (j->row->revert(in->host, &j->undo, &j->report, err) != 0) {
        j->state = INJECT_STUCK;
        j->deadline =
            ++j->tries < STUCK_TRIES ? in->host->now() + STUCK_PAUSE_MS * NS_PER_MS : LEASE_NEVER;
        if (j->report.manual[0] != '\0')
            return wrap_error(err, "not put back (by hand: %s)", j->report.manual);
        return wrap_error(err, "not put back");
    }
    touched_ended(j->touched, in->host, j->report.foreign, &in->files);
    mark_ended(in, j, by);
    return 0;
}

static int check_request(struct injector *in, const struct agent_request *r, const void *args,
                         const struct fault **ret, struct err *err)
{
    const struct fault *row = catalogue_find(in->catalogue, r->fault);
    if (row == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "there is no fault %s", r->fault);
    if (r->body != row->args_size)
        return make_error(err, ERR_PROTOCOL, 0, "%s: parameters of %u bytes, not %zu", row->name,
                          r->body, row->args_size);
    if (params_check(row->params, row->n_params, args, err) != 0 ||
        (row->check != NULL && row->check(args, err) != 0) ||
        policy_allows(in->policy, row, err) != 0)
        return -1;
    *ret = row;
    return 0;
}

static int check_open(const struct injector *in, struct err *err)
{
    if (in->halted[0] != '\0')
        return make_error(err, ERR_REFUSED, 0, "%s", in->halted);
    if (policy_is_stopped())
        return make_error(err, ERR_REFUSED, 0, "%s is there: nothing is injected", POLICY_STOP);
    return 0;
}

static int record(struct injector *in, struct injection *j, struct err *err)
{
    /* What the kernel or the victim ends by itself cannot outlive a reboot, and needs no disk. */
    bool sync = j->row->lifetime == LIFETIME_GUARDIAN;
    return undo_write(in->log, slot_of(in, j), &j->undo, sync, err);
}

static void fill(struct injection *j, const struct injector *in, const struct fault *row,
                 const struct agent_request *r)
{
    *j = (struct injection){0};
    j->row = row;
    j->lease_ns = r->lease_ns;
    j->for_ns = r->for_ns;
    j->for_end = LEASE_NEVER;
    j->deadline = lease_deadline(in->host->now(), r->lease_ns, LEASE_NEVER);
    memcpy(j->undo.run, in->host->run, sizeof(j->undo.run));
    memcpy(j->undo.injection, r->injection, sizeof(j->undo.injection));
    (void)snprintf(j->undo.fault, sizeof(j->undo.fault), "%s", row->name);
    j->undo.lease_ns = j->deadline;
}

/* Of two on one thing the first could not be put back before the second. */
static int check_apart(const struct injector *in, const struct injection *j, struct err *err)
{
    for (size_t i = 0; i < INJECTIONS_MAX; i++) {
        const struct injection *other = &in->all[i];
        const char *path =
            other == j || !is_live(other) ? NULL : touched_common(j->touched, other->touched);
        if (path != NULL)
            return make_error(err, ERR_REFUSED, 0,
                              "%s has changed %s, or what lies around it, already: end it first",
                              other->row->name, path);
    }
    return 0;
}

/* What is there now, before anything is recorded or changed. */
static int remember_files(struct injector *in, struct injection *j, const struct agent_request *r,
                          const void *args, struct err *err)
{
    if (identity_ask(in->host, j->row, r, args, err) != 0 ||
        touched_make(j->row, args, &j->touched, err) != 0)
        return -1;
    if (j->touched == NULL)
        return 0;
    tell_busy(in, j);
    int rc = check_apart(in, j, err);
    if (rc == 0)
        rc = touched_before(j->touched, in->host, err);
    in->busy_until = 0;
    if (rc != 0)
        forget_files(j);
    return rc;
}

int inject_prepare(struct injector *in, const struct agent_request *r, const void *args,
                   struct err *err)
{
    const struct fault *row = NULL;
    if (check_open(in, err) != 0 || check_request(in, r, args, &row, err) != 0 || row == NULL)
        return -1;
    if (find(in, r->injection) != NULL)
        return make_error(err, ERR_INPUT, 0, "there is an injection %s already", r->injection);
    struct injection *j = find_place(in);
    if (j == NULL)
        return make_error(err, ERR_LIMIT, 0, "at most %d injections at once", INJECTIONS_MAX);
    if (row->supported(in->host, err) != 0)
        return -1;
    CLEANUP_FREE void *copy = malloc(row->args_size > 0 ? row->args_size : 1);
    if (copy == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for the parameters");
    memcpy(copy, args, row->args_size);
    fill(j, in, row, r);
    if (row->prepare(in->host, copy, &j->undo, err) != 0 ||
        remember_files(in, j, r, copy, err) != 0) {
        j->state = INJECT_FREE;
        return -1;
    }
    j->args = steal_ptr(&copy);
    j->state = INJECT_PREPARED;
    if (record(in, j, err) == 0 &&
        (j->touched == NULL || rival_check(in->log, in->catalogue, err) == 0) &&
        guardian_add(in->guardian, slot_of(in, j), &j->undo, j->deadline, in->busy_until, err) == 0)
        return 0;
    mark_ended(in, j, ENDED_NOT); /* nothing was changed */
    j->state = INJECT_FREE;
    return -1;
}

/* After the harm: what apply noted is recorded, and the effect is read back. */
static int confirm(struct injector *in, struct injection *j, struct err *err)
{
    bool active = false;
    in->busy_until = 0;
    if (record(in, j, err) != 0 ||
        guardian_add(in->guardian, slot_of(in, j), &j->undo, j->deadline, in->busy_until, err) !=
            0 ||
        j->row->verify(in->host, &j->undo, &active, err) != 0)
        return -1;
    if (!active)
        return make_error(err, ERR_SYSTEM, 0, "%s was applied, but reads back as not active",
                          j->row->name);
    return 0;
}

/*
 * `for` counts from when the fault is active: an apply that waits for a service's restart would eat
 * the margin, and the lease end what the coordinator is about to. Deadlines that the kernel or the
 * victim keeps move with the next renewal; those faults apply at once.
 */
static int start_length(struct injector *in, struct injection *j, struct err *err)
{
    if (j->for_ns == 0 || j->row->renew != NULL)
        return 0;
    int64_t now = in->host->now();
    j->for_end = now + j->for_ns;
    j->deadline = lease_deadline(now, j->lease_ns, j->for_end);
    return tell_deadlines(in, err);
}

int inject_apply(struct injector *in, const char *id, struct injection **ret, struct err *err)
{
    struct injection *j = find_known(in, id, err);
    if (j == NULL || check_open(in, err) != 0)
        return -1;
    if (j->state != INJECT_PREPARED)
        return make_error(err, ERR_INPUT, 0, "injection %s is %s, not prepared", id,
                          inject_state_word(j->state));
    int64_t now = in->host->now();
    if (now >= j->deadline)
        return make_error(err, ERR_LAPSED, 0, "injection %s: its lease ran out", id);
    if (j->for_ns > 0)
        j->for_end = now + j->for_ns;
    j->deadline = lease_deadline(now, j->lease_ns, j->for_end);
    j->undo.lease_ns = j->deadline;
    in->busy_until = now + bound_of(j);
    if (tell_deadlines(in, err) != 0)
        return -1; /* the guardian is lost: inject_settle() puts all back */
    j->state = INJECT_ACTIVE;
    int rc = j->row->apply(in->host, j->args, &j->undo, err);
    touched_applied(j->touched, in->host);
    if (rc == 0 && confirm(in, j, err) == 0 && start_length(in, j, err) == 0) {
        forget_args(j);
        *ret = j;
        return 0;
    }
    struct err after;
    const struct err first = *err; /* make_error() writes where it would read */
    if (end(in, j, ENDED_NOT, &after) != 0)
        return make_error(err, ERR_DIRTY, 0, "%s; and %s", first.msg, after.msg);
    return -1;
}

int inject_verify(struct injector *in, const char *id, bool *ret_active, struct err *err)
{
    struct injection *j = find_known(in, id, err);
    if (j == NULL)
        return -1;
    *ret_active = false;
    if (j->state != INJECT_ACTIVE)
        return 0;
    return j->row->verify(in->host, &j->undo, ret_active, err);
}

int inject_evidence(struct injector *in, const char *id, struct injection **ret, struct err *err)
{
    struct injection *j = find_known(in, id, err);
    if (j == NULL)
        return -1;
    struct evidence now = {0};
    if (j->state == INJECT_ACTIVE) {
        if (j->row->evidence(in->host, &j->undo, &now, err) != 0)
            return -1;
        j->evidence = now;
        j->has_evidence = true;
    }
    if (!j->has_evidence)
        return make_error(err, ERR_NOT_FOUND, 0, "injection %s is %s: it has no evidence", id,
                          inject_state_word(j->state));
    *ret = j;
    return 0;
}

int inject_revert(struct injector *in, const char *id, struct injection **ret, struct err *err)
{
    struct injection *j = find_known(in, id, err);
    if (j == NULL)
        return -1;
    *ret = j;
    if (!is_live(j))
        return 0;
    bool instant = j->row->lifetime == LIFETIME_INSTANT && j->state == INJECT_ACTIVE;
    return end(in, j, instant ? ENDED_INSTANT : ENDED_COMMAND, err);
}

/* Both notices follow one end that nobody asked for. */
static void end_unasked(struct injector *in, struct injection *j, enum ended_by by)
{
    struct err err;
    if (end(in, j, by, &err) == 0)
        in->notice(j);
    else
        (void)fprintf(stderr, "blackstart-agent: %s %s: %s\n", j->row->name, j->undo.injection,
                      err.msg);
}

static bool renew_one(struct injector *in, struct injection *j, int64_t now, int64_t lease_ns)
{
    struct err err;
    if (now >= j->deadline)
        return false;
    int64_t deadline = lease_deadline(now, lease_ns, j->for_end);
    if (j->state == INJECT_ACTIVE && j->row->renew != NULL &&
        j->row->renew(in->host, &j->undo, deadline, &err) != 0)
        return false;
    j->deadline = deadline;
    return true;
}

int inject_renew(struct injector *in, int64_t lease_ns,
                 void (*lapsed)(const struct injection *injection), struct err *err)
{
    if (policy_is_stopped())
        inject_halt(in, POLICY_STOP " is there: everything was reverted");
    if (in->halted[0] != '\0')
        return make_error(err, ERR_REFUSED, 0, "%s", in->halted);
    int64_t now = in->host->now();
    for (size_t i = 0; i < INJECTIONS_MAX; i++) {
        struct injection *j = &in->all[i];
        if ((j->state != INJECT_PREPARED && j->state != INJECT_ACTIVE) ||
            renew_one(in, j, now, lease_ns))
            continue;
        end_unasked(in, j, ENDED_LEASE);
        lapsed(j);
    }
    in->busy_until = 0;
    return tell_deadlines(in, err);
}

/* Ends that follow each other: a guardian that saw the others past their deadlines between two
 * would step in. */
static void end_many(struct injector *in, enum ended_by by, int64_t due)
{
    struct err ignored;
    int64_t busy = 0;
    for (size_t i = 0; i < INJECTIONS_MAX; i++)
        if (is_live(&in->all[i]) && in->all[i].deadline <= due)
            busy += bound_of(&in->all[i]);
    if (busy == 0)
        return;
    in->many = true;
    in->busy_until = in->host->now() + busy;
    if (!guardian_is_lost(in->guardian))
        (void)!tell_deadlines(in, &ignored);
    for (size_t i = INJECTIONS_MAX; i-- > 0;)
        if (is_live(&in->all[i]) && in->all[i].deadline <= due)
            end_unasked(in, &in->all[i], by);
    in->many = false;
    in->busy_until = 0;
    if (!guardian_is_lost(in->guardian))
        (void)!tell_deadlines(in, &ignored);
}

void inject_expire(struct injector *in)
{
    end_many(in, ENDED_LEASE, in->host->now());
}

int64_t inject_earliest(const struct injector *in)
{
    int64_t first = LEASE_NEVER;
    for (size_t i = 0; i < INJECTIONS_MAX; i++)
        if (is_live(&in->all[i]) && in->all[i].deadline < first)
            first = in->all[i].deadline;
    return first;
}

unsigned inject_revert_all(struct injector *in, enum ended_by by)
{
    unsigned left = 0;
    end_many(in, by, LEASE_NEVER);
    for (size_t i = 0; i < INJECTIONS_MAX; i++)
        left += is_live(&in->all[i]);
    return left;
}

void inject_halt(struct injector *in, const char *why)
{
    if (in->halted[0] == '\0')
        (void)snprintf(in->halted, sizeof(in->halted), "%s", why);
    if (in->settled)
        return;
    in->settled = true;
    (void)fprintf(stderr, "blackstart-agent: %s\n", in->halted);
    (void)inject_revert_all(in, guardian_is_lost(in->guardian) ? ENDED_GUARDIAN : ENDED_COMMAND);
}

void inject_settle(struct injector *in)
{
    if (guardian_is_lost(in->guardian))
        inject_halt(in, "the guardian died or did not answer: everything was reverted, and "
                        "nothing more is injected");
    else if (in->log->failed)
        inject_halt(in, "the undo log could not be synced: everything was reverted, and nothing "
                        "more is injected");
}
