/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk.fill and mount.read_only on a small file system of the host's own. */
#include "lab/host/environment.h"
#include "shell.h"

#include <sys/statvfs.h>

enum { DISK_KIB = 1024 };

static void note_before(void)
{
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    tree_dump(&before, rig.host.root, TREE_INODES);
}

static void begin_disk(const char *fault, const char *options)
{
    rig_start(&rig);
    make_tree(rig.dir);
    CU_ASSERT_EQUAL_FATAL(mkdir(in_host("/srv/disk"), 0755), 0);
    CU_ASSERT_EQUAL_FATAL(mount("tmpfs", in_host("/srv/disk"), "tmpfs", 0, options), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(in_host("/srv/disk/data"), 0755), 0);
    make_file(in_host("/srv/disk/data/file"), "kept\n", 0644);
    reset_args(fault);
    note_before();
}

static void end_disk(void)
{
    CU_ASSERT_EQUAL(umount2(in_host("/srv/disk"), MNT_DETACH), 0);
    rig_stop(&rig);
}

static uint64_t free_kib(void)
{
    struct statvfs fs;
    CU_ASSERT_EQUAL(statvfs(in_host("/srv/disk"), &fs), 0);
    return (uint64_t)fs.f_bavail * fs.f_frsize / 1024;
}

static bool await_free(uint64_t kib)
{
    for (int i = 0; i < 2000 && free_kib() != kib; i++)
        rig_sleep_ms(1);
    return free_kib() == kib;
}

/* Returns errno of a write of so many KiB to a new file, which stays. */
static int write_kib(const char *path, size_t kib)
{
    static const char page[1024];
    CLEANUP_FD int fd = open(in_host(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    for (size_t i = 0; i < kib; i++)
        if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
            return errno;
    return 0;
}

static void test_fill(void)
{
    begin_disk("disk.fill", "size=1m");
    uint64_t was = free_kib();
    rig_set(row, args, "path", "/srv/disk/data");
    put_on();
    CU_ASSERT_EQUAL(free_kib(), 0);
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), ENOSPC);
    CU_ASSERT_EQUAL(unlink(in_host("/srv/disk/new")), 0);
    CU_ASSERT_EQUAL(unlink(in_host("/srv/disk/data/file")), 0); /* what becomes free is taken too */
    CU_ASSERT_TRUE(await_free(0));
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(free_kib(), was + 4);
    end_disk();
}

static void test_fill_in_part(void)
{
    begin_disk("disk.fill", "size=1m");
    uint64_t was = free_kib();
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "leave", "256KiB");
    put_on();
    CU_ASSERT_EQUAL(free_kib(), 256);
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 256), 0);
    CU_ASSERT_EQUAL(unlink(in_host("/srv/disk/new")), 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(free_kib(), was);
    note_before();
    reset_args("disk.fill");
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "size", "128KiB");
    put_on();
    CU_ASSERT_EQUAL(free_kib(), was - 128);
    CU_ASSERT_FALSE(take_off());
    reset_args("disk.fill");
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "leave_share", "50%");
    put_on();
    CU_ASSERT_EQUAL(free_kib(), DISK_KIB / 2);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end_disk();
}

/* The filler is a child of this process, by the name that a bearer has. */
static pid_t find_filler(void)
{
    char path[64], comm[FAULT_MARK], name[32];
    int pid = 0, n;
    fault_mark(comm, undo.run, undo.injection);
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(children);
    while ((n = fscanf(children, "%d", &pid)) == 1) {
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        read_text(path, name, sizeof(name));
        if (strncmp(name, comm, strlen(comm)) == 0)
            break;
    }
    (void)fclose(children);
    return n == 1 ? pid : -1;
}

static void test_inodes(void)
{
    struct statvfs fs;
    begin_disk("disk.fill", "size=1m,nr_inodes=200");
    uint64_t was = free_kib();
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "inodes", "true");
    put_on();
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), ENOSPC);
    CU_ASSERT_EQUAL(write_kib("/srv/disk/data/file", 8),
                    0); /* there is room, but not for another */
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), 0);
    CU_ASSERT(free_kib() + 16 >= was);
    note_before();
    reset_args("disk.fill");
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "inodes", "true");
    rig_set(row, args, "leave_share", "10%");
    put_on();
    CU_ASSERT_EQUAL(statvfs(in_host("/srv/disk"), &fs), 0);
    CU_ASSERT_EQUAL(fs.f_ffree, 20);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end_disk();
    begin_disk("disk.fill", "size=1m,nr_inodes=100000");
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "inodes", "true");
    refuse(ERR_REFUSED, "free inodes");
    end_disk();
}

