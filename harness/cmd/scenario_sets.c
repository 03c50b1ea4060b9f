/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/scenario_sets.h"

#include <stdlib.h>
#include <string.h>

int scenario_sets(const struct command_args *args, struct scenario_set *sets, size_t *ret_n,
                  char **ret_texts, struct err *err)
{
    size_t size = 1, n = 0;
    const char *value;
    for (size_t i = 0; (value = command_value_at(args, "set", i)) != NULL; i++)
        size += strlen(value) + 1;
    char *texts = malloc(size), *at = texts;
    if (texts == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    for (; (value = command_value_at(args, "set", n)) != NULL; n++) {
        size_t name = strcspn(value, "=");
        if (name == 0 || value[name] != '=') {
            free(texts);
            return make_error(err, ERR_USAGE, 0, "--set needs name=value, not \"%s\"", value);
        }
        memcpy(at, value, name);
        at[name] = '\0';
        sets[n] = (struct scenario_set){at, value + name + 1};
        at += name + 1;
    }
    *ret_n = n;
    *ret_texts = texts;
    return 0;
}
