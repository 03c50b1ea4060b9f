/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"
#include "base/digest.h"

#include <stdio.h>
#include <string.h>

const struct fault *catalogue_find(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->faults[i]->name, name) == 0)
            return c->faults[i];
    return NULL;
}

const void *undo_record(const struct undo *undo, uint32_t version, size_t size, struct err *err)
{
    uint32_t found;
    memcpy(&found, undo->data, sizeof(found));
    if (undo->size == size && found == version)
        return undo->data;
    (void)make_error(err, ERR_DIRTY, 0,
                     "the undo record of %s has a format that this version cannot read",
                     undo->injection);
    return NULL;
}

static void digest_param(uint64_t *d, const struct param *p)
{
    const int64_t shape[] = {(int64_t)p->type, (int64_t)p->offset, p->required, p->min, p->max};
    digest_text(d, p->name);
    digest_text(d, p->def != NULL ? p->def : "");
    digest_add(d, shape, sizeof(shape));
    for (size_t i = 0; p->choices != NULL && p->choices[i] != NULL; i++)
        digest_text(d, p->choices[i]);
}

void catalogue_digest(const struct catalogue *c, char ret[DIGEST_TEXT])
{
    uint64_t d = DIGEST_START;
    for (size_t i = 0; i < c->n; i++) {
        const struct fault *f = c->faults[i];
        const uint64_t shape[] = {f->args_size, f->n_params, f->lifetime, f->evidence_class,
                                  f->caps};
        digest_text(&d, f->name);
        digest_add(&d, shape, sizeof(shape));
        for (size_t k = 0; k < f->n_params; k++)
            digest_param(&d, &f->params[k]);
    }
    digest_print(d, ret);
}

const char *lifetime_word(enum lifetime lifetime)
{
    static const char *const words[] = {
        [LIFETIME_KERNEL] = "kernel",
        [LIFETIME_VICTIM] = "victim",
        [LIFETIME_GUARDIAN] = "guardian",
        [LIFETIME_INSTANT] = "instant",
    };
    return (size_t)lifetime < sizeof(words) / sizeof(words[0]) ? words[lifetime] : "unknown";
}

const char *evidence_class_word(enum evidence_class class)
{
    static const char *const words[] = {
        [EVIDENCE_COUNTER] = "counter",
        [EVIDENCE_STATE] = "state",
        [EVIDENCE_EVENT] = "event",
    };
    return (size_t) class < sizeof(words) / sizeof(words[0]) ? words[class] : "unknown";
}

const char *ended_by_word(enum ended_by ended)
{
    static const char *const words[] = {
        [ENDED_NOT] = "not",           [ENDED_COMMAND] = "command", [ENDED_LEASE] = "lease",
        [ENDED_GUARDIAN] = "guardian", [ENDED_REPLAY] = "replay",   [ENDED_VICTIM] = "victim",
        [ENDED_INSTANT] = "instant",
    };
    return (size_t)ended < sizeof(words) / sizeof(words[0]) ? words[ended] : "unknown";
}

static const char *const restored_by_words[] = {
    [RESTORED_BY_NOBODY] = "nobody",
    [RESTORED_BY_POLICY] = "policy",
    [RESTORED_BY_BLACKSTART] = "blackstart",
};
enum { N_RESTORED_BY = sizeof(restored_by_words) / sizeof(restored_by_words[0]) };

const char *restored_by_word(enum restored_by by)
{
    return (size_t)by < N_RESTORED_BY ? restored_by_words[by] : "unknown";
}

enum restored_by restored_by_find(const char *word)
{
    for (size_t i = 0; word != NULL && i < N_RESTORED_BY; i++)
        if (strcmp(word, restored_by_words[i]) == 0)
            return (enum restored_by)i;
    return RESTORED_BY_NOBODY;
}

void fault_mark(char out[FAULT_MARK], const char *run, const char *injection)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *p = run; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    hash = (hash ^ '/') * UINT64_C(0x100000001b3);
    for (const char *p = injection; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    (void)snprintf(out, FAULT_MARK, "bs%012llx",
                   (unsigned long long)(hash & UINT64_C(0xffffffffffff)));
}
