/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services as the host's init runs them: start, readiness, restart policy, stop, reload, limits. */
#include "lab_check.h"
#include "lab_etcd.h"
#include "shell.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *const n1[] = {"n1"};
static const struct lab_host_spec one_host[] = {
    {.name = "n1", .labels = member_labels, .n_labels = 1}};

#define SHELL(text) (const char *const[]){"bash", "-c", text}, .n_command = 3
#define ON_N1       .hosts = n1, .n_hosts = 1

enum { WAIT_MS = 10000 }; /* for what has to come; how soon is not asked */

/* Marks each start, then waits for its end. */
#define LIVE "echo started as $$; trap 'echo reloaded' HUP; while :; do sleep 0.02; done"

static const char *const reload_words[] = {"bash", "-c", "echo reload of ${host}; exit 3"};
static const char *const ready_words[] = {"test", "-e", "/tmp/ready"};
static const char *const env_words[] = {"GREETING=from ${host} at ${host.ip} and ${host.ip6}",
                                        "MEMBERS=${hosts.member}", "KEPT=${other}"};
static const char *const after_late[] = {"late"};

static const struct lab_service_spec services[] = {
    {.name = "always",
     ON_N1,
     .command = SHELL(LIVE),
     .restart = RESTART_ALWAYS,
     .restart_delay = {50 * NS_PER_MS},
     .reload_signal = SIGHUP,
     .start = true},
    {.name = "clean",
     ON_N1,
     .command = SHELL("exit 0"),
     .restart = RESTART_ON_FAILURE,
     .restart_delay = {20 * NS_PER_MS}},
    {.name = "failing",
     ON_N1,
     .command = SHELL("sleep 0.05; exit 7"),
     .restart = RESTART_ON_FAILURE,
     .restart_delay = {20 * NS_PER_MS}},
    {.name = "never", ON_N1, .command = SHELL("exit 7"), .restart = RESTART_NEVER},
    {.name = "large", /* which takes its time to end */
     ON_N1,
     .command = SHELL("x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}; " LIVE),
     .ready = READY_LOG,
     .ready_what = "60000000",
     .restart = RESTART_NEVER},
    {.name = "stubborn",
     ON_N1,
     .command = SHELL("trap '' TERM; sleep 1234 & while :; do sleep 0.02; done"),
     .stop_timeout = {200 * NS_PER_MS}},
    {.name = "late",
     ON_N1,
     .command = SHELL("sleep 0.2; echo now serving; sleep 1000"),
     .ready = READY_LOG,
     .ready_what = "now serv",
     .start = true},
    {.name = "second",
     ON_N1,
     .command = SHELL("echo \"$GREETING, $MEMBERS, $KEPT\"; id -un; pwd; ulimit -n; sleep 1000"),
     .user = "someone",
     .env = env_words,
     .n_env = COUNT(env_words),
     .workdir = "/var",
     .open_files = 123,
     .after = after_late,
     .n_after = 1,
     .reload_command = reload_words,
     .n_reload_command = 3,
     .start = true},
    {.name = "slow",
     ON_N1,
     .command = SHELL("sleep 0.1; touch /tmp/ready; sleep 1000"),
     .ready = READY_EXEC,
     .ready_command = ready_words,
     .n_ready_command = 3,
     .start = true},
};

static const struct lab_spec spec = {.name = "services",
                                     .hosts = one_host,
                                     .n_hosts = 1,
                                     .services = services,
                                     .n_services = COUNT(services)};

static struct lab *lab;

static int set_up(void)
{
    const struct lab_options options = lab_test_options("services");
    lab = NULL;
    OK(lab_up(&spec, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    return 0;
}

static void tear_down(void)
{
    OK(lab_down(lab, &err));
    lab_free(lab);
}

static const struct hostctl_reply *status_of(const char *service)
{
    OK(service_do(lab, "n1", HOSTCTL_STATUS, service, 0));
    return &lab_reply;
}

/* Until the service has been restarted n times by its policy. */
static void wait_restarts(const char *service, uint32_t n)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        const struct hostctl_reply *r = status_of(service);
        if (r->restarts >= n && r->pid != 0)
            return;
        pause_ms(10);
    }
    CU_FAIL("no restart came");
}

