/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer's sample files. */
#include "base/cleanup.h"
#include "journal/journal_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS_MAX = BLOCK_SAMPLES_MAX * (BLOCK_HEAD + BLOCK_COLUMNS_MAX + BLOCK_BITS_MAX + 8) };

static const char magic[8] = {'B', 'S', 'T', 'S', 'A', 'M', 'P', '2'};

int journal_samples_schedule(struct journal *j, uint16_t probe, uint64_t seed, int64_t every_ns,
                             struct err *err)
{
    struct journal_samples *s = &j->samples;
    if (probe >= s->n_schedules) {
        size_t n = probe + (size_t)1;
        struct block_schedule *more = realloc(s->schedules, n * sizeof(*more));
        if (more == NULL)
            return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
        memset(more + s->n_schedules, 0, (n - s->n_schedules) * sizeof(*more));
        s->schedules = more;
        s->n_schedules = n;
    }
    s->schedules[probe] = (struct block_schedule){.seed = seed, .every_ns = every_ns};
    return 0;
}

static int compare(const void *a, const void *b)
{
    return sample_compare(a, b);
}

/* Sorts them, and appends a block for each probe of each trial. */
static int blocks_write(const struct journal_samples *s, struct sample *list, size_t n, bool pack,
                        struct buf *out, struct err *err)
{
    qsort(list, n, sizeof(*list), compare);
    for (size_t i = 0, end; i < n; i = end) {
        static const struct block_schedule unknown;
        uint16_t probe = list[i].probe;
        for (end = i; end < n && list[end].probe == probe && list[end].trial == list[i].trial;)
            end++;
        if (block_write(list + i, end - i, probe < s->n_schedules ? &s->schedules[probe] : &unknown,
                        pack, out, err) != 0)
            return -1;
    }
    return 0;
}

static int file_put(struct journal_samples *s, const void *data, size_t len, struct err *err)
{
    if (sha256_add(s->hash, data, len, err) != 0 || journal_write(s->fd, data, len, err) != 0)
        return wrap_error(err, "%s", s->name);
    s->written += len;
    return 0;
}

