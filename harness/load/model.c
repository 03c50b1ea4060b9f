/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/model.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An attempt that did not even get a connection is not repeated at once: no client can. */
#define REFUSED_WAIT NS_PER_MS

enum place_state {
    PLACE_FREE,
    PLACE_WAITS, /* for the beginning of an operation (attempt 0), or of its next attempt */
    PLACE_SENT   /* due is the time-out */
};

struct place {
    enum place_state state;
    bool heard; /* since the last change */
    uint32_t attempt;
    size_t at; /* in the heap */
    size_t moves;
    int64_t due, begun_ns;
    uint64_t id;
};

struct model {
    struct load_shape shape;
    struct load_tally tally;
    uint64_t random, last_id;
    bool running;
    int64_t arrival_ns; /* open: the next; INT64_MAX: none */
    size_t n_sent, n_busy, n_heard, n_heap, n_free;
    size_t heap[LOAD_USERS_MAX];      /* places, the one that is due first on top */
    size_t free_list[LOAD_USERS_MAX]; /* open: a stack */
    struct place places[LOAD_USERS_MAX];
};

static uint64_t draw(struct model *m)
{
    uint64_t x = (m->random += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* In [0, 1). */
static double draw_share(struct model *m)
{
    return (double)(draw(m) >> 11) * 0x1p-53;
}

/* In [0, most]. */
static int64_t draw_up_to(struct model *m, int64_t most)
{
    return (int64_t)(draw_share(m) * (double)(most + 1));
}

/* The heap: places by when they are due. */
static bool before(const struct model *m, size_t a, size_t b)
{
    return m->places[m->heap[a]].due < m->places[m->heap[b]].due;
}

static void heap_swap(struct model *m, size_t a, size_t b)
{
    size_t place = m->heap[a];
    m->heap[a] = m->heap[b];
    m->heap[b] = place;
    m->places[m->heap[a]].at = a;
    m->places[m->heap[b]].at = b;
}

static void heap_settle(struct model *m, size_t at)
{
    for (; at > 0 && before(m, at, (at - 1) / 2); at = (at - 1) / 2)
        heap_swap(m, at, (at - 1) / 2);
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->n_heap; child++)
            least = before(m, child, least) ? child : least;
        if (least == at)
            return;
        heap_swap(m, at, least);
        at = least;
    }
}

static void heap_remove(struct model *m, struct place *p)
{
    size_t at = p->at, last = --m->n_heap;
    if (at == last)
        return;
    heap_swap(m, at, last);
    heap_settle(m, at);
}

/* In the heap from FREE, else moved in it. */
static void place_due(struct model *m, size_t user, enum place_state state, int64_t due)
{
    struct place *p = &m->places[user];
    if (p->state == PLACE_FREE) {
        p->at = m->n_heap++;
        m->heap[p->at] = user;
    }
    p->state = state;
    p->due = due;
    heap_settle(m, p->at);
}

static void place_free(struct model *m, size_t user)
{
    struct place *p = &m->places[user];
    heap_remove(m, p);
    p->state = PLACE_FREE;
    p->attempt = 0;
    if (m->shape.model == LOAD_OPEN)
        m->free_list[m->n_free++] = user;
}

static void user_wait(struct model *m, size_t user, int64_t due)
{
    m->places[user].attempt = 0;
    place_due(m, user, PLACE_WAITS, due);
}

static int64_t gap(struct model *m)
{
    double mean = (double)NS_PER_SEC / (double)m->shape.rate;
    return (int64_t)(m->shape.arrivals == LOAD_EVEN ? mean : -log(1.0 - draw_share(m)) * mean);
}

/* Those who do not ask yet. */
static void users_begin(struct model *m, int64_t now)
{
    for (size_t u = 0; u < (size_t)m->shape.users; u++)
        if (m->places[u].state == PLACE_FREE)
            user_wait(m, u, now + draw_up_to(m, m->shape.think.ns));
}

