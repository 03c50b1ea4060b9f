/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trapped calls, on real ones: a child makes them by raw numbers past every library, its supervisor
 * answers by a page, and the test is the agent that arms it.
 */
#include "agents/fiu/supervisor.h"
#include "agents/fiu/trap.h"
#include "agents/fiu/victim.h"
#include "base/clock.h"
#include "check.h"
#include "lab/servicefaults.h"
#include "lab/tree.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/blackstart-trap-XXXXXX", page_path[64];
static int page = -1;
static uint64_t owner;
static struct err err;
static pid_t supervisor;

static int64_t now(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static void arm_rule(struct fiu_rule rule, const char *beneath)
{
    rule.owner = ++owner;
    rule.ppm = 1000000;
    rule.deadline = rule.deadline != 0 ? rule.deadline : now() + 60 * NS_PER_SEC;
    rule.prefix_len = (uint32_t)snprintf(rule.prefix, sizeof(rule.prefix), "%s/%s", dir, beneath);
    CU_ASSERT_EQUAL_FATAL(victim_arm(page, &rule, &err), 0);
}

static void disarm(void)
{
    CU_ASSERT_EQUAL(victim_disarm(page, owner, &err), 0);
}

static struct victim_counts counts(void)
{
    struct victim_counts c = {.calls = 0};
    CU_ASSERT_EQUAL(victim_counts(page, owner, &c, &err), 0);
    return c;
}

/* Runs `body` in a child whose calls of these points are trapped; its exit status. */
static pid_t start(uint64_t points, int (*body)(void))
{
    int sock = -1;
    CU_ASSERT_EQUAL_FATAL(supervisor_start(page_path, points, &supervisor, &sock, &err), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err why;
        if (supervisor_enter(sock, points, &why) != 0) {
            (void)fprintf(stderr, "%s\n", why.msg);
            _exit(99);
        }
        _exit(body());
    }
    (void)close(sock);
    return child;
}

static int status_of(pid_t pid)
{
    int status = -1;
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* And its supervisor has ended by itself. */
static int run(uint64_t points, int (*body)(void))
{
    int status = status_of(start(points, body));
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
    return status;
}

/* Ends with the line (modulo 250) of the first thing that is not as it should be. */
#define EXPECT(what)                                                                               \
    do {                                                                                           \
        if (!(what))                                                                               \
            return 1 + __LINE__ % 250;                                                             \
    } while (0)
#define FAILS(call)  EXPECT((errno = 0, (long)(call)) == -1 && errno == EDQUOT)
#define PASSES(call) EXPECT((long)(call) >= 0)

static const struct iovec one_byte = {.iov_base = (void *)(uintptr_t) "x", .iov_len = 1};

/* Every call that is trapped, by its number, on files in "in" and then on the same in "out". */
static int calls_on(const char *where, bool fail)
{
#define CALL(...)                                                                                  \
    do {                                                                                           \
        long got = (errno = 0, syscall(__VA_ARGS__));                                              \
        EXPECT(fail ? got == -1 && errno == EDQUOT : got >= 0);                                    \
    } while (0)
    struct open_how {
        uint64_t flags, mode, resolve;
    } how = {.flags = O_RDWR};
    int fd = 100 + (strcmp(where, "in") == 0 ? 0 : 1), base = fd + 10;
    char path[32], path2[32], absolute[96], made[32];
    (void)snprintf(path, sizeof(path), "%s/file", where);
    (void)snprintf(path2, sizeof(path2), "%s/moved", where);
    (void)snprintf(absolute, sizeof(absolute), "%s/%s/../%s/file", dir, where, where);
    (void)snprintf(made, sizeof(made), "%s/made", where);
    CALL(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
    CALL(SYS_openat, AT_FDCWD, absolute, O_RDWR, 0);
    CALL(SYS_openat, base, "file", O_RDWR, 0);
    CALL(SYS_openat, base, "new", O_RDWR | O_CREAT, 0600);
    CALL(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    CALL(SYS_write, fd, "x", 1);
    CALL(SYS_pwrite64, fd, "x", 1, 0);
    CALL(SYS_writev, fd, &one_byte, 1);
    CALL(SYS_pwritev, fd, &one_byte, 1, 0, 0);
    CALL(SYS_pwritev2, fd, &one_byte, 1, 0, 0, 0);
    char got_byte;
    struct iovec into = {.iov_base = &got_byte, .iov_len = 1};
    CALL(SYS_read, fd, &got_byte, 1);
    CALL(SYS_pread64, fd, &got_byte, 1, 0);
    CALL(SYS_readv, fd, &into, 1);
    CALL(SYS_preadv, fd, &into, 1, 0, 0);
    CALL(SYS_preadv2, fd, &into, 1, 0, 0, 0);
    CALL(SYS_fsync, fd);
    CALL(SYS_fdatasync, fd);
    CALL(SYS_sync_file_range, fd, 0, 0, 0);
    CALL(SYS_fallocate, fd, 0, 0, 4096);
    CALL(SYS_ftruncate, fd, 10);
    CALL(SYS_truncate, path, 10);
    CALL(SYS_mkdirat, base, "made", 0700);
    CALL(SYS_unlinkat, base, "made", AT_REMOVEDIR);
    CALL(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, path2, 0);
    CALL(SYS_renameat2, AT_FDCWD, fail ? path : path2, base, "file", 0);
#ifdef SYS_open
    CALL(SYS_open, path, O_RDWR);
    CALL(SYS_creat, path, 0600);
    CALL(SYS_mkdir, made, 0700);
    CALL(SYS_rmdir, made);
    CALL(SYS_rename, path, path2);
    CALL(SYS_rename, fail ? path : path2, path);
    CALL(SYS_renameat, AT_FDCWD, path, base, "moved");
    CALL(SYS_renameat, base, fail ? "file" : "moved", AT_FDCWD, path);
    CALL(SYS_unlink, path);
#endif
    return 0;
#undef CALL
}

static int body_in(void)
{
    return calls_on("in", true);
}

static int body_out(void)
{
    return calls_on("out", false);
}

/* Files and directories that the bodies use, open before anything is trapped. */
static void place_files(void)
{
    static const char *const where[] = {"in", "out"};
    for (int i = 0; i < 2; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "%s/file", where[i]);
        int fd = open(path, O_RDWR | O_CREAT, 0600), at = open(where[i], O_PATH | O_DIRECTORY);
        CU_ASSERT_TRUE_FATAL(fd >= 0 && at >= 0 && write(fd, "0123456789abcdef", 16) == 16);
        CU_ASSERT_TRUE_FATAL(lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, 100 + i) >= 0 &&
                             dup2(at, 110 + i) >= 0);
        (void)close(fd);
        (void)close(at);
    }
}

static void test_each_call(void)
{
    place_files();
    CU_ASSERT_EQUAL(run(TRAP_ALL, body_out), 0);
    arm_rule((struct fiu_rule){.points = TRAP_ALL, .error = EDQUOT}, "in");
    CU_ASSERT_EQUAL(run(TRAP_ALL, body_in), 0);
    struct victim_counts c = counts();
    CU_ASSERT_TRUE(c.sane && c.hits == c.seen && c.hits > 30);
    place_files();
    CU_ASSERT_EQUAL(run(TRAP_ALL, body_out), 0);
    CU_ASSERT_EQUAL(counts().hits, c.hits);
    CU_ASSERT(counts().calls > c.calls + 30);
    disarm();
    place_files();
}

/* What is not in the mask is not stopped, and no fault reaches it. */
static int body_syncs(void)
{
    PASSES(syscall(SYS_pwrite64, 100, "x", 1, 0));
    FAILS(syscall(SYS_fdatasync, 100));
    return 0;
}

static void test_only_the_mask(void)
{
    arm_rule((struct fiu_rule){.points = TRAP_ALL, .error = EDQUOT}, "in");
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_syncs), 0);
    CU_ASSERT_EQUAL(counts().calls, 1);
    disarm();
}

