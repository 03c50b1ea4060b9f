/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/errors.h"
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "crash/walk.h"
#include "tree.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAMPLE_SEED UINT64_C(20260)

enum {
    LEASE_MS = 60000,
    SETTLE_MS = 1500,
    END_MS = 8000,
    GUARDIAN_MS = 4000,
    ROW_WHOLE = 12,
    ROW_STEP = 8
};

/* A point's place, for what is told of it. */
struct point {
    const struct kind *kind;
    const struct errors_harm *harm;
    const char *phase;
    unsigned k;
    char injection[16], what[ERRORS_WHAT_MAX];
};

static int open_rig(struct errors *s, struct err *err)
{
    s->is_spoilt = false;
    s->log_seen = 0;
    s->before = BUF_INIT(RIG_STATE_MAX);
    if (rig_up(&s->rig, s->name, BINARY_DIR "/blackstart-agent", err) != 0)
        return -1;
    return rig_quiet_state(&s->rig, &s->before, err);
}

static int errors_open(struct errors *s, const char *name, const char *const *wrap, struct err *err)
{
    *s = (struct errors){.name = name, .wrap = wrap};
    return open_rig(s, err);
}

static void note(struct errors *s, const struct point *p, const char *what, const char *detail)
{
    s->tally.leaks++;
    (void)printf("    %s: %s %s %s in %s at %u (%s): %s: %.1200s\n", p->kind->name, p->harm->word,
                 p->harm->lasts ? "from" : "once",
                 p->harm->victim == SWEEP_GUARDIAN  ? "guardian"
                 : p->harm->victim == SWEEP_NETSIDE ? "netside"
                                                    : "privside",
                 p->phase, p->k, p->what, what, detail);
    (void)fflush(stdout);
}

/* What the agents have written since the last look. */
static void read_log(struct errors *s, struct buf *out)
{
    struct err ignored;
    CLEANUP_FD int fd = open(s->rig.log, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || lseek(fd, s->log_seen, SEEK_SET) < 0 || buf_read_fd(out, fd, &ignored) != 0)
        return;
    s->log_seen += (long)out->len;
}

/* Empty when the host is as before; waits for services that are on their way. */
static int await_clean(struct errors *s, struct buf *out, int within_ms, struct err *err)
{
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    for (;;) {
        CLEANUP_BUF struct buf now = BUF_INIT(RIG_STATE_MAX);
        buf_free(out);
        *out = BUF_INIT(1 << 16);
        if (rig_state(&s->rig, &now, err) != 0)
            return -1;
        (void)tree_diff(buf_text(&s->before), buf_text(&now), out);
        if (out->len == 0 || clock_system(CLOCK_MONOTONIC) - begin > within_ms * NS_PER_MS)
            return 0;
        (void)usleep(20000);
    }
}

static bool start_agent(struct errors *s, struct err *err)
{
    json_t *ignored = NULL;
    s->is_up = rig_start(&s->rig, &s->agent, s->wrap, err) == 0 &&
               rig_call(&s->agent, "baseline", json_object(), RIG_CALL_MS, &ignored);
    json_decref(ignored);
    return s->is_up;
}

/* The agent's end, and no process of it may have died of a signal that nobody sent. */
static void end_agent(struct errors *s, const struct point *p)
{
    int status;
    CLEANUP_BUF struct buf said = BUF_INIT(1 << 20);
    if (!rig_stop(&s->agent, END_MS, &status))
        note(s, p, "the agent's processes did not end", "");
    s->is_up = false;
    read_log(s, &said);
    s->has_told = said.len > 0 && strstr(said.data, "not put back") != NULL;
    if (said.len > 0 && getenv("SWEEP_FAULT") != NULL)
        (void)printf("    the agent said: %s", said.data);
    if (said.len > 0 && (strstr(said.data, "killed by signal") != NULL ||
                         strstr(said.data, "AddressSanitizer") != NULL))
        note(s, p, "a process crashed", said.data);
}