static void test_filler_dies(void)
{
    struct err err;
    bool active;
    begin_disk("disk.fill", "size=1m");
    uint64_t was = free_kib();
    rig_set(row, args, "path", "/srv/disk");
    put_on();
    pid_t filler = find_filler();
    CU_ASSERT_TRUE_FATAL(filler > 0);
    CU_ASSERT_EQUAL(kill(filler, SIGKILL), 0);
    CU_ASSERT_TRUE(await_free(was));
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end_disk();
}

static void refuse_at(const char *path, enum err_code code, const char *word)
{
    reset_args(row->name);
    rig_set(row, args, "path", path);
    refuse(code, word);
}

static void test_only_its_own(void)
{
    static const char *const kinds[] = {"disk.fill", "mount.read_only"};
    for (size_t i = 0; i < 2; i++) {
        begin_disk(kinds[i], "size=1m");
        refuse_at("/etc", ERR_REFUSED, "root file system");
        end_disk();
        begin_disk(kinds[i], "");
        refuse_at("/srv/disk", ERR_REFUSED, "without a size");
        end_disk();
        begin_disk(kinds[i], "size=1m");
        rig.host.lab = true; /* then what this process sees mounted is the machine's */
        refuse_at("/srv/disk", ERR_REFUSED, "of the machine");
        end_disk();
    }
    begin_disk("mount.read_only", "size=1m");
    refuse_at("/srv/disk/data", ERR_INPUT, "not a mount point");
    end_disk();
    begin_disk("disk.fill", "size=1m");
    rig_set(row, args, "path", "/srv/disk");
    rig_set(row, args, "size", "2MiB");
    refuse(ERR_REFUSED, "bytes free");
    end_disk();
}

static void test_read_only(void)
{
    begin_disk("mount.read_only", "size=1m");
    rig_set(row, args, "path", "/srv/disk");
    put_on();
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), EROFS);
    CU_ASSERT_EQUAL(write_kib("/srv/other", 1), 0);
    CU_ASSERT_EQUAL(unlink(in_host("/srv/other")), 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), 0);
    end_disk();
}

/* Others made it writable, or mounted over it: neither is undone, and ours is found again. */
static void test_remounted(void)
{
    struct err err;
    bool active = true;
    begin_disk("mount.read_only", "size=1m");
    rig_set(row, args, "path", "/srv/disk");
    put_on();
    CU_ASSERT_EQUAL(mount(NULL, in_host("/srv/disk"), NULL, MS_REMOUNT, "size=2m"), 0);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_FALSE(active);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(free_kib(), 2 * DISK_KIB - 4);
    put_on();
    CU_ASSERT_EQUAL(mount("tmpfs", in_host("/srv/disk"), "tmpfs", MS_RDONLY, "size=1m"), 0);
    CU_ASSERT_TRUE(take_off());
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), EROFS);
    CU_ASSERT_EQUAL(umount2(in_host("/srv/disk"), MNT_DETACH), 0);
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), EROFS);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), 0);
    end_disk();
}

static void hold_open(struct rig *r)
{
    CLEANUP_FD int fd = open(in_host("/srv/disk/data/file"), O_WRONLY | O_CLOEXEC);
    rig_count(r, 0);
}

static void test_busy(void)
{
    struct err err;
    struct revert_report report;
    begin_disk("mount.read_only", "size=1m");
    rig_set(row, args, "path", "/srv/disk");
    (void)rig_spawn(&rig, hold_open, "writer");
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CU_ASSERT_EQUAL(row->apply(&rig.host, args, &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "writer (pid "));
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    CU_ASSERT_EQUAL(write_kib("/srv/disk/new", 1), 0);
    end_disk();
}

static const struct check_test tests[] = {
    {"filled", test_fill},
    {"filled in part", test_fill_in_part},
    {"inodes", test_inodes},
    {"the filler dies", test_filler_dies},
    {"only a file system of its own", test_only_its_own},
    {"read-only", test_read_only},
    {"remounted by others", test_remounted},
    {"open for writing", test_busy},
};

int main(void)
{
    return environment_main("lab/host/disk", tests, sizeof(tests) / sizeof(tests[0]));
}
