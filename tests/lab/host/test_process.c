/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/tracer.h"
#include "lab/host/kind.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

static bool is_active(void)
{
    struct err err;
    bool active;
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    return active;
}

static void *count_thread(void *arg)
{
    rig_count(&rig, (size_t)(uintptr_t)arg);
    return NULL;
}

static void four_threads(struct rig *r)
{
    for (uintptr_t i = 1; i < 4; i++) {
        pthread_t thread;
        (void)pthread_create(&thread, NULL, count_thread, (void *)i);
    }
    rig_count(r, 0);
}

static void family(struct rig *r)
{
    for (size_t child = 1; child <= 2; child++)
        if (fork() == 0) {
            if (child == 2 && fork() == 0)
                rig_count(r, 3);
            rig_count(r, child);
        }
    rig_count(r, 0);
}

static void *short_thread(void *arg)
{
    atomic_fetch_add(&rig.counters[1], 1);
    return arg;
}

/* New threads and new children all the time. */
static void breeder(struct rig *r)
{
    (void)signal(SIGCHLD, SIG_IGN);
    for (;;) {
        pthread_t thread;
        atomic_fetch_add(&r->counters[0], 1);
        if (pthread_create(&thread, NULL, short_thread, NULL) == 0)
            (void)pthread_join(thread, NULL);
        if (fork() == 0) {
            atomic_fetch_add(&r->counters[2], 1);
            rig_sleep_ms(5); /* not more of them at once than a set holds */
            _exit(0);
        }
    }
}

static void write_pid_file(pid_t pid, int64_t age_s)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/victim.pid", rig.dir);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%d\n", pid);
    (void)fclose(file);
    struct timespec now, times[2];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    times[0] = times[1] = (struct timespec){.tv_sec = now.tv_sec - age_s};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_kill_by_name(void)
{
    struct err err;
    struct evidence evidence;
    begin("process.kill", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    /* The same name outside of the host is not the host's. */
    pid_t outside = fork();
    if (outside == 0) {
        (void)prctl(PR_SET_NAME, "victim");
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)pause();
        _exit(0);
    }
    rig_sleep_ms(20);
    put_on();
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    CU_ASSERT_TRUE(evidence.proven);
    CU_ASSERT_EQUAL(evidence.items[0].value, 1);
    CU_ASSERT_FALSE(rig_runs(&rig, 0, 20));
    CU_ASSERT_EQUAL(kill(outside, 0), 0);
    CU_ASSERT_EQUAL(waitpid(outside, NULL, WNOHANG), 0);
    (void)kill(outside, SIGKILL);
    (void)waitpid(outside, NULL, 0);
    CU_ASSERT_FALSE(take_off().foreign);
    end();
}

static void test_kill_names_that_lie(void)
{
    begin("process.kill", "process", "victim");
    (void)rig_spawn(&rig, one, "a) R 1");
    (void)rig_spawn(&rig, four_threads, "victim");
    put_on();
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 100)); /* the other one */
    CU_ASSERT_FALSE(rig_runs(&rig, 3, 20));
    end();
}

static void test_kill_by_pid_file(void)
{
    struct err err;
    begin("process.kill", "pid_file", "/victim.pid");
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    pid_t pid = rig_spawn(&rig, one, "victim");
    write_pid_file(pid, 3600);
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "stale"));
    write_pid_file(1, 0);
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    write_pid_file(pid, 0);
    put_on();
    CU_ASSERT_FALSE(rig_runs(&rig, 0, 20));
    end();
}

static void test_kill_the_tree(void)
{
    begin("process.kill", "process", "victim");
    rig_set(row, args, "tree", "true");
    (void)rig_spawn(&rig, family, "victim");
    for (size_t i = 1; i < 4; i++)
        CU_ASSERT_TRUE(rig_runs(&rig, i, 500));
    put_on();
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_FALSE(rig_runs(&rig, i, 20));
    end();
}

