/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which samples a run has, and where: an index of its files, or of what a test gave. */
#include "base/cleanup.h"
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void history_store_free(struct history_store *s)
{
    if (s == NULL)
        return;
    samples_parts_free(&s->parts);
    free(s->memory);
    cleanup_fd_at(&s->dir);
    cleanup_fd_at(&s->fd);
    free(s);
}

static int store_make(struct history *h, struct err *err)
{
    h->store = calloc(1, sizeof(*h->store));
    if (h->store == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "samples");
    h->store->dir = h->store->fd = -1;
    return 0;
}

static int compare_samples(const void *a, const void *b)
{
    return sample_compare(a, b);
}

static int compare_parts(const void *left, const void *right)
{
    const struct samples_part *a = left, *b = right;
    if (a->trial != b->trial)
        return a->trial < b->trial ? -1 : 1;
    if (a->probe != b->probe)
        return a->probe < b->probe ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The trial of that number; *at: where the last one was found, since they come in order. */
static struct history_trial *trial_find(struct history *h, uint32_t number, size_t *at)
{
    for (size_t i = 0; i < h->n_trials; i++) {
        size_t k = (*at + i) % h->n_trials;
        if (h->trials[k].trial == number) {
            *at = k;
            return &h->trials[k];
        }
    }
    return NULL;
}

/* Puts the parts in order and tells each trial how many samples it has. */
static int store_index(struct history *h, struct err *err)
{
    struct samples_parts *p = &h->store->parts;
    if (p->n != 0)
        qsort(p->list, p->n, sizeof(*p->list), compare_parts);
    for (size_t i = 0, at = 0; i < p->n; i++) {
        struct history_trial *trial = trial_find(h, p->list[i].trial, &at);
        if (trial == NULL)
            return make_error(err, ERR_INPUT, 0,
                              "samples of trial %u, which the journal never began",
                              p->list[i].trial);
        trial->n_samples += p->list[i].n;
        h->n_samples += p->list[i].n;
        if (p->list[i].probe >= h->n_probes_seen)
            h->n_probes_seen = p->list[i].probe + (size_t)1;
    }
    return 0;
}

/* As parts of at most a block's samples, so that a reader meets memory as it meets files. */
static int memory_index(struct history_store *s, size_t n, struct err *err)
{
    struct samples_parts *p = &s->parts;
    p->list = calloc(n + 1, sizeof(*p->list));
    if (p->list == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%zu samples", n);
    for (size_t i = 0, end; i < n; i = end) {
        const struct sample *first = &s->memory[i];
        for (end = i; end < n && s->memory[end].trial == first->trial &&
                      s->memory[end].probe == first->probe;)
            end++;
        p->list[p->n++] = (struct samples_part){.offset = i,
                                                .trial = first->trial,
                                                .first = first->slot,
                                                .last = s->memory[end - 1].slot,
                                                .n = (uint32_t)(end - i),
                                                .probe = first->probe};
    }
    return 0;
}

int history_samples_assign(struct history *h, const struct sample *samples, size_t n,
                           struct err *err)
{
    if (store_make(h, err) != 0)
        return -1;
    if (n > JOURNAL_SAMPLES_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d samples", JOURNAL_SAMPLES_MAX);
    h->store->memory = calloc(n + 1, sizeof(*samples));
    if (h->store->memory == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%zu samples", n);
    if (n != 0) {
        memcpy(h->store->memory, samples, n * sizeof(*samples));
        qsort(h->store->memory, n, sizeof(*samples), compare_samples);
    }
    return memory_index(h->store, n, err) == 0 ? store_index(h, err) : -1;
}

/* Index of a file; -1 and ERR_NOT_FOUND when there is none. */
static int file_scan(struct history *h, uint32_t file, bool tail, struct samples_found *found,
                     struct err *err)
{
    char name[32];
    (void)snprintf(name, sizeof(name), tail ? JOURNAL_TAIL_NAME : JOURNAL_SAMPLES_NAME, file);
    CLEANUP_FD int fd = history_open(h->store->dir, name, O_NOFOLLOW, err);
    if (fd < 0)
        return -1;
    if (samples_file_scan(fd, file, tail, &h->store->parts, found, err) != 0)
        return wrap_error(err, "%s", name);
    return 0;
}

/* The files that events name, in order; *ret_files counts them. */
static int named_scan(struct history *h, uint32_t *ret_files, struct err *err)
{
    *ret_files = 0;
    for (size_t i = 0; i < h->n_events; i++) {
        struct history_line line;
        if (strcmp(h->events[i].ev, "samples") != 0)
            continue;
        if (history_line_read(h->events[i].members, i + 1, &line, err) != 0)
            return -1;
        char expected[32];
        struct samples_found found;
        /* The name is never taken from the journal: it could lead anywhere. */
        (void)snprintf(expected, sizeof(expected), JOURNAL_SAMPLES_NAME, *ret_files);
        if (line.file == NULL || line.sha256 == NULL || strcmp(line.file, expected) != 0)
            return make_error(err, ERR_INPUT, 0,
                              JOURNAL_FILE ":%zu: samples must name %s and its sha256", i + 1,
                              expected);
        if (file_scan(h, (*ret_files)++, false, &found, err) != 0)
            return -1;
        if (strcmp(found.sha256, line.sha256) != 0 || (int64_t)found.samples != line.count)
            return make_error(err, ERR_INPUT, 0, "%s is not as it was when the journal named it",
                              expected);
    }
    return 0;
}

/* What a killed run left: a file that no event names, and its tail; each as far as it is sound. */
static int unnamed_scan(struct history *h, uint32_t file, struct err *err)
{
    struct samples_found found;
    struct err why;
    bool any = false;
    for (;; file++, any = false) {
        for (int tail = 0; tail <= 1; tail++) {
            if (file_scan(h, file, tail != 0, &found, &why) == 0)
                any = true;
            /* A run killed while it opened the file leaves one without a whole head. */
            else if (why.code != ERR_INPUT && why.code != ERR_NOT_FOUND) {
                *err = why;
                return -1;
            }
        }
        if (!any)
            return 0;
        h->files_unfinished++;
    }
}

int history_samples_load(struct history *h, int dir_fd, struct err *err)
{
    uint32_t files = 0;
    if (store_make(h, err) != 0)
        return -1;
    h->store->dir = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    if (h->store->dir < 0)
        return make_error(err, ERR_SYSTEM, errno, "the run's directory");
    if (named_scan(h, &files, err) != 0 || unnamed_scan(h, files, err) != 0)
        return -1;
    return store_index(h, err);
}

/* The trials that a file's samples are of. */
static int trials_make(struct history *h, struct err *err)
{
    const struct samples_parts *p = &h->store->parts;
    h->trials = arena_array(&h->arena, p->n + 1, sizeof(*h->trials));
    if (h->trials == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%zu parts", p->n);
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || p->list[i].trial != p->list[i - 1].trial)
            h->trials[h->n_trials++] = (struct history_trial){.trial = p->list[i].trial};
    return 0;
}

int history_samples_file(struct history *h, int fd, struct err *ret_why, struct err *err)
{
    struct samples_found found;
    if (store_make(h, err) != 0) {
        (void)close(fd);
        return -1;
    }
    h->store->fd = fd;
    *ret_why = (struct err){.msg = ""};
    if (samples_file_scan(fd, 0, false, &h->store->parts, &found, err) != 0)
        return -1;
    if (found.torn)
        *ret_why = found.why;
    struct samples_parts *p = &h->store->parts;
    if (p->n != 0)
        qsort(p->list, p->n, sizeof(*p->list), compare_parts);
    return trials_make(h, err) == 0 ? store_index(h, err) : -1;
}
