/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every end of a network fault that no command makes: its lease, its owner's death. */
#include "lab/netfault.h"

#include <signal.h>
#include <sys/mman.h>

static int renew(const struct undo *undo, int64_t lease_ms)
{
    return fault_network_partition.renew(&host_a, undo, netfault_now() + lease_ms * NS_PER_MS,
                                         &err);
}

/* When B's datagrams pass again, in ms from `since`; -1: not within `limit_ms`. */
static int64_t healed_after(int64_t since, int64_t limit_ms)
{
    for (;;) {
        int64_t ms = (netfault_now() - since) / NS_PER_MS;
        if (netns_pass(NETNS_B, NETNS_B_IP, 0, NETNS_A, NETNS_A_FOR_B, 5000, 1) == 1)
            return ms;
        if (ms > limit_ms)
            return -1;
    }
}

static void test_ends_by_itself(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    int64_t start = netfault_now();
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 200, &undo), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    int64_t ms = healed_after(start, 2000);
    printf("figure: a lease of 200 ms ended after %lld ms\n", (long long)ms);
    CU_ASSERT_TRUE(ms >= 180 && ms < 1000);
    CU_ASSERT_FALSE(netfault_active(&undo));
    CU_ASSERT_TRUE(netfault_evidence(&undo).proven);
    CU_ASSERT_EQUAL(renew(&undo, 1000), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1); /* not armed again */
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_a_lease_of_the_past_is_refused(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL(netfault_cut("i1", &args, -1, &undo), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

/* Renewed many times under a stream of packets, none of which may pass. */
static void test_renewal_leaves_no_gap(void)
{
    enum { lease_ms = 400 }; /* longer than a busy machine leaves us waiting */
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, NETNS_A_FOR_B, 5000);
    int rx = netns_socket(NETNS_A, SOCK_DGRAM, NETNS_A_FOR_B, 5000);
    int tx = netns_socket(NETNS_B, SOCK_DGRAM, NETNS_B_IP, 0);
    int64_t start = netfault_now();
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, lease_ms, &undo), 0);
    pid_t sender = fork();
    if (sender == 0) {
        for (;;)
            (void)sendto(tx, "x", 1, 0, (struct sockaddr *)&addr, len);
    }
    while (netfault_now() - start < 3 * lease_ms * NS_PER_MS) {
        CU_ASSERT_EQUAL(renew(&undo, lease_ms), 0);
        netns_sleep_ms(2);
    }
    CU_ASSERT_TRUE(netfault_active(&undo));
    (void)kill(sender, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(sender, NULL, 0), sender);
    CU_ASSERT_FALSE(netns_readable(rx, 0));
    CU_ASSERT_TRUE(netfault_evidence(&undo).items[0].value > 1000);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    (void)close(rx);
    (void)close(tx);
}

static void test_renewal_moves_the_end(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 150, &undo), 0);
    int64_t renewed = netfault_now();
    CU_ASSERT_EQUAL(renew(&undo, 400), 0);
    int64_t ms = healed_after(renewed, 2000);
    CU_ASSERT_TRUE(ms >= 380 && ms < 1500);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

/* An agent of its own in a process that is killed; `holder` keeps its sockets open for so long. */
static pid_t spawn_agent(int64_t lease_ms, int holder_ms, struct undo *undo)
{
    int fds[2];
    char ok = 0;
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct fault_host host = host_a;
        struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
        (void)snprintf(host.run, sizeof(host.run), "dies");
        if (nft_open(host.run, &host.nft, &err) == 0 &&
            netfault_start(&fault_network_partition, &host, "i1", NETFAULT_PARTITION(&args),
                           lease_ms, undo) == 0)
            ok = 1;
        if (holder_ms != 0 && fork() == 0) {
            netns_sleep_ms(holder_ms);
            _exit(0);
        }
        (void)!write(fds[1], &ok, 1);
        (void)pause();
        _exit(0);
    }
    (void)!read(fds[0], &ok, 1);
    CU_ASSERT_EQUAL(ok, 1);
    (void)close(fds[0]);
    (void)close(fds[1]);
    (void)snprintf(undo->run, sizeof(undo->run), "dies");
    (void)snprintf(undo->injection, sizeof(undo->injection), "i1");
    return pid;
}

static void test_owners_death_ends_it(void)
{
    struct undo undo = {.size = 0};
    char *before = netfault_dump();
    pid_t pid = spawn_agent(10000, 0, &undo);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    int64_t start = netfault_now();
    (void)kill(pid, SIGKILL);
    int64_t ms = healed_after(start, 1000);
    printf("figure: healed %lld ms after kill -9 of the agent\n", (long long)ms);
    CU_ASSERT_TRUE(ms >= 0 && ms < 1000);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_lease_ends_it_when_the_socket_lives_on(void)
{
    struct undo undo = {.size = 0};
    pid_t pid = spawn_agent(300, 2000, &undo);
    int64_t start = netfault_now();
    (void)kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    int64_t ms = healed_after(start, 2000);
    CU_ASSERT_TRUE(ms >= 200 && ms < 1200);
    netns_sleep_ms(1900); /* until the holder has gone */
}

/* The agent dies while a link of its own is there: the table goes by itself, the link does not. */
static void test_guardian_removes_the_sink(void)
{
    struct undo *undo =
        mmap(NULL, sizeof(*undo), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct revert_report report;
    struct fault_host guardian = host_a;
    char *before = netfault_dump();
    guardian.nft = NULL;
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(undo, MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        struct fault_host host = host_a;
        struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
        args.direction = NETWORK_BOTH;
        (void)snprintf(host.run, sizeof(host.run), "dies");
        if (nft_open(host.run, &host.nft, &err) == 0 &&
            netfault_start(&fault_network_partition, &host, "i1", NETFAULT_PARTITION(&args), 10000,
                           undo) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(netns_run("ip -o link show type ifb | grep -q blackstart-dies"), 0);
    CU_ASSERT_EQUAL(network_revert(&guardian, undo, &report, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.what, "link removed"));
    CU_ASSERT_EQUAL(network_revert(&guardian, undo, &report, &err), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 1);
    (void)munmap(undo, sizeof(*undo));
}

/* A new agent reads the record of a dead one: the table goes with its owner, so there is nothing
 * left to do but to see that; while the owner lives, that is said, not waited for without end. */
static void test_replay_by_a_new_agent(void)
{
    struct undo undo;
    struct revert_report report;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    struct fault_host guardian = host_a;
    guardian.nft = NULL;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 5000, &undo), 0);
    CU_ASSERT_EQUAL(network_revert(&guardian, &undo, &report, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_DIRTY);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.manual, "kill"));
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(network_revert(&guardian, &undo, &report, &err), 0);
    (void)snprintf(undo.run, sizeof(undo.run), "another");
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    undo.data[0] = 99;
    CU_ASSERT_EQUAL(network_revert(&guardian, &undo, &report, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_DIRTY);
}

static const struct check_test tests[] = {
    {"a lease ends by itself", test_ends_by_itself},
    {"a lease of the past is refused", test_a_lease_of_the_past_is_refused},
    {"renewal leaves no gap", test_renewal_leaves_no_gap},
    {"renewal moves the end", test_renewal_moves_the_end},
    {"the owner's death ends it", test_owners_death_ends_it},
    {"the lease ends it when the socket lives on", test_lease_ends_it_when_the_socket_lives_on},
    {"the guardian removes the sink", test_guardian_removes_the_sink},
    {"replay by a new agent", test_replay_by_a_new_agent},
};

NETFAULT_MAIN("lab/netlink/lease", tests)
