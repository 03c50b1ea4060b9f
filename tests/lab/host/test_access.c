/* SPDX-License-Identifier: GPL-2.0-or-later */
/* access.deny: who may read what while it is on, and that every right is back as it was. */
#include "lab/host/environment.h"

#include <sys/xattr.h>

enum { SOMEBODY = 4711, OTHER = 4712 };

#define CONF "/etc/app/app.conf"

static void deny_args(const char *path, const char *name, const char *value)
{
    reset_args("access.deny");
    rig_set(row, args, "path", path);
    rig_set(row, args, name, value);
}

/* errno of an open by that user, or 0. */
static int open_as(uid_t uid, const char *path, int flags)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
            _exit(255);
        _exit(open(in_host(path), flags | O_CLOEXEC) >= 0 ? 0 : errno);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void note_before(void)
{
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
}

static void everyone_may(const char *path, mode_t mode)
{
    CU_ASSERT_EQUAL(chmod(rig.dir, 0755), 0);
    CU_ASSERT_EQUAL(chmod(in_host(path), mode), 0);
    note_before();
}

static void test_mode(void)
{
    begin("access.deny");
    everyone_may(CONF, 0644);
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), 0);
    deny_args(CONF, "mode", "0600");
    put_on();
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), EACCES);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), 0);
    CU_ASSERT_TRUE(is_as_before());
    end();
}

/* A set-user-id program loses the bit by a change of its owner, and has it back. */
static void test_owner(void)
{
    struct stat st;
    begin("access.deny");
    deny_args("/etc/app/conf.d/deep/x", "owner", "0");
    rig_set(row, args, "group", "0");
    put_on();
    CU_ASSERT_EQUAL(stat(in_host("/etc/app/conf.d/deep/x"), &st), 0);
    CU_ASSERT_EQUAL(st.st_uid, 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_user(void)
{
    begin("access.deny");
    everyone_may(CONF, 0664);
    deny_args(CONF, "user", "4711");
    put_on();
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), EACCES);
    CU_ASSERT_EQUAL(open_as(OTHER, CONF, O_RDONLY), 0);
    CU_ASSERT_EQUAL(open_as(OTHER, CONF, O_WRONLY), EACCES);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    /* One that has a list already gets its own back. */
    put_on();
    note_before();
    deny_args(CONF, "user", "4712");
    (void)snprintf(undo.injection, sizeof(undo.injection), "i2");
    put_on();
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), EACCES);
    CU_ASSERT_EQUAL(open_as(OTHER, CONF, O_RDONLY), EACCES);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    CU_ASSERT_EQUAL(open_as(SOMEBODY, CONF, O_RDONLY), EACCES);
    CU_ASSERT_EQUAL(open_as(OTHER, CONF, O_RDONLY), 0);
    end();
}

static void test_tree(void)
{
    struct stat st;
    begin("access.deny");
    deny_args("/etc/app", "mode", "0000");
    rig_set(row, args, "owner", "4711");
    rig_set(row, args, "user", "4712");
    rig_set(row, args, "recursive", "true");
    put_on();
    CU_ASSERT_EQUAL(stat(in_host("/etc/app/conf.d/deep/x"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0);
    CU_ASSERT_EQUAL(st.st_uid, SOMEBODY);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    CU_ASSERT_FALSE(take_off()); /* once more, as a new agent might */
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_others_change_rights(void)
{
    struct stat st;
    begin("access.deny");
    deny_args("/etc/app", "mode", "0000");
    rig_set(row, args, "recursive", "true");
    put_on();
    CU_ASSERT_EQUAL(chmod(in_host(CONF), 0444), 0);
    CU_ASSERT_TRUE(take_off());
    CU_ASSERT_EQUAL(stat(in_host(CONF), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0444); /* theirs stays */
    CU_ASSERT_EQUAL(chmod(in_host(CONF), 0640), 0);
    CU_ASSERT_TRUE(is_as_before()); /* and all else is back */
    end();
}

static void test_refused(void)
{
    begin("access.deny");
    make_file(in_host("/etc/passwd"), "root:x:0:0:root:/:/bin/sh\nweb:x:33:33::/:\n", 0644);
    note_before();
    deny_args(CONF, "owner", "nobody-here");
    refuse(ERR_NOT_FOUND, "has no nobody-here");
    deny_args("/etc/app/link", "mode", "0");
    refuse(ERR_NOT_FOUND, "no file or directory");
    deny_args(CONF, "owner", "web"); /* it is that already */
    refuse(ERR_INPUT, "would not change");
    end();
}

static void test_what_bounds_cannot_say(void)
{
    struct err err;
    reset_args("access.deny");
    rig_set(row, args, "path", CONF);
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    rig_set(row, args, "mode", "0o7");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "octal"));
    deny_args(CONF, "mode", "77777");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    deny_args(CONF, "mode", "0640");
    CU_ASSERT_EQUAL(row->check(args, &err), 0);
}

static void test_overlay(void)
{
    on_overlay(test_owner);
    on_overlay(test_tree);
    on_overlay(test_others_change_rights);
}

static const struct check_test tests[] = {
    {"mode", test_mode},
    {"owner", test_owner},
    {"one user", test_user},
    {"a tree", test_tree},
    {"others change rights", test_others_change_rights},
    {"refused", test_refused},
    {"what bounds cannot say", test_what_bounds_cannot_say},
    {"on an overlay", test_overlay},
};

int main(void)
{
    return environment_main("lab/host/access", tests, sizeof(tests) / sizeof(tests[0]));
}
