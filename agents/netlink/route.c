/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/route.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 32768 };

void route_begin(struct route_request *q, uint16_t type, uint16_t flags, size_t head)
{
    q->nlh = mnl_nlmsg_put_header(q->data);
    q->nlh->nlmsg_type = type;
    q->nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    q->nlh->nlmsg_seq = 1;
    q->head = mnl_nlmsg_put_extra_header(q->nlh, head);
}

int route_exchange(const struct route_request *q, route_visit *visit, void *ctx, int *ret_sys,
                   struct err *err)
{
    char answer[ANSWER_MAX] __attribute__((aligned(8)));
    CLEANUP_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    *ret_sys = 0;
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open a route socket");
    if (send(fd, q->data, q->nlh->nlmsg_len, 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask for the network interfaces");
    for (;;) {
        /* Answers are made while we send and read: there is never anything to wait for. */
        ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "read the network interfaces");
        int left = (int)got;
        for (struct nlmsghdr *nlh = (struct nlmsghdr *)answer; mnl_nlmsg_ok(nlh, left);
             nlh = mnl_nlmsg_next(nlh, &left)) {
            if (nlh->nlmsg_type == NLMSG_ERROR)
                *ret_sys = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
            if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
                return 0;
            if (visit != NULL)
                visit(ctx, nlh);
            if ((nlh->nlmsg_flags & NLM_F_MULTI) == 0)
                return 0;
        }
    }
}
