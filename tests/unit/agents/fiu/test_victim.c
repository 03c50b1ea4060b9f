/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's side of the page, on real files: arming, renewing, disarming, and pages gone bad. */
#include "agents/fiu/victim.h"
#include "base/cleanup.h"
#include "check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char root_path[] = "/tmp/blackstart-victim-XXXXXX";
static int root = -1;
static int64_t now_ns;

static int64_t virtual_now(void)
{
    return now_ns;
}

/* A clock that jumps over the old deadline between the two looks at it. */
static int64_t leaping_now(void)
{
    int64_t t = now_ns;
    now_ns += 1000;
    return t;
}

static struct fiu_page *page_make(const char *service)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/run/blackstart-fiu/%s.page", root_path, service);
    CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    CU_ASSERT_FATAL(fd >= 0 && ftruncate(fd, FIU_PAGE_SIZE) == 0);
    void *at = mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CU_ASSERT_FATAL(at != MAP_FAILED);
    fiu_page_init(at);
    return at;
}

static struct fiu_rule rule_make(uint64_t owner, enum fiu_point point)
{
    return (struct fiu_rule){.points = FIU_BIT(point), .deadline = 5000, .owner = owner, .ppm = 1};
}

static void test_arm_and_disarm(void)
{
    struct err err;
    struct fiu_page *page = page_make("a");
    CLEANUP_FD int fd = -1;
    CU_ASSERT_FATAL(victim_open(root, "a", &fd, &err) == 0);
    struct fiu_rule one = rule_make(1, FIU_WRITE), two = rule_make(2, FIU_FSYNC), read;
    bool armed = false;
    CU_ASSERT_EQUAL(victim_arm(fd, &one, &err), 0);
    CU_ASSERT_EQUAL(victim_arm(fd, &two, &err), 0);
    CU_ASSERT_EQUAL(atomic_load(&page->armed), FIU_BIT(FIU_WRITE) | FIU_BIT(FIU_FSYNC));
    /* What the library reads is what was asked for. */
    CU_ASSERT_TRUE(fiu_rule_load(&page->slots[1], &read));
    CU_ASSERT_EQUAL(memcmp(&read, &two, sizeof(read)), 0);
    CU_ASSERT_EQUAL(victim_is_armed(fd, &one, &armed, &err), 0);
    CU_ASSERT_TRUE(armed);
    CU_ASSERT_EQUAL(victim_disarm(fd, 1, &err), 0);
    CU_ASSERT_EQUAL(atomic_load(&page->armed), FIU_BIT(FIU_FSYNC));
    CU_ASSERT_EQUAL(victim_find(fd, 1, &read, &err), 0);
    CU_ASSERT_EQUAL(read.points, 0);
    /* Again, and of nobody: nothing happens. */
    CU_ASSERT_EQUAL(victim_disarm(fd, 1, &err), 0);
    CU_ASSERT_EQUAL(victim_disarm(fd, 99, &err), 0);
    CU_ASSERT_EQUAL(victim_disarm(fd, 2, &err), 0);
    CU_ASSERT_EQUAL(atomic_load(&page->armed), 0);
    CU_ASSERT_NOT_EQUAL(victim_find(fd, 99, &read, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    (void)munmap(page, FIU_PAGE_SIZE);
}

static void test_slots_run_out_and_come_back(void)
{
    struct err err;
    struct fiu_page *page = page_make("b");
    CLEANUP_FD int fd = -1;
    CU_ASSERT_FATAL(victim_open(root, "b", &fd, &err) == 0);
    for (uint64_t i = 0; i < FIU_RULES_MAX; i++) {
        struct fiu_rule rule = rule_make(100 + i, FIU_READ);
        CU_ASSERT_EQUAL(victim_arm(fd, &rule, &err), 0);
    }
    struct fiu_rule more = rule_make(200, FIU_READ);
    CU_ASSERT_NOT_EQUAL(victim_arm(fd, &more, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
    atomic_store(&page->slots[3].seen, 5);
    CU_ASSERT_EQUAL(victim_disarm(fd, 103, &err), 0);
    CU_ASSERT_EQUAL(victim_arm(fd, &more, &err), 0);
    struct victim_counts counts;
    CU_ASSERT_EQUAL(victim_counts(fd, 200, &counts, &err), 0);
    CU_ASSERT_EQUAL(counts.seen, 0);
    (void)munmap(page, FIU_PAGE_SIZE);
}

static void test_renew(void)
{
    struct err err;
    struct fiu_page *page = page_make("c");
    CLEANUP_FD int fd = -1;
    CU_ASSERT_FATAL(victim_open(root, "c", &fd, &err) == 0);
    struct fiu_rule rule = rule_make(1, FIU_WRITE), read;
    CU_ASSERT_EQUAL(victim_arm(fd, &rule, &err), 0);
    now_ns = 4999;
    CU_ASSERT_EQUAL(victim_renew(fd, 1, 9000, virtual_now, &err), 0);
    CU_ASSERT_TRUE(fiu_rule_load(&page->slots[0], &read));
    CU_ASSERT_EQUAL(read.deadline, 9000);
    now_ns = 8500; /* passes 9000 between the looks */
    CU_ASSERT_NOT_EQUAL(victim_renew(fd, 1, 20000, leaping_now, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    CU_ASSERT_TRUE(fiu_rule_load(&page->slots[0], &read));
    CU_ASSERT_EQUAL(read.deadline, 9000);
    now_ns = 9000;
    CU_ASSERT_NOT_EQUAL(victim_renew(fd, 1, 20000, virtual_now, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    (void)munmap(page, FIU_PAGE_SIZE);
}

static void test_counts_that_lie(void)
{
    struct err err;
    struct fiu_page *page = page_make("d");
    CLEANUP_FD int fd = -1;
    CU_ASSERT_FATAL(victim_open(root, "d", &fd, &err) == 0);
    struct fiu_rule rule = rule_make(1, FIU_WRITE);
    struct victim_counts counts;
    CU_ASSERT_EQUAL(victim_arm(fd, &rule, &err), 0);
    atomic_store(&page->slots[0].calls, 9);
    atomic_store(&page->slots[0].seen, 7);
    atomic_store(&page->slots[0].hits, 7);
    CU_ASSERT_EQUAL(victim_counts(fd, 1, &counts, &err), 0);
    CU_ASSERT_TRUE(counts.sane && counts.calls == 9 && counts.seen == 7 && counts.hits == 7);
    atomic_store(&page->slots[0].hits, 8);
    CU_ASSERT_EQUAL(victim_counts(fd, 1, &counts, &err), 0);
    CU_ASSERT_FALSE(counts.sane);
    (void)munmap(page, FIU_PAGE_SIZE);
}

/* A victim that truncates its page: the agent reports it, lives, and does not make it longer. */
static void test_page_cut_short(void)
{
    struct err err;
    struct fiu_page *page = page_make("e");
    CLEANUP_FD int fd = -1;
    CU_ASSERT_FATAL(victim_open(root, "e", &fd, &err) == 0);
    struct fiu_rule rule = rule_make(1, FIU_WRITE);
    CU_ASSERT_EQUAL(victim_arm(fd, &rule, &err), 0);
    (void)munmap(page, FIU_PAGE_SIZE);
    CU_ASSERT_EQUAL(ftruncate(fd, 100), 0);
    CU_ASSERT_NOT_EQUAL(victim_disarm(fd, 1, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_FOREIGN);
    struct stat st;
    CU_ASSERT_TRUE(fstat(fd, &st) == 0 && st.st_size == 100);
    int again = -1;
    CU_ASSERT_NOT_EQUAL(victim_open(root, "e", &again, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_FOREIGN);
}

static void test_no_page(void)
{
    struct err err;
    int fd = -1;
    CU_ASSERT_NOT_EQUAL(victim_open(root, "nobody", &fd, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "write `preload: true`"));
    /* A link out of the directory is not followed, wherever it leads. */
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/run/blackstart-fiu/link.page", root_path);
    CU_ASSERT_EQUAL(symlink("a.page", path), 0);
    CU_ASSERT_NOT_EQUAL(victim_open(root, "link", &fd, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_SYSTEM);
}

static void test_points(void)
{
    CU_ASSERT_EQUAL(victim_point("posix.write"), FIU_WRITE);
    CU_ASSERT_EQUAL(victim_point("posix.recv"), FIU_RECV);
    CU_ASSERT_EQUAL(victim_point("write"), FIU_N_POINTS);
}

static const struct check_test tests[] = {
    {"arm and disarm", test_arm_and_disarm},
    {"slots run out and come back", test_slots_run_out_and_come_back},
    {"renew", test_renew},
    {"counts that lie", test_counts_that_lie},
    {"page cut short", test_page_cut_short},
    {"no page", test_no_page},
    {"points", test_points},
};

int main(void)
{
    char path[128];
    if (mkdtemp(root_path) == NULL || chdir(root_path) != 0 || mkdir("run", 0755) != 0 ||
        mkdir("run/blackstart-fiu", 0755) != 0)
        return 2;
    root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int status = check_main("fiu victim", tests, sizeof(tests) / sizeof(tests[0]));
    static const char *const made[] = {"a.page", "b.page", "c.page",
                                       "d.page", "e.page", "link.page"};
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        (void)snprintf(path, sizeof(path), "run/blackstart-fiu/%s", made[i]);
        (void)unlink(path);
    }
    (void)rmdir("run/blackstart-fiu");
    (void)rmdir("run");
    (void)chdir("/");
    (void)rmdir(root_path);
    return status;
}
