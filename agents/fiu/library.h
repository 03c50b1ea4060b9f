/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a file the preload library, as far as can be told without loading it? All units of a host
 * share the one that is put there, and each program that is started with it maps it: what is
 * something else must be refused before that. It must not know where the file comes from.
 */
#ifndef BLACKSTART_AGENTS_FIU_LIBRARY_H
#define BLACKSTART_AGENTS_FIU_LIBRARY_H

#include "base/err.h"

/* The library's word for the version of the pages that it follows, a uint32_t. */
#define LIBRARY_MARK "blackstart_fiu_page_version"

/*
 * That fd, open for reading, is a whole shared library for this machine, has the mark, and follows
 * pages as this agent writes them. ERR_INPUT says in words what it is not, with `path`. Reads
 * headers and the table of symbols only; fd's offset stays.
 */
int library_check(int fd, const char *path, struct err *err) MUST_CHECK;

#endif
