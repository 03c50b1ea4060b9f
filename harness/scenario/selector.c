/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/selector.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* The vantage of the measurement: chosen only by its own name. */
#define CLIENT "client"

enum { TEXT_MAX = 64 * 1024 };

struct resolver {
    const struct selector_host *hosts;
    size_t n_hosts;
    const struct role_holder *roles;
    size_t n_roles;
    uint64_t random;
};

/* splitmix64: the same numbers from the same seed on every machine. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int choose_name(const struct resolver *r, const char *name, bool *chosen, struct err *err)
{
    for (size_t i = 0; i < r->n_hosts; i++)
        if (strcmp(r->hosts[i].name, name) == 0) {
            chosen[i] = true;
            return 0;
        }
    return make_error(err, ERR_NOT_FOUND, 0, "there is no host \"%s\"", name);
}

static int choose_names(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    for (size_t i = 0; i < s->n_names; i++)
        if (choose_name(r, s->names[i], chosen, err) != 0)
            return -1;
    return 0;
}

static int choose_all(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    (void)s;
    (void)err;
    for (size_t i = 0; i < r->n_hosts; i++)
        chosen[i] = strcmp(r->hosts[i].name, CLIENT) != 0;
    return 0;
}

static bool has_label(const struct selector_host *host, const char *label)
{
    for (size_t i = 0; i < host->n_labels; i++)
        if (strcmp(host->labels[i], label) == 0)
            return true;
    return false;
}

static int choose_label(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < r->n_hosts; i++)
        chosen[i] = strcmp(r->hosts[i].name, CLIENT) != 0 && has_label(&r->hosts[i], s->word);
    return 0;
}

static int choose_role(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    for (size_t i = 0; i < r->n_roles; i++)
        if (strcmp(r->roles[i].role, s->word) == 0 && r->roles[i].host != NULL)
            return choose_name(r, r->roles[i].host, chosen, err);
    return make_error(err, ERR_NOT_FOUND, 0, "no host has the role \"%s\" now", s->word);
}

static int choose(const struct selector *s, struct resolver *r, bool *chosen, struct err *err);

static int choose_all_but(const struct selector *s, struct resolver *r, bool *chosen,
                          struct err *err)
{
    bool *not_these CLEANUP_FREE = calloc(r->n_hosts + 1, sizeof(*not_these));
    if (not_these == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    if (choose(s->of, r, not_these, err) != 0 || choose_all(s, r, chosen, err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_hosts; i++)
        chosen[i] = chosen[i] && !not_these[i];
    return 0;
}

/* Draws without replacement: each of the `left` candidates still to come is taken with chance
 * want / left. */
static int choose_share(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    uint64_t left = 0;
    if ((s->of != NULL ? choose(s->of, r, chosen, err) : choose_all(s, r, chosen, err)) != 0)
        return -1;
    for (size_t i = 0; i < r->n_hosts; i++)
        left += chosen[i];
    uint64_t want = (left * s->share.ppm + 999999) / 1000000;
    if (want == 0 && left != 0)
        want = 1;
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (!chosen[i] || left == 0)
            continue;
        chosen[i] = next_random(&r->random) % left < want;
        want -= chosen[i];
        left--;
    }
    return 0;
}

