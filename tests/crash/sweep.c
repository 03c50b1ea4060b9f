/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/sweep.h"
#include "base/cleanup.h"
#include "crash/injector.h"
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

/* How long a lease is. A stop is found when the lease has passed, and privside is then killed; the
 * rest is room for a busy machine. */
enum { KILL_LEASE_MS = 20000, STOP_LEASE_MS = 1000, SETTLE_MS = 8000, END_MS = 8000 };

enum { TOLD_MS = 3000, TOLD_PAUSE_MS = 20 };

const char *const sweep_victims[] = {"netside", "privside", "guardian", "bearer"};
const char *const sweep_phases[] = {"prepare", "apply", "hold", "revert", "end", "replay"};

int sweep_open(struct sweep *s, const char *name, const char *agent, struct err *err)
{
    *s = (struct sweep){
        .agent = agent, .before = BUF_INIT(RIG_STATE_MAX), .notes = BUF_INIT(1 << 18)};
    (void)snprintf(s->name, sizeof(s->name), "%s", name);
    if (rig_up(&s->rig, name, agent, err) != 0)
        return -1;
    return rig_quiet_state(&s->rig, &s->before, err);
}

static void drop_host(struct sweep *s)
{
    rig_down(&s->rig);
    buf_free(&s->before);
}

void sweep_close(struct sweep *s)
{
    drop_host(s);
    buf_free(&s->notes);
}

int sweep_renew(struct sweep *s, struct err *err)
{
    struct sweep_tally *tally = s->tally;
    struct buf notes = s->notes;
    int64_t deadline = s->deadline;
    drop_host(s);
    int rc = sweep_open(s, s->name, s->agent, err);
    s->tally = tally;
    s->deadline = deadline;
    s->notes = notes;
    return rc;
}

static const char *const injection = "i1";

static bool call_phase(struct rig_agent *a, const struct sweep_point *p, enum sweep_phase phase)
{
    const struct phase_life life = {.injection = injection,
                                    .fault = p->kind->row->name,
                                    .args = p->kind->args,
                                    .lease_ms =
                                        p->signal == SIGSTOP ? STOP_LEASE_MS : KILL_LEASE_MS};
    /* Of a process that is stopped no answer comes; nobody needs to wait longer for it. */
    bool is_lost = p->phase == phase && p->signal == SIGSTOP && p->victim != SWEEP_BEARER;
    int patience = is_lost ? STOP_LEASE_MS + 1000 : RIG_CALL_MS;
    return phase_call(a, (enum phase)phase, &life, patience, NULL);
}

/* Empty when the host is as before; else the lines that differ. */
static int state_difference(struct sweep *s, struct buf *out, struct err *err)
{
    CLEANUP_BUF struct buf now = BUF_INIT(RIG_STATE_MAX);
    if (rig_state(&s->rig, &now, err) != 0)
        return -1;
    (void)tree_diff(buf_text(&s->before), buf_text(&now), out);
    return 0;
}

int sweep_await_clean(struct sweep *s, struct buf *out, int within_ms, int64_t *ret_took,
                      struct err *err)
{
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    for (;;) {
        buf_free(out);
        *out = BUF_INIT(1 << 16);
        if (state_difference(s, out, err) != 0)
            return -1;
        *ret_took = clock_system(CLOCK_MONOTONIC) - begin;
        if (out->len == 0 || *ret_took > within_ms * NS_PER_MS)
            return 0;
        (void)usleep(50000);
    }
}

static void note(struct sweep *s, const struct sweep_point *p, const char *what, const char *detail)
{
    char again[48] = "";
    s->stale = true;
    s->tally->leaks++;
    if (p->again != 0)
        (void)snprintf(again, sizeof(again), ", again at call %u", p->again);
    buf_printf(&s->notes, "%s: %s %s at call %u of %s%s: %s\n%.1500s\n", p->kind->name,
               p->signal == SIGSTOP ? "SIGSTOP" : "SIGKILL", sweep_victims[p->victim], p->k,
               sweep_phases[p->phase], again, what, detail);
}

/* A stopped process, or the fault's own: the host must heal by itself, without another agent. */
static int check_heals(struct sweep *s, const struct sweep_point *p, struct err *err)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    int64_t took = 0;
    if (p->signal != SIGSTOP && p->victim != SWEEP_BEARER)
        return 0;
    if (sweep_await_clean(s, &diff, STOP_LEASE_MS + SETTLE_MS, &took, err) != 0)
        return -1;
    if (took > s->tally->worst_ns)
        s->tally->worst_ns = took;
    if (diff.len > 0) {
        s->tally->late++;
        note(s, p, "not clean when the lease had passed", buf_text(&diff));
    }
    return 0;
}

