/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is particular to crash, kill_again and priority: with pids that are used again, and
 * processes that end meanwhile. */
#include "agents/host/priority.h"
#include "lab/host/kind.h"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>

static bool counts_to(const char *name, uint64_t value)
{
    for (int i = 0; i < 300; i++, rig_sleep_ms(10))
        if (count_of(name) >= value)
            return true;
    return false;
}

/* ---- a pid that is used again ---- */

enum { INNER = 62, OUTER = 63 }; /* counters: the pid as the host, and as the agent, numbers it */

/* A child with exactly the pids that another had: as chance would have it one day. */
static void reuse(struct rig *r)
{
    pid_t pids[2] = {(pid_t)atomic_load(&r->counters[INNER]),
                     (pid_t)atomic_load(&r->counters[OUTER])};
    struct clone_args ask = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)pids, .set_tid_size = 2};
    for (int i = 0; i < 1000; i++) { /* until the other has been reaped */
        long pid = syscall(SYS_clone3, &ask, sizeof(ask));
        if (pid == 0) {
            (void)prctl(PR_SET_NAME, "stranger");
            (void)setpriority(PRIO_PROCESS, 0, 19);
            rig_count(r, 0);
        }
        if (pid > 0)
            (void)pause();
        rig_sleep_ms(1);
    }
}

/* The victim is gone, and a stranger has its pid. */
static void replace(pid_t inner, int32_t outer)
{
    atomic_store(&rig.counters[INNER], (unsigned long)inner);
    atomic_store(&rig.counters[OUTER], (unsigned long)outer);
    (void)kill(outer, SIGKILL);
    rig_sleep_ms(20);
    (void)rig_spawn(&rig, reuse, "parent");
    CU_ASSERT_TRUE_FATAL(rig_runs(&rig, 0, 500));
    CU_ASSERT_EQUAL_FATAL(pid_of("stranger"), outer);
}

static void test_signals_leave_a_stranger(void)
{
    static const char *const kinds[] = {"process.kill", "process.crash"};
    for (size_t i = 0; i < 2; i++) {
        struct err err;
        begin(kinds[i], "process", "victim");
        pid_t pid = rig_spawn(&rig, one, "victim");
        CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
        replace(pid, pid_of("victim"));
        CU_ASSERT_EQUAL(row->apply(&rig.host, args, &undo, &err), -1);
        CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
        CU_ASSERT_TRUE(rig_runs(&rig, 0, 200));
        (void)take_off();
        end();
    }
}

static void end_slowly(int signal_number)
{
    (void)signal_number;
    (void)poll(NULL, 0, 150);
    _exit(0);
}

static void takes_its_time(struct rig *r)
{
    (void)signal(SIGTERM, end_slowly);
    rig_count(r, 0);
}

/* The agent died when the signal was sent and nothing noted; the process is about to end. */
static void test_revert_waits_for_the_end(void)
{
    struct err err;
    begin("process.kill", "process", "victim");
    rig_set(row, args, "signal", "TERM");
    (void)rig_spawn(&rig, takes_its_time, "victim");
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CU_ASSERT_EQUAL(kill(pid_of("victim"), SIGTERM), 0);
    CU_ASSERT_STRING_EQUAL(take_off().what, "a process that was killed stays dead");
    end();
    begin("process.kill", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CU_ASSERT_STRING_EQUAL(take_off().what, "nothing had been killed");
    end();
}

static void test_priority_leaves_a_stranger(void)
{
    struct err err;
    struct priority now;
    begin("process.priority", "process", "victim");
    pid_t pid = rig_spawn(&rig, one, "victim");
    put_on();
    replace(pid, pid_of("victim"));
    CU_ASSERT_FALSE(take_off().foreign);
    CHECK_OK(priority_read(pid_of("stranger"), &now, &err), err);
    CU_ASSERT_EQUAL(now.nice, 19); /* its own, which only looks like ours */
    end();
}

/* ---- crash ---- */

static void test_crash(void)
{
    begin("process.crash", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    CU_ASSERT_FALSE(rig_runs(&rig, 0, 20));
    CU_ASSERT_EQUAL(count_of("ended"), 1);
    (void)take_off();
    end();
}

static void hard_boiled(struct rig *r)
{
    (void)signal(SIGSEGV, SIG_IGN);
    rig_count(r, 0);
}

/* Who takes the signal and goes on has not crashed. */
static void test_crash_that_is_survived(void)
{
    struct err err;
    struct evidence evidence;
    bool active = true;
    begin("process.crash", "process", "victim");
    (void)rig_spawn(&rig, hard_boiled, "victim");
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CHECK_OK(row->apply(&rig.host, args, &undo, &err), err);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    CU_ASSERT_FALSE(evidence.proven);
    (void)take_off();
    end();
}

static void test_crash_takes_no_other_signal(void)
{
    struct err err;
    begin("process.crash", "process", "victim");
    rig_set(row, args, "signal", "ABRT");
    CHECK_OK(row->check(args, &err), err);
    rig_set(row, args, "signal", "TERM");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    end();
}

/* ---- kill_again ---- */

static void test_killed_each_time(void)
{
    begin("process.kill_again", "process", "victim");
    rig_set(row, args, "every", "10ms");
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    for (uint64_t kills = 1; kills <= 3; kills++) {
        CU_ASSERT_TRUE(counts_to("kills", kills));
        CU_ASSERT_FALSE(rig_runs(&rig, 0, 20));
        (void)rig_spawn(&rig, one, "victim");
    }
    CU_ASSERT_TRUE(counts_to("kills", 4));
    (void)take_off();
    (void)rig_spawn(&rig, one, "victim");
    rig_sleep_ms(100);
    CU_ASSERT_TRUE(rig_runs(&rig, 0, 200));
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), 0); /* the host's init alone */
    end();
}

