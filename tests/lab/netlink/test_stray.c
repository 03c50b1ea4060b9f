/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "blackstart-agent sweep": what a dead run left goes, what lives or is another's stays. */
#include "lab/netns.h"
#include "shell.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static char dir[] = "/tmp/blackstart-stray-XXXXXX", said[8192];

static int sweep(void)
{
    char line[300];
    (void)snprintf(line, sizeof(line), "%s/blackstart-agent sweep --state %s 2>&1", BINARY_DIR,
                   dir);
    int status = shell_read(line, said, sizeof(said));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_link(const char *name)
{
    char line[80];
    (void)snprintf(line, sizeof(line), "ip link show %s >/dev/null 2>&1", name);
    return netns_run(line) == 0;
}

static void test_links(void)
{
    CU_ASSERT_EQUAL_FATAL(netns_new(NETNS_A), 0);
    CU_ASSERT_EQUAL_FATAL(
        netns_run("ip link add bs000000000001 type ifb && ip link add bs000000000002 type ifb &&"
                  "ip link add bs000000000003 type ifb && ip link add bs000000000004 type veth "
                  "peer name v0 && ip link add other type ifb &&"
                  "ip link set bs000000000001 alias blackstart-rdead &&"
                  "ip link set bs000000000002 alias blackstart-ralive &&"
                  "ip link set bs000000000004 alias blackstart-rdead &&"
                  "ip link set other alias blackstart-rdead"),
        0);
    pid_t alive = fork();
    if (alive == 0) {
        (void)execlp("sleep", "agent --run ralive", "60", (char *)NULL);
        _exit(127);
    }
    const struct timespec moment = {.tv_nsec = 100000000};
    (void)nanosleep(&moment, NULL);
    CU_ASSERT_EQUAL(sweep(), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "link bs000000000001 of run rdead: removed\n"));
    CU_ASSERT_FALSE(is_link("bs000000000001"));
    CU_ASSERT_TRUE(is_link("bs000000000002")); /* its run lives */
    CU_ASSERT_TRUE(is_link("bs000000000003")); /* says no run */
    CU_ASSERT_TRUE(is_link("bs000000000004")); /* of another kind */
    CU_ASSERT_TRUE(is_link("other"));          /* of another name */
    (void)kill(alive, SIGKILL);
    (void)waitpid(alive, NULL, 0);
    CU_ASSERT_EQUAL(sweep(), 0);
    CU_ASSERT_FALSE(is_link("bs000000000002"));
    CU_ASSERT_EQUAL(sweep(), 0);
    CU_ASSERT_PTR_NULL(strstr(said, "removed"));
}

static void test_tables(void)
{
    CU_ASSERT_EQUAL_FATAL(netns_new(NETNS_B), 0);
    /* Its input stays open until this test ends it. */
    CU_ASSERT_EQUAL_FATAL(netns_run("(echo 'add table netdev blackstart-rowned { flags owner; }'; "
                                    "exec sleep 20) | nft -i >/dev/null 2>&1 &"),
                          0);
    for (int i = 0; i < 100; i++) {
        const struct timespec moment = {.tv_nsec = 20000000};
        (void)nanosleep(&moment, NULL);
        if (netns_run("nft list tables | grep -q rowned") == 0)
            break;
    }
    CU_ASSERT_EQUAL(sweep(), 0);
    CU_ASSERT_PTR_NULL(strstr(said, "rowned"));
    CU_ASSERT_EQUAL(netns_run("nft add table inet blackstart-rleft && nft add table ip mine"), 0);
    CU_ASSERT_EQUAL(sweep(), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "nft delete table inet blackstart-rleft\n"));
    CU_ASSERT_PTR_NULL(strstr(said, "mine"));
    CU_ASSERT_EQUAL(netns_run("nft list table inet blackstart-rleft >/dev/null"), 0);
    CU_ASSERT_EQUAL(netns_run("pkill -x nft; pkill -fx 'sleep 20'"), 0);
}

static void test_end(void)
{
    char line[80];
    (void)snprintf(line, sizeof(line), "rm -rf %s", dir);
    CU_ASSERT_EQUAL(netns_run(line), 0);
}

static void test_begin(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
}

static const struct check_test tests[] = {
    {"begin", test_begin},
    {"links", test_links},
    {"tables", test_tables},
    {"end", test_end},
};

CHECK_MAIN("strays", tests)
