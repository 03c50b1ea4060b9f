/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <string.h>

enum { IN_FLIGHT_MAX = 1000, RATE_SLOTS_MIN = 4, RATE_SLOTS_MAX = 10000 };

#define TIMEOUT_MAX        INT64_C(60000000000)
#define SERVED_TIMEOUT_MAX INT64_C(5000000000) /* a trial's end waits for it */

static void read_role_name(struct reader *r, const struct node *node, struct scenario_probe *p)
{
    const char *words[SCENARIO_ITEMS_MAX];
    for (size_t i = 0; i < r->s->n_roles; i++)
        words[i] = r->s->roles[i].name;
    p->endpoints = ENDPOINTS_ROLE;
    p->role = read_reference(r, "role", node, words, r->s->n_roles);
}

static void read_endpoints(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    struct scenario_probe *p = at;
    const struct node *role = node_get(node, "role");
    if (node->kind == NODE_MAP && node->n == 1 && role != NULL)
        read_role_name(r, role, p);
    else if (node->kind == NODE_SCALAR && strncmp(node->text, "role:", 5) == 0)
        reader_problem(r, node->pos, "write endpoints: {role: NAME}", "%s: a map is needed",
                       key->name);
    else if (node->kind != NODE_SCALAR)
        reader_problem(r, node->pos, NULL, "%s: expected any, each or {role: NAME}", key->name);
    else if (strcmp(node->text, "any") == 0)
        p->endpoints = ENDPOINTS_ANY;
    else if (strcmp(node->text, "each") == 0)
        p->endpoints = ENDPOINTS_EACH;
    else
        reader_problem(r, node->pos, NULL, "%s: expected any, each or {role: NAME}, found \"%s\"",
                       key->name, node->text);
}

static json_t *schema_endpoints(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:[s, s]}, {s:s, s:[s], s:b, s:{s:{s:s}}}]}", "anyOf", "enum", "any",
                     "each", "type", "object", "required", "role", "additionalProperties", 0,
                     "properties", "role", "type", "string");
}

static void read_connection(struct reader *r, const struct key *key, const struct node *node,
                            void *at)
{
    static const char *const words[] = {"kept", "fresh", NULL};
    const struct key as_enum = {
        .name = key->name, .type = KEY_PARAM, .param = PARAM_ENUM, .choices = words};
    int value = 1;
    read_key(r, &as_enum, node, &value);
    ((struct scenario_probe *)at)->fresh = value == 1;
}

static json_t *schema_connection(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s]}", "enum", "fresh", "kept");
}

static const struct selector all_hosts = {.kind = SELECT_ALL};

static void finish_kind(struct reader *r, const struct node *node, struct scenario_probe *p)
{
    size_t before = r->problems->n;
    if (node_get(node, "connection") == NULL)
        p->fresh = true;
    if (p->hosts == NULL)
        p->hosts = &all_hosts;
    if (p->kind == NULL)
        return;
    p->args = read_kind_args(r, node, &p->kind->kind);
    struct err err;
    if (p->args != NULL && r->problems->n == before)
        reader_blame(r, node, probe_kind_check(p->kind, p->args, &p->expect, p->fresh, &err), &err);
}

static void check_times(struct reader *r, const struct node *node, const struct scenario_probe *p)
{
    const struct node *timeout = node_get(node, "timeout");
    const struct node *latency = node_get(node, "expect");
    struct pos pos = timeout != NULL ? timeout->pos : node->pos;
    if (p->every.ns >= 1000000 && p->timeout.ns / p->every.ns >= IN_FLIGHT_MAX)
        reader_problem(r, pos, "a shorter time-out, or a longer interval",
                       "timeout: with this interval more than %d probes could be on their way",
                       IN_FLIGHT_MAX);
    if (p->expect.latency.ns > p->timeout.ns && latency != NULL)
        reader_problem(r, latency->pos, NULL, "expect: the latency is longer than the time-out");
    int64_t slots =
        p->expect.rate.over.ns != 0 ? p->expect.rate.over.ns / p->every.ns : RATE_SLOTS_MIN;
    if ((slots < RATE_SLOTS_MIN || slots > RATE_SLOTS_MAX) && latency != NULL)
        reader_problem(r, latency->pos, NULL, "rate: over must be from %d to %d intervals of it",
                       RATE_SLOTS_MIN, RATE_SLOTS_MAX);
}

/* What is asked of a service means nothing of a signal. */
static void check_signal(struct reader *r, const struct node *node)
{
    static const char *const words[] = {"impact", "weight", "served"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const struct node *key = node_get(node, words[i]);
        if (key != NULL)
            reader_problem(r, key->pos, NULL,
                           "%s: this probe is a signal, which is no service that can be impacted",
                           words[i]);
    }
}