static int body_budget(void)
{
    FAILS(syscall(SYS_fsync, 100));
    FAILS(syscall(SYS_fsync, 100));
    PASSES(syscall(SYS_fsync, 100));
    /* A child of the program stands under the same filter. */
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(SYS_fsync, 100) == 0 ? 0 : 1);
    return status_of(pid);
}

static void test_budget(void)
{
    arm_rule((struct fiu_rule){.points = FIU_BIT(FIU_FSYNC), .error = EDQUOT, .budget = 2}, "in");
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_budget), 0);
    CU_ASSERT_EQUAL(counts().hits, 2);
    CU_ASSERT_EQUAL(counts().seen, 4);
    disarm();
}

static int body_lease(void)
{
    FAILS(syscall(SYS_fsync, 100));
    (void)usleep(300000);
    PASSES(syscall(SYS_fsync, 100));
    return 0;
}

static void test_lease(void)
{
    arm_rule((struct fiu_rule){.points = FIU_BIT(FIU_FSYNC),
                               .error = EDQUOT,
                               .deadline = now() + 200 * NS_PER_MS},
             "in");
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_lease), 0);
    disarm();
}

/* Two threads of control wait at once; signals, of which Go sends many, do not begin the wait
 * again. */
static void on_signal(int number)
{
    (void)number;
}

