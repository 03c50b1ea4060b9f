/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/text_parts.h"

#include <inttypes.h>
#include <string.h>

enum { COLUMNS = 72, PHASES_SHOWN = 12 };

/* Is injection i a phase of what injection k is one of? */
static bool is_same(const struct analysis *a, size_t k, size_t i)
{
    return a->injections[i].trial == a->injections[k].trial && a->injections[i].of->phase > 0 &&
           a->injections[i].of->step == a->injections[k].of->step &&
           a->injections[i].place == a->injections[k].place;
}

/* How long of column c a phase was on. */
static int64_t on_in(const struct history_injection *i, int64_t from, int64_t to, int c)
{
    int64_t lo = from + (to - from) * c / COLUMNS, hi = from + (to - from) * (c + 1) / COLUMNS;
    int64_t end = i->undone_ns != HISTORY_UNKNOWN ? i->undone_ns : to;
    if (i->active_ns == HISTORY_UNKNOWN)
        return 0;
    lo = i->active_ns > lo ? i->active_ns : lo;
    hi = end < hi ? end : hi;
    return hi > lo ? hi - lo : 0;
}

/* From the first phase's command to the last's end: # on, + in part, ? on without proof, . off. */
static void draw(struct buf *out, const struct analysis *a, size_t k, int64_t from, int64_t to)
{
    char line[COLUMNS + 1];
    for (int c = 0; c < COLUMNS; c++) {
        int64_t on = 0;
        bool proven = true;
        for (size_t i = k; i < a->n_injections; i++) {
            int64_t one = is_same(a, k, i) ? on_in(a->injections[i].of, from, to, c) : 0;
            on += one;
            proven = proven && (one == 0 || a->injections[i].proven);
        }
        bool most = on > (to - from) / COLUMNS * 3 / 4;
        line[c] = ".?+#"[on == 0 ? 0 : !proven ? 1 : most ? 3 : 2];
    }
    line[COLUMNS] = '\0';
    buf_printf(out, "      |%s|\n", line);
}

static void put_list(struct buf *out, const struct analysis *a, size_t k)
{
    size_t n = 0;
    buf_puts(out, "      on");
    for (size_t i = k; i < a->n_injections; i++) {
        const struct history_injection *in = a->injections[i].of;
        if (!is_same(a, k, i) || n++ >= PHASES_SHOWN)
            continue;
        buf_puts(out, i == k ? " " : ", ");
        text_put_time(out, in->active_ns);
        buf_puts(out, " .. ");
        text_put_time(out, in->undone_ns);
        if (!a->injections[i].proven)
            buf_printf(out, " (NOT PROVEN: %s)", a->injections[i].why);
        if (in->error != NULL)
            buf_printf(out, " (error: %s)", in->error);
        if (in->foreign)
            buf_puts(out, " (something was changed by others and left)");
    }
    if (n > PHASES_SHOWN)
        buf_printf(out, ", and %zu more times", n - PHASES_SHOWN);
    buf_puts(out, "\n");
}

bool text_put_phases(struct buf *out, const struct analysis *a, size_t k)
{
    const struct history_injection *of = a->injections[k].of;
    unsigned n = 0, proven = 0;
    size_t last = k;
    const struct history_evidence *evidence = NULL;
    if (of->phase > 1)
        return true;
    if (of->phase != 1)
        return false;
    for (size_t i = k; i < a->n_injections; i++) {
        if (!is_same(a, k, i))
            continue;
        n++;
        proven += a->injections[i].proven;
        if (a->injections[i].proven || evidence == NULL)
            evidence = a->injections[i].evidence;
        last = i;
    }
    const struct history_injection *end = a->injections[last].of;
    buf_printf(out, "  trial %u, %s to %s: %s on %s: %u times on and off, proven in %u of %u\n",
               a->injections[k].trial, of->id, end->id, of->fault, of->host, n, proven, n);
    if (of->asked_ns != HISTORY_UNKNOWN && end->undone_ns != HISTORY_UNKNOWN)
        draw(out, a, k, of->asked_ns, end->undone_ns);
    put_list(out, a, k);
    text_put_evidence(out, evidence);
    return true;
}

static void put_names(struct buf *out, const char *head, const json_t *names)
{
    const json_t *name;
    size_t i;
    if (json_array_size(names) == 0)
        return;
    buf_printf(out, "      %s", head);
    json_array_foreach(names, i, name)
        buf_printf(out, "%s%s", i == 0 ? "" : ", ", json_string_value(name));
    buf_puts(out, "\n");
}

static void put_rollout(struct buf *out, uint32_t trial, const struct analysis_rollout *r)
{
    static const struct {
        const char *state, *text;
    } words[] = {
        {"done", "reached all its hosts, in wave"},
        {"stopped", "stopped after wave"},
        {"healed", "was taken back after wave"},
        {"ended", "was ended with the trial in wave"},
        {"wave", "was not seen to end, after wave"},
        {"refused", "was refused before wave 1; reached"},
    };
    const char *text = r->state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].state, r->state) == 0)
            text = words[i].text;
    buf_printf(out, "  trial %u, step %" PRId64 ": %s %s %" PRId64 " of %" PRId64 "%s%s\n", trial,
               r->step, r->fault, text, r->wave, r->waves, r->why[0] != '\0' ? ": " : "", r->why);
    put_names(out, "reached: ", r->reached);
    put_names(out, "spared:  ", r->spared);
    buf_printf(out, "      blast radius: %.1f %% of the hosts, ", r->reach * 100);
    if (r->blast_upper > r->blast_lower)
        buf_printf(out, "%.1f %% to ", r->blast_lower * 100);
    buf_printf(out, "%.1f %% of the probes' weight\n", r->blast_upper * 100);
}

void text_put_rollouts(struct buf *out, const struct analysis *a)
{
    bool any = false;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_rollouts; k++) {
            if (!any)
                buf_puts(out, "\nwaves\n");
            any = true;
            put_rollout(out, a->trials[i].trial, &a->trials[i].rollouts[k]);
        }
}
