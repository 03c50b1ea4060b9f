/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks over netlink attributes that cannot leave their message: lengths are checked against what
 * was received. Reading only; writing is libmnl's.
 */
#ifndef BLACKSTART_NETLINK_ATTR_H
#define BLACKSTART_NETLINK_ATTR_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTR_ALIGN(len) (((size_t)(len) + 3) & ~(size_t)3)

static inline bool attr_ok(const struct nlattr *attr, const void *end)
{
    ptrdiff_t left = (const char *)end - (const char *)attr;
    return left >= (ptrdiff_t)sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
           (ptrdiff_t)attr->nla_len <= left;
}

static inline const struct nlattr *attr_next(const struct nlattr *attr)
{
    return (const struct nlattr *)(const void *)((const char *)attr + ATTR_ALIGN(attr->nla_len));
}

static inline const void *attr_end(const struct nlattr *nest)
{
    return (const char *)nest + nest->nla_len;
}

static inline const void *attr_message_end(const struct nlmsghdr *nlh)
{
    return (const char *)nlh + nlh->nlmsg_len;
}

/* Attributes inside `nest`, or of a message behind a header of `header` bytes. */
#define ATTR_EACH(attr, nest)                                                                      \
    for (const struct nlattr *attr = mnl_attr_get_payload(nest); attr_ok(attr, attr_end(nest));    \
         attr = attr_next(attr))
#define ATTR_EACH_OF(attr, nlh, header)                                                            \
    for (const struct nlattr *attr = mnl_nlmsg_get_payload_offset(nlh, header);                    \
         attr_ok(attr, attr_message_end(nlh)); attr = attr_next(attr))

static inline const struct nlattr *attr_find(const struct nlattr *nest, uint16_t type)
{
    ATTR_EACH (attr, nest)
        if (mnl_attr_get_type(attr) == type)
            return attr;
    return NULL;
}

static inline const struct nlattr *attr_find_of(const struct nlmsghdr *nlh, size_t header,
                                                uint16_t type)
{
    ATTR_EACH_OF (attr, nlh, header)
        if (mnl_attr_get_type(attr) == type)
            return attr;
    return NULL;
}

#endif
