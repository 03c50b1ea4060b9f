/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the library does with time: calls that wait, and clocks that are shifted. The truth is asked
 * from the kernel, past the library.
 */
#include "agents/fiu/preload_next.h"
#include "agents/fiu/preload_raw.h"
#include "preloaded.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static int64_t true_ns(clockid_t id)
{
    struct timespec ts = {.tv_sec = 0};
    (void)raw_call(SYS_clock_gettime, id, (long)&ts, 0, 0, 0, 0);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static int64_t told_ns(clockid_t id)
{
    struct timespec ts = {.tv_sec = 0};
    CU_ASSERT_EQUAL(clock_gettime(id, &ts), 0);
    CU_ASSERT_TRUE(ts.tv_nsec >= 0 && ts.tv_nsec < NS_PER_SEC);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static void arm_delay(int64_t delay, int64_t jitter, int64_t lease)
{
    struct fiu_rule rule = {.points = FIU_BIT(FIU_FSYNC),
                            .action = FIU_DELAY,
                            .delay_ns = delay,
                            .jitter_ns = jitter,
                            .seed = 7};
    arm_rule(rule, "", lease);
}

static int64_t fsync_ns(int fd)
{
    int64_t start = now();
    WORKS(fsync(fd));
    return now() - start;
}

static void test_delay(void)
{
    int fd = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int64_t all = 0;
    arm_delay(10 * NS_PER_MS, 5 * NS_PER_MS, 20 * NS_PER_SEC);
    for (int i = 0; i < 8; i++) {
        int64_t took = fsync_ns(fd);
        CU_ASSERT_TRUE(took >= 5 * NS_PER_MS);
        all += took;
    }
    struct victim_counts c = counts();
    CU_ASSERT_EQUAL(c.hits, 8);
    /* What is reported is what was waited, and no more than the calls took. */
    CU_ASSERT_TRUE(c.added_ns >= 8 * 5 * NS_PER_MS && (int64_t)c.added_ns <= all);
    disarm();
    (void)close(fd);
}

static void *fsync_in_thread(void *arg)
{
    (void)fsync(*(int *)arg);
    return NULL;
}

/* Neither a lease nor a revert waits for a call that waits. */
static void test_delay_ends(void)
{
    int fd = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    pthread_t thread;
    arm_delay(30 * NS_PER_SEC, 0, 100 * NS_PER_MS);
    int64_t took = fsync_ns(fd);
    CU_ASSERT_TRUE(took >= 90 * NS_PER_MS && took < 10 * NS_PER_SEC);
    arm_delay(30 * NS_PER_SEC, 0, 30 * NS_PER_SEC);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, fsync_in_thread, &fd), 0);
    while (counts().hits == 0)
        (void)usleep(1000);
    int64_t start = now();
    disarm();
    (void)pthread_join(thread, NULL);
    CU_ASSERT_TRUE(now() - start < 10 * NS_PER_SEC);
    (void)close(fd);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

/* A handler runs while the call waits, and the call waits on. */
static void test_delay_and_signals(void)
{
    int fd = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval soon = {.it_value = {.tv_usec = 10000}};
    CU_ASSERT_EQUAL_FATAL(sigaction(SIGALRM, &action, NULL), 0);
    arm_delay(60 * NS_PER_MS, 0, 20 * NS_PER_SEC);
    CU_ASSERT_EQUAL(setitimer(ITIMER_REAL, &soon, NULL), 0);
    CU_ASSERT_TRUE(fsync_ns(fd) >= 60 * NS_PER_MS);
    CU_ASSERT_EQUAL(alarms, 1);
    disarm();
    (void)close(fd);
}

static void arm_shift(uint64_t points, int64_t offset, int64_t rate_ppm)
{
    struct fiu_rule rule = {.points = points,
                            .action = FIU_SHIFT,
                            .offset_ns = offset,
                            .rate_ppm = rate_ppm,
                            .since = now()};
    arm_rule(rule, "", 20 * NS_PER_SEC);
}

/* Between two looks at the truth, shifted; as exactly as the clock is told. */
#define TELLS_ABOUT(id, shift, what, unit)                                                         \
    do {                                                                                           \
        int64_t before = true_ns(id), told = (what), after = true_ns(id);                          \
        CU_ASSERT_TRUE(told >= before + (shift) - (unit) && told <= after + (shift) + (unit));     \
    } while (0)
#define TELLS(id, shift, what) TELLS_ABOUT(id, shift, what, 0)

static int64_t day_ns(void)
{
    struct timeval tv = {.tv_sec = 0};
    CU_ASSERT_EQUAL(gettimeofday(&tv, NULL), 0);
    CU_ASSERT_TRUE(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    return tv.tv_sec * NS_PER_SEC + tv.tv_usec * 1000;
}

static int64_t utc_ns(void)
{
    struct timespec ts;
    CU_ASSERT_EQUAL(timespec_get(&ts, TIME_UTC), TIME_UTC);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static int64_t number_ns(void)
{
    struct timespec ts;
    CU_ASSERT_EQUAL(syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts), 0);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static void test_skew(void)
{
    static const int64_t shifts[] = {3600 * NS_PER_SEC, -7200 * NS_PER_SEC - 1, 999999999,
                                     -999999999, 31536000 * NS_PER_SEC};
    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        int64_t shift = shifts[i];
        time_t kept = 0;
        arm_shift(FIU_BIT(FIU_REALTIME), shift, 0);
        TELLS(CLOCK_REALTIME, shift, told_ns(CLOCK_REALTIME));
        TELLS_ABOUT(CLOCK_REALTIME, shift, day_ns(), 2000);
        TELLS(CLOCK_REALTIME, shift, utc_ns());
        TELLS(CLOCK_REALTIME, shift, number_ns());
        int64_t lowest = (true_ns(CLOCK_REALTIME) + shift) / NS_PER_SEC;
        time_t seconds = time(&kept);
        CU_ASSERT_EQUAL(seconds, kept);
        CU_ASSERT_TRUE(seconds >= lowest && seconds <= lowest + 1);
        TELLS(CLOCK_MONOTONIC, 0, told_ns(CLOCK_MONOTONIC));
        TELLS(CLOCK_BOOTTIME, 0, now());
        struct victim_counts c = counts();
        CU_ASSERT_EQUAL(c.hits, 5);
        CU_ASSERT_EQUAL((int64_t)c.added_ns, shift);
        disarm();
        TELLS(CLOCK_REALTIME, 0, told_ns(CLOCK_REALTIME));
    }
}

/* Before the epoch there is nothing, and a clock without a shift keeps its error. */
static void test_skew_at_its_ends(void)
{
    struct timespec ts;
    arm_shift(FIU_BIT(FIU_REALTIME), INT64_MIN / 2, 0);
    CU_ASSERT_EQUAL(told_ns(CLOCK_REALTIME), 0);
    CU_ASSERT_EQUAL(time(NULL), 0);
    errno = 0;
    CU_ASSERT_EQUAL(clock_gettime(12345, &ts), -1);
    CU_ASSERT_EQUAL(errno, EINVAL);
    disarm();
}

static void test_monotonic(void)
{
    arm_shift(FIU_BIT(FIU_REALTIME) | FIU_BIT(FIU_MONOTONIC), 60 * NS_PER_SEC, 0);
    TELLS(CLOCK_REALTIME, 60 * NS_PER_SEC, told_ns(CLOCK_REALTIME));
    TELLS(CLOCK_MONOTONIC, 60 * NS_PER_SEC, told_ns(CLOCK_MONOTONIC));
    TELLS(CLOCK_MONOTONIC_RAW, 60 * NS_PER_SEC, told_ns(CLOCK_MONOTONIC_RAW));
    disarm();
    TELLS(CLOCK_MONOTONIC, 0, told_ns(CLOCK_MONOTONIC));
}

/* Its lease is on the true clock, however far the victim's own has been set. */
static void test_lease_is_true(void)
{
    struct fiu_rule rule = {.points = FIU_BIT(FIU_REALTIME) | FIU_BIT(FIU_MONOTONIC),
                            .action = FIU_SHIFT,
                            .offset_ns = 365 * 86400 * NS_PER_SEC};
    int64_t start = true_ns(CLOCK_BOOTTIME);
    arm_rule(rule, "", 200 * NS_PER_MS);
    while (told_ns(CLOCK_REALTIME) > true_ns(CLOCK_REALTIME) + NS_PER_SEC &&
           true_ns(CLOCK_BOOTTIME) < start + 10 * NS_PER_SEC)
        (void)usleep(1000);
    int64_t took = true_ns(CLOCK_BOOTTIME) - start;
    CU_ASSERT_TRUE(took >= 200 * NS_PER_MS && took < 5 * NS_PER_SEC);
    TELLS(CLOCK_MONOTONIC, 0, told_ns(CLOCK_MONOTONIC));
    disarm();
}

/* A reading, and how far from it the machine may have been held up around it. */
static int64_t told_about(int64_t *ret_at, int64_t *slack)
{
    *ret_at = true_ns(CLOCK_BOOTTIME);
    int64_t told = told_ns(CLOCK_REALTIME);
    *slack += true_ns(CLOCK_BOOTTIME) - *ret_at;
    return told;
}

/* What the clock gains in a while, in thousandths of what truly passed. */
static void gains(int64_t rate_ppm, int64_t thousandths)
{
    int64_t from, to, slack = NS_PER_MS / 2; /* the wall clock itself may be slewed */
    int64_t truth = true_ns(CLOCK_REALTIME);
    arm_shift(FIU_BIT(FIU_REALTIME), 0, rate_ppm);
    int64_t first = told_about(&from, &slack);
    CU_ASSERT_TRUE(first <=
                   truth + 2 * (true_ns(CLOCK_REALTIME) - truth)); /* begins with no step */
    (void)usleep(100000);
    int64_t gained = told_about(&to, &slack) - first;
    int64_t off = gained - (to - from) / 1000 * thousandths;
    CU_ASSERT_TRUE(off >= -2 * slack && off <= 2 * slack);
    disarm();
}

static void test_drift(void)
{
    gains(500000, 1500);
    gains(-100000, 900);
    gains(-1000000, 0);
}

static const struct check_test tests[] = {
    {"delay", test_delay},
    {"delay ends", test_delay_ends},
    {"delay and signals", test_delay_and_signals},
    {"skew", test_skew},
    {"skew at its ends", test_skew_at_its_ends},
    {"monotonic", test_monotonic},
    {"lease is true", test_lease_is_true},
    {"drift", test_drift},
};
PRELOADED_MAIN("fiu times", tests)