static void note_difference(struct errors *s, const struct point *p, const char *what,
                            const struct buf *diff)
{
    if (diff->len > 0)
        note(s, p, what, buf_text(diff));
    s->is_spoilt = s->is_spoilt || diff->len > 0;
}

/* The host after a point, by the eyes of others; then by the agent's own, if it lives. */
static int check_host(struct errors *s, const struct point *p, int within_ms, struct err *err)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    json_t *clean = NULL;
    if (await_clean(s, &diff, within_ms, err) != 0)
        return -1;
    /* Whoever fails for good can only say so, and leaves it to the next one. */
    if (s->is_up || !p->harm->lasts || !s->has_told)
        note_difference(s, p, "left behind", &diff);
    if (!s->is_up)
        return 0;
    if (rig_call(&s->agent, "clean", json_pack("{s:[]}", "paths"), RIG_CALL_MS, &clean)) {
        bool says = json_is_true(json_object_get(clean, "clean"));
        if (says && diff.len > 0)
            note(s, p, "the agent says that the host is clean", "");
        CLEANUP_FREE char *text = json_dumps(clean, JSON_COMPACT);
        /* That it could not look is no wrong answer. */
        if (!says && diff.len == 0 && strstr(text, "cannot be read") == NULL &&
            strstr(text, "could not be remembered") == NULL) {
            (void)printf("    false alarm: %s %s in %s at %u (%s): %.600s\n", p->kind->name,
                         p->harm->word, p->phase, p->k, p->what, text);
            s->tally.alarms++;
        }
        if (!says)
            end_agent(s, p); /* it keeps saying so */
    }
    json_decref(clean);
    return 0;
}

/* After an agent that ended, or was dirty to the end: the next one leaves nothing. */
static int check_next(struct errors *s, const struct point *p, struct err *err)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    if (!start_agent(s, err))
        return wrap_error(err, "the agent after %s %s", p->kind->name, p->phase);
    if (s->agent.replay_failed)
        note(s, p, "the replay failed", "");
    end_agent(s, p);
    if (await_clean(s, &diff, SETTLE_MS, err) != 0)
        return -1;
    rig_strays(&s->rig, &diff);
    if (rig_logs(&s->rig) != 0)
        note(s, p, "undo logs are left", "");
    note_difference(s, p, "left behind after the next agent", &diff);
    return 0;
}

static bool play(struct errors *s, const struct point *p, enum phase phase, json_t **ret)
{
    const struct phase_life life = {.injection = p->injection,
                                    .fault = p->kind->row->name,
                                    .args = p->kind->args,
                                    .lease_ms = LEASE_MS};
    s->agent.why[0] = '\0';
    return phase_call(&s->agent, phase, &life, RIG_CALL_MS, ret);
}

/* What one point left behind says nothing of the next. */
static int renew_rig(struct errors *s, const struct point *p, struct err *err)
{
    if (s->is_up)
        end_agent(s, p);
    rig_down(&s->rig);
    buf_free(&s->before);
    return open_rig(s, err);
}

/* An agent that has halted (its undo log failed, its guardian died) takes nothing any more; that is
 * as it should be, and the next one is begun. */
static int lead_up(struct errors *s, struct point *p, enum phase phase, struct err *err)
{
    if (s->is_spoilt && renew_rig(s, p, err) != 0)
        return -1;
    for (int tries = 0; tries < 2; tries++) {
        (void)snprintf(p->injection, sizeof(p->injection), "i%u", ++s->serial);
        bool ok = s->is_up || start_agent(s, err);
        rig_await_connection(&s->rig);
        for (enum phase before = PHASE_PREPARE; ok && before < phase; before++)
            ok = play(s, p, before, NULL);
        if (ok)
            return 0;
        (void)printf("    begun anew: %s before its %s: %s (the point before: %s)\n", p->kind->name,
                     p->phase, s->agent.why, s->last);
        if (s->is_up)
            (void)make_error(err, ERR_SYSTEM, 0, "%s before its %s: %s", p->kind->name, p->phase,
                             s->agent.why);
        end_agent(s, p);
    }
    return -1;
}

