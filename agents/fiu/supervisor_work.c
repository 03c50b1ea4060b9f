/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/rule.h"
#include "agents/fiu/supervisor.h"
#include "agents/fiu/supervisor_look.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>

/* Since Linux 6.6: the caller's processor goes straight to us and back, without a detour over a run
 * queue. Older kernels refuse it, and it only costs time. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

enum { WAITERS_MAX = 256 };

/* How long a waiting call goes on when its rule has been taken away. */
static const int64_t look_ns = 20 * NS_PER_MS;

/* A rule that lets the call wait. */
struct wait {
    struct fiu_slot *slot;
    uint64_t owner;
    int64_t ns, deadline;
};

/* What becomes of a call: it waits for these, one after the other, and then fails or goes on. */
struct verdict {
    uint64_t id;
    int error;
    struct fiu_slot *hit; /* whose error it is */
    int64_t since;        /* beginning of the wait under way */
    unsigned n, at;
    struct wait waits[FIU_RULES_MAX];
};

struct work {
    int listener, proc;
    struct fiu_page *page;
    struct verdict waiters[WAITERS_MAX];
    unsigned n_waiters;
};

/* A call on its way through the rules. */
struct trapped {
    const struct work *work;
    const struct seccomp_notif *notif;
    const struct trap_call *call;
    bool looked, gone;
    struct look look;
    int64_t now;
};

/* What was read of the process counts only if that was still the process that made the call. */
static void look_once(struct trapped *t)
{
    if (t->looked)
        return;
    t->looked = true;
    look_at(t->work->proc, t->notif, t->call, &t->look);
    uint64_t id = t->notif->id;
    t->gone = ioctl(t->work->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0;
}

static bool rule_is_about(const struct fiu_rule *rule, struct trapped *t)
{
    if (rule->n_addrs != 0 || rule->n_ports != 0)
        return false;
    if (rule->prefix_len == 0)
        return true;
    look_once(t);
    for (unsigned i = 0; !t->gone && i < t->look.n; i++)
        if (fiu_rule_holds(rule, t->look.paths[i]))
            return true;
    return false;
}

static void slot_decide(struct fiu_slot *slot, struct trapped *t, struct verdict *v)
{
    struct fiu_rule rule;
    uint64_t n;
    if (!fiu_rule_load(slot, &rule) || (rule.points & FIU_BIT(t->call->point)) == 0 ||
        t->now >= rule.deadline)
        return;
    atomic_fetch_add_explicit(&slot->calls, 1, memory_order_relaxed);
    if (!rule_is_about(&rule, t) || !fiu_slot_hits(slot, &rule, &n))
        return;
    if (rule.action == FIU_DELAY)
        v->waits[v->n++] = (struct wait){.slot = slot,
                                         .owner = rule.owner,
                                         .ns = fiu_rule_delay(&rule, n),
                                         .deadline = rule.deadline};
    if (rule.action != FIU_FAIL)
        return;
    v->error = rule.error;
    v->hit = slot;
}

/* The first rule that wants the call to fail decides, as in the library. */
static void call_decide(const struct work *w, const struct seccomp_notif *notif, struct verdict *v)
{
    struct trapped t = {.work = w, .notif = notif, .call = trap_find(notif->data.nr)};
    *v = (struct verdict){.id = notif->id};
    uint64_t armed = atomic_load_explicit(&w->page->armed, memory_order_relaxed);
    if (t.call == NULL || (armed & FIU_BIT(t.call->point)) == 0)
        return;
    t.now = v->since = clock_system(CLOCK_BOOTTIME);
    for (uint32_t left = fiu_page_slots(w->page); left != 0 && v->error == 0; left &= left - 1) {
        struct fiu_slot *slot = &w->page->slots[__builtin_ctz(left)];
        if (fiu_slot_has(slot, t.call->point))
            slot_decide(slot, &t, v);
    }
}

/* A call whose thread was killed before it got the answer has not failed. */
static void call_answer(const struct work *w, const struct verdict *v)
{
    struct seccomp_notif_resp answer = {.id = v->id,
                                        .error = -v->error,
                                        .flags =
                                            v->error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
    if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0 && v->hit != NULL)
        atomic_fetch_sub_explicit(&v->hit->hits, 1, memory_order_relaxed);
}

/* The time at which this wait ends if nobody ends it before. */
static int64_t wait_end(const struct verdict *v)
{
    const struct wait *wait = &v->waits[v->at];
    return wait->ns < wait->deadline - v->since ? v->since + wait->ns : wait->deadline;
}

/* True when the call has waited for all. */
static bool waiter_goes_on(struct verdict *v, int64_t now)
{
    for (; v->at < v->n; v->at++) {
        const struct wait *wait = &v->waits[v->at];
        if (now < wait_end(v) && fiu_slot_owner(wait->slot) == wait->owner &&
            fiu_slot_is_armed(wait->slot))
            return false;
        atomic_fetch_add_explicit(&wait->slot->added_ns, (uint64_t)(now - v->since),
                                  memory_order_relaxed);
        v->since = now;
    }
    return true;
}

/* Answers those that have waited long enough; when to look again, INT64_MAX for never. */
static int64_t waiters_turn(struct work *w)
{
    int64_t now = w->n_waiters > 0 ? clock_system(CLOCK_BOOTTIME) : 0, next = INT64_MAX;
    for (unsigned i = 0; i < w->n_waiters;) {
        struct verdict *v = &w->waiters[i];
        if (waiter_goes_on(v, now)) {
            call_answer(w, v);
            *v = w->waiters[--w->n_waiters];
            continue;
        }
        int64_t end = wait_end(v) < now + look_ns ? wait_end(v) : now + look_ns;
        next = end < next ? end : next;
        i++;
    }
    return next == INT64_MAX ? next : next - now;
}

static void call_take(struct work *w)
{
    struct seccomp_notif notif = {.id = 0}; /* the kernel wants it zeroed */
    if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &notif) != 0)
        return; /* its thread was killed meanwhile */
    struct verdict *v = &w->waiters[w->n_waiters];
    call_decide(w, &notif, v);
    if (v->n == 0)
        call_answer(w, v);
    else
        w->n_waiters++;
}

/* When all places are taken, what comes next waits in the kernel for one to be free. */
void supervisor_work(int listener, int proc, struct fiu_page *page)
{
    static struct work work;
    struct work *w = &work;
    w->listener = listener;
    w->proc = proc;
    w->page = page;
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    for (;;) {
        int64_t wait = waiters_turn(w);
        struct timespec limit = {.tv_sec = wait / NS_PER_SEC, .tv_nsec = wait % NS_PER_SEC};
        bool full = w->n_waiters == WAITERS_MAX;
        struct pollfd p = {.fd = listener, .events = full ? 0 : POLLIN};
        int ready = ppoll(&p, 1, wait == INT64_MAX ? NULL : &limit, NULL);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            return;
        if (ready > 0 && !full)
            call_take(w);
    }
}