/* Prepared, then the process ends by itself and its pid is another's: nothing is touched. */
static void test_kill_keeps_to_the_identity(void)
{
    struct err err;
    struct proc_set set = {.n = 0};
    int fd = -1;
    begin("process.kill", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    CU_ASSERT_EQUAL_FATAL(set.n, 1);
    set.v[0].start++;
    CHECK_OK(proc_open(&rig.host, &set.v[0], &fd, &err), err);
    CU_ASSERT_EQUAL(fd, -1);
    CU_ASSERT_TRUE(proc_has_ended(&rig.host, &set.v[0]));
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    (void)kill(set.v[0].pid, SIGKILL);
    rig_sleep_ms(20);
    CU_ASSERT_EQUAL(row->apply(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    end();
}

static void test_pause_and_go_on(void)
{
    struct err err;
    struct evidence evidence;
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, four_threads, "victim");
    put_on();
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_FALSE(rig_runs(&rig, i, 20));
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    CU_ASSERT_TRUE(evidence.proven);
    CU_ASSERT_EQUAL(evidence.items[0].value, 4);
    CHECK_OK(row->renew(&rig.host, &undo, rig_boottime() + NS_PER_SEC, &err), err);
    CU_ASSERT_FALSE(take_off().foreign);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_TRUE(rig_runs(&rig, i, 200));
    CU_ASSERT_FALSE(is_active());
    CU_ASSERT_EQUAL(row->renew(&rig.host, &undo, rig_boottime() + NS_PER_SEC, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    CU_ASSERT_FALSE(take_off().foreign);
    end();
}

/* Its record, made by an agent that is a process of its own, as the guardian has it too. */
static struct undo *agent_record;

static pid_t start_agent(int64_t lease_ns)
{
    agent_record = mmap(NULL, sizeof(*agent_record), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    undo.lease_ns = rig_boottime() + lease_ns;
    pid_t agent = fork();
    if (agent == 0) {
        struct err err;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a check has failed */
        if (row->prepare(&rig.host, args, &undo, &err) != 0 ||
            row->apply(&rig.host, args, &undo, &err) != 0)
            _exit(1);
        *agent_record = undo;
        for (;;)
            (void)pause();
    }
    for (int i = 0; i < 2000 && agent_record->size == 0; i++)
        rig_sleep_ms(1);
    undo = *agent_record;
    CU_ASSERT_TRUE_FATAL(undo.size > 0);
    CU_ASSERT_FALSE(rig_runs(&rig, 0, 20));
    return agent;
}

static void end_agent(pid_t agent)
{
    (void)kill(agent, SIGKILL);
    (void)waitpid(agent, NULL, 0);
    (void)munmap(agent_record, sizeof(*agent_record));
}

static void test_pause_ends_with_the_agent(void)
{
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, four_threads, "victim");
    pid_t agent = start_agent(60 * NS_PER_SEC);
    int64_t start = clock_system(CLOCK_MONOTONIC);
    (void)kill(agent, SIGKILL);
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 500));
    printf("\n    note: resumed %.1f ms after kill -9 of the agent\n",
           (double)(clock_system(CLOCK_MONOTONIC) - start) / 1e6);
    end_agent(agent);
    CU_ASSERT_FALSE(take_off().foreign);
    end();
}

static void test_pause_ends_with_the_lease(void)
{
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    pid_t agent = start_agent(NS_PER_SEC);
    (void)kill(agent, SIGSTOP);
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 3000));
    CU_ASSERT_TRUE(rig_boottime() >= undo.lease_ns);
    CU_ASSERT_TRUE(rig_boottime() < undo.lease_ns + 500 * NS_PER_MS);
    end_agent(agent);
    end();
}

/* Agent and tracer are both stopped: another process ends it from the record alone, also when the
 * record does not yet say who the tracer is. */
static void check_stopped_tracer(bool noted)
{
    struct proc_set set = {.n = 0};
    struct err err;
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    pid_t agent = start_agent(60 * NS_PER_SEC);
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    int32_t tracer = proc_tracer(&rig.host, &set.v[0]);
    CU_ASSERT_TRUE_FATAL(tracer > 0);
    (void)kill(tracer, SIGSTOP);
    (void)kill(agent, SIGSTOP);
    CU_ASSERT_FALSE(rig_runs(&rig, 0, 200));
    if (!noted)
        memset(undo.data + 8, 0, sizeof(struct proc_id));
    CU_ASSERT_FALSE(take_off().foreign);
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 200));
    CU_ASSERT_EQUAL(proc_tracer(&rig.host, &set.v[0]), 0);
    end_agent(agent);
    end();
}

static void test_stopped_tracer_is_ended(void)
{
    check_stopped_tracer(true);
    check_stopped_tracer(false);
}

static void test_pause_catches_what_is_born(void)
{
    begin("process.pause", "process", "victim");
    rig_set(row, args, "tree", "true");
    (void)rig_spawn(&rig, breeder, "victim");
    put_on();
    rig_sleep_ms(50);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_FALSE(rig_runs(&rig, i, 50));
    CU_ASSERT_TRUE(is_active());
    CU_ASSERT_FALSE(take_off().foreign);
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 200));
    CU_ASSERT_TRUE(rig_runs(&rig, 2, 200));
    end();
}

static void test_pause_leaves_a_debugged_process(void)
{
    struct err err;
    struct proc_set set = {.n = 0};
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    CU_ASSERT_EQUAL_FATAL(ptrace(PTRACE_SEIZE, set.v[0].pid, 0, 0), 0);
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    /* It was seized between prepare and apply. */
    undo.size = 0;
    (void)kill(set.v[0].pid, SIGKILL);
    (void)waitpid(set.v[0].pid, NULL, 0);
    end();
}

