/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/identity.h"

#include "agents/host/may.h"

/* The files that the row is told of by `path` or `paths`. */
static const struct path *acted_on(const struct fault *row, const void *args, uint32_t *ret_n)
{
    const struct param *one = param_find(row->params, row->n_params, "path");
    const struct param *many = param_find(row->params, row->n_params, "paths");
    *ret_n = 0;
    if (many != NULL && many->type == PARAM_PATHS) {
        const struct paths *list = (const void *)((const char *)args + many->offset);
        *ret_n = list->n <= LIST_MAX ? list->n : LIST_MAX;
        return list->v;
    }
    if (one == NULL || one->type != PARAM_PATH)
        return NULL;
    *ret_n = 1;
    return (const void *)((const char *)args + one->offset);
}

int identity_ask(const struct fault_host *host, const struct fault *row,
                 const struct agent_request *r, const void *args, struct err *err)
{
    struct may_question q = {.root = host->root, .name = r->as, .act = row->act};
    if (r->as[0] == '\0')
        return 0;
    q.paths = acted_on(row, args, &q.n);
    if (row->act == ACT_NONE || q.paths == NULL)
        return make_error(err, ERR_UNSUPPORTED, 0, "%s takes no identity", row->name);
    if (account_identity(host->root, r->as, &q.who, err) != 0)
        return -1;
    for (uint32_t i = 0; i < r->n_groups && q.who.n_groups < ACCOUNT_GROUPS_MAX; i++)
        if (account_group(host->root, r->groups[i], &q.who.groups[q.who.n_groups++], err) != 0)
            return -1;
    return may_act(&q, err);
}
