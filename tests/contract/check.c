/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "contract/contract.h"
#include "contract/injection.h"
#include "patience.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

void contract_break(struct contract *c, const char *fmt, ...)
{
    char text[4096];
    va_list list;
    va_start(list, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, list);
    va_end(list);
    buf_printf(&c->broken, "%s: %s\n", c->row->name, text);
}

/* Prepared, looked at, and put back without ever having been applied. */
static void check_prepare(struct contract *c, const struct look *before)
{
    struct injection i;
    struct evidence evidence;
    struct err err;
    if (!injection_prepare(c, &i, patience(30) * NS_PER_SEC))
        return;
    uint32_t version = 0;
    memcpy(&version, i.undo.data, sizeof(version));
    if (i.undo.size < sizeof(version) || i.undo.size > UNDO_DATA_MAX || version == 0)
        contract_break(c, "prepare leaves no undo record that starts with a format version");
    injection_same_now(c, before, "after prepare");
    if (injection_is_active(c, &i))
        contract_break(c, "it is active before it is applied");
    if (c->row->evidence(&c->host, &i.undo, &evidence, &err) == 0 && evidence.proven)
        contract_break(c, "it is proven before it is applied: %s", evidence.what);
    injection_revert(c, &i, &i.undo, "before it is applied");
    injection_same_soon(c, before, "after a revert without apply");
}

static void check_words(struct contract *c, const struct evidence *e)
{
    if (e->what[0] == '\0' || memchr(e->what, '\0', sizeof(e->what)) == NULL)
        contract_break(c, "evidence says nothing to people");
    if (e->n == 0 || e->n > EVIDENCE_MAX)
        contract_break(c, "evidence has %u items", e->n);
}

static void check_proof(struct contract *c, const struct injection *i)
{
    struct evidence evidence = {0};
    bool grew = injection_evidence_grows(c, i, &evidence);
    check_words(c, &evidence);
    if (!evidence.proven)
        contract_break(c, "active, and not proven: %s", evidence.what);
    if (c->row->evidence_class == EVIDENCE_COUNTER && !grew)
        contract_break(c, "its counters do not grow under traffic: %s", evidence.what);
}

static void check_proof_ends(struct contract *c, const struct injection *i)
{
    struct evidence evidence = {0};
    struct err err;
    if (c->row->lifetime == LIFETIME_INSTANT)
        return;
    if (c->row->evidence_class == EVIDENCE_COUNTER) {
        if (injection_evidence_grows(c, i, &evidence))
            contract_break(c, "its counters grow after the revert: %s", evidence.what);
    } else if (c->row->evidence(&c->host, &i->undo, &evidence, &err) == 0 && evidence.proven) {
        contract_break(c, "reverted, and still proven: %s", evidence.what);
    }
}

static void check_renew(struct contract *c, const struct injection *i)
{
    struct err err;
    if (c->row->renew == NULL)
        return;
    if (c->row->renew(&c->host, &i->undo, c->host.now() + patience(30) * NS_PER_SEC, &err) != 0)
        contract_break(c, "renew: %s", err.msg);
    while (c->host.now() < i->undo.lease_ns + 200 * NS_PER_MS)
        injection_rest(20);
    if (!injection_is_active(c, i))
        contract_break(c, "renewed, and ended at its old deadline");
}

/* The whole way, as a run has it; the lease is short where it can be renewed, and outlasts the look
 * before that. */
static void check_way(struct contract *c, const struct look *before)
{
    struct injection i;
    struct look now;
    struct err err;
    int64_t lease =
        c->row->renew != NULL ? 1500 * NS_PER_MS + 4 * c->look_ns : patience(30) * NS_PER_SEC;
    if (!injection_prepare(c, &i, lease) || !injection_apply(c, &i, before))
        return;
    if (!injection_is_active(c, &i))
        contract_break(c, "applied, and not active");
    check_proof(c, &i);
    if (look_take(c, &now, &err) == 0)
        look_compare_footprint(c, before, &now);
    else
        contract_break(c, "%s", err.msg);
    look_free(&now);
    check_renew(c, &i);
    injection_revert(c, &i, &i.undo, "");
    if (c->row->lifetime != LIFETIME_INSTANT && injection_is_active(c, &i))
        contract_break(c, "reverted, and still active");
    injection_same_soon(c, before, "after revert");
    check_proof_ends(c, &i);
    if (c->row->renew != NULL &&
        c->row->renew(&c->host, &i.undo, c->host.now() + patience(1) * NS_PER_SEC, &err) == 0)
        contract_break(c, "renew of what has ended is a success");
    injection_revert(c, &i, &i.undo, "the second time");
    injection_same_soon(c, before, "after a second revert");
}

