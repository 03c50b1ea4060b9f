/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of a service as one host sees them: ${host}, ${host.ip}, ${host.ip6} and
 * ${hosts.LABEL} (the names of the hosts with that label, joined by commas) are put in. Pure.
 */
#ifndef BLACKSTART_LAB_SUBST_H
#define BLACKSTART_LAB_SUBST_H

#include "base/cleanup.h"
#include "lab/context.h"

/* Any other ${...} stays as it is: it may be the program's own. Caller frees *ret. */
int subst_text(const struct lab_context *lab, size_t host, const char *text, char **ret,
               struct err *err) MUST_CHECK;

/* A list, ended by NULL; subst_free_list. */
int subst_list(const struct lab_context *lab, size_t host, const char *const *list, size_t n,
               char ***ret, struct err *err) MUST_CHECK;
void subst_free_list(char **list);

#endif
