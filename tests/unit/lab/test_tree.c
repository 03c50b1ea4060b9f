/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "check.h"
#include "lab/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 64 * 1024, COPIES = 400 };

static char dir[] = "/tmp/blackstart-tree-XXXXXX", source[64], copy[64];
static char content[SIZE], seen[SIZE];

static bool is_whole(void)
{
    struct stat st;
    CLEANUP_FD int fd = open(copy, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    for (ssize_t n = 1; fd >= 0 && n > 0 && len<SIZE; len += n> 0 ? (size_t)n : 0)
        n = read(fd, seen + len, SIZE - len);
    return fd >= 0 && len == SIZE && memcmp(content, seen, SIZE) == 0 && fstat(fd, &st) == 0 &&
           (st.st_mode & 0777) == 0755;
}

/* Until the pipe's other end is closed; 1: it once saw a part, or nothing. */
static _Noreturn void watch(int fd)
{
    char byte;
    while (read(fd, &byte, 1) < 0)
        if (!is_whole())
            _exit(1);
    _exit(0);
}

/* A service that just starts from a file does not see that another one's start replaces it. */
static void test_replaced_whole(void)
{
    const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0755};
    struct err err;
    int ends[2], status = -1;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    (void)snprintf(source, sizeof(source), "%s/source", dir);
    (void)snprintf(copy, sizeof(copy), "%s/copy", dir);
    memset(content, 'x', sizeof(content));
    CU_ASSERT_EQUAL_FATAL(tree_write(source, content, SIZE, 0600, &err), 0);
    CLEANUP_FD int from = open(source, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(tree_copy(from, copy, &how, &err), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[1]);
        watch(ends[0]);
    }
    for (int i = 0; i < COPIES; i++)
        CU_ASSERT_EQUAL(tree_copy(from, copy, &how, &err), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(tree_remove(dir, &err), 0);
}

static const struct check_test tests[] = {
    {"a file is replaced whole", test_replaced_whole},
};

CHECK_MAIN("lab/tree", tests)