static int64_t fsync_takes(void)
{
    int64_t start_ns = now();
    long rc = syscall(SYS_fsync, 100);
    return rc == 0 ? now() - start_ns : -1;
}

static int body_delay(void)
{
    const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const struct itimerval every = {.it_interval = {.tv_usec = 10000},
                                    .it_value = {.tv_usec = 10000}};
    pid_t pid = fork();
    if (pid == 0)
        _exit(fsync_takes() >= 200 * NS_PER_MS ? 0 : 1);
    (void)sigaction(SIGALRM, &act, NULL);
    (void)setitimer(ITIMER_REAL, &every, NULL);
    int64_t took = fsync_takes();
    EXPECT(took >= 200 * NS_PER_MS && took < 20 * NS_PER_SEC);
    const struct itimerval none = {.it_value = {.tv_usec = 0}};
    (void)setitimer(ITIMER_REAL, &none, NULL);
    return status_of(pid);
}

static void test_delay(void)
{
    arm_rule((struct fiu_rule){.points = FIU_BIT(FIU_FSYNC),
                               .action = FIU_DELAY,
                               .delay_ns = 200 * NS_PER_MS},
             "in");
    int64_t began = now();
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_delay), 0);
    int64_t took = now() - began;
    struct victim_counts c = counts();
    CU_ASSERT_EQUAL(c.hits, 2);
    CU_ASSERT(c.added_ns >= (uint64_t)(400 * NS_PER_MS));
    CU_ASSERT(c.added_ns <= 2 * (uint64_t)took);
    disarm();
}

static int body_long_delay(void)
{
    int64_t took = fsync_takes();
    EXPECT(took >= 100 * NS_PER_MS && took < 30 * NS_PER_SEC);
    return 0;
}

