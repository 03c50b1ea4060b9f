/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root directory of a host without root: the kernel refuses an overlay of / as a whole in a
 * user namespace (mounts below it are locked), and root of that namespace has no rights over files
 * of the machine's root. So /etc is a copy and /var a skeleton, both the host's own and deletable;
 * /usr is an overlay whose upper directories belong to the host; the rest is empty or an overlay.
 */
#ifndef BLACKSTART_LAB_USERROOT_H
#define BLACKSTART_LAB_USERROOT_H

#include "lab/context.h"

/* Mounts at `root` (the host's "root" directory in the lab's state). */
int userroot_mount(const struct lab_context *lab, size_t host, const char *root,
                   struct err *err) MUST_CHECK;

#endif
