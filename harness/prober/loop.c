/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/loop_parts.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256, FLUSH_SOON = 256 };
#define FLUSH_NS (20 * NS_PER_MS)

int64_t prober_now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

struct prober_watch *prober_watch(struct prober *p, int fd, uint32_t events,
                                  void (*ready)(void *ctx, uint32_t events), void *ctx)
{
    struct prober_watch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    *w = (struct prober_watch){.fd = fd, .ready = ready, .ctx = ctx};
    struct epoll_event e = {.events = events, .data.ptr = w};
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
        free(w);
        return NULL;
    }
    return w;
}

void prober_rewatch(struct prober *p, struct prober_watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    (void)epoll_ctl(p->epoll, EPOLL_CTL_MOD, w->fd, &e);
}

void prober_unwatch(struct prober *p, struct prober_watch *w)
{
    if (w == NULL)
        return;
    (void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    /* An event of this round may still point at it. */
    w->ready = NULL;
    w->next = p->dead;
    p->dead = w;
}

static void dead_free(struct prober *p)
{
    while (p->dead != NULL) {
        struct prober_watch *next = p->dead->next;
        free(p->dead);
        p->dead = next;
    }
}

void prober_timer_add(struct prober *p, struct prober_timer *t)
{
    t->next = p->timers;
    p->timers = t;
}

void prober_timer_remove(struct prober *p, struct prober_timer *t)
{
    for (struct prober_timer **at = &p->timers; *at != NULL; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            return;
        }
}

void **prober_http_place(struct prober *p, void (*destroy)(void *))
{
    p->http_destroy = destroy;
    return &p->http;
}

static void samples_ready(void *ctx, uint32_t events)
{
    struct prober *p = ctx;
    (void)events;
    prober_unwatch(p, p->samples_watch);
    p->samples_watch = NULL;
    p->blocked = false;
    prober_samples_flush(p);
}

void prober_samples_flush(struct prober *p)
{
    p->flush_ns = 0;
    while (p->ring_n != 0 && !p->blocked) {
        size_t whole = PROBER_RING - p->ring_at;
        whole = whole < p->ring_n ? whole : p->ring_n;
        const char *from = (const char *)&p->ring[p->ring_at] + p->cut;
        ssize_t n = write(p->samples_fd, from, whole * sizeof(struct sample) - p->cut);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            p->samples_watch = prober_watch(p, p->samples_fd, EPOLLOUT, samples_ready, p);
            p->blocked = p->samples_watch != NULL;
            p->flush_ns = p->blocked ? 0 : prober_now() + FLUSH_NS;
            return;
        }
        if (n < 0) { /* nobody reads any more */
            p->quit = true;
            return;
        }
        size_t bytes = p->cut + (size_t)n;
        size_t records = bytes / sizeof(struct sample);
        p->cut = bytes % sizeof(struct sample);
        p->ring_at = (p->ring_at + records) % PROBER_RING;
        p->ring_n -= records;
    }
}

void prober_sample_put(struct prober *p, const struct sample *s)
{
    bool full = p->ring_n == PROBER_RING;
    /* The reader is behind: this slot will be missing from the record, which is a gap. */
    p->counts.gaps += full || s->result == SAMPLE_GAP;
    if (full)
        return;
    p->ring[(p->ring_at + p->ring_n) % PROBER_RING] = *s;
    if (p->ring_n++ == 0)
        p->flush_ns = prober_now() + FLUSH_NS;
    if (p->ring_n >= FLUSH_SOON)
        p->flush_ns = 1;
}

/* The timer descriptor only wakes the loop: its edge is told once, so that nothing need be read. */
static void timer_ready(void *ctx, uint32_t events)
{
    struct prober *p = ctx;
    (void)events;
    p->armed_ns = INT64_MAX;
}

static int64_t next_deadline(const struct prober *p)
{
    int64_t next = prober_schedule_next(p);
    if (p->flush_ns != 0 && !p->blocked && p->flush_ns < next)
        next = p->flush_ns;
    for (const struct prober_timer *t = p->timers; t != NULL; t = t->next)
        if (t->at_ns != 0 && t->at_ns < next)
            next = t->at_ns;
    return next;
}

static void timers_run(struct prober *p, int64_t now)
{
    for (struct prober_timer *t = p->timers, *next; t != NULL; t = next) {
        next = t->next;
        if (t->at_ns != 0 && t->at_ns <= now) {
            t->at_ns = 0;
            t->ready(t->ctx);
        }
    }
}

