/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo log's bytes (host byte order: a log never leaves its host). Shared by the writer
 * (undo.c) and the replay (undo_replay.c); nobody else reads it.
 */
#ifndef BLACKSTART_AGENTS_UNDO_FORMAT_H
#define BLACKSTART_AGENTS_UNDO_FORMAT_H

#include "agents/undo.h"

#include <sys/types.h>

#define UNDO_PREFIX     "undo-"
#define UNDO_SUFFIX     ".log"
#define UNDO_DRAFT      ".new"
#define UNDO_FILE_MAGIC UINT64_C(0x31474f4c4f444e55) /* "UNDOLOG1" */
#define UNDO_SLOT_MAGIC UINT64_C(0x31544f4c534f4455)
#define UNDO_COPY_MAGIC UINT64_C(0x31595043504f4455)

struct undo_file_head {
    uint64_t magic;
    uint32_t format, slots;
    struct undo_owner owner;
    uint64_t check;
};

struct undo_slot_head {
    uint64_t magic;
    uint64_t live_seq; /* the copy that counts */
    uint64_t done_seq; /* equal: nothing to undo */
    uint64_t check;
};

struct undo_copy {
    uint64_t magic;
    uint32_t format, size; /* size: bytes of `undo` that are stored */
    uint64_t seq;
    uint64_t check; /* of all that is stored but itself */
    struct undo undo;
};

enum {
    UNDO_PAGE = 4096,
    UNDO_COPY_SIZE = (sizeof(struct undo_copy) + UNDO_PAGE - 1) / UNDO_PAGE * UNDO_PAGE,
    UNDO_SLOT_SIZE = UNDO_PAGE + 2 * UNDO_COPY_SIZE,
    UNDO_FILE_SIZE = UNDO_PAGE + UNDO_SLOTS * UNDO_SLOT_SIZE
};

static inline off_t undo_slot_at(unsigned slot)
{
    return UNDO_PAGE + (off_t)slot * UNDO_SLOT_SIZE;
}

static inline off_t undo_copy_at(unsigned slot, uint64_t seq)
{
    return undo_slot_at(slot) + UNDO_PAGE + (off_t)(seq % 2) * UNDO_COPY_SIZE;
}

uint64_t undo_file_digest(const struct undo_file_head *head);
uint64_t undo_slot_digest(const struct undo_slot_head *head);
/* Of a copy whose `size` is believed to be at most sizeof(struct undo). */
uint64_t undo_copy_digest(const struct undo_copy *copy);
/* Returns the bytes to write. */
size_t undo_copy_fill(struct undo_copy *copy, const struct undo *undo, uint64_t seq);

enum undo_state {
    UNDO_EMPTY,   /* never used, or done */
    UNDO_LIVE,    /* *copy holds it */
    UNDO_UNKNOWN, /* another format, or damaged: kept for a person */
};

/* UNDO_LIVE says nothing of the copy that the head names. */
enum undo_state undo_head_read(int fd, unsigned slot, struct undo_slot_head *head);

/* What slot `slot` of the file says; fills *copy if it is live. */
enum undo_state undo_slot_read(int fd, unsigned slot, struct undo_copy *copy);

#endif
