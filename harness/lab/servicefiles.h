/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service finds in its host before its first start: its data directories, its files, and the
 * preload library with its page. Made once; a fault that deletes them is not undone here.
 */
#ifndef BLACKSTART_LAB_SERVICEFILES_H
#define BLACKSTART_LAB_SERVICEFILES_H

#include "lab/context.h"

/* In the fabric, before the hosts are cloned: opens what services copy from the machine. */
int servicefiles_open(struct lab_context *lab, struct err *err) MUST_CHECK;

/* In the host. */
int servicefiles_make(const struct lab_context *lab, size_t host,
                      const struct lab_service_spec *spec, const struct user *user,
                      struct err *err) MUST_CHECK;

#endif
