/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that fails under a mounted file system, and gets well again: the device mapper's. */
#include "vm/guest.h"

#include <errno.h>

#define IMAGE "/tmp/disk"
#define PLACE "/tmp/mnt"
#define FILE_ PLACE "/file"

/* All tables map the same loop device; `flakey` fails every access while it is down. */
#define TABLE(kind, rest)                                                                          \
    "size=$(blockdev --getsz \"$(cat " IMAGE ".loop)\") && echo \"0 $size " kind " $(cat " IMAGE   \
    ".loop) 0" rest "\" | "

static int disk_make(void)
{
    return guest_run(
        "set -e; truncate -s 24M " IMAGE "; losetup -f --show " IMAGE " >" IMAGE ".loop; " TABLE(
            "linear", "") "dmsetup --noudevsync create bad; "
                          "mkfs.ext4 -q -O ^has_journal /dev/mapper/bad; mkdir -p " PLACE
                          "; mount /dev/mapper/bad " PLACE);
}

static int disk_fails(bool fails)
{
    return guest_run("set -e; dmsetup suspend --nolockfs bad; %s dmsetup reload bad; "
                     "dmsetup --noudevsync resume bad",
                     fails ? TABLE("flakey", " 0 100") : TABLE("linear", ""));
}

static int disk_remove(void)
{
    return guest_run("umount " PLACE "; dmsetup --noudevsync remove bad && losetup -d $(cat " IMAGE
                     ".loop) && rm -r " IMAGE " " IMAGE ".loop " PLACE);
}

/* The error that a read from the disk, not from memory, gives; 0 when it succeeds. */
static int read_error(void)
{
    static _Alignas(4096) char block[4096];
    CLEANUP_FD int fd = open(FILE_, O_RDONLY | O_DIRECT | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, block, sizeof(block), 0);
    if (n < 0)
        return errno;
    return n == (ssize_t)sizeof(block) && block[0] == 'x' ? 0 : EINVAL;
}

static void test_reads_fail_and_heal(void)
{
    CU_ASSERT_EQUAL_FATAL(disk_make(), 0);
    CU_ASSERT_EQUAL(guest_run("head -c 65536 /dev/zero | tr '\\0' x >" FILE_ " && sync " FILE_), 0);
    CU_ASSERT_EQUAL(read_error(), 0);
    CU_ASSERT_EQUAL(disk_fails(true), 0);
    CU_ASSERT_EQUAL(read_error(), EIO);
    CU_ASSERT_EQUAL(disk_fails(false), 0);
    CU_ASSERT_EQUAL(read_error(), 0);
    CU_ASSERT_EQUAL(disk_remove(), 0);
}

static void test_fsync_fails(void)
{
    CU_ASSERT_EQUAL_FATAL(disk_make(), 0);
    CLEANUP_FD int fd = open(FILE_, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, "x", 1), 1);
    CU_ASSERT_EQUAL(fsync(fd), 0);
    CU_ASSERT_EQUAL(disk_fails(true), 0);
    CU_ASSERT_EQUAL(pwrite(fd, "y", 1, 0), 1); /* into memory */
    CU_ASSERT_EQUAL(fsync(fd), -1);
    CU_ASSERT_EQUAL(errno, EIO);
    CU_ASSERT_EQUAL(disk_fails(false), 0);
    (void)close(fd);
    fd = -1;
    CU_ASSERT_EQUAL(disk_remove(), 0);
}

static const struct check_test tests[] = {
    {"reads of a failing disk fail, and heal", test_reads_fail_and_heal},
    {"fsync on a failing disk", test_fsync_fails},
};

GUEST_MAIN("vm/disk", tests)
