/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/policy.h"

#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

void policy_load(struct policy *p, bool lab, const char *path)
{
    *p = (struct policy){.lab = lab};
    if (lab)
        return;
    const char *file = path != NULL ? path : POLICY_FILE;
    if (access(file, F_OK) != 0)
        (void)snprintf(p->denied, sizeof(p->denied),
                       "this host has no %s, and without one it allows nothing", file);
    else
        (void)snprintf(p->denied, sizeof(p->denied),
                       "%s: this version injects in labs only and does not read policies yet",
                       file);
}

int policy_allows(const struct policy *p, const struct fault *row, struct err *err)
{
    if (p->denied[0] != '\0')
        return make_error(err, ERR_REFUSED, 0, "%s: %s", row->name, p->denied);
    return 0;
}

bool policy_is_stopped(void)
{
    return access(POLICY_STOP, F_OK) == 0;
}

uint64_t policy_caps(const struct policy *p, const struct catalogue *c)
{
    /* What an identity may is asked by a child that becomes it. */
    const uint64_t identity = (UINT64_C(1) << CAP_SETUID) | (UINT64_C(1) << CAP_SETGID);
    uint64_t caps = 0;
    for (size_t i = 0; p->denied[0] == '\0' && i < c->n; i++)
        caps |= c->faults[i]->caps | (c->faults[i]->act != ACT_NONE ? identity : 0);
    /* A lab's hosts share the machine's clock, which nothing in a lab is to set. */
    return p->lab ? caps & ~(UINT64_C(1) << CAP_SYS_TIME) : caps;
}