/* Those who think are gone at once. */
static void users_leave(struct model *m)
{
    for (size_t u = (size_t)m->shape.users; u < LOAD_USERS_MAX; u++)
        if (m->places[u].state == PLACE_WAITS && m->places[u].attempt == 0)
            place_free(m, u);
}

int model_new(const struct load_shape *shape, uint64_t seed, struct model **ret, struct err *err)
{
    struct model *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    m->shape = *shape;
    m->random = seed;
    m->arrival_ns = INT64_MAX;
    if (shape->model == LOAD_OPEN)
        while (m->n_free < LOAD_USERS_MAX) {
            m->free_list[m->n_free] = LOAD_USERS_MAX - 1 - m->n_free;
            m->n_free++;
        }
    *ret = m;
    return 0;
}

void model_free(struct model *m)
{
    free(m);
}

static void heard_forget(struct model *m)
{
    for (size_t u = 0; u < LOAD_USERS_MAX; u++)
        m->places[u].heard = false;
    m->n_heard = 0;
}

void model_start(struct model *m, int64_t now)
{
    m->running = true;
    heard_forget(m);
    if (m->shape.model == LOAD_OPEN)
        m->arrival_ns = now + gap(m);
    else
        users_begin(m, now);
}

void model_change(struct model *m, const struct load_shape *shape, int64_t now)
{
    bool rate = m->shape.rate != shape->rate || m->shape.arrivals != shape->arrivals;
    int model = m->shape.model;
    m->shape = *shape;
    m->shape.model = model;
    heard_forget(m);
    if (!m->running)
        return;
    if (model == LOAD_OPEN) {
        m->arrival_ns = rate ? now + gap(m) : m->arrival_ns;
        return;
    }
    users_leave(m);
    users_begin(m, now);
}

void model_stop(struct model *m)
{
    m->running = false;
    m->arrival_ns = INT64_MAX;
    for (size_t u = 0; u < LOAD_USERS_MAX; u++)
        if (m->places[u].state != PLACE_FREE)
            place_free(m, u);
    m->n_sent = 0;
    m->n_busy = 0;
}

int64_t model_next(const struct model *m)
{
    int64_t first = m->n_heap != 0 ? m->places[m->heap[0]].due : INT64_MAX;
    return first < m->arrival_ns ? first : m->arrival_ns;
}

static void arrive(struct model *m)
{
    int64_t due = m->arrival_ns;
    m->arrival_ns = due + gap(m);
    if (m->n_free == 0 || m->n_busy >= (size_t)m->shape.in_flight) {
        m->tally.not_sent++;
        return;
    }
    size_t user = m->free_list[--m->n_free];
    m->n_busy++;
    m->places[user].begun_ns = due;
    user_wait(m, user, due);
}

/* How long before the attempt behind this one. */
static int64_t retry_wait(struct model *m, uint32_t attempt, enum load_outcome outcome)
{
    const struct load_retry *r = &m->shape.retry;
    double wait = (double)r->backoff.ns * pow((double)r->factor, (double)attempt - 1);
    int64_t ns = wait < (double)r->at_most.ns ? (int64_t)wait : r->at_most.ns;
    ns = r->jitter == LOAD_JITTER_FULL ? draw_up_to(m, ns) : ns;
    return outcome == LOAD_REFUSED && ns < REFUSED_WAIT ? REFUSED_WAIT : ns;
}

static void operation_end(struct model *m, size_t user, enum load_outcome outcome, int64_t now)
{
    struct place *p = &m->places[user];
    m->n_busy--;
    if (outcome == LOAD_OK) {
        m->tally.ok++;
        histogram_add(&m->tally.latency, now - p->begun_ns);
    } else {
        m->tally.failed++;
    }
    if (m->shape.model == LOAD_OPEN || user >= (size_t)m->shape.users) {
        place_free(m, user);
        return;
    }
    /* From half of it to one and a half: users do not march in step. */
    int64_t think = m->shape.think.ns / 2 + draw_up_to(m, m->shape.think.ns);
    if (outcome == LOAD_REFUSED && think < REFUSED_WAIT)
        think = REFUSED_WAIT;
    user_wait(m, user, now + (m->shape.think.ns == 0 && outcome != LOAD_REFUSED ? 0 : think));
}

