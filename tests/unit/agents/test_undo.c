/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/undo_format.h"
#include "check.h"
#include "shell.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct undo_owner owner = {.host = "n1", .net_ns = 4242, .boot_id = "boot-1"};

/* What a replay was given, and what it answers. */
static struct seen {
    unsigned n;
    char last[INJECTION_ID_MAX + 1];
    unsigned char byte;
    int answer;
} seen;

static int see(void *ctx, const struct undo *undo)
{
    struct seen *s = ctx;
    s->n++;
    (void)snprintf(s->last, sizeof(s->last), "%s", undo->injection);
    s->byte = undo->data[undo->size - 1];
    return s->answer;
}

static char path[64];

static int dir_open(void)
{
    (void)snprintf(path, sizeof(path), "/tmp/test-undo-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    seen = (struct seen){0};
    return fd;
}

static unsigned dir_count(int dir)
{
    unsigned n = 0;
    DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    (void)closedir(d);
    return n;
}

static void dir_close(int dir)
{
    char command[128];
    (void)close(dir);
    (void)snprintf(command, sizeof(command), "rm -rf %s", path);
    CU_ASSERT_EQUAL(shell_run(command), 0);
}

static struct undo record_of(const char *id, uint32_t size, unsigned char byte)
{
    struct undo u = {.run = "r1", .fault = "test.kind", .size = size};
    (void)snprintf(u.injection, sizeof(u.injection), "%s", id);
    memset(u.data, byte, size);
    return u;
}

/* As if the agent had been killed: the lock goes, the file stays. */
static void die(struct undo_log *log)
{
    (void)close(log->fd);
    log->fd = -1;
}

static struct undo_log log_with(int dir, unsigned slot, const struct undo *u)
{
    struct undo_log log;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(undo_open(&log, dir, &owner, false, &err), 0);
    CU_ASSERT_EQUAL_FATAL(undo_write(&log, slot, u, false, &err), 0);
    return log;
}

static struct undo_tally replay(int dir, const struct undo_owner *who)
{
    struct undo_tally tally = {0};
    struct err err;
    CU_ASSERT_EQUAL(undo_replay(dir, who, NULL, 0, see, &seen, &tally, &err), 0);
    return tally;
}

static void test_a_dead_agents_record_is_replayed_once(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", UNDO_DATA_MAX, 7);
    struct undo_log log = log_with(dir, 3, &u);
    die(&log);
    struct undo_tally t = replay(dir, &owner);
    CU_ASSERT_EQUAL(t.replayed, 1);
    CU_ASSERT_EQUAL(seen.n, 1);
    CU_ASSERT_STRING_EQUAL(seen.last, "i1");
    CU_ASSERT_EQUAL(seen.byte, 7);
    CU_ASSERT_EQUAL(dir_count(dir), 0);
    dir_close(dir);
}

static void test_done_is_done_and_an_empty_log_goes(void)
{
    int dir = dir_open();
    struct err err;
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    CU_ASSERT_EQUAL(undo_done(&log, 0, &err), 0);
    CU_ASSERT_EQUAL(undo_done(&log, 0, &err), 0);
    die(&log);
    struct undo_tally t = replay(dir, &owner);
    CU_ASSERT_EQUAL(t.replayed + t.kept + t.unknown, 0);
    CU_ASSERT_EQUAL(seen.n, 0);
    CU_ASSERT_EQUAL(dir_count(dir), 0);
    dir_close(dir);
}

static void test_a_slot_is_used_again(void)
{
    int dir = dir_open();
    struct err err;
    const struct undo first = record_of("i1", 100, 1), second = record_of("i2", 50, 2);
    struct undo_log log = log_with(dir, 5, &first);
    CU_ASSERT_EQUAL(undo_done(&log, 5, &err), 0);
    CU_ASSERT_EQUAL(undo_write(&log, 5, &second, false, &err), 0);
    die(&log);
    CU_ASSERT_EQUAL(replay(dir, &owner).replayed, 1);
    CU_ASSERT_STRING_EQUAL(seen.last, "i2");
    CU_ASSERT_EQUAL(seen.byte, 2);
    dir_close(dir);
}

static void test_a_living_agents_log_is_left_alone(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    struct undo_tally t = replay(dir, &owner);
    CU_ASSERT_EQUAL(t.busy, 1);
    CU_ASSERT_EQUAL(seen.n, 0);
    CU_ASSERT_EQUAL(dir_count(dir), 1);
    die(&log);
    CU_ASSERT_EQUAL(replay(dir, &owner).replayed, 1);
    dir_close(dir);
}

static void test_the_lock_lives_as_long_as_a_child_that_shares_it(void)
{
    int dir = dir_open(), line[2];
    char byte;
    const struct undo u = record_of("i1", 10, 7);
    CU_ASSERT_EQUAL_FATAL(pipe(line), 0);
    struct undo_log log = log_with(dir, 0, &u);
    pid_t child = fork();
    if (child == 0) {
        (void)close(line[1]);
        _exit(read(line[0], &byte, 1) == 0 ? 0 : 1);
    }
    die(&log);
    CU_ASSERT_EQUAL(replay(dir, &owner).busy, 1);
    (void)close(line[1]);
    (void)waitpid(child, NULL, 0);
    CU_ASSERT_EQUAL(replay(dir, &owner).replayed, 1);
    (void)close(line[0]);
    dir_close(dir);
}

static void test_other_hosts_are_not_ours(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    die(&log);
    struct undo_owner other = owner;
    (void)snprintf(other.host, sizeof(other.host), "n2");
    (void)replay(dir, &other);
    other = owner;
    other.net_ns++; /* a namespace made later under the same name */
    (void)replay(dir, &other);
    CU_ASSERT_EQUAL(seen.n, 0);
    (void)snprintf(other.boot_id, sizeof(other.boot_id), "boot-2"); /* the same host, booted */
    (void)replay(dir, &other);
    CU_ASSERT_EQUAL(seen.n, 1);
    dir_close(dir);
}

static void test_a_failed_revert_is_kept_and_tried_again(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    die(&log);
    seen.answer = -1;
    CU_ASSERT_EQUAL(replay(dir, &owner).kept, 1);
    CU_ASSERT_EQUAL(dir_count(dir), 1);
    seen.answer = 0;
    CU_ASSERT_EQUAL(replay(dir, &owner).replayed, 1);
    CU_ASSERT_EQUAL(dir_count(dir), 0);
    dir_close(dir);
}

/* Every length at which a second write of a record can be cut short leaves the first one whole. */
static void test_a_torn_write_leaves_the_older_record(void)
{
    int dir = dir_open();
    struct err err;
    const struct undo first = record_of("i1", 600, 1), second = record_of("i2", 600, 2);
    struct undo_log log = log_with(dir, 0, &first);
    struct undo_copy copy;
    size_t size = undo_copy_fill(&copy, &second, log.seq[0] + 1);
    for (size_t cut = 0; cut <= size; cut++) {
        CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &copy, cut, undo_copy_at(0, log.seq[0] + 1)),
                              (ssize_t)cut);
        struct undo_copy read;
        CU_ASSERT_EQUAL(undo_slot_read(log.fd, 0, &read), UNDO_LIVE);
        CU_ASSERT_EQUAL(read.undo.data[0], 1);
    }
    CU_ASSERT_EQUAL(undo_write(&log, 0, &second, false, &err), 0);
    CU_ASSERT_EQUAL(undo_slot_read(log.fd, 0, &copy), UNDO_LIVE);
    CU_ASSERT_EQUAL(copy.undo.data[0], 2);
    undo_close(&log);
    dir_close(dir);
}

