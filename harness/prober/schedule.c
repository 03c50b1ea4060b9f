/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slot k of a probe is due at base + k*every, plus or minus up to a tenth of `every`, drawn from
 * the seed, so that a period of the system does not hide between slots.
 */
#include "base/clock.h"
#include "base/jitter.h"
#include "prober/loop_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void slot_next(const struct prober *p, struct prober_probe *probe)
{
    probe->due_ns = probe->base_ns + (int64_t)(probe->slot - probe->base_slot) * probe->every_ns +
                    jitter_slot(p->seed, probe->index, probe->slot, probe->every_ns);
}

void prober_schedule_start(struct prober *p, int64_t now)
{
    for (size_t i = 0; i < p->n_probes; i++) {
        struct prober_probe *probe = p->probes[i];
        probe->base_slot = probe->slot;
        /* Probes of one interval do not go out together. */
        probe->base_ns = now + probe->every_ns / 10 +
                         jitter_draw(p->seed, probe->index, UINT32_MAX - p->trial, probe->every_ns);
        slot_next(p, probe);
    }
}

static void flight_add(struct prober_attempt *a)
{
    struct prober_probe *probe = a->target->probe;
    a->next = NULL;
    a->prev = probe->last;
    if (probe->last != NULL)
        probe->last->next = a;
    else
        probe->first = a;
    probe->last = a;
    a->prober->in_flight++;
}

static void flight_remove(struct prober_attempt *a)
{
    struct prober_probe *probe = a->target->probe;
    *(a->prev != NULL ? &a->prev->next : &probe->first) = a->next;
    *(a->next != NULL ? &a->next->prev : &probe->last) = a->prev;
    a->prober->in_flight--;
}

/* Whether the service has certainly seen it. */
static bool came_back(enum sample_result result)
{
    static const bool table[SAMPLE_RESULT_COUNT] = {
        [SAMPLE_GOOD] = true,      [SAMPLE_SLOW] = true,  [SAMPLE_STATUS] = true,
        [SAMPLE_CONTENT] = true,   [SAMPLE_LOW] = true,   [SAMPLE_HIGH] = true,
        [SAMPLE_NO_NUMBER] = true, [SAMPLE_QUERY] = true,
    };
    return table[result];
}

static void attempt_record(const struct prober_attempt *a, int64_t done, enum sample_result result,
                           uint16_t status, uint32_t bytes)
{
    struct prober *p = a->prober;
    struct prober_probe *probe = a->target->probe;
    if (probe->null != NULL) {
        prober_null_record(probe, done - a->due_ns, result);
        return;
    }
    if (probe->asked != NULL) {
        probe->asked[a->target->index] = (struct prober_asked){
            .result = (uint16_t)result,
            .status = status,
            .took_ns = done - a->sent_ns,
            .number = probe->has_number && result == SAMPLE_GOOD ? probe->number.value : NAN};
        probe->n_answered++;
        return;
    }
    a->target->answered += came_back(result);
    struct sample s = {.due_ns = a->due_ns - p->epoch_ns,
                       .sent_ns = a->sent_ns - p->epoch_ns,
                       .done_ns = done - p->epoch_ns,
                       .slot = a->slot,
                       .probe = probe->index,
                       .endpoint = a->target->index,
                       .result = (uint16_t)result,
                       .status = status,
                       .bytes = bytes,
                       .trial = a->trial,
                       .send_ns = a->send_ns < UINT32_MAX ? (uint32_t)a->send_ns : UINT32_MAX};
    prober_sample_put(p, &s);
}

static void attempt_end(struct prober_attempt *a, int64_t done, enum sample_result result,
                        uint16_t status, uint32_t bytes)
{
    flight_remove(a);
    attempt_record(a, done, result, status, bytes);
    a->next = a->prober->spare;
    a->prober->spare = a;
}

/*
 * Bounds rest on the instant of the send. Between reading the clock and the system call the process
 * may lose the CPU, so how long both took together goes into the sample and widens them.
 */
static void send_end(struct prober_attempt *a, int64_t now)
{
    if (a->beginning)
        a->send_ns = now - a->sent_ns;
    a->beginning = false;
}

void prober_done(struct prober_attempt *a, enum sample_result result, uint16_t status,
                 uint32_t bytes)
{
    int64_t now = prober_now();
    const struct prober_probe *probe = a->target->probe;
    send_end(a, now);
    if (result == SAMPLE_GOOD && probe->latency_ns > 0 && now - a->sent_ns > probe->latency_ns)
        result = SAMPLE_SLOW;
    attempt_end(a, now, result, status, bytes);
}

/* Not sent: what was due is recorded as a gap of ours. */
static void gap_record(struct prober *p, struct prober_target *t, int64_t due, int64_t now,
                       uint32_t slot)
{
    struct prober_attempt a = {
        .prober = p, .target = t, .due_ns = due, .sent_ns = now, .slot = slot, .trial = p->trial};
    attempt_record(&a, now, SAMPLE_GAP, 0, 0);
}

