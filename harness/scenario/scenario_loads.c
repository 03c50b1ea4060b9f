/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, and the step that changes one. */
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

enum { FAULT_NAME_MAX = NAME_MAX_LEN + 8 };

#define DAY INT64_C(86400000000000)

static void read_vantage(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)key;
    ((struct scenario_load *)at)->from = read_vantage_name(r, node);
}

static void read_on(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct load_retry *retry = at;
    size_t n = node->kind == NODE_LIST ? node->n : 1;
    retry->on = 0;
    for (size_t i = 0; i < n; i++) {
        const struct node *one = node->kind == NODE_LIST ? node->items[i].value : node;
        int o = LOAD_REFUSED;
        if (reader_want(r, key, one, NODE_SCALAR) == NULL)
            return;
        while (o < LOAD_OUTCOMES && strcmp(load_outcome_word((enum load_outcome)o), one->text) != 0)
            o++;
        if (o == LOAD_OUTCOMES)
            reader_unknown(r, one->pos, "there is no failure", one->text, load_failure_words,
                           LOAD_OUTCOMES - LOAD_REFUSED);
        else
            retry->on |= INT64_C(1) << o;
    }
}

static json_t *schema_on(const struct key *key)
{
    json_t *words = json_array();
    (void)key;
    for (int o = LOAD_REFUSED; o < LOAD_OUTCOMES; o++)
        (void)json_array_append_new(words, json_string(load_outcome_word((enum load_outcome)o)));
    return json_pack("{s:[{s:o}, {s:s, s:i, s:{s:O}}]}", "anyOf", "enum", words, "type", "array",
                     "minItems", 1, "items", "enum", words);
}

static const struct key retry_keys[] = {
    {.name = "limit",
     .type = KEY_PARAM,
     .param = PARAM_INT,
     AT(struct load_retry, limit),
     .max = LOAD_RETRIES_MAX,
     .def = "0",
     .doc = "How many attempts an operation has beyond its first."},
    {.name = "backoff",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct load_retry, backoff),
     .max = DAY,
     .def = "0ms",
     .doc = "The wait before the second attempt; 0 is none."},
    {.name = "factor",
     .type = KEY_PARAM,
     .param = PARAM_INT,
     AT(struct load_retry, factor),
     .min = 1,
     .max = 100,
     .def = "2",
     .doc = "Each further wait is so many times as long; 1 is a constant wait."},
    {.name = "at_most",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct load_retry, at_most),
     .max = DAY,
     .def = "10s",
     .doc = "No wait is longer."},
    {.name = "jitter",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     AT(struct load_retry, jitter),
     .choices = load_jitter_words,
     .def = "full",
     .doc = "full: each wait is drawn evenly from nothing to its length; none: it is as long as "
            "it is."},
    {.name = "on",
     .type = KEY_CUSTOM,
     .read = read_on,
     .schema = schema_on,
     .shape = "refused, timeout, 5xx, conflict, other, or a list of them",
     .def = "all but other",
     .doc = "Which failures are tried again. An attempt behind a refused one comes a millisecond "
            "later at the earliest."},
};
const struct section section_retry = {
    .name = "retry",
    KEYS(retry_keys),
    .doc = "What becomes of an attempt that failed.",
    .example = "retry: {limit: 5, backoff: 10ms, factor: 2, at_most: 2s, jitter: full}\n"};

#define KEY_USERS(of, in)                                                                          \
    .name = "users", .type = KEY_PARAM, .param = PARAM_INT, AT(of, in.users), .min = 1,            \
    .max = LOAD_USERS_MAX,                                                                         \
    .doc = "closed: how many users there are. Each has one operation under "                       \
           "way at a time."
#define KEY_THINK(of, in)                                                                          \
    .name = "think", .type = KEY_PARAM, .param = PARAM_DURATION, AT(of, in.think), .max = DAY,     \
    .doc = "closed: how long a user waits after an answer; drawn anew each time, from "            \
           "half of it to one and a half."
#define KEY_RATE(of, in)                                                                           \
    .name = "rate", .type = KEY_PARAM, .param = PARAM_INT, AT(of, in.rate), .min = 1,              \
    .max = LOAD_RATE_MAX, .doc = "open: operations a second, whatever becomes of those before."
#define KEY_RETRY(of, in)                                                                          \
    .name = "retry", .type = KEY_SECTION, .section = &section_retry, AT(of, in.retry),             \
    .doc = "What becomes of an attempt that failed. Without it there is one attempt."

static const struct selector all_hosts = {.kind = SELECT_ALL};

static void finish_args(struct reader *r, const struct node *node, struct scenario_load *l)
{
    struct err err;
    l->args = read_kind_args(r, node, &l->kind->kind);
    if (l->args != NULL && l->kind->check != NULL)
        reader_blame(r, node, l->kind->check(l->args, &err), &err);
}

