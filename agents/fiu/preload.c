/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/preload.h"

#include "agents/fiu/preload_next.h"
#include "agents/fiu/preload_raw.h"

#include <errno.h>
#include <stdlib.h>
#define FIU_ENABLE
#include <fiu-control.h>
#include <fiu.h>

/* By which an agent knows this library from other files (library.h), before any program loads it.
 */
extern const uint32_t blackstart_fiu_page_version;
__attribute__((visibility("default"))) const uint32_t blackstart_fiu_page_version =
    FIU_PAGE_VERSION;

static _Atomic uint64_t nothing_armed;
_Atomic uint64_t *preload_armed = &nothing_armed;
struct fiu_page *preload_page;

static const char *const point_names[FIU_N_POINTS] = {
#define FIU_NAME(id, name, covers) [FIU_##id] = (name),
    FIU_POINTS(FIU_NAME)
#undef FIU_NAME
};

/* How long a waiting call goes on when its rule has been taken away. */
static const int64_t wait_look_ns = 20 * 1000 * 1000;

/* A rule that lets the call wait. */
struct wait {
    struct fiu_slot *slot;
    uint64_t owner;
    int64_t ns, deadline;
};

/* The call that this thread is deciding on; also what keeps a decision from deciding on itself. */
static _Thread_local struct {
    bool inside;
    enum fiu_point point;
    int error;
    const struct preload_subject *subject;
    struct wait *waits;
    unsigned n_waits;
} current;

static bool rule_is_about(const struct fiu_rule *rule, unsigned index)
{
    if (rule->prefix_len != 0 && !preload_path_holds(rule, index, current.subject))
        return false;
    return (rule->n_addrs == 0 && rule->n_ports == 0) ||
           preload_addr_holds(rule, index, current.subject);
}

/* The errno that the rule in this slot wants for the current call, or 0. */
static int slot_decide(struct fiu_slot *slot, unsigned index, int64_t now)
{
    struct fiu_rule rule;
    if (!fiu_rule_load(slot, &rule) || (rule.points & FIU_BIT(current.point)) == 0 ||
        now >= rule.deadline)
        return 0;
    atomic_fetch_add_explicit(&slot->calls, 1, memory_order_relaxed);
    if (!rule_is_about(&rule, index))
        return 0;
    uint64_t n;
    if (!fiu_slot_hits(slot, &rule, &n))
        return 0;
    if (rule.action == FIU_FAIL)
        return rule.error;
    if (rule.action == FIU_DELAY)
        current.waits[current.n_waits++] = (struct wait){.slot = slot,
                                                         .owner = rule.owner,
                                                         .ns = fiu_rule_delay(&rule, n),
                                                         .deadline = rule.deadline};
    return 0;
}

/* libfiu's external point of failure: the first rule that is alive and wants it decides. */
static int rules_decide(const char *name, int *ret_failnum, void **ret_info, unsigned int *flags)
{
    (void)name;
    (void)flags;
    int64_t now = 0;
    for (uint32_t left = fiu_page_slots(preload_page); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        struct fiu_slot *slot = &preload_page->slots[i];
        if (!fiu_slot_has(slot, current.point))
            continue;
        if (now == 0)
            now = raw_now();
        current.error = slot_decide(slot, i, now);
        if (current.error != 0) {
            *ret_failnum = 1;
            *ret_info = NULL;
            return 1;
        }
    }
    return 0;
}

/* No rule is about this descriptor, as was found out a moment ago: nothing is asked. */
static bool all_spare(enum fiu_point point, int fd)
{
    struct fiu_slot *slots[FIU_RULES_MAX];
    unsigned n = 0;
    for (uint32_t left = fiu_page_slots(preload_page); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        struct fiu_slot *slot = &preload_page->slots[i];
        if (!fiu_slot_has(slot, point))
            continue;
        const struct preload_kept *kept = preload_cache_find(i, fd, fiu_slot_owner(slot));
        if (kept == NULL || kept->holds)
            return false;
        slots[n++] = slot;
    }
    for (unsigned i = 0; i < n; i++)
        atomic_fetch_add_explicit(&slots[i]->calls, 1, memory_order_relaxed);
    return true;
}

