/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.delete that makes others in the place of what it deleted. */
#include "lab/host/environment.h"

static void recreate_args(const char *how)
{
    delete_args();
    rig_set(row, args, "paths", "/srv");
    rig_set(row, args, "recreate", how);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(in_host(path), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(in_host(path), &st) == 0;
}

/* The restore, which says so of what was written meanwhile. */
static void take_off_saying(const char *word)
{
    struct err err;
    struct revert_report report;
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CU_ASSERT_FALSE(report.foreign);
    if (strstr(report.what, word) == NULL)
        printf("\n    %s\n", report.what);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.what, word));
}

static void test_empty(void)
{
    struct stat was, is;
    begin("environment.delete");
    CU_ASSERT_EQUAL(stat(in_host("/etc/app"), &was), 0);
    recreate_args("empty");
    put_on();
    CU_ASSERT_EQUAL(stat(in_host("/etc/app"), &is), 0);
    CU_ASSERT_TRUE(was.st_ino != is.st_ino && was.st_mode == is.st_mode && was.st_uid == is.st_uid);
    CU_ASSERT_FALSE(is_there("/etc/app/app.conf"));
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_written_meanwhile(void)
{
    begin("environment.delete");
    recreate_args("empty");
    put_on();
    rig_sleep_ms(20); /* a file's time comes from a clock that ticks */
    write_file("/etc/app/new.conf", "x");
    CU_ASSERT_EQUAL(mkdir(in_host("/etc/app/cache"), 0700), 0);
    write_file("/etc/app/cache/deep", "y");
    take_off_saying("is back");
    CU_ASSERT_TRUE(is_as_before());
    delete_args();
    rig_set(row, args, "recreate", "empty");
    put_on();
    rig_sleep_ms(20);
    write_file("/etc/app/new.conf", "x");
    take_off_saying("1 entries (new.conf)");
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_template(void)
{
    char text[64];
    begin("environment.delete");
    CU_ASSERT_EQUAL(mkdir(in_host("/template"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(in_host("/template/etc"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(in_host("/template/etc/app"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(in_host("/template/etc/app/conf.d"), 0711), 0);
    make_file(in_host("/template/etc/app/app.conf"), "listen 1;\n", 0604);
    CU_ASSERT_EQUAL(symlink("app.conf", in_host("/template/etc/app/link")), 0);
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    recreate_args("template");
    rig_set(row, args, "template", "/template");
    put_on();
    struct stat st;
    CU_ASSERT_EQUAL(stat(in_host("/etc/app/app.conf"), &st), 0);
    CU_ASSERT_TRUE((st.st_mode & 07777) == 0604 && st.st_uid == 33 && st.st_gid == 44);
    read_text(in_host("/etc/app/link"), text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "listen 1;\n");
    CU_ASSERT_TRUE(is_there("/etc/app/conf.d") && !is_there("/etc/app/conf.d/deep"));
    CU_ASSERT_TRUE(is_there("/srv")); /* which the template does not have */
    take_off_saying("is back");
    CU_ASSERT_TRUE(is_as_before());
    end();
}

/* What others put in the place of what was made is theirs. */
static void test_others_replace_it(void)
{
    struct err err;
    struct revert_report report;
    begin("environment.delete");
    delete_args();
    rig_set(row, args, "recreate", "empty");
    put_on();
    CU_ASSERT_EQUAL(rmdir(in_host("/etc/app")), 0);
    write_file("/etc/app", "theirs");
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CU_ASSERT_TRUE(report.foreign && report.manual[0] != '\0');
    CU_ASSERT_EQUAL(unlink(in_host("/etc/app")), 0);
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CU_ASSERT_TRUE(is_there("/etc/app/conf.d/deep/x"));
    end();
}

/* A recovery that the scenario names makes the path anew; the original takes its place. */
static void test_recovery(void)
{
    begin("environment.delete");
    delete_args();
    rig.host.lab = true;
    struct err err;
    rig_set(row, args, "recovery", "runbook");
    rig.host.lab = false;
    refuse(ERR_REFUSED, "only in labs");
    rig.host.lab = true;
    /* No init answers here, so the services are not asked for. */
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    rig.host.lab = false;
    end();
}

static void test_forget(void)
{
    char text[128];
    begin("environment.delete");
    make_file(in_host("/etc/hosts"), "127.0.0.1 localhost\n10.0.0.2 db1 db\n10.0.0.3 web1\n", 0644);
    old_times(in_host("/etc"));
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    recreate_args("empty");
    rig_set(row, args, "forget", "db1");
    rig_set(row, args, "forget", "web1");
    put_on();
    read_text(in_host("/etc/hosts"), text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "127.0.0.1 localhost\n");
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    delete_args();
    rig_set(row, args, "forget", "unknown");
    refuse(ERR_NOT_FOUND, "none of the names");
    end();
}

static void test_if_there(void)
{
    begin("environment.delete");
    delete_args();
    rig_set(row, args, "paths", "/etc/nothing");
    refuse(ERR_NOT_FOUND, "/etc/nothing");
    rig_set(row, args, "if_there", "true");
    put_on();
    CU_ASSERT_FALSE(is_there("/etc/app"));
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/etc/nothing");
    rig_set(row, args, "if_there", "true");
    refuse(ERR_NOT_FOUND, "none of the paths");
    end();
}

static void test_overlay(void)
{
    on_overlay(test_empty);
    on_overlay(test_written_meanwhile);
    on_overlay(test_forget);
}

static const struct check_test tests[] = {
    {"empty", test_empty},       {"written meanwhile", test_written_meanwhile},
    {"template", test_template}, {"others replace it", test_others_replace_it},
    {"recovery", test_recovery}, {"entries of the hosts file", test_forget},
    {"if there", test_if_there}, {"on an overlay", test_overlay},
};

int main(void)
{
    return environment_main("lab/host/recreate", tests, sizeof(tests) / sizeof(tests[0]));
}