static void test_killed_when_old_enough(void)
{
    begin("process.kill_again", "process", "victim");
    rig_set(row, args, "every", "10ms");
    rig_set(row, args, "after", "500ms");
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    int64_t start = rig_boottime();
    (void)rig_spawn(&rig, one, "victim");
    CU_ASSERT_TRUE(counts_to("kills", 2));
    CU_ASSERT_TRUE(rig_boottime() - start > 450 * NS_PER_MS); /* ages are told in ticks of 10 ms */
    (void)take_off();
    end();
}

static void test_nobody_left_to_kill(void)
{
    struct err err;
    begin("process.kill_again", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    (void)kill(pid_of("victim"), SIGKILL);
    rig_sleep_ms(20);
    CU_ASSERT_EQUAL(row->apply(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), 0); /* no bearer is left */
    (void)take_off();
    end();
}

/* ---- priority ---- */

static void *count_thread(void *arg)
{
    rig_count(&rig, (size_t)(uintptr_t)arg);
    return NULL;
}

/* Two threads; a third, and a child, when they are asked for. */
static void grower(struct rig *r)
{
    pthread_t thread;
    (void)pthread_create(&thread, NULL, count_thread, (void *)1);
    atomic_fetch_add(&r->counters[0], 1);
    while (atomic_load(&r->counters[10]) == 0)
        rig_sleep_ms(1);
    (void)pthread_create(&thread, NULL, count_thread, (void *)2);
    if (fork() == 0) {
        (void)prctl(PR_SET_NAME, "child");
        rig_count(r, 3);
    }
    rig_count(r, 4);
}

/* The threads of a process that have this niceness and policy. */
static int threads_with(int32_t pid, int nice, int policy, int *ret_all)
{
    struct err err;
    char dir[48];
    int n = 0;
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    (void)snprintf(dir, sizeof(dir), "%d/task", pid);
    CHECK_OK(proc_walk_open(&walk, rig.host.proc, dir, &err), err);
    *ret_all = 0;
    for (int32_t tid; proc_walk_next(&walk, &tid);) {
        struct priority p;
        CHECK_OK(priority_read(tid, &p, &err), err);
        *ret_all += 1;
        n += p.nice == nice && p.policy == policy;
    }
    return n;
}

static void test_priority_and_heirs(void)
{
    int all, usual = getpriority(PRIO_PROCESS, 0);
    begin("process.priority", "process", "victim");
    rig_set(row, args, "nice", "11");
    rig_set(row, args, "policy", "batch");
    rig_set(row, args, "io", "best_effort");
    (void)rig_spawn(&rig, grower, "victim");
    CU_ASSERT_TRUE(rig_runs(&rig, 1, 500));
    int32_t pid = pid_of("victim");
    CU_ASSERT_EQUAL(threads_with(pid, usual, SCHED_OTHER, &all), 2);
    put_on();
    CU_ASSERT_EQUAL(count_of("threads_changed"), 2);
    atomic_store(&rig.counters[10], 1);
    CU_ASSERT_TRUE(rig_runs(&rig, 2, 500));
    CU_ASSERT_TRUE(rig_runs(&rig, 3, 500));
    CU_ASSERT_EQUAL(threads_with(pid, 11, SCHED_BATCH, &all), 3);
    CU_ASSERT_EQUAL(threads_with(pid_of("child"), 11, SCHED_BATCH, &all), 1);
    CU_ASSERT_FALSE(take_off().foreign);
    CU_ASSERT_EQUAL(threads_with(pid, usual, SCHED_OTHER, &all), 3);
    CU_ASSERT_EQUAL(all, 3);
    CU_ASSERT_EQUAL(threads_with(pid_of("child"), usual, SCHED_OTHER, &all), 1);
    end();
}

static void realtime(struct rig *r)
{
    const struct sched_param param = {.sched_priority = 7};
    (void)setpriority(PRIO_PROCESS, 0, -3);
    (void)sched_setscheduler(0, SCHED_RR, &param);
    rig_count(r, 0);
}

/* Of a real-time thread the niceness is kept too, though it acts only when it is none any more. */
static void test_priority_of_realtime(void)
{
    struct err err;
    struct priority was, now;
    begin("process.priority", "process", "victim");
    rig_set(row, args, "policy", "other");
    rig_set(row, args, "io", "idle");
    (void)rig_spawn(&rig, realtime, "victim");
    int32_t pid = pid_of("victim");
    CHECK_OK(priority_read(pid, &was, &err), err);
    CU_ASSERT_EQUAL(was.policy, SCHED_RR);
    CU_ASSERT_EQUAL(was.realtime, 7);
    put_on();
    CHECK_OK(priority_read(pid, &now, &err), err);
    CU_ASSERT_EQUAL(now.policy, SCHED_OTHER);
    CU_ASSERT_EQUAL(now.nice, 19);
    CU_ASSERT_FALSE(take_off().foreign);
    CHECK_OK(priority_read(pid, &now, &err), err);
    CU_ASSERT_TRUE(priority_same(&now, &was));
    CU_ASSERT_EQUAL(now.nice, -3);
    end();
}

/* Others changed it meanwhile: theirs stays. */
static void test_priority_of_others(void)
{
    struct err err;
    struct priority now;
    begin("process.priority", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    CU_ASSERT_EQUAL(setpriority(PRIO_PROCESS, (id_t)pid_of("victim"), 7), 0);
    CU_ASSERT_EQUAL(count_of("threads_changed"), 0);
    CU_ASSERT_TRUE(take_off().foreign);
    CHECK_OK(priority_read(pid_of("victim"), &now, &err), err);
    CU_ASSERT_EQUAL(now.nice, 7);
    end();
}

static void test_priority_of_what_ended(void)
{
    struct err err;
    bool active = true;
    char usual[16];
    begin("process.priority", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    put_on();
    (void)kill(pid_of("victim"), SIGKILL);
    rig_sleep_ms(20);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    CU_ASSERT_FALSE(take_off().foreign);
    (void)rig_spawn(&rig, one, "victim");
    (void)snprintf(usual, sizeof(usual), "%d", getpriority(PRIO_PROCESS, 0));
    rig_set(row, args, "nice", usual);
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1); /* they have that already */
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    end();
}

static rlim_t descriptors_of(const char *name)
{
    struct rlimit now = {0};
    CU_ASSERT_EQUAL(prlimit(pid_of(name), RLIMIT_NOFILE, NULL, &now), 0);
    return now.rlim_cur;
}

/* Others gave one of them another limit meanwhile: it keeps that. */
static void test_descriptors_of_others(void)
{
    struct rlimit theirs;
    begin("resource.descriptors", "process", "victim");
    (void)rig_spawn(&rig, one, "victim");
    rlim_t was = descriptors_of("victim");
    put_on();
    CU_ASSERT(descriptors_of("victim") < was);
    CU_ASSERT_FALSE(take_off().foreign);
    CU_ASSERT_EQUAL(descriptors_of("victim"), was);
    put_on();
    CU_ASSERT_EQUAL(prlimit(pid_of("victim"), RLIMIT_NOFILE, NULL, &theirs), 0);
    theirs.rlim_cur += 3;
    CU_ASSERT_EQUAL(prlimit(pid_of("victim"), RLIMIT_NOFILE, &theirs, NULL), 0);
    CU_ASSERT_EQUAL(count_of("processes_limited"), 0);
    CU_ASSERT_TRUE(take_off().foreign);
    CU_ASSERT_EQUAL(descriptors_of("victim"), theirs.rlim_cur);
    end();
}

static const struct check_test tests[] = {
    {"kill and crash leave a stranger alone", test_signals_leave_a_stranger},
    {"the revert waits for the end", test_revert_waits_for_the_end},
    {"priority leaves a stranger alone", test_priority_leaves_a_stranger},
    {"crash", test_crash},
    {"a crash that is survived", test_crash_that_is_survived},
    {"signals of a crash", test_crash_takes_no_other_signal},
    {"killed each time it comes back", test_killed_each_time},
    {"killed when it is old enough", test_killed_when_old_enough},
    {"nobody left to kill", test_nobody_left_to_kill},
    {"priority, and who inherits it", test_priority_and_heirs},
    {"priority of a real-time thread", test_priority_of_realtime},
    {"priority that others changed", test_priority_of_others},
    {"priority of what has ended", test_priority_of_what_ended},
    {"descriptors that others changed", test_descriptors_of_others},
};

CHECK_MAIN("lab/host/process_kinds", tests)
