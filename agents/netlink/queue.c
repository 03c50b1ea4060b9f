/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/queue.h"

#include "agents/netlink/attr.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

enum {
    REQUEST_MAX = 256,
    NUMBERS_TRIED = 64,
    SOCKET_BYTES = 16 * 1024 * 1024,
    VERDICT_BYTES = 64 /* headers of one answer */
};

struct request {
    char data[REQUEST_MAX] __attribute__((aligned(8)));
    struct nlmsghdr *nlh;
};

static struct nlmsghdr *put_header(char *at, uint16_t type, uint16_t flags, uint16_t number)
{
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
    nlh->nlmsg_type = (uint16_t)((NFNL_SUBSYS_QUEUE << 8) | type);
    nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
    nfg->nfgen_family = AF_UNSPEC;
    nfg->version = NFNETLINK_V0;
    nfg->res_id = htons(number);
    return nlh;
}

static void config_begin(struct request *q, uint16_t number)
{
    q->nlh = put_header(q->data, NFQNL_MSG_CONFIG, NLM_F_ACK, number);
}

static void put_command(struct request *q, uint8_t command)
{
    const struct nfqnl_msg_config_cmd cmd = {.command = command, .pf = htons(AF_UNSPEC)};
    mnl_attr_put(q->nlh, NFQA_CFG_CMD, sizeof(cmd), &cmd);
}

/* The kernel's errno in *ret_sys. Its answer is there when send returns; packets may already come
 * before it: they are few, and what is not answered is held until the socket closes. */
static int exchange(int fd, const struct request *q, int *ret_sys, struct err *err)
{
    char answer[1024] __attribute__((aligned(8)));
    if (send(fd, q->data, q->nlh->nlmsg_len, 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask for a packet queue");
    for (;;) {
        ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "read the packet queue's answer");
        const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;
        if (!mnl_nlmsg_ok(nlh, (int)got) || nlh->nlmsg_type != NLMSG_ERROR)
            continue;
        *ret_sys = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
        return 0;
    }
}

static int open_socket(struct err *err)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open a netfilter socket");
    return fd;
}

static int answer_error(int sys, struct err *err)
{
    if (sys == EPERM)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "a packet queue needs CAP_NET_ADMIN in the host's network namespace");
    if (sys == EINVAL)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "this kernel has no packet queues (CONFIG_NETFILTER_NETLINK_QUEUE)");
    return make_error(err, ERR_SYSTEM, sys, "set up a packet queue");
}