/* A record that its head vouches for, and that is not what was written, is never believed. */
static void test_every_flipped_byte_is_found(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", 300, 7);
    struct undo_log log = log_with(dir, 0, &u);
    size_t size = offsetof(struct undo_copy, undo) + offsetof(struct undo, data) + u.size;
    struct undo_copy copy;
    unsigned believed = 0;
    for (size_t i = 0; i < size; i++) {
        off_t at = undo_copy_at(0, log.seq[0]) + (off_t)i;
        unsigned char byte, flipped;
        CU_ASSERT_EQUAL_FATAL(pread(log.fd, &byte, 1, at), 1);
        flipped = byte ^ 0x20;
        CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &flipped, 1, at), 1);
        believed += undo_slot_read(log.fd, 0, &copy) == UNDO_LIVE;
        CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &byte, 1, at), 1);
    }
    CU_ASSERT_EQUAL(believed, 0);
    CU_ASSERT_EQUAL(undo_slot_read(log.fd, 0, &copy), UNDO_LIVE);
    for (size_t i = 0; i < sizeof(struct undo_slot_head); i++) {
        off_t at = undo_slot_at(0) + (off_t)i;
        unsigned char byte, flipped;
        CU_ASSERT_EQUAL_FATAL(pread(log.fd, &byte, 1, at), 1);
        flipped = byte ^ 0x20;
        CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &flipped, 1, at), 1);
        CU_ASSERT_EQUAL(undo_slot_read(log.fd, 0, &copy), UNDO_UNKNOWN);
        CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &byte, 1, at), 1);
    }
    undo_close(&log);
    dir_close(dir);
}

