/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine can inject and what not, found by trying: in child processes with namespaces of
 * their own, and in a throw-away lab host whose agent is asked fault by fault. Changes nothing on
 * the machine but what every lab does (lab/cgroup.h). Knows no fault by name but those that the
 * quick start needs.
 */
#ifndef BLACKSTART_DOCTOR_H
#define BLACKSTART_DOCTOR_H

#include "base/buf.h"
#include "base/fault.h"

enum doctor_state { DOCTOR_YES, DOCTOR_LIMITED, DOCTOR_NO };

struct doctor_line {
    char group[16], name[48];
    enum doctor_state state;
    bool needed;    /* the quick start cannot run without it */
    char text[480]; /* what was found; when not there: why, and the mend */
};

enum { DOCTOR_LINES_MAX = 96 };

struct doctor {
    struct doctor_line lines[DOCTOR_LINES_MAX];
    size_t n;
};

/* exe_dir: where blackstart-agent lies. Takes a second or so. */
void doctor_examine(const struct catalogue *faults, const char *exe_dir, struct doctor *ret);

/* Nothing that the quick start needs is missing. */
bool doctor_quickstart(const struct doctor *d);

json_t *doctor_json(const struct doctor *d);

/* The parts, each adding its lines: the kernel and the machine; then a lab and its agent. */
void doctor_add(struct doctor *d, const char *group, const char *name, enum doctor_state state,
                bool needed, const char *fmt, ...) PRINTF_LIKE(6, 7);
void doctor_examine_machine(struct doctor *d);
void doctor_examine_lab(const struct catalogue *faults, const char *exe_dir, struct doctor *d);

#endif
