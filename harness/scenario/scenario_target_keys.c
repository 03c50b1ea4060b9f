/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of target is told: one section a kind, in the order of targets.def. */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(86400000000000)

static void read_target_probe(struct reader *r, const struct key *key, const struct node *node,
                              void *at)
{
    (void)key;
    ((struct scenario_target *)at)->probe = read_probe_name(r, node);
}

static void read_target_vantage(struct reader *r, const struct key *key, const struct node *node,
                                void *at)
{
    (void)key;
    ((struct scenario_target *)at)->vantage = read_vantage_name(r, node);
}

#define KEY_VANTAGE                                                                                \
    {                                                                                              \
        .name = "vantage", .type = KEY_CUSTOM, .read = read_target_vantage,                        \
        .schema = schema_reference, .shape = "name of a host",                                     \
        .doc = "Only what was seen from there counts. Without it, the target must be met at each " \
               "vantage of the probe."                                                             \
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
    KEY_VANTAGE,
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
const struct section section_target_recovery_time = {
    .name = "recovery_time",
    KEYS(recovery_keys),
    .doc = "How long it takes until the probe is good again, and stays so.",
    .example = "- recovery_time: {probe: write, from: fault, within: 5s}\n"};

static const struct key availability_keys[] = {
    KEY_PROBE,
    KEY_VANTAGE,
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
const struct section section_target_availability = {
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
const struct section section_target_blast_radius = {.name = "blast_radius",
                                                    KEYS(blast_keys),
                                                    .doc = "How much of the system was hit.",
                                                    .example = "- blast_radius: {at_most: 50%}\n"};

static void read_target_ledger(struct reader *r, const struct key *key, const struct node *node,
                               void *at)
{
    const char *words[SCENARIO_ITEMS_MAX];
    (void)key;
    for (size_t i = 0; i < r->s->n_ledgers; i++)
        words[i] = r->s->ledgers[i].name;
    ((struct scenario_target *)at)->ledger =
        read_reference(r, "ledger", node, words, r->s->n_ledgers);
}

#define KEY_LEDGER                                                                                 \
    {                                                                                              \
        .name = "ledger", .type = KEY_CUSTOM, .read = read_target_ledger,                          \
        .schema = schema_reference, .required = true, .shape = "name of a ledger",                 \
        .doc = "Whose writes count."                                                               \
    }

static const struct key loss_keys[] = {
    KEY_LEDGER,
    {.name = "at_most",
     .type = KEY_COUNT,
     AT(struct scenario_target, at_most),
     .required = true,
     .max = 1000000000,
     .doc = "How many may be absent after the recovery."},
};
const struct section section_target_data_loss = {
    .name = "data_loss",
    KEYS(loss_keys),
    .doc = "How many of the acknowledged writes are absent when all is read back.",
    .example = "- data_loss: {ledger: orders, at_most: 0}\n"};

static const struct key loss_time_keys[] = {
    KEY_LEDGER,
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_target, within),
     .required = true,
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "From the oldest lost acknowledgement to the first impact, or to the newest lost one "
            "where that is later."},
};
const struct section section_target_data_loss_time = {
    .name = "data_loss_time",
    KEYS(loss_time_keys),
    .doc = "The time whose acknowledged writes are lost: how far back the data goes.",
    .example = "- data_loss_time: {ledger: orders, within: 2s}\n"};
