/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An undo log as a crash, a bad disk or another version left it. The input is laid over a sound log
 * (exclusive or: zeros change nothing); bits of its first byte choose which checksums are right
 * nevertheless, and what a revert answers. What a replay hands on is well formed, a log with
 * anything left in it stays, and nothing is undone twice.
 */
#include "agents/undo_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEND_FILE = 1, MEND_HEAD = 2, MEND_COPY = 4, REVERTS = 8, CUT = 16 };

static const char name[] = UNDO_PREFIX "n1-1-1" UNDO_SUFFIX;
static const struct undo_owner owner = {.host = "n1", .net_ns = 4242, .boot_id = "boot-1"};
static char path[] = "/dev/shm/fuzz-undo-XXXXXX";
static int dir = -1;

static struct input {
    const uint8_t *at;
    size_t left;
} input;

static void clear_away(void)
{
    (void)unlinkat(dir, name, 0);
    (void)rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dir = mkdtemp(path) != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir < 0 || atexit(clear_away) != 0)
        abort();
    return 0;
}

static void lay_over(void *at, size_t size)
{
    unsigned char *bytes = at;
    size_t n = size < input.left ? size : input.left;
    for (size_t i = 0; i < n; i++)
        bytes[i] ^= input.at[i];
    input.at += n;
    input.left -= n;
}

static void put(int fd, const void *data, size_t size, off_t at)
{
    if (pwrite(fd, data, size, at) != (ssize_t)size)
        abort();
}

static void put_slot(int fd, unsigned slot, unsigned flags)
{
    static struct undo_copy copy;
    static struct undo undo;
    struct undo_slot_head head = {.magic = UNDO_SLOT_MAGIC, .live_seq = 1};
    undo = (struct undo){.run = "r1", .injection = "i1", .fault = "process.kill", .size = 64};
    size_t stored = undo_copy_fill(&copy, &undo, 1);
    lay_over(&head, offsetof(struct undo_slot_head, check));
    lay_over(&copy, offsetof(struct undo_copy, check));
    lay_over(&copy.undo, stored - offsetof(struct undo_copy, undo));
    if ((flags & MEND_HEAD) != 0)
        head.check = undo_slot_digest(&head);
    if ((flags & MEND_COPY) != 0 && copy.size <= sizeof(struct undo))
        copy.check = undo_copy_digest(&copy);
    put(fd, &head, sizeof(head), undo_slot_at(slot));
    put(fd, &copy, sizeof(copy), undo_copy_at(slot, head.live_seq));
}

static void put_log(unsigned flags)
{
    struct undo_file_head head = {
        .magic = UNDO_FILE_MAGIC, .format = UNDO_FORMAT, .slots = UNDO_SLOTS, .owner = owner};
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, UNDO_FILE_SIZE) != 0)
        abort();
    uint8_t cut[4] = {0};
    lay_over(cut, sizeof(cut));
    head.check = undo_file_digest(&head);
    lay_over(&head, (flags & MEND_FILE) != 0 ? offsetof(struct undo_file_head, check) : 0);
    if ((flags & MEND_FILE) != 0)
        head.check = undo_file_digest(&head);
    put(fd, &head, sizeof(head), 0);
    for (unsigned slot = 0; slot < 3; slot++)
        put_slot(fd, slot * 15, flags);
    off_t end = (off_t)(cut[0] | (unsigned)cut[1] << 8 | (unsigned)cut[2] << 16) % UNDO_FILE_SIZE;
    if ((flags & CUT) != 0 && ftruncate(fd, end) != 0)
        abort();
    (void)close(fd);
}

static int revert(void *ctx, const struct undo *u)
{
    const unsigned *flags = ctx;
    if (u->size > UNDO_DATA_MAX || memchr(u->run, 0, sizeof(u->run)) == NULL ||
        memchr(u->injection, 0, sizeof(u->injection)) == NULL ||
        memchr(u->fault, 0, sizeof(u->fault)) == NULL)
        abort();
    return (*flags & REVERTS) != 0 ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct undo_tally first, second;
    struct err err;
    struct stat st;
    if (size == 0)
        return 0;
    unsigned flags = data[0];
    input = (struct input){data + 1, size - 1};
    put_log(flags);
    if (undo_replay(dir, &owner, NULL, 0, revert, &flags, &first, &err) != 0)
        abort();
    if (first.unknown + first.kept != 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        abort();
    if (undo_replay(dir, &owner, NULL, 0, revert, &flags, &second, &err) != 0 ||
        second.replayed != 0 || second.kept != first.kept || second.unknown != first.unknown)
        abort();
    return 0;
}
