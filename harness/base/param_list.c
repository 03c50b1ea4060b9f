/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/param_type.h"

#include <stdio.h>

/* Every list starts with its count. */
int64_t param_list_number(const void *at)
{
    return *(const uint32_t *)at;
}

static int list_full(int max, struct err *err)
{
    return make_error(err, ERR_INPUT, 0, "more than %d items", max);
}

int param_hosts_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    struct addrs *list = at;
    if (list->n >= ADDRS_MAX)
        return list_full(ADDRS_MAX, err);
    if (addr_parse(text, &list->a[list->n], err) != 0)
        return -1;
    list->n++;
    return 0;
}

static bool addr_is_valid(const struct addr *a)
{
    unsigned bits = a->family == 4 ? 32 : 128;
    if ((a->family != 4 && a->family != 6) || a->prefix > bits)
        return false;
    for (unsigned bit = a->prefix; bit < 128; bit++)
        if ((a->ip[bit / 8] & (0x80u >> bit % 8)) != 0)
            return false;
    return true;
}

int param_hosts_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    const struct addrs *list = at;
    if (list->n > ADDRS_MAX)
        return list_full(ADDRS_MAX, err);
    for (uint32_t i = 0; i < list->n; i++)
        if (!addr_is_valid(&list->a[i]))
            return make_error(err, ERR_INPUT, 0, "an item that is no address");
    return 0;
}

void param_hosts_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p;
    (void)addr_print(&((const struct addrs *)at)->a[i], out, size);
}

static bool port_at(const char **s, uint16_t *ret)
{
    unsigned value = 0;
    const char *start = *s;
    for (; **s >= '0' && **s <= '9' && *s - start < 5; (*s)++)
        value = value * 10 + (unsigned)(**s - '0');
    *ret = (uint16_t)value;
    return *s != start && value >= 1 && value <= 65535 && *start != '0';
}

int param_ports_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    struct ports *list = at;
    struct port_range r = {0, 0};
    const char *s = text;
    if (list->n >= PORTS_MAX)
        return list_full(PORTS_MAX, err);
    bool good = port_at(&s, &r.lo);
    r.hi = r.lo;
    if (good && *s == '-') {
        s++;
        good = port_at(&s, &r.hi);
    }
    if (!good || *s != '\0' || r.lo > r.hi)
        return param_not_a(err, text, "a port (2379) or a range of ports (8000-8999)");
    list->r[list->n++] = r;
    return 0;
}

int param_ports_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    const struct ports *list = at;
    if (list->n > PORTS_MAX)
        return list_full(PORTS_MAX, err);
    for (uint32_t i = 0; i < list->n; i++)
        if (list->r[i].lo == 0 || list->r[i].lo > list->r[i].hi)
            return make_error(err, ERR_INPUT, 0, "an item that is no port");
    return 0;
}

void param_ports_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p;
    const struct port_range *r = &((const struct ports *)at)->r[i];
    if (r->lo == r->hi)
        (void)snprintf(out, size, "%u", r->lo);
    else
        (void)snprintf(out, size, "%u-%u", r->lo, r->hi);
}

int param_names_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    struct names *list = at;
    if (list->n >= LIST_MAX)
        return list_full(LIST_MAX, err);
    if (param_name_parse(p, text, &list->v[list->n], err) != 0)
        return -1;
    list->n++;
    return 0;
}

int param_names_check(const struct param *p, const void *at, struct err *err)
{
    const struct names *list = at;
    if (list->n > LIST_MAX)
        return list_full(LIST_MAX, err);
    for (uint32_t i = 0; i < list->n; i++)
        if (param_name_check(p, &list->v[i], err) != 0)
            return -1;
    return 0;
}

void param_names_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    param_name_print(p, &((const struct names *)at)->v[i], 0, out, size);
}

int param_paths_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    struct paths *list = at;
    if (list->n >= LIST_MAX)
        return list_full(LIST_MAX, err);
    if (param_path_parse(p, text, &list->v[list->n], err) != 0)
        return -1;
    list->n++;
    return 0;
}

int param_paths_check(const struct param *p, const void *at, struct err *err)
{
    const struct paths *list = at;
    if (list->n > LIST_MAX)
        return list_full(LIST_MAX, err);
    for (uint32_t i = 0; i < list->n; i++)
        if (param_path_check(p, &list->v[i], err) != 0)
            return -1;
    return 0;
}

void param_paths_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    param_name_print(p, &((const struct paths *)at)->v[i], 0, out, size);
}