int queue_supported(struct err *err)
{
    struct request q;
    int sys;
    CLEANUP_FD int fd = open_socket(err);
    if (fd < 0)
        return -1;
    config_begin(&q, 0);
    put_command(&q, NFQNL_CFG_CMD_PF_UNBIND); /* means nothing any more, and is answered */
    if (exchange(fd, &q, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : answer_error(sys, err);
}

/* The limit, and past it packets go on instead of being lost: more than was asked is no fault of
 * ours. */
static int configure(int fd, uint16_t number, uint32_t copy, struct err *err)
{
    struct nfqnl_msg_config_params params = {.copy_range = htonl(copy)};
    struct request q;
    int sys;
    params.copy_mode = copy == 0 ? NFQNL_COPY_META : NFQNL_COPY_PACKET;
    uint32_t flags = NFQA_CFG_F_FAIL_OPEN | (copy == 0 ? NFQA_CFG_F_GSO : 0);
    config_begin(&q, number);
    mnl_attr_put(q.nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
    mnl_attr_put_u32(q.nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_HELD_MAX));
    mnl_attr_put_u32(q.nlh, NFQA_CFG_FLAGS, htonl(flags));
    mnl_attr_put_u32(q.nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO));
    if (exchange(fd, &q, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : answer_error(sys, err);
}

static int bind_free(int fd, uint16_t first, uint16_t *ret, struct err *err)
{
    for (int i = 0; i < NUMBERS_TRIED; i++) {
        struct request q;
        int sys;
        *ret = (uint16_t)(first + i);
        config_begin(&q, *ret);
        put_command(&q, NFQNL_CFG_CMD_BIND);
        if (exchange(fd, &q, &sys, err) < 0)
            return -1;
        if (sys == 0)
            return 0;
        if (sys != EBUSY && (sys != EPERM || i + 1 == NUMBERS_TRIED))
            return answer_error(sys, err); /* EPERM: also when it is another process's */
    }
    return make_error(err, ERR_LIMIT, 0, "packet queues %u to %u are all in use", first,
                      first + NUMBERS_TRIED - 1u);
}

int queue_open(uint16_t first, uint32_t copy, int *ret_fd, uint16_t *ret_number, struct err *err)
{
    int on = 1, bytes = SOCKET_BYTES;
    CLEANUP_FD int fd = open_socket(err);
    if (fd < 0)
        return -1;
    /* What does not fit counts as past the limit. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
    if (bind_free(fd, first, ret_number, err) < 0 || configure(fd, *ret_number, copy, err) < 0)
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int take_packet(const struct nlmsghdr *nlh, struct queue_packet *ret)
{
    const struct nlattr *head = attr_find_of(nlh, sizeof(struct nfgenmsg), NFQA_PACKET_HDR);
    const struct nlattr *data = attr_find_of(nlh, sizeof(struct nfgenmsg), NFQA_PAYLOAD);
    if (head == NULL || mnl_attr_get_payload_len(head) < sizeof(struct nfqnl_msg_packet_hdr))
        return 0;
    struct nfqnl_msg_packet_hdr h;
    memcpy(&h, mnl_attr_get_payload(head), sizeof(h));
    *ret = (struct queue_packet){.id = ntohl(h.packet_id), .ether = ntohs(h.hw_protocol)};
    if (data != NULL) {
        ret->data = mnl_attr_get_payload(data);
        ret->len = mnl_attr_get_payload_len(data);
    }
    return 1;
}

int queue_read(int fd, void *buf, size_t size, struct queue_packet *ret, struct err *err)
{
    ssize_t got = recv(fd, buf, size, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOBUFS))
        return 0;
    if (got < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the packet queue");
    const struct nlmsghdr *nlh = buf;
    if (!mnl_nlmsg_ok(nlh, (int)got) ||
        nlh->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
        return 0;
    return take_packet(nlh, ret);
}

void queue_answers_init(struct queue_answers *a, int fd, uint16_t number)
{
    a->fd = fd;
    a->number = number;
    a->len = 0;
}

/* An answer about a packet that the kernel has dropped meanwhile is refused, which no one reads. */
int queue_flush(struct queue_answers *a, struct err *err)
{
    ssize_t sent;
    if (a->len == 0)
        return 0;
    do {
        sent = send(a->fd, a->data, a->len, 0);
    } while (sent < 0 && errno == EINTR);
    a->len = 0;
    return sent < 0 ? make_error(err, ERR_SYSTEM, errno, "answer the packet queue") : 0;
}

static int answer(struct queue_answers *a, uint32_t id, uint32_t verdict, const void *data,
                  uint32_t len, struct err *err)
{
    if (sizeof(a->data) - a->len < VERDICT_BYTES + (size_t)len && queue_flush(a, err) < 0)
        return -1;
    if (len > QUEUE_PACKET_MAX)
        return make_error(err, ERR_LIMIT, 0, "a packet of %u bytes", len);
    const struct nfqnl_msg_verdict_hdr head = {.verdict = htonl(verdict), .id = htonl(id)};
    struct nlmsghdr *nlh = put_header(a->data + a->len, NFQNL_MSG_VERDICT, 0, a->number);
    mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(head), &head);
    if (len != 0)
        mnl_attr_put(nlh, NFQA_PAYLOAD, len, data);
    a->len += ATTR_ALIGN(nlh->nlmsg_len);
    return 0;
}

int queue_accept(struct queue_answers *a, uint32_t id, const void *data, uint32_t len,
                 struct err *err)
{
    return answer(a, id, NF_ACCEPT, data, len, err);
}

int queue_drop(struct queue_answers *a, uint32_t id, struct err *err)
{
    return answer(a, id, NF_DROP, NULL, 0, err);
}
