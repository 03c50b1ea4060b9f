/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/history_parts.h"

static bool share_take(const json_t *plan, const char *name, double *ret)
{
    const json_t *v = json_object_get(plan, name);
    *ret = (double)json_integer_value(v) / 1e6;
    return json_is_integer(v) && *ret > 0 && *ret < 1;
}

static bool count_take(const json_t *plan, const char *name, uint32_t *ret)
{
    const json_t *v = json_object_get(plan, name);
    json_int_t n = json_integer_value(v);
    *ret = (uint32_t)n;
    return json_is_integer(v) && n >= 0 && n <= UINT16_MAX;
}

bool history_plan_read(const json_t *s, struct history_plan *p)
{
    return share_take(s, "good_ppm", &p->good) && share_take(s, "bad_ppm", &p->bad) &&
           share_take(s, "alpha_ppm", &p->alpha) && share_take(s, "beta_ppm", &p->beta) &&
           count_take(s, "at_most", &p->at_most) && count_take(s, "undecided", &p->undecided) &&
           p->bad < p->good && p->alpha < 0.5 && p->beta < 0.5 && p->at_most != 0;
}
