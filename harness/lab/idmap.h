/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The id map of a rootless lab's user namespace: root of the lab is the caller; with uidmap's
 * programs and a range in /etc/subuid, the other users of the hosts exist too.
 */
#ifndef BLACKSTART_LAB_IDMAP_H
#define BLACKSTART_LAB_IDMAP_H

#include "lab/context.h"

/* Waits until the fabric has made its namespace (one byte on sync_fd), writes its maps, tells it
 * to go on. Sets lab->id_range. */
int idmap_write(struct lab_context *lab, pid_t fabric, int sync_fd, struct err *err) MUST_CHECK;

#endif
