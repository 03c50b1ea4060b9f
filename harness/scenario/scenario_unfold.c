/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault step that unfolds: `waves` over its hosts, `flap` over its time. */
#include "scenario/scenario_read.h"

#include <string.h>

#define LENGTH_MAX INT64_C(86400000000000)

static void read_size(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario_waves *w = at;
    bool share = node->kind == NODE_SCALAR && strchr(node->text, '%') != NULL;
    const struct key as_count = {.name = key->name,
                                 .type = KEY_COUNT,
                                 AT(struct scenario_waves, size),
                                 .min = 1,
                                 .max = SCENARIO_HOSTS_MAX};
    const struct key as_share = {.name = key->name,
                                 .type = KEY_PARAM,
                                 .param = PARAM_RATIO,
                                 AT(struct scenario_waves, share),
                                 .min = 1,
                                 .max = 999999};
    read_key(r, share ? &as_share : &as_count, node, w);
}

static json_t *schema_size(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:s, s:i, s:i}, {s:s, s:s}]}", "anyOf", "type", "integer", "minimum", 1,
                     "maximum", (int)SCENARIO_HOSTS_MAX, "type", "string", "pattern",
                     "^[0-9]+(\\.[0-9]+)?%$|\\$\\{");
}

static void read_gate_probe(struct reader *r, const struct key *key, const struct node *node,
                            void *at)
{
    (void)key;
    ((struct scenario_waves *)at)->probe = read_probe_name(r, node);
}

static void read_gate_is(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    static const char *const words[] = {"good", "bad", NULL};
    const struct key as_enum = {
        .name = key->name, .type = KEY_PARAM, .param = PARAM_ENUM, .choices = words};
    int value = 0;
    read_key(r, &as_enum, node, &value);
    ((struct scenario_waves *)at)->good = value == 0;
}

static json_t *schema_gate_is(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s]}", "enum", "good", "bad");
}

/* Of the same struct as `waves`, which holds them. */
static const struct key gate_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_gate_probe,
     .schema = schema_reference,
     .required = true,
     .shape = "name of a probe",
     .doc = "The probe that decides."},
    {.name = "is",
     .type = KEY_CUSTOM,
     .read = read_gate_is,
     .schema = schema_gate_is,
     .required = true,
     .shape = "good or bad",
     .doc = "What every one of its answers must be."},
    {.name = "for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_waves, last),
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "In the last part of the bake that is this long; without it, in the whole bake."},
};
static const struct section section_gate = {.name = "gate",
                                            KEYS(gate_keys),
                                            .doc = "The health that lets the next wave go on.",
                                            .example =
                                                "gate: {probe: checkout, is: good, for: 5s}\n"};

static void read_gate(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)key;
    read_section(r, &section_gate, node, at);
}

static json_t *schema_gate(const struct key *key)
{
    (void)key;
    return schema_section(&section_gate);
}

static void finish_waves(struct reader *r, const struct node *node, void *at)
{
    const struct scenario_waves *w = at;
    const struct node *gate = node_get(node, "gate"), *fail = node_get(node, "on_fail");
    if (gate == NULL && fail != NULL)
        reader_problem(r, fail->pos, NULL, "waves: on_fail needs a gate that can fail");
    if (gate != NULL && w->bake.ns == 0)
        reader_problem(r, gate->pos, "bake: 10s", "waves: a gate needs a bake to look at");
    if (gate != NULL && w->bake.ns != 0 && w->last.ns > w->bake.ns)
        reader_problem(r, gate->pos, "a longer bake",
                       "gate: its \"for\" is longer than the bake, so that it could never hold");
}

static const char *const fails[] = {"stop", "heal", NULL};