static void look_for_foreign(struct errors *s, const struct point *p, const json_t *result)
{
    if (json_is_true(json_object_get(result, "foreign")))
        note(s, p, "ours is taken for others'", "");
}

static bool is_gone(const struct errors *s)
{
    return strncmp(s->agent.why, "no answer", 9) == 0;
}

/* The link lives. What was refused left nothing; what failed can be put back now. */
static int judge_answer(struct errors *s, const struct point *p, enum phase phase, bool ok,
                        struct err *err)
{
    json_t *result = NULL;
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    /* Not before it says so is a host that could not be put back counted as dirty. */
    bool told = strstr(s->agent.why, "not put back") != NULL;
    if (!ok && phase <= PHASE_APPLY && !told) {
        if (await_clean(s, &diff, SETTLE_MS, err) != 0)
            return -1;
        note_difference(s, p, s->agent.why, &diff);
    }
    if (phase == PHASE_REVERT && ok)
        return 0;
    bool reverted = play(s, p, PHASE_REVERT, &result);
    if (!reverted && (phase != PHASE_PREPARE || ok))
        note(s, p, "the revert that follows fails", s->agent.why);
    if (!reverted && is_gone(s))
        end_agent(s, p);
    look_for_foreign(s, p, result);
    json_decref(result);
    return 0;
}

/* 1: the point was there; 0: the phase has no k-th call; -1: the rig failed. */
static int try_point(struct errors *s, struct point *p, enum phase phase, struct err *err)
{
    json_t *result = NULL;
    p->what[0] = '\0';
    if (lead_up(s, p, phase, err) != 0)
        return -1;
    if (!p->harm->begin(p->harm, s->agent.pids[p->harm->victim], p->k))
        return make_error(err, ERR_SYSTEM, 0, "%s cannot be begun", p->harm->word);
    bool ok = play(s, p, phase, &result);
    bool hit = p->harm->end(p->harm, p->what);
    look_for_foreign(s, p, result);
    json_decref(result);
    s->tally.refused += hit && !ok;
    if (!ok && is_gone(s)) {
        s->tally.ended++;
        end_agent(s, p);
    } else if (judge_answer(s, p, phase, ok, err) != 0) {
        return -1;
    }
    if (check_host(s, p, s->is_up ? SETTLE_MS : GUARDIAN_MS, err) != 0 ||
        (!s->is_up && check_next(s, p, err) != 0))
        return -1;
    return hit;
}

static int try_end(struct errors *s, struct point *p, struct err *err)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1 << 16);
    bool by_guardian = p->harm->victim == SWEEP_GUARDIAN;
    if (lead_up(s, p, PHASE_HOLD, err) != 0)
        return -1;
    if (!p->harm->begin(p->harm, s->agent.pids[p->harm->victim], p->k))
        return make_error(err, ERR_SYSTEM, 0, "%s cannot be begun", p->harm->word);
    if (by_guardian)
        (void)kill(s->agent.pids[SWEEP_PRIVSIDE], SIGKILL);
    (void)shutdown(s->agent.fd, SHUT_RDWR);
    /* Until it has done what it could: whoever fails for good gives up and ends. */
    for (int i = 0; i < GUARDIAN_MS / 10 && kill(s->agent.pids[p->harm->victim], 0) == 0; i++)
        (void)usleep(10000);
    bool hit = p->harm->end(p->harm, p->what);
    end_agent(s, p);
    if (!p->harm->lasts && await_clean(s, &diff, SETTLE_MS, err) != 0)
        return -1;
    note_difference(s, p, "one error was enough", &diff);
    return check_next(s, p, err) != 0 ? -1 : hit;
}

