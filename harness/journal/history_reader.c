/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The samples of one probe in one trial in order, out of parts that may overlap: an answer comes
 * when it comes, so a slow one stands behind its slot's neighbours. Only the parts that overlap
 * where the reader stands are held, each through a cursor in a heap.
 */
#include "base/cleanup.h"
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cursor {
    const struct sample *at, *end;
    struct sample *owned; /* NULL: in the store's memory */
    bool tail;
};

struct history_reader {
    struct history_store *store;
    const struct samples_part *next, *end; /* not opened yet */
    struct cursor *heap;
    size_t n, room;
    struct sample *slot;
    size_t slot_room;
    struct sample before;
    bool any; /* there is one before */
};

static int sample_check(const struct sample *s, const struct sample *before, struct err *err)
{
    if (s->due_ns < 0 || s->sent_ns < s->due_ns || s->done_ns < s->sent_ns ||
        s->done_ns > HISTORY_TIME_MAX || s->result >= SAMPLE_RESULT_COUNT)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: a sample that cannot be", s->probe,
                          s->slot);
    if (before == NULL)
        return 0;
    if (before->slot == s->slot && before->endpoint == s->endpoint)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: two samples of one attempt",
                          s->probe, s->slot);
    if (before->slot < s->slot && before->due_ns > s->due_ns)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: due before the slot before it",
                          s->probe, s->slot);
    return 0;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
    int order = sample_compare(a->at, b->at);
    return order < 0 || (order == 0 && !a->tail && b->tail);
}

static void swap(struct cursor *a, struct cursor *b)
{
    struct cursor c = *a;
    *a = *b;
    *b = c;
}

static void sift_up(struct history_reader *r, size_t i)
{
    for (; i != 0 && is_before(&r->heap[i], &r->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&r->heap[i], &r->heap[(i - 1) / 2]);
}

static void sift_down(struct history_reader *r, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < r->n && is_before(&r->heap[child], &r->heap[least]))
                least = child;
        if (least == i)
            return;
        swap(&r->heap[i], &r->heap[least]);
        i = least;
    }
}

/* The store keeps the file open that was read last. */
static int file_open(struct history_store *s, const struct samples_part *p, struct err *err)
{
    if (s->fd >= 0 && s->fd_file == p->file && s->fd_tail == p->tail)
        return s->fd;
    char name[32];
    (void)snprintf(name, sizeof(name), p->tail ? JOURNAL_TAIL_NAME : JOURNAL_SAMPLES_NAME, p->file);
    cleanup_fd_at(&s->fd);
    s->fd = history_open(s->dir, name, O_NOFOLLOW, err);
    s->fd_file = p->file;
    s->fd_tail = p->tail;
    return s->fd;
}

static int cursor_open(struct history_reader *r, struct err *err)
{
    if (r->n == r->room) {
        size_t room = 2 * r->room + 4;
        struct cursor *more = realloc(r->heap, room * sizeof(*more));
        if (more == NULL)
            return make_error(err, ERR_SYSTEM, ENOMEM, "%zu parts of samples", room);
        r->heap = more;
        r->room = room;
    }
    const struct samples_part *p = r->next++;
    struct cursor c = {.tail = p->tail};
    if (r->store->memory != NULL) {
        c.at = r->store->memory + p->offset;
    } else {
        int fd = file_open(r->store, p, err);
        if (fd < 0)
            return -1;
        if (samples_file_read(fd, p, &c.owned, err) != 0)
            return wrap_error(err, p->tail ? JOURNAL_TAIL_NAME : JOURNAL_SAMPLES_NAME, p->file);
        c.at = c.owned;
    }
    c.end = c.at + p->n;
    r->heap[r->n] = c;
    sift_up(r, r->n++);
    return 0;
}

/* Past the first sample of all. */
static void advance(struct history_reader *r)
{
    struct cursor *c = &r->heap[0];
    if (++c->at == c->end) {
        free(c->owned);
        *c = r->heap[--r->n];
    }
    sift_down(r, 0);
}

static int slot_room(struct history_reader *r, size_t n, struct err *err)
{
    if (n < r->slot_room)
        return 0;
    size_t room = 2 * r->slot_room + 8;
    struct sample *more = realloc(r->slot, room * sizeof(*more));
    if (more == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%zu samples of one slot", room);
    r->slot = more;
    r->slot_room = room;
    return 0;
}

/* Takes the first sample of all, unless it comes from a tail and the blocks had it. */
static int slot_take(struct history_reader *r, size_t *n, struct err *err)
{
    const struct cursor *c = &r->heap[0];
    const struct sample *s = c->at;
    if (c->tail && r->any && sample_compare(&r->before, s) == 0) {
        advance(r);
        return 0;
    }
    if (slot_room(r, *n, err) != 0 || sample_check(s, r->any ? &r->before : NULL, err) != 0)
        return -1;
    r->before = r->slot[(*n)++] = *s;
    r->any = true;
    advance(r);
    return 0;
}

int history_reader_next(struct history_reader *r, const struct sample **ret, size_t *ret_n,
                        struct err *err)
{
    *ret_n = 0;
    while (r->next != r->end && (r->n == 0 || r->next->first <= r->heap[0].at->slot))
        if (cursor_open(r, err) != 0)
            return -1;
    uint32_t slot = r->n != 0 ? r->heap[0].at->slot : 0;
    while (r->n != 0 && r->heap[0].at->slot == slot)
        if (slot_take(r, ret_n, err) != 0)
            return -1;
    *ret = r->slot;
    return 0;
}

/* The first part that is not before this trial and probe. */
static const struct samples_part *find(const struct samples_parts *p, uint32_t trial, size_t probe)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct samples_part *at = &p->list[mid];
        if (at->trial < trial || (at->trial == trial && at->probe < probe))
            lo = mid + 1;
        else
            hi = mid;
    }
    return p->n != 0 ? p->list + lo : NULL;
}

int history_reader_open(const struct history *h, const struct history_trial *t, size_t probe,
                        struct history_reader **ret, struct err *err)
{
    struct history_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "samples");
    r->store = h->store;
    r->next = find(&h->store->parts, t->trial, probe);
    r->end = find(&h->store->parts, t->trial, probe + 1);
    *ret = r;
    return 0;
}

void history_reader_close(struct history_reader *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->heap[i].owned);
    free(r->heap);
    free(r->slot);
    free(r);
}

void history_reader_close_at(struct history_reader **r)
{
    history_reader_close(*r);
}

int history_samples_of(const struct history *h, const struct history_trial *t, size_t probe,
                       struct sample **ret, size_t *ret_n, struct err *err)
{
    CLEANUP_HISTORY_READER struct history_reader *r = NULL;
    CLEANUP_FREE struct sample *list = NULL;
    size_t n = 0, more, room = 0;
    const struct sample *slot;
    if (history_reader_open(h, t, probe, &r, err) != 0)
        return -1;
    do {
        if (history_reader_next(r, &slot, &more, err) != 0)
            return -1;
        if (list == NULL || n + more > room) {
            room = 2 * (n + more) + 16;
            struct sample *grown = realloc(list, room * sizeof(*list));
            if (grown == NULL)
                return make_error(err, ERR_SYSTEM, ENOMEM, "%zu samples", n);
            list = grown;
        }
        if (more != 0)
            memcpy(list + n, slot, more * sizeof(*list));
        n += more;
    } while (more != 0);
    *ret = steal_ptr(&list);
    *ret_n = n;
    return 0;
}
