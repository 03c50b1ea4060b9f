/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <string.h>

#define LENGTH_MAX INT64_C(86400000000000)

const char *read_probe_name(struct reader *r, const struct node *node)
{
    const char *words[SCENARIO_ITEMS_MAX];
    for (size_t i = 0; i < r->s->n_probes; i++)
        words[i] = r->s->probes[i].name;
    return read_reference(r, "probe", node, words, r->s->n_probes);
}

static bool is_signal(const struct reader *r, const char *name)
{
    for (size_t i = 0; name != NULL && i < r->s->n_probes; i++)
        if (strcmp(r->s->probes[i].name, name) == 0)
            return r->s->probes[i].signal;
    return false;
}

const char *read_service_name(struct reader *r, const struct node *node)
{
    const char *name = read_probe_name(r, node);
    if (is_signal(r, name))
        reader_problem(r, node->pos, NULL,
                       "%s is a signal, not a service: only detection_time looks at it", name);
    return name;
}

const char *read_signal_name(struct reader *r, const struct node *node)
{
    const char *name = read_probe_name(r, node);
    if (name != NULL && !is_signal(r, name))
        reader_problem(r, node->pos, "give the probe `signal: true`",
                       "%s is a service: detection_time needs a probe of the system's own signal",
                       name);
    return name;
}

static void read_guard_probe(struct reader *r, const struct key *key, const struct node *node,
                             void *at)
{
    (void)key;
    ((struct scenario_guard *)at)->probe = read_service_name(r, node);
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
    .variants = true,
    POS_IN(struct scenario_target),
    .finish = finish_target,
    .doc = "What must hold. A target passes only if the whole measured interval meets it."};

static void finish_guard(struct reader *r, const struct node *node, void *at)
{
    const struct node *length = node_get(node, "bad_for");
    if (node_get(node, "probe") != NULL && length == NULL)
        reader_problem(r, node->pos, NULL, "guard needs \"bad_for\"");
    if (node_get(node, "blast_radius") != NULL && length != NULL)
        reader_problem(r, length->pos, NULL, "bad_for: goes with a probe, not with blast_radius");
    (void)at;
}

static const struct key guard_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_guard_probe,
     .schema = schema_reference,
     .group = 1,
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
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "With a probe, required: bad for longer than this, and everything is taken back."},
    {.name = "blast_radius",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_guard, blast),
     .group = 1,
     .doc = "As soon as more than this share of the services, by the weight of their probes, was "
            "impacted, everything is taken back."},
};
const struct section section_guard = {
    .name = "guard",
    .size = sizeof(struct scenario_guard),
    KEYS(guard_keys),
    .one_of = true,
    .variants = true,
    POS_IN(struct scenario_guard),
    .finish = finish_guard,
    .doc = "A condition that ends the run, takes everything back, and fails it.",
    .example = "guards:\n  - {probe: write, bad_for: 25s}\n  - {blast_radius: 50%}\n"};
