/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that unfold: which host in which wave, how long each phase. The seed alone decides. */
#include "engine/plan_parts.h"

#include <stdio.h>
#include <string.h>

uint64_t plan_draw(uint64_t seed, uint64_t trial, uint64_t step, uint64_t use)
{
    uint64_t z = seed + (trial * 4096 + step * 4 + use + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* By wave and host; what stands on one host keeps its order. */
static void sort_by_wave(struct plan_injection *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct plan_injection one = list[i];
        size_t k = i;
        for (; k > 0 && (list[k - 1].wave > one.wave ||
                         (list[k - 1].wave == one.wave && list[k - 1].host > one.host));
             k--)
            list[k] = list[k - 1];
        list[k] = one;
    }
}

/* The hosts of the list, each once; returns how many. */
static size_t hosts_of(const struct plan_injections *list, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_t k = 0;
        while (k < n && ret[k] != list->list[i].host)
            k++;
        ret[k] = list->list[i].host;
        n += k == n;
    }
    return n;
}

void plan_put_waves(const struct scenario_waves *waves, uint64_t seed, struct plan_injections *list)
{
    size_t hosts[PLAN_HOSTS_MAX];
    size_t n = hosts_of(list, hosts);
    size_t size = waves->size;
    if (size == 0)
        size = n * waves->share.ppm / 1000000 > 0 ? n * waves->share.ppm / 1000000 : 1;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(plan_draw(seed, i, 0, 0) % i), swapped = hosts[k];
        hosts[k] = hosts[i - 1];
        hosts[i - 1] = swapped;
    }
    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; k < n; k++)
            if (hosts[k] == list->list[i].host)
                list->list[i].wave = (uint32_t)(k / size) + 1;
    list->n_waves = (uint32_t)((n + size - 1) / size);
    sort_by_wave(list->list, list->n);
}

/* From 1 - jitter to 1 + jitter times the length. */
static int64_t jittered(int64_t length, struct ratio jitter, uint64_t drawn)
{
    int64_t width = length / 1000000 * jitter.ppm;
    return width == 0 ? length : length - width + (int64_t)(drawn % (uint64_t)(2 * width + 1));
}

struct plan_phase plan_phase(const struct plan *plan, size_t step, uint32_t trial, uint32_t phase)
{
    const struct scenario_flap *f = &plan->steps[step].step->flap;
    uint64_t seed = plan_draw(plan->seed, trial, step, 3);
    return (struct plan_phase){jittered(f->on.ns, f->jitter, plan_draw(seed, phase, 0, 0)),
                               jittered(f->off.ns, f->jitter, plan_draw(seed, phase, 0, 1))};
}

static const char *print(struct duration d, char *out, size_t size)
{
    return duration_print(d, out, size);
}

void plan_name_unfold(const struct scenario_step *s, char *out, size_t size)
{
    char a[64], b[64], c[64];
    const struct scenario_waves *w = &s->waves;
    out[0] = '\0';
    if (w->size != 0)
        (void)snprintf(a, sizeof(a), "%u", w->size);
    else
        (void)ratio_print(w->share, a, sizeof(a));
    if (waves_given(w))
        (void)snprintf(out, size, ", in waves of %s", a);
    if (s->flap.on.ns == 0)
        return;
    (void)snprintf(out, size, ", %s on and %s off", print(s->flap.on, a, sizeof(a)),
                   print(s->flap.off, b, sizeof(b)));
    size_t len = strlen(out);
    if (s->flap.jitter.ppm != 0)
        (void)snprintf(out + len, size - len, ", each up to %s more or less",
                       ratio_print(s->flap.jitter, c, sizeof(c)));
}

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

static json_t *waves_json(const struct scenario_waves *w, uint32_t n)
{
    json_t *o = json_pack("{s:i, s:o}", "n", (int)n, "bake_s", seconds(w->bake.ns));
    if (w->probe != NULL)
        (void)json_object_set_new(o, "gate",
                                  json_pack("{s:s, s:s, s:o, s:s}", "probe", w->probe, "is",
                                            w->good ? "good" : "bad", "for_s",
                                            seconds(w->last.ns != 0 ? w->last.ns : w->bake.ns),
                                            "on_fail", w->heal != 0 ? "heal" : "stop"));
    return o;
}

void plan_json_unfold(const struct plan *plan, size_t step, json_t *fault)
{
    const struct scenario_step *s = plan->steps[step].step;
    if (waves_given(&s->waves))
        (void)json_object_set_new(fault, "waves", waves_json(&s->waves, plan->steps[step].n_waves));
    if (s->flap.on.ns == 0)
        return;
    json_t *phases = json_array();
    int64_t at = 0;
    for (uint32_t i = 0; at < s->length.ns && i < PLAN_PHASES_MAX; i++) {
        struct plan_phase p = plan_phase(plan, step, 0, i);
        if (at + p.on_ns / 2 > s->length.ns)
            break;
        int64_t end = at + p.on_ns < s->length.ns ? at + p.on_ns : s->length.ns;
        (void)json_array_append_new(
            phases, json_pack("{s:o, s:o}", "on_s", seconds(at), "off_s", seconds(end)));
        at += p.on_ns + p.off_ns;
    }
    (void)json_object_set_new(fault, "phases", phases);
}

void plan_print_unfold(const struct plan *plan, size_t step, const char *indent, struct buf *out)
{
    char bake[64], last[64];
    const struct scenario_step *s = plan->steps[step].step;
    const struct scenario_waves *w = &s->waves;
    if (waves_given(w) && w->bake.ns != 0)
        buf_printf(out, "%s  between two waves %s", indent, print(w->bake, bake, sizeof(bake)));
    if (waves_given(w) && w->probe != NULL)
        buf_printf(out, ", and %s must have been %s for the last %s; else it %s", w->probe,
                   w->good ? "good" : "bad",
                   print(w->last.ns != 0 ? w->last : w->bake, last, sizeof(last)),
                   w->heal != 0 ? "is taken back" : "stops there");
    if (waves_given(w) && w->bake.ns != 0)
        buf_puts(out, "\n");
}
