/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `outage`: what a scenario reproduces, for lists and reports. Nothing is done by it. */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(31536000000000000)

static const char *const classes[] = {"deletion",   "config",   "partition",   "gray",
                                      "dependency", "capacity", "retry-storm", "certificate",
                                      "time",       "quota",    NULL};
static const char *const fidelities[] = {"high", "medium", "low", NULL};

const char *scenario_outage_class(const struct scenario_outage *o)
{
    return classes[o->class];
}

const char *scenario_outage_fidelity(const struct scenario_outage *o)
{
    return fidelities[o->fidelity];
}

static const struct key outage_keys[] = {
    {.name = "title",
     .type = KEY_TEXT,
     AT(struct scenario_outage, title),
     .required = true,
     .doc = "Whose outage, and when."},
    {.name = "date", .type = KEY_TEXT, AT(struct scenario_outage, date), .doc = "When it began."},
    {.name = "class",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = classes,
     AT(struct scenario_outage, class),
     .required = true,
     .doc = "What kind of outage it was."},
    {.name = "duration",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_outage, duration),
     .min = 1000000000,
     .max = LENGTH_MAX,
     .doc = "How long it lasted there."},
    {.name = "fidelity",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = fidelities,
     AT(struct scenario_outage, fidelity),
     .required = true,
     .doc = "How near the miniature is: high, the same mechanism in the same kind of program; "
            "medium, the same mechanism in another; low, the same shape alone."},
    {.name = "scale",
     .type = KEY_TEXT,
     AT(struct scenario_outage, scale),
     .required = true,
     .doc = "The scale of time: which times are as they were, which are shorter here."},
    {.name = "keeps",
     .type = KEY_TEXT,
     AT(struct scenario_outage, keeps),
     .required = true,
     .doc = "What the miniature keeps of it."},
    {.name = "leaves_out",
     .type = KEY_TEXT,
     AT(struct scenario_outage, leaves_out),
     .required = true,
     .doc = "What it leaves out."},
    {.name = "sources",
     .type = KEY_TEXTS,
     AT_LIST(struct scenario_outage, sources),
     .required = true,
     .doc = "Where the facts are from, by name, and what each is: fact, measured, estimate, "
            "unverified."},
};
const struct section section_outage = {
    .name = "outage",
    .size = sizeof(struct scenario_outage),
    KEYS(outage_keys),
    .doc = "The real outage that the scenario reproduces. Reports state it, with its fidelity and "
           "its scale of time; `blackstart outages` lists it.",
    .example = "outage:\n  title: \"GitHub, 21 October 2018\"\n  class: partition\n"
               "  duration: 24h11m\n  fidelity: high\n"
               "  scale: \"the cut lasts 43 s as it did; its repair took 24 h there\"\n"
               "  keeps: \"a fail-over to a replica that lacks writes\"\n"
               "  leaves_out: \"the second data centre's load\"\n"
               "  sources: [\"October 21 post-incident analysis, GitHub (fact)\"]\n"};
