/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledgers that a journal declares, and the file that each has written for itself. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "journal/history_parts.h"
#include "journal/journal.h"
#include "journal/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { LEDGERS_MAX = 128 };

static int ledgers_take(struct history *h, const json_t *list, size_t line, struct err *err)
{
    size_t n = json_array_size(list);
    if (h->ledgers != NULL || n > LEDGERS_MAX)
        return make_error(err, ERR_INPUT, 0,
                          JOURNAL_FILE ":%zu: ledgers stand there twice, or too many", line);
    h->ledgers = arena_array(&h->arena, n + 1, sizeof(*h->ledgers));
    if (h->ledgers == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "ledgers");
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        struct history_ledger *l = &h->ledgers[h->n_ledgers++];
        *l = (struct history_ledger){.name = json_string_value(json_object_get(item, "name")),
                                     .kind = json_string_value(json_object_get(item, "kind")),
                                     .from = json_string_value(json_object_get(item, "from")),
                                     .reads_only = json_is_false(json_object_get(item, "writes")),
                                     .every_ns = history_number(item, "every_ns", 0)};
        if (l->name == NULL || l->kind == NULL || l->from == NULL)
            return make_error(err, ERR_INPUT, 0,
                              JOURNAL_FILE ":%zu: ledgers need name, kind and from", line);
    }
    return 0;
}

int history_ledgers_fill(struct history *h, struct err *err)
{
    for (size_t i = 0; i < h->n_events; i++)
        if (strcmp(h->events[i].ev, "ledgers") == 0 &&
            ledgers_take(h, json_object_get(h->events[i].members, "list"), i + 1, err) != 0)
            return -1;
    return 0;
}

/* The newest event that names the ledger's file, or NULL. */
static const json_t *named(const struct history *h, const char *file)
{
    const json_t *newest = NULL;
    for (size_t i = 0; i < h->n_events; i++) {
        const char *of = json_string_value(json_object_get(h->events[i].members, "file"));
        if (strcmp(h->events[i].ev, "ledger") == 0 && of != NULL && strcmp(of, file) == 0)
            newest = h->events[i].members;
    }
    return newest;
}

/* It may have grown since; what was named is still its beginning. */
static int check_named(const json_t *event, const struct buf *bytes, struct err *err)
{
    const char *expected = json_string_value(json_object_get(event, "sha256"));
    int64_t n = history_number(event, "bytes", -1);
    char sum[SHA256_TEXT] = "";
    CLEANUP_SHA256 struct sha256 *hash = NULL;
    if (expected == NULL || n < 0 || (uint64_t)n > bytes->len)
        return make_error(err, ERR_INPUT, 0, "is not as it was when the journal named it");
    if (sha256_begin(&hash, err) != 0 || sha256_add(hash, buf_text(bytes), (size_t)n, err) != 0 ||
        sha256_end(hash, sum, err) != 0)
        return -1;
    if (strcmp(sum, expected) != 0)
        return make_error(err, ERR_INPUT, 0, "is not as it was when the journal named it");
    return 0;
}

static int ledger_load(struct history *h, unsigned index, int dir_fd, struct err *err)
{
    struct history_ledger *l = &h->ledgers[index];
    char name[32];
    /* The name is never taken from the journal: it could lead anywhere. */
    (void)snprintf(name, sizeof(name), LEDGERLOG_NAME, index);
    const json_t *event = named(h, name);
    CLEANUP_FD int fd = history_open(dir_fd, name, O_NOFOLLOW, err);
    CLEANUP_BUF struct buf bytes = BUF_INIT(LEDGERLOG_MAX);
    if (fd < 0)
        return err->code == ERR_NOT_FOUND && event == NULL ? 0 : -1;
    if (buf_read_fd(&bytes, fd, err) != 0 ||
        (event != NULL && check_named(event, &bytes, err) != 0))
        return wrap_error(err, "%s", name);
    /* A process that was killed at once leaves an empty one. */
    if (memchr(buf_text(&bytes), '\n', bytes.len) == NULL)
        return 0;
    if (ledgerlog_parse(buf_text(&bytes), bytes.len, &l->log, err) != 0)
        return wrap_error(err, "%s", name);
    return 0;
}

int history_ledgers_load(struct history *h, int dir_fd, struct err *err)
{
    for (size_t i = 0; i < h->n_ledgers; i++)
        if (ledger_load(h, (unsigned)i, dir_fd, err) != 0)
            return -1;
    return 0;
}

void history_ledgers_free(struct history *h)
{
    for (size_t i = 0; i < h->n_ledgers; i++)
        ledgerlog_free(h->ledgers[i].log);
}
