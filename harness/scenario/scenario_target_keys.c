/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of target is told: one section a kind, in the order of targets.def. */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(86400000000000)

static void read_target_probe(struct reader *r, const struct key *key, const struct node *node,
                              void *at)
{
    (void)key;
    ((struct scenario_target *)at)->probe = read_service_name(r, node);
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
    .doc =
        "How long it takes until the probe is good again, and stays so. Of several outages "
        "behind a fault the last counts, but none that lies wholly in a step that was `planned`, "
        "behind the end of all faults.",
    .example = "- recovery_time: {probe: write, from: fault, within: 5s}\n"};

static const char *const during_words[] = {"whole", "fault", "recovery", NULL};

#define KEY_OVER                                                                                   \
    {                                                                                              \
        .name = "over", .type = KEY_PARAM, .param = PARAM_DURATION,                                \
        AT(struct scenario_target, over), .group = 2, .min = 1000000, .max = LENGTH_MAX,           \
        .doc = "The window, from the fault on."                                                    \
    }
#define KEY_DURING                                                                                 \
    {                                                                                              \
        .name = "during", .type = KEY_PARAM, .param = PARAM_ENUM, .choices = during_words,         \
        AT(struct scenario_target, during), .group = 2, .def = "whole",                            \
        .doc = "Without `over`: while there was a fault, from its removal to the end of "          \
               "observation, or both."                                                             \
    }

static const struct key availability_keys[] = {
    KEY_PROBE,
    KEY_VANTAGE,
    KEY_OVER,
    KEY_DURING,
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
    .example = "- availability: {probe: write, over: 20s, at_least: 99.9%}\n"
               "- availability: {probe: write, during: fault, at_least: 50%}\n"};

static const char *const blast_words[] = {"services", "hosts", NULL};

static const struct key blast_keys[] = {
    {.name = "of",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = blast_words,
     AT(struct scenario_target, blast_of),
     .def = "services",
     .doc = "The services that were impacted, of all that have a probe and by its weight; or the "
            "hosts that were, of those that have a probe of their own (no other host in it), over "
            "the hosts with a fault: 100% says that nothing was hit beyond as many."},
    {.name = "at_most",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, limit),
     .required = true,
     .doc = "The share that may be impacted."},
};
const struct section section_target_blast_radius = {
    .name = "blast_radius",
    KEYS(blast_keys),
    .doc = "How much of the system was hit. As a guard, the same share of the services ends the "
           "run: see guard.",
    .example = "- blast_radius: {at_most: 50%}\n- blast_radius: {of: hosts, at_most: 100%}\n"};

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

#define KEY_AT_MOST(text)                                                                          \
    {                                                                                              \
        .name = "at_most", .type = KEY_PARAM, .param = PARAM_DURATION,                             \
        AT(struct scenario_target, within), .required = true, .max = LENGTH_MAX, .doc = (text)     \
    }

static const struct key latency_keys[] = {
    KEY_PROBE,
    KEY_VANTAGE,
    {.name = "percentile",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, percentile),
     .def = "99%",
     .min = 1,
     .max = 999999,
     .doc = "The share of the requests that must be as fast."},
    KEY_AT_MOST("How long they may take."),
    KEY_OVER,
    KEY_DURING,
};
const struct section section_target_latency = {
    .name = "latency",
    KEYS(latency_keys),
    .doc = "How long answers take, counted from the time at which each request was due, so that no "
           "stall hides the requests that it held up. A request that failed or had no answer took "
           "for ever. Bounds hold with 95 % confidence each (order statistics); slots that the "
           "prober sent late or not at all may have been anything. With too few slots for the "
           "percentile (p99 needs 299) there is no upper bound, and the reason says so.",
    .example = "- latency: {probe: write, percentile: 99%, at_most: 200ms, during: fault}\n"};

static const struct key outage_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_target_probe,
     .schema = schema_reference,
     .shape = "name of a probe",
     .doc = "Whose samples count. Without it, all services, each by its weight and at the vantage "
            "that saw the worst."},
    KEY_VANTAGE,
    KEY_AT_MOST("How many seconds of a full outage."),
    {.name = "over",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_target, over),
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "The window, from the fault on. Without it, to the end of observation."},
};
const struct section section_target_outage_seconds = {
    .name = "outage_seconds",
    KEYS(outage_keys),
    .doc = "The lost share of the service, integrated over time: half of the services away for ten "
           "seconds are five. A probe of several endpoints is away as its `endpoints` says. The "
           "bounds are those of each outage, and what the prober missed may have been lost.",
    .example =
        "- outage_seconds: {probe: write, at_most: 3s}\n- outage_seconds: {at_most: 1500ms}\n"};

static const struct key budget_keys[] = {
    KEY_PROBE,
    KEY_VANTAGE,
    {.name = "slo",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, slo),
     .required = true,
     .min = 1,
     .max = 999999,
     .doc = "The share of good requests that was promised."},
    {.name = "period",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_target, period),
     .def = "30d",
     .min = 1000000000,
     .doc = "The time over which it was promised."},
    {.name = "at_most",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_target, limit),
     .required = true,
     .doc = "The share of the budget that one such outage may use."},
};
const struct section section_target_error_budget = {
    .name = "error_budget",
    KEYS(budget_keys),
    .doc = "Bad requests over those that the SLO allows in its period, (1 - slo) * requests. The "
           "users' requests are taken to come at a constant rate, as the probe's own do, so that "
           "both are times: the lost time over (1 - slo) * period.",
    .example = "- error_budget: {probe: write, slo: 99.9%, period: 30d, at_most: 10%}\n"};

static void read_target_signal(struct reader *r, const struct key *key, const struct node *node,
                               void *at)
{
    (void)key;
    ((struct scenario_target *)at)->probe = read_signal_name(r, node);
}

static void read_impact_on(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    (void)key;
    ((struct scenario_target *)at)->impact_on = read_service_name(r, node);
}

static const char *const detection_words[] = {"fault", "impact", NULL};

static const struct key detection_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_target_signal,
     .schema = schema_reference,
     .required = true,
     .shape = "name of a probe with `signal: true`",
     .doc = "The system's own signal."},
    {.name = "from",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = detection_words,
     AT(struct scenario_target, from),
     .def = "impact",
     .doc = "The start: the first impact on users, or the fault was active."},
    {.name = "impact_on",
     .type = KEY_CUSTOM,
     .read = read_impact_on,
     .schema = schema_reference,
     .shape = "name of a probe",
     .doc = "Whose first impact counts. Without it, the first of any service."},
    KEY_AT_MOST("The limit."),
};
const struct section section_target_detection_time = {
    .name = "detection_time",
    KEYS(detection_keys),
    .doc = "How long until the system notices by itself: from the first impact until a probe with "
           "`signal: true` is good. The run waits for the signal up to `observe`.",
    .example = "- detection_time: {probe: alert, at_most: 5s}\n"};
