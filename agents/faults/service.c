/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/service.h"

#include <string.h>

enum { FORMAT = 1 };

const struct service_undo *service_record(const struct undo *undo, struct err *err)
{
    const struct service_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->service.s[0] != '\0' && memchr(u->service.s, '\0', sizeof(u->service.s)) != NULL)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

int service_prepare(const struct fault_host *host, const struct service_args *args, bool must_run,
                    struct undo *undo, struct err *err)
{
    struct service_undo *u = (void *)undo->data;
    struct hostctl_look look;
    struct proc_set set = {.n = 0};
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->service = args->service;
    undo->size = sizeof(*u);
    if (service_look(host, args->service.s, &look, err) != 0)
        return -1;
    if (look.masked != 0)
        return make_error(err, ERR_REFUSED, 0, "service %s is masked already", args->service.s);
    u->was_up = service_is_up(look.state);
    if (must_run && (!u->was_up || look.pid <= 0))
        return make_error(err, ERR_NOT_FOUND, 0, "service %s is not running", args->service.s);
    if (look.pid > 0 && proc_find_by(host, NULL, look.pid, &set, err) != 0)
        return -1;
    if (set.n > 0)
        u->main = set.v[0];
    if (must_run && set.n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "service %s: its process %d has ended",
                          args->service.s, look.pid);
    return 0;
}