static int choose_list(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    bool *part CLEANUP_FREE = calloc(r->n_hosts + 1, sizeof(*part));
    if (part == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    for (size_t k = 0; k < s->n_parts; k++) {
        memset(part, 0, r->n_hosts * sizeof(*part));
        if (choose(&s->parts[k], r, part, err) != 0)
            return -1;
        for (size_t i = 0; i < r->n_hosts; i++)
            chosen[i] = chosen[i] || part[i];
    }
    return 0;
}

static int choose_addr(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    (void)s, (void)r, (void)chosen, (void)err;
    return 0;
}

static int choose(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    static int (*const by_kind[])(const struct selector *, struct resolver *, bool *,
                                  struct err *) = {
        [SELECT_NAMES] = choose_names, [SELECT_ALL] = choose_all,
        [SELECT_LABEL] = choose_label, [SELECT_ROLE] = choose_role,
        [SELECT_SHARE] = choose_share, [SELECT_ALL_BUT] = choose_all_but,
        [SELECT_LIST] = choose_list,   [SELECT_ADDR] = choose_addr,
    };
    return by_kind[s->kind](s, r, chosen, err);
}

int selector_resolve(const struct selector *s, const struct selector_host *hosts, size_t n_hosts,
                     const struct role_holder *roles, size_t n_roles, uint64_t seed, bool *chosen,
                     struct err *err)
{
    char text[200];
    struct resolver r = {hosts, n_hosts, roles, n_roles, seed};
    for (size_t i = 0; i < n_hosts; i++)
        chosen[i] = false;
    if (choose(s, &r, chosen, err) != 0)
        return -1;
    for (size_t i = 0; i < n_hosts; i++)
        if (chosen[i])
            return 0;
    if (selector_addr(s, 0) != NULL)
        return 0;
    return make_error(err, ERR_NOT_FOUND, 0, "%s: that is no host",
                      selector_print(s, text, sizeof(text)));
}

/* The k-th of that kind, at any depth, in order; *k is lowered by how many there were. */
static const struct selector *find_kind(const struct selector *s, enum selector_kind kind,
                                        size_t *k)
{
    for (; s != NULL; s = s->of) {
        if (s->kind == kind && (*k)-- == 0)
            return s;
        for (size_t i = 0; i < s->n_parts; i++) {
            const struct selector *found = find_kind(&s->parts[i], kind, k);
            if (found != NULL)
                return found;
        }
    }
    return NULL;
}

const char *selector_role(const struct selector *s, size_t k)
{
    const struct selector *role = find_kind(s, SELECT_ROLE, &k);
    return role != NULL ? role->word : NULL;
}

const struct selector *selector_share(const struct selector *s)
{
    size_t first = 0;
    return find_kind(s, SELECT_SHARE, &first);
}

const struct selector *selector_addr(const struct selector *s, size_t k)
{
    return find_kind(s, SELECT_ADDR, &k);
}

/* Names, parts of a list: behind what stands there already. */
static const char *between(size_t i, size_t n)
{
    return i == 0 ? "" : i + 1 == n ? " and " : ", ";
}

static void print_names(const struct selector *s, struct buf *out)
{
    for (size_t i = 0; i < s->n_names; i++)
        buf_printf(out, "%s%s", between(i, s->n_names), s->names[i]);
}

static void print_parts(const struct selector *s, struct buf *out);

static void print_one(const struct selector *s, struct buf *out)
{
    char text[64];
    switch (s->kind) {
    case SELECT_NAMES:
        print_names(s, out);
        break;
    case SELECT_ALL:
        buf_puts(out, "all hosts");
        break;
    case SELECT_ALL_BUT:
        buf_puts(out, "all but ");
        break;
    case SELECT_SHARE:
        buf_printf(out, "%s of %s", ratio_print(s->share, text, sizeof(text)),
                   s->of == NULL ? "all hosts" : "");
        break;
    case SELECT_LABEL:
        buf_printf(out, "label %s", s->word);
        break;
    case SELECT_ROLE:
        buf_printf(out, "the %s", s->word);
        break;
    case SELECT_LIST:
        print_parts(s, out);
        break;
    case SELECT_ADDR:
        buf_puts(out, addr_print(&s->addr, text, sizeof(text)));
        break;
    }
}

static void print_parts(const struct selector *s, struct buf *out)
{
    for (size_t i = 0; i < s->n_parts; i++) {
        buf_puts(out, between(i, s->n_parts));
        for (const struct selector *part = &s->parts[i]; part != NULL; part = part->of)
            print_one(part, out);
    }
}

const char *selector_print(const struct selector *s, char *out, size_t size)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    for (; s != NULL; s = s->of)
        print_one(s, &text);
    (void)snprintf(out, size, "%s", buf_text(&text));
    return out;
}
