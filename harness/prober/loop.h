/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prober's loop: descriptors, the clock, the schedule of slots and the attempts under way. Open
 * loop: a slot goes out when it is due, whatever became of the ones before it; a time-out is the
 * loop's, so that no kind can outstay it. Samples leave through a bounded ring that never makes the
 * schedule wait. It knows nothing of scenarios, labs or verdicts; the kinds know only this header.
 */
#ifndef BLACKSTART_PROBER_LOOP_H
#define BLACKSTART_PROBER_LOOP_H

#include "base/err.h"
#include "base/sample.h"
#include "prober/machine.h"
#include "prober/probe.h"

#include <netinet/in.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prober;
struct prober_probe;
struct prober_watch;

enum {
    PROBER_PROBES_MAX = 256,
    PROBER_TARGETS_MAX = 1024,    /* endpoints of one probe */
    PROBER_IN_FLIGHT_MAX = 16384, /* attempts; one more is a gap */
    PROBER_BODY_MAX = 65536,      /* of an answer, for its pattern */
    PROBER_RING = 32768           /* samples that wait for the pipe */
};

/* Where a number is looked for; match: only when it has one. */
struct prober_number {
    bool has_match;
    regex_t match;
    struct probe_number bounds;
    double value; /* of the answer that was looked at last */
};

/* Readings of a counter, in order of send; none is older than the newest window needs. */
struct prober_reading {
    int64_t sent_ns, done_ns;
    double value;
};
struct prober_readings {
    struct prober_reading *list; /* its first `from` are not needed any more */
    size_t from, n, room;
};

/* One endpoint of a probe. */
struct prober_target {
    struct prober_probe *probe;
    uint16_t index;
    char name[NAME_MAX_LEN + 1];
    char ip[INET_ADDRSTRLEN], ip6[INET6_ADDRSTRLEN]; /* empty: has none */
    struct prober_readings readings;                 /* of expect.rate */
    void *state;                                     /* of its kind */
    uint64_t answered; /* attempts to which something came back, whatever it was */
};

/* Result i of a one-shot question. */
struct prober_asked {
    uint16_t result, status;
    int64_t took_ns;
    double number; /* in the answer; NAN: there is none, or it was not asked for */
};
/* n is 0 when the prober ends before the answers came. */
typedef void prober_ask_done(void *ctx, const struct prober_asked *asked, size_t n);

struct prober_attempt {
    struct prober *prober;
    struct prober_target *target;
    int64_t due_ns, sent_ns; /* CLOCK_MONOTONIC */
    uint32_t slot, trial;
    bool beginning;                     /* inside its kind's begin */
    int64_t send_ns;                    /* how long begin took: the loop measures it */
    struct prober_attempt *next, *prev; /* of one probe, in order of send */
    void *state;                        /* of its kind */
};

struct prober_probe {
    const struct probe_kind *kind;
    uint16_t index;
    int64_t every_ns, timeout_ns, latency_ns;
    bool fresh;
    uint16_t status_lo, status_hi;
    bool has_body, has_number;
    regex_t body;
    struct prober_number number;
    bool has_rate;
    struct prober_number counter; /* of the rate: no bounds */
    struct probe_rate rate;
    char address[INET6_ADDRSTRLEN]; /* empty: any */
    struct prober_served *served;   /* the service's own count, or NULL: served.c */
    struct prober_target *targets;
    size_t n_targets;
    struct prober_attempt *first, *last; /* in flight */
    uint32_t slot;                       /* the next one */
    uint32_t base_slot;                  /* the one due at base_ns, jitter aside */
    int64_t base_ns, due_ns;             /* due: of the next, jitter in it */
    /* a one-shot question: answers instead of samples */
    struct prober_asked *asked;
    size_t n_answered;
    prober_ask_done *done;
    void *done_ctx;
    struct prober_null_counts *null; /* of the null server: counts instead of samples */
};

/* What a kind does. All of it inside the loop: nothing may block. */
struct probe_ops {
    /* Once per endpoint, its texts replaced already; args are gone afterwards. */
    int (*open)(struct prober *p, struct prober_target *t, const void *args, struct err *err);
    void (*close)(struct prober_target *t);
    /* Sends. prober_done ends it, from inside or later. */
    void (*begin)(struct prober_attempt *a);
    /* The attempt has run out of time: let go of everything; prober_done is not to be called. */
    void (*cancel)(struct prober_attempt *a);
};

/* Ends an attempt; frees it. A good one that took longer than the limit becomes SAMPLE_SLOW. */
void prober_done(struct prober_attempt *a, enum sample_result result, uint16_t status,
                 uint32_t bytes);
/* Status and body against what the scenario expects; lo and hi: the kind's own range. */
enum sample_result prober_expects(struct prober_probe *probe, unsigned status, uint16_t lo,
                                  uint16_t hi, const char *body, size_t len);