/* Ends early when the rule is taken away; goes on after a signal, whose handler has run. */
static void wait_out(const struct wait *w)
{
    int64_t start = raw_now(), now = start;
    int64_t end = w->ns < w->deadline - start ? start + w->ns : w->deadline;
    while (now < end && fiu_slot_owner(w->slot) == w->owner && fiu_slot_is_armed(w->slot)) {
        raw_sleep(end - now < wait_look_ns ? end - now : wait_look_ns);
        now = raw_now();
    }
    atomic_fetch_add_explicit(&w->slot->added_ns, (uint64_t)(now - start), memory_order_relaxed);
}

int preload_decide(enum fiu_point point, const struct preload_subject *subject)
{
    struct wait waits[FIU_RULES_MAX];
    if (current.inside || (subject->path == NULL && subject->to == NULL && subject->fd >= 0 &&
                           all_spare(point, subject->fd)))
        return 0;
    int saved = errno;
    current.inside = true;
    current.point = point;
    current.subject = subject;
    current.error = 0;
    current.waits = waits;
    current.n_waits = 0;
    int error = fiu_fail(point_names[point]) != 0 ? current.error : 0;
    unsigned n = current.n_waits;
    current.waits = NULL;
    current.inside = false;
    for (unsigned i = 0; i < n; i++)
        wait_out(&waits[i]);
    errno = saved;
    return error;
}

bool preload_fails(enum fiu_point point, const struct preload_subject *subject)
{
    int error = preload_decide(point, subject);
    if (error != 0)
        errno = error;
    return error != 0;
}

int64_t preload_shift(enum fiu_point point)
{
    int64_t now = raw_now(), shift = 0;
    for (uint32_t left = fiu_page_slots(preload_page); left != 0; left &= left - 1) {
        struct fiu_slot *slot = &preload_page->slots[__builtin_ctz(left)];
        struct fiu_rule rule;
        if (!fiu_slot_has(slot, point) || !fiu_rule_load(slot, &rule) || rule.action != FIU_SHIFT ||
            now >= rule.deadline)
            continue;
        int64_t mine = fiu_rule_shift(&rule, now);
        shift += mine;
        atomic_fetch_add_explicit(&slot->calls, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&slot->seen, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&slot->hits, 1, memory_order_relaxed);
        atomic_store_explicit(&slot->added_ns, (uint64_t)mine, memory_order_relaxed);
    }
    return shift;
}

static struct fiu_page *page_map(const char *path)
{
    int fd = raw_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    struct stat st = {.st_size = 0};
    struct fiu_page *mapped = NULL;
    if (raw_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == FIU_PAGE_SIZE) {
        long at = raw_mmap_shared(fd, FIU_PAGE_SIZE);
        if (at > 0 || at < -4095)
            mapped = (struct fiu_page *)at;
    }
    raw_close(fd);
    return mapped != NULL && fiu_page_valid(mapped) ? mapped : NULL;
}

/*
 * All points are enabled once, before the program's main, and never again: libfiu's lock then has
 * readers only, so that neither a signal handler nor a child of fork can find it held for writing.
 */
__attribute__((constructor)) static void preload_start(void)
{
    const char *path = getenv(FIU_ENV_PAGE);
    preload_next_find(); /* now, and not first in a signal handler */
    if (path == NULL || path[0] != '/')
        return;
    int saved = errno;
    preload_page = page_map(path);
    if (preload_page != NULL && fiu_init(0) == 0) {
        for (int i = 0; i < FIU_N_POINTS; i++)
            (void)fiu_enable_external(point_names[i], 1, NULL, 0, rules_decide);
        atomic_fetch_add_explicit(&preload_page->attached, 1, memory_order_relaxed);
        preload_armed = &preload_page->armed;
    }
    errno = saved;
}
