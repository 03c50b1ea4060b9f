/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <string.h>

static const struct key disk_keys[] = {
    {.name = "size",
     .type = KEY_PARAM,
     .param = PARAM_BYTES,
     AT(struct lab_host_spec, disk),
     .required = true,
     .min = 1 << 20,
     .max = INT64_C(1) << 40,
     .doc = "How large it is."},
    {.name = "path",
     .type = KEY_PATH,
     AT(struct lab_host_spec, disk_path),
     .def = "/data",
     .doc = "Where it is mounted."},
};
static const struct section section_disk = {
    .name = "disk",
    KEYS(disk_keys),
    .shorthand = "size",
    .doc = "A file system of the host's own, so that it can be filled. A size alone will do.",
    .example = "disk: {size: 64MiB, path: /var/lib/app}\n",
};

static void finish_host(struct reader *r, const struct node *node, void *at)
{
    struct lab_host_spec *host = at;
    (void)r;
    if (node_get(node, "disk") != NULL && host->disk_path == NULL)
        host->disk_path = "/data";
}

static const struct key host_keys[] = {
    {.name = "labels",
     .type = KEY_NAMES,
     AT_LIST(struct lab_host_spec, labels),
     .doc = "Words by which hosts are chosen together."},
    {.name = "disk",
     .type = KEY_SECTION,
     .section = &section_disk,
     .doc = "A file system of its own."},
};
static const struct section section_host = {
    .name = "host",
    .size = sizeof(struct lab_host_spec),
    KEYS(host_keys),
    .may_be_empty = true,
    .variants = true,
    NAMED_IN(struct lab_host_spec),
    .finish = finish_host,
    .doc = "A host of the lab.",
    .example = "hosts:\n  n1: {labels: [member]}\n  n2:\n",
};

/* After hosts are known and before services choose among them: `client` joins them. */
static void know_hosts(struct reader *r, struct lab_spec *lab)
{
    struct lab_host_spec *hosts = reader_alloc(r, lab->n_hosts + 1, sizeof(*hosts));
    struct selector_host *known = reader_alloc(r, lab->n_hosts + 1, sizeof(*known));
    bool client = false;
    if (hosts == NULL || known == NULL)
        return;
    for (size_t i = 0; i < lab->n_hosts; i++) {
        hosts[i] = lab->hosts[i];
        client = client || strcmp(hosts[i].name, "client") == 0;
    }
    if (!client)
        hosts[lab->n_hosts++] = (struct lab_host_spec){.name = "client"};
    for (size_t i = 0; i < lab->n_hosts; i++)
        known[i] = (struct selector_host){hosts[i].name, hosts[i].labels, hosts[i].n_labels};
    lab->hosts = hosts;
    r->hosts = known;
    r->n_hosts = lab->n_hosts;
}

static bool is_listed(const struct node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return true;
    return false;
}

/* A list of names as the map that it stands for. */
static void map_of_names(struct reader *r, const struct key *key, const struct node *list,
                         struct node *map)
{
    map->items = reader_alloc(r, list->n, sizeof(*map->items));
    struct node *empty = reader_alloc(r, list->n, sizeof(*empty));
    for (size_t i = 0; map->items != NULL && empty != NULL && i < list->n; i++) {
        const struct node *item = list->items[i].value;
        if (reader_want(r, key, item, NODE_SCALAR) == NULL)
            continue;
        if (is_listed(map, item->text))
            reader_problem(r, item->pos, NULL, "%s: \"%s\" stands here twice", key->name,
                           item->text);
        empty[i] = (struct node){.kind = NODE_MAP, .pos = item->pos};
        map->items[map->n++] = (struct node_item){item->text, item->pos, &empty[i]};
    }
}

/* `hosts:` as a map, or as a list of names. */
static void read_hosts(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct lab_spec *lab = at;
    const struct key as_map = {.name = key->name,
                               .type = KEY_MAP,
                               .section = &section_host,
                               AT_LIST(struct lab_spec, hosts),
                               .required = true,
                               .max = SCENARIO_HOSTS_MAX - 1};
    struct node map = {.kind = NODE_MAP, .pos = node->pos};
    size_t before = r->problems->n, named = node->kind == NODE_SCALAR ? 0 : node->n;
    if (node->kind == NODE_LIST) {
        map_of_names(r, key, node, &map);
        node = &map;
    }
    read_key(r, &as_map, node, lab);
    r->hosts_unsure = lab->n_hosts == 0 || lab->n_hosts != named;
    r->labels_unsure = r->problems->n != before;
    know_hosts(r, lab);
}

