/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How systemd starts a unit, as far as another program that is put before its own must know: the
 * command as the unit's files have it, and which of the walls around the unit would be in the way.
 * Changes nothing, and knows nothing of what is put there.
 */
#ifndef BLACKSTART_AGENTS_HOST_SYSTEMD_START_H
#define BLACKSTART_AGENTS_HOST_SYSTEMD_START_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { UNIT_ARGS_MAX = 256 };

struct unit_start {
    char prefix[8]; /* what stands before the program: "-", "+", ":" and their like */
    char *program;  /* a path */
    char *argv[UNIT_ARGS_MAX + 1]; /* NULL-terminated; specifiers are replaced, variables not */
    size_t n_args;
    bool exec_shut;     /* NoExecPaths= is set, */
    bool calls_shut;    /* SystemCallFilter=, */
    bool families_shut; /* RestrictAddressFamilies=: whether or not they hold back what is added */
};

/*
 * The caller frees *ret with unit_start_free(), also after a failure. ERR_NOT_FOUND: there is no
 * such unit; ERR_UNSUPPORTED: it has another root, or not exactly one command that starts it.
 */
int unit_start_read(const char *unit, struct unit_start *ret, struct err *err) MUST_CHECK;
void unit_start_free(struct unit_start *start);

/* The path of the unit's control group, which it has from its first process on. */
int unit_group_read(const char *unit, char *out, size_t size, struct err *err) MUST_CHECK;

#endif
