/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostnet.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH_MAX = 256 * 1024 };

#define BRIDGE_NAME "blackstart0"

struct batch {
    struct buf out;
    uint32_t n;
    bool failed;
};

static void free_message(struct nl_msg **msg)
{
    if (*msg != NULL)
        nlmsg_free(*msg);
}
#define CLEANUP_MSG CLEANUP(free_message)

/* Appends a finished message, to be acknowledged, numbered from 0. */
static void batch_add(struct batch *b, struct nl_msg *msg, bool complete)
{
    if (!complete) {
        b->failed = true;
        return;
    }
    struct nlmsghdr *h = nlmsg_hdr(msg);
    h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    h->nlmsg_seq = b->n++;
    h->nlmsg_pid = 0;
    buf_add(&b->out, h, NLMSG_ALIGN(h->nlmsg_len));
}

/* Counts the acknowledgements in one datagram; the first failure goes to err. */
static int read_acks(const char *data, size_t len, uint32_t *left, struct err *err)
{
    const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)data;
    for (int n = (int)len; nlmsg_ok(h, n); h = nlmsg_next((struct nlmsghdr *)(uintptr_t)h, &n)) {
        if (h->nlmsg_type != NLMSG_ERROR)
            continue;
        const struct nlmsgerr *ack = nlmsg_data(h);
        if (ack->error != 0)
            return make_error(err, ERR_SYSTEM, -ack->error,
                              "the kernel refused network request %u of the lab", h->nlmsg_seq);
        (*left)--;
    }
    return 0;
}

/* The kernel works through all messages of one send in order, and answers each. */
static int batch_send(struct batch *b, struct err *err)
{
    if (b->failed || !buf_ok(&b->out))
        return make_error(err, ERR_LIMIT, 0, "too much for one network request");
    CLEANUP_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open a netlink socket");
    int one = 1;
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(fd, b->out.data, b->out.len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return make_error(err, ERR_SYSTEM, errno, "send a network request");
    for (uint32_t left = b->n; left != 0;) {
        _Alignas(8) char answer[32768];
        ssize_t n = recv(fd, answer, sizeof(answer), 0);
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read the answer to a network request");
        if (read_acks(answer, (size_t)n, &left, err) != 0)
            return -1;
    }
    return 0;
}

static void batch_free(struct batch *b)
{
    buf_free(&b->out);
}
#define CLEANUP_BATCH CLEANUP(batch_free)
#define BATCH_INIT    ((struct batch){.out = BUF_INIT(BATCH_MAX)})

static void add_up(struct batch *b, int index)
{
    CLEANUP_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    struct ifinfomsg info = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    batch_add(b, msg, msg != NULL && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) == 0);
}

/* No snooping: without a querier it only delays neighbour discovery. */
static bool fill_bridge(struct nl_msg *msg)
{
    struct ifinfomsg info = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) != 0 ||
        nla_put_string(msg, IFLA_IFNAME, BRIDGE_NAME) != 0)
        return false;
    struct nlattr *kind = nla_nest_start(msg, IFLA_LINKINFO);
    if (kind == NULL || nla_put_string(msg, IFLA_INFO_KIND, "bridge") != 0)
        return false;
    struct nlattr *data = nla_nest_start(msg, IFLA_INFO_DATA);
    if (data == NULL || nla_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0) != 0 ||
        nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, 0) != 0)
        return false;
    nla_nest_end(msg, data);
    nla_nest_end(msg, kind);
    return true;
}

int hostnet_make_bridge(int *ret_index, struct err *err)
{
    CLEANUP_BATCH struct batch b = BATCH_INIT;
    add_up(&b, 1);
    CLEANUP_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    batch_add(&b, msg, msg != NULL && fill_bridge(msg));
    if (batch_send(&b, err) != 0)
        return wrap_error(err, "make the lab's bridge");
    unsigned index = if_nametoindex(BRIDGE_NAME);
    if (index == 0)
        return make_error(err, ERR_SYSTEM, errno, "find the lab's bridge");
    *ret_index = (int)index;
    return 0;
}

