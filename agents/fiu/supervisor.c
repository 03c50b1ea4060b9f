/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/supervisor.h"

#include "agents/fiu/supervisor_parts.h"
#include "agents/fiu/trap.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What passes through the socket: one byte with the listener. */
union parcel {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int))];
};

int supervisor_listener_send(int sock, int listener)
{
    char byte = 'l';
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union parcel parcel = {.space = {0}};
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = parcel.space,
                             .msg_controllen = sizeof(parcel.space)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &listener, sizeof(int));
    return sendmsg(sock, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int supervisor_listener_receive(int sock)
{
    char byte;
    int listener = -1;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union parcel parcel;
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = parcel.space,
                             .msg_controllen = sizeof(parcel.space)};
    ssize_t n;
    do
        n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head != NULL && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&listener, CMSG_DATA(head), sizeof(int));
    return listener;
}

/* A caller that is not root has nothing to give up, and can look into its own. */
void supervisor_keep_looking(void)
{
    static const uint32_t kept = UINT32_C(1) << CAP_SYS_PTRACE | UINT32_C(1) << CAP_DAC_READ_SEARCH;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2];
    if (syscall(SYS_capget, &head, caps) != 0)
        return;
    caps[0].effective = caps[0].permitted = caps[0].permitted & kept;
    caps[1].effective = caps[1].permitted = 0;
    caps[0].inheritable = caps[1].inheritable = 0;
    (void)syscall(SYS_capset, &head, caps);
}

/* Keeps these three descriptors, which it moves to the lowest numbers, and nothing else of the
 * caller's. */
static _Noreturn void supervisor_run(int sock, int proc, int page_fd, struct fiu_page *page)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, "blackstart-fiu");
    const int given[] = {sock, proc, page_fd};
    int kept[3];
    for (int i = 0; i < 3; i++)
        kept[i] = fcntl(given[i], F_DUPFD_CLOEXEC, 64);
    for (int i = 0; i < 3; i++)
        if (kept[i] < 0 || dup3(kept[i], i, O_CLOEXEC) < 0)
            _exit(1);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    int listener = supervisor_listener_receive(0);
    (void)close(0);
    supervisor_keep_looking();
    if (listener >= 0)
        supervisor_work(listener, 1, page);
    _exit(0);
}

int supervisor_page_open(const char *path, struct err *err)
{
    struct stat st;
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || fcntl(fd, F_OFD_SETLK, &lock) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s for a supervisor", path);
    if (!S_ISREG(st.st_mode) || st.st_size != FIU_PAGE_SIZE)
        return make_error(err, ERR_FOREIGN, 0, "%s is not a page of Blackstart's", path);
    return steal_fd(&fd);
}

int supervisor_start(const char *page_path, uint64_t points, pid_t *ret_pid, int *ret_socket,
                     struct err *err)
{
    int pair[2];
    CLEANUP_FD int page_fd = supervisor_page_open(page_path, err);
    CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (page_fd < 0)
        return -1;
    if (proc < 0)
        return make_error(err, ERR_SYSTEM, errno, "open /proc");
    struct fiu_page *page =
        mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
    if (page == MAP_FAILED)
        return make_error(err, ERR_SYSTEM, errno, "map %s", page_path);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        (void)munmap(page, FIU_PAGE_SIZE);
        return make_error(err, ERR_SYSTEM, errno, "make a pair of sockets");
    }
    atomic_store(&page->trapped, points);
    pid_t pid = fork();
    if (pid == 0) {
        atomic_fetch_add(&page->attached, 1);
        (void)close(pair[1]);
        supervisor_run(pair[0], proc, page_fd, page);
    }
    int why = errno;
    (void)munmap(page, FIU_PAGE_SIZE);
    (void)close(pair[0]);
    if (pid < 0) {
        (void)close(pair[1]);
        return make_error(err, ERR_SYSTEM, why, "start a supervisor");
    }
    *ret_pid = pid;
    *ret_socket = pair[1];
    return 0;
}

int supervisor_enter(int sock, uint64_t points, struct err *err)
{
    CLEANUP_FD int from = sock;
    CLEANUP_FD int listener = -1;
    if (trap_install(points, &listener, err) != 0)
        return -1;
    if (supervisor_listener_send(from, listener) != 0)
        return make_error(err, ERR_SYSTEM, errno, "hand the trapped calls to the supervisor");
    return 0;
}
