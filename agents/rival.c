/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/rival.h"

#include <stdio.h>

struct rival {
    const struct catalogue *catalogue;
    char text[160]; /* empty: none */
};

static int see(void *ctx, const struct undo *undo)
{
    struct rival *r = ctx;
    const struct fault *row = catalogue_find(r->catalogue, undo->fault);
    if (row == NULL || (row->touches & TOUCHES_FILES) != 0)
        (void)snprintf(r->text, sizeof(r->text), "%.40s (%.20s of run %.40s)", undo->fault,
                       undo->injection, undo->run);
    return 0;
}

int rival_check(const struct undo_log *own, const struct catalogue *catalogue, struct err *err)
{
    struct rival rival = {.catalogue = catalogue};
    if (undo_look(own, see, &rival, err) != 0)
        return -1;
    if (rival.text[0] == '\0')
        return 0;
    return make_error(
        err, ERR_REFUSED, 0,
        "another agent of this host has changed files with %s: end that first, or, if "
        "it is dead, run blackstart-agent undo --all",
        rival.text);
}