static bool call_renew(struct rig_agent *a, const struct sweep_point *p)
{
    json_t *result = NULL;
    int lease_ms = p->signal == SIGSTOP ? STOP_LEASE_MS : KILL_LEASE_MS;
    bool ok = rig_call(a, "renew", json_pack("{s:i}", "lease_ms", lease_ms), RIG_CALL_MS, &result);
    json_decref(result);
    return ok;
}

/* It had ended before it was told to. */
static bool has_lapsed(struct rig_agent *a)
{
    json_t *result = NULL;
    bool ok =
        rig_call(a, "revert", json_pack("{s:s}", "injection", injection), RIG_CALL_MS, &result);
    const char *by = json_string_value(json_object_get(result, "ended_by"));
    ok = ok && by != NULL && strcmp(by, "lease") == 0;
    json_decref(result);
    return ok;
}

/* Does the agent say soon that the fault is not active? Renewals meanwhile must not keep one that
 * nobody bears any more. */
static bool is_told_over(struct rig_agent *a, const struct sweep_point *p, bool renews)
{
    for (int tries = 0; tries < TOLD_MS / TOLD_PAUSE_MS; tries++) {
        json_t *result = NULL;
        bool ok =
            (!renews || call_renew(a, p)) &&
            rig_call(a, "verify", json_pack("{s:s}", "injection", injection), RIG_CALL_MS, &result);
        bool is_over = ok && json_is_false(json_object_get(result, "active"));
        json_decref(result);
        if (is_over && renews) /* it may have died just behind the one before */
            return call_renew(a, p) && has_lapsed(a);
        if (!ok || is_over)
            return is_over;
        (void)usleep(TOLD_PAUSE_MS * 1000);
    }
    return false;
}

/*
 * The bearer died or stopped, and the agent lives: it says so, and a renewal ends what is left. Of
 * a stopped one what it holds may still be held, and every other time nobody renews, and the lease
 * is the end.
 */
static void check_told(struct sweep *s, const struct sweep_point *p, struct rig_agent *a)
{
    if (p->signal == SIGKILL && p->k % 2 == 0 && !is_told_over(a, p, false))
        note(s, p, "verify does not say that its process died", a->why);
    if ((p->signal == SIGKILL || p->k % 2 == 0) && !is_told_over(a, p, true))
        note(s, p, "renewed without its process", a->why);
}

/* A new agent on the same state directory, and the comparison. */
static int check_after(struct sweep *s, const struct sweep_point *p, struct err *err)
{
    struct rig_agent a;
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    int64_t took;
    int status;
    if (rig_start(&s->rig, &a, NULL, err) != 0)
        return wrap_error(err, "the agent after %s %s %s %u", p->kind->name,
                          sweep_victims[p->victim], sweep_phases[p->phase], p->k);
    if (a.replay_failed)
        note(s, p, "the replay failed", "");
    if (!rig_stop(&a, END_MS, &status))
        note(s, p, "the next agent does not end", "");
    /* Services that were brought back take a moment until they are themselves. */
    if (sweep_await_clean(s, &diff, 500, &took, err) != 0)
        return -1;
    rig_strays(&s->rig, &diff);
    if (diff.len > 0)
        note(s, p, "left behind", buf_text(&diff));
    if (rig_logs(&s->rig) != 0) {
        note(s, p, "undo logs are left", "");
    }
    return 0;
}

static int finish_agent(struct sweep *s, const struct sweep_point *p, struct rig_agent *a)
{
    int status;
    if (!rig_stop(a, END_MS, &status))
        note(s, p, "the agent's processes did not end", "");
    return 0;
}

static bool is_guardians_end(const struct sweep_point *p)
{
    return p->phase == SWEEP_END && p->victim == SWEEP_GUARDIAN;
}

/* The bearer's birth is a part of apply: there it is awaited. */
static bool start_injector(struct injector_child *injector, const struct rig_agent *a,
                           const struct sweep_point *p)
{
    bool heir = p->victim == SWEEP_BEARER && p->phase <= SWEEP_APPLY;
    pid_t victim = p->victim != SWEEP_BEARER ? a->pids[p->victim]
                   : heir                    ? a->pids[SWEEP_PRIVSIDE]
                                             : rig_bearer(a);
    const struct injector_plan plan = {
        .signal = p->signal, .k = p->k, .heir = heir, .by_change = p->by_change};
    return injector_plan_start(injector, victim, &plan);
}

