/* SPDX-License-Identifier: GPL-2.0-or-later */
/* However a lab ends, nothing of it is left, and the machine is as it was. */
#include "lab_check.h"
#include "lab_etcd.h"
#include "machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const n1_n2[] = {"n1", "n2"};
static const char *const sleeper_command[] = {"bash", "-c", "setsid sleep 1000 & sleep 1000"};
static const struct lab_service_spec sleeper = {.name = "sleeper",
                                                .hosts = n1_n2,
                                                .n_hosts = 2,
                                                .command = sleeper_command,
                                                .n_command = 3,
                                                .memory = {64U << 20},
                                                .start = true};
static const struct lab_spec spec = {.name = "end",
                                     .hosts = three_hosts,
                                     .n_hosts = 3,
                                     .services = &sleeper,
                                     .n_services = 1,
                                     .packages = etcd_packages,
                                     .n_packages = 1};

static char before[1 << 18], after[1 << 18];

static void check_machine(void)
{
    CU_ASSERT_EQUAL(machine_dump(after, sizeof(after)), 0);
    CU_ASSERT_TRUE(strlen(before) > 500);
    CU_ASSERT_STRING_EQUAL(before, after);
    if (strcmp(before, after) != 0)
        (void)fprintf(stderr, "--- before\n%s--- after\n%s", before, after);
}

/* A lab that another process holds, as a run does. */
struct held {
    struct lab_options options;
    pid_t caller, fabric, inits[4];
    ino_t net_ns;
    int net_fd; /* keeps that number from being given to another namespace */
};

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), f));
    (void)fclose(f);
    const char *close = strrchr(text, ')');
    return close != NULL ? (pid_t)(int)number_in(close + 4) : 0;
}

static ino_t net_ns_of(pid_t pid)
{
    char path[64];
    struct stat st = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    (void)stat(path, &st);
    return st.st_ino;
}

static int open_net_ns(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void hold(const struct lab_options *options, int out)
{
    struct lab *lab = NULL;
    pid_t inits[4] = {0};
    if (lab_up(&spec, options, &lab, &err) != 0 || lab_start_services(lab, &err) != 0) {
        (void)fprintf(stderr, "    %s\n", err.msg);
        _exit(1);
    }
    for (size_t i = 0; i < 4; i++)
        inits[i] = lab_host(lab, i)->init_pid;
    (void)!write(out, inits, sizeof(inits));
    for (;;)
        (void)pause();
}

static void start_held(struct held *h, const char *name)
{
    int ends[2];
    h->options = lab_test_options(name);
    h->options.progress = NULL;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    h->caller = fork();
    CU_ASSERT_TRUE_FATAL(h->caller >= 0);
    if (h->caller == 0) {
        (void)setpgid(0, 0);
        (void)close(ends[0]);
        hold(&h->options, ends[1]);
    }
    (void)close(ends[1]);
    CU_ASSERT_EQUAL_FATAL(read(ends[0], h->inits, sizeof(h->inits)), sizeof(h->inits));
    (void)close(ends[0]);
    h->fabric = parent_of(h->inits[0]);
    h->net_fd = open_net_ns(h->inits[1]);
    h->net_ns = net_ns_of(h->inits[1]);
    CU_ASSERT_EQUAL(parent_of(h->fabric), h->caller);
    CU_ASSERT_TRUE(h->net_fd >= 0 && h->net_ns != 0);
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (kill(pid, 0) != 0)
            return true;
        pause_ms(10);
    }
    return false;
}

static size_t count_in_net_ns(ino_t ns)
{
    size_t n = 0;
    DIR *dir = opendir("/proc");
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
            net_ns_of((int)number_in(e->d_name)) == ns)
            n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

