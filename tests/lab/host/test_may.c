/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel lets a user do, asked of the kernel itself, in a tree of the test's own. */
#include "agents/host/may.h"
#include "check.h"
#include "lab/scratch.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { USER = 61234, OTHER = 61235, GROUP = 61236 };

static char top[300];
static int root = -1;
static struct err err;

static void make_dir(const char *path, unsigned mode, uid_t uid, gid_t gid)
{
    CU_ASSERT_EQUAL(mkdirat(root, path, 0755), 0);
    CU_ASSERT_EQUAL(fchownat(root, path, uid, gid, 0), 0);
    CU_ASSERT_EQUAL(fchmodat(root, path, mode, 0), 0);
}

static void make_file(const char *path, unsigned mode, uid_t uid, gid_t gid)
{
    CLEANUP_FD int fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(fchown(fd, uid, gid), 0);
    CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
}

static enum err_code ask(enum fault_act act, const char *path)
{
    struct path paths[1] = {0};
    (void)snprintf(paths[0].s, sizeof(paths[0].s), "%s", path);
    const struct may_question q = {
        .root = root,
        .name = "deployer",
        .who = {.uid = USER, .gid = USER, .groups = {GROUP}, .n_groups = 1},
        .act = act,
        .paths = paths,
        .n = 1};
    err = (struct err){0};
    return may_act(&q, &err) == 0 ? ERR_NONE : err.code;
}

static void expect(enum fault_act act, const char *path, const char *why)
{
    enum err_code code = ask(act, path);
    bool as_meant =
        why == NULL ? code == ERR_NONE : code == ERR_DENIED && strstr(err.msg, why) != NULL;
    if (!as_meant)
        (void)printf("\n    %s: %d \"%s\"\n", path, (int)code, err.msg);
    CU_ASSERT_TRUE(as_meant);
}

static void test_up(void)
{
    scratch_name(top, sizeof(top), "/tmp", "may");
    CU_ASSERT_EQUAL_FATAL(mkdir(top, 0755), 0);
    root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(root >= 0);
    make_dir("own", 0755, USER, USER);
    make_dir("roots", 0755, 0, 0);
    make_dir("shared", 0775, 0, GROUP);
    make_dir("sticky", 01777, 0, 0);
    make_dir("shut", 0700, 0, 0);
}

static void test_down(void)
{
    struct err why;
    CU_ASSERT_EQUAL(close(root), 0);
    CU_ASSERT_EQUAL(tree_remove(top, &why), 0);
}

static void test_remove(void)
{
    make_file("own/file", 0600, 0, 0); /* the directory decides, not the file */
    make_file("roots/file", 0666, USER, USER);
    make_file("shared/file", 0600, 0, 0);
    make_file("sticky/theirs", 0666, OTHER, OTHER);
    make_file("sticky/ours", 0600, USER, USER);
    make_file("shut/file", 0666, USER, USER);
    expect(ACT_REMOVE, "/own/file", NULL);
    expect(ACT_REMOVE, "/roots/file", "may not write the directory of /roots/file");
    expect(ACT_REMOVE, "/shared/file", NULL);
    expect(ACT_REMOVE, "/sticky/theirs", "sticky");
    expect(ACT_REMOVE, "/sticky/ours", NULL);
    expect(ACT_REMOVE, "/shut/file", "may not search");
    expect(ACT_REMOVE, "/own/nothing", NULL); /* the row says that it is not there */
}

/* One directory deep in a tree keeps the whole from being taken away. */
static void test_remove_tree(void)
{
    make_dir("own/tree", 0755, USER, USER);
    make_dir("own/tree/a", 0755, USER, USER);
    make_file("own/tree/a/file", 0600, 0, 0);
    expect(ACT_REMOVE, "/own/tree", NULL);
    make_dir("own/tree/a/b", 0755, 0, 0);
    expect(ACT_REMOVE, "/own/tree", NULL); /* empty: its parent alone decides */
    make_file("own/tree/a/b/file", 0666, USER, USER);
    expect(ACT_REMOVE, "/own/tree", "the directory of /own/tree/a/b/file");
}

static void test_write(void)
{
    make_file("roots/mine", 0600, USER, USER);
    make_file("roots/group", 0660, 0, GROUP);
    make_file("roots/read", 0644, 0, 0);
    make_file("own/read", 0444, 0, 0);
    expect(ACT_WRITE, "/roots/mine", NULL);
    expect(ACT_WRITE, "/roots/group", NULL);
    expect(ACT_WRITE, "/roots/read", "may not write /roots/read");
    expect(ACT_WRITE, "/own/read", "may not write /own/read");
    expect(ACT_REPLACE, "/roots/mine", NULL);
    expect(ACT_REPLACE, "/own/read", NULL); /* by another file in its place */
    expect(ACT_REPLACE, "/roots/read", "may not write, nor replace, /roots/read");
}

static void test_mode(void)
{
    expect(ACT_MODE, "/roots/mine", NULL);
    expect(ACT_MODE, "/roots/group", "may not change the mode of /roots/group");
}

/* Links of the host stay in the host. */
static void test_links(void)
{
    CU_ASSERT_EQUAL(symlinkat("/own", root, "way"), 0);
    CU_ASSERT_EQUAL(symlinkat("/../../../etc", root, "out"), 0);
    make_file("own/linked", 0600, 0, 0);
    expect(ACT_REMOVE, "/way/linked", NULL);
    expect(ACT_REMOVE, "/out/passwd", NULL); /* /etc of the host: there is none */
}

static void test_immutable(void)
{
    int flags = 0, fixed;
    make_file("own/fixed", 0666, USER, USER);
    CLEANUP_FD int fd = openat(root, "own/fixed", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 ||
        (fixed = flags | FS_IMMUTABLE_FL, ioctl(fd, FS_IOC_SETFLAGS, &fixed)) != 0) {
        (void)printf("note: no immutable files here\n");
        return;
    }
    expect(ACT_REMOVE, "/own/fixed", "immutable");
    expect(ACT_WRITE, "/own/fixed", "may not write /own/fixed");
    CU_ASSERT_EQUAL(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
    expect(ACT_REMOVE, "/own/fixed", NULL);
}

static void test_access_list(void)
{
    make_file("roots/listed", 0600, 0, 0);
    expect(ACT_WRITE, "/roots/listed", "may not write");
    /* The owner and one more user may write; linux/posix_acl_xattr.h. */
    const struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } entries[5];
    } list = {2, {{1, 6, ~0U}, {2, 6, USER}, {4, 0, ~0U}, {16, 6, ~0U}, {32, 0, ~0U}}};
    CLEANUP_FD int fd = openat(root, "roots/listed", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    if (fsetxattr(fd, "system.posix_acl_access", &list, sizeof(list), 0) != 0) {
        (void)printf("note: no access lists here\n");
        return;
    }
    expect(ACT_WRITE, "/roots/listed", NULL);
}

static const struct check_test tests[] = {
    {"a tree", test_up},
    {"remove", test_remove},
    {"remove a tree", test_remove_tree},
    {"write and replace", test_write},
    {"mode", test_mode},
    {"links", test_links},
    {"immutable", test_immutable},
    {"access lists", test_access_list},
    {"the tree goes", test_down},
};

CHECK_MAIN("what a user may", tests)