/* Else its short lease is over already, and the bearer gone. */
static bool is_active(struct rig_agent *a)
{
    json_t *result = NULL;
    bool ok =
        rig_call(a, "verify", json_pack("{s:s}", "injection", injection), RIG_CALL_MS, &result) &&
        json_is_true(json_object_get(result, "active"));
    json_decref(result);
    return ok;
}

/* Everything that comes before the phase, then the injector; -1: the host or the rig is unfit; 1:
 * there is no such process. */
static int lead_up(struct sweep *s, const struct sweep_point *p, struct rig_agent *a,
                   struct injector_child *injector, struct err *err)
{
    bool ok = true;
    rig_await_connection(&s->rig);
    for (enum sweep_phase phase = SWEEP_PREPARE; ok && phase < p->phase && phase < SWEEP_REVERT;
         phase++)
        ok = call_phase(a, p, phase);
    if (ok && p->victim == SWEEP_BEARER && p->phase > SWEEP_APPLY && rig_bearer(a) == 0) {
        s->tally->is_unborne = s->tally->is_unborne || is_active(a);
        return 1;
    }
    if (ok && start_injector(injector, a, p))
        return 0;
    (void)finish_agent(s, p, a);
    /* Perhaps an effect that came after the comparison of the point before. */
    return make_error(err, ERR_SYSTEM, 0, "%s before its %s: %s (the point before: %s)",
                      p->kind->name, sweep_phases[p->phase],
                      ok ? "the process cannot be traced" : a->why, s->last);
}

/* *why: the phase's call failed. */
static int play_phase(struct sweep *s, const struct sweep_point *p, struct rig_agent *a, char *why,
                      size_t size, struct err *err)
{
    int64_t took;
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    if (p->phase != SWEEP_END) {
        if (!call_phase(a, p, p->phase))
            (void)snprintf(why, size, "%s", a->why);
        return 0;
    }
    if (is_guardians_end(p))
        (void)kill(a->pids[SWEEP_PRIVSIDE], SIGKILL);
    (void)shutdown(a->fd, SHUT_RDWR);
    /* Until the process has gone, or has been stopped. */
    if (sweep_await_clean(s, &diff, p->signal == SIGSTOP ? STOP_LEASE_MS : 1000, &took, err) != 0)
        return -1;
    (void)usleep(20000);
    return 0;
}

static void judge_bearer(struct sweep *s, const struct sweep_point *p, struct rig_agent *a,
                         bool hit, const char *why)
{
    if (p->phase == SWEEP_APPLY && *why == '\0' && !hit && rig_bearer(a) == 0)
        s->tally->is_unborne = true;
    if (hit && p->phase == SWEEP_REVERT && *why != '\0')
        note(s, p, "the revert is refused", why);
    if (hit && p->phase < SWEEP_REVERT && (p->phase != SWEEP_APPLY || *why == '\0'))
        check_told(s, p, a);
}

/* The points of a phase that is refused say nothing. */
static void judge_undisturbed(struct sweep *s, const struct sweep_point *p, const char *why)
{
    bool was_slow = s->slow;
    s->slow = *why != '\0' && p->victim == SWEEP_BEARER;
    if (*why != '\0' && (!s->slow || was_slow))
        note(s, p, "undisturbed, and refused", why);
}

static int judge(struct sweep *s, const struct sweep_point *p, struct rig_agent *a, bool hit,
                 const char *why, struct err *err)
{
    if (p->victim == SWEEP_BEARER)
        judge_bearer(s, p, a, hit, why);
    if (!hit)
        judge_undisturbed(s, p, why);
    return hit && !is_guardians_end(p) ? check_heals(s, p, err) : 0;
}

static int try_in_agent(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
                        struct err *err)
{
    struct rig_agent a;
    struct injector_child injector;
    char why[sizeof(a.why)] = "";
    int rc = rig_start(&s->rig, &a, NULL, err) != 0 ? -1 : lead_up(s, p, &a, &injector, err);
    if (rc > 0)
        return finish_agent(s, p, &a);
    if (rc < 0)
        return -1;
    rc = play_phase(s, p, &a, why, sizeof(why), err);
    bool hit = injector_finish(&injector, ret_calls);
    if (rc == 0)
        rc = judge(s, p, &a, hit, why, err);
    if (is_guardians_end(p) && p->signal == SIGSTOP && hit)
        (void)kill(a.pids[SWEEP_GUARDIAN], SIGKILL); /* nobody is left to do it */
    (void)finish_agent(s, p, &a);
    return rc != 0 || check_after(s, p, err) != 0 ? -1 : hit;
}

