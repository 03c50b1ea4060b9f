/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kind of the catalogue, every process, every phase. The short form tries a sample within its
 * time, whatever the number of kinds; BLACKSTART_FULL=yes tries every call that borders on a change
 * where that costs no waiting, and a larger sample elsewhere, and fails when its time does not
 * suffice.
 * SWEEP_FAULT=name,...: only kinds whose names begin so. SWEEP_PHASE=replay, SWEEP_VICTIM=bearer,
 * say: only that phase, that process. SHARE=1/4: a quarter of the kinds, of which the figures add
 * up. SWEEP_SEED=n: that sample again. SWEEP_SECONDS=n: no longer than that.
 */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "crash/walk.h"
#include "seed.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* LAST_S: how much longer than its time a sweep may take, for the points that were begun. */
enum { LAST_S = 120, PROGRESS_S = 60, LEAKS_MAX = 5, WORKERS_MAX = 16 };

struct form {
    const char *word;
    int signal;
    bool again, every; /* every: the full form leaves nothing out */
    unsigned workers;  /* hosts side by side: points of a stop mostly wait */
    int seconds, full_seconds_each, full_seconds_max;
};

struct board { /* shared by the workers */
    atomic_uint next, points;
    _Atomic int64_t told; /* when the points were last printed */
    struct sweep_tally tally[KINDS_MAX];
};

static bool is_full(void)
{
    const char *full = getenv("BLACKSTART_FULL");
    return full != NULL && strcmp(full, "yes") == 0;
}

static int make_kinds(struct kinds *ret, const struct addrs *peers, struct err *err)
{
    int rc = kinds_make(ret, &fault_catalogue, peers, getenv("SWEEP_FAULT"), err);
    kinds_share(ret);
    return rc == 0 && ret->n == 0 ? make_error(err, ERR_INPUT, 0, "no kinds in this SHARE") : rc;
}

static int64_t find_deadline(const struct form *f, size_t n)
{
    const char *given = getenv("SWEEP_SECONDS");
    int64_t seconds = is_full() ? (int64_t)n * f->full_seconds_each : f->seconds;
    if (seconds > f->full_seconds_max)
        seconds = f->full_seconds_max;
    if (given != NULL)
        seconds = strtol(given, NULL, 10);
    return clock_system(CLOCK_MONOTONIC) + seconds * NS_PER_SEC;
}

static bool is_every(const struct form *f)
{
    return f->every && is_full();
}

/* Phases in which no call of a process was tried; their names in the full form, where it is no
 * matter of the sample. */
static void print_kind(const struct form *f, const struct kind *kind, const struct sweep_tally *t)
{
    unsigned pairs = 0, never = 0;
    char names[512] = "";
    for (unsigned i = 0; i < WALK_PAIRS; i++) {
        unsigned phase = i / SWEEP_VICTIMS, victim = i % SWEEP_VICTIMS;
        bool part = f->again ? phase < SWEEP_END && victim == SWEEP_PRIVSIDE
                             : sweep_is_played((enum sweep_phase)phase, (enum sweep_victim)victim,
                                               f->signal);
        part = part && !(victim == SWEEP_BEARER && t->is_unborne);
        pairs += part;
        if (!part || t->reached[phase][victim] > 0)
            continue;
        never++;
        size_t used = strlen(names);
        if (is_full())
            (void)snprintf(names + used, sizeof(names) - used, "%s%s %s", used > 0 ? ", " : ": ",
                           sweep_phases[phase], sweep_victims[victim]);
    }
    (void)printf("figure: %s %s: %u points, %u of %u phases never reached%s, %u leaks%s\n", f->word,
                 kind->name, t->points, never, pairs, names, t->leaks,
                 is_every(f) && !t->is_finished ? ", NOT finished" : "");
    (void)fflush(stdout);
}

