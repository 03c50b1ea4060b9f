/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every wrapped function that works on files and sockets, called for real. All rules have a path
 * prefix, or points that the agent's own side does not use.
 */
#include "agents/fiu/preload_next.h"
#include "preloaded.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>

static void test_each_write(void)
{
    int fd = open("in/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int other = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct iovec v = {.iov_base = dir, .iov_len = 4};
    arm(FIU_BIT(FIU_WRITE), EDQUOT, "/nowhere", NS_PER_SEC);
    WORKS(write(fd, dir, 4));
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    arm(FIU_BIT(FIU_WRITE), EDQUOT, prefix, 10 * NS_PER_SEC);
    FAILS(write(fd, dir, 4));
    FAILS(pwrite(fd, dir, 4, 0));
    FAILS(pwrite64(fd, dir, 4, 0));
    FAILS(writev(fd, &v, 1));
    FAILS(pwritev(fd, &v, 1, 0));
    FAILS(pwritev64(fd, &v, 1, 0));
    FAILS(pwritev2(fd, &v, 1, 0, 0));
    FAILS(pwritev64v2(fd, &v, 1, 0, 0));
    WORKS(write(other, dir, 4));
    WORKS(writev(other, &v, 1));
    struct victim_counts c = counts();
    CU_ASSERT_EQUAL(c.hits, 8);
    CU_ASSERT_EQUAL(c.seen, 8);
    CU_ASSERT_TRUE(c.calls >= 10 && c.sane);
    disarm();
    WORKS(write(fd, dir, 4));
    (void)close(fd);
    (void)close(other);
}

static void test_each_read_and_sync(void)
{
    char buf[8];
    struct iovec v = {.iov_base = buf, .iov_len = 4};
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    int fd = open("in/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    arm(FIU_BIT(FIU_READ) | FIU_BIT(FIU_FSYNC) | FIU_BIT(FIU_FDATASYNC) | FIU_BIT(FIU_SYNC_RANGE) |
            FIU_BIT(FIU_TRUNCATE) | FIU_BIT(FIU_ALLOCATE) | FIU_BIT(FIU_SENDFILE),
        EDQUOT, prefix, 10 * NS_PER_SEC);
    FAILS(read(fd, buf, 4));
    FAILS(pread(fd, buf, 4, 0));
    FAILS(pread64(fd, buf, 4, 0));
    FAILS(readv(fd, &v, 1));
    FAILS(preadv(fd, &v, 1, 0));
    FAILS(preadv64(fd, &v, 1, 0));
    FAILS(preadv2(fd, &v, 1, 0, 0));
    FAILS(preadv64v2(fd, &v, 1, 0, 0));
    FAILS(fsync(fd));
    FAILS(fdatasync(fd));
    FAILS(sync_file_range(fd, 0, 0, 0));
    FAILS(ftruncate(fd, 10));
    FAILS(ftruncate64(fd, 10));
    FAILS(truncate("in/file", 10));
    FAILS(truncate64("in/file", 10));
    FAILS(fallocate(fd, 0, 0, 10));
    FAILS(fallocate64(fd, 0, 0, 10));
    FAILS(sendfile(1, fd, NULL, 1));
    FAILS(sendfile64(1, fd, NULL, 1));
    errno = 3;
    CU_ASSERT_EQUAL(posix_fallocate(fd, 0, 10), EDQUOT);
    CU_ASSERT_EQUAL(posix_fallocate64(fd, 0, 10), EDQUOT);
    CU_ASSERT_EQUAL(errno, 3);
    CU_ASSERT_EQUAL(counts().hits, 21);
    disarm();
    WORKS(fsync(fd));
    CU_ASSERT_EQUAL(posix_fallocate(fd, 0, 10), 0);
    (void)close(fd);
}

static void test_each_name(void)
{
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    int at = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    WORKS(symlink("../in/file", "out/link"));
    arm(FIU_BIT(FIU_OPEN) | FIU_BIT(FIU_RENAME) | FIU_BIT(FIU_UNLINK) | FIU_BIT(FIU_MKDIR), EDQUOT,
        prefix, 10 * NS_PER_SEC);
    FAILS(open("in/file", O_RDONLY));
    FAILS(open64(in("file"), O_RDONLY));
    FAILS(open("out/../in/new", O_RDWR | O_CREAT, 0600));
    FAILS(open("out/link", O_RDONLY));
    FAILS(openat(at, "file", O_RDONLY));
    FAILS(openat64(at, "new", O_RDWR | O_CREAT, 0600));
    FAILS(creat("in/new", 0600));
    FAILS(creat64("in/new", 0600));
    FAILS(rename("in/file", "out/gone"));
    FAILS(rename("out/file", "in/come"));
    FAILS(renameat(at, "file", AT_FDCWD, "out/gone"));
    FAILS(renameat2(at, "file", AT_FDCWD, "out/gone", 0));
    FAILS(unlink("in/file"));
    FAILS(unlinkat(at, "file", 0));
    FAILS(remove("in/file"));
    FAILS(mkdir("in/d", 0700));
    FAILS(mkdirat(at, "d", 0700));
    CU_ASSERT_PTR_NULL(fopen("in/file", "re"));
    CU_ASSERT_PTR_NULL(fopen64("in/file", "re"));
    CU_ASSERT_EQUAL(counts().hits, 19);
    /* The link itself lies outside, and so does what it is not asked to follow. */
    WORKS(unlink("out/link"));
    WORKS(mkdir("out/d", 0700));
    WORKS(rename("out/d", "out/e"));
    WORKS(remove("out/e"));
    CU_ASSERT_EQUAL(counts().hits, 19);
    disarm();
    FILE *f = fopen("in/file", "re");
    CU_ASSERT_PTR_NOT_NULL(f);
    if (f != NULL)
        (void)fclose(f);
    (void)close(at);
}

static void test_each_socket_call(void)
{
    int pair[2];
    char buf[4] = "x";
    struct iovec v = {.iov_base = buf, .iov_len = 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct sockaddr_in to = {.sin_family = AF_INET};
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    arm(FIU_BIT(FIU_SOCKET) | FIU_BIT(FIU_BIND) | FIU_BIT(FIU_LISTEN) | FIU_BIT(FIU_CONNECT) |
            FIU_BIT(FIU_ACCEPT) | FIU_BIT(FIU_SEND) | FIU_BIT(FIU_RECV),
        EDQUOT, "", 10 * NS_PER_SEC);
    FAILS(socket(AF_INET, SOCK_STREAM, 0));
    FAILS(bind(pair[0], (struct sockaddr *)&to, sizeof(to)));
    FAILS(listen(pair[0], 1));
    FAILS(connect(pair[0], (struct sockaddr *)&to, sizeof(to)));
    FAILS(accept(pair[0], NULL, NULL));
    FAILS(accept4(pair[0], NULL, NULL, 0));
    FAILS(send(pair[0], buf, 1, 0));
    FAILS(sendto(pair[0], buf, 1, 0, NULL, 0));
    FAILS(sendmsg(pair[0], &m, 0));
    FAILS(recv(pair[1], buf, 1, MSG_DONTWAIT));
    FAILS(recvfrom(pair[1], buf, 1, MSG_DONTWAIT, NULL, NULL));
    FAILS(recvmsg(pair[1], &m, MSG_DONTWAIT));
    CU_ASSERT_EQUAL(counts().hits, 12);
    disarm();
    WORKS(send(pair[0], buf, 1, 0));
    WORKS(recv(pair[1], buf, 1, 0));
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* A descriptor's number is not the file: closed behind our back, it is another one. */
static void test_same_number_other_file(void)
{
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    int fd = open("in/file", O_RDWR | O_CLOEXEC);
    int other = open("out/file", O_RDWR | O_CLOEXEC);
    arm(FIU_BIT(FIU_WRITE), EDQUOT, prefix, 10 * NS_PER_SEC);
    FAILS(write(fd, "x", 1));
    FAILS(write(fd, "x", 1));
    WORKS(dup2(other, fd));
    WORKS(write(fd, "x", 1));
    (void)close(fd);
    fd = open("in/file", O_RDWR | O_CLOEXEC);
    FAILS(write(fd, "x", 1));
    /* It moves out with its inode, and is out at once. */
    WORKS(rename("in/file", "out/moved"));
    WORKS(write(fd, "x", 1));
    WORKS(rename("out/moved", "in/file"));
    FAILS(write(fd, "x", 1));
    disarm();
    (void)close(fd);
    (void)close(other);
}

/* Nobody disarms: the rule dies by itself, here at most one call late. */
static void test_deadline(void)
{
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    int fd = open("in/file", O_RDWR | O_CLOEXEC);
    int64_t earliest = now() + 100 * NS_PER_MS, end;
    arm(FIU_BIT(FIU_WRITE), EDQUOT, prefix, 100 * NS_PER_MS);
    end = now() + 10 * NS_PER_SEC;
    while (write(fd, "x", 1) < 0 && now() < end)
        (void)usleep(500);
    CU_ASSERT_TRUE(now() >= earliest && now() < end);
    uint64_t hits = counts().hits;
    CU_ASSERT_TRUE(hits > 10);
    WORKS(write(fd, "x", 1));
    CU_ASSERT_EQUAL(counts().hits, hits);
    disarm();
    (void)close(fd);
}

/* A call that works leaves errno as it found it. */
static void test_errno_is_kept(void)
{
    int fd = open("out/file", O_RDWR | O_CLOEXEC);
    arm(FIU_BIT(FIU_WRITE) | FIU_BIT(FIU_OPEN), EDQUOT, "/nowhere/at/all", 10 * NS_PER_SEC);
    errno = ECHILD;
    WORKS(write(fd, "x", 1));
    CU_ASSERT_EQUAL(errno, ECHILD);
    disarm();
    (void)close(fd);
}

static void *write_many(void *arg)
{
    int fd = *(int *)arg, failed = 0;
    for (int i = 0; i < 2000; i++)
        failed += write(fd, "x", 1) < 0;
    return (void *)(intptr_t)failed;
}

/* Threads and forked children together spend exactly the budget, while rules come and go. */
static void test_budget_is_shared(void)
{
    struct err err;
    char prefix[80];
    int fd = open("in/file", O_RDWR | O_CLOEXEC);
    int n = snprintf(prefix, sizeof(prefix), "%s/in", dir);
    owner++;
    struct fiu_rule rule = {.points = FIU_BIT(FIU_WRITE),
                            .deadline = now() + 20 * NS_PER_SEC,
                            .owner = owner,
                            .ppm = 500000,
                            .seed = 1,
                            .budget = 1500,
                            .error = EDQUOT,
                            .prefix_len = (uint32_t)n};
    memcpy(rule.prefix, prefix, sizeof(prefix));
    CU_ASSERT_EQUAL_FATAL(victim_arm(page, &rule, &err), 0);
    pthread_t threads[3];
    pid_t children[2];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, write_many, &fd), 0);
    for (int i = 0; i < 2; i++)
        if ((children[i] = fork()) == 0)
            _exit((int)(intptr_t)write_many(&fd) / 100);
    for (int i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(victim_renew(page, owner, now() + 20 * NS_PER_SEC, now, &err), 0);
    int failed = 0;
    for (int i = 0; i < 3; i++) {
        void *status = NULL;
        (void)pthread_join(threads[i], &status);
        failed += (int)(intptr_t)status;
    }
    for (int i = 0; i < 2; i++)
        (void)waitpid(children[i], NULL, 0);
    CU_ASSERT_TRUE(failed > 0 && failed <= 1500);
    struct victim_counts c = counts();
    CU_ASSERT_EQUAL(c.hits, 1500);
    CU_ASSERT_EQUAL(c.seen, 10000);
    disarm();
    (void)close(fd);
}

/* All that is wrapped is reached, and nothing of libfiu can stand before a program's own names. */
static void test_exports(void)
{
    static const char *const wrapped[] = {
#define NAME(name) #name,
        PRELOAD_NEXT(NAME)
#undef NAME
    };
    static const char *const hidden[] = {"fiu_fail",  "fiu_init",   "hash_create",
                                         "cache_get", "wtable_get", "preload_decide"};
    void *library = dlopen(BINARY_DIR "/" FIU_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(library);
    for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
        Dl_info info;
        void *found = dlsym(RTLD_DEFAULT, wrapped[i]);
        bool ours = found != NULL && dladdr(found, &info) != 0 &&
                    strstr(info.dli_fname, FIU_LIBRARY) != NULL;
        if (!ours)
            printf("%s is not wrapped\n", wrapped[i]);
        CU_ASSERT_TRUE(ours);
    }
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        CU_ASSERT_PTR_NULL(dlsym(library, hidden[i]));
    (void)dlclose(library);
}

static const struct check_test tests[] = {
    {"exports", test_exports},
    {"each write", test_each_write},
    {"each read and sync", test_each_read_and_sync},
    {"each name", test_each_name},
    {"each socket call", test_each_socket_call},
    {"same number, other file", test_same_number_other_file},
    {"deadline", test_deadline},
    {"errno is kept", test_errno_is_kept},
    {"budget is shared", test_budget_is_shared},
};
PRELOADED_MAIN("fiu calls", tests)