/* The agent that finds what the first one left is killed while it puts it back, and a third one
 * has to do it. Its calls are counted from the start of the program. */
static int kill_recovery(struct sweep *s, const struct sweep_point *p, unsigned k,
                         unsigned *ret_calls, struct err *err)
{
    char when[16];
    struct rig_agent a;
    struct err died;
    int status;
    const char *const nth[] = {BINARY_DIR "/tests/crash_nth", when, p->by_change ? "change" : "all",
                               NULL};
    (void)snprintf(when, sizeof(when), "%u", k);
    bool hit = rig_start(&s->rig, &a, nth, &died) != 0;
    (void)rig_stop(&a, END_MS, &status);
    *ret_calls = hit ? k : k - 1;
    return check_after(s, p, err) != 0 ? -1 : hit;
}

/* The first agent's death at rest leaves its log. */
static int try_in_replay(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
                         struct err *err)
{
    struct rig_agent a;
    int status;
    if (rig_start(&s->rig, &a, NULL, err) != 0)
        return -1;
    bool ok = call_phase(&a, p, SWEEP_PREPARE) && call_phase(&a, p, SWEEP_APPLY);
    (void)kill(a.pids[SWEEP_GUARDIAN], SIGSTOP);
    (void)kill(a.pids[SWEEP_PRIVSIDE], SIGKILL);
    (void)kill(a.pids[SWEEP_GUARDIAN], SIGKILL);
    (void)rig_stop(&a, END_MS, &status);
    if (!ok)
        return make_error(err, ERR_SYSTEM, 0, "%s before the replay: %s", p->kind->name, a.why);
    return kill_recovery(s, p, p->k, ret_calls, err);
}

/* The first agent dies with its guardian at any call, which may be in the middle of mending by
 * then; a phase that has no such call ends in their death too. */
static int try_again(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
                     struct err *err)
{
    struct rig_agent a;
    struct injector_child injector;
    unsigned ignored;
    int status;
    if (rig_start(&s->rig, &a, NULL, err) != 0 || lead_up(s, p, &a, &injector, err) != 0)
        return -1;
    (void)call_phase(&a, p, p->phase);
    (void)injector_finish(&injector, &ignored);
    (void)kill(a.pids[SWEEP_GUARDIAN], SIGKILL);
    (void)kill(a.pids[SWEEP_PRIVSIDE], SIGKILL);
    (void)rig_stop(&a, END_MS, &status);
    return kill_recovery(s, p, p->again, ret_calls, err);
}

static int try_it(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
                  struct err *err)
{
    *ret_calls = 0;
    if (p->again != 0)
        return try_again(s, p, ret_calls, err);
    return p->phase == SWEEP_REPLAY ? try_in_replay(s, p, ret_calls, err)
                                    : try_in_agent(s, p, ret_calls, err);
}

int sweep_try(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls, struct err *err)
{
    s->slow = false;
    int hit = try_it(s, p, ret_calls, err);
    if (hit == 0 && s->slow) /* a busy machine; twice is none */
        hit = try_it(s, p, ret_calls, err);
    (void)snprintf(s->last, sizeof(s->last), "%s %s %s %u", p->kind->name, sweep_victims[p->victim],
                   sweep_phases[p->phase], p->k);
    unsigned *calls = &s->tally->calls[p->phase][p->victim];
    if (p->again == 0 && *ret_calls > *calls)
        *calls = *ret_calls;
    if (hit > 0) {
        s->tally->points++;
        s->tally->reached[p->phase][p->victim]++;
    }
    return hit;
}

static bool is_wanted(const char *variable, const char *word)
{
    const char *only = getenv(variable);
    return only == NULL || strcmp(only, word) == 0;
}

/* netside has no part in the end, and only privside replays; a bearer is born by apply, and put an
 * end to by revert. */
bool sweep_is_played(enum sweep_phase phase, enum sweep_victim victim, int signal)
{
    if (!is_wanted("SWEEP_PHASE", sweep_phases[phase]) ||
        !is_wanted("SWEEP_VICTIM", sweep_victims[victim]))
        return false;
    if (victim == SWEEP_BEARER)
        return phase >= SWEEP_APPLY && phase <= SWEEP_REVERT;
    if (phase == SWEEP_END)
        return victim != SWEEP_NETSIDE;
    return phase != SWEEP_REPLAY || (victim == SWEEP_PRIVSIDE && signal == SIGKILL);
}
