/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/log.h"

#include "base/clock.h"
#include "base/ledgerlog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct log {
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t flusher;
    bool dirty, stop, broken;
    size_t written;
};

static void *flusher_run(void *ctx)
{
    struct log *l = ctx;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct timespec until =
            clock_timespec(clock_system(CLOCK_REALTIME) + LOG_FLUSH_MS * NS_PER_MS);
        (void)pthread_cond_timedwait(&l->wake, &l->lock, &until);
        if (!l->dirty)
            continue;
        l->dirty = false;
        /* Writers go on meanwhile. */
        (void)pthread_mutex_unlock(&l->lock);
        int r = fdatasync(l->fd);
        (void)pthread_mutex_lock(&l->lock);
        l->broken = l->broken || r != 0;
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

int log_open(int fd, struct log **ret, struct err *err)
{
    struct log *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "the ledger's file");
    l->fd = fd;
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->wake, NULL);
    int r = pthread_create(&l->flusher, NULL, flusher_run, l);
    if (r != 0) {
        free(l);
        return make_error(err, ERR_SYSTEM, r, "start a thread");
    }
    *ret = l;
    return 0;
}

void log_close(struct log *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->stop = true;
    (void)pthread_cond_signal(&l->wake);
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->flusher, NULL);
    (void)fdatasync(l->fd);
    (void)pthread_cond_destroy(&l->wake);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len != 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int log_append(struct log *l, const struct buf *lines, struct err *err)
{
    int r = 0;
    (void)pthread_mutex_lock(&l->lock);
    if (l->broken)
        r = make_error(err, ERR_SYSTEM, 0, "an earlier write to the ledger's file failed");
    else if (!buf_ok(lines) || lines->len > LEDGERLOG_MAX - l->written)
        r = make_error(err, ERR_LIMIT, 0, "the ledger's file would pass its maximum");
    else if (write_all(l->fd, lines->data, lines->len) != 0)
        r = make_error(err, ERR_SYSTEM, errno, "write the ledger's file");
    l->broken = l->broken || r != 0;
    l->written += lines->len;
    l->dirty = true;
    (void)pthread_mutex_unlock(&l->lock);
    return r;
}

int log_flush(struct log *l, struct err *err)
{
    if (fdatasync(l->fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write the ledger's file to the disk");
    (void)pthread_mutex_lock(&l->lock);
    bool broken = l->broken;
    (void)pthread_mutex_unlock(&l->lock);
    return broken ? make_error(err, ERR_SYSTEM, 0, "the ledger's file could not be written") : 0;
}
