/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "contract/contract.h"

#include <stdio.h>
#include <string.h>

/* Words of a step that are no parameters of its fault. */
static bool is_step_word(const char *key)
{
    static const char *const words[] = {"fault", "hosts", "for", "name", "wait"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(key, words[i]) == 0)
            return true;
    return false;
}

/* A scalar without its quotes. */
static char *unquote(char *text)
{
    size_t n = strlen(text);
    if (n >= 2 && (text[0] == '\'' || text[0] == '"') && text[n - 1] == text[0]) {
        text[n - 1] = '\0';
        return text + 1;
    }
    return text;
}

static int put_list(const struct param *p, char *text, void *args, struct err *err)
{
    char *save = NULL;
    for (char *item = strtok_r(text, "[,]", &save); item != NULL;
         item = strtok_r(NULL, "[,]", &save)) {
        item += strspn(item, " ");
        if (param_parse(p, unquote(item), args, err) != 0)
            return wrap_error(err, "%s", p->name);
    }
    return 0;
}

static int put_line(const struct fault *row, const struct addrs *peers, char *line, void *args,
                    struct err *err)
{
    char *key = line + strspn(line, "- ");
    char *colon = strchr(key, ':');
    if (colon == NULL)
        return make_error(err, ERR_INPUT, 0, "example: `%s` is no `name: value`", line);
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " ");
    if (is_step_word(key))
        return 0;
    const struct param *p = param_find(row->params, row->n_params, key);
    if (p == NULL)
        return make_error(err, ERR_INPUT, 0, "example: %s has no parameter %s", row->name, key);
    if (p->type == PARAM_HOSTS) {
        memcpy((char *)args + p->offset, peers, sizeof(*peers));
        return 0;
    }
    if (param_is_list(p->type))
        return put_list(p, value, args, err);
    return param_parse(p, unquote(value), args, err) != 0 ? wrap_error(err, "%s", key) : 0;
}

int example_args(const struct fault *row, const struct addrs *peers, void *args, struct err *err)
{
    char text[2048], *save = NULL;
    (void)snprintf(text, sizeof(text), "%s", row->example);
    if (params_default(row->params, row->n_params, args, row->args_size, err) != 0)
        return -1;
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        if (put_line(row, peers, line, args, err) != 0)
            return -1;
    return params_check(row->params, row->n_params, args, err);
}

json_t *example_json(const struct fault *row, const struct addrs *peers, struct err *err)
{
    CLEANUP_FREE void *args = calloc(1, row->args_size);
    if (args == NULL || example_args(row, peers, args, err) != 0)
        return NULL;
    json_t *object = params_encode(row->params, row->n_params, args);
    if (object == NULL)
        (void)make_error(err, ERR_LIMIT, 0, "no memory");
    return object;
}
