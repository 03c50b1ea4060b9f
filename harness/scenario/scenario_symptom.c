/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reproduced outage showed: any target, which must be met, or missed. */
#include "scenario/scenario_read.h"

#include <string.h>

enum { SHOWS_MAX = 200 };

static void read_symptom_target(struct reader *r, const struct key *key, const struct node *node,
                                void *at)
{
    struct scenario_symptom *s = at;
    struct scenario_target *t = reader_alloc(r, 1, sizeof(*t));
    if (t == NULL || reader_want(r, key, node, NODE_MAP) == NULL)
        return;
    t->pos = node->pos;
    s->missed = strcmp(key->name, "missed") == 0;
    read_section(r, &section_target, node, t);
    s->targets = t;
    s->n_targets = 1;
}

static json_t *schema_symptom_target(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "$ref", "#/definitions/target");
}

/* It stands in verdicts and in the names of tests. */
static void finish_symptom(struct reader *r, const struct node *node, void *at)
{
    const struct scenario_symptom *s = at;
    const struct node *shows = node_get(node, "shows");
    if (s->shows != NULL && (strlen(s->shows) > SHOWS_MAX || strpbrk(s->shows, "\r\n") != NULL))
        reader_problem(r, shows->pos, NULL, "shows: expected one line of at most %d bytes",
                       (int)SHOWS_MAX);
}

#define KEY_TARGET(word, text)                                                                     \
    {                                                                                              \
        .name = (word), .type = KEY_CUSTOM, .read = read_symptom_target,                           \
        .schema = schema_symptom_target, .group = 1, .shape = "[target](#target)", .doc = (text)   \
    }

static const struct key symptom_keys[] = {
    {.name = "shows",
     .type = KEY_TEXT,
     AT(struct scenario_symptom, shows),
     .required = true,
     .doc = "What people saw, in one line: reports say it as it stands here."},
    KEY_TARGET("met", "A target of any kind, which the whole interval must meet."),
    KEY_TARGET("missed", "The same, which the whole interval must miss. At any vantage is enough, "
                         "where the probe has several."),
};
const struct section section_symptom = {
    .name = "symptom",
    .size = sizeof(struct scenario_symptom),
    KEYS(symptom_keys),
    .one_of = true,
    .variants = true,
    POS_IN(struct scenario_symptom),
    .finish = finish_symptom,
    .doc = "What the outage showed that is reproduced here. A trial that does not show it is "
           "invalid, whatever its targets say; one that leaves it open is inconclusive. With "
           "`--no-fault` symptoms are looked for too, so that no such run passes. In the "
           "fault-free trial of a series none that is `missed` may be there, nor all of them.",
    .example = "symptoms:\n"
               "  - shows: the home page answers while nobody can buy\n"
               "    met: {availability: {probe: home, at_least: 99%}}\n"
               "  - shows: nobody can buy until it is rolled back\n"
               "    missed: {availability: {probe: checkout, over: 20s, at_least: 50%}}\n"};
