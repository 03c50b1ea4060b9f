/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void doctor_add(struct doctor *d, const char *group, const char *name, enum doctor_state state,
                bool needed, const char *fmt, ...)
{
    if (d->n == DOCTOR_LINES_MAX)
        return;
    struct doctor_line *line = &d->lines[d->n++];
    line->state = state;
    line->needed = needed;
    (void)snprintf(line->group, sizeof(line->group), "%s", group);
    (void)snprintf(line->name, sizeof(line->name), "%s", name);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line->text, sizeof(line->text), fmt, args);
    va_end(args);
}

void doctor_examine(const struct catalogue *faults, const char *exe_dir, struct doctor *ret)
{
    ret->n = 0;
    doctor_examine_machine(ret);
    doctor_examine_lab(faults, exe_dir, ret);
}

bool doctor_quickstart(const struct doctor *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->lines[i].needed && d->lines[i].state == DOCTOR_NO)
            return false;
    return true;
}

json_t *doctor_json(const struct doctor *d)
{
    static const char *const words[] = {"yes", "limited", "no"};
    json_t *lines = json_array();
    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_line *l = &d->lines[i];
        (void)json_array_append_new(lines, json_pack("{s:s, s:s, s:s, s:b, s:s}", "group", l->group,
                                                     "name", l->name, "state", words[l->state],
                                                     "needed", l->needed, "text", l->text));
    }
    return json_pack("{s:b, s:o}", "quickstart", doctor_quickstart(d), "checks", lines);
}
