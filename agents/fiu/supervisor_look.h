/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files lie that a trapped call of another process is about. Knows nothing of rules. */
#ifndef BLACKSTART_AGENTS_FIU_SUPERVISOR_LOOK_H
#define BLACKSTART_AGENTS_FIU_SUPERVISOR_LOOK_H

#include "agents/fiu/trap.h"

#include <linux/seccomp.h>

enum {
    LOOK_PATH_MAX = FIU_PREFIX_MAX + 8
}; /* prefixes are shorter: a path cut here compares alike */

struct look {
    unsigned n; /* paths found: two for a rename */
    char paths[2][LOOK_PATH_MAX];
};

/* proc is a descriptor of /proc. What cannot be found out is left out. */
void look_at(int proc, const struct seccomp_notif *notif, const struct trap_call *call,
             struct look *ret);

#endif