static void test_killed_while_paused(void)
{
    struct err err;
    struct proc_set set = {.n = 0};
    begin("process.pause", "process", "victim");
    (void)rig_spawn(&rig, four_threads, "victim");
    put_on();
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    (void)kill(set.v[0].pid, SIGKILL);
    bool gone = false;
    for (int i = 0; i < 500 && !gone; i++) {
        rig_sleep_ms(1);
        gone = proc_state(&rig.host, &set.v[0]) == 0;
    }
    CU_ASSERT_TRUE(gone); /* its parent has reaped it: the tracer does not keep it */
    CU_ASSERT_FALSE(take_off().foreign);
    end();
}

static void test_tracer_holds_nothing_else(void)
{
    struct err err;
    struct proc_set set = {.n = 0};
    char path[64];
    begin("process.pause", "process", "victim");
    int fd = open("/dev/null", O_RDONLY); /* not close-on-exec, as a library's may be */
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", proc_tracer(&rig.host, &set.v[0]));
    DIR *dir = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    if (dir == NULL)
        return;
    int n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    CU_ASSERT_EQUAL(n, 4);
    (void)closedir(dir);
    (void)close(fd);
    CU_ASSERT_FALSE(take_off().foreign);
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), 0); /* only the host's init is left, no zombie */
    end();
}

static void test_init_is_protected(void)
{
    struct err err;
    char comm[32] = "";
    begin("process.pause", "process", "x");
    FILE *file = fopen("/proc/self/comm", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(comm, sizeof(comm), file));
    (void)fclose(file);
    comm[strcspn(comm, "\n")] = '\0';
    rig_set(row, args, "process", comm); /* the init is a copy of this program */
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    end();
}

/* No descriptor is left for /proc: then nobody says that a process has ended, or that all were
 * seen.
 */
static void test_unseen_is_not_gone(void)
{
    struct proc_set set = {.n = 0}, more = {.n = 0};
    struct rlimit was, none;
    uint32_t added = 0, uid, gid;
    struct proc_id again;
    struct err err;
    int pidfd = -1;
    begin("process.kill", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    CHECK_OK(proc_find_by(&rig.host, "victim", 0, &set, &err), err);
    CU_ASSERT_EQUAL_FATAL(set.n, 1);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool ended = proc_has_ended(&rig.host, &set.v[0]);
    char state = proc_state(&rig.host, &set.v[0]);
    int found = proc_find_by(&rig.host, "victim", 0, &more, &err);
    int tree = proc_add_tree(&rig.host, &set, &added, &err);
    int owner = proc_owner(&rig.host, &set.v[0], &uid, &gid, &err);
    enum err_code owner_code = err.code;
    int identified = proc_identify(rig.host.proc, set.v[0].pid, &again, &err);
    enum err_code identified_code = err.code;
    int opened = proc_open(&rig.host, &set.v[0], &pidfd, &err);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &was), 0);
    CU_ASSERT_FALSE(ended);
    CU_ASSERT_EQUAL(state, '?');
    CU_ASSERT_EQUAL(found, -1);
    CU_ASSERT_EQUAL(tree, -1);
    CU_ASSERT_TRUE(owner == -1 && owner_code == ERR_SYSTEM);
    CU_ASSERT_TRUE(identified == -1 && identified_code == ERR_SYSTEM);
    CU_ASSERT_TRUE(opened == -1 && pidfd == -1);
    CU_ASSERT_FALSE(proc_has_ended(&rig.host, &set.v[0]));
    end();
}

static const struct check_test tests[] = {
    {"kill by name", test_kill_by_name},
    {"kill: names that lie", test_kill_names_that_lie},
    {"kill by pid file", test_kill_by_pid_file},
    {"kill the tree", test_kill_the_tree},
    {"kill keeps to the identity", test_kill_keeps_to_the_identity},
    {"pause and go on", test_pause_and_go_on},
    {"pause ends with the agent", test_pause_ends_with_the_agent},
    {"pause ends with the lease", test_pause_ends_with_the_lease},
    {"a stopped tracer is ended", test_stopped_tracer_is_ended},
    {"pause catches what is born", test_pause_catches_what_is_born},
    {"pause leaves a debugged process", test_pause_leaves_a_debugged_process},
    {"killed while paused", test_killed_while_paused},
    {"the tracer holds nothing else", test_tracer_holds_nothing_else},
    {"the init is protected", test_init_is_protected},
    {"what cannot be looked at is not gone", test_unseen_is_not_gone},
};

CHECK_MAIN("lab/host/process", tests)