/* The same of an attempt whose answer is whole: last, the rate of its counter. */
enum sample_result prober_judge(struct prober_attempt *a, unsigned status, uint16_t lo, uint16_t hi,
                                const char *body, size_t len);
/* Whether more of the body could still change what its numbers are. */
bool prober_expects_more(const struct prober_probe *probe, const char *body, size_t len);
/* What an errno of a connection means to a user. */
enum sample_result prober_result_of(int sys);

int64_t prober_now(void); /* CLOCK_MONOTONIC */

/* The endpoint's address of one family, or NULL when it has none. */
enum prober_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };
extern const char *const prober_families[];
#define PROBER_FAMILY_DOC                                                                          \
    "Which of the endpoint's addresses: any is IPv4 where it has one, else IPv6."
const char *prober_address(const struct prober_target *t, int family, struct err *err);
/* Into a zeroed *ret. */
int prober_socket_address(const char *ip, uint16_t port, struct sockaddr_storage *ret,
                          socklen_t *ret_len, struct err *err) MUST_CHECK;

/* Calls ready(ctx, epoll events) while the descriptor is watched. NULL when it cannot. */
struct prober_watch *prober_watch(struct prober *p, int fd, uint32_t events,
                                  void (*ready)(void *ctx, uint32_t events), void *ctx);
void prober_rewatch(struct prober *p, struct prober_watch *w, uint32_t events);
/* Before the descriptor is closed; NULL is allowed. No call follows, not even in this round. */
void prober_unwatch(struct prober *p, struct prober_watch *w);

/* A kind's own timer: calls ready(ctx) once it is past; moving it replaces it, 0 stops it. */
struct prober_timer {
    int64_t at_ns;
    void (*ready)(void *ctx);
    void *ctx;
    struct prober_timer *next;
};
void prober_timer_add(struct prober *p, struct prober_timer *t); /* once; at_ns may be 0 */
void prober_timer_remove(struct prober *p, struct prober_timer *t);

/* A place for what the http kind keeps for all its endpoints, with its destructor. */
void **prober_http_place(struct prober *p, void (*destroy)(void *));

/* --- the process: main.c and control.c --- */

/* gaps: slots of an endpoint that were not sent, or whose sample found no room. */
struct prober_counts {
    int64_t late, gaps, sent, cpu_ns, until_ns;
    /* Answers of the null server, from when they were due; late: by more than its interval. -1:
     * there are none. */
    int64_t null_n, null_late, null_p50_ns, null_p99_ns, null_max_ns;
    struct machine begin, end;
};

/* What a service counted itself at one endpoint of a probe: how often it was asked, how often it is
 * known how far its count had grown since the time before, by how much in all of these, and how
 * many requests of ours it must have counted meanwhile. */
struct prober_served_count {
    uint16_t probe, endpoint;
    int64_t asked, known, grown, own;
};
/* Of the last trial, in order; false: there are no more. */
bool prober_served_at(const struct prober *p, size_t i, struct prober_served_count *ret);

/* samples_fd is made non-blocking and is borrowed. */
int prober_new(int samples_fd, struct prober **ret, struct err *err) MUST_CHECK;
void prober_free(struct prober *p); /* NULL is allowed */

/* A null server and a probe of it, from the next trial on; at most once. Without it all else works.
 * Forks: before threads, after privileges were given up. */
int prober_null_open(struct prober *p, struct err *err) MUST_CHECK;

void prober_configure(struct prober *p, int64_t epoch_ns, uint64_t seed);
/* Takes the probe whole (its kind's args decoded, texts as written). */
struct prober_probe_spec {
    const struct probe_kind *kind;
    const void *args;
    uint16_t index;
    int64_t every_ns, timeout_ns, latency_ns;
    bool fresh;
    uint16_t status_lo, status_hi;
    const char *body;    /* pattern, or NULL */
    const char *address; /* or NULL */
    struct probe_number number;
    struct probe_rate rate;
    /* How the service's own count is asked for in a trial, at the same endpoints: kind, args,
     * timeout_ns, fresh and number. NULL: it is not. */
    const struct prober_probe_spec *served;
    const struct prober_target *targets; /* name, ip, ip6 */
    size_t n_targets;
};
int prober_add(struct prober *p, const struct prober_probe_spec *spec, struct err *err) MUST_CHECK;
int prober_start(struct prober *p, uint32_t trial, struct err *err) MUST_CHECK;
/* done is called once every attempt has ended and every sample is in the pipe. */
int prober_stop(struct prober *p, void (*done)(void *ctx, const struct prober_counts *counts),
                void *ctx, struct err *err) MUST_CHECK;
int prober_ask(struct prober *p, const struct prober_probe_spec *spec, prober_ask_done *done,
               void *ctx, struct err *err) MUST_CHECK;

/* Runs until prober_quit. */
int prober_run(struct prober *p, struct err *err) MUST_CHECK;
void prober_quit(struct prober *p);

#endif
