/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A journal's events in a few words, for reports: those that a person asks about. */
#ifndef BLACKSTART_REPORTS_EVENT_H
#define BLACKSTART_REPORTS_EVENT_H

#include "journal/history.h"

/* "step run sh: end", in `out`; NULL for an event that is left out. */
const char *event_text(const struct history_event *e, char *out, size_t size);

#endif