static int file_open(const struct journal *j, const char *name, struct err *err)
{
    int fd = openat(j->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    return fd >= 0 ? fd : make_error(err, ERR_SYSTEM, errno, "create %s", name);
}

static int buffers_make(struct journal_samples *s, struct err *err)
{
    if (s->batch == NULL)
        s->batch = calloc(BLOCK_SAMPLES_MAX, sizeof(*s->batch));
    if (s->sorted == NULL)
        s->sorted = calloc(BLOCK_SAMPLES_MAX, sizeof(*s->sorted));
    if (s->batch == NULL || s->sorted == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    return 0;
}

static int file_begin(struct journal *j, uint32_t trial, struct err *err)
{
    struct journal_samples *s = &j->samples;
    if (buffers_make(s, err) != 0)
        return -1;
    (void)snprintf(s->name, sizeof(s->name), JOURNAL_SAMPLES_NAME, s->n_files);
    (void)snprintf(s->tail_name, sizeof(s->tail_name), JOURNAL_TAIL_NAME, s->n_files);
    s->fd = file_open(j, s->name, err);
    s->tail_fd = s->fd >= 0 ? file_open(j, s->tail_name, err) : -1;
    if (s->tail_fd < 0)
        return -1;
    s->n_files++;
    s->trial = trial;
    s->count = s->written = 0;
    sha256_free(s->hash);
    s->hash = NULL;
    if (sha256_begin(&s->hash, err) != 0)
        return -1;
    if (journal_write(s->tail_fd, magic, sizeof(magic), err) != 0)
        return wrap_error(err, "%s", s->tail_name);
    return file_put(s, magic, sizeof(magic), err);
}

static int file_end(struct journal *j, struct err *err)
{
    struct journal_samples *s = &j->samples;
    char text[SHA256_TEXT];
    if (sha256_end(s->hash, text, err) != 0)
        return wrap_error(err, "%s", s->name);
    if (fdatasync(s->fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write %s to the disk", s->name);
    int fd = steal_fd(&s->fd);
    if (close(fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "close %s", s->name);
    cleanup_fd_at(&s->tail_fd);
    s->tail_fd = -1;
    if (unlinkat(j->dir, s->tail_name, 0) != 0)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", s->tail_name);
    return journal_append(j, "samples",
                          json_pack("{s:s, s:s, s:I, s:I}", "file", s->name, "sha256", text,
                                    "count", (json_int_t)s->count, "trial", (json_int_t)s->trial),
                          err);
}

/* What was gathered becomes blocks; the tail is needed no longer. */
static int batch_flush(struct journal *j, struct err *err)
{
    struct journal_samples *s = &j->samples;
    CLEANUP_BUF struct buf blocks = BUF_INIT(BLOCKS_MAX);
    if (s->n == 0)
        return 0;
    if (blocks_write(s, s->batch, s->n, true, &blocks, err) != 0)
        return -1;
    if (file_put(s, blocks.data, blocks.len, err) != 0)
        return -1;
    s->count += s->n;
    s->n = 0;
    if (ftruncate(s->tail_fd, sizeof(magic)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "empty %s", s->tail_name);
    return 0;
}

static int tail_put(struct journal_samples *s, const struct sample *samples, size_t n,
                    struct err *err)
{
    CLEANUP_BUF struct buf blocks = BUF_INIT(BLOCKS_MAX);
    memcpy(s->sorted, samples, n * sizeof(*samples));
    if (blocks_write(s, s->sorted, n, false, &blocks, err) != 0)
        return -1;
    if (journal_write(s->tail_fd, blocks.data, blocks.len, err) != 0)
        return wrap_error(err, "%s", s->tail_name);
    return 0;
}

static int batch_add(struct journal *j, const struct sample *samples, size_t n, struct err *err)
{
    struct journal_samples *s = &j->samples;
    for (size_t i = 0; i < n; i++) {
        struct sample *to = &s->batch[s->n + i];
        *to = samples[i];
        (void)sample_round(to); /* what cannot be is written as it is: the reader says so */
    }
    if (tail_put(s, s->batch + s->n, n, err) != 0)
        return -1;
    s->n += n;
    s->total += n;
    return s->n == BLOCK_SAMPLES_MAX ? batch_flush(j, err) : 0;
}

int journal_samples_add(struct journal *j, uint32_t trial, const struct sample *samples, size_t n,
                        struct err *err)
{
    struct journal_samples *s = &j->samples;
    if (n > JOURNAL_SAMPLES_MAX - s->total)
        return make_error(err, ERR_LIMIT, 0, "more than %d samples in one run",
                          JOURNAL_SAMPLES_MAX);
    if (s->headless)
        return make_error(err, ERR_SYSTEM, 0, "an earlier write of samples failed");
    if (s->fd >= 0 && s->trial != trial && journal_samples_end(j, err) != 0)
        return -1;
    while (n != 0) {
        /* Whatever the next blocks will be, there is room for them. */
        if (s->fd >= 0 && s->n == 0 && s->written > JOURNAL_SAMPLE_FILE_MAX - BLOCKS_MAX &&
            journal_samples_end(j, err) != 0)
            return -1;
        if (s->fd < 0 && file_begin(j, trial, err) != 0) {
            s->headless = true;
            return -1;
        }
        size_t room = BLOCK_SAMPLES_MAX - s->n, now = n < room ? n : room;
        if (batch_add(j, samples, now, err) != 0)
            return -1;
        samples += now;
        n -= now;
    }
    return 0;
}

int journal_samples_end(struct journal *j, struct err *err)
{
    if (j->samples.fd < 0 || j->samples.headless)
        return 0;
    if (batch_flush(j, err) != 0)
        return -1;
    return file_end(j, err);
}

void journal_samples_free(struct journal *j)
{
    struct journal_samples *s = &j->samples;
    cleanup_fd_at(&s->fd);
    cleanup_fd_at(&s->tail_fd);
    sha256_free(s->hash);
    free(s->batch);
    free(s->sorted);
    free(s->schedules);
}
