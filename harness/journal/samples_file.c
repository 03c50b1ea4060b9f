/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/samples_file.h"

#include "base/cleanup.h"
#include "journal/block.h"
#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAGIC = 8, HEAD_1 = 16, STRETCH = 8192 };

/* A file that is looked through; all that is read goes into its hash. */
struct scan {
    int fd;
    uint32_t file;
    bool tail;
    uint64_t at;
    struct samples_parts *parts;
    struct samples_found *found;
    struct sha256 *hash;
    unsigned char *room; /* for the largest payload, or for a stretch */
};

void samples_parts_free(struct samples_parts *p)
{
    free(p->list);
    *p = (struct samples_parts){.list = NULL};
}

static int part_add(struct scan *s, const struct samples_part *part, struct err *err)
{
    struct samples_parts *p = s->parts;
    if (part->n > JOURNAL_SAMPLES_MAX - p->samples)
        return make_error(err, ERR_LIMIT, 0, "more than %d samples", JOURNAL_SAMPLES_MAX);
    if (p->n == p->room) {
        size_t room = 2 * p->room + 64;
        struct samples_part *more = realloc(p->list, room * sizeof(*more));
        if (more == NULL)
            return make_error(err, ERR_SYSTEM, ENOMEM, "%zu parts", room);
        p->list = more;
        p->room = room;
    }
    p->list[p->n] = *part;
    p->list[p->n].file = s->file;
    p->list[p->n++].tail = s->tail;
    p->samples += part->n;
    s->found->samples += part->n;
    return 0;
}

/* Fewer bytes than asked for are there only at the file's end. */
static int read_at(int fd, uint64_t at, void *to, size_t len, size_t *ret, struct err *err)
{
    *ret = 0;
    while (*ret < len) {
        ssize_t n = pread(fd, (char *)to + *ret, len - *ret, (off_t)(at + *ret));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read");
        if (n == 0)
            return 0;
        *ret += (size_t)n;
    }
    return 0;
}

static int take(struct scan *s, void *to, size_t len, size_t *ret, struct err *err)
{
    if (read_at(s->fd, s->at, to, len, ret, err) != 0)
        return -1;
    s->at += *ret;
    if (s->at > JOURNAL_SAMPLE_FILE_MAX)
        return make_error(err, ERR_LIMIT, 0, "longer than %d bytes", JOURNAL_SAMPLE_FILE_MAX);
    return sha256_add(s->hash, to, *ret, err);
}

static void torn(struct scan *s, uint64_t at, const struct err *why)
{
    s->found->torn = true;
    s->found->why = *why;
    (void)wrap_error(&s->found->why, "at byte %llu", (unsigned long long)at);
}

/* One block. *ret_more is false at the end, be it torn. */
static int block_scan(struct scan *s, bool *ret_more, struct err *err)
{
    unsigned char bytes[BLOCK_HEAD];
    struct block_head head;
    struct err why;
    uint64_t at = s->at;
    size_t n, n_payload = 0;
    *ret_more = false;
    if (take(s, bytes, sizeof(bytes), &n, err) != 0)
        return -1;
    if (n == 0)
        return 0;
    int r = n == sizeof(bytes)
                ? block_head_read(bytes, &head, &why)
                : make_error(&why, ERR_INPUT, 0, "the last block has only %zu bytes", n);
    if (r == 0 && take(s, s->room, head.payload, &n_payload, err) != 0)
        return -1;
    if (r == 0 && n_payload < head.payload)
        r = make_error(&why, ERR_INPUT, 0, "the last block lacks %zu bytes",
                       head.payload - n_payload);
    if (r == 0 && !block_check(&head, bytes, s->room))
        r = make_error(&why, ERR_INPUT, 0, "the block's check sum is wrong");
    if (r != 0) {
        torn(s, at, &why);
        return 0;
    }
    *ret_more = true;
    return part_add(s,
                    &(struct samples_part){.offset = at,
                                           .trial = head.trial,
                                           .first = head.first,
                                           .last = head.last,
                                           .n = head.n,
                                           .probe = head.probe},
                    err);
}

static int compare(const void *a, const void *b)
{
    return sample_compare(a, b);
}

static bool is_together(const struct sample *a, const struct sample *b)
{
    return a->trial == b->trial && a->probe == b->probe;
}

/* Version 1: a stretch of records as they came, of all probes. */
static int stretch_scan(struct scan *s, bool *ret_more, struct err *err)
{
    uint64_t at = s->at;
    size_t len, n;
    struct sample *list = (struct sample *)s->room;
    *ret_more = false;
    if (take(s, s->room, STRETCH * sizeof(*list), &len, err) != 0)
        return -1;
    n = len / sizeof(*list);
    if (len % sizeof(*list) != 0) {
        struct err why;
        (void)make_error(&why, ERR_INPUT, 0, "the last record has only %zu bytes",
                         len % sizeof(*list));
        torn(s, at + n * sizeof(*list), &why);
    }
    *ret_more = n == STRETCH;
    qsort(list, n, sizeof(*list), compare);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && is_together(&list[end], &list[i]);)
            end++;
        if (part_add(s,
                     &(struct samples_part){.offset = at,
                                            .records = (uint32_t)n,
                                            .trial = list[i].trial,
                                            .first = list[i].slot,
                                            .last = list[end - 1].slot,
                                            .n = (uint32_t)(end - i),
                                            .probe = list[i].probe},
                     err) != 0)
            return -1;
    }
    return 0;
}

