/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/wire.h"
#include "agents/lease.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static bool is_made_of(const char *s, size_t size, const char *extra, bool upper)
{
    size_t len = strnlen(s, size);
    if (len == 0 || len == size)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && !(upper && c >= 'A' && c <= 'Z') && strchr(extra, c) == NULL)
            return false;
    }
    return true;
}

bool wire_is_id(const char *s, size_t size)
{
    return is_made_of(s, size, "-", false);
}

bool wire_is_name(const char *s, size_t size)
{
    return is_made_of(s, size, "._@-", true);
}

enum { NEEDS_RUN = 1, NEEDS_INJECTION = 2, NEEDS_FAULT = 4, NEEDS_LEASE = 8, HAS_BODY = 16 };

static const unsigned char needs[OP_COUNT] = {
    [OP_HELLO] = NEEDS_RUN | NEEDS_LEASE,
    [OP_PREPARE] = NEEDS_INJECTION | NEEDS_FAULT | NEEDS_LEASE | HAS_BODY,
    [OP_APPLY] = NEEDS_INJECTION,
    [OP_VERIFY] = NEEDS_INJECTION,
    [OP_EVIDENCE] = NEEDS_INJECTION,
    [OP_RENEW] = NEEDS_LEASE,
    [OP_REVERT] = NEEDS_INJECTION,
    [OP_CLEAN] = HAS_BODY,
};

static bool identity_is_sound(const struct agent_request *r)
{
    bool sound = r->n_groups <= AGENT_GROUPS_MAX && (r->as[0] != '\0' || r->n_groups == 0) &&
                 (r->as[0] == '\0' || wire_is_name(r->as, sizeof(r->as)));
    for (uint32_t i = 0; sound && i < r->n_groups; i++)
        sound = wire_is_name(r->groups[i], sizeof(r->groups[i]));
    return sound;
}

int wire_check_request(const struct agent_request *r, size_t size, struct err *err)
{
    if (size < sizeof(*r) || r->op >= OP_COUNT)
        return make_error(err, ERR_PROTOCOL, 0, "a request of %zu bytes that is none", size);
    unsigned want = needs[r->op];
    if (r->body != size - sizeof(*r) || ((want & HAS_BODY) == 0 && r->body != 0))
        return make_error(err, ERR_PROTOCOL, 0, "a request's body of %u bytes", r->body);
    if ((want & NEEDS_RUN) != 0 &&
        (!wire_is_id(r->run, sizeof(r->run)) || !wire_is_name(r->host, sizeof(r->host))))
        return make_error(err, ERR_INPUT, 0, "the run's id or the host's name is not one");
    if ((want & NEEDS_INJECTION) != 0 && !wire_is_id(r->injection, sizeof(r->injection)))
        return make_error(err, ERR_INPUT, 0, "an injection's id is 1 to %d of a-z, 0-9 and '-'",
                          INJECTION_ID_MAX);
    if ((want & NEEDS_FAULT) != 0 && !wire_is_name(r->fault, sizeof(r->fault)))
        return make_error(err, ERR_INPUT, 0, "the fault's name is not one");
    if (!identity_is_sound(r))
        return make_error(err, ERR_INPUT, 0, "the identity's user or a group is not a name");
    if ((want & NEEDS_LEASE) != 0)
        return lease_check(r->lease_ns, r->for_ns, err);
    return 0;
}

int wire_pair(int ret[2], struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return make_error(err, ERR_SYSTEM, errno, "socketpair");
    /* The default is about 200 KiB; a smaller one set for the machine would refuse large args. */
    int want = 2 * (ARGS_MAX + (int)sizeof(struct agent_request));
    for (int i = 0; i < 2; i++)
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
    ret[0] = pair[0];
    ret[1] = pair[1];
    return 0;
}

int wire_send(int fd, const void *head, size_t head_size, const void *body, size_t body_size,
              struct err *err)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)head, head_size},
                             {(void *)(uintptr_t)body, body_size}};
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = body_size > 0 ? 2 : 1};
    ssize_t n;
    do
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "send to the agent's other process");
    return 0;
}

static int wait_readable(int fd, int timeout_ms, struct err *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    for (;;) {
        int left = timeout_ms < 0
                       ? -1
                       : clock_poll_ms(clock_system(CLOCK_MONOTONIC), deadline, timeout_ms);
        int n = poll(&p, 1, left);
        if (n > 0)
            return 0;
        if (n == 0)
            return make_error(err, ERR_TIMEOUT, 0, "no answer within %d ms", timeout_ms);
        if (errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "poll");
    }
}

int wire_receive(int fd, void *head, size_t head_size, void *body, size_t body_size,
                 size_t *ret_size, int timeout_ms, struct err *err)
{
    if (timeout_ms >= 0 && wait_readable(fd, timeout_ms, err) != 0)
        return -1;
    struct iovec parts[2] = {{head, head_size}, {body, body_size}};
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = body_size > 0 ? 2 : 1};
    ssize_t n;
    do
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == ECONNRESET)
        n = 0; /* the peer died with our words unread */
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "receive from the agent's other process");
    if ((msg.msg_flags & MSG_TRUNC) != 0)
        return make_error(err, ERR_PROTOCOL, 0, "a message that is too long");
    *ret_size = (size_t)n;
    return 0;
}
