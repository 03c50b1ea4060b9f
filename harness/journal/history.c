/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/history.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { ARENA_MAX = 256 << 20, EVENTS_MAX = 1000000 };

static int line_parse(struct history *h, const char *text, size_t len, struct err *err)
{
    size_t number = h->n_events + 1;
    if (len > JOURNAL_LINE_MAX)
        return make_error(err, ERR_LIMIT, 0, JOURNAL_FILE ":%zu: longer than %d bytes", number,
                          JOURNAL_LINE_MAX);
    json_error_t why;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (line == NULL)
        return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":%zu:%d: %s", number, why.column,
                          why.text);
    h->lines[h->n_events] = line;
    h->events[h->n_events++] = (struct history_event){
        .members = line, .line = (uint32_t)number, .trial = HISTORY_NO_TRIAL};
    if (!json_is_object(line))
        return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":%zu: not an object", number);
    return 0;
}

static int lines_parse(struct history *h, const char *text, size_t len, struct err *err)
{
    size_t n = 0;
    for (const char *p = text; (p = memchr(p, '\n', (size_t)(text + len - p))) != NULL; p++)
        n++;
    if (n == 0)
        return make_error(err, ERR_INPUT, 0, JOURNAL_FILE " has no whole line");
    if (n > EVENTS_MAX)
        return make_error(err, ERR_LIMIT, 0, JOURNAL_FILE " has more than %d lines", EVENTS_MAX);
    h->lines = calloc(n, sizeof(json_t *));
    h->events = calloc(n, sizeof(*h->events));
    if (h->lines == NULL || h->events == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal of %zu lines", n);
    const char *end = text + len;
    for (size_t i = 0; i < n; i++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (line_parse(h, text, (size_t)(stop - text), err) != 0)
            return -1;
        text = stop + 1;
    }
    h->torn = text != end;
    return 0;
}

/* The event `history`; a second one is as good as none. */
static int earlier_fill(struct history *h, struct err *err)
{
    for (size_t i = 0; i < h->n_events; i++)
        if (!h->earlier.known && strcmp(h->events[i].ev, "history") == 0 &&
            earlier_from_json(h->events[i].members, &h->arena, &h->earlier, err) != 0)
            return wrap_error(err, JOURNAL_FILE ":%zu: history", i + 1);
    return 0;
}

static struct history *history_new(void)
{
    struct history *h = calloc(1, sizeof(*h));
    if (h != NULL)
        h->arena = ARENA_INIT(ARENA_MAX);
    return h;
}

int history_parse(const char *text, size_t len, const struct sample *samples, size_t n_samples,
                  struct history **ret, struct err *err)
{
    CLEANUP_HISTORY struct history *h = history_new();
    if (h == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    if (lines_parse(h, text, len, err) != 0 || history_fill(h, err) != 0 ||
        history_ledgers_fill(h, err) != 0 || earlier_fill(h, err) != 0)
        return -1;
    if (history_samples_assign(h, samples, n_samples, err) != 0)
        return -1;
    *ret = steal_ptr(&h);
    return 0;
}

int history_open(int dir_fd, const char *name, int flags, struct err *err)
{
    struct stat st;
    CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0 || fstat(fd, &st) < 0)
        return make_error(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno, "open %s",
                          name);
    if (!S_ISREG(st.st_mode))
        return make_error(err, ERR_INPUT, 0, "%s is not a regular file", name);
    return steal_fd(&fd);
}

int history_load(const char *dir, struct history **ret, struct err *err)
{
    CLEANUP_FD int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return make_error(err, ERR_INPUT, errno, "open %s", dir);
    CLEANUP_FD int fd = history_open(dir_fd, JOURNAL_FILE, 0, err);
    if (fd < 0 && err->code == ERR_NOT_FOUND)
        return make_error(err, ERR_INPUT, 0, "%s is not a run's directory: it has no %s", dir,
                          JOURNAL_FILE);
    if (fd < 0)
        return wrap_error(err, "%s", dir);
    CLEANUP_BUF struct buf text = BUF_INIT(JOURNAL_MAX);
    CLEANUP_HISTORY struct history *h = history_new();
    if (h == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    if (buf_read_fd(&text, fd, err) != 0 || lines_parse(h, buf_text(&text), text.len, err) != 0 ||
        history_fill(h, err) != 0 || history_ledgers_fill(h, err) != 0 ||
        earlier_fill(h, err) != 0 || history_samples_load(h, dir_fd, err) != 0 ||
        history_ledgers_load(h, dir_fd, err) != 0)
        return wrap_error(err, "%s", dir);
    *ret = steal_ptr(&h);
    return 0;
}

int history_load_file(const char *path, struct history **ret, struct err *ret_why, struct err *err)
{
    CLEANUP_HISTORY struct history *h = history_new();
    if (h == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "%s", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_INPUT, errno, "open %s", path);
    if (history_samples_file(h, fd, ret_why, err) != 0)
        return wrap_error(err, "%s", path);
    *ret = steal_ptr(&h);
    return 0;
}

static bool is_stop(const char *why)
{
    return why != NULL && strcmp(why, "interrupt") == 0;
}

bool history_trial_stopped(const struct history_trial *t)
{
    return is_stop(t->abort_why);
}

bool history_stopped(const struct history *h)
{
    for (size_t i = 0; i < h->n_trials; i++)
        if (history_trial_stopped(&h->trials[i]))
            return true;
    return is_stop(h->abort_why);
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    history_ledgers_free(h);
    for (size_t i = 0; i < h->n_events; i++)
        json_decref(h->lines[i]);
    free(h->lines);
    free(h->events);
    history_store_free(h->store);
    arena_free(&h->arena);
    free(h);
}

void history_free_at(struct history **h)
{
    history_free(*h);
}
