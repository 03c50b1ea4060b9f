/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/answer.h"
#include "agents/netlink/dump.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COPY(to, from) ((void)snprintf((to), sizeof(to), "%.*s", (int)sizeof(to) - 1, (from)))

static struct agent_item *add_item(struct answer *to)
{
    struct agent_item *item = &to->items[to->reply.n_items];
    if (to->reply.n_items == ITEMS_MAX)
        return NULL;
    to->reply.n_items++;
    *item = (struct agent_item){0};
    return item;
}

static int answer_hello(struct answerer *a, const struct agent_request *r, const void *body,
                        struct answer *to, struct err *err)
{
    (void)body;
    struct injector *in = a->injector;
    if (a->greeted)
        return make_error(err, ERR_PROTOCOL, 0, "hello was said before");
    if (strcmp(r->run, in->host->run) != 0 || strcmp(r->host, in->host->name) != 0)
        return make_error(err, ERR_REFUSED, 0, "this agent was started for host %s of run %s",
                          in->host->name, in->host->run);
    a->greeted = true;
    to->reply.privside = (int32_t)getpid();
    to->reply.guardian = (int32_t)a->guardian;
    to->reply.unreadable = a->unreadable;
    for (size_t i = 0; i < in->catalogue->n; i++) {
        const struct fault *row = in->catalogue->faults[i];
        struct agent_item *item = add_item(to);
        struct err why = {0};
        if (item == NULL)
            return make_error(err, ERR_LIMIT, 0, "more than %d kinds", ITEMS_MAX);
        COPY(item->name, row->name);
        item->yes =
            policy_allows(in->policy, row, &why) == 0 && row->supported(in->host, &why) == 0;
        const char *how = item->yes && row->how != NULL ? row->how(in->host) : NULL;
        COPY(item->text, how != NULL ? how : why.msg);
    }
    /* What the replay did comes behind the kinds; `foreign` or a fault's name tells them apart. */
    for (uint32_t i = 0; i < a->n_replayed; i++) {
        struct agent_item *item = add_item(to);
        if (item != NULL)
            *item = a->replayed[i];
    }
    return 0;
}

static int take_dump(struct buf *ret, char digest[DIGEST_TEXT], struct err *err)
{
    uint64_t d = DIGEST_START;
    if (dump_take(ret, err) != 0)
        return -1;
    if (!buf_ok(ret))
        return make_error(err, ERR_LIMIT, 0, "the host's state is too large to be remembered");
    digest_add(&d, buf_text(ret), ret->len);
    digest_print(d, digest);
    return 0;
}

static int answer_baseline(struct answerer *a, const struct agent_request *r, const void *body,
                           struct answer *to, struct err *err)
{
    (void)r;
    (void)body;
    buf_free(&a->baseline);
    touched_log_clear(&a->injector->files);
    a->baseline = BUF_INIT(DUMP_MAX);
    return take_dump(&a->baseline, to->reply.digest, err);
}

static int answer_prepare(struct answerer *a, const struct agent_request *r, const void *body,
                          struct answer *to, struct err *err)
{
    (void)to;
    return inject_prepare(a->injector, r, body, err);
}

static int answer_apply(struct answerer *a, const struct agent_request *r, const void *body,
                        struct answer *to, struct err *err)
{
    (void)body;
    struct injection *j = NULL;
    if (inject_apply(a->injector, r->injection, &j, err) != 0)
        return -1;
    to->reply.active = true;
    COPY(to->reply.what, j->row->footprint != NULL ? j->row->footprint : j->row->name);
    return 0;
}

static int answer_verify(struct answerer *a, const struct agent_request *r, const void *body,
                         struct answer *to, struct err *err)
{
    (void)body;
    bool active = false;
    if (inject_verify(a->injector, r->injection, &active, err) != 0)
        return -1;
    to->reply.active = active;
    return 0;
}

static void put_evidence(struct agent_reply *to, const struct injection *j)
{
    to->has_evidence = j->has_evidence;
    to->evidence_class = (int32_t)(j->evidence.is_state ? EVIDENCE_STATE : j->row->evidence_class);
    to->evidence = j->evidence;
}

static int answer_evidence(struct answerer *a, const struct agent_request *r, const void *body,
                           struct answer *to, struct err *err)
{
    (void)body;
    struct injection *j = NULL;
    if (inject_evidence(a->injector, r->injection, &j, err) != 0)
        return -1;
    put_evidence(&to->reply, j);
    return 0;
}

/* One request at a time: where its lapsed injections go. */
static struct answer *renewing;

static void add_lapsed(const struct injection *j)
{
    struct agent_item *item = add_item(renewing);
    if (item != NULL)
        COPY(item->name, j->undo.injection);
}

static int answer_renew(struct answerer *a, const struct agent_request *r, const void *body,
                        struct answer *to, struct err *err)
{
    (void)body;
    renewing = to;
    return inject_renew(a->injector, r->lease_ns, add_lapsed, err);
}