/* The end is the phase behind the calls. */
static int try_phase(struct errors *s, struct point *p, unsigned phase, struct err *err)
{
    p->phase = phase < PHASE_CALLS ? phase_words[phase] : "end";
    int hit = phase < PHASE_CALLS ? try_point(s, p, (enum phase)phase, err) : try_end(s, p, err);
    (void)snprintf(s->last, sizeof(s->last), "%s %s %s %u (%s)", p->kind->name, p->harm->word,
                   p->phase, p->k, p->what);
    s->tally.points += hit > 0;
    return hit;
}

static void errors_close(struct errors *s)
{
    const struct kind nothing = {.name = ""};
    const struct errors_harm none = {.word = "the end"};
    const struct point p = {.kind = &nothing, .harm = &none, .phase = "end"};
    struct err err;
    if (s->is_up)
        end_agent(s, &p);
    /* A record that could not be struck out stays for the next agent. */
    if (s->rig.lab != NULL && rig_logs(&s->rig) != 0 && check_next(s, &p, &err) != 0)
        note(s, &p, "the last agent", err.msg);
    rig_down(&s->rig);
    buf_free(&s->before);
}

static void print_tally(const char *word, const char *name, const struct errors_tally *was,
                        const struct errors_tally *now)
{
    (void)printf("figure: errors in %s, %s: %u points, %u refused, %u agents ended, %u leaks, %u "
                 "false alarms\n",
                 word, name, now->points - was->points, now->refused - was->refused,
                 now->ended - was->ended, now->leaks - was->leaks, now->alarms - was->alarms);
    (void)fflush(stdout);
}

bool errors_is_full(void)
{
    const char *full = getenv("BLACKSTART_FULL");
    return full != NULL && strcmp(full, "yes") == 0;
}

static const char *wanted(const char *variable, const char *word)
{
    const char *only = getenv(variable);
    return only == NULL || strcmp(only, word) == 0 ? word : NULL;
}

/* A look through /proc is a long row of equal calls, of which a few stand for all. */
static unsigned step_behind(const struct point *p, char last[ERRORS_WHAT_MAX], unsigned *row)
{
    *row = strcmp(last, p->what) == 0 ? *row + 1 : 0;
    memcpy(last, p->what, ERRORS_WHAT_MAX);
    return p->harm->by_site || *row < ROW_WHOLE ? 1 : ROW_STEP;
}

static bool is_over(const struct errors *s)
{
    return clock_system(CLOCK_MONOTONIC) >= s->deadline;
}

/* Every harm, phase and call of one fault. */
static int sweep_kind(struct errors *s, const struct errors_plan *plan, const struct kind *kind,
                      struct err *err)
{
    const char *text = getenv("SWEEP_STRIDE");
    unsigned stride = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
    struct errors_tally was = s->tally;
    for (size_t i = 0; i < plan->n_harms; i++) {
        struct point p = {.kind = kind, .harm = &plan->harms[i]};
        if (wanted("SWEEP_ERROR", p.harm->word) == NULL)
            continue;
        for (unsigned phase = plan->first_phase; phase <= plan->last_phase; phase++) {
            char last[ERRORS_WHAT_MAX] = "";
            unsigned row = 0;
            int hit = 1;
            for (p.k = 1; hit > 0 && !is_over(s); p.k += stride * step_behind(&p, last, &row))
                hit = try_phase(s, &p, phase, err);
            if (hit < 0)
                return -1;
        }
    }
    print_tally(plan->word, kind->name, &was, &s->tally);
    return 0;
}

static int sweep_all(struct errors *s, const struct errors_plan *plan, struct err *err)
{
    for (size_t i = 0; i < s->kinds.n; i++) {
        if (!is_over(s) && sweep_kind(s, plan, &s->kinds.v[i], err) != 0)
            return wrap_error(err, "%s", s->kinds.v[i].name);
        if (!is_over(s))
            continue;
        s->unfinished++;
        (void)printf("note: errors in %s: NOT finished: %s\n", plan->word, s->kinds.v[i].name);
    }
    return 0;
}

