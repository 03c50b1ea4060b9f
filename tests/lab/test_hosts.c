/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host is: network, names, root directory, disk, and what of the machine it cannot reach. */
#include "lab_check.h"
#include "lab_etcd.h"

#include <fcntl.h>
#include <sys/socket.h>

static const struct lab_host_spec disk_hosts[] = {
    {.name = "n1"},
    {.name = "n2", .disk = {32U << 20}},
    {.name = "n3", .disk = {8U << 20}, .disk_path = "/srv/data"},
};
static const char *const server_command[] = {"python3", "-m",   "http.server", "--bind",
                                             "::",      "8080", "--directory", "/var/empty"};
static const char *const server_data[] = {"/var/empty"};
static const struct lab_service_spec server = {
    .name = "server",
    .hosts = three_names,
    .n_hosts = 3,
    .command = server_command,
    .n_command = COUNT(server_command),
    .data = server_data,
    .n_data = 1,
    .ready = READY_TCP,
    .ready_what = "8080",
    .ready_timeout = {20 * NS_PER_SEC},
    .start = true,
};
static const struct lab_spec three_servers = {
    .name = "three", .hosts = disk_hosts, .n_hosts = 3, .services = &server, .n_services = 1};

static struct lab *raise_lab(const struct lab_spec *spec, const char *name)
{
    const struct lab_options options = lab_test_options(name);
    struct lab *lab = NULL;
    OK(lab_up(spec, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    return lab;
}

static void end_lab(struct lab *lab)
{
    OK(lab_down(lab, &err));
    lab_free(lab);
}

static void test_network_and_names(void)
{
    struct lab *lab = raise_lab(&three_servers, "net");
    static const char *const from[] = {"n1", "n2", "n3", "client"};
    static const char *const to[] = {"n1", "n2", "n3"};
    char shell[200];
    for (size_t i = 0; i < COUNT(from); i++)
        for (size_t k = 0; k < COUNT(to); k++) {
            (void)snprintf(shell, sizeof(shell),
                           "set -e; : </dev/tcp/%s/8080; : </dev/tcp/10.77.0.%zu/8080; "
                           ": </dev/tcp/fd77::%zu/8080",
                           to[k], k + 1, k + 1);
            CU_ASSERT_EQUAL(run_in(lab, from[i], "", shell), 0);
        }
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "getent hosts no-such-host"), 2);
    CU_ASSERT_NOT_EQUAL(run_in(lab, "n1", "", "timeout 2 bash -c ': </dev/tcp/1.1.1.1/53'"), 0);
    CU_ASSERT_EQUAL(run_in(lab, "n2", "",
                           "grep -c . /etc/resolv.conf; hostname; "
                           "cat /sys/class/net/eth0/mtu"),
                    0);
    CU_ASSERT_STRING_EQUAL(lab_reply.data, "1\nn2\n1500\n");
    const struct lab_host_info *h = lab_find(lab, "n3");
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    CU_ASSERT_EQUAL(h->addrs[0].ip[3], 3);
    CU_ASSERT_EQUAL(h->addrs[1].ip[15], 3);
    end_lab(lab);
}

static void test_disks(void)
{
    struct lab *lab = raise_lab(&three_servers, "disk");
    CU_ASSERT_EQUAL(run_in(lab, "n2", "", "df -B1 --output=size /data | tail -1"), 0);
    CU_ASSERT_EQUAL(number_in(lab_reply.data), 32L << 20);
    CU_ASSERT_EQUAL(run_in(lab, "n3", "", "df -B1 --output=size /srv/data | tail -1"), 0);
    CU_ASSERT_EQUAL(number_in(lab_reply.data), 8L << 20);
    CU_ASSERT_NOT_EQUAL(run_in(lab, "n3", "", "head -c 9000000 /dev/zero >/srv/data/f"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, "No space left"));
    CU_ASSERT_EQUAL(run_in(lab, "n3", "", "head -c 9000000 /dev/zero >/var/tmp/f"), 0);
    end_lab(lab);
}

