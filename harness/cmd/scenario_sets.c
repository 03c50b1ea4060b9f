/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/scenario_sets.h"

#include <stdlib.h>
#include <string.h>

/* A name that is there already takes the new value. */
static int add(const char *option, const char *text, char **at, struct scenario_set *sets,
               size_t *n, struct err *err)
{
    size_t name = strcspn(text, "=");
    if (name == 0 || text[name] != '=')
        return make_error(err, ERR_USAGE, 0, "--%s needs name=value, not \"%s\"", option, text);
    memcpy(*at, text, name);
    (*at)[name] = '\0';
    size_t place = *n;
    for (size_t i = 0; strcmp(option, "set") != 0 && i < *n; i++)
        if (strcmp(sets[i].name, *at) == 0)
            place = i;
    sets[place] = (struct scenario_set){*at, text + name + 1};
    *n += place == *n;
    *at += name + 1;
    return 0;
}

int scenario_sets_over(const struct command_args *args, const char *second, const char *variant,
                       struct scenario_set *sets, size_t *ret_n, char **ret_texts, struct err *err)
{
    const char *const options[] = {"set", second};
    size_t size = 1, n = 0;
    const char *value;
    for (size_t o = 0; o < 2 && options[o] != NULL; o++)
        for (size_t i = 0; (value = command_value_at(args, options[o], i)) != NULL; i++)
            size += strlen(value) + 1;
    char *texts = malloc(size), *at = texts;
    if (texts == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    for (size_t o = 0; o < 2 && options[o] != NULL; o++)
        for (size_t i = 0; (value = command_value_at(args, options[o], i)) != NULL; i++)
            if (add(options[o], value, &at, sets, &n, err) < 0) {
                free(texts);
                return -1;
            }
    if (variant == NULL)
        variant = command_value(args, "variant");
    if (variant != NULL)
        sets[n++] = (struct scenario_set){NULL, variant};
    *ret_n = n;
    *ret_texts = texts;
    return 0;
}

int scenario_sets(const struct command_args *args, struct scenario_set *sets, size_t *ret_n,
                  char **ret_texts, struct err *err)
{
    return scenario_sets_over(args, NULL, NULL, sets, ret_n, ret_texts, err);
}
