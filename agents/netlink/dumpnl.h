/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One netlink dump into lines of text, begun again when the kernel says that what it lists changed
 * meanwhile. For the parts of the dump of a namespace; knows no kind of object.
 */
#ifndef BLACKSTART_NETLINK_DUMPNL_H
#define BLACKSTART_NETLINK_DUMPNL_H

#include "base/buf.h"
#include "base/err.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

struct dumpnl {
    int fd; /* -1: not open */
    uint32_t seq;
    struct buf *lines; /* what the visitors print */
    struct buf *names; /* what they remember for later dumps */
    void *ctx;         /* theirs */
    const char *what;  /* for messages: "routes" */
};

typedef void dumpnl_visit(struct dumpnl *d, const struct nlmsghdr *nlh);

int dumpnl_open(struct dumpnl *d, int protocol, struct err *err) MUST_CHECK;

static inline void dumpnl_close_at(struct dumpnl *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
}
#define CLEANUP_DUMPNL __attribute__((cleanup(dumpnl_close_at)))

/*
 * `extra` (a multiple of four bytes) stands behind the netlink header. A kind of object that the
 * kernel does not have lists nothing. A dump begun again drops what this call printed.
 */
int dumpnl_each(struct dumpnl *d, uint16_t type, const void *extra, size_t size,
                dumpnl_visit *visit, struct err *err) MUST_CHECK;

/* " name=hex" of an attribute, nothing when it is NULL. */
void dumpnl_hex(struct buf *out, const char *name, const struct nlattr *attr);
/* " name=text" of an attribute that holds a string. */
void dumpnl_text(struct buf *out, const char *name, const struct nlattr *attr);
/* " dev=eth0", or " dev=#7" for one that has no name here. */
void dumpnl_device(struct buf *out, const char *name, uint32_t index);

#endif
