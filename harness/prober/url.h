/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A URL of the web, taken apart. It knows nothing of probes. */
#ifndef BLACKSTART_PROBER_URL_H
#define BLACKSTART_PROBER_URL_H

#include "base/err.h"

struct url {
    char *host; /* an IPv6 address keeps its brackets */
    char *port; /* the scheme's own when none is written */
};

/* http and https only. *ret is to be freed also after a failure. */
int url_read(const char *text, struct url *ret, struct err *err) MUST_CHECK;
void url_free(struct url *u);
#define CLEANUP_URL __attribute__((cleanup(url_free)))

#endif