/* 1 or 2; what is left of the head of version 1 is read. */
static int version_find(struct scan *s, int *ret, struct err *err)
{
    char magic[MAGIC];
    uint32_t words[2];
    size_t n;
    if (take(s, magic, sizeof(magic), &n, err) != 0)
        return -1;
    if (n == sizeof(magic) && memcmp(magic, "BSTSAMP2", MAGIC) == 0) {
        *ret = 2;
        return 0;
    }
    if (n == sizeof(magic) && memcmp(magic, "BSTSAMP", MAGIC - 1) == 0 && magic[MAGIC - 1] != '1')
        return make_error(err, ERR_UNSUPPORTED, 0, "was written by a newer blackstart");
    if (n < sizeof(magic) || memcmp(magic, "BSTSAMP1", MAGIC) != 0)
        return make_error(err, ERR_INPUT, 0, "is not a sample file");
    if (take(s, words, sizeof(words), &n, err) != 0)
        return -1;
    if (n < sizeof(words))
        return make_error(err, ERR_INPUT, 0, "is not a sample file");
    if (words[1] != 0x01020304)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "was written by a machine of the other byte order");
    if (words[0] != sizeof(struct sample))
        return make_error(err, ERR_INPUT, 0, "has records of %u bytes, not %zu", words[0],
                          sizeof(struct sample));
    *ret = 1;
    return 0;
}

int samples_file_scan(int fd, uint32_t file, bool tail, struct samples_parts *parts,
                      struct samples_found *ret, struct err *err)
{
    CLEANUP_SHA256 struct sha256 *hash = NULL;
    CLEANUP_FREE unsigned char *room = malloc(BLOCK_PAYLOAD_MAX);
    struct scan s = {
        .fd = fd, .file = file, .tail = tail, .parts = parts, .found = ret, .room = room};
    int version = 0;
    bool more = true;
    *ret = (struct samples_found){.samples = 0};
    if (room == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "sample file");
    if (sha256_begin(&hash, err) != 0)
        return -1;
    s.hash = hash;
    if (version_find(&s, &version, err) != 0)
        return -1;
    while (more)
        if ((version == 1 ? stretch_scan(&s, &more, err) : block_scan(&s, &more, err)) != 0)
            return -1;
    return sha256_end(hash, ret->sha256, err);
}

static int block_at(int fd, const struct samples_part *part, struct sample *list, struct err *err)
{
    unsigned char bytes[BLOCK_HEAD];
    struct block_head head;
    size_t n;
    if (read_at(fd, part->offset, bytes, sizeof(bytes), &n, err) != 0)
        return -1;
    if (n < sizeof(bytes) || block_head_read(bytes, &head, err) != 0 || head.n != part->n)
        return make_error(err, ERR_INPUT, 0, "a block of samples has changed meanwhile");
    CLEANUP_FREE unsigned char *payload = malloc(head.payload + (size_t)1);
    if (payload == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "block of %u samples", head.n);
    if (read_at(fd, part->offset + sizeof(bytes), payload, head.payload, &n, err) != 0)
        return -1;
    if (n < head.payload || !block_check(&head, bytes, payload))
        return make_error(err, ERR_INPUT, 0, "a block of samples has changed meanwhile");
    return block_read(&head, payload, list, err);
}

static int stretch_at(int fd, const struct samples_part *part, struct sample *list, struct err *err)
{
    CLEANUP_FREE struct sample *all = calloc(part->records, sizeof(*all));
    size_t len, n = 0;
    if (all == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%u samples", part->records);
    if (read_at(fd, part->offset, all, part->records * sizeof(*all), &len, err) != 0)
        return -1;
    for (size_t i = 0; i < len / sizeof(*all) && n < part->n; i++)
        if (all[i].trial == part->trial && all[i].probe == part->probe)
            list[n++] = all[i];
    if (n != part->n)
        return make_error(err, ERR_INPUT, 0, "the records have changed meanwhile");
    qsort(list, n, sizeof(*list), compare);
    return 0;
}

int samples_file_read(int fd, const struct samples_part *part, struct sample **ret, struct err *err)
{
    CLEANUP_FREE struct sample *list = calloc(part->n, sizeof(*list));
    if (list == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%u samples", part->n);
    if ((part->records != 0 ? stretch_at(fd, part, list, err) : block_at(fd, part, list, err)) != 0)
        return -1;
    *ret = steal_ptr(&list);
    return 0;
}