static void finish_probe(struct reader *r, const struct node *node, void *at)
{
    struct scenario_probe *p = at;
    if (p->signal)
        check_signal(r, node);
    size_t before = r->problems->n;
    finish_kind(r, node, p);
    if (p->from == NULL)
        p->from = "client";
    if (r->problems->n != before || r->n_hosts == 0)
        return;
    check_times(r, node, p);
    if (p->hosts->wrong)
        return;
    size_t n = reader_count_hosts(r, p->hosts, NULL);
    if (n == 0)
        reader_problem(r, p->hosts->pos, NULL, "probe: that is no host");
    else if (n > 1 && node_get(node, "endpoints") == NULL)
        reader_problem(r, node->pos,
                       "any: one good answer is enough; each: all must be good; {role: NAME}",
                       "a probe of %zu hosts needs \"endpoints\"", n);
}

static void finish_role(struct reader *r, const struct node *node, void *at)
{
    finish_kind(r, node, at);
    const struct node *expect = node_get(node, "expect");
    if (((const struct scenario_probe *)at)->expect.rate.given && expect != NULL)
        reader_problem(r, expect->pos, NULL,
                       "expect: one answer has no rate, and a role is asked once");
}

static void finish_served(struct reader *r, const struct node *node, void *at)
{
    struct scenario_probe *ask = &((struct scenario_served *)at)->ask;
    ask->expect.number.given = true;
    finish_kind(r, node, ask);
}

static void read_served(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario_served *served = reader_alloc(r, 1, sizeof(*served));
    if (served == NULL || reader_want(r, key, node, NODE_MAP) == NULL)
        return;
    read_section(r, key->section, node, served);
    *(const struct scenario_served **)at = served;
}

static json_t *schema_served(const struct key *key)
{
    return schema_section(key->section);
}

static const char *const impact_words[] = {"allowed", "expected", "none", NULL};

#define KEY_KIND                                                                                   \
    {                                                                                              \
        .name = "kind", .type = KEY_KIND, AT(struct scenario_probe, kind), .required = true,       \
        .kinds = &probe_kinds, .doc = "How it asks: blackstart probes."                            \
    }
#define KEY_HOSTS(text)                                                                            \
    {                                                                                              \
        .name = "hosts", .type = KEY_SELECTOR, AT(struct scenario_probe, hosts),                   \
        .scope = SCOPE_ROLES, .def = "all", .doc = (text)                                          \
    }
#define KEY_TIMEOUT                                                                                \
    {                                                                                              \
        .name = "timeout", .type = KEY_PARAM, .param = PARAM_DURATION,                             \
        AT(struct scenario_probe, timeout), .min = 1000000, .max = TIMEOUT_MAX, .def = "1s",       \
        .doc = "After this long an answer counts as missing."                                      \
    }
#define KEY_EXPECT                                                                                 \
    {                                                                                              \
        .name = "expect", .type = KEY_SECTION, AT(struct scenario_probe, expect),                  \
        .section = &section_expect, .doc = "What a good answer is."                                \
    }
#define KEY_CONNECTION                                                                             \
    {                                                                                              \
        .name = "connection", .type = KEY_CUSTOM, .read = read_connection,                         \
        .schema = schema_connection, .shape = "fresh or kept", .def = "fresh",                     \
        .doc = "A new connection each time, or one that is kept as long as it lives."              \
    }

/* The members of scenario_probe are those of `ask`, which is the first. */
static const struct key served_keys[] = {
    KEY_KIND,
    {.name = "match",
     .type = KEY_CUSTOM,
     AT(struct scenario_probe, expect.number),
     .read = read_match,
     .schema = schema_match,
     .shape = "extended regular expression",
     .doc = "Where the count stands: the first number in what its first group captures or, without "
            "a group, in what it matches. Without it, the first number of the answer."},
    {.name = "timeout",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_probe, timeout),
     .min = 1000000,
     .max = SERVED_TIMEOUT_MAX,
     .def = "1s",
     .doc = "After this long the count is not known."},
    KEY_CONNECTION,
    {.name = "at_most",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct scenario_served, at_most),
     .min = 1,
     .max = 1000000,
     .def = "5%",
     .doc = "A larger share makes the measurement suspect: the probe is itself a load. 100% where "
            "nobody else asks."},
};
const struct section section_served = {
    .name = "served",
    .size = sizeof(struct scenario_served),
    KEYS(served_keys),
    .finish = finish_served,
    .doc =
        "How a service is asked how many requests it has seen. The prober asks each endpoint when "
        "a trial begins, every second, and when all its attempts have ended; the reports then "
        "tell which share of what the service saw was this probe. Any kind of probe asks; beside "
        "these keys stand its parameters.",
    .example = "probes:\n"
               "  read:\n"
               "    kind: tcp\n"
               "    port: 6379\n"
               "    send: \"GET a\\r\\n\"\n"
               "    served:\n"
               "      kind: tcp\n"
               "      port: 6379\n"
               "      send: \"INFO stats\\r\\n\"\n"
               "      match: 'total_commands_processed:([0-9]+)'\n"
               "  page:\n"
               "    kind: http\n"
               "    url: http://${host}/\n"
               "    served:\n"
               "      kind: http\n"
               "      url: http://${host}/stub_status\n"
               "      match: '^ *[0-9]+ +[0-9]+ +([0-9]+)'\n",
};

