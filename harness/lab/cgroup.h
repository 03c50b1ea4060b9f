/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cgroup per service where the kernel and our rights allow it: version 2 for holding a
 * service's processes together, and the controllers of either version for its memory limit and for
 * faults that limit it further. Where there is none, nothing fails: limits are then said to be
 * missing by `doctor`. All of a lab's lie beneath "blackstart-<id>".
 */
#ifndef BLACKSTART_LAB_CGROUP_H
#define BLACKSTART_LAB_CGROUP_H

#include "lab/context.h"

/*
 * Version 2 has a controller in a group only if all groups above hand it down, and systemd lets the
 * root do so only with those that a unit asks for: by default memory and pids. A lab adds what is
 * missing, and leaves it so: others may have come to rely on it.
 */
#define CGROUP_V2        "/sys/fs/cgroup"
#define CGROUP_V2_HYBRID "/sys/fs/cgroup/unified" /* beside version 1 */
enum { CGROUP_WORDS_MAX = 48 };
struct cgroup_handed {
    char there[CGROUP_WORDS_MAX], added[CGROUP_WORDS_MAX],
        missing[CGROUP_WORDS_MAX]; /* "cpu, io" */
    int why;                       /* errno of the first that could not be added */
};

/* At this mount of version 2; with `may` false nothing is added. All are empty where there is none,
 * or where it has no controller that we want. */
void cgroup_hand_down(const char *root, bool may, struct cgroup_handed *ret);

/* In the fabric: the lab's own directories, into lab->group_fds. */
void cgroup_open_lab(struct lab_context *lab);

/* In a host's init: the service's directories (made when missing) where fds has none yet. */
void cgroup_open_service(const struct lab_context *lab, size_t host,
                         const struct lab_service_spec *spec, int fds[LAB_GROUPS]);

/* The calling process enters them. One right after the other: the kernel waits long only for the
 * first. */
void cgroup_enter(const int fds[LAB_GROUPS]);
void cgroup_kill(int dir_fd);

/* All cgroups of the lab with this id; true when nothing is left. */
bool cgroup_remove(const char *id);

#endif
