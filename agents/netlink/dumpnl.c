/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/dumpnl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 65536, TRIES = 8, REQUEST_MAX = 512 };

int dumpnl_open(struct dumpnl *d, int protocol, struct err *err)
{
    d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (d->fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open a netlink socket");
    return 0;
}

enum outcome { GOES_ON, DONE, CHANGED };

static enum outcome take(struct dumpnl *d, const struct nlmsghdr *nlh, dumpnl_visit *visit,
                         int *ret_sys)
{
    if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
        return CHANGED;
    if (nlh->nlmsg_type == NLMSG_ERROR) {
        *ret_sys = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
        return DONE;
    }
    if (nlh->nlmsg_type == NLMSG_DONE)
        return DONE;
    visit(d, nlh);
    return GOES_ON;
}

static int read_all(struct dumpnl *d, dumpnl_visit *visit, bool *ret_changed, int *ret_sys,
                    struct err *err)
{
    static char answer[ANSWER_MAX] __attribute__((aligned(8)));
    enum outcome outcome = GOES_ON;
    while (outcome != DONE) {
        ssize_t got = recv(d->fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "read %s", d->what);
        int left = (int)got;
        for (struct nlmsghdr *nlh = (struct nlmsghdr *)answer;
             outcome != DONE && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
            if (nlh->nlmsg_seq != d->seq)
                continue;
            enum outcome one = take(d, nlh, visit, ret_sys);
            *ret_changed = *ret_changed || one == CHANGED;
            outcome = one == CHANGED && nlh->nlmsg_type == NLMSG_DONE ? DONE : one;
        }
    }
    return 0;
}

static bool is_absent(int sys)
{
    return sys == ENOENT || sys == EOPNOTSUPP || sys == EAFNOSUPPORT || sys == ENODEV ||
           sys == EINVAL;
}

int dumpnl_each(struct dumpnl *d, uint16_t type, const void *extra, size_t size,
                dumpnl_visit *visit, struct err *err)
{
    char request[REQUEST_MAX] __attribute__((aligned(8)));
    size_t lines = d->lines->len, names = d->names != NULL ? d->names->len : 0;
    for (int i = 0; i < TRIES; i++) {
        bool changed = false;
        int sys = 0;
        struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
        nlh->nlmsg_type = type;
        nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        nlh->nlmsg_seq = ++d->seq;
        memcpy(mnl_nlmsg_put_extra_header(nlh, size), extra, size);
        if (send(d->fd, request, nlh->nlmsg_len, 0) < 0)
            return make_error(err, ERR_SYSTEM, errno, "ask for %s", d->what);
        if (read_all(d, visit, &changed, &sys, err) < 0)
            return -1;
        if (sys != 0 && sys != EINTR && !is_absent(sys))
            return make_error(err, ERR_SYSTEM, sys, "list %s", d->what);
        if (!changed && sys != EINTR)
            return 0;
        d->lines->len = lines;
        if (d->names != NULL)
            d->names->len = names;
    }
    return make_error(err, ERR_SYSTEM, 0, "list %s: they change all the time", d->what);
}

void dumpnl_hex(struct buf *out, const char *name, const struct nlattr *attr)
{
    static const char digits[] = "0123456789abcdef";
    if (attr == NULL)
        return;
    const unsigned char *data = mnl_attr_get_payload(attr);
    size_t n = mnl_attr_get_payload_len(attr);
    char text[128];
    buf_printf(out, " %s=", name);
    for (size_t i = 0; i < n;) {
        size_t len = 0;
        for (; i < n && len + 2 <= sizeof(text); i++) {
            text[len++] = digits[data[i] >> 4];
            text[len++] = digits[data[i] & 15];
        }
        buf_add(out, text, len);
    }
}

void dumpnl_text(struct buf *out, const char *name, const struct nlattr *attr)
{
    if (attr != NULL)
        buf_printf(out, " %s=%.*s", name, (int)mnl_attr_get_payload_len(attr),
                   (const char *)mnl_attr_get_payload(attr));
}

void dumpnl_device(struct buf *out, const char *name, uint32_t index)
{
    char dev[IF_NAMESIZE];
    if (if_indextoname(index, dev) != NULL)
        buf_printf(out, " %s=%s", name, dev);
    else
        buf_printf(out, " %s=#%u", name, index);
}