static json_t *schema_hosts(const struct key *key)
{
    const struct key as_map = {.name = key->name, .type = KEY_MAP, .section = &section_host};
    return json_pack("{s:[o, {s:s, s:{s:s}}]}", "anyOf", schema_key(&as_map), "type", "array",
                     "items", "type", "string");
}

static void check_after(struct reader *r, const struct node *services, const struct lab_spec *lab)
{
    const char *words[SCENARIO_ITEMS_MAX];
    for (size_t i = 0; i < lab->n_services; i++)
        words[i] = lab->services[i].name;
    for (size_t i = 0; services != NULL && i < lab->n_services; i++) {
        const struct node *after = node_get(services->items[i].value, "after");
        size_t n = after == NULL ? 0 : after->kind == NODE_LIST ? after->n : 1;
        for (size_t j = 0; j < n; j++) {
            const struct node *node = after->kind == NODE_LIST ? after->items[j].value : after;
            if (node->kind == NODE_SCALAR)
                (void)read_reference(r, "service", node, words, lab->n_services);
        }
    }
}

/* A service waits, through others or not, for itself: as often as there are services, drop those
 * that wait for none that is left. */
static void check_cycle(struct reader *r, const struct node *services, const struct lab_spec *lab)
{
    bool done[SCENARIO_ITEMS_MAX] = {false};
    for (size_t round = 0; round < lab->n_services; round++)
        for (size_t i = 0; i < lab->n_services; i++) {
            bool waits = false;
            for (size_t j = 0; j < lab->services[i].n_after; j++)
                for (size_t k = 0; k < lab->n_services; k++)
                    waits =
                        waits || (!done[k] && lab->services[i].after[j] != NULL &&
                                  strcmp(lab->services[k].name, lab->services[i].after[j]) == 0);
            done[i] = !waits;
        }
    for (size_t i = 0; i < lab->n_services; i++)
        if (!done[i]) {
            reader_problem(r, services->items[i].key_pos, NULL,
                           "service \"%s\" waits for itself through \"after\"",
                           lab->services[i].name);
            return;
        }
}

/* They become arguments of the package tool: Debian's own rule for names. */
static void check_packages(struct reader *r, const struct node *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
    size_t n = node == NULL ? 0 : node->kind == NODE_LIST ? node->n : 1;
    for (size_t i = 0; i < n; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i].value : node;
        if (item->kind != NODE_SCALAR || item->text[0] == '\0')
            continue;
        if (strspn(item->text, allowed) != strlen(item->text) ||
            strchr("+.-", item->text[0]) != NULL)
            reader_problem(r, item->pos, NULL, "packages: \"%s\" is not the name of a package",
                           item->text);
    }
}

static void finish_lab(struct reader *r, const struct node *node, void *at)
{
    const struct node *services = node_get(node, "services");
    const struct lab_spec *lab = at;
    check_packages(r, node_get(node, "packages"));
    if (services == NULL || services->kind != NODE_MAP || lab->n_services != services->n)
        return;
    check_after(r, services, lab);
    check_cycle(r, services, lab);
}

static const struct key lab_keys[] = {
    {.name = "packages",
     .type = KEY_TEXTS,
     AT_LIST(struct lab_spec, packages),
     .doc = "Debian packages whose programs the services use. They are unpacked for the lab, never "
            "installed on this machine."},
    {.name = "hosts",
     .type = KEY_CUSTOM,
     .read = read_hosts,
     .schema = schema_hosts,
     .required = true,
     .shape = "map of host, or list of names",
     .doc =
         "The hosts. A host \"client\" is always there too: the measurement stands on it, and no "
         "fault may choose it."},
    {.name = "services",
     .type = KEY_MAP,
     AT_LIST(struct lab_spec, services),
     .section = &section_service,
     .max = 64,
     .doc = "What runs on them."},
};
const struct section section_lab = {
    .name = "lab",
    .size = sizeof(struct lab_spec),
    KEYS(lab_keys),
    .finish = finish_lab,
    .doc = "Hosts that are made on this machine for the run, with real services in them.",
    .example = "lab:\n  packages: [nginx-light]\n  hosts: [web]\n  services:\n    nginx:\n"
               "      command: [nginx, -g, daemon off;]\n      ready: {tcp: 80}\n",
};

const struct section *lab_section_host(void)
{
    return &section_host;
}
