/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"

/* By age, and by pid where the clock's ticks cannot tell. */
static bool comes_before(const struct proc_id *a, const struct proc_id *b)
{
    return a->start != b->start ? a->start < b->start : a->host_pid < b->host_pid;
}

static void sort_by_age(struct proc_set *set)
{
    for (uint32_t i = 1; i < set->n; i++) {
        struct proc_id id = set->v[i];
        uint32_t at = i;
        for (; at > 0 && comes_before(&id, &set->v[at - 1]); at--)
            set->v[at] = set->v[at - 1];
        set->v[at] = id;
    }
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void proc_choose(struct proc_set *set, enum proc_which which, uint32_t share_ppm, uint64_t seed)
{
    uint32_t keep = 1;
    if (which == PROC_ALL || set->n == 0)
        return;
    if (which == PROC_SHARE)
        keep = (uint32_t)(((uint64_t)set->n * share_ppm + 999999) / 1000000);
    sort_by_age(set);
    for (uint32_t i = 0; i < keep && i < set->n; i++) {
        uint32_t other = i + (uint32_t)(draw(&seed) % (set->n - i));
        struct proc_id id = set->v[i];
        set->v[i] = set->v[other];
        set->v[other] = id;
    }
    if (keep < set->n)
        set->n = keep;
}
