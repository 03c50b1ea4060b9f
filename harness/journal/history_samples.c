/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/cleanup.h"
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 16 };

int history_samples_check(const void *data, size_t len, size_t *ret_n, bool *ret_torn,
                          struct err *err)
{
    uint32_t words[2];
    if (len < HEAD || memcmp(data, "BSTSAMP1", 8) != 0)
        return make_error(err, ERR_INPUT, 0, "is not a sample file");
    memcpy(words, (const char *)data + 8, sizeof(words));
    if (words[1] != 0x01020304)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "was written by a machine of the other byte order");
    if (words[0] != sizeof(struct sample))
        return make_error(err, ERR_INPUT, 0, "has records of %u bytes, not %zu", words[0],
                          sizeof(struct sample));
    *ret_n = (len - HEAD) / sizeof(struct sample);
    *ret_torn = (len - HEAD) % sizeof(struct sample) != 0;
    return 0;
}

static int hash(const void *data, size_t len, char ret[65], struct err *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(data, len, sum, &n, EVP_sha256(), NULL) != 1 || n != 32)
        return make_error(err, ERR_SYSTEM, 0, "sha256 cannot be had");
    for (size_t i = 0; i < n; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

int history_samples_read(int dir_fd, const char *name, struct sample **ret, size_t *ret_n,
                         char ret_sha256[65], struct err *err)
{
    CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return make_error(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno, "open %s",
                          name);
    CLEANUP_BUF struct buf bytes = BUF_INIT(JOURNAL_SAMPLE_FILE_MAX + HEAD);
    size_t n = 0;
    bool torn = false;
    if (buf_read_fd(&bytes, fd, err) != 0 ||
        history_samples_check(buf_text(&bytes), bytes.len, &n, &torn, err) != 0 ||
        hash(bytes.data, bytes.len, ret_sha256, err) != 0)
        return wrap_error(err, "%s", name);
    struct sample *records = calloc(n + 1, sizeof(*records));
    if (records == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%s", name);
    memcpy(records, bytes.data + HEAD, n * sizeof(*records));
    *ret = records;
    *ret_n = n;
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (a->trial != b->trial)
        return a->trial < b->trial ? -1 : 1;
    if (a->probe != b->probe)
        return a->probe < b->probe ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return a->endpoint < b->endpoint ? -1 : a->endpoint > b->endpoint;
}

static int sample_check(const struct sample *s, const struct sample *before, struct err *err)
{
    if (s->due_ns < 0 || s->sent_ns < s->due_ns || s->done_ns < s->sent_ns ||
        s->done_ns > HISTORY_TIME_MAX || s->result >= SAMPLE_RESULT_COUNT)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: a sample that cannot be", s->probe,
                          s->slot);
    if (before == NULL || before->trial != s->trial || before->probe != s->probe)
        return 0;
    if (before->slot == s->slot && before->endpoint == s->endpoint)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: two samples of one attempt",
                          s->probe, s->slot);
    if (before->slot < s->slot && before->due_ns > s->due_ns)
        return make_error(err, ERR_INPUT, 0, "probe %u slot %u: due before the slot before it",
                          s->probe, s->slot);
    return 0;
}

/* All samples, in order. */
struct history_store {
    struct sample *list;
    size_t n;
};

void history_store_free(struct history_store *s)
{
    if (s == NULL)
        return;
    free(s->list);
    free(s);
}

static int trials_count(struct history *h, const struct sample *samples, size_t n, struct err *err)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && samples[end].trial == samples[i].trial; end++)
            if (samples[end].probe >= h->n_probes_seen)
                h->n_probes_seen = samples[end].probe + (size_t)1;
        struct history_trial *trial = NULL;
        for (size_t k = 0; k < h->n_trials; k++)
            if (h->trials[k].trial == samples[i].trial)
                trial = &h->trials[k];
        if (trial == NULL)
            return make_error(err, ERR_INPUT, 0,
                              "samples of trial %u, which the journal never began",
                              samples[i].trial);
        trial->n_samples = end - i;
    }
    return 0;
}

int history_samples_assign(struct history *h, struct sample *samples, size_t n, struct err *err)
{
    h->store = calloc(1, sizeof(*h->store));
    if (h->store == NULL) {
        free(samples);
        return make_error(err, ERR_SYSTEM, ENOMEM, "%zu samples", n);
    }
    *h->store = (struct history_store){.list = samples, .n = n};
    h->n_samples = n;
    if (n != 0)
        qsort(samples, n, sizeof(*samples), compare);
    return trials_count(h, samples, n, err);
}