static void attempt_end(struct model *m, size_t user, enum load_outcome outcome, int64_t now)
{
    struct place *p = &m->places[user];
    m->n_sent--;
    if (outcome != LOAD_OK)
        m->tally.failures[outcome]++;
    if (outcome == LOAD_REFUSED || outcome == LOAD_TIMEOUT)
        p->moves++;
    bool again = outcome != LOAD_OK && (m->shape.retry.on & (INT64_C(1) << outcome)) != 0 &&
                 p->attempt <= (uint64_t)m->shape.retry.limit;
    if (again)
        place_due(m, user, PLACE_WAITS, now + retry_wait(m, p->attempt, outcome));
    else
        operation_end(m, user, outcome, now);
}

static void operation_begin(struct model *m, struct place *p)
{
    p->id = ++m->last_id;
    m->tally.begun++;
    if (m->shape.model == LOAD_CLOSED) {
        p->begun_ns = p->due;
        m->n_busy++;
    }
    if (!p->heard)
        m->n_heard++;
    p->heard = true;
}

static struct model_task attempt_begin(struct model *m, size_t user, int64_t now)
{
    struct place *p = &m->places[user];
    int64_t late = now - p->due;
    if (p->attempt == 0)
        operation_begin(m, p);
    p->attempt++;
    m->tally.attempts++;
    m->n_sent++;
    m->tally.late_ns = late > m->tally.late_ns ? late : m->tally.late_ns;
    place_due(m, user, PLACE_SENT, now + m->shape.timeout.ns);
    return (struct model_task){MODEL_SEND, user, p->id, p->attempt, user + p->moves};
}

struct model_task model_take(struct model *m, int64_t now)
{
    while (m->arrival_ns <= now)
        arrive(m);
    if (m->n_heap == 0 || m->places[m->heap[0]].due > now)
        return (struct model_task){.what = MODEL_NOTHING};
    size_t user = m->heap[0];
    const struct place *p = &m->places[user];
    if (p->state == PLACE_WAITS)
        return attempt_begin(m, user, now);
    struct model_task task = {MODEL_CANCEL, user, p->id, p->attempt, user + p->moves};
    attempt_end(m, user, LOAD_TIMEOUT, now);
    return task;
}

void model_done(struct model *m, size_t user, enum load_outcome outcome, int64_t now)
{
    if (m->places[user].state == PLACE_SENT)
        attempt_end(m, user, outcome, now);
}

struct load_tally *model_tally(struct model *m)
{
    return &m->tally;
}

const struct load_shape *model_shape(const struct model *m)
{
    return &m->shape;
}

size_t model_in_flight(const struct model *m)
{
    return m->n_sent;
}

size_t model_busy(const struct model *m)
{
    return m->n_busy;
}

bool model_is_sent(const struct model *m, size_t user)
{
    return m->places[user].state == PLACE_SENT;
}

size_t model_heard(const struct model *m)
{
    return m->n_heard;
}

void load_tally_add(struct load_tally *total, const struct load_tally *more)
{
    total->begun += more->begun;
    total->ok += more->ok;
    total->failed += more->failed;
    total->attempts += more->attempts;
    total->not_sent += more->not_sent;
    for (size_t i = 0; i < LOAD_OUTCOMES; i++)
        total->failures[i] += more->failures[i];
    total->late_ns = more->late_ns > total->late_ns ? more->late_ns : total->late_ns;
    histogram_join(&total->latency, &more->latency);
}
