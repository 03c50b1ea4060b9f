/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of systemd's socket and its messages. Only systemd*.c include it. */
#ifndef BLACKSTART_AGENTS_HOST_SYSTEMD_PARTS_H
#define BLACKSTART_AGENTS_HOST_SYSTEMD_PARTS_H

#include "agents/host/systemd.h"
#include "agents/host/unit_name.h"

#include <stdio.h>
#include <systemd/sd-bus.h>

#define NAME       "org.freedesktop.systemd1"
#define OBJECT     "/org/freedesktop/systemd1"
#define MANAGER    NAME ".Manager"
#define CLOSE_BUS  __attribute__((cleanup(sd_bus_flush_close_unrefp)))
#define FREE_ERROR __attribute__((cleanup(sd_bus_error_free)))
#define FREE_REPLY __attribute__((cleanup(sd_bus_message_unrefp)))

enum { PATH_TEXT_MAX = 512 };

int systemd_open(sd_bus **ret, struct err *err) MUST_CHECK;

/* Of a call that failed: -1, with systemd's own words if it said any. */
int systemd_fail(struct err *err, int rc, const sd_bus_error *e, const char *what);

/* The object's path; systemd makes one for any name. */
int systemd_unit_path(sd_bus *bus, const char *name, char ret[PATH_TEXT_MAX],
                      struct err *err) MUST_CHECK;

/* A property that all units have and that is text. */
int systemd_unit_text(sd_bus *bus, const char *path, const char *property, char *out, size_t size,
                      struct err *err) MUST_CHECK;

#endif
