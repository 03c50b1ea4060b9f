/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hostctl.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum {
    REQUEST_HEAD = offsetof(struct hostctl_request, data),
    REPLY_HEAD = offsetof(struct hostctl_reply, data),
};

static const int64_t grace_ns = 2 * NS_PER_SEC;

int hostctl_connect(int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "make a socket for the host's init");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path + 1, HOSTCTL_SOCKET, sizeof(HOSTCTL_SOCKET) - 1);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof(HOSTCTL_SOCKET);
    if (connect(fd, (const struct sockaddr *)&to, len) != 0)
        return make_error(err, ERR_NOT_FOUND, errno, "the host's init does not answer");
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int wait_reply(int fd, int64_t deadline, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t now = clock_system(CLOCK_MONOTONIC);
        int n = poll(&p, 1, clock_poll_ms(now, deadline, 60000));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "wait for the host's init");
        if (n == 0 && now >= deadline)
            return make_error(err, ERR_TIMEOUT, 0, "the host's init did not answer in time");
    }
}

/* Sends a request that is already laid out, and receives the reply's head and what fits of its
 * data; *ret_len is what came. */
static int exchange(int fd, const void *request, size_t len, int64_t timeout_ns, struct iovec *into,
                    size_t n_into, size_t *ret_len, struct err *err)
{
    if (timeout_ns < 0)
        timeout_ns = 0;
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + timeout_ns + grace_ns;
    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        return make_error(err, ERR_SYSTEM, errno, "ask the host's init");
    if (wait_reply(fd, deadline, err) != 0)
        return -1;
    struct msghdr msg = {.msg_iov = into, .msg_iovlen = n_into};
    ssize_t got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return make_error(err, ERR_SYSTEM, errno, "the host's init");
    if (got < (ssize_t)REPLY_HEAD)
        return make_error(err, ERR_PROTOCOL, 0, "the host's init hung up");
    *ret_len = (size_t)got;
    return 0;
}

static int fail_as_reply(int32_t code, const char *text, size_t len, struct err *err)
{
    if (code < ERR_NONE || code > ERR_DIRTY)
        return make_error(err, ERR_PROTOCOL, 0, "the host's init sent the code %d", (int)code);
    return make_error(err, (enum err_code)code, 0, "%.*s", (int)len, text);
}

static int check_reply(struct hostctl_reply *ret, size_t len, struct err *err)
{
    if (ret->len > HOSTCTL_DATA_MAX || len != REPLY_HEAD + ret->len)
        return make_error(err, ERR_PROTOCOL, 0, "the host's init sent %zu bytes", len);
    ret->service[NAME_MAX_LEN] = '\0';
    if (ret->code != ERR_NONE)
        return fail_as_reply(ret->code, ret->data, ret->len < 300 ? ret->len : 300, err);
    return 0;
}

int hostctl_send(int fd, const struct hostctl_request *request, struct err *err)
{
    if (request->len > HOSTCTL_DATA_MAX)
        return make_error(err, ERR_LIMIT, 0, "a request to a host's init holds at most %d bytes",
                          HOSTCTL_DATA_MAX);
    size_t len = REQUEST_HEAD + request->len;
    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        return make_error(err, ERR_SYSTEM, errno, "ask the host's init");
    return 0;
}

int hostctl_receive(int fd, struct hostctl_reply *ret, struct err *err)
{
    ssize_t got = recv(fd, ret, sizeof(*ret), 0);
    if (got < 0)
        return make_error(err, ERR_SYSTEM, errno, "the host's init");
    if (got < (ssize_t)REPLY_HEAD)
        return make_error(err, ERR_PROTOCOL, 0, "the host's init hung up");
    return check_reply(ret, (size_t)got, err);
}

int hostctl_call(int fd, const struct hostctl_request *request, struct hostctl_reply *ret,
                 struct err *err)
{
    if (hostctl_send(fd, request, err) != 0 ||
        wait_reply(fd, clock_system(CLOCK_MONOTONIC) + request->timeout_ns + grace_ns, err) != 0)
        return -1;
    return hostctl_receive(fd, ret, err);
}

static void put_field(unsigned char *raw, size_t at, const void *value, size_t size)
{
    memcpy(raw + at, value, size);
}

static int ask(enum hostctl_op op, const char *service, int number, int64_t timeout_ns,
               struct hostctl_look *ret, struct err *err)
{
    size_t name_len = strlen(service);
    if (name_len > NAME_MAX_LEN)
        return make_error(err, ERR_INPUT, 0, "no service has a name of %zu characters", name_len);
    CLEANUP_FD int fd = -1;
    if (hostctl_connect(&fd, err) != 0)
        return -1;
    unsigned char raw[REQUEST_HEAD] = {0};
    uint32_t wire_op = (uint32_t)op;
    int32_t wire_number = number;
    put_field(raw, offsetof(struct hostctl_request, op), &wire_op, sizeof(wire_op));
    put_field(raw, offsetof(struct hostctl_request, number), &wire_number, sizeof(wire_number));
    put_field(raw, offsetof(struct hostctl_request, timeout_ns), &timeout_ns, sizeof(timeout_ns));
    put_field(raw, offsetof(struct hostctl_request, service), service, name_len);

    unsigned char head[REPLY_HEAD];
    char text[300];
    struct iovec into[2] = {{head, sizeof(head)}, {text, sizeof(text)}};
    size_t len = 0;
    if (exchange(fd, raw, sizeof(raw), timeout_ns, into, 2, &len, err) != 0)
        return -1;
    int32_t code;
    memcpy(&code, head + offsetof(struct hostctl_reply, code), sizeof(code));
    memcpy(&ret->pid, head + offsetof(struct hostctl_reply, pid), sizeof(ret->pid));
    memcpy(&ret->state, head + offsetof(struct hostctl_reply, state), sizeof(ret->state));
    memcpy(&ret->masked, head + offsetof(struct hostctl_reply, masked), sizeof(ret->masked));
    if (code != ERR_NONE)
        return fail_as_reply(code, text, len - REPLY_HEAD, err);
    return 0;
}

int hostctl_service(enum hostctl_op op, const char *service, int number, int64_t timeout_ns,
                    int32_t *ret_pid, int32_t *ret_state, struct err *err)
{
    struct hostctl_look look = {0};
    int rc = ask(op, service, number, timeout_ns, &look, err);
    if (ret_pid != NULL)
        *ret_pid = look.pid;
    if (ret_state != NULL)
        *ret_state = look.state;
    return rc;
}

int hostctl_look(const char *service, int64_t timeout_ns, struct hostctl_look *ret, struct err *err)
{
    *ret = (struct hostctl_look){0};
    return ask(HOSTCTL_STATUS, service, 0, timeout_ns, ret, err);
}

int hostctl_split(const char *text, struct hostctl_request *r, struct err *err)
{
    char quote = '\0';
    bool in_word = false;
    r->len = 0;
    for (; *text != '\0'; text++) {
        bool space = *text == ' ' || *text == '\t' || *text == '\n';
        if (quote != '\0' && *text == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*text == '\'' || *text == '"')) {
            quote = *text;
            in_word = true;
        } else if (quote == '\0' && space) {
            if (in_word)
                r->data[r->len++] = '\0';
            in_word = false;
        } else {
            r->data[r->len++] = *text;
            in_word = true;
        }
    }
    if (quote != '\0')
        return make_error(err, ERR_INPUT, 0, "a quote in the command is not closed");
    if (in_word)
        r->data[r->len++] = '\0';
    if (r->len == 0)
        return make_error(err, ERR_INPUT, 0, "the command is empty");
    return 0;
}
