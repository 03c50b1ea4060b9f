/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(86400000000000)

const char *read_probe_name(struct reader *r, const struct node *node)
{
    const char *words[SCENARIO_ITEMS_MAX];
    for (size_t i = 0; i < r->s->n_probes; i++)
        words[i] = r->s->probes[i].name;
    return read_reference(r, "probe", node, words, r->s->n_probes);
}

static void read_guard_probe(struct reader *r, const struct key *key, const struct node *node,
                             void *at)
{
    (void)key;
    ((struct scenario_guard *)at)->probe = read_probe_name(r, node);
}

static void read_guard_vantage(struct reader *r, const struct key *key, const struct node *node,
                               void *at)
{
    (void)key;
    ((struct scenario_guard *)at)->vantage = read_vantage_name(r, node);
}

json_t *schema_reference(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "type", "string");
}

static void finish_target(struct reader *r, const struct node *node, void *at)
{
#define TARGET(word, name, unit, side, doc) [TARGET_##word] = #name,
    static const char *const words[] = {
#include "scenario/targets.def"
    };
#undef TARGET
    struct scenario_target *t = at;
    (void)r;
    for (size_t kind = 0; kind < sizeof(words) / sizeof(words[0]); kind++)
        if (node_get(node, words[kind]) != NULL)
            t->kind = (enum target_kind)kind;
}

#define TARGET(word, key, unit, side, text)                                                        \
    {.name = #key,                                                                                 \
     .type = KEY_SECTION,                                                                          \
     .section = &section_target_##key,                                                             \
     .group = 1,                                                                                   \
     .doc = (text)},
static const struct key target_keys[] = {
#include "scenario/targets.def"
};
#undef TARGET
const struct section section_target = {
    .name = "target",
    .size = sizeof(struct scenario_target),
    KEYS(target_keys),
    .one_of = true,
    POS_IN(struct scenario_target),
    .finish = finish_target,
    .doc = "What must hold. A target passes only if the whole measured interval meets it."};

static const struct key guard_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_guard_probe,
     .schema = schema_reference,
     .required = true,
     .shape = "name of a probe",
     .doc = "The probe that is watched."},
    {.name = "vantage",
     .type = KEY_CUSTOM,
     .read = read_guard_vantage,
     .schema = schema_reference,
     .shape = "name of a host",
     .def = "the probe's first",
     .doc = "From where, when the probe is sent from several hosts."},
    {.name = "bad_for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_guard, bad_for),
     .required = true,
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "Bad for longer than this, and everything is taken back."},
};
const struct section section_guard = {
    .name = "guard",
    .size = sizeof(struct scenario_guard),
    KEYS(guard_keys),
    POS_IN(struct scenario_guard),
    .doc = "A condition that ends the run, takes everything back, and fails it.",
    .example = "guards:\n  - {probe: write, bad_for: 25s}\n"};