struct history_reader {
    const struct sample *next, *end;
    const struct sample *before; /* of the same probe and trial */
};

/* The first sample that is not before this trial and probe. */
static const struct sample *find(const struct history_store *s, uint32_t trial, size_t probe)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct sample *at = &s->list[mid];
        if (at->trial < trial || (at->trial == trial && at->probe < probe))
            lo = mid + 1;
        else
            hi = mid;
    }
    return s->list + lo;
}

int history_reader_open(const struct history *h, const struct history_trial *t, size_t probe,
                        struct history_reader **ret, struct err *err)
{
    struct history_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "samples");
    r->next = find(h->store, t->trial, probe);
    r->end = find(h->store, t->trial, probe + 1);
    *ret = r;
    return 0;
}

int history_reader_next(struct history_reader *r, const struct sample **ret, size_t *ret_n,
                        struct err *err)
{
    size_t n = 0;
    *ret = r->next;
    for (; r->next != r->end && r->next->slot == (*ret)->slot; r->next++, n++) {
        if (sample_check(r->next, r->before, err) != 0)
            return -1;
        r->before = r->next;
    }
    *ret_n = n;
    return 0;
}

void history_reader_close(struct history_reader *r)
{
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
    if (history_reader_open(h, t, probe, &r, err) != 0)
        return -1;
    CLEANUP_FREE struct sample *list = NULL;
    size_t n = 0, more, room = 0;
    const struct sample *slot;
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

struct gathered {
    struct sample *list;
    size_t n;
};

static int gather(struct gathered *g, int dir_fd, const char *name, char sha256[65], size_t *ret_n,
                  struct err *err)
{
    CLEANUP_FREE struct sample *more = NULL;
    size_t n = 0;
    if (history_samples_read(dir_fd, name, &more, &n, sha256, err) != 0)
        return -1;
    if (n > JOURNAL_SAMPLES_MAX - g->n)
        return make_error(err, ERR_LIMIT, 0, "more than %d samples", JOURNAL_SAMPLES_MAX);
    struct sample *list = realloc(g->list, (g->n + n + 1) * sizeof(*list));
    if (list == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%s", name);
    g->list = list;
    if (more != NULL)
        memcpy(list + g->n, more, n * sizeof(*list));
    g->n += n;
    *ret_n = n;
    return 0;
}

/* The files that events name, in order; *ret_files counts them. */
static int gather_named(struct history *h, int dir_fd, struct gathered *g, unsigned *ret_files,
                        struct err *err)
{
    *ret_files = 0;
    for (size_t i = 0; i < h->n_events; i++) {
        struct history_line line;
        if (strcmp(h->events[i].ev, "samples") != 0)
            continue;
        if (history_line_read(h->events[i].members, i + 1, &line, err) != 0)
            return -1;
        char expected[32], sha256[65] = "";
        size_t n = 0;
        /* The name is never taken from the journal: it could lead anywhere. */
        (void)snprintf(expected, sizeof(expected), JOURNAL_SAMPLES_NAME, (*ret_files)++);
        if (line.file == NULL || line.sha256 == NULL || strcmp(line.file, expected) != 0)
            return make_error(err, ERR_INPUT, 0,
                              JOURNAL_FILE ":%zu: samples must name %s and its sha256", i + 1,
                              expected);
        if (gather(g, dir_fd, expected, sha256, &n, err) != 0)
            return -1;
        if (strcmp(sha256, line.sha256) != 0 || (int64_t)n != line.count)
            return make_error(err, ERR_INPUT, 0, "%s is not as it was when the journal named it",
                              expected);
    }
    return 0;
}

int history_samples_load(struct history *h, int dir_fd, struct err *err)
{
    struct gathered g = {NULL, 0};
    unsigned files = 0;
    int r = gather_named(h, dir_fd, &g, &files, err);
    while (r == 0) {
        char name[32], sha256[65];
        size_t n;
        struct err why;
        (void)snprintf(name, sizeof(name), JOURNAL_SAMPLES_NAME, files++);
        if (gather(&g, dir_fd, name, sha256, &n, &why) != 0) {
            /* A run killed while it opened the file leaves one without a whole head. */
            if (why.code == ERR_INPUT || why.code == ERR_NOT_FOUND)
                break;
            *err = why;
            r = -1;
        } else {
            h->files_unfinished++;
        }
    }
    if (r != 0) {
        free(g.list);
        return -1;
    }
    return history_samples_assign(h, g.list, g.n, err);
}
