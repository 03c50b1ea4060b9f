/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lab's links, made for network namespaces and not for the processes in them. */
#include "lab/hostnet.h"
#include "lab_check.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

/* A network namespace whose only process has ended: what is left of a host that could not be made.
 */
static int orphaned_namespace(void)
{
    char path[64];
    int ends[2];
    char byte = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        bool apart = unshare(CLONE_NEWNET) == 0 && write(ends[1], "n", 1) == 1;
        if (apart)
            (void)pause();
        _exit(1);
    }
    (void)close(ends[1]);
    bool there = pid > 0 && read(ends[0], &byte, 1) == 1;
    (void)close(ends[0]);
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    int fd = there ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    return fd;
}

/* 0 when the link is there; runs in a process of its own. */
static int link_to_the_orphan(void)
{
    static const size_t number = 0;
    int bridge = 0;
    if (unshare(CLONE_NEWNET) != 0 || hostnet_make_bridge(&bridge, &err) != 0)
        return 1;
    int fd = orphaned_namespace();
    if (fd < 0)
        return 2;
    if (hostnet_make_links(bridge, &fd, &number, 1, &err) != 0)
        return 3;
    return setns(fd, CLONE_NEWNET) == 0 && if_nametoindex("eth0") > 0 ? 0 : 4;
}

/* Its own error, which is on its way, is the one that says what to do. */
static void test_a_host_that_has_ended_is_linked(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(link_to_the_orphan());
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
}

static const struct check_test tests[] = {
    {"a host that has ended is linked", test_a_host_that_has_ended_is_linked},
};
CHECK_MAIN("lab/hostnet", tests)