/* Until the service has no process; its last status is in lab_reply. */
static void wait_ended(const char *service)
{
    for (int i = 0; i < WAIT_MS / 10 && status_of(service)->pid != 0; i++)
        pause_ms(10);
    CU_ASSERT_EQUAL(lab_reply.pid, 0);
}

/* Until n processes of the host have exactly this command line. */
static void wait_processes(const char *line, int n)
{
    char shell[160];
    (void)snprintf(shell, sizeof(shell),
                   "for i in {1..%d}; do [ \"$(pgrep -cfx '%s')\" = %d ] && exit 0; sleep 0.02; "
                   "done; exit 1",
                   WAIT_MS / 20, line, n);
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", shell), 0);
}

/* Until the service's log is, or holds, the text. */
static void wait_log(const char *service, const char *text, bool whole)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        CLEANUP_FREE char *tail = NULL;
        if (lab_log_tail(lab, "n1", service, 1000, &tail, &err) != 0)
            tail = NULL; /* nothing printed yet */
        else if (whole ? strcmp(tail, text) == 0 : strstr(tail, text) != NULL)
            return;
        pause_ms(10);
    }
    CU_FAIL("the log does not say it");
}

static void test_restart_policy(void)
{
    (void)set_up();
    int32_t pid = status_of("always")->pid;
    CU_ASSERT_TRUE(pid > 1);
    OK(service_do(lab, "n1", HOSTCTL_SIGNAL, "always", SIGKILL));
    wait_restarts("always", 1);
    CU_ASSERT_NOT_EQUAL(status_of("always")->pid, pid);
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    CU_ASSERT_TRUE(WIFSIGNALED(lab_reply.status) && WTERMSIG(lab_reply.status) == SIGKILL);

    OK(service_do(lab, "n1", HOSTCTL_START, "failing", 0));
    wait_restarts("failing", 3);
    (void)service_do(lab, "n1", HOSTCTL_START, "clean", 0);
    (void)service_do(lab, "n1", HOSTCTL_START, "never", 0);
    wait_ended("clean");
    wait_ended("never");
    pause_ms(200); /* for a restart that must not come */
    CU_ASSERT_EQUAL(status_of("clean")->restarts, 0);
    CU_ASSERT_EQUAL(status_of("never")->restarts, 0);
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_FAILED);
    CU_ASSERT_EQUAL(WEXITSTATUS(lab_reply.status), 7);
    tear_down();
}

