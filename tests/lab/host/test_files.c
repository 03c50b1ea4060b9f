/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/host/environment.h"

static void test_push(void)
{
    char text[128];
    struct stat st;
    begin("config.push");
    edit_args();
    put_on();
    read_text(in_host("/etc/app/app.conf"), text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "listen eighty;\nroot /srv;\n");
    CU_ASSERT_EQUAL(stat(in_host("/etc/app/app.conf"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
    CU_ASSERT_EQUAL(st.st_uid, 33);
    CU_ASSERT_EQUAL(st.st_gid, 44);
    CU_ASSERT_EQUAL(getxattr(in_host("/etc/app/app.conf"), "trusted.kept", text, 10), 3);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    reset_args("config.push");
    rig_set(row, args, "path", "/etc/app/app.conf");
    rig_set(row, args, "content", "whole");
    put_on();
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_push_each_way(void)
{
    static const struct {
        const char *name, *value, *name2, *value2, *want;
    } ways[] = {
        {"line", "2", "replace", "root /none;", "listen 80;\nroot /none;\n"},
        {"line", "1", NULL, NULL, "root /srv;\n"},
        {"keep", "50%", NULL, NULL, "listen 80;\n"},
        {"keep_bytes", "3B", NULL, NULL, "lis"},
        {"empty", "true", NULL, NULL, ""},
        {"encoding", "bom", NULL, NULL, "\xef\xbb\xbflisten 80;\nroot /srv;\n"},
        {"encoding", "crlf", "empty", "false", "listen 80;\r\nroot /srv;\r\n"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        begin("config.push");
        rig_set(row, args, "path", "/etc/app/app.conf");
        rig_set(row, args, ways[i].name, ways[i].value);
        if (ways[i].name2 != NULL)
            rig_set(row, args, ways[i].name2, ways[i].value2);
        put_on();
        read_text(in_host("/etc/app/app.conf"), text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, ways[i].want);
        CU_ASSERT_FALSE(take_off());
        CU_ASSERT_TRUE(is_as_before());
        end();
    }
}

static void test_push_is_refused(void)
{
    begin("config.push");
    rig_set(row, args, "content", "x");
    rig_set(row, args, "path", "/etc/app/link");
    refuse(ERR_REFUSED, "symbolic link");
    rig_set(row, args, "path", "/etc/app/none");
    refuse(ERR_NOT_FOUND, "not there");
    rig_set(row, args, "path", "/etc/app/conf.d");
    refuse(ERR_REFUSED, "regular file");
    rig_set(row, args, "path", "/out/passwd"); /* would be the machine's, were it followed out */
    refuse(ERR_NOT_FOUND, "passwd");
    reset_args("config.push");
    rig_set(row, args, "path", "/etc/app/app.conf");
    rig_set(row, args, "content", "listen 80;\nroot /srv;\n");
    refuse(ERR_INPUT, "would not change");
    edit_args();
    rig_set(row, args, "find", "nowhere");
    refuse(ERR_NOT_FOUND, "does not occur");
    edit_args();
    rig_set(row, args, "apply", "reload");
    rig_set(row, args, "service", "web");
    refuse(ERR_UNSUPPORTED, "lab");
    end();
}

static void test_push_leaves_what_others_changed(void)
{
    char text[128];
    begin("config.push");
    edit_args();
    put_on();
    make_file(in_host("/etc/app/app.conf"), "by hand", 0600);
    CU_ASSERT_TRUE(take_off());
    read_text(in_host("/etc/app/app.conf"), text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "by hand");
    end();
    begin("config.push");
    edit_args();
    put_on();
    CU_ASSERT_EQUAL(unlink(in_host("/etc/app/app.conf")), 0);
    CU_ASSERT_TRUE(take_off());
    CU_ASSERT_EQUAL(access(in_host("/etc/app/app.conf"), F_OK), -1);
    end();
    begin("config.push");
    edit_args();
    put_on();
    make_file(in_host("/etc/app/new"), "theirs", 0600);
    struct stat st, after;
    CU_ASSERT_EQUAL(stat(in_host("/etc/app"), &st), 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(unlink(in_host("/etc/app/new")), 0);
    CU_ASSERT_EQUAL(stat(in_host("/etc/app"), &after), 0);
    CU_ASSERT_TRUE(after.st_mtim.tv_sec >= st.st_mtim.tv_sec); /* not back to the old time */
    end();
}

static void test_delete(void)
{
    struct stat st;
    begin("environment.delete");
    delete_args();
    rig_set(row, args, "paths", "/srv");
    int inside = open(in_host("/etc/app"), O_RDONLY | O_DIRECTORY);
    put_on();
    CU_ASSERT_EQUAL(stat(in_host("/etc/app"), &st), -1);
    CU_ASSERT_EQUAL(stat(in_host("/srv"), &st), -1);
    CU_ASSERT_EQUAL(faccessat(inside, "app.conf", F_OK, 0), -1); /* as after rm -r */
    (void)close(inside);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/etc/app/app.conf");
    put_on();
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_delete_leaves_what_others_made(void)
{
    struct stat st;
    begin("environment.delete");
    delete_args();
    rig_set(row, args, "paths", "/srv");
    put_on();
    make_dir(in_host("/etc/app"));
    make_file(in_host("/etc/app/app.conf"), "by hand", 0600);
    CU_ASSERT_TRUE(take_off());
    CU_ASSERT_EQUAL(stat(in_host("/etc/app/conf.d"), &st), -1);
    CU_ASSERT_EQUAL(stat(in_host("/srv"), &st), 0); /* the other path is back all the same */
    /* The way by hand leads back. */
    CU_ASSERT_EQUAL(unlink(in_host("/etc/app/app.conf")), 0);
    CU_ASSERT_EQUAL(rmdir(in_host("/etc/app")), 0);
    CU_ASSERT_FALSE(take_off());
    old_times(in_host("/etc")); /* the hand's own trace is not ours to hide */
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_delete_is_refused(void)
{
    begin("environment.delete");
    rig_set(row, args, "paths", "/nowhere");
    refuse(ERR_NOT_FOUND, "not there");
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/etc/app/link");
    refuse(ERR_REFUSED, "symbolic link");
    CU_ASSERT_EQUAL_FATAL(mount("tmpfs", in_host("/etc/app/conf.d"), "tmpfs", 0, NULL), 0);
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    delete_args();
    refuse(ERR_UNSUPPORTED, "/etc/app/conf.d is a mount point");
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/etc/app/conf.d");
    refuse(ERR_UNSUPPORTED, "is a mount point");
    CU_ASSERT_EQUAL(umount(in_host("/etc/app/conf.d")), 0);
    end();
}

static void test_overlay_that_cannot_rename(void)
{
    rig_start(&rig);
    mount_overlay(",redirect_dir=off");
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    delete_args();
    refuse(ERR_UNSUPPORTED, "redirect_dir=on");
    end();
}

static void test_what_bounds_cannot_say(void)
{
    struct err err;
    begin("environment.delete");
    rig_set(row, args, "paths", "/etc/app");
    rig_set(row, args, "paths", "/etc/app/conf.d");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/proc/sys");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/process");
    CU_ASSERT_EQUAL(row->check(args, &err), 0);
    rig_set(row, args, "stop", "true");
    CU_ASSERT_EQUAL(row->check(args, &err), -1);
    end();
}

static void test_disk_full(void)
{
    struct err err;
    rig_start(&rig);
    CU_ASSERT_EQUAL_FATAL(mount("tmpfs", rig.dir, "tmpfs", 0, "size=256k"), 0);
    (void)close(rig.host.root);
    rig.host.root = open(rig.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    make_tree(rig.dir);
    int fd = open(in_host("/fill"), O_WRONLY | O_CREAT, 0600);
    char zeros[4096] = {0};
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    (void)close(fd);
    old_times(rig.dir);
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    edit_args();
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CU_ASSERT_EQUAL(row->apply(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.sys, ENOSPC);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    /* Moving needs no space. */
    delete_args();
    put_on();
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_push_on_overlay(void)
{
    on_overlay(test_push);
    on_overlay(test_push_leaves_what_others_changed);
}

static void test_delete_two_of_one_directory(void)
{
    begin("file.delete");
    rig_set(row, args, "paths", "/etc/app/app.conf");
    rig_set(row, args, "paths", "/etc/app/.hidden");
    rig_set(row, args, "paths", "/etc/app/conf.d");
    put_on();
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_delete_on_overlay(void)
{
    on_overlay(test_delete);
    on_overlay(test_delete_leaves_what_others_made);
    on_overlay(test_delete_two_of_one_directory);
}

static const struct check_test tests[] = {
    {"push", test_push},
    {"push each way", test_push_each_way},
    {"push is refused", test_push_is_refused},
    {"push leaves what others changed", test_push_leaves_what_others_changed},
    {"push on an overlay", test_push_on_overlay},
    {"delete", test_delete},
    {"delete leaves what others made", test_delete_leaves_what_others_made},
    {"delete two of one directory", test_delete_two_of_one_directory},
    {"delete is refused", test_delete_is_refused},
    {"delete on an overlay", test_delete_on_overlay},
    {"an overlay that cannot rename", test_overlay_that_cannot_rename},
    {"what bounds cannot say", test_what_bounds_cannot_say},
    {"disk full", test_disk_full},
};

int main(void)
{
    return environment_main("lab/host/files", tests, sizeof(tests) / sizeof(tests[0]));
}
