/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small host (rig.h) with a small environment in it, on a plain directory or on an overlay like a
 * lab's, and one file fault at a time.
 */
#ifndef BLACKSTART_TESTS_LAB_HOST_ENVIRONMENT_H
#define BLACKSTART_TESTS_LAB_HOST_ENVIRONMENT_H

#include "agents/faults/catalogue.h"
#include "lab/host/rig.h"
#include "tree.h"

#include <sys/mount.h>
#include <sys/vfs.h>

static struct rig rig;
static struct undo undo;
static void *args;
static const struct fault *row;
static bool overlay;
static struct buf before;

static inline char *in_host(const char *path)
{
    static char full[4][sizeof(rig.dir) + 512];
    static unsigned turn;
    char *out = full[turn++ % 4];
    (void)snprintf(out, sizeof(full[0]), "%s%s", rig.dir, path);
    return out;
}

static inline void make_file(const char *path, const char *text, mode_t mode)
{
    struct timespec times[2] = {{.tv_sec = 1600000000},
                                {.tv_sec = 1600000001, .tv_nsec = 123456789}};
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    (void)fclose(file);
    CU_ASSERT_EQUAL(chown(path, 33, 44), 0);
    CU_ASSERT_EQUAL(chmod(path, mode), 0);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
    CU_ASSERT_EQUAL(setxattr(path, "trusted.kept", "yes", 3, 0), 0);
}

static inline void make_dir(const char *path)
{
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0751), 0);
    CU_ASSERT_EQUAL(chown(path, 33, 33), 0);
}

static inline void old_times(const char *path)
{
    struct timespec times[2] = {{.tv_sec = 1500000000},
                                {.tv_sec = 1500000001, .tv_nsec = 987654321}};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* /etc/app: a small environment, with everything in it that a careless restore would lose. */
static inline void make_tree(const char *top)
{
    char path[512];
    const char *const dirs[] = {"/etc", "/etc/app", "/etc/app/conf.d", "/etc/app/conf.d/deep",
                                "/srv"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", top, dirs[i]);
        make_dir(path);
    }
    (void)snprintf(path, sizeof(path), "%s/etc/app/app.conf", top);
    make_file(path, "listen 80;\nroot /srv;\n", 0640);
    (void)snprintf(path, sizeof(path), "%s/etc/app/conf.d/deep/x", top);
    make_file(path, "deep\n", 04755);
    (void)snprintf(path, sizeof(path), "%s/etc/app/link", top);
    CU_ASSERT_EQUAL(symlink("app.conf", path), 0);
    old_times(path);
    (void)snprintf(path, sizeof(path), "%s/etc/app/.hidden", top);
    make_file(path, "", 0600);
    (void)snprintf(path, sizeof(path), "%s/out", top);
    CU_ASSERT_EQUAL(symlink("../../../../../etc", path), 0);
    for (size_t i = sizeof(dirs) / sizeof(dirs[0]); i > 0; i--) {
        (void)snprintf(path, sizeof(path), "%s%s", top, dirs[i - 1]);
        old_times(path);
    }
}

/* A lab's root: an overlay whose lower directory holds everything. */
static inline void mount_overlay(const char *more)
{
    char options[512], path[128];
    const char *const parts[] = {"low", "up", "work"};
    CU_ASSERT_EQUAL_FATAL(mount("tmpfs", rig.dir, "tmpfs", 0, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", rig.dir, parts[i]);
        CU_ASSERT_EQUAL_FATAL(mkdir(path, 0755), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/low", rig.dir);
    make_tree(path);
    (void)snprintf(options, sizeof(options), "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work%s",
                   rig.dir, rig.dir, rig.dir, more);
    CU_ASSERT_EQUAL_FATAL(mount("overlay", rig.dir, "overlay", 0, options), 0);
    (void)close(rig.host.root);
    rig.host.root = open(rig.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static inline void rig_unmount(void)
{
    while (umount2(rig.dir, MNT_DETACH) == 0)
        ;
}

static inline void reset_args(const char *fault)
{
    struct err err;
    row = catalogue_find(&fault_catalogue, fault);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    if (row == NULL)
        return;
    free(args);
    args = calloc(1, row->args_size);
    CHECK_OK(params_default(row->params, row->n_params, args, row->args_size, &err), err);
    rig_undo(&rig, row, "i1", 60 * NS_PER_SEC, &undo);
}

static inline void begin(const char *fault)
{
    rig_start(&rig);
    if (overlay)
        mount_overlay(",redirect_dir=on");
    else
        make_tree(rig.dir);
    reset_args(fault);
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
    CU_ASSERT_TRUE_FATAL(buf_ok(&before) && before.len > 0);
}

static inline void end(void)
{
    rig_unmount();
    rig_stop(&rig);
}

/* Equal to what it was, or the differences are printed. */
static inline bool is_as_before(void)
{
    CLEANUP_BUF struct buf now = BUF_INIT(TREE_MAX);
    CLEANUP_BUF struct buf diff = BUF_INIT(TREE_MAX);
    tree_dump(&now, rig.host.root, TREE_INODES);
    size_t n = tree_diff(buf_text(&before), buf_text(&now), &diff);
    if (n > 0)
        printf("\n%s", buf_text(&diff));
    return n == 0;
}

static inline void put_on(void)
{
    struct err err;
    bool active;
    struct evidence evidence;
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CU_ASSERT_TRUE(is_as_before());
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    CHECK_OK(row->apply(&rig.host, args, &undo, &err), err);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_TRUE(active);
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    CU_ASSERT_TRUE(evidence.proven);
}

static inline bool take_off(void)
{
    struct err err;
    struct revert_report report;
    bool active;
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    return report.foreign;
}

static inline void refuse(enum err_code code, const char *word)
{
    struct err err;
    CU_ASSERT_EQUAL(row->prepare(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, code);
    if (strstr(err.msg, word) == NULL)
        printf("\n    %s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, word));
    CU_ASSERT_TRUE(is_as_before());
}

static inline void read_text(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t n = fread(out, 1, size - 1, file);
    out[n] = '\0';
    (void)fclose(file);
}

static inline void edit_args(void)
{
    reset_args("config.push");
    rig_set(row, args, "path", "/etc/app/app.conf");
    rig_set(row, args, "find", "80");
    rig_set(row, args, "replace", "eighty");
}

static inline void delete_args(void)
{
    reset_args("environment.delete");
    rig_set(row, args, "paths", "/etc/app");
}

static inline int environment_main(const char *name, const struct check_test *tests, size_t n)
{
    /* Mounts of this test are its own and go with it. */
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        perror("a mount namespace of its own");
        return 2;
    }
    int rc = check_main(name, tests, n);
    buf_free(&before);
    free(args);
    return rc;
}

static inline void on_overlay(void (*test)(void))
{
    overlay = true;
    test();
    overlay = false;
}

#endif