static void test_stop_holds_until_start(void)
{
    (void)set_up();
    OK(service_do(lab, "n1", HOSTCTL_STOP, "always", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_HELD);
    CU_ASSERT_EQUAL(lab_reply.pid, 0);
    pause_ms(200);
    CU_ASSERT_EQUAL(status_of("always")->state, SERVICE_HELD);
    OK(service_do(lab, "n1", HOSTCTL_START, "always", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    int32_t pid = lab_reply.pid;
    OK(service_do(lab, "n1", HOSTCTL_RESTART, "always", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    CU_ASSERT_NOT_EQUAL(lab_reply.pid, pid);
    CU_ASSERT_EQUAL(lab_reply.restarts, 0);
    /* A stopped process is told too, one that ignores SIGTERM is killed, and so are its children.
     */
    OK(service_do(lab, "n1", HOSTCTL_SIGNAL, "always", SIGSTOP));
    OK(service_do(lab, "n1", HOSTCTL_STOP, "always", 0));
    OK(service_do(lab, "n1", HOSTCTL_START, "stubborn", 0));
    wait_processes("sleep 1234", 1);
    OK(service_do(lab, "n1", HOSTCTL_STOP, "stubborn", 0));
    CU_ASSERT_TRUE(WIFSIGNALED(lab_reply.status));
    wait_processes("sleep 1234", 0);
    tear_down();
}

/* Told to stop, and not waited for. */
static void begin_stop(const char *service)
{
    CLEANUP_FD int fd = -1;
    OK(lab_hostctl(lab, "n1", &fd, &err));
    memset(&lab_request, 0, sizeof(lab_request));
    lab_request.op = HOSTCTL_STOP;
    (void)snprintf(lab_request.service, sizeof(lab_request.service), "%s", service);
    OK(hostctl_call(fd, &lab_request, &lab_reply, &err));
}

/* Who looks while a service is on its way down or up must not take it for one that stays so. */
static void test_states_on_the_way(void)
{
    (void)set_up();
    OK(service_do(lab, "n1", HOSTCTL_START, "stubborn", 0));
    int32_t pid = status_of("stubborn")->pid;
    wait_processes("sleep 1234", 1); /* it ignores SIGTERM by now */
    begin_stop("stubborn");
    CU_ASSERT_EQUAL(status_of("stubborn")->state, SERVICE_HELD);
    CU_ASSERT_EQUAL(lab_reply.pid, pid);
    OK(service_do(lab, "n1", HOSTCTL_START, "stubborn", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    CU_ASSERT_NOT_EQUAL(lab_reply.pid, pid);
    OK(service_do(lab, "n1", HOSTCTL_SIGNAL, "always", SIGKILL));
    for (int i = 0; i < WAIT_MS && status_of("always")->restarts == 0; i++)
        if (lab_reply.pid == 0)
            CU_ASSERT_EQUAL(lab_reply.state, SERVICE_STARTING); /* its restart is due */
    CU_ASSERT_EQUAL(lab_reply.restarts, 1);
    tear_down();
}

/* Told, and started again, as what it is: one that is about to end. */
static void test_killed_and_not_yet_gone(void)
{
    (void)set_up();
    OK(service_do(lab, "n1", HOSTCTL_START, "large", 0));
    for (int i = 0; i < 5; i++) {
        int32_t pid = status_of("large")->pid;
        CU_ASSERT_TRUE_FATAL(pid > 1);
        OK(service_do(lab, "n1", HOSTCTL_SIGNAL, "large", SIGKILL));
        CU_ASSERT_EQUAL(status_of("large")->state, SERVICE_FAILED);
        OK(service_do(lab, "n1", HOSTCTL_START, "large", 0));
        CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
        CU_ASSERT_TRUE(lab_reply.pid > 1 && lab_reply.pid != pid);
        wait_log("large", "60000000", false);
    }
    tear_down();
}

static void test_mask(void)
{
    (void)set_up();
    OK(service_do(lab, "n1", HOSTCTL_MASK, "always", 0));
    int32_t pid = lab_reply.pid;
    CU_ASSERT_EQUAL(lab_reply.masked, 1);
    CU_ASSERT_EQUAL(service_do(lab, "n1", HOSTCTL_RESTART, "always", 0), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_EQUAL(status_of("always")->pid, pid);
    OK(service_do(lab, "n1", HOSTCTL_SIGNAL, "always", SIGKILL));
    wait_ended("always");
    wait_log("always", "is masked", false); /* what its restart policy got for an answer */
    CU_ASSERT_EQUAL(status_of("always")->state, SERVICE_FAILED);
    CU_ASSERT_EQUAL(service_do(lab, "n1", HOSTCTL_START, "always", 0), -1);
    OK(service_do(lab, "n1", HOSTCTL_UNMASK, "always", 0));
    CU_ASSERT_EQUAL(lab_reply.masked, 0);
    pause_ms(100); /* the policy has given up */
    CU_ASSERT_EQUAL(status_of("always")->pid, 0);
    OK(service_do(lab, "n1", HOSTCTL_START, "always", 0));
    CU_ASSERT_EQUAL(lab_reply.state, SERVICE_READY);
    tear_down();
}

static void test_reload(void)
{
    (void)set_up();
    OK(service_do(lab, "n1", HOSTCTL_RELOAD, "always", 0));
    OK(service_do(lab, "n1", HOSTCTL_RELOAD, "second", 0));
    CU_ASSERT_EQUAL(WEXITSTATUS(lab_reply.status), 3);
    CU_ASSERT_STRING_EQUAL(lab_reply.data, "reload of n1\n");
    CU_ASSERT_NOT_EQUAL(service_do(lab, "n1", HOSTCTL_RELOAD, "late", 0), 0);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    wait_log("always", "reloaded", false);
    CU_ASSERT_NOT_EQUAL(service_do(lab, "n1", HOSTCTL_STATUS, "nothing", 0), 0);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    tear_down();
}

static void test_user_environment_limits(void)
{
    (void)set_up();
    wait_log("second", "from n1 at 10.77.0.1 and fd77::1, n1, ${other}\nsomeone\n/var\n123\n",
             true);
    /* `after`: the service before was ready, 200 ms after its start. */
    int64_t late = status_of("late")->started_ns, second = status_of("second")->started_ns;
    CU_ASSERT_TRUE(second - late >= 200 * NS_PER_MS);
    char dir[128];
    (void)snprintf(dir, sizeof(dir), "/var/tmp/blackstart-logs-%d", (int)getpid());
    OK(lab_collect_logs(lab, dir, &err));
    char shell[400];
    (void)snprintf(shell, sizeof(shell),
                   "cd %s/n1 && grep -q serving late.log && test -s late.times; s=$?; rm -rf %s; "
                   "exit $s",
                   dir, dir);
    CU_ASSERT_EQUAL(machine_run(shell, NULL, 0), 0);
    tear_down();
}

static void test_commands_end_in_time(void)
{
    (void)set_up();
    CLEANUP_FD int fd = -1;
    OK(lab_hostctl(lab, "n1", &fd, &err));
    static const char words[] = "bash\0-c\0echo begun; sleep 1000";
    memset(&lab_request, 0, sizeof(lab_request));
    lab_request.op = HOSTCTL_RUN;
    lab_request.timeout_ns = 200 * NS_PER_MS;
    lab_request.len = sizeof(words);
    memcpy(lab_request.data, words, sizeof(words));
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    CU_ASSERT_NOT_EQUAL(hostctl_call(fd, &lab_request, &lab_reply, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_TIMEOUT);
    CU_ASSERT_TRUE(clock_system(CLOCK_MONOTONIC) - begin < 2 * NS_PER_SEC); /* not by the grace */
    /* More than fits is cut, and the command still ends. */
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "head -c 300000 /dev/zero | tr '\\0' x"), 0);
    CU_ASSERT_EQUAL(lab_reply.len, HOSTCTL_DATA_MAX);
    CU_ASSERT_EQUAL(run_in(lab, "n1", "someone", "id -un"), 0);
    CU_ASSERT_STRING_EQUAL(lab_reply.data, "someone\n");
    lab_request.op = HOSTCTL_LIST;
    size_t n = 0;
    for (lab_request.len = 0;; n++) {
        lab_request.number = (int32_t)n;
        if (hostctl_call(fd, &lab_request, &lab_reply, &err) != 0)
            break;
        CU_ASSERT_STRING_EQUAL(lab_reply.service, services[n].name);
    }
    CU_ASSERT_EQUAL(n, COUNT(services));
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    tear_down();
}

static const struct lab_service_spec broken = {.name = "broken",
                                               ON_N1,
                                               .command = SHELL("echo the reason is here; exit 1"),
                                               .ready = READY_TCP,
                                               .ready_what = "9",
                                               .ready_timeout = {2 * NS_PER_SEC},
                                               .start = true};
static const struct lab_service_spec deaf = {.name = "deaf",
                                             ON_N1,
                                             .command = SHELL("echo deaf; sleep 1000"),
                                             .ready = READY_TCP,
                                             .ready_what = "${host}:9",
                                             .ready_timeout = {300 * NS_PER_MS},
                                             .start = true};

static void test_a_service_that_does_not_start(void)
{
    const struct lab_options options = lab_test_options("broken");
    struct lab_spec bad = {
        .name = "bad", .hosts = one_host, .n_hosts = 1, .services = &broken, .n_services = 1};
    OK(lab_up(&bad, &options, &lab, &err));
    CU_ASSERT_NOT_EQUAL(lab_start_services(lab, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "service broken on host n1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "the reason is here"));
    tear_down();
    bad.services = &deaf;
    OK(lab_up(&bad, &options, &lab, &err));
    CU_ASSERT_NOT_EQUAL(lab_start_services(lab, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "is not ready in time"));
    tear_down();
}

/* A program of the user's own, from a path of the machine, with its files. */
static void test_files(void)
{
    char build[64], program[96];
    (void)snprintf(build, sizeof(build), "/var/tmp/blackstart-build-%d", (int)getpid());
    (void)snprintf(program, sizeof(program), "%s/program", build);
    CU_ASSERT_EQUAL_FATAL(mkdir(build, 0755), 0);
    FILE *f = fopen(program, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fputs("#!/bin/bash\ncat \"$1\"; sleep 1000\n", f);
    (void)fclose(f);
    CU_ASSERT_EQUAL(chmod(program, 0755), 0);
    const struct lab_file_spec files[] = {
        {.path = "/opt/mine/${host}.conf", .content = "I am ${host}\n", .mode = 0600},
        {.path = "/usr/local/bin/program", .from = program, .owner = "root"},
        {.path = "/opt/tree", .from = build},
    };
    static const char *const command[] = {"program", "/opt/mine/${host}.conf"};
    const struct lab_service_spec own = {.name = "own",
                                         ON_N1,
                                         .command = command,
                                         .n_command = 2,
                                         .user = "owner",
                                         .files = files,
                                         .n_files = COUNT(files),
                                         .start = true};
    const struct lab_spec with_files = {
        .name = "files", .hosts = one_host, .n_hosts = 1, .services = &own, .n_services = 1};
    const struct lab_options options = lab_test_options("files");
    OK(lab_up(&with_files, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    wait_log("own", "I am n1\n", true);
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "cd /opt; stat -c '%a %n' mine/n1.conf tree/program"), 0);
    CU_ASSERT_STRING_EQUAL(lab_reply.data, "600 mine/n1.conf\n755 tree/program\n");
    tear_down();
    CU_ASSERT_NOT_EQUAL(access("/usr/local/bin/program", F_OK), 0);
    (void)unlink(program);
    (void)rmdir(build);
    CU_ASSERT_NOT_EQUAL(lab_up(&with_files, &options, &lab, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "which the lab is to copy to"));
    CU_ASSERT_NOT_EQUAL(access(options.state_dir, F_OK), 0);
}

static const struct lab_service_spec hungry = {
    .name = "hungry",
    ON_N1,
    .command = SHELL("exec python3 -c 'import time; x = bytearray(200 << 20); time.sleep(100)'"),
    .memory = {48U << 20}};

static void test_memory_limit(void)
{
    if (geteuid() != 0)
        return; /* without root there are no cgroups to be had */
    const struct lab_spec memory = {
        .name = "memory", .hosts = one_host, .n_hosts = 1, .services = &hungry, .n_services = 1};
    const struct lab_options options = lab_test_options("memory");
    OK(lab_up(&memory, &options, &lab, &err));
    OK(service_do(lab, "n1", HOSTCTL_START, "hungry", 0));
    wait_ended("hungry");
    CU_ASSERT_TRUE(WIFSIGNALED(lab_reply.status) && WTERMSIG(lab_reply.status) == SIGKILL);
    tear_down();
}

/* How often the kernel let that service wait for its share. */
static long throttled(const char *service)
{
    char line[320], text[64];
    (void)snprintf(line, sizeof(line),
                   "cat /sys/fs/cgroup/blackstart-*/n1.%s/cpu.stat "
                   "/sys/fs/cgroup/cpu/blackstart-*/n1.%s/cpu.stat 2>/dev/null | "
                   "sed -n 's/^nr_throttled //p'",
                   service, service);
    (void)shell_read(line, text, sizeof(text));
    return strtol(text, NULL, 10);
}

static const struct lab_service_spec busy = {
    .name = "busy-share", ON_N1, .command = SHELL("while :; do :; done"), .cpu = {30000}};

static void test_cpu_limit(void)
{
    if (geteuid() != 0)
        return; /* as above */
    const struct lab_spec one = {
        .name = "cpu", .hosts = one_host, .n_hosts = 1, .services = &busy, .n_services = 1};
    const struct lab_options options = lab_test_options("cpu");
    OK(lab_up(&one, &options, &lab, &err));
    OK(service_do(lab, "n1", HOSTCTL_START, "busy-share", 0));
    for (int ms = 0; throttled("busy-share") <= 0 && ms < WAIT_MS; ms += 50)
        (void)usleep(50000);
    CU_ASSERT_TRUE(throttled("busy-share") > 0);
    tear_down();
}

static const struct check_test tests[] = {
    {"restart policy", test_restart_policy},
    {"states on the way", test_states_on_the_way},
    {"killed and not yet gone", test_killed_and_not_yet_gone},
    {"mask", test_mask},
    {"stop holds until start", test_stop_holds_until_start},
    {"reload", test_reload},
    {"user, environment, limits", test_user_environment_limits},
    {"commands end in time", test_commands_end_in_time},
    {"a service that does not start", test_a_service_that_does_not_start},
    {"files", test_files},
    {"memory limit", test_memory_limit},
    {"processor limit", test_cpu_limit},
};

CHECK_MAIN("lab/services", tests)