static const struct key waves_keys[] = {
    {.name = "size",
     .type = KEY_CUSTOM,
     .read = read_size,
     .schema = schema_size,
     .required = true,
     .shape = "a number of hosts, or a share such as 25%",
     .doc =
         "How many of the step's hosts each wave takes; a share is rounded down to at least one. "
         "Which hosts come first is drawn from the seed."},
    {.name = "bake",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_waves, bake),
     .max = LENGTH_MAX,
     .def = "0s",
     .doc = "How long a wave is watched before the next begins."},
    {.name = "gate",
     .type = KEY_CUSTOM,
     .read = read_gate,
     .schema = schema_gate,
     .shape = "a map with probe, is and for: see below",
     .section = &section_gate,
     .doc = "What must hold at the end of each bake but the last. Where it does not, no further "
            "wave begins."},
    {.name = "on_fail",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     AT(struct scenario_waves, heal),
     .choices = fails,
     .def = "stop",
     .doc = "What a failed gate does beside that: `stop` leaves the waves that are on for the "
            "step's `for`, `heal` takes them back at once."},
};
const struct section section_waves = {
    .name = "waves",
    KEYS(waves_keys),
    .finish = finish_waves,
    .doc = "The fault reaches its hosts one wave after the other, as a roll-out does. The step "
           "ends with the last wave or where it stopped; `for` counts from then, for all waves.",
    .example = "waves: {size: 1, bake: 10s, gate: {probe: checkout, is: good, for: 5s}, "
               "on_fail: heal}\n"};

static const struct key flap_keys[] = {
    {.name = "on",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_flap, on),
     .required = true,
     .min = 100000000,
     .max = LENGTH_MAX,
     .doc = "How long it is on, from the moment it was seen to be active."},
    {.name = "off",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_flap, off),
     .required = true,
     .min = 100000000,
     .max = LENGTH_MAX,
     .doc = "How long it is off, from the moment it was seen to be gone."},
    {.name = "jitter",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_flap, jitter),
     .max = 900000,
     .def = "0%",
     .doc = "By how much each of them may be shorter or longer, drawn from the seed."},
};
const struct section section_flap = {
    .name = "flap",
    KEYS(flap_keys),
    .doc = "The fault comes and goes until the step's `for` is over. A phase of which less than "
           "half would be left is not begun.",
    .example = "flap: {on: 2s, off: 1s, jitter: 20%}\n"};

static void finish_waves_step(struct reader *r, const struct node *node,
                              const struct scenario_step *s)
{
    const struct node *waves = node_get(node, "waves");
    size_t n = s->hosts != NULL && r->n_hosts != 0 ? reader_count_hosts(r, s->hosts, NULL) : 0;
    if (n == 1)
        reader_problem(r, waves->pos, NULL, "waves: the step has only one host");
    else if (n != 0 && s->waves.size >= n)
        reader_problem(r, waves->pos, "a smaller size",
                       "waves: one wave of %u would take all of the step's %zu hosts",
                       s->waves.size, n);
    if (s->waves.heal != 0 && s->fault->lifetime == LIFETIME_INSTANT)
        reader_problem(r, waves->pos, "on_fail: stop", "waves: %s cannot be taken back",
                       s->fault->name);
}

void finish_unfold(struct reader *r, const struct node *node, const struct scenario_step *s)
{
    const struct node *flap = node_get(node, "flap");
    if (node_get(node, "waves") != NULL && waves_given(&s->waves))
        finish_waves_step(r, node, s);
    if (flap == NULL || s->flap.on.ns == 0)
        return;
    if (s->fault->lifetime == LIFETIME_INSTANT)
        reader_problem(r, flap->pos, NULL, "flap: %s cannot be taken back", s->fault->name);
    else if (s->length.ns == 0)
        reader_problem(r, flap->pos, "for: 20s", "flap: needs \"for\", or it has no end");
    else if (s->length.ns <= s->flap.on.ns + s->flap.off.ns)
        reader_problem(r, flap->pos, "a longer \"for\"",
                       "flap: the fault would come only once in its \"for\"");
}
