/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a name means to systemd: the one place that knows its types of units. A dot is a sign like
 * any other, as in `php8.2-fpm`: only a type at the end (`.socket`, `.timer`, ...) says that a name
 * is no service's. Pure: whether there is such a unit systemd alone knows (systemd.h).
 */
#ifndef BLACKSTART_AGENTS_HOST_UNIT_NAME_H
#define BLACKSTART_AGENTS_HOST_UNIT_NAME_H

#include "base/err.h"
#include "base/param.h"

enum { UNIT_NAME_SIZE = NAME_MAX_LEN + sizeof(".service") };

/* With its type, as systemctl completes it: `.service` behind a name that has none. What is longer
 * than NAME_MAX_LEN is cut. */
void unit_name_full(char out[UNIT_NAME_SIZE], const char *unit);

/*
 * The one name under which we keep what is a service's, its page and socket: the shortest that is
 * completed to it. `nginx` and `nginx.service` are one. ERR_INPUT: another type of unit, a name
 * that begins with a dot, one of no length or more than NAME_MAX_LEN; out is then as it was.
 */
int unit_name_service(char out[NAME_MAX_LEN + 1], const char *unit, struct err *err) MUST_CHECK;

#endif