static bool fill_peer(struct nl_msg *msg, int net_fd)
{
    struct nlattr *peer = nla_nest_start(msg, VETH_INFO_PEER);
    struct ifinfomsg info = {.ifi_flags = 0}; /* not up: the pair is not joined yet */
    if (peer == NULL || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) != 0 ||
        nla_put_string(msg, IFLA_IFNAME, "eth0") != 0 ||
        nla_put_u32(msg, IFLA_MTU, HOSTNET_MTU) != 0 ||
        nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)net_fd) != 0)
        return false;
    nla_nest_end(msg, peer);
    return true;
}

static bool fill_veth(struct nl_msg *msg, int bridge_index, size_t number, int net_fd)
{
    struct ifinfomsg info = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    char name[IFNAMSIZ];
    (void)snprintf(name, sizeof(name), "host%zu", number);
    if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) != 0 ||
        nla_put_string(msg, IFLA_IFNAME, name) != 0 ||
        nla_put_u32(msg, IFLA_MTU, HOSTNET_MTU) != 0 ||
        nla_put_u32(msg, IFLA_MASTER, (uint32_t)bridge_index) != 0)
        return false;
    struct nlattr *kind = nla_nest_start(msg, IFLA_LINKINFO);
    if (kind == NULL || nla_put_string(msg, IFLA_INFO_KIND, "veth") != 0)
        return false;
    struct nlattr *data = nla_nest_start(msg, IFLA_INFO_DATA);
    if (data == NULL || !fill_peer(msg, net_fd))
        return false;
    nla_nest_end(msg, data);
    nla_nest_end(msg, kind);
    return true;
}

int hostnet_make_links(int bridge_index, const int *net_fds, const size_t *numbers, size_t n,
                       struct err *err)
{
    CLEANUP_BATCH struct batch b = BATCH_INIT;
    for (size_t i = 0; i < n; i++) {
        CLEANUP_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        batch_add(&b, msg, msg != NULL && fill_veth(msg, bridge_index, numbers[i], net_fds[i]));
    }
    if (batch_send(&b, err) != 0)
        return wrap_error(err, "make the hosts' links");
    return 0;
}

static void add_address(struct batch *b, int index, const char *text, int family, uint8_t prefix)
{
    unsigned char ip[16];
    uint16_t size = family == AF_INET ? 4 : 16;
    struct ifaddrmsg info = {.ifa_family = (uint8_t)family,
                             .ifa_prefixlen = prefix,
                             .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
                             .ifa_index = (uint32_t)index};
    CLEANUP_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    batch_add(b, msg,
              msg != NULL && inet_pton(family, text, ip) == 1 &&
                  nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) == 0 &&
                  nla_put(msg, IFA_LOCAL, size, ip) == 0 &&
                  nla_put(msg, IFA_ADDRESS, size, ip) == 0);
}

int hostnet_configure(const char *ip, const char *ip6, struct err *err)
{
    unsigned index = if_nametoindex("eth0");
    if (index == 0)
        return make_error(err, ERR_SYSTEM, errno, "find the host's link");
    CLEANUP_BATCH struct batch b = BATCH_INIT;
    add_up(&b, 1);
    add_up(&b, (int)index);
    add_address(&b, (int)index, ip, AF_INET, 24);
    if (ip6 != NULL)
        add_address(&b, (int)index, ip6, AF_INET6, 64);
    if (batch_send(&b, err) != 0)
        return wrap_error(err, "set the host's addresses");
    return 0;
}

static bool write_setting(const char *path, const char *value)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
}

bool hostnet_prepare_ipv6(bool enabled)
{
    if (!enabled)
        return write_setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    return write_setting("/proc/sys/net/ipv6/conf/all/accept_dad", "0") &&
           write_setting("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}
