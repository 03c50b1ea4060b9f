/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One result of a probe, as the prober writes it to its pipe and the run to its sample files: 48
 * bytes, host byte order. Times are nanoseconds since the run's start on CLOCK_MONOTONIC.
 */
#ifndef BLACKSTART_BASE_SAMPLE_H
#define BLACKSTART_BASE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#define SAMPLE_RESULTS(X)                                                                          \
    X(SAMPLE_GOOD, "good")                                                                         \
    X(SAMPLE_REFUSED, "refused")                                                                   \
    X(SAMPLE_RESET, "reset")                                                                       \
    X(SAMPLE_UNREACHABLE, "unreachable")                                                           \
    X(SAMPLE_TIMEOUT, "timeout")                                                                   \
    X(SAMPLE_RESOLVE, "cannot resolve")                                                            \
    X(SAMPLE_STATUS, "wrong status")                                                               \
    X(SAMPLE_CONTENT, "wrong content")                                                             \
    X(SAMPLE_SLOW, "too slow")                                                                     \
    X(SAMPLE_ERROR, "error")                                                                       \
    X(SAMPLE_GAP, "not sent") /* the prober's own stall: says nothing of the system */             \
    X(SAMPLE_CERTIFICATE, "bad certificate")                                                       \
    X(SAMPLE_EXPIRED, "certificate expired")                                                       \
    X(SAMPLE_NOT_YET_VALID, "certificate not yet valid")                                           \
    X(SAMPLE_WRONG_NAME, "certificate for another name")                                           \
    X(SAMPLE_NO_NUMBER, "no number")                                                               \
    X(SAMPLE_LOW, "number too low")                                                                \
    X(SAMPLE_HIGH, "number too high")                                                              \
    X(SAMPLE_QUERY, "query failed")                                                                \
    X(SAMPLE_RATE, "rate too low")                                                                 \
    X(SAMPLE_RATE_UNKNOWN, "rate not known yet")

enum sample_result {
#define SAMPLE_ENUM(id, word) id,
    SAMPLE_RESULTS(SAMPLE_ENUM)
#undef SAMPLE_ENUM
        SAMPLE_RESULT_COUNT
};

struct sample {
    int64_t due_ns;    /* s_k */
    int64_t sent_ns;   /* actual send; lateness = sent - due */
    int64_t done_ns;   /* e_k, completion */
    uint32_t slot;     /* k, counted from 0 over the whole run */
    uint16_t probe;    /* index in the scenario's order */
    uint16_t endpoint; /* index into the probe's hosts */
    uint16_t result;   /* enum sample_result */
    uint16_t status;   /* HTTP status or exit status; 0 when there is none */
    uint32_t bytes;    /* of the answer */
    uint32_t trial;    /* from 0; a fault-free first trial has one of its own */
    uint32_t send_ns;  /* the request went out within [sent_ns, sent_ns + send_ns] */
};

_Static_assert(sizeof(struct sample) == 48, "the sample files' record");

const char *sample_result_word(unsigned result);

/* By trial, probe, slot, endpoint: below 0, 0, above. */
int sample_compare(const struct sample *a, const struct sample *b);

/*
 * A sample is kept to steps: the send in whole steps from when it was due, rounded down; the ends
 * of the sending and of the answer in whole steps from the send, rounded up, and where they are
 * long to SAMPLE_DIGITS binary digits. So each bound that rests on it is moved outward, by less
 * than a step, or by at most a 1,024th of what it took where that is more; never inward.
 */
enum { SAMPLE_STEP_NS = 1000, SAMPLE_DIGITS = 11 };

/* Rounds *s so; rounding it again changes nothing. False, and unchanged, when its times are not in
 * order. */
bool sample_round(struct sample *s);
/* v rounded up to `digits` binary digits. */
uint64_t sample_round_up(uint64_t v, unsigned digits);

#endif
