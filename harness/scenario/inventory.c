/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/inventory.h"

#include "scenario/scenario_read.h"

#include <string.h>

enum { ADDRESSES_MAX = 2 };

static void read_addresses(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    struct inventory_host *host = at;
    struct err err;
    size_t n = node->kind == NODE_LIST ? node->n : 1;
    const struct key as_texts = {
        .name = key->name, .type = KEY_TEXTS, AT_LIST(struct inventory_host, addresses)};
    read_key(r, &as_texts, node, host);
    if (n == 0 || n > ADDRESSES_MAX) {
        reader_problem(r, node->pos, NULL, "%s: one or two are needed (IPv4 and IPv6)", key->name);
        return;
    }
    for (size_t i = 0; i < host->n_addresses; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i].value : node;
        if (host->addresses[i] == NULL)
            continue;
        if (strchr(host->addresses[i], '/') != NULL)
            reader_problem(r, item->pos, NULL, "%s: a whole address, without /", key->name);
        else if (addr_parse(host->addresses[i], &host->addrs[i], &err) != 0)
            reader_problem_err(r, item->pos, key->name, &err);
    }
}

static json_t *schema_addresses(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:s}, {s:s, s:{s:s}, s:i, s:i}]}", "anyOf", "type", "string", "type",
                     "array", "items", "type", "string", "minItems", 1, "maxItems", ADDRESSES_MAX);
}

/* It becomes an argument of ssh: never an option, never more than one word. */
static void read_connect(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-@:[]";
    size_t len = strlen(node->text);
    if (node->text[0] == '-' || len > 255 || strspn(node->text, allowed) != len)
        reader_problem(r, node->pos, NULL, "%s: expected user@host or user@host:port, found \"%s\"",
                       key->name, node->text);
    ((struct inventory_host *)at)->connect = node->text;
}

static json_t *schema_connect(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "type", "string");
}

static const struct key host_keys[] = {
    {.name = "address",
     .type = KEY_CUSTOM,
     .read = read_addresses,
     .schema = schema_addresses,
     .required = true,
     .shape = "address, or list of two",
     .doc = "The host's address as its peers see it; IPv4, IPv6 or both."},
    {.name = "connect",
     .type = KEY_CUSTOM,
     .read = read_connect,
     .schema = schema_connect,
     .required = true,
     .shape = "user@host:port",
     .doc = "How ssh reaches it."},
    {.name = "labels",
     .type = KEY_NAMES,
     AT_LIST(struct inventory_host, labels),
     .doc = "Words by which hosts are chosen together."},
};
static const struct section section_host = {.name = "host",
                                            .size = sizeof(struct inventory_host),
                                            KEYS(host_keys),
                                            NAMED_IN(struct inventory_host),
                                            POS_IN(struct inventory_host),
                                            .doc = "A real host."};

static void read_version(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)at;
    if (reader_want(r, key, node, NODE_SCALAR) != NULL && strcmp(node->text, "1") != 0)
        reader_problem(r, node->pos, NULL, "version: only 1 is known, found \"%s\"", node->text);
}

static json_t *schema_version(const struct key *key)
{
    (void)key;
    return json_pack("{s:i}", "const", 1);
}

static void finish_inventory(struct reader *r, const struct node *node, void *at)
{
    const struct inventory *inventory = at;
    struct selector_host *known = reader_alloc(r, inventory->n_hosts, sizeof(*known));
    (void)node;
    for (size_t i = 0; known != NULL && i < inventory->n_hosts; i++) {
        const struct inventory_host *host = &inventory->hosts[i];
        known[i] = (struct selector_host){host->name, host->labels, host->n_labels};
    }
    r->hosts = known;
    r->n_hosts = known != NULL ? inventory->n_hosts : 0;
}

static const struct key inventory_keys[] = {
    {.name = "version",
     .type = KEY_CUSTOM,
     .read = read_version,
     .schema = schema_version,
     .required = true,
     .shape = "1",
     .doc = "The version of the language."},
    {.name = "hosts",
     .type = KEY_MAP,
     AT_LIST(struct inventory, hosts),
     .section = &section_host,
     .required = true,
     .max = SCENARIO_HOSTS_MAX,
     .doc = "The hosts, by name."},
};
const struct section section_inventory = {
    .name = "inventory",
    .size = sizeof(struct inventory),
    KEYS(inventory_keys),
    .finish = finish_inventory,
    .doc = "Real hosts, in a file of their own. They are read and checked; runs against them are "
           "not there yet.",
    .example = "version: 1\nhosts:\n  web1:\n    address: [10.0.0.5, fd00::5]\n"
               "    connect: admin@web1.example.org\n    labels: [web]\n"};
