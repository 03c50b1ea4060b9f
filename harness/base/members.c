/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/members.h"

#include <string.h>

static int integer(const json_t *v, const char *name, int64_t min, int64_t max, int64_t *ret,
                   struct err *err)
{
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return make_error(err, ERR_PROTOCOL, 0, "%s is missing, or out of bounds", name);
    *ret = json_integer_value(v);
    return 0;
}

int member_integer(const json_t *params, const char *name, int64_t min, int64_t max, int64_t *ret,
                   struct err *err)
{
    return integer(json_object_get(params, name), name, min, max, ret, err);
}

int member_integer_given(const json_t *params, const char *name, int64_t min, int64_t max,
                         int64_t *ret, struct err *err)
{
    const json_t *v = json_object_get(params, name);
    return v != NULL ? integer(v, name, min, max, ret, err) : 0;
}

int member_word(const json_t *params, const char *name, size_t max, const char **ret,
                struct err *err)
{
    const char *word = json_string_value(json_object_get(params, name));
    if (word == NULL || *word == '\0' || strlen(word) > max || strchr(word, ' ') != NULL)
        return make_error(err, ERR_PROTOCOL, 0, "%s is missing, too long, or no word", name);
    *ret = word;
    return 0;
}

const char *named_host_address(const struct named_host *host)
{
    return host->ip[0] != '\0' ? host->ip : host->ip6;
}

int member_host(const json_t *list, size_t i, struct named_host *ret, struct err *err)
{
    const char *name = "", *ip = "", *ip6 = "";
    if (json_unpack((json_t *)(uintptr_t)json_array_get(list, i), "{s:s, s?s, s?s}", "name", &name,
                    "ip", &ip, "ip6", &ip6) != 0 ||
        strlen(name) >= sizeof(ret->name) || strlen(ip) >= sizeof(ret->ip) ||
        strlen(ip6) >= sizeof(ret->ip6))
        return make_error(err, ERR_PROTOCOL, 0, "host %zu is malformed", i);
    memcpy(ret->name, name, strlen(name) + 1);
    memcpy(ret->ip, ip, strlen(ip) + 1);
    memcpy(ret->ip6, ip6, strlen(ip6) + 1);
    return 0;
}

int member_hosts(const json_t *list, size_t max, struct named_host *ret, size_t *ret_n,
                 struct err *err)
{
    size_t n = json_array_size(list);
    if (n > max)
        return make_error(err, ERR_PROTOCOL, 0, "%zu hosts are too many", n);
    for (size_t i = 0; i < n; i++) {
        if (member_host(list, i, &ret[i], err) != 0)
            return -1;
        if (*named_host_address(&ret[i]) == '\0')
            return make_error(err, ERR_PROTOCOL, 0, "host %zu has no address", i);
    }
    *ret_n = n;
    return 0;
}