/* Most rounds leave the next deadline as it was. */
static void arm(struct prober *p, int64_t at)
{
    struct itimerspec when = {.it_value = {0, 0}};
    if (at == p->armed_ns)
        return;
    p->armed_ns = at;
    if (at != INT64_MAX) {
        at = at > 0 ? at : 1;
        when.it_value.tv_sec = at / NS_PER_SEC;
        when.it_value.tv_nsec = at % NS_PER_SEC;
    }
    (void)timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void stop_check(struct prober *p)
{
    if (p->stopped == NULL || p->ring_n != 0)
        return;
    for (size_t i = 0; i < p->n_probes; i++)
        if (p->probes[i]->first != NULL)
            return;
    /* Only now has each service counted all that it was sent. */
    if (p->served_open == 0 && !p->served_ended)
        prober_served_end(p);
    if (p->served_open != 0)
        return;
    void (*stopped)(void *, const struct prober_counts *) = p->stopped;
    p->stopped = NULL;
    p->counts.cpu_ns = clock_system(CLOCK_PROCESS_CPUTIME_ID) - p->cpu_from;
    p->counts.end = machine_read();
    prober_null_count(p, &p->counts);
    stopped(p->stopped_ctx, &p->counts);
}

static void round_end(struct prober *p)
{
    int64_t now = prober_now();
    prober_schedule_run(p, now);
    timers_run(p, now);
    if (p->stopped != NULL && p->ring_n != 0)
        p->flush_ns = 1;
    if (p->flush_ns != 0 && p->flush_ns <= now && !p->blocked)
        prober_samples_flush(p);
    stop_check(p);
    dead_free(p);
}

int prober_run(struct prober *p, struct err *err)
{
    struct epoll_event events[EVENTS];
    while (!p->quit) {
        int64_t next = next_deadline(p);
        bool wait = next > prober_now();
        if (wait)
            arm(p, next);
        int n = epoll_wait(p->epoll, events, EVENTS, wait ? -1 : 0);
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "epoll_wait");
        /* Slots first: an answer can wait for its clock reading, a slot cannot. Time-outs last:
         * after a stall of ours, an answer that has come is no time-out. */
        prober_slots_run(p, prober_now());
        for (int i = 0; i < n; i++) {
            struct prober_watch *w = events[i].data.ptr;
            if (w->ready != NULL)
                w->ready(w->ctx, events[i].events);
        }
        round_end(p);
    }
    return 0;
}

void prober_quit(struct prober *p)
{
    p->quit = true;
}

int prober_new(int samples_fd, struct prober **ret, struct err *err)
{
    struct prober *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "prober");
    p->samples_fd = samples_fd;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int flags = fcntl(samples_fd, F_GETFL);
    if (p->epoll < 0 || p->timer < 0 || flags < 0 ||
        fcntl(samples_fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        (void)make_error(err, ERR_SYSTEM, errno, "prober's descriptors");
        prober_free(p);
        return -1;
    }
    p->armed_ns = INT64_MAX;
    p->timer_watch = prober_watch(p, p->timer, EPOLLIN | EPOLLET, timer_ready, p);
    if (p->timer_watch == NULL) {
        prober_free(p);
        return make_error(err, ERR_SYSTEM, ENOMEM, "prober");
    }
    *ret = p;
    return 0;
}

void prober_free(struct prober *p)
{
    if (p == NULL)
        return;
    prober_null_close(p);
    for (size_t i = 0; i < p->n_probes; i++)
        prober_probe_free(p, p->probes[i]);
    for (size_t i = 0; i < p->n_asks; i++) {
        p->asks[i]->done(p->asks[i]->done_ctx, NULL, 0);
        prober_probe_free(p, p->asks[i]);
    }
    if (p->http_destroy != NULL)
        p->http_destroy(p->http);
    while (p->spare != NULL) {
        struct prober_attempt *next = p->spare->next;
        free(p->spare);
        p->spare = next;
    }
    prober_unwatch(p, p->samples_watch);
    prober_unwatch(p, p->timer_watch);
    dead_free(p);
    if (p->epoll >= 0)
        (void)close(p->epoll);
    if (p->timer >= 0)
        (void)close(p->timer);
    free(p);
}
