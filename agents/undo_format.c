/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/undo_format.h"

#include <string.h>
#include <unistd.h>

uint64_t undo_file_digest(const struct undo_file_head *head)
{
    uint64_t d = DIGEST_START;
    digest_add(&d, head, offsetof(struct undo_file_head, check));
    return d;
}

uint64_t undo_slot_digest(const struct undo_slot_head *head)
{
    uint64_t d = DIGEST_START;
    digest_add(&d, head, offsetof(struct undo_slot_head, check));
    return d;
}

uint64_t undo_copy_digest(const struct undo_copy *copy)
{
    uint64_t d = DIGEST_START;
    digest_add(&d, copy, offsetof(struct undo_copy, check));
    digest_add(&d, &copy->undo, copy->size);
    return d;
}

size_t undo_copy_fill(struct undo_copy *copy, const struct undo *undo, uint64_t seq)
{
    size_t stored = offsetof(struct undo, data) + undo->size;
    *copy = (struct undo_copy){0};
    copy->magic = UNDO_COPY_MAGIC;
    copy->format = UNDO_FORMAT;
    copy->size = (uint32_t)stored;
    copy->seq = seq;
    memcpy(&copy->undo, undo, stored);
    copy->check = undo_copy_digest(copy);
    return offsetof(struct undo_copy, undo) + stored;
}

static bool read_at(int fd, void *data, size_t size, off_t at)
{
    return pread(fd, data, size, at) == (ssize_t)size;
}

static bool copy_is_sound(const struct undo_copy *copy, uint64_t seq)
{
    return copy->magic == UNDO_COPY_MAGIC && copy->format == UNDO_FORMAT && copy->seq == seq &&
           copy->size >= offsetof(struct undo, data) && copy->size <= sizeof(struct undo) &&
           copy->undo.size == copy->size - offsetof(struct undo, data) &&
           copy->check == undo_copy_digest(copy);
}

static bool is_terminated(const struct undo *u)
{
    return memchr(u->run, 0, sizeof(u->run)) != NULL &&
           memchr(u->injection, 0, sizeof(u->injection)) != NULL &&
           memchr(u->fault, 0, sizeof(u->fault)) != NULL;
}

enum undo_state undo_head_read(int fd, unsigned slot, struct undo_slot_head *head)
{
    if (!read_at(fd, head, sizeof(*head), undo_slot_at(slot)))
        return UNDO_UNKNOWN;
    if (head->magic == 0 && head->live_seq == 0)
        return UNDO_EMPTY; /* a copy without a head was never applied */
    if (head->magic != UNDO_SLOT_MAGIC || head->check != undo_slot_digest(head))
        return UNDO_UNKNOWN;
    return head->live_seq == head->done_seq ? UNDO_EMPTY : UNDO_LIVE;
}

enum undo_state undo_slot_read(int fd, unsigned slot, struct undo_copy *copy)
{
    struct undo_slot_head head;
    enum undo_state state = undo_head_read(fd, slot, &head);
    if (state != UNDO_LIVE)
        return state;
    if (!read_at(fd, copy, sizeof(*copy), undo_copy_at(slot, head.live_seq)) ||
        !copy_is_sound(copy, head.live_seq) || !is_terminated(&copy->undo))
        return UNDO_UNKNOWN;
    return UNDO_LIVE;
}