static void attempt_begin(struct prober *p, struct prober_target *t, int64_t due, uint32_t slot)
{
    struct prober_attempt *a = p->spare;
    if (a != NULL)
        p->spare = a->next;
    else if (p->in_flight < PROBER_IN_FLIGHT_MAX)
        a = malloc(sizeof(*a));
    int64_t now = prober_now();
    if (a == NULL || p->in_flight >= PROBER_IN_FLIGHT_MAX) {
        free(a);
        gap_record(p, t, due, now, slot);
        return;
    }
    *a = (struct prober_attempt){
        .prober = p, .target = t, .due_ns = due, .sent_ns = now, .slot = slot, .trial = p->trial};
    if (t->probe->asked == NULL && t->probe->null == NULL) {
        p->counts.sent++;
        p->counts.late += now - due > t->probe->every_ns / 4;
    }
    a->beginning = true;
    flight_add(a);
    t->probe->kind->ops->begin(a);
    /* It may have ended by now; if it has not, it is the last of its probe. */
    if (t->probe->last != NULL)
        send_end(t->probe->last, prober_now());
}

static void slot_run(struct prober *p, struct prober_probe *probe, int64_t now)
{
    int64_t due = probe->due_ns;
    uint32_t slot = probe->slot++;
    slot_next(p, probe);
    /* After a stall, the slots that nobody could send in time are not sent in a burst. */
    bool stalled = now - due > probe->every_ns;
    for (size_t i = 0; i < probe->n_targets; i++) {
        if (stalled)
            gap_record(p, &probe->targets[i], due, now, slot);
        else
            attempt_begin(p, &probe->targets[i], due, slot);
    }
}

static void timeouts_run(struct prober_probe *probe, int64_t now)
{
    while (probe->first != NULL && now - probe->first->sent_ns >= probe->timeout_ns) {
        struct prober_attempt *a = probe->first;
        probe->kind->ops->cancel(a);
        attempt_end(a, now, SAMPLE_TIMEOUT, 0, 0);
    }
}

static void asks_run(struct prober *p, int64_t now)
{
    for (size_t i = p->n_asks; i-- > 0;) {
        struct prober_probe *probe = p->asks[i];
        timeouts_run(probe, now);
        if (probe->n_answered < probe->n_targets)
            continue;
        p->asks[i] = p->asks[--p->n_asks];
        probe->done(probe->done_ctx, probe->asked, probe->n_targets);
        prober_probe_free(p, probe);
    }
}

void prober_slots_run(struct prober *p, int64_t now)
{
    for (size_t i = 0; i < p->n_probes; i++)
        while (p->running && p->probes[i]->due_ns <= now)
            slot_run(p, p->probes[i], now);
}

void prober_schedule_run(struct prober *p, int64_t now)
{
    prober_slots_run(p, now);
    for (size_t i = 0; i < p->n_probes; i++)
        timeouts_run(p->probes[i], now);
    asks_run(p, now);
}

static int64_t timeout_next(const struct prober_probe *probe, int64_t next)
{
    if (probe->first != NULL && probe->first->sent_ns + probe->timeout_ns < next)
        return probe->first->sent_ns + probe->timeout_ns;
    return next;
}

int64_t prober_schedule_next(const struct prober *p)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < p->n_probes; i++) {
        if (p->running && p->probes[i]->due_ns < next)
            next = p->probes[i]->due_ns;
        next = timeout_next(p->probes[i], next);
    }
    for (size_t i = 0; i < p->n_asks; i++) {
        next = timeout_next(p->asks[i], next);
        if (p->asks[i]->n_answered == p->asks[i]->n_targets)
            next = 0;
    }
    return next;
}

void prober_attempts_cancel(struct prober *p, struct prober_probe *probe)
{
    while (probe->first != NULL) {
        struct prober_attempt *a = probe->first;
        probe->kind->ops->cancel(a);
        flight_remove(a);
        a->next = p->spare;
        p->spare = a;
    }
}

/* For asks: begins all of them. */
int prober_ask(struct prober *p, const struct prober_probe_spec *spec, prober_ask_done *done,
               void *ctx, struct err *err)
{
    if (p->n_asks == PROBER_PROBES_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d questions at once", PROBER_PROBES_MAX);
    if (prober_add(p, spec, err) != 0)
        return -1;
    struct prober_probe *probe = p->probes[--p->n_probes];
    probe->done = done;
    probe->done_ctx = ctx;
    probe->asked = calloc(probe->n_targets, sizeof(*probe->asked));
    if (probe->asked == NULL) {
        prober_probe_free(p, probe);
        return make_error(err, ERR_SYSTEM, ENOMEM, "question");
    }
    p->asks[p->n_asks++] = probe;
    for (size_t i = 0; i < probe->n_targets; i++)
        attempt_begin(p, &probe->targets[i], prober_now(), 0);
    return 0;
}
