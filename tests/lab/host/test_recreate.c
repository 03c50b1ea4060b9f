/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.delete that makes others in the place of what it deleted. */
#include "agents/host/hostfs.h"
#include "base/hostctl.h"
#include "lab/host/environment.h"

#include <sys/un.h>

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

static void test_recovery_in_labs_only(void)
{
    begin("environment.delete");
    delete_args();
    rig_set(row, args, "recovery", "runbook");
    refuse(ERR_REFUSED, "only in labs");
    end();
}

/* The host's init, which has no services. */
static void init_serve(int listener)
{
    static struct hostctl_request request;
    const struct hostctl_reply none = {.code = ERR_NOT_FOUND};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; (void)close(fd))
        while (recv(fd, &request, sizeof(request), 0) > 0)
            (void)send(fd, &none, offsetof(struct hostctl_reply, data), MSG_NOSIGNAL);
    _exit(0);
}

static pid_t init_start(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    memcpy(at.sun_path + 1, HOSTCTL_SOCKET, sizeof(HOSTCTL_SOCKET) - 1);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof(HOSTCTL_SOCKET);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, len), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 4), 0);
    pid_t pid = fork();
    if (pid == 0)
        init_serve(fd);
    CU_ASSERT_TRUE_FATAL(pid > 0);
    return pid;
}

static void child_end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static bool is_proven(void)
{
    struct err err;
    bool active = false;
    struct evidence evidence = {0};
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    return active && evidence.proven;
}

static void prepare_recovery(const char *who, const char *recreate)
{
    begin("environment.delete");
    make_file(in_host("/etc/hosts"), "127.0.0.1 localhost\n10.0.0.2 db1\n", 0644);
    old_times(in_host("/etc"));
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    delete_args();
    rig_set(row, args, "recreate", recreate);
    rig_set(row, args, "forget", "db1");
    rig_set(row, args, "recovery", who);
    rig.host.lab = true;
}

static void begin_recovery(const char *who, const char *recreate)
{
    prepare_recovery(who, recreate);
    put_on();
}

/* As automation deploys: a directory of its own in the place of what is there, and a file. */
static void deploy(void)
{
    rig_sleep_ms(20); /* a file's time comes from a clock that ticks */
    (void)rmdir(in_host("/etc/app"));
    CU_ASSERT_EQUAL(mkdir(in_host("/etc/app"), 0755), 0);
    write_file("/etc/app/app.conf", "listen 80;\n");
    write_file("/etc/app/more.conf", "x");
    write_file("/etc/.new", "127.0.0.1 localhost\n10.0.0.2 db1\n");
    CU_ASSERT_EQUAL(rename(in_host("/etc/.new"), in_host("/etc/hosts")), 0);
}

/* Who makes the paths anew is named: what was made is neither in the way of the proof nor of the
 * originals, which take its place. The time of the directory above, which others changed, is left
 * to them. */
static void test_recovery(void)
{
    static const char *const ways[][2] = {
        {"automation", "nothing"}, {"automation", "empty"}, {"runbook", "empty"}};
    pid_t init = init_start();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        begin_recovery(ways[i][0], ways[i][1]);
        deploy();
        CU_ASSERT_TRUE(is_proven());
        take_off_saying("2 entries (");
        old_times(in_host("/etc"));
        CU_ASSERT_TRUE(is_as_before());
        CU_ASSERT_FALSE(take_off());
        CU_ASSERT_TRUE(is_as_before());
        end();
    }
    child_end(init);
}

/* The same with nobody named: it is others' work, and stays. */
static void test_unexpected_recovery(void)
{
    struct err err;
    struct revert_report report;
    pid_t init = init_start();
    begin_recovery("nobody", "nothing");
    deploy();
    CU_ASSERT_FALSE(is_proven());
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CU_ASSERT_TRUE(report.foreign && report.manual[0] != '\0');
    CU_ASSERT_TRUE(is_there("/etc/app/more.conf") && !is_there("/etc/app/conf.d"));
    end();
    child_end(init);
}

/* A restore that was cut short when it had set aside what was made, and what is made after it. */
static void test_recovery_again(void)
{
    char name[HOSTFS_NAME_MAX], aside[512];
    pid_t init = init_start();
    begin_recovery("automation", "nothing");
    deploy();
    (void)snprintf(aside, sizeof(aside), "%s/etc/%s/aside", rig.dir,
                   hostfs_own_name(&undo, "0", name));
    CU_ASSERT_EQUAL(rename(in_host("/etc/app"), aside), 0);
    deploy();
    CU_ASSERT_FALSE(take_off());
    old_times(in_host("/etc"));
    CU_ASSERT_TRUE(is_as_before());
    end();
    child_end(init);
}

/* Automation that makes the path again as soon as it is gone, also while it is deleted and while it
 * is put back. */
static void test_quick_recovery(void)
{
    pid_t init = init_start();
    for (int i = 0; i < 20; i++) {
        prepare_recovery("automation", i % 2 == 0 ? "nothing" : "empty");
        pid_t pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                (void)mkdir(in_host("/etc/app"), 0755);
                (void)sched_yield();
            }
        }
        put_on();
        CU_ASSERT_FALSE(take_off());
        child_end(pid);
        old_times(in_host("/etc"));
        CU_ASSERT_TRUE(is_as_before());
        end();
    }
    child_end(init);
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
    delete_args();
    rig_set(row, args, "if_there", "true");
    rig_set(row, args, "forget", "db1"); /* there is no hosts file */
    put_on();
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_overlay(void)
{
    on_overlay(test_empty);
    on_overlay(test_written_meanwhile);
    on_overlay(test_forget);
    on_overlay(test_recovery);
    on_overlay(test_quick_recovery);
}

static const struct check_test tests[] = {
    {"empty", test_empty},
    {"written meanwhile", test_written_meanwhile},
    {"template", test_template},
    {"others replace it", test_others_replace_it},
    {"recovery in labs only", test_recovery_in_labs_only},
    {"recovery", test_recovery},
    {"unexpected recovery", test_unexpected_recovery},
    {"recovery again", test_recovery_again},
    {"quick recovery", test_quick_recovery},
    {"entries of the hosts file", test_forget},
    {"if there", test_if_there},
    {"on an overlay", test_overlay},
};

int main(void)
{
    /* A host's init listens in its network namespace. */
    if (unshare(CLONE_NEWNET) != 0)
        return 2;
    return environment_main("lab/host/recreate", tests, sizeof(tests) / sizeof(tests[0]));
}