/* Keys of the other model, and the one that this one needs. */
static void check_model(struct reader *r, const struct node *node, int model, bool needs)
{
    static const char *const closed[] = {"users", "think", NULL};
    static const char *const open[] = {"rate", "arrivals", "in_flight", NULL};
    const char *const *others = model == LOAD_CLOSED ? open : closed;
    const char *own = model == LOAD_CLOSED ? "users" : "rate";
    for (size_t i = 0; others[i] != NULL; i++) {
        const struct node *key = node_get(node, others[i]);
        if (key != NULL)
            reader_problem(r, key->pos, NULL, "%s: it is for %s loads, and this one is %s",
                           others[i], load_model_words[!model], load_model_words[model]);
    }
    if (needs && node_get(node, own) == NULL)
        reader_problem(r, node->pos, NULL, "load: the %s model needs \"%s\"",
                       load_model_words[model], own);
}

static void finish_load(struct reader *r, const struct node *node, void *at)
{
    struct scenario_load *l = at;
    const struct node *on = node_get(node, "retry");
    if (l->hosts == NULL)
        l->hosts = &all_hosts;
    if (l->from == NULL)
        l->from = "client";
    if (on == NULL || on->kind != NODE_MAP || node_get(on, "on") == NULL)
        l->shape.retry.on = LOAD_ON_DEFAULT;
    check_model(r, node, l->shape.model, true);
    /* Of the other model; in a struct of plain numbers all have one that is allowed. */
    l->shape.users = l->shape.users == 0 ? 1 : l->shape.users;
    l->shape.rate = l->shape.rate == 0 ? 1 : l->shape.rate;
    if (l->kind == NULL)
        return;
    finish_args(r, node, l);
    if (r->n_hosts != 0 && !l->hosts->wrong && reader_count_hosts(r, l->hosts, NULL) == 0)
        reader_problem(r, node->pos, NULL, "load: that is no host");
}

static const char *const connection_words[] = {"kept", "fresh", NULL};

static const struct key load_keys[] = {
    {.name = "kind",
     .type = KEY_KIND,
     AT(struct scenario_load, kind),
     .required = true,
     .kinds = &load_kinds,
     .doc = "What is asked, and how."},
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_load, hosts),
     .scope = SCOPE_STATIC,
     .def = "all",
     .doc = "Whom it asks. Users are dealt out to them in the order of the lab; a user whose "
            "attempt was refused or timed out goes on to the next one."},
    {.name = "from",
     .type = KEY_CUSTOM,
     .read = read_vantage,
     .schema = schema_reference,
     .shape = "name of a host",
     .def = "client",
     .doc = "The host on which the load stands."},
    {.name = "model",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = load_model_words,
     AT(struct scenario_load, shape.model),
     .def = "closed",
     .doc = "closed: users who wait for their answer before they ask again, so that a slow system "
            "is asked less; open: operations at a rate, which a slow system does not hold up."},
    {KEY_USERS(struct scenario_load, shape)},
    {KEY_THINK(struct scenario_load, shape), .def = "0ms"},
    {KEY_RATE(struct scenario_load, shape)},
    {.name = "arrivals",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = load_arrival_words,
     AT(struct scenario_load, shape.arrivals),
     .def = "poisson",
     .doc = "open: independent of each other, as of many users, or evenly."},
    {.name = "in_flight",
     .type = KEY_PARAM,
     .param = PARAM_INT,
     AT(struct scenario_load, shape.in_flight),
     .min = 1,
     .max = LOAD_USERS_MAX,
     .def = "256",
     .doc = "open: operations under way, at most. What comes beyond is counted as not sent."},
    {.name = "timeout",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_load, shape.timeout),
     .min = 1000000,
     .max = DAY,
     .def = "1s",
     .doc = "After this long an attempt has failed."},
    {KEY_RETRY(struct scenario_load, shape)},
    {.name = "connection",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = connection_words,
     AT(struct scenario_load, fresh),
     .def = "kept",
     .doc = "Whether users keep their connections, or have a fresh one for each attempt."},
    {.name = "port",
     .type = KEY_PARAM,
     .param = PARAM_INT,
     AT(struct scenario_load, port),
     .min = 1024,
     .max = 65535,
     .def = "9180",
     .doc =
         "Where its counters are served as JSON, on the loopback of its host alone: a probe from "
         "there reads them, http://127.0.0.1:9180/. They begin with each trial. Each load of a "
         "host needs its own."},
};
const struct section section_load = {
    .name = "load",
    .size = sizeof(struct scenario_load),
    KEYS(load_keys),
    .variants = true,
    NAMED_IN(struct scenario_load),
    POS_IN(struct scenario_load),
    .finish = finish_load,
    .doc = "Users of the system, by a stated model, in a process of its own; begins with each "
           "trial and ends with it. Beside these keys stand the parameters of its kind: blackstart "
           "loads. An "
           "operation is what a user wants; it takes one attempt or, by `retry`, more. Its "
           "latency counts from when it was due to the answer that was a success.",
    .example = "loads:\n  buyers:\n    kind: http\n    hosts: front\n    users: 20\n"
               "    think: 100ms\n    url: http://${host}/buy\n"
               "    retry: {limit: 5, backoff: 10ms, jitter: full}\n",
};