static bool cgroup_is_there(const char *id)
{
    static const char *const roots[] = {"", "/unified", "/memory"};
    char path[160];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/blackstart-%s", roots[i], id);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static void check_gone(const struct held *h)
{
    CU_ASSERT_TRUE(is_gone(h->fabric));
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_TRUE(is_gone(h->inits[i]));
    CU_ASSERT_EQUAL(count_in_net_ns(h->net_ns), 0);
    (void)close(h->net_fd);
}

static void check_nothing_left(const struct held *h)
{
    CU_ASSERT_NOT_EQUAL(access(h->options.state_dir, F_OK), 0);
    CU_ASSERT_FALSE(cgroup_is_there(h->options.id));
    check_machine();
}

static void test_caller_killed(void)
{
    struct held h;
    CU_ASSERT_EQUAL(machine_dump(before, sizeof(before)), 0);
    start_held(&h, "killed");
    CU_ASSERT_TRUE(count_in_net_ns(h.net_ns) >= 2); /* the init and what it runs */
    if (geteuid() == 0)
        CU_ASSERT_TRUE(cgroup_is_there(h.options.id));
    check_machine(); /* while it is up, too */
    CU_ASSERT_EQUAL(kill(h.caller, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(h.caller, NULL, 0), h.caller);
    check_gone(&h);
    check_nothing_left(&h);
}

/* Ctrl-C reaches the whole foreground process group; the lab must not die of it by halves. */
static void test_interrupt(void)
{
    struct held h;
    CU_ASSERT_EQUAL(machine_dump(before, sizeof(before)), 0);
    start_held(&h, "interrupt");
    CU_ASSERT_EQUAL(kill(-h.caller, SIGINT), 0);
    CU_ASSERT_EQUAL(waitpid(h.caller, NULL, 0), h.caller);
    check_gone(&h);
    check_nothing_left(&h);
}

/* The worst: nobody is left to clear up. The next start does. */
static void test_caller_and_fabric_killed(void)
{
    struct held h, living;
    size_t n = 0;
    CU_ASSERT_EQUAL(machine_dump(before, sizeof(before)), 0);
    start_held(&h, "both");
    start_held(&living, "living");
    (void)kill(h.caller, SIGSTOP);
    (void)kill(h.fabric, SIGKILL);
    (void)kill(h.caller, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(h.caller, NULL, 0), h.caller);
    check_gone(&h);
    CU_ASSERT_EQUAL(access(h.options.state_dir, F_OK), 0);
    char base[256];
    (void)snprintf(base, sizeof(base), "%s", h.options.state_dir);
    *strrchr(base, '/') = '\0';
    OK(lab_sweep(base, &n, &err));
    CU_ASSERT_TRUE(n >= 1);
    CU_ASSERT_NOT_EQUAL(access(h.options.state_dir, F_OK), 0);
    CU_ASSERT_FALSE(cgroup_is_there(h.options.id));
    /* The one that lives is left alone. */
    CU_ASSERT_EQUAL(access(living.options.state_dir, F_OK), 0);
    CU_ASSERT_EQUAL(kill(living.inits[0], 0), 0);
    CU_ASSERT_EQUAL(kill(living.caller, SIGTERM), 0);
    CU_ASSERT_EQUAL(waitpid(living.caller, NULL, 0), living.caller);
    check_gone(&living);
    check_nothing_left(&living);
    OK(lab_sweep(base, &n, &err));
    CU_ASSERT_EQUAL(n, 0);
}

/* What was spawned beside a host goes with the lab, its own children and stopped ones included. */
static void test_spawned_end_with_the_lab(void)
{
    const struct lab_options options = lab_test_options("spawned");
    static const char *const argv[] = {
        "/bin/sh", "-c", "sleep 1001 & kill -STOP $!; echo $!; exec sleep 1001", NULL};
    struct lab *lab = NULL;
    OK(lab_up(&spec, &options, &lab, &err));
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, 02000000), 0);
    const int fds[] = {ends[1], ends[1]};
    pid_t pid = 0;
    OK(lab_spawn(lab, "n1", argv, fds, 2, &pid, &err));
    (void)close(ends[1]);
    char line[32] = "";
    CU_ASSERT_TRUE(read(ends[0], line, sizeof(line) - 1) > 0);
    (void)close(ends[0]);
    OK(lab_down(lab, &err));
    lab_free(lab);
    CU_ASSERT_NOT_EQUAL(kill(pid, 0), 0);
    CU_ASSERT_NOT_EQUAL(kill((int)number_in(line), 0), 0);
}

/* The service's program is in the lab; on the machine there is no such package, file or process. */
static void test_nothing_is_installed(void)
{
    const struct lab_spec etcd = {.name = "etcd3",
                                  .hosts = three_hosts,
                                  .n_hosts = 3,
                                  .services = &etcd_service,
                                  .n_services = 1,
                                  .packages = etcd_packages,
                                  .n_packages = 1};
    const struct lab_options options = lab_test_options("installed");
    struct lab *lab = NULL;
    CU_ASSERT_EQUAL(machine_dump(before, sizeof(before)), 0);
    OK(lab_up(&etcd, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "command -v etcd"), 0);
    CU_ASSERT_NOT_EQUAL(machine_run("command -v etcd >/dev/null", NULL, 0), 0);
    CU_ASSERT_NOT_EQUAL(
        machine_run("dpkg-query -W -f '${db:Status-Status}' etcd-server 2>/dev/null "
                    "| grep -q '^installed'",
                    NULL, 0),
        0);
    CU_ASSERT_NOT_EQUAL(machine_run("getent passwd etcd >/dev/null", NULL, 0), 0);
    OK(lab_down(lab, &err));
    lab_free(lab);
    check_machine();
}

static const struct check_test tests[] = {
    {"caller killed", test_caller_killed},
    {"interrupt", test_interrupt},
    {"caller and fabric killed", test_caller_and_fabric_killed},
    {"spawned end with the lab", test_spawned_end_with_the_lab},
    {"nothing is installed", test_nothing_is_installed},
};

CHECK_MAIN("lab/end", tests)
