/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loop's own files share: the prober's state. The kinds never see it. */
#ifndef BLACKSTART_PROBER_LOOP_PARTS_H
#define BLACKSTART_PROBER_LOOP_PARTS_H

#include "base/histogram.h"
#include "prober/loop.h"

struct prober_null; /* null.c */
struct prober_null_counts {
    struct histogram took;
    uint64_t late;
};

struct prober_watch {
    int fd;
    void (*ready)(void *ctx, uint32_t events); /* NULL: unwatched in this round */
    void *ctx;
    struct prober_watch *next; /* to be freed at the round's end */
};

struct prober {
    int epoll, timer;
    int64_t armed_ns; /* when the timer is to fire; INT64_MAX: not at all, or it has */
    bool quit, running;
    int64_t epoch_ns;
    uint64_t seed;
    uint32_t trial;
    struct prober_probe *probes[PROBER_PROBES_MAX];
    size_t n_probes;
    struct prober_probe *asks[PROBER_PROBES_MAX];
    size_t n_asks;
    size_t in_flight;
    struct prober_attempt *spare; /* ended ones, to be used again */
    struct prober_timer *timers;
    struct prober_watch *dead;
    struct prober_watch *timer_watch;
    /* samples on their way out */
    int samples_fd;
    struct prober_watch *samples_watch;
    struct sample ring[PROBER_RING];
    size_t ring_at, ring_n;
    size_t cut; /* bytes of the first record that are in the pipe already */
    int64_t flush_ns;
    bool blocked;
    struct prober_counts counts;
    int64_t cpu_from;
    void (*stopped)(void *ctx, const struct prober_counts *counts);
    void *stopped_ctx;
    size_t served_open; /* questions for a service's own count on their way */
    struct prober_timer served_timer;
    bool served_ended; /* those of the trial's end have been put */
    struct prober_null *null;
    void *http;
    void (*http_destroy)(void *);
};

void prober_slots_run(struct prober *p, int64_t now);
/* Everything that is due: slots, time-outs. */
void prober_schedule_run(struct prober *p, int64_t now);
/* When the schedule wants to be called next; INT64_MAX: not at all. */
int64_t prober_schedule_next(const struct prober *p);
void prober_schedule_start(struct prober *p, int64_t now);

void prober_sample_put(struct prober *p, const struct sample *s);
/* Writes what the pipe takes. */
void prober_samples_flush(struct prober *p);
void prober_probe_free(struct prober *p, struct prober_probe *probe);
/* Counts from 0, on the schedule of the fastest probe there is. */
void prober_null_begin(struct prober *p);
void prober_null_record(struct prober_probe *probe, int64_t took_ns, enum sample_result result);
void prober_null_count(const struct prober *p, struct prober_counts *ret);
/* Keeps what it needs of the spec. */
int prober_served_new(struct prober_probe *probe, const struct prober_probe_spec *spec,
                      struct err *err);
void prober_served_free(struct prober_served *served); /* NULL is allowed */
/* Asks all services that count. What is answered late, or not, is not known. */
void prober_served_begin(struct prober *p);
void prober_served_end(struct prober *p);
void prober_null_close(struct prober *p);
/* expect.c: what a probe expects, from its spec; closing takes what opening made, whole or not. */
int prober_expect_open(struct prober_probe *probe, const struct prober_probe_spec *spec,
                       struct err *err);
void prober_expect_close(struct prober_probe *probe);
void prober_attempts_cancel(struct prober *p, struct prober_probe *probe);

#endif
