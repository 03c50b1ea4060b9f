/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the preload library and a service's page where victim.h looks for them, for services that a
 * lab does not start: a real host's units. It must not know who starts them.
 */
#ifndef BLACKSTART_AGENTS_FIU_INSTALL_H
#define BLACKSTART_AGENTS_FIU_INSTALL_H

#include "base/err.h"

#include <stdbool.h>

/*
 * Beneath root. Without a library (-1) only the page is made, which then root alone can open: of a
 * service whose calls are trapped nobody but its supervisor does. A page that this release
 * understands is kept, so that processes which have it mapped go on following it, and *ret_kept
 * says so; one of another release makes room for a new one. With a library, a page that was a dead
 * supervisor's is a preloaded service's from here on. Another library takes the old one's place:
 * running processes keep the one that they have.
 */
int install_service(int root, const char *service, int library, bool *ret_kept,
                    struct err *err) MUST_CHECK;

#endif