/* The machine's own files that a host must not change; ours in /var/tmp stands for them all. */
static void test_deletion_stays_in_the_host(void)
{
    const char *canary = "/var/tmp/blackstart-canary";
    FILE *f = fopen(canary, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fputs("here", f);
    (void)fclose(f);
    struct lab *lab = raise_lab(&three_servers, "rm");
    CU_ASSERT_EQUAL(run_in(lab, "n1", "",
                           "cat /var/tmp/blackstart-canary; "
                           "echo changed >/var/tmp/blackstart-canary"),
                    0);
    if (geteuid() == 0) /* without root, /var is the host's own from the start */
        CU_ASSERT_STRING_EQUAL(lab_reply.data, "here");
    /* /usr last, and by its parts: all of it is minutes of whiteouts on a busy disk. */
    (void)run_in(lab, "n1", "",
                 "rm -rf /etc /var/lib /usr/sbin /usr/bin /usr/lib/x86_64-linux-gnu/lib*.so* "
                 "/usr/lib/x86_64-linux-gnu/ld-* /usr/lib64 2>/dev/null");
    CLEANUP_FD int root = open(lab_find(lab, "n1")->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_NOT_EQUAL(faccessat(root, "etc/passwd", F_OK, 0), 0);
    CU_ASSERT_NOT_EQUAL(faccessat(root, "var/lib", F_OK, 0), 0);
    CU_ASSERT_NOT_EQUAL(faccessat(root, "usr/bin/ls", F_OK, 0), 0);
    if (geteuid() == 0) /* without root, what lies deeper in /usr is not the host's to delete */
        CU_ASSERT_NOT_EQUAL(faccessat(root, "usr/lib/x86_64-linux-gnu/libc.so.6", F_OK, 0), 0);
    CU_ASSERT_EQUAL(access("/usr/bin/ls", X_OK), 0);
    CU_ASSERT_EQUAL(access("/etc/passwd", R_OK), 0);
    char line[16] = "";
    f = fopen(canary, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof(line), f));
    CU_ASSERT_STRING_EQUAL(line, "here");
    (void)fclose(f);
    (void)unlink(canary);
    /* The init lives on: it answers, stops, and says why a start fails. */
    OK(service_do(lab, "n1", HOSTCTL_STATUS, "server", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    OK(service_do(lab, "n1", HOSTCTL_STOP, "server", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_HELD);
    CU_ASSERT_NOT_EQUAL(service_do(lab, "n1", HOSTCTL_START, "server", 0), 0);
    CLEANUP_FREE char *tail = NULL;
    OK(lab_log_tail(lab, "n1", "server", 500, &tail, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(tail, "cannot run python3"));
    /* The other hosts never noticed. */
    CU_ASSERT_EQUAL(run_in(lab, "n2", "root", ": </dev/tcp/n3/8080 && test -e /etc/passwd"), 0);
    end_lab(lab);
}

static void test_the_machine_is_out_of_reach(void)
{
    struct lab *lab = raise_lab(&three_servers, "reach");
    /* Settings of the machine's kernel, its clock, its modules, its devices, its processes. */
    static const char *const forbidden[] = {
        "echo 1 >/proc/sys/kernel/panic",
        "echo b >/proc/sysrq-trigger",
        "date -s '2001-01-01'",
        "mount -t tmpfs none /mnt",
        "mknod /tmp/disk b 254 0",
        "mkdir /sys/fs/cgroup/blackstart-intruder",
        "kill -0 $OUTSIDE",
        "cat /tmp/blackstart-outside",
    };
    char shell[300];
    FILE *outside = fopen("/tmp/blackstart-outside", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(outside);
    (void)fclose(outside);
    for (size_t i = 0; i < COUNT(forbidden); i++) {
        (void)snprintf(shell, sizeof(shell), "OUTSIDE=%d; %s", (int)getpid(), forbidden[i]);
        int status = run_in(lab, "n1", "", shell);
        if (status == 0)
            (void)fprintf(stderr, "    allowed: %s\n", forbidden[i]);
        CU_ASSERT_NOT_EQUAL(status, 0);
    }
    (void)unlink("/tmp/blackstart-outside");
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "echo 4 >/proc/sys/net/ipv4/tcp_retries2"), 0);
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "ls /proc | grep -c '^[0-9]'"), 0);
    CU_ASSERT_TRUE((int)number_in(lab_reply.data) < 10);
    /* Nobody inside may speak to the init. */
    CU_ASSERT_NOT_EQUAL(
        run_in(lab, "n1", "",
               "python3 -c 'import socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); "
               "s.connect(\"\\0blackstart-init\"); s.send(b\"x\"*200); s.settimeout(2); "
               "d=s.recv(10); import sys; sys.exit(0 if d else 1)'"),
        0);
    end_lab(lab);
}

static void test_two_labs_at_once(void)
{
    struct lab *one = raise_lab(&three_servers, "one"), *two = raise_lab(&three_servers, "two");
    CU_ASSERT_EQUAL(run_in(one, "n1", "", "echo one >/etc/which; cat /etc/which"), 0);
    CU_ASSERT_NOT_EQUAL(run_in(two, "n1", "", "cat /etc/which"), 0);
    OK(service_do(one, "n2", HOSTCTL_STOP, "server", 0));
    CU_ASSERT_EQUAL(run_in(two, "n1", "", ": </dev/tcp/n2/8080"), 0);
    CU_ASSERT_NOT_EQUAL(run_in(one, "n1", "", ": </dev/tcp/n2/8080"), 0);
    end_lab(one);
    CU_ASSERT_EQUAL(run_in(two, "client", "", ": </dev/tcp/n3/8080"), 0);
    end_lab(two);
}

/* An agent's place: the host's network, the machine's files and processes. */
static void test_spawn(void)
{
    struct lab *lab = raise_lab(&three_servers, "spawn");
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    static const char script[] =
        "read word; hostname >&1; echo $word; cat /proc/self/fd/$1/etc/hostname; "
        "readlink /proc/self/ns/net; readlink /proc/$3/ns/net; ls -d /proc/self/fd/$2/self; "
        "ls /proc/self/fd | wc -l";
    static const char *const argv[] = {"/bin/sh", "-c",    script,  "sh",
                                       "@ROOT",   "@PROC", "@INIT", NULL};
    const int fds[] = {ends[1], ends[1]};
    pid_t pid = 0;
    OK(lab_spawn(lab, "n2", argv, fds, 2, &pid, &err));
    (void)close(ends[1]);
    CU_ASSERT_TRUE(pid > 0);
    CU_ASSERT_EQUAL(write(ends[0], "hello\n", 6), 6);
    FILE *f = fdopen(ends[0], "r");
    char lines[7][128];
    memset(lines, 0, sizeof(lines));
    for (size_t i = 0; i < 7; i++)
        if (fgets(lines[i], sizeof(lines[i]), f) == NULL)
            break;
    (void)fclose(f);
    char own[128] = "";
    CU_ASSERT_EQUAL(gethostname(own, sizeof(own) - 2), 0);
    CU_ASSERT_EQUAL(strncmp(lines[0], own, strlen(own)), 0); /* not the host's uts namespace */
    CU_ASSERT_STRING_EQUAL(lines[1], "hello\n");
    CU_ASSERT_STRING_EQUAL(lines[2], "n2\n");
    CU_ASSERT_STRING_EQUAL(lines[3], lines[4]); /* but its network namespace */
    CU_ASSERT_EQUAL(lines[3][0], 'n');
    CU_ASSERT_TRUE((int)number_in(lines[6]) <= 6); /* 0, 1, 2, root, proc, and ls's own */
    static const char *const missing[] = {"/no/such/program", NULL};
    CU_ASSERT_NOT_EQUAL(lab_spawn(lab, "n2", missing, NULL, 0, &pid, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/no/such/program: No such file"));
    CU_ASSERT_NOT_EQUAL(lab_spawn(lab, "n9", missing, NULL, 0, &pid, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no host n9"));
    end_lab(lab);
}

static const struct check_test tests[] = {
    {"network and names", test_network_and_names},
    {"disks", test_disks},
    {"deletion stays in the host", test_deletion_stays_in_the_host},
    {"the machine is out of reach", test_the_machine_is_out_of_reach},
    {"two labs at once", test_two_labs_at_once},
    {"spawn", test_spawn},
};

CHECK_MAIN("lab/hosts", tests)
