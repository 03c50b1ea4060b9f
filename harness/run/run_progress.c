/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees while the run waits: for what, for how long, and what the faults do. */
#include "run/run_parts.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 400, WAIT_MAX = 120 };

static bool is_instant(const struct run *r, const struct engine_injection *i)
{
    return r->plan->steps[i->step].step->fault->lifetime == LIFETIME_INSTANT;
}

/* Of the faults that are on, the one that ends first; one that acted once, and is not on, only when
 * there is no other. NULL: none. */
static const struct engine_injection *first_to_end(const struct run *r)
{
    const struct engine_injection *first = NULL;
    for (size_t i = 0; i < engine_n_injections(r->engine); i++) {
        const struct engine_injection *one = engine_injection(r->engine, i);
        if (one->state != INJECTION_ACTIVE)
            continue;
        bool instant = is_instant(r, one);
        bool other = first != NULL && is_instant(r, first) != instant;
        if (first == NULL || (other ? !instant : one->ends_ns < first->ends_ns))
            first = one;
    }
    return first;
}

static int seconds(int64_t ns)
{
    return ns > 0 ? (int)((ns + NS_PER_SEC - 1) / NS_PER_SEC) : 0;
}

static void put_fault(const struct run *r, const struct engine_injection *i, int64_t now,
                      char ret[WAIT_MAX])
{
    const char *name = r->plan->steps[i->step].step->fault->name;
    bool open = i->ends_ns == INT64_MAX;
    int on = seconds(now - i->active_ns), left = seconds(i->ends_ns - now);
    int ago = (int)((now - i->active_ns) / NS_PER_SEC);
    if (is_instant(r, i) && open)
        (void)snprintf(ret, WAIT_MAX, "%.40s was %d s ago", name, ago);
    else if (is_instant(r, i))
        (void)snprintf(ret, WAIT_MAX, "%.40s was %d s ago, and counts as over in %d s", name, ago,
                       left);
    else
        (void)snprintf(ret, WAIT_MAX, "the fault is on for %d s%s", open ? on : left,
                       open ? "" : " more");
}

/* Rounded up, so that the last second is 1 and not 0. */
static void put_wait(const struct run *r, char ret[WAIT_MAX])
{
    const struct engine_injection *fault = first_to_end(r);
    int64_t now = run_now(r), since = now - r->state_ns;
    const struct scenario *s = r->scenario;
    ret[0] = '\0';
    switch (engine_state(r->engine)) {
    case ENGINE_STEADY:
        (void)snprintf(ret, WAIT_MAX, "waiting for the steady state, at most %d s more",
                       seconds(s->steady_within.ns - since));
        break;
    case ENGINE_INJECT:
    case ENGINE_HOLD:
        if (!engine_holding(r->engine) && fault != NULL)
            put_fault(r, fault, now, ret);
        break;
    case ENGINE_RECOVER:
        (void)snprintf(ret, WAIT_MAX, "observing, at most %d s more",
                       seconds(s->observe.ns - since));
        break;
    case ENGINE_SETTLE:
        (void)snprintf(ret, WAIT_MAX, "comparing the hosts with what they were");
        break;
    case ENGINE_HEAL:
    case ENGINE_ENDED:
        break;
    }
}

void run_progress_show(struct run *r)
{
    char wait[WAIT_MAX], evidence[SHOWN_MAX] = "", trial[40] = "";
    if (r->engine == NULL || r->options->view.status == NULL)
        return;
    put_wait(r, wait);
    run_evidence_text(r, evidence, sizeof(evidence));
    if (wait[0] == '\0' && evidence[0] == '\0')
        return;
    if (r->options->trials > 1)
        (void)snprintf(trial, sizeof(trial), "trial %u of %u: ", engine_trial(r->engine),
                       r->options->trials);
    run_status(r, "%s%s%s%s", trial, wait, wait[0] != '\0' && evidence[0] != '\0' ? "; " : "",
               evidence);
}

static void on_second(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    run_progress_show(ctx);
}

int run_progress_start(struct run *r, struct err *err)
{
    const struct timeval second = {.tv_sec = 1};
    if (r->options->view.status == NULL)
        return 0;
    r->progress = event_new(r->base, -1, EV_PERSIST, on_second, r);
    if (r->progress == NULL || event_add(r->progress, &second) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for events");
    return 0;
}
