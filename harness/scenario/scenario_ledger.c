/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <string.h>

enum { IN_FLIGHT_MAX = 256 };

#define TIMEOUT_MAX INT64_C(60000000000)

static const struct selector all_hosts = {.kind = SELECT_ALL};

static void finish_args(struct reader *r, const struct node *node, struct scenario_ledger *l)
{
    struct err err;
    l->args = read_kind_args(r, node, &l->kind->kind);
    if (l->args != NULL && l->kind->check != NULL)
        reader_blame(r, node, l->kind->check(l->args, &err), &err);
}

static void finish_ledger(struct reader *r, const struct node *node, void *at)
{
    struct scenario_ledger *l = at;
    const struct node *timeout = node_get(node, "timeout"), *hosts = node_get(node, "hosts");
    if (l->hosts == NULL)
        l->hosts = &all_hosts;
    if (l->from == NULL)
        l->from = "client";
    if (l->kind == NULL)
        return;
    finish_args(r, node, l);
    if (l->every.ns >= 1000000 && l->timeout.ns / l->every.ns >= IN_FLIGHT_MAX)
        reader_problem(r, timeout != NULL ? timeout->pos : node->pos,
                       "a shorter time-out, or a longer interval",
                       "timeout: with this interval more than %d writes could be on their way",
                       IN_FLIGHT_MAX);
    if (l->kind->no_hosts && hosts != NULL)
        reader_problem(r, hosts->pos, NULL, "hosts: the commands of %s say where to",
                       l->kind->name);
    else if (!l->kind->no_hosts && r->n_hosts != 0 && !l->hosts->wrong &&
             reader_count_hosts(r, l->hosts, NULL) == 0)
        reader_problem(r, node->pos, NULL, "ledger: that is no host");
}

static const char *const view_words[] = {"each", "client", NULL};

static const struct key ledger_keys[] = {
    {.name = "kind",
     .type = KEY_KIND,
     AT(struct scenario_ledger, kind),
     .required = true,
     .kinds = &ledger_kinds,
     .doc = "What takes the writes."},
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_ledger, hosts),
     .scope = SCOPE_STATIC,
     .def = "all",
     .doc = "Where it runs, in the order in which a client tries them."},
    {.name = "every",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_ledger, every),
     .min = 1000000,
     .max = TIMEOUT_MAX,
     .def = "50ms",
     .doc = "A write goes out each time, whatever became of those before it."},
    {.name = "timeout",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_ledger, timeout),
     .min = 1000000,
     .max = TIMEOUT_MAX,
     .def = "1s",
     .doc = "After this long it is unknown whether a write was done."},
    {.name = "from",
     .type = KEY_CUSTOM,
     .read = read_ledger_vantages,
     .schema = schema_vantages,
     .shape = "name of a host, or list of them",
     .def = "client",
     .doc = "The host on which the ledger stands. With a list it writes from the first, and all is "
            "read back from each of them, by a process of its own: a write is lost for certain "
            "when no view from any of them has it, perhaps when one has it not."},
    {.name = "views",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = view_words,
     AT(struct scenario_ledger, views),
     .def = "each",
     .doc = "What is read back: each host by itself and what a client finds, or only what a client "
            "finds (where a host that is left behind for good cannot be read)."},
    {.name = "read_within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_ledger, read_within),
     .min = 1000000000,
     .max = INT64_C(600000000000),
     .def = "30s",
     .doc =
         "Reading back goes on until two full reads of all views are the same and the views agree, "
         "at most so long."},
    {.name = "risk",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_ledger, risk),
     .max = TIMEOUT_MAX,
     .def = "1s",
     .doc = "Writes acknowledged so shortly before a fault, or after its end, count as at risk: "
            "\"none "
            "of n lost\" names these."},
};
const struct section section_ledger = {
    .name = "ledger",
    .size = sizeof(struct scenario_ledger),
    KEYS(ledger_keys),
    .variants = true,
    NAMED_IN(struct scenario_ledger),
    POS_IN(struct scenario_ledger),
    .finish = finish_ledger,
    .doc = "Writes with a number each, on a fixed schedule, written down before they are sent and "
           "when they are answered; after the recovery all is read back. Lost is what was "
           "acknowledged and is absent, a phantom what was refused and is there. Beside these keys "
           "stand the parameters of its kind: blackstart ledgers.",
    .example = "ledgers:\n  orders:\n    kind: redis\n    hosts: {label: db}\n    every: 20ms\n",
};
