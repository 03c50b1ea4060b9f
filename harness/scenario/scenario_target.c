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

static void read_target_probe(struct reader *r, const struct key *key, const struct node *node,
                              void *at)
{
    (void)key;
    ((struct scenario_target *)at)->probe = read_probe_name(r, node);
}

static void read_guard_probe(struct reader *r, const struct key *key, const struct node *node,
                             void *at)
{
    (void)key;
    ((struct scenario_guard *)at)->probe = read_probe_name(r, node);
}

json_t *schema_reference(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "type", "string");
}

#define KEY_PROBE                                                                                  \
    {                                                                                              \
        .name = "probe", .type = KEY_CUSTOM, .read = read_target_probe,                            \
        .schema = schema_reference, .required = true, .shape = "name of a probe",                  \
        .doc = "Whose samples count."                                                              \
    }

static const char *const from_words[] = {"fault", "impact", "heal", NULL};

static const struct key recovery_keys[] = {
    KEY_PROBE,
    {.name = "from",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = from_words,
     AT(struct scenario_target, from),
     .def = "fault",
     .doc = "The start: the fault was active (a claim of failover), the first impact (what users "
            "felt), or the end of the fault."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_target, within),
     .required = true,
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "The limit for the time until only good slots follow."},
};
static const struct section section_recovery = {
    .name = "recovery_time",
    KEYS(recovery_keys),
    .doc = "How long it takes until the probe is good again, and stays so.",
    .example = "- recovery_time: {probe: write, from: fault, within: 5s}\n"};

static const struct key availability_keys[] = {
    KEY_PROBE,
    {.name = "over",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_target, over),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = NULL,
     .doc = "The window, from the fault on. Without it, to the end of observation."},
    {.name = "at_least",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, limit),
     .required = true,
     .doc = "The share of scheduled slots that must be good."},
};
static const struct section section_availability = {
    .name = "availability",
    KEYS(availability_keys),
    .doc = "The share of good answers over a window.",
    .example = "- availability: {probe: write, over: 20s, at_least: 99.9%}\n"};

static const struct key blast_keys[] = {
    {.name = "at_most",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, limit),
     .required = true,
     .doc = "The share of probes, by weight, that may be impacted."},
};
static const struct section section_blast = {.name = "blast_radius",
                                             KEYS(blast_keys),
                                             .doc = "How much of the system was hit.",
                                             .example = "- blast_radius: {at_most: 50%}\n"};

static void finish_target(struct reader *r, const struct node *node, void *at)
{
    static const char *const words[] = {
        [TARGET_RECOVERY] = "recovery_time",
        [TARGET_AVAILABILITY] = "availability",
        [TARGET_BLAST] = "blast_radius",
    };
    struct scenario_target *t = at;
    (void)r;
    for (int kind = TARGET_RECOVERY; kind <= TARGET_BLAST; kind++)
        if (node_get(node, words[kind]) != NULL)
            t->kind = (enum target_kind)kind;
}

static const struct key target_keys[] = {
    {.name = "recovery_time",
     .type = KEY_SECTION,
     .section = &section_recovery,
     .group = 1,
     .doc = "How long until the probe is good again."},
    {.name = "availability",
     .type = KEY_SECTION,
     .section = &section_availability,
     .group = 1,
     .doc = "The share of good answers over a window."},
    {.name = "blast_radius",
     .type = KEY_SECTION,
     .section = &section_blast,
     .group = 1,
     .doc = "How much of the system was hit."},
};
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
