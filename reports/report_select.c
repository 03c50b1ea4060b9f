/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which renderers a person asks for, and the table as text. */
#include "base/param.h"
#include "reports/report.h"

#include <stdio.h>
#include <string.h>

void report_put_names(struct buf *out)
{
    for (size_t i = 0; i < report_n_renderers; i++)
        buf_printf(out, "%s%s", i != 0 ? ", " : "", report_renderers[i].name);
}

static int unknown(const char *given, struct err *err)
{
    const char *words[REPORT_RENDERERS_MAX] = {"all"};
    size_t n = 1;
    CLEANUP_BUF struct buf names = BUF_INIT(1024);
    for (size_t i = 0; i < report_n_renderers && n < REPORT_RENDERERS_MAX; i++)
        words[n++] = report_renderers[i].name;
    const char *near = nearest_word(given, words, n);
    if (near != NULL)
        return make_error(err, ERR_USAGE, 0, "there is no report \"%s\"; did you mean \"%s\"?",
                          given, near);
    report_put_names(&names);
    return make_error(err, ERR_USAGE, 0, "there is no report \"%s\"; there are: %s", given,
                      buf_text(&names));
}

static int select_one(const char *name, size_t len, uint32_t *set, struct err *err)
{
    char given[64];
    (void)snprintf(given, sizeof(given), "%.*s", (int)len, name);
    if (strcmp(given, "all") == 0) {
        *set = REPORT_ALL;
        return 0;
    }
    for (size_t i = 0; i < report_n_renderers; i++)
        if (strcmp(report_renderers[i].name, given) == 0) {
            *set |= UINT32_C(1) << i;
            return 0;
        }
    return unknown(given, err);
}

int report_select(const char *names, uint32_t *ret, struct err *err)
{
    uint32_t set = 0;
    for (const char *p = names != NULL ? names : "all"; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (select_one(p, len, &set, err) < 0)
            return -1;
        p += len + (p[len] == ',');
    }
    if (set == 0)
        return make_error(err, ERR_USAGE, 0, "no report is named");
    *ret = set;
    return 0;
}
