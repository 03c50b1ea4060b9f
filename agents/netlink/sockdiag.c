/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/sockdiag.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ANSWER_MAX = 32 * 1024,
    REQUEST_MAX = 128,
    FOUND_MAX = 512, /* gathered before they are destroyed: a list changes under one's hands */
    ROUNDS_MAX = 256
};

/* Those through which a program can still send. */
static const uint32_t live_states = (1u << TCP_ESTABLISHED) | (1u << TCP_CLOSE_WAIT);

_Static_assert(REQUEST_MAX >= NLMSG_SPACE(sizeof(struct inet_diag_req_v2)), "fits");

struct found {
    const struct sockdiag_choice *choice;
    uint32_t n; /* may pass FOUND_MAX */
    struct inet_diag_req_v2 list[FOUND_MAX];
};

/* ---- the choice ---- */

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

/* As four bytes where it is of IPv4. */
static uint8_t plain_family(const struct sockdiag_ends *ends, const unsigned char **ret_local,
                            const unsigned char **ret_remote)
{
    bool is_mapped = ends->family == 6 && memcmp(ends->remote, mapped, sizeof(mapped)) == 0;
    *ret_local = ends->local + (is_mapped ? sizeof(mapped) : 0);
    *ret_remote = ends->remote + (is_mapped ? sizeof(mapped) : 0);
    return is_mapped ? 4 : ends->family;
}

static bool is_loopback(uint8_t family, const unsigned char *a)
{
    static const unsigned char one[16] = {[15] = 1};
    return family == 4 ? a[0] == IN_LOOPBACKNET : memcmp(a, one, sizeof(one)) == 0;
}

static bool has_prefix(const struct addr *a, const unsigned char *ip)
{
    size_t whole = a->prefix / 8u;
    unsigned rest = a->prefix % 8u;
    return memcmp(a->ip, ip, whole) == 0 &&
           (rest == 0 || (a->ip[whole] ^ ip[whole]) >> (8 - rest) == 0);
}

static bool is_peer(const struct addrs *peers, uint8_t family, const unsigned char *ip)
{
    for (uint32_t i = 0; i < peers->n; i++)
        if (peers->a[i].family == family && has_prefix(&peers->a[i], ip))
            return true;
    return peers->n == 0;
}

static bool is_port(const struct ports *ports, uint16_t one, uint16_t other)
{
    for (uint32_t i = 0; i < ports->n; i++)
        if ((one >= ports->r[i].lo && one <= ports->r[i].hi) ||
            (other >= ports->r[i].lo && other <= ports->r[i].hi))
            return true;
    return ports->n == 0;
}

bool sockdiag_is_chosen(const struct sockdiag_choice *choice, const struct sockdiag_ends *ends)
{
    const unsigned char *local, *remote;
    uint8_t family = plain_family(ends, &local, &remote);
    if (choice->family != 0 && choice->family != family)
        return false;
    return !(is_loopback(family, local) && is_loopback(family, remote)) &&
           is_peer(choice->peers, family, remote) &&
           is_port(choice->ports, ends->local_port, ends->remote_port);
}

/* ---- the kernel ---- */

struct request {
    char data[REQUEST_MAX] __attribute__((aligned(8)));
    struct nlmsghdr *nlh;
};

static void request_make(struct request *q, uint16_t type, uint16_t flags,
                         const struct inet_diag_req_v2 *what)
{
    q->nlh = mnl_nlmsg_put_header(q->data);
    q->nlh->nlmsg_type = type;
    q->nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    memcpy(mnl_nlmsg_put_extra_header(q->nlh, sizeof(*what)), what, sizeof(*what));
}

static int open_socket(struct err *err)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return make_error(err, ERR_UNSUPPORTED, errno,
                          "open a socket-diagnosis socket (CONFIG_INET_DIAG)");
    return fd;
}

static void take_one(struct found *f, const struct nlmsghdr *nlh)
{
    struct inet_diag_msg m;
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(m))
        return;
    memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof(m));
    struct sockdiag_ends ends = {.family = m.idiag_family == AF_INET ? 4 : 6,
                                 .local_port = ntohs(m.id.idiag_sport),
                                 .remote_port = ntohs(m.id.idiag_dport)};
    memcpy(ends.local, m.id.idiag_src, sizeof(ends.local));
    memcpy(ends.remote, m.id.idiag_dst, sizeof(ends.remote));
    if (!sockdiag_is_chosen(f->choice, &ends))
        return;
    if (f->n < FOUND_MAX)
        f->list[f->n] = (struct inet_diag_req_v2){.sdiag_family = m.idiag_family,
                                                  .sdiag_protocol = IPPROTO_TCP,
                                                  .idiag_states = live_states,
                                                  .id = m.id};
    f->n++;
}

/* 1: there is more, 0: that was all. */
static int take_answer(struct found *f, char *answer, int left, struct err *err)
{
    for (struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)answer; mnl_nlmsg_ok(nlh, left);
         nlh = mnl_nlmsg_next(nlh, &left)) {
        if (nlh->nlmsg_type == NLMSG_DONE)
            return 0;
        if (nlh->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
            return make_error(err, ERR_SYSTEM, -e->error, "list the connections");
        }
        take_one(f, nlh);
    }
    return 1;
}