static int take_every(struct sweep *s, const struct kinds *k, const struct form *f,
                      struct board *board, struct err *err)
{
    for (unsigned i; (i = atomic_fetch_add(&board->next, 1)) < k->n && !walk_is_over(s);) {
        s->tally = &board->tally[i];
        if (walk_all(s, &k->v[i], f->signal, 1, LEAKS_MAX, err) != 0)
            return wrap_error(err, "%s", k->v[i].name);
        if (s->tally->is_finished)
            print_kind(f, &k->v[i], s->tally);
    }
    return 0;
}

/* So that a long one can be watched. */
static void print_progress(const struct form *f, struct board *board, unsigned more)
{
    int64_t at = clock_system(CLOCK_MONOTONIC), last = atomic_load(&board->told);
    unsigned points = atomic_fetch_add(&board->points, more) + more;
    if (!is_full() || at - last < PROGRESS_S * NS_PER_SEC ||
        !atomic_compare_exchange_strong(&board->told, &last, at))
        return;
    (void)printf("    %s: %u points so far\n", f->word, points);
    (void)fflush(stdout);
}

/* The kinds in turn, one point at a time, those of this worker. */
static int take_sample(struct sweep *s, const struct kinds *k, const struct form *f,
                       struct board *board, unsigned worker, uint64_t seed, struct err *err)
{
    static struct walk_kind walks[KINDS_MAX];
    unsigned order[KINDS_MAX] = {0}, left = 1;
    for (unsigned i = 0; i < k->n; i++) {
        unsigned at = walk_random(&seed, i + 1);
        order[i] = order[at];
        order[at] = i;
        walk_kind_init(&walks[i], f->signal, f->again, &seed);
    }
    seed += worker;
    for (unsigned turn = 0; left > 0; turn++) {
        left = 0;
        for (unsigned i = worker; i < k->n; i += f->workers) {
            unsigned kind = order[i];
            s->tally = &board->tally[kind];
            if (s->tally->leaks >= LEAKS_MAX || walks[kind].n == 0)
                continue;
            if (walk_is_over(s))
                return 0;
            left++;
            unsigned before = s->tally->points;
            if (walk_sample(s, &walks[kind], &k->v[kind], f->signal, f->again, &seed, err) != 0)
                return wrap_error(err, "%s", k->v[kind].name);
            print_progress(f, board, s->tally->points - before);
        }
    }
    return 0;
}

static _Noreturn void work(const struct form *f, struct board *board, unsigned worker,
                           uint64_t seed, int64_t deadline)
{
    static struct kinds kinds;
    static struct sweep s;
    struct err err;
    struct addrs peers;
    char name[16];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(name, sizeof(name), "%.8s%u", f->word, worker);
    int rc = sweep_open(&s, name, BINARY_DIR "/blackstart-agent", &err);
    if (rc == 0) {
        s.deadline = deadline;
        rig_peers(&s.rig, &peers);
        rc = make_kinds(&kinds, &peers, &err);
    }
    if (rc == 0)
        rc = is_every(f) ? take_every(&s, &kinds, f, board, &err)
                         : take_sample(&s, &kinds, f, board, worker, seed, &err);
    (void)printf("%s%s%s", buf_text(&s.notes), rc != 0 ? err.msg : "", rc != 0 ? "\n" : "");
    (void)fflush(stdout);
    kinds_free(&kinds);
    sweep_close(&s);
    _exit(rc != 0);
}

/* In the short form, which judges leaks, a host may be lost on the way. */
enum { UNFIT_SHORT = 2 };

