/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this host allows. In a lab, every kind: the lab is made to be harmed. On a real host the
 * default is to deny, and only the host's own root can say otherwise. A request can narrow what is
 * allowed, never widen it.
 */
#ifndef BLACKSTART_AGENTS_POLICY_H
#define BLACKSTART_AGENTS_POLICY_H

#include "base/fault.h"

#define POLICY_FILE "/etc/blackstart/policy.yaml"
#define POLICY_STOP "/run/blackstart/STOP"

struct policy {
    bool lab;
    char denied[200]; /* why everything is refused; empty: nothing is */
};

/* path NULL: POLICY_FILE. Never fails: what cannot be read allows nothing, and says why. */
void policy_load(struct policy *p, bool lab, const char *path);

int policy_allows(const struct policy *p, const struct fault *row, struct err *err) MUST_CHECK;

/* The file that stops everything, whoever asks; looked at before every change and every renewal. */
bool policy_is_stopped(void);

/* The capabilities that the allowed kinds of the catalogue need. */
uint64_t policy_caps(const struct policy *p, const struct catalogue *c);

#endif
