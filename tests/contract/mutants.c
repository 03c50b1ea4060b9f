/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "contract/contract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The sound row that the mutant in hand is made from; one mutant is tried at a time. */
static const struct fault *sound;

static const char *const mark = "etc/blackstart-mutant";

static void make_mark(const struct fault_host *host)
{
    int fd = openat(host->root, mark, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        (void)close(fd);
}

void mutant_sweep(struct contract *c, const struct fault *row)
{
    struct revert_report report;
    struct err err;
    (void)unlinkat(c->host.root, mark, 0);
    for (size_t i = 0; i < CONTRACT_MADE; i++)
        if (c->made[i].size > 0)
            (void)!row->revert(&c->host, &c->made[i], &report, &err);
}

bool mutant_is_caught(const struct mutant *mutant, const char *reason)
{
    char words[256], *save = NULL;
    (void)snprintf(words, sizeof(words), "%s", mutant->caught_by);
    for (char *word = strtok_r(words, "|", &save); word != NULL; word = strtok_r(NULL, "|", &save))
        if (strstr(reason, word) != NULL)
            return true;
    return false;
}

static int revert_nothing(struct fault_host *host, const struct undo *undo,
                          struct revert_report *ret, struct err *err)
{
    (void)host, (void)undo, (void)err;
    memset(ret, 0, sizeof(*ret));
    return 0;
}

/* What is over at once on the network leaves nothing to put back. */
static bool has_revert(const struct fault *row)
{
    return row->lifetime != LIFETIME_INSTANT || row->touches != TOUCHES_KERNEL;
}

static void make_revert_nothing(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->revert = revert_nothing;
}

/* The record is filled only when the harm is done. */
static int prepare_later(struct fault_host *host, const void *args, struct undo *undo,
                         struct err *err)
{
    if (sound->prepare(host, args, undo, err) != 0)
        return -1;
    memset(undo->data, 0, undo->size);
    return 0;
}

static int apply_then_record(struct fault_host *host, const void *args, struct undo *undo,
                             struct err *err)
{
    if (sound->prepare(host, args, undo, err) != 0)
        return -1;
    return sound->apply(host, args, undo, err);
}

static void make_late_record(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->prepare = prepare_later;
    ret->apply = apply_then_record;
}

static int evidence_constant(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                             struct err *err)
{
    (void)host, (void)undo, (void)err;
    *ret = (struct evidence){
        .items = {{"count", 42}}, .n = 1, .proven = true, .what = "all is as it should be"};
    return 0;
}

static void make_constant_evidence(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->evidence = evidence_constant;
}

/* Sound until it is applied: only what its class asks for finds it. */
static bool was_applied;

static int apply_marking(struct fault_host *host, const void *args, struct undo *undo,
                         struct err *err)
{
    was_applied = true;
    return sound->apply(host, args, undo, err);
}

static int evidence_stuck(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                          struct err *err)
{
    return (was_applied ? evidence_constant : sound->evidence)(host, undo, ret, err);
}

static bool is_lasting(const struct fault *row)
{
    return row->lifetime != LIFETIME_INSTANT;
}

static void make_stuck_evidence(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->apply = apply_marking;
    ret->evidence = evidence_stuck;
}

static int apply_beyond(struct fault_host *host, const void *args, struct undo *undo,
                        struct err *err)
{
    make_mark(host);
    return sound->apply(host, args, undo, err);
}

static int revert_beyond(struct fault_host *host, const struct undo *undo,
                         struct revert_report *ret, struct err *err)
{
    (void)unlinkat(host->root, mark, 0);
    return sound->revert(host, undo, ret, err);
}

static void make_beyond(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->apply = apply_beyond;
    ret->revert = revert_beyond;
}

static int prepare_acts(struct fault_host *host, const void *args, struct undo *undo,
                        struct err *err)
{
    make_mark(host);
    return sound->prepare(host, args, undo, err);
}

static void make_prepare_acts(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->prepare = prepare_acts;
    ret->revert = revert_beyond;
}

static int verify_yes(struct fault_host *host, const struct undo *undo, bool *ret_active,
                      struct err *err)
{
    (void)host, (void)undo, (void)err;
    *ret_active = true;
    return 0;
}

static void make_verify_yes(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->verify = verify_yes;
}

static int renew_nothing(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                         struct err *err)
{
    (void)host, (void)undo, (void)lease_ns, (void)err;
    return 0;
}

static bool has_renew(const struct fault *row)
{
    return row->renew != NULL;
}

static void make_renew_nothing(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->renew = renew_nothing;
}

static int revert_once(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                       struct err *err)
{
    bool active = false;
    if (sound->verify(host, undo, &active, err) == 0 && !active)
        return make_error(err, ERR_NOT_FOUND, 0, "it is not on");
    return sound->revert(host, undo, ret, err);
}

static void make_revert_once(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->revert = revert_once;
}

/* Where the harm was done: the first path of the arguments. */
static char harmed[PATH_MAX_LEN + 1];

static const struct param *first_path(const struct fault *row)
{
    for (size_t i = 0; i < row->n_params; i++)
        if (row->params[i].type == PARAM_PATH || row->params[i].type == PARAM_PATHS)
            return &row->params[i];
    return NULL;
}

static bool has_path(const struct fault *row)
{
    return (row->touches & TOUCHES_FILES) != 0 && first_path(row) != NULL;
}

static int revert_denying(struct fault_host *host, const struct undo *undo,
                          struct revert_report *ret, struct err *err)
{
    int rc = sound->revert(host, undo, ret, err);
    ret->foreign = false;
    return rc;
}

static void make_deny_foreign(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->revert = revert_denying;
}

static int apply_noting(struct fault_host *host, const void *args, struct undo *undo,
                        struct err *err)
{
    const struct param *p = first_path(sound);
    const void *at = (const char *)args + p->offset;
    (void)snprintf(harmed, sizeof(harmed), "%s",
                   p->type == PARAM_PATH ? (const char *)at : ((const struct paths *)at)->v[0].s);
    return sound->apply(host, args, undo, err);
}

static int revert_over(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                       struct err *err)
{
    int rc = sound->revert(host, undo, ret, err);
    int fd = ret->foreign ? openat(host->root, harmed + 1, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static void make_overwrite_foreign(const struct fault *row, struct fault *ret)
{
    *ret = *row;
    ret->apply = apply_noting;
    ret->revert = revert_over;
}

#define MUTANT(label, words, applies_to, each, how)                                                \
    static void make_from_##how(const struct fault *row, struct fault *ret)                        \
    {                                                                                              \
        sound = row;                                                                               \
        how(row, ret);                                                                             \
    }
#define MUTANTS(X)                                                                                 \
    X("revert does nothing", "reverted, and still active|after revert|after a revert", has_revert, \
      false, make_revert_nothing)                                                                  \
    X("the undo record is filled after the harm", "leaves no undo record|from the record of prep", \
      NULL, false, make_late_record)                                                               \
    X("evidence is constant", "proven before it is|do not grow|still proven", NULL, true,          \
      make_constant_evidence)                                                                      \
    X("evidence is constant once it is on", "do not grow|still proven", is_lasting, true,          \
      make_stuck_evidence)                                                                         \
    X("acts beyond its footprint", "beyond its footprint", NULL, false, make_beyond)               \
    X("prepare changes the host", "after prepare:", NULL, false, make_prepare_acts)                \
    X("verify always says active", "active before it is applied", NULL, false, make_verify_yes)    \
    X("renew does nothing", "at its old deadline|renew of what", has_renew, false,                 \
      make_renew_nothing)                                                                          \
    X("revert fails when nothing is on", "revert before it is applied", NULL, false,               \
      make_revert_once)                                                                            \
    X("a foreign change is denied", "a foreign change is not reported", has_path, false,           \
      make_deny_foreign)                                                                           \
    X("a foreign change is lost", "a foreign change was overwritten", has_path, false,             \
      make_overwrite_foreign)

MUTANTS(MUTANT)

#define MUTANT_ROW(label, words, applies_to, each, how)                                            \
    {label, words, applies_to, each, make_from_##how},
const struct mutant mutants[] = {MUTANTS(MUTANT_ROW)};
const size_t n_mutants = sizeof(mutants) / sizeof(mutants[0]);
