/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/selector.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

/* The vantage of the measurement: chosen only by its own name. */
#define CLIENT "client"

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

static int choose(const struct selector *s, struct resolver *r, bool *chosen, struct err *err)
{
    static int (*const by_kind[])(const struct selector *, struct resolver *, bool *,
                                  struct err *) = {
        [SELECT_NAMES] = choose_names, [SELECT_ALL] = choose_all,
        [SELECT_LABEL] = choose_label, [SELECT_ROLE] = choose_role,
        [SELECT_SHARE] = choose_share, [SELECT_ALL_BUT] = choose_all_but,
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
    return make_error(err, ERR_NOT_FOUND, 0, "%s: that is no host",
                      selector_print(s, text, sizeof(text)));
}

const char *selector_role(const struct selector *s, size_t k)
{
    for (; s != NULL; s = s->of)
        if (s->kind == SELECT_ROLE && k-- == 0)
            return s->word;
    return NULL;
}

const struct selector *selector_share(const struct selector *s)
{
    while (s != NULL && s->kind != SELECT_SHARE)
        s = s->of;
    return s;
}

static size_t print_names(const struct selector *s, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < s->n_names && used < size; i++) {
        const char *between = i == 0 ? "" : i + 1 == s->n_names ? " and " : ", ";
        int n = snprintf(out + used, size - used, "%s%s", between, s->names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return used;
}

const char *selector_print(const struct selector *s, char *out, size_t size)
{
    size_t used = 0;
    char share[24];
    out[0] = '\0';
    for (; s != NULL && used < size; s = s->of) {
        int n = 0;
        if (s->kind == SELECT_NAMES)
            used += print_names(s, out + used, size - used);
        else if (s->kind == SELECT_ALL)
            n = snprintf(out + used, size - used, "all hosts");
        else if (s->kind == SELECT_ALL_BUT)
            n = snprintf(out + used, size - used, "all but ");
        else if (s->kind == SELECT_SHARE)
            n = snprintf(out + used, size - used, "%s of %s",
                         ratio_print(s->share, share, sizeof(share)),
                         s->of == NULL ? "all hosts" : "");
        else
            n = snprintf(out + used, size - used, "%s%s",
                         s->kind == SELECT_LABEL ? "label " : "the ", s->word);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}