static int find(int fd, uint8_t family, struct found *f, struct err *err)
{
    char answer[ANSWER_MAX] __attribute__((aligned(8)));
    const struct inet_diag_req_v2 all = {
        .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = live_states};
    struct request q;
    request_make(&q, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all);
    if (send(fd, q.data, q.nlh->nlmsg_len, 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask for the connections");
    for (int more = 1; more != 0;) {
        ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "list the connections");
        more = take_answer(f, answer, (int)got, err);
        if (more < 0)
            return -1;
    }
    return 0;
}

/* *ret_sys: the kernel's errno. */
static int destroy(int fd, const struct inet_diag_req_v2 *one, int *ret_sys, struct err *err)
{
    char answer[1024] __attribute__((aligned(8)));
    struct request q;
    request_make(&q, SOCK_DESTROY, NLM_F_ACK, one);
    if (send(fd, q.data, q.nlh->nlmsg_len, 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "destroy a connection");
    for (;;) {
        ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)answer;
        if (got < 0 || !mnl_nlmsg_ok(nlh, (int)got) || nlh->nlmsg_type != NLMSG_ERROR)
            return make_error(err, ERR_SYSTEM, got < 0 ? errno : 0,
                              "read the answer about a destroyed connection");
        *ret_sys = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
        return 0;
    }
}

static int destroy_error(int sys, struct err *err)
{
    if (sys == EOPNOTSUPP)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "this kernel cannot destroy connections (CONFIG_INET_DIAG_DESTROY)");
    if (sys == EPERM)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "to destroy connections needs CAP_NET_ADMIN in the host's network "
                          "namespace");
    return make_error(err, ERR_SYSTEM, sys, "destroy a connection");
}

/* Of a connection that cannot be: port 0. */
int sockdiag_supported(struct err *err)
{
    const struct inet_diag_req_v2 none = {
        .sdiag_family = AF_INET,
        .sdiag_protocol = IPPROTO_TCP,
        .id = {.idiag_src = {htonl(INADDR_LOOPBACK)}, .idiag_dst = {htonl(INADDR_LOOPBACK)}}};
    int sys;
    CLEANUP_FD int fd = open_socket(err);
    if (fd < 0 || destroy(fd, &none, &sys, err) < 0)
        return -1;
    return sys == 0 || sys == ENOENT ? 0 : destroy_error(sys, err);
}

static int destroy_found(int fd, const struct found *f, uint32_t *ret_n, struct err *err)
{
    for (uint32_t i = 0; i < f->n && i < FOUND_MAX; i++) {
        int sys;
        if (destroy(fd, &f->list[i], &sys, err) < 0)
            return -1;
        if (sys == 0)
            ++*ret_n;
        else if (sys != ENOENT && sys != ESTALE)
            return destroy_error(sys, err);
    }
    return 0;
}

int sockdiag_destroy(const struct sockdiag_choice *choice, uint32_t *ret_n, struct err *err)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct found f;
    CLEANUP_FD int fd = open_socket(err);
    *ret_n = 0;
    if (fd < 0)
        return -1;
    f.choice = choice;
    for (size_t i = 0; i < sizeof(families); i++) {
        int rounds = 0;
        do {
            f.n = 0;
            if (find(fd, families[i], &f, err) < 0 || destroy_found(fd, &f, ret_n, err) < 0)
                return -1;
        } while (f.n > FOUND_MAX && ++rounds < ROUNDS_MAX);
    }
    return 0;
}

int sockdiag_clients(uint16_t port, struct addr *ret, uint32_t max, uint32_t *ret_n,
                     struct err *err)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    static const struct addrs all = {0};
    const struct ports ports = {.n = 1, .r = {{port, port}}};
    const struct sockdiag_choice choice = {.peers = &all, .ports = &ports};
    struct found f = {.choice = &choice};
    CLEANUP_FD int fd = open_socket(err);
    *ret_n = 0;
    for (size_t i = 0; i < sizeof(families); i++)
        if (fd < 0 || find(fd, families[i], &f, err) < 0)
            return -1;
    for (uint32_t i = 0; i < f.n && i < FOUND_MAX; i++) {
        struct sockdiag_ends ends = {.family = f.list[i].sdiag_family == AF_INET ? 4 : 6};
        const unsigned char *local, *remote;
        memcpy(ends.remote, f.list[i].id.idiag_dst, sizeof(ends.remote));
        uint8_t family = plain_family(&ends, &local, &remote);
        if (ntohs(f.list[i].id.idiag_sport) != port || (*ret_n)++ >= max)
            continue;
        struct addr *a = &ret[*ret_n - 1];
        *a = (struct addr){.family = family, .prefix = family == 4 ? 32 : 128};
        memcpy(a->ip, remote, family == 4 ? 4 : 16);
    }
    return 0;
}