/* Points drawn from a fixed seed, one fault after the other, as many as there is time for. */
static int sample_all(struct errors *s, const struct errors_plan *plan, struct err *err)
{
    uint64_t seed = SAMPLE_SEED;
    unsigned n_phases = plan->last_phase - plan->first_phase + 1;
    for (size_t i = 0; !is_over(s); i++) {
        struct point p = {.kind = &s->kinds.v[i % s->kinds.n],
                          .harm = &plan->harms[walk_random(&seed, (unsigned)plan->n_harms)],
                          .k = 1 + walk_random(&seed, plan->reach)};
        unsigned phase = plan->first_phase + walk_random(&seed, n_phases);
        int hit = 0;
        /* Beyond the last call of a phase: one nearer to its begin. */
        for (; hit == 0 && p.k > 0; p.k /= 2) {
            hit = try_phase(s, &p, phase, err);
            if (hit < 0)
                return wrap_error(err, "%s", p.kind->name);
        }
    }
    return 0;
}

static int make_kinds(struct errors *s, struct err *err)
{
    struct addrs peers;
    rig_peers(&s->rig, &peers);
    int rc = kinds_make(&s->kinds, &fault_catalogue, &peers, getenv("SWEEP_FAULT"), err);
    kinds_share(&s->kinds);
    return rc == 0 && s->kinds.n == 0 ? make_error(err, ERR_INPUT, 0, "no kinds in this SHARE")
                                      : rc;
}

static int64_t find_deadline(const struct errors_plan *plan)
{
    const char *given = getenv("SWEEP_SECONDS");
    int64_t seconds = given != NULL      ? strtol(given, NULL, 10)
                      : errors_is_full() ? plan->full_seconds
                                         : plan->seconds;
    return clock_system(CLOCK_MONOTONIC) + seconds * NS_PER_SEC;
}

static int sweep(struct errors *s, const struct errors_plan *plan, struct err *err)
{
    const char *name = plan->last_phase < PHASE_CALLS ? "calls" : "ends";
    if (errors_open(s, name, plan->wrap, err) != 0 || make_kinds(s, err) != 0)
        return -1;
    s->deadline = find_deadline(plan);
    return (errors_is_full() ? sweep_all : sample_all)(s, plan, err);
}

static void finish(struct errors *s, const char *word, int rc, const struct err *err)
{
    if (rc != 0) {
        (void)printf("    %s\n", err->msg);
        CU_FAIL("the rig, or a point that is no more");
    }
    errors_close(s);
    print_tally(word, "all", &(struct errors_tally){0}, &s->tally);
    CU_ASSERT(s->tally.points > 0);
    CU_ASSERT_EQUAL(s->tally.leaks, 0);
    CU_ASSERT_EQUAL(s->tally.alarms, 0);
    CU_ASSERT_EQUAL(s->unfinished, 0);
    kinds_free(&s->kinds);
}

void errors_sweep(const struct errors_plan *plan)
{
    struct errors s;
    struct err err;
    int rc = sweep(&s, plan, &err);
    finish(&s, plan->word, rc, &err);
}

static int try_spot(struct errors *s, const struct errors_spot *spot, struct err *err)
{
    struct addrs peers;
    rig_peers(&s->rig, &peers);
    kinds_free(&s->kinds);
    if (kinds_make(&s->kinds, &fault_catalogue, &peers, spot->kind, err) != 0)
        return -1;
    struct point p = {.kind = &s->kinds.v[0], .harm = &spot->harm};
    for (p.k = spot->first; p.k <= spot->last; p.k++) {
        int hit = try_phase(s, &p, spot->phase, err);
        if (hit < 0)
            return -1;
        if (hit == 0)
            return make_error(err, ERR_INPUT, 0, "no %s %s", spot->harm.only, s->last);
    }
    return 0;
}

void errors_try(const char *const *wrap, const struct errors_spot *spots, size_t n)
{
    struct errors s;
    struct err err;
    int rc = errors_open(&s, "spots", wrap, &err);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = try_spot(&s, &spots[i], &err);
    finish(&s, "points found once", rc, &err);
}