/* A revert ends the waits that are under way. */
static void test_disarm_ends_waits(void)
{
    arm_rule((struct fiu_rule){.points = FIU_BIT(FIU_FSYNC),
                               .action = FIU_DELAY,
                               .delay_ns = 50 * NS_PER_SEC},
             "in");
    pid_t child = start(TRAP_RARE, body_long_delay);
    while (counts().hits == 0)
        (void)usleep(1000);
    (void)usleep(150000);
    disarm();
    CU_ASSERT_EQUAL(status_of(child), 0);
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

static int body_forever(void)
{
    return fsync_takes() > 0 ? 0 : 1;
}

/* A program that is killed while it waits is gone at once, and its supervisor with it. */
static void test_kill(void)
{
    arm_rule((struct fiu_rule){.points = FIU_BIT(FIU_FSYNC),
                               .action = FIU_DELAY,
                               .delay_ns = 50 * NS_PER_SEC},
             "in");
    pid_t child = start(TRAP_RARE, body_forever);
    while (counts().hits == 0)
        (void)usleep(1000);
    (void)kill(child, SIGKILL);
    CU_ASSERT_EQUAL(status_of(child), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
    disarm();
}

static int body_orphan(void)
{
    PASSES(syscall(SYS_fsync, 100));
    (void)kill(supervisor, SIGKILL);
    while (syscall(SYS_fsync, 100) == 0)
        (void)usleep(1000);
    EXPECT(errno == ENOSYS);
    return 0;
}

/* The declared loss: without its supervisor the program's trapped calls fail, until it is started
 * again; and the page tells that nobody is there. */
static void test_supervisor_dies(void)
{
    CU_ASSERT_EQUAL(status_of(start(TRAP_RARE, body_orphan)), 0);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_forever), 0);
}

static int body_ring(void)
{
    char params[120] = "";
    return syscall(SYS_io_uring_setup, 4, params) == -1 && errno == ENOSYS ? 0 : 1;
}

static void test_no_ring(void)
{
    CU_ASSERT_EQUAL(run(TRAP_RARE, body_ring), 0);
}

/* What `faults: auto` makes of a program that asks for a dynamic linker, one that does not, a
 * script, and nothing at all. */
static void test_auto(void)
{
    Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                       .e_phentsize = sizeof(Elf64_Phdr)};
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/static", dir);
    CU_ASSERT_EQUAL(tree_write(path, &head, sizeof(head), 0755, &err), 0);
    CU_ASSERT_EQUAL(servicefaults_choose(path), LAB_FAULTS_SECCOMP);
    (void)snprintf(path, sizeof(path), "%s/script", dir);
    CU_ASSERT_EQUAL(tree_write(path, "#!/bin/sh\n", 10, 0755, &err), 0);
    CU_ASSERT_EQUAL(servicefaults_choose(path), LAB_FAULTS_PRELOAD);
    CU_ASSERT_EQUAL(servicefaults_choose("/bin/sh"), LAB_FAULTS_PRELOAD);
    CU_ASSERT_EQUAL(servicefaults_choose("sh"), LAB_FAULTS_PRELOAD);
    CU_ASSERT_EQUAL(servicefaults_choose("/nothing/there"), LAB_FAULTS_PRELOAD);
}

static int make_place(void)
{
    struct fiu_page *made;
    if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("in", 0700) != 0 ||
        mkdir("out", 0700) != 0)
        return -1;
    (void)snprintf(page_path, sizeof(page_path), "%s/page", dir);
    page = open(page_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (page < 0 || ftruncate(page, FIU_PAGE_SIZE) != 0)
        return -1;
    made = mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (made == MAP_FAILED)
        return -1;
    fiu_page_init(made);
    return munmap(made, FIU_PAGE_SIZE);
}

static const struct check_test tests[] = {
    {"each call", test_each_call}, {"only the mask", test_only_the_mask},
    {"budget", test_budget},       {"lease", test_lease},
    {"delay", test_delay},         {"disarm ends waits", test_disarm_ends_waits},
    {"kill", test_kill},           {"supervisor dies", test_supervisor_dies},
    {"no io_uring", test_no_ring}, {"auto", test_auto},
};

int main(void)
{
    int status = make_place() == 0
                     ? check_main("trapped calls", tests, sizeof(tests) / sizeof(tests[0]))
                     : 2;
    return tree_remove(dir, &err) != 0 ? 2 : status;
}