/* Two servers cannot have one port. */
void loads_check(struct reader *r)
{
    const struct scenario *s = r->s;
    for (size_t i = 0; i < s->n_loads; i++)
        for (size_t k = 0; k < i; k++)
            if (s->loads[i].port == s->loads[k].port && s->loads[i].from != NULL &&
                s->loads[k].from != NULL && strcmp(s->loads[i].from, s->loads[k].from) == 0)
                reader_problem(r, s->loads[i].pos, "port: another one",
                               "load: the counters of %s are served on that port of %s already",
                               s->loads[k].name, s->loads[k].from);
}

/* The step. Loads are read before steps (scenario.c), so that what it does not name is the load's.
 */
struct changed {
    const char *key, *sub;
    size_t offset, size;
};
#define CHANGED(key, sub, field)                                                                   \
    {                                                                                              \
        key, sub, offsetof(struct load_shape, field), sizeof(((struct load_shape *)NULL)->field)   \
    }
static const struct changed changes[] = {
    CHANGED("users", NULL, users),
    CHANGED("think", NULL, think),
    CHANGED("rate", NULL, rate),
    CHANGED("retry", "limit", retry.limit),
    CHANGED("retry", "backoff", retry.backoff),
    CHANGED("retry", "factor", retry.factor),
    CHANGED("retry", "at_most", retry.at_most),
    CHANGED("retry", "jitter", retry.jitter),
    CHANGED("retry", "on", retry.on),
};

static const struct node *changed_node(const struct node *step, const struct changed *c)
{
    const struct node *at = node_get(step, c->key);
    if (at == NULL || c->sub == NULL)
        return at;
    return at->kind == NODE_MAP ? node_get(at, c->sub) : NULL;
}

static const struct scenario_load *find_load(const struct reader *r, const char *name)
{
    for (size_t i = 0; name != NULL && i < r->s->n_loads; i++)
        if (strcmp(r->s->loads[i].name, name) == 0)
            return &r->s->loads[i];
    return NULL;
}

static void read_load_name(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    const char *words[SCENARIO_ITEMS_MAX];
    (void)key;
    for (size_t i = 0; i < r->s->n_loads; i++)
        words[i] = r->s->loads[i].name;
    ((struct scenario_step *)at)->load =
        find_load(r, read_reference(r, "load", node, words, r->s->n_loads));
}

/* What the plan and the analysis call it. */
static const struct fault *change_row(struct reader *r, const struct scenario_load *load)
{
    struct fault *row = reader_alloc(r, 1, sizeof(*row));
    char name[FAULT_NAME_MAX];
    if (row == NULL)
        return NULL;
    (void)snprintf(name, sizeof(name), "load %s", load->name);
    memcpy(row, &load_change, sizeof(*row));
    row->name = reader_strdup(r, name);
    return row->name != NULL ? row : NULL;
}

static void finish_change(struct reader *r, const struct node *node, void *at)
{
    struct scenario_step *s = at;
    struct load_shape *shape = reader_alloc(r, 1, sizeof(*shape));
    struct selector *hosts = reader_alloc(r, 1, sizeof(*hosts));
    bool any = false;
    if (s->load == NULL || shape == NULL || hosts == NULL)
        return;
    *shape = s->load->shape;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct changed *c = &changes[i];
        if (changed_node(node, c) == NULL)
            continue;
        memcpy((char *)shape + c->offset, (const char *)&s->shape + c->offset, c->size);
        any = true;
    }
    if (!any)
        reader_problem(r, node->pos, "users: 64", "load: say what changes");
    check_model(r, node, shape->model, false);
    *hosts = (struct selector){
        .kind = SELECT_NAMES, .names = &s->load->from, .n_names = 1, .pos = node->pos};
    s->hosts = hosts;
    s->args = shape;
    s->fault = change_row(r, s->load);
}

static const struct key change_keys[] = {
    {.name = "load",
     .type = KEY_CUSTOM,
     .read = read_load_name,
     .schema = schema_reference,
     .required = true,
     .shape = "name of a load",
     .doc = "Which one."},
    {.name = "name",
     .type = KEY_NAME,
     AT(struct scenario_step, name),
     .doc = "What the report and `heal` call this step."},
    {KEY_USERS(struct scenario_step, shape)},
    {KEY_THINK(struct scenario_step, shape)},
    {KEY_RATE(struct scenario_step, shape)},
    {KEY_RETRY(struct scenario_step, shape)},
    {.name = "for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_step, length),
     .min = 1000000,
     .max = DAY,
     .doc = "How long it is so. Without it, until the end of the steps or a heal."},
    {.name = "wait_end",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct scenario_step, wait_end),
     .def = "false",
     .doc = "The next step starts only when it has ended. Otherwise the steps go on at once."},
};
const struct section section_load_step = {
    .name = "load step",
    KEYS(change_keys),
    .variants = true,
    .finish = finish_change,
    .doc = "A load asks more, less, or otherwise, from here on. What is not named stays as the "
           "load says; while several are on, the newest holds. It is a disturbance as a fault is: "
           "proven by the load's own counters (every user has asked, or as many operations came as "
           "the rate gives), healed by `heal`, left out without faults, and what recovery is "
           "measured from.",
    .example = "- load: buyers\n  users: 64\n  for: 10s\n"};