static const struct key probe_keys[] = {
    KEY_KIND,
    KEY_HOSTS("The endpoints: what ${host} stands for."),
    {.name = "endpoints",
     .type = KEY_CUSTOM,
     .read = read_endpoints,
     .schema = schema_endpoints,
     .shape = "any, each or {role: NAME}",
     .doc = "With more than one host: is it good when any answers well (a client that fails over), "
            "only when each does, or when the one with the role does? There is no default, since "
            "the verdict depends on it."},
    {.name = "every",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_probe, every),
     .min = 1000000,
     .max = TIMEOUT_MAX,
     .def = "100ms",
     .doc = "The interval: what comes to pass in between is not seen."},
    KEY_TIMEOUT,
    KEY_CONNECTION,
    KEY_EXPECT,
    {.name = "from",
     .type = KEY_CUSTOM,
     .read = read_vantages,
     .schema = schema_vantages,
     .shape = "name of a host, or list of them",
     .def = "client",
     .doc = "The host on which the prober stands. With a list the probe is sent from each of them "
            "by a process of its own, and measured there by itself: each must be steady at first, "
            "targets hold at each unless they name a vantage, and guards, gates and waits look at "
            "the first."},
    {.name = "impact",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = impact_words,
     AT(struct scenario_probe, impact),
     .def = "allowed",
     .doc = "Whether the faults must be felt here (expected), must not (none), or may."},
    {.name = "weight",
     .type = KEY_COUNT,
     AT(struct scenario_probe, weight),
     .min = 1,
     .max = 1000,
     .def = "1",
     .doc = "How much it counts in the blast radius and in outage_seconds without a probe."},
    {.name = "served",
     .type = KEY_CUSTOM,
     AT(struct scenario_probe, served),
     .read = read_served,
     .schema = schema_served,
     .section = &section_served,
     .shape = "[served](#served)",
     .doc = "How the service is asked what it counts itself, for the probe's share of it."},
    {.name = "signal",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct scenario_probe, signal),
     .def = "false",
     .doc =
         "It asks for the system's own alert or failover signal, and is no service of its users: "
         "good means that the signal is there. In the steady state it must be silent. Only "
         "detection_time and steps look at it."},
};
const struct section section_probe = {
    .name = "probe",
    .size = sizeof(struct scenario_probe),
    KEYS(probe_keys),
    .variants = true,
    NAMED_IN(struct scenario_probe),
    POS_IN(struct scenario_probe),
    .finish = finish_probe,
    .doc =
        "A measurement of the system as its users see it, sent on a fixed schedule whatever "
        "happened before. Beside these keys stand the parameters of its kind: blackstart probes.",
    .example = "probes:\n  read:\n    kind: http\n    url: http://${host}:8080/\n    every: 100ms\n"
               "    expect: {status: 200}\n",
};

static const struct key role_keys[] = {
    KEY_KIND, KEY_HOSTS("Who may have the role."), KEY_TIMEOUT, KEY_CONNECTION, KEY_EXPECT,
};
const struct section section_role = {
    .name = "role",
    .size = sizeof(struct scenario_probe),
    KEYS(role_keys),
    .variants = true,
    NAMED_IN(struct scenario_probe),
    POS_IN(struct scenario_probe),
    .finish = finish_role,
    .doc = "A role is found by asking each host: the one whose answer is good has it. It is asked "
           "again right after a fault was applied; if it had moved, the trial is invalid.",
    .example = "roles:\n  leader:\n    kind: http\n    url: http://${host}:2379/metrics\n"
               "    expect: {body: '^etcd_server_is_leader 1$'}\n",
};
