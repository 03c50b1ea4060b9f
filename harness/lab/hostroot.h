/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root directory of one host: the machine's own tree with the package layer over it, changes in
 * a directory of the lab; own /proc, /sys, /dev, /run, /tmp; a sized file system where the host
 * declares a disk. Called in the host's first process, in its own mount namespace; at the end that
 * root is all that the process sees.
 */
#ifndef BLACKSTART_LAB_HOSTROOT_H
#define BLACKSTART_LAB_HOSTROOT_H

#include "lab/context.h"

/*
 * In the fabric, once: makes the package layer fit to lie over the machine's root. The kernel
 * refuses an overlay of which one lower directory lies in another (ELOOP), and the cache lies below
 * /; seen through an overlay of its own, the layer is another file system. Changes lab->layer.
 */
int hostroot_mount_layer(struct lab_context *lab, struct err *err) MUST_CHECK;

void hostroot_unmount_layer(const struct lab_context *lab);

/* Its directories in the lab's state, with the files that differ from the machine's (/etc/hosts,
 * the users). */
int hostroot_make_dirs(const struct lab_context *lab, size_t host, struct err *err) MUST_CHECK;

int hostroot_enter(const struct lab_context *lab, size_t host, struct err *err) MUST_CHECK;

#endif
