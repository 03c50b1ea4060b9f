/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/changes.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct change *find(struct changes *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->list[i].id, id) == 0)
            return &c->list[i];
    return NULL;
}

/* The one that holds; NULL: none does. */
static struct change *newest(struct changes *c)
{
    for (size_t i = c->n; i > 0; i--)
        if (c->list[i - 1].on)
            return &c->list[i - 1];
    return NULL;
}

/* Every user must have asked; of arrivals as many must have come as the rate gives, but for what
 * chance takes away. */
static bool is_proven(const struct change *h, uint64_t begun, uint64_t not_sent, size_t heard,
                      int64_t for_ns)
{
    double due = (double)h->shape.rate * (double)for_ns / (double)NS_PER_SEC;
    if (begun == 0)
        return false;
    if (h->shape.model == LOAD_CLOSED)
        return heard >= (size_t)h->shape.users;
    return (double)(begun + not_sent) >= 0.9 * due - 3.0 * sqrt(due) - 1.0;
}

static json_t *reading(struct changes *c, struct change *h)
{
    const struct load_tally *t = runner_total(c->runner);
    uint64_t begun = t->begun - h->begun, attempts = t->attempts - h->attempts;
    uint64_t not_sent = t->not_sent - h->not_sent;
    size_t heard = model_heard(runner_model(c->runner));
    int64_t now = clock_system(CLOCK_MONOTONIC);
    char what[160];
    h->proven = h->proven || is_proven(h, begun, not_sent, heard, now - h->on_ns);
    if (h->shape.model == LOAD_CLOSED)
        (void)snprintf(what, sizeof(what), "%zu of %lld users began %llu operations, %llu attempts",
                       heard, (long long)h->shape.users, (unsigned long long)begun,
                       (unsigned long long)attempts);
    else
        (void)snprintf(what, sizeof(what),
                       "%llu operations began and %llu were not sent, in %.1f s at %lld a second",
                       (unsigned long long)begun, (unsigned long long)not_sent,
                       (double)(now - h->on_ns) / (double)NS_PER_SEC, (long long)h->shape.rate);
    return json_pack("{s:s, s:{s:I, s:I}, s:b, s:s}", "class", evidence_class_word(EVIDENCE_EVENT),
                     "items", "operations", (json_int_t)begun, "attempts", (json_int_t)attempts,
                     "proven", h->proven, "what", what);
}

/* What its counters say, before another takes its place: nothing counts for it from then on. */
static void keep(struct changes *c)
{
    struct change *h = newest(c);
    if (h != NULL && h->kept == NULL)
        h->kept = reading(c, h);
}

/* From now on it is counted for the one that holds. */
static void hold(struct changes *c)
{
    struct change *h = newest(c);
    runner_change(c->runner, h != NULL ? &h->shape : &c->own);
}

int changes_prepare(struct changes *c, const char *id, const struct load_shape *shape,
                    struct err *err)
{
    if (strlen(id) > INJECTION_ID_MAX || find(c, id) != NULL || c->n == CHANGES_MAX)
        return make_error(err, ERR_PROTOCOL, 0, "no such change can be prepared");
    struct change *h = &c->list[c->n++];
    *h = (struct change){.shape = *shape};
    (void)snprintf(h->id, sizeof(h->id), "%s", id);
    return 0;
}

static json_t *unknown(const char *id, struct err *err)
{
    (void)make_error(err, ERR_NOT_FOUND, 0, "there is no change %s", id);
    return NULL;
}

json_t *changes_apply(struct changes *c, const char *id, struct err *err)
{
    struct change *at = find(c, id), h;
    char text[400];
    if (at == NULL)
        return unknown(id, err);
    keep(c);
    /* The newest stands last. */
    h = *at;
    memmove(at, at + 1, (size_t)(&c->list[c->n] - (at + 1)) * sizeof(*at));
    at = &c->list[c->n - 1];
    *at = h;
    const struct load_tally *t = runner_total(c->runner);
    at->begun = t->begun;
    at->attempts = t->attempts;
    at->not_sent = t->not_sent;
    at->on = true;
    at->on_ns = clock_system(CLOCK_MONOTONIC);
    hold(c);
    return json_pack("{s:b, s:s}", "active", 1, "what",
                     load_shape_text(&at->shape, text, sizeof(text)));
}

json_t *changes_evidence(struct changes *c, const char *id, struct err *err)
{
    struct change *h = find(c, id);
    if (h == NULL)
        return unknown(id, err);
    return h->kept != NULL ? json_incref(h->kept) : reading(c, h);
}

json_t *changes_revert(struct changes *c, const char *id, struct err *err)
{
    struct change *h = find(c, id);
    char text[400], what[440];
    if (h == NULL)
        return unknown(id, err);
    json_t *evidence = NULL;
    bool was_on = h->on;
    if (was_on) {
        if (h == newest(c))
            keep(c);
        evidence = json_incref(h->kept);
    }
    bool held = h == newest(c);
    json_decref(h->kept);
    memmove(h, h + 1, (size_t)(&c->list[c->n] - (h + 1)) * sizeof(*h));
    c->n--;
    if (held)
        hold(c);
    (void)snprintf(what, sizeof(what), "now %s",
                   load_shape_text(model_shape(runner_model(c->runner)), text, sizeof(text)));
    json_t *answer = json_pack("{s:s, s:b, s:s}", "ended_by", ended_by_word(ENDED_COMMAND),
                               "foreign", 0, "what", what);
    if (evidence != NULL)
        (void)json_object_set_new(answer, "evidence", evidence);
    return answer;
}

void changes_drop(struct changes *c)
{
    bool any = newest(c) != NULL;
    for (size_t i = 0; i < c->n; i++)
        json_decref(c->list[i].kept);
    c->n = 0;
    if (any)
        hold(c);
}
