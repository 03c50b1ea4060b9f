/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/kinds.h"
#include "contract/contract.h"
#include "share.h"

#include <stdio.h>
#include <string.h>

/* What replaces arguments of the example; null: what is left out. */
static const struct way {
    const char *row, *what, *args;
} ways[] = {
    {"network.partition", "peers without an agent", "{\"peers\":[\"10.99.0.1\",\"fd99::/64\"]}"},
    {"network.partition", "connections", "{\"connections\":\"destroy\"}"},
    {"network.dns", "slow", "{\"mode\":\"slow\",\"delay\":\"100ms\"}"},
    {"config.push", "restart", "{\"apply\":\"restart\"}"},
    {"environment.delete", "stop", "{\"stop\":true}"},
    {"environment.delete", "recreate", "{\"recreate\":\"empty\"}"},
    {"file.corrupt", "cut", "{\"how\":\"cut\"}"},
    {"access.deny", "one", "{\"recursive\":false}"},
    {"service.mask", "stop", "{\"stop\":true}"},
    {"resource.memory", "hold", "{\"above\":null,\"hold\":\"2MiB\"}"},
};

static bool is_wanted(const char *name, const char *only)
{
    for (const char *at = only; at != NULL; at = *at == ',' ? at + 1 : NULL) {
        size_t n = strcspn(at, ",");
        if (n > 0 && strncmp(name, at, n) == 0)
            return true;
        at += n;
    }
    return only == NULL;
}

static bool change_args(json_t *args, const char *text)
{
    const char *key;
    json_t *value, *other = json_loads(text, 0, NULL);
    bool ok = other != NULL;
    json_object_foreach(other, key, value)
    {
        ok = ok && (json_is_null(value) ? json_object_del(args, key)
                                        : json_object_set(args, key, value)) == 0;
    }
    json_decref(other);
    return ok;
}

static int add(struct kinds *k, const struct fault *row, const struct way *way,
               const struct addrs *peers, const char *only, struct err *err)
{
    struct kind *one = &k->v[k->n];
    (void)snprintf(one->name, sizeof(one->name), "%s%s%s%s", row->name, way != NULL ? " (" : "",
                   way != NULL ? way->what : "", way != NULL ? ")" : "");
    if (!is_wanted(one->name, only))
        return 0;
    if (k->n + 1 >= KINDS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d kinds", KINDS_MAX - 1);
    one->row = row;
    one->args = example_json(row, peers, err);
    if (one->args == NULL)
        return wrap_error(err, "the example of %s", row->name);
    k->n++;
    if (way == NULL || change_args(one->args, way->args))
        return 0;
    return make_error(err, ERR_INPUT, 0, "the arguments of %s", one->name);
}

int kinds_make(struct kinds *ret, const struct catalogue *catalogue, const struct addrs *peers,
               const char *only, struct err *err)
{
    ret->n = 0;
    for (size_t i = 0; i < catalogue->n; i++)
        if (add(ret, catalogue->faults[i], NULL, peers, only, err) != 0)
            return -1;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct fault *row = catalogue_find(catalogue, ways[i].row);
        if (row == NULL)
            return make_error(err, ERR_INPUT, 0, "no such row: %s", ways[i].row);
        if (add(ret, row, &ways[i], peers, only, err) != 0)
            return -1;
    }
    return ret->n > 0 ? 0 : make_error(err, ERR_INPUT, 0, "no kind begins with %s", only);
}

void kinds_share(struct kinds *k)
{
    size_t kept = 0;
    for (size_t i = 0; i < k->n; i++) {
        if (share_has(i))
            k->v[kept++] = k->v[i];
        else
            json_decref(k->v[i].args);
    }
    k->n = kept;
}

void kinds_free(struct kinds *k)
{
    for (size_t i = 0; i < k->n; i++)
        json_decref(k->v[i].args);
    k->n = 0;
}
