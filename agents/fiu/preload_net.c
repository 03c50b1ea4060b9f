/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrappers of calls on sockets, and of those that wait. A rule with a path never matches them. */
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_next.h"

/* libc's headers declare addresses as transparent unions, which a definition has to repeat. */
#define ADDRESS       __SOCKADDR_ARG
#define CONST_ADDRESS __CONST_SOCKADDR_ARG

static bool address_fails(enum fiu_point point, int fd, const struct sockaddr *to, socklen_t len)
{
    return preload_is_armed(point) &&
           preload_fails(point, &(struct preload_subject){.fd = fd, .to = to, .to_len = len});
}

static bool message_fails(int fd, const struct msghdr *m)
{
    return preload_is_armed(FIU_SEND) && address_fails(FIU_SEND, fd, m->msg_name, m->msg_namelen);
}

int socket(int domain, int type, int protocol)
{
    return preload_fails_fd(FIU_SOCKET, -1) ? -1
                                            : preload_opened(NEXT(socket)(domain, type, protocol));
}

/* The socket has another other end from now on. */
int connect(int fd, CONST_ADDRESS to, socklen_t len)
{
    if (address_fails(FIU_CONNECT, fd, to.__sockaddr__, len))
        return -1;
    (void)preload_opened(fd);
    return NEXT(connect)(fd, to, len);
}

int accept(int fd, ADDRESS from, socklen_t *len)
{
    return preload_fails_fd(FIU_ACCEPT, fd) ? -1 : preload_opened(NEXT(accept)(fd, from, len));
}

int accept4(int fd, ADDRESS from, socklen_t *len, int flags)
{
    return preload_fails_fd(FIU_ACCEPT, fd) ? -1
                                            : preload_opened(NEXT(accept4)(fd, from, len, flags));
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags, CONST_ADDRESS to, socklen_t len)
{
    return address_fails(FIU_SEND, fd, to.__sockaddr__, len)
               ? -1
               : NEXT(sendto)(fd, buf, n, flags, to, len);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    return message_fails(fd, m) ? -1 : NEXT(sendmsg)(fd, m, flags);
}

/* Of several messages the first one decides. */
int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    return n > 0 && message_fails(fd, &m->msg_hdr) ? -1 : NEXT(sendmmsg)(fd, m, n, flags);
}

#define WRAP_SOCKET(point, type, name, params, args)                                               \
    type name params                                                                               \
    {                                                                                              \
        return preload_fails_fd(point, fd) ? -1 : NEXT(name) args;                                 \
    }
WRAP_SOCKET(FIU_BIND, int, bind, (int fd, CONST_ADDRESS to, socklen_t len), (fd, to, len))
WRAP_SOCKET(FIU_LISTEN, int, listen, (int fd, int n), (fd, n))
WRAP_SOCKET(FIU_SEND, ssize_t, send, (int fd, const void *buf, size_t n, int flags),
            (fd, buf, n, flags))
WRAP_SOCKET(FIU_RECV, ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
WRAP_SOCKET(FIU_RECV, ssize_t, recvfrom,
            (int fd, void *buf, size_t n, int flags, ADDRESS from, socklen_t *len),
            (fd, buf, n, flags, from, len))
WRAP_SOCKET(FIU_RECV, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP_SOCKET(FIU_RECV, int, recvmmsg,
            (int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout),
            (fd, m, n, flags, timeout))
WRAP_SOCKET(FIU_RECV, ssize_t, __recv_chk, (int fd, void *buf, size_t n, size_t room, int flags),
            (fd, buf, n, room, flags))
WRAP_SOCKET(FIU_RECV, ssize_t, __recvfrom_chk,
            (int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from,
             socklen_t *len),
            (fd, buf, n, room, flags, from, len))

#define WRAP_POLL(name, params, args)                                                              \
    int name params                                                                                \
    {                                                                                              \
        return preload_fails_fd(FIU_POLL, -1) ? -1 : NEXT(name) args;                              \
    }
WRAP_POLL(poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP_POLL(ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *mask),
          (fds, n, t, mask))
WRAP_POLL(__poll_chk, (struct pollfd * fds, nfds_t n, int timeout, size_t room),
          (fds, n, timeout, room))
WRAP_POLL(__ppoll_chk,
          (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *mask,
           size_t room),
          (fds, n, t, mask, room))
WRAP_POLL(select, (int n, fd_set *in, fd_set *out, fd_set *bad, struct timeval *t),
          (n, in, out, bad, t))
WRAP_POLL(pselect,
          (int n, fd_set *in, fd_set *out, fd_set *bad, const struct timespec *t,
           const sigset_t *mask),
          (n, in, out, bad, t, mask))
WRAP_POLL(epoll_wait, (int fd, struct epoll_event *e, int n, int timeout), (fd, e, n, timeout))
WRAP_POLL(epoll_pwait, (int fd, struct epoll_event *e, int n, int timeout, const sigset_t *mask),
          (fd, e, n, timeout, mask))
WRAP_POLL(epoll_pwait2,
          (int fd, struct epoll_event *e, int n, const struct timespec *t, const sigset_t *mask),
          (fd, e, n, t, mask))
