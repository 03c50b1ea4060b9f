/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/json_compact.h"

#include "base/buf.h"
#include "reports/result_fields.h"

#include <string.h>

bool json_is_compact(const struct analysis *a)
{
    return a->n_trials > JSON_COMPACT_ABOVE;
}

/* Sections do not hold themselves. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void prune(json_t *o, const struct section *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        json_t *value = json_object_get(o, f->name), *one;
        size_t k;
        if ((f->how & FULL_ONLY) != 0)
            (void)json_object_del(o, f->name);
        else if (f->type == FIELD_SECTION)
            prune(value, f->section);
        else if (f->type == FIELD_SECTIONS)
            json_array_foreach(value, k, one) prune(one, f->section);
    }
}

json_t *json_prune(json_t *o, const char *name)
{
    for (size_t i = 0; i < result_section.n; i++)
        if (strcmp(result_section.fields[i].name, name) == 0)
            prune(o, result_section.fields[i].section);
    return o;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void list(json_t *to, const char *path, const struct section *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        CLEANUP_BUF struct buf at = BUF_INIT(1 << 10);
        buf_printf(&at, "%s%s%s", path, path[0] != '\0' ? "." : "", f->name);
        if ((f->how & FULL_ONLY) != 0)
            (void)json_array_append_new(to, json_sprintf("%s: %s", buf_text(&at), f->doc));
        else if (f->section != NULL)
            list(to, buf_text(&at), f->section);
    }
}

json_t *json_left_out(void)
{
    json_t *to = json_array();
    list(to, "", &result_section);
    return to;
}