static void test_an_unknown_format_is_kept(void)
{
    int dir = dir_open();
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    struct undo_copy copy;
    size_t size = undo_copy_fill(&copy, &u, log.seq[0]);
    copy.format = UNDO_FORMAT + 1;
    copy.check = undo_copy_digest(&copy);
    CU_ASSERT_EQUAL_FATAL(pwrite(log.fd, &copy, size, undo_copy_at(0, log.seq[0])), (ssize_t)size);
    die(&log);
    CU_ASSERT_EQUAL(replay(dir, &owner).unknown, 1);
    CU_ASSERT_EQUAL(seen.n, 0);
    CU_ASSERT_EQUAL(dir_count(dir), 1);
    struct undo_log other = log_with(dir, 0, &u);
    struct undo_file_head head;
    CU_ASSERT_EQUAL_FATAL(pread(other.fd, &head, sizeof(head), 0), (ssize_t)sizeof(head));
    head.format = UNDO_FORMAT + 1;
    head.check = undo_file_digest(&head);
    CU_ASSERT_EQUAL_FATAL(pwrite(other.fd, &head, sizeof(head), 0), (ssize_t)sizeof(head));
    die(&other);
    CU_ASSERT_EQUAL(replay(dir, &owner).unknown, 2);
    CU_ASSERT_EQUAL(dir_count(dir), 2);
    dir_close(dir);
}

static void test_a_full_disk_refuses_a_start_and_nothing_else(void)
{
    int dir = dir_open();
    struct err err;
    const struct undo u = record_of("i1", UNDO_DATA_MAX, 7);
    struct undo_log log = log_with(dir, 0, &u);
    struct stat st;
    CU_ASSERT_EQUAL(fstat(log.fd, &st), 0);
    CU_ASSERT(st.st_blocks * 512 >= UNDO_FILE_SIZE); /* every slot is there before it is needed */
    for (unsigned slot = 0; slot < UNDO_SLOTS; slot++)
        CU_ASSERT_EQUAL(undo_write(&log, slot, &u, false, &err), 0);
    CU_ASSERT_EQUAL(fstat(log.fd, &st), 0);
    CU_ASSERT_EQUAL(st.st_size, UNDO_FILE_SIZE);
    CU_ASSERT_EQUAL(undo_write(&log, UNDO_SLOTS, &u, false, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
    die(&log);
    dir_close(dir);
}

static void test_after_a_failed_sync_nothing_is_written(void)
{
    int dir = dir_open();
    struct err err;
    const struct undo u = record_of("i1", 10, 7);
    struct undo_log log = log_with(dir, 0, &u);
    log.failed = true;
    CU_ASSERT_EQUAL(undo_write(&log, 1, &u, false, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_EQUAL(undo_done(&log, 0, &err), 0); /* but an undo goes on */
    undo_close(&log);
    CU_ASSERT_EQUAL(dir_count(dir), 0);
    dir_close(dir);
}

static void test_a_draft_that_nobody_holds_is_swept(void)
{
    int dir = dir_open();
    int fd = openat(dir, "undo-n1-1-1.log.new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    (void)close(fd);
    (void)replay(dir, &owner);
    CU_ASSERT_EQUAL(dir_count(dir), 0);
    dir_close(dir);
}

static const struct check_test tests[] = {
    {"a dead agent's record is replayed once", test_a_dead_agents_record_is_replayed_once},
    {"done is done, and an empty log goes", test_done_is_done_and_an_empty_log_goes},
    {"a slot is used again", test_a_slot_is_used_again},
    {"a living agent's log is left alone", test_a_living_agents_log_is_left_alone},
    {"the lock lives as long as a child that shares it",
     test_the_lock_lives_as_long_as_a_child_that_shares_it},
    {"other hosts are not ours", test_other_hosts_are_not_ours},
    {"a failed revert is kept and tried again", test_a_failed_revert_is_kept_and_tried_again},
    {"a torn write leaves the older record", test_a_torn_write_leaves_the_older_record},
    {"every flipped byte is found", test_every_flipped_byte_is_found},
    {"an unknown format is kept", test_an_unknown_format_is_kept},
    {"a full disk refuses a start and nothing else",
     test_a_full_disk_refuses_a_start_and_nothing_else},
    {"after a failed sync nothing is written", test_after_a_failed_sync_nothing_is_written},
    {"a draft that nobody holds is swept", test_a_draft_that_nobody_holds_is_swept},
};

CHECK_MAIN("agents/undo", tests)