static int answer_revert(struct answerer *a, const struct agent_request *r, const void *body,
                         struct answer *to, struct err *err)
{
    (void)body;
    struct injection *j = NULL;
    int rc = inject_revert(a->injector, r->injection, &j, err);
    if (j == NULL)
        return -1;
    to->reply.ended_by = (int32_t)j->ended_by;
    to->reply.restored_by = (int32_t)j->report.restored_by;
    to->reply.foreign = j->report.foreign;
    COPY(to->reply.what, j->report.what);
    COPY(to->reply.manual, j->report.manual);
    put_evidence(&to->reply, j);
    return rc;
}

static void add_lines(struct answer *to, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        struct agent_item *item = add_item(to);
        if (item == NULL)
            return;
        (void)snprintf(item->text, sizeof(item->text), "%.*s", (int)(len < 4096 ? len : 4096),
                       text);
        text += len + (text[len] == '\n');
    }
}

static void add_file(void *ctx, bool is_dirt, const char *text)
{
    struct agent_item *item = add_item(ctx);
    if (item == NULL)
        return;
    item->foreign = !is_dirt;
    COPY(item->text, text);
}

static int answer_clean(struct answerer *a, const struct agent_request *r, const void *body,
                        struct answer *to, struct err *err)
{
    (void)r;
    if (a->baseline.data == NULL)
        return make_error(err, ERR_INPUT, 0, "there is no baseline to compare with");
    CLEANUP_BUF struct buf now = BUF_INIT(DUMP_MAX);
    CLEANUP_BUF struct buf differences = BUF_INIT(1 << 20);
    if (take_dump(&now, to->reply.digest, err) != 0)
        return -1;
    size_t n = dump_diff(buf_text(&a->baseline), buf_text(&now), &differences, ITEMS_MAX / 2);
    add_lines(to, buf_text(&differences));
    for (size_t i = 0; i < INJECTIONS_MAX; i++) {
        const struct injection *j = &a->injector->all[i];
        if (j->state == INJECT_FREE || j->state == INJECT_ENDED)
            continue;
        struct agent_item *item = add_item(to);
        n++;
        if (item != NULL)
            (void)snprintf(item->text, sizeof(item->text), "%s %s is %s %s", j->row->name,
                           j->undo.injection, inject_state_word(j->state), j->report.manual);
    }
    n += touched_tell(&a->injector->files, a->injector->host, body, add_file, to);
    to->reply.clean = n == 0;
    return 0;
}

static int answer_status(struct answerer *a, const struct agent_request *r, const void *body,
                         struct answer *to, struct err *err)
{
    (void)r;
    (void)body;
    (void)err;
    int64_t now = a->injector->host->now();
    for (size_t i = 0; i < INJECTIONS_MAX; i++) {
        const struct injection *j = &a->injector->all[i];
        struct agent_item *item = j->state != INJECT_FREE ? add_item(to) : NULL;
        if (item == NULL)
            continue;
        bool counts = j->state != INJECT_ENDED && j->deadline != LEASE_NEVER;
        COPY(item->name, j->undo.injection);
        COPY(item->fault, j->row->name);
        COPY(item->text, inject_state_word(j->state));
        item->number = counts && j->deadline > now ? (j->deadline - now) / NS_PER_MS : 0;
    }
    return 0;
}

typedef int answer_fn(struct answerer *a, const struct agent_request *r, const void *body,
                      struct answer *to, struct err *err);

static answer_fn *const answers[OP_COUNT] = {
    [OP_HELLO] = answer_hello,   [OP_BASELINE] = answer_baseline, [OP_PREPARE] = answer_prepare,
    [OP_APPLY] = answer_apply,   [OP_VERIFY] = answer_verify,     [OP_EVIDENCE] = answer_evidence,
    [OP_RENEW] = answer_renew,   [OP_REVERT] = answer_revert,     [OP_CLEAN] = answer_clean,
    [OP_STATUS] = answer_status,
};

void answer_request(struct answerer *a, const struct agent_request *r, const void *body,
                    struct answer *ret)
{
    struct err err = {0};
    int rc;
    ret->reply = (struct agent_reply){0};
    if (!a->greeted && r->op != OP_HELLO)
        rc = make_error(&err, ERR_PROTOCOL, 0, "hello comes first");
    else
        rc = answers[r->op](a, r, body, ret, &err);
    if (rc == 0)
        return;
    ret->reply.code = (int32_t)err.code;
    ret->reply.sys = err.sys;
    COPY(ret->reply.msg, err.msg);
}

void answer_ended(const struct injection *j, struct agent_reply *ret)
{
    *ret = (struct agent_reply){.kind = AGENT_ENDED, .ended_by = (int32_t)j->ended_by};
    COPY(ret->injection, j->undo.injection);
    ret->foreign = j->report.foreign;
    COPY(ret->what, j->report.what);
}