static void print_all(const struct form *f, const struct kinds *kinds, const struct board *board,
                      uint64_t seed)
{
    struct sweep_tally all = {0};
    unsigned untried = 0, unfinished = 0;
    for (size_t i = 0; i < kinds->n; i++) {
        const struct sweep_tally *t = &board->tally[i];
        if (!is_every(f) || !t->is_finished) /* else it was printed when it ended */
            print_kind(f, &kinds->v[i], t);
        unfinished += is_every(f) && !t->is_finished;
        all.points += t->points;
        all.leaks += t->leaks;
        all.unfit += t->unfit;
        untried += t->points == 0 && !(t->is_unborne && getenv("SWEEP_VICTIM") != NULL);
        if (t->worst_ns > all.worst_ns)
            all.worst_ns = t->worst_ns;
    }
    (void)printf("figure: %s in all: %u points, %u leaks, %zu kinds, SWEEP_SEED=%llu; a stop was "
                 "over after at most %lld ms\n",
                 f->word, all.points, all.leaks, kinds->n, (unsigned long long)seed,
                 (long long)(all.worst_ns / NS_PER_MS));
    CU_ASSERT(all.points > 0);
    CU_ASSERT_EQUAL(all.leaks, 0);
    if (all.unfit > 0)
        (void)printf("note: %u points were begun anew on another host\n", all.unfit);
    CU_ASSERT(all.unfit <= (is_full() ? 0 : UNFIT_SHORT));
    CU_ASSERT(untried == 0 || !is_full());
    if (unfinished > 0)
        (void)printf("note: %s: %u kinds were not finished in time; SHARE=1/2 and 2/2 take a half "
                     "each\n",
                     f->word, unfinished);
    CU_ASSERT_EQUAL(unfinished, 0);
}

/* Whoever does not end by itself is ended, and the figures are printed all the same. */
static bool await_worker(pid_t pid, int64_t until)
{
    int status = -1;
    pid_t got = 0;
    while (pid > 0 && (got = waitpid(pid, &status, WNOHANG)) == 0 &&
           clock_system(CLOCK_MONOTONIC) < until)
        (void)usleep(50000);
    if (pid > 0 && got == 0) {
        (void)printf("    a worker does not end\n");
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    return pid > 0 && got == pid && status == 0;
}

static void run(const struct form *f)
{
    static struct kinds kinds;
    struct err err;
    struct addrs peers = {0};
    pid_t pids[WORKERS_MAX];
    uint64_t seed = seed_take("SWEEP_SEED");
    struct board *board =
        mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_TRUE_FATAL(board != MAP_FAILED);
    for (const char *const *at = (const char *const[]){"192.0.2.1", "2001:db8::1", NULL}; *at; at++)
        CU_ASSERT_EQUAL(addr_parse(*at, &peers.a[peers.n++], &err), 0);
    if (make_kinds(&kinds, &peers, &err) != 0) {
        (void)printf("    %s\n", err.msg);
        CU_FAIL_FATAL("the kinds");
    }
    int64_t deadline = find_deadline(f, kinds.n);
    atomic_store(&board->told, clock_system(CLOCK_MONOTONIC));
    (void)fflush(stdout);
    for (unsigned i = 0; i < f->workers; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            work(f, board, i, seed, deadline);
    }
    for (unsigned i = 0; i < f->workers; i++)
        CU_ASSERT_TRUE(await_worker(pids[i], deadline + LAST_S * NS_PER_SEC));
    print_all(f, &kinds, board, seed);
    kinds_free(&kinds);
    (void)munmap(board, sizeof(*board));
}

static void test_kill(void)
{
    run(&(struct form){.word = "kill",
                       .signal = SIGKILL,
                       .every = true,
                       .workers = is_full() ? 4 : 2, /* of a point half is waiting */
                       .seconds = 30,
                       .full_seconds_each = 300,
                       .full_seconds_max = 5400});
}

static void test_recovery(void)
{
    run(&(struct form){.word = "again",
                       .signal = SIGKILL,
                       .again = true,
                       .workers = 2,
                       .seconds = 14,
                       .full_seconds_each = 15,
                       .full_seconds_max = 300});
}

static void test_stop(void)
{
    run(&(struct form){.word = "stop",
                       .signal = SIGSTOP,
                       .workers = 8,
                       .seconds = 26,
                       .full_seconds_each = 30,
                       .full_seconds_max = 1000});
}

static const struct check_test tests[] = {
    {"kill", test_kill},
    {"recovery killed too", test_recovery},
    {"stop", test_stop},
};

CHECK_MAIN("crash/sweep", tests)
