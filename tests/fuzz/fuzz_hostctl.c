/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of the talk with a host's init. An even first byte: a reply, as an agent reads it. An
 * odd one: a request, as the init reads it; the operations that start a program are turned into a
 * question about the service, which neither reads what follows nor leaves a process.
 */
#include "lab/hostclient.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUEST_HEAD = offsetof(struct hostctl_request, data) };

static struct hostctl_reply reply;
static struct hostclient_table table;
static uint8_t message[sizeof(struct hostctl_request) + 16];

static int pair_with(const void *data, size_t size, int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    /* What does not fit a socket's buffer cannot come by one either. */
    if (send(ends[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return -1;
    }
    return 0;
}

static void read_reply(const uint8_t *data, size_t size)
{
    int ends[2];
    struct err err;
    if (pair_with(data, size, ends) != 0)
        return;
    if (hostctl_receive(ends[1], &reply, &err) == 0) {
        if (reply.code != ERR_NONE || reply.len > HOSTCTL_DATA_MAX ||
            memchr(reply.service, 0, sizeof(reply.service)) == NULL)
            abort();
    } else if (err.msg[0] == '\0' && err.code != ERR_NONE && size == 0) {
        abort();
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void tame(size_t size)
{
    uint32_t op;
    memcpy(&op, message + offsetof(struct hostctl_request, op), sizeof(op));
    if (size < REQUEST_HEAD || (op != HOSTCTL_START && op != HOSTCTL_RESTART && op != HOSTCTL_RUN))
        return;
    op = HOSTCTL_STATUS;
    memcpy(message + offsetof(struct hostctl_request, op), &op, sizeof(op));
}

static void take_request(const uint8_t *data, size_t size)
{
    static const struct lab_service_spec spec = {.name = "s", .reload_signal = 1};
    int ends[2];
    if (size > sizeof(message))
        size = sizeof(message);
    memcpy(message, data, size);
    tame(size);
    if (pair_with(message, size, ends) != 0)
        return;
    if (fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
        abort();
    static char *no_words[] = {NULL};
    table.services[0] = (struct service){.spec = &spec,
                                         .reload_argv = no_words,
                                         .log = {.pipe_fd = -1, .file_fd = -1, .times_fd = -1}};
    table.n_services = 1;
    hostclient_init(&table);
    if (!hostclient_add(&table, ends[1]))
        abort();
    struct hostclient *c = &table.clients[0];
    hostclient_request(&table, c);
    (void)hostclient_tick(&table, INT64_MAX / 2);
    /* An answer that the other end takes, or a closed connection. */
    struct err err;
    if (c->fd >= 0 && hostctl_receive(ends[0], &reply, &err) != 0 && err.code == ERR_PROTOCOL &&
        strstr(err.msg, "hung up") != NULL)
        abort();
    if (c->fd >= 0)
        (void)close(c->fd);
    (void)close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        read_reply(data + 1, size - 1);
    else
        take_request(data + 1, size - 1);
    return 0;
}