/* The agent died between apply and writing down what apply noted. */
static void check_first_record(struct contract *c, const struct look *before)
{
    struct injection i;
    if (!injection_prepare(c, &i, patience(30) * NS_PER_SEC))
        return;
    struct undo first = i.undo;
    if (!injection_apply(c, &i, before))
        return;
    injection_revert(c, &i, &first, "from the record of prepare");
    injection_same_soon(c, before, "after a revert from the record of prepare");
}

static void check_descriptors(struct contract *c, int before)
{
    int now = injection_count_fds();
    if (now != before)
        contract_break(c, "%d descriptors were open, now %d", before, now);
    if (waitpid(-1, NULL, WNOHANG) >= 0)
        contract_break(c, "it leaves a child process");
}

static bool has_bounds(const struct param *p)
{
    return (p->min != 0 || p->max != 0) && (p->type == PARAM_RATIO || p->type == PARAM_INT ||
                                            p->type == PARAM_DURATION || p->type == PARAM_BYTES);
}

static void put_bound(const struct param *p, void *args, int64_t value)
{
    char *at = (char *)args + p->offset;
    if (p->type == PARAM_RATIO)
        *(struct ratio *)at = (struct ratio){(uint32_t)value};
    else
        memcpy(at, &value, sizeof(value));
}

static void check_at_bounds(struct contract *c, const struct look *before)
{
    const struct fault *row = c->row;
    struct err err;
    CLEANUP_FREE void *saved = calloc(1, row->args_size);
    memcpy(saved, c->args, row->args_size);
    for (size_t k = 0; k < 2 * row->n_params; k++) {
        const struct param *p = &row->params[k / 2];
        struct injection i;
        if (!has_bounds(p))
            continue;
        put_bound(p, c->args, k % 2 == 0 ? p->min : p->max);
        if ((row->check == NULL || row->check(c->args, &err) == 0) &&
            injection_prepare(c, &i, patience(30) * NS_PER_SEC) && injection_apply(c, &i, before)) {
            injection_revert(c, &i, &i.undo, "at a bound");
            injection_same_soon(c, before, "after a revert at a bound");
        }
        memcpy(c->args, saved, row->args_size);
    }
}

static bool check_text(struct contract *c)
{
    const struct fault *row = c->row;
    const char *const texts[] = {row->name, row->summary, row->doc, row->example, row->footprint};
    struct err err;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i] == NULL || texts[i][0] == '\0') {
            contract_break(c, "name, summary, doc, example or footprint is missing");
            return false;
        }
    if (row->touches == 0)
        contract_break(c, "touches nothing");
    if (row->supported(&c->host, &err) != 0) {
        contract_break(c, "not supported on the test's host: %s", err.msg);
        return false;
    }
    if (example_args(row, &c->peers, c->args, &err) != 0 ||
        (row->check != NULL && row->check(c->args, &err) != 0)) {
        contract_break(c, "its own example is refused: %s", err.msg);
        return false;
    }
    return true;
}

/* The first look: a service that has just come up may still be starting threads. */
static void take_quiet(struct contract *c, struct look *ret)
{
    struct err err;
    int64_t start = clock_system(CLOCK_MONOTONIC);
    if (look_take(c, ret, &err) != 0)
        contract_break(c, "%s", err.msg);
    c->look_ns = clock_system(CLOCK_MONOTONIC) - start;
    for (int tries = 0; tries < patience(50) && c->broken.len == 0; tries++) {
        struct look later = {0};
        injection_rest(50);
        if (look_take(c, &later, &err) != 0)
            contract_break(c, "%s", err.msg);
        bool same = strcmp(buf_text(&later.processes), buf_text(&ret->processes)) == 0 &&
                    strcmp(buf_text(&later.files), buf_text(&ret->files)) == 0;
        look_free(ret);
        *ret = later;
        if (same)
            return;
    }
    contract_break(c, "the test's host does not come to rest");
}

typedef void step(struct contract *c, const struct look *before);

bool contract_check(struct contract *c)
{
    static step *const steps[] = {check_prepare,           check_way,
                                  check_first_record,      injection_check_lease,
                                  injection_check_foreign, check_at_bounds};
    struct look before = {0};
    c->broken = BUF_INIT(1024 * 1024);
    c->args = calloc(1, c->row->args_size);
    int fds = injection_count_fds();
    if (check_text(c)) {
        contract_check_params(c);
        take_quiet(c, &before);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && c->broken.len == 0; i++)
            steps[i](c, &before);
        check_descriptors(c, fds);
    }
    look_free(&before);
    free(c->args);
    c->args = NULL;
    return c->broken.len == 0;
}
