/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path of measurement against servers whose outages are known: prober process, pipe,
 * journal and its sample files, analysis. Outages of random length, 20 ms to 2 s, refused and
 * silently dropped, at intervals of 1, 10 and 100 ms. Whatever the machine's load, the truth must
 * lie within the bounds; what load may do is make them inconclusive, and that share is printed.
 * The long form holds measuring's own limits against the trials in which the machine was quiet, as
 * a loop beside the prober measures it that does nothing but keep the time.
 */
#include "analysis/stats.h"
#include "base/cleanup.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "run/proberlink.h"
#include "scratch.h"
#include "seed.h"
#include "truth.h"

#include "analysis/analysis.h"

#include <event2/event.h>
#include <ftw.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum {
    N_PROBES = 6,
    BASE_PORT = 9400,
    OUTAGES_MAX = 1200,
    QUIET_OUTAGES = 60,
    TRIALS = 5,
    TRIALS_FULL = 34
};

static const struct {
    const char *name, *kind;
    int every_ms;
    bool dropped;
} rows[N_PROBES] = {
    {"1ms-refused", "http", 1, false},     {"10ms-refused", "tcp", 10, false},
    {"100ms-refused", "http", 100, false}, {"1ms-dropped", "tcp", 1, true},
    {"10ms-dropped", "http", 10, true},    {"100ms-dropped", "tcp", 100, true},
};

struct reference {
    atomic_uint_least64_t slots, lost;
};

static struct {
    struct reference *reference;
    pid_t reference_pid;
    bool full, quiet[OUTAGES_MAX]; /* by trial */
    struct event_base *base;
    struct clock clock;
    struct journal *journal;
    struct proberlink *client;
    uint32_t trial;
    bool waiting;
    uint64_t random;
    char dir[64];
    struct truth_server servers[N_PROBES];
    struct truth truths[OUTAGES_MAX]; /* by trial and probe */
    struct scenario scenario;
    struct scenario_probe probes[N_PROBES];
} g;

static void give_up(const char *why)
{
    printf("\n  %s\n", why);
    CU_FAIL_FATAL("the test cannot go on");
}

static uint64_t draw(uint64_t below)
{
    g.random ^= g.random << 13;
    g.random ^= g.random >> 7;
    g.random ^= g.random << 17;
    return g.random % below;
}

/* A slot each millisecond, at the prober's own priority: what it loses, nobody could have kept. */
static void reference_run(void)
{
    struct sched_param first = {.sched_priority = 1};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sched_setscheduler(0, SCHED_FIFO, &first);
    int64_t due = clock_system(CLOCK_MONOTONIC);
    for (;;) {
        due += NS_PER_MS;
        struct timespec t = {due / NS_PER_SEC, due % NS_PER_SEC};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        int64_t lost = (clock_system(CLOCK_MONOTONIC) - due) / NS_PER_MS;
        due += lost * NS_PER_MS;
        atomic_fetch_add(&g.reference->lost, (uint64_t)lost);
        atomic_fetch_add(&g.reference->slots, (uint64_t)lost + 1);
    }
}

static void reference_start(void)
{
    void *shared =
        mmap(NULL, sizeof(*g.reference), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(shared, MAP_FAILED);
    g.reference = shared;
    g.reference_pid = fork();
    if (g.reference_pid == 0)
        reference_run();
}

/* Short ones are as likely as long ones. */
static int64_t outage_length(void)
{
    double share = (double)draw(1000000) / 1e6;
    return (int64_t)(20e6 * pow(100, share));
}

static int prober_start_process(void *ctx, const int *fds, size_t n, pid_t *ret_pid,
                                struct err *err)
{
    (void)ctx;
    (void)n;
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "fork");
    if (pid == 0) {
        /* Above what is to be replaced, so that neither lands on the other. */
        int control = fcntl(fds[0], F_DUPFD, 10), samples = fcntl(fds[1], F_DUPFD, 10);
        if (dup2(control, 0) == 0 && dup2(samples, 1) == 1) {
            (void)close(control);
            (void)close(samples);
            (void)execl(BINARY_DIR "/blackstart-prober", "blackstart-prober", (char *)NULL);
        }
        _exit(127);
    }
    *ret_pid = pid;
    return 0;
}

static void on_samples(void *ctx, const struct sample *samples, size_t n)
{
    struct err err;
    (void)ctx;
    CU_ASSERT_EQUAL(journal_samples_add(g.journal, g.trial, samples, n, &err), 0);
}

static void on_lost(void *ctx, const struct err *why)
{
    (void)ctx;
    give_up(why->msg);
}

static void on_done(void *ctx, const struct err *why)
{
    (void)ctx;
    if (why != NULL)
        give_up(why->msg);
    g.waiting = false;
    (void)event_base_loopbreak(g.base);
}

static void on_stopped(void *ctx, const struct prober_health *health, const struct err *why)
{
    struct err err;
    on_done(ctx, why);
    int r = journal_append(g.journal, "prober",
                           json_pack("{s:I, s:I, s:I, s:I, s:I}", "late", (json_int_t)health->late,
                                     "gaps", (json_int_t)health->gaps, "sent",
                                     (json_int_t)health->sent, "cpu_ns", (json_int_t)health->cpu_ns,
                                     "until_ns", (json_int_t)health->until_ns),
                           &err);
    CU_ASSERT_EQUAL(r, 0);
}

static void wait_for_answer(void)
{
    g.waiting = true;
    while (g.waiting)
        CU_ASSERT_EQUAL_FATAL(event_base_dispatch(g.base), 0);
}

static void loop_for(int64_t ns)
{
    struct timeval t = {.tv_sec = ns / NS_PER_SEC, .tv_usec = ns % NS_PER_SEC / NS_PER_US};
    (void)event_base_loopexit(g.base, &t);
    (void)event_base_dispatch(g.base);
}

static void append(const char *ev, json_t *members)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(journal_append(g.journal, ev, members, &err), 0);
}

/* A namespace of our own, in which `lo` is up. */
static void network_make(void)
{
    CU_ASSERT_EQUAL_FATAL(unshare(CLONE_NEWNET), 0);
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    CU_ASSERT_EQUAL_FATAL(ioctl(fd, SIOCSIFFLAGS, &r), 0);
}

static void probe_make(size_t i)
{
    struct scenario_probe *p = &g.probes[i];
    const struct probe_kind *kind = probe_kind_find(rows[i].kind);
    if (kind == NULL) {
        give_up("no such kind of probe");
        return;
    }
    *p = (struct scenario_probe){.name = rows[i].name,
                                 .kind = kind,
                                 .every = {rows[i].every_ms * NS_PER_MS},
                                 .timeout = {900 * NS_PER_MS}, /* before a SYN is sent again */
                                 .fresh = true,
                                 .expect = {.body = "^pong$"},
                                 .weight = 1};
    int port = BASE_PORT + (int)i;
    char url[64];
    (void)snprintf(url, sizeof(url), "http://${host}:%d/", port);
    json_t *args = kind == probe_kind_find("http")
                       ? json_pack("{s:s}", "url", url)
                       : json_pack("{s:i, s:s}", "port", port, "send", "ping\n");
    void *room = calloc(1, kind->args_size);
    struct err err = {.msg = ""};
    if (params_decode(kind->params, kind->n_params, args, room, kind->args_size, &err) != 0)
        give_up(err.msg);
    p->args = room;
    json_decref(args);
    CU_ASSERT_TRUE_FATAL(truth_start(&g.servers[i], (uint16_t)port, rows[i].dropped));
    struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    CU_ASSERT_EQUAL_FATAL(proberlink_add(g.client, (uint16_t)i, p, &at, 1, on_done, NULL, &err), 0);
    wait_for_answer();
}

static void setup(void)
{
    struct err err = {.msg = ""};
    uint64_t seed = seed_take("SEED");
    g.random = (seed * UINT64_C(0x9e3779b97f4a7c15)) | 1;
    printf("\nnote: SEED=%llu\n", (unsigned long long)seed);
    network_make();
    scratch_name(g.dir, sizeof(g.dir), "/tmp", "truth");
    CU_ASSERT_EQUAL_FATAL(mkdir(g.dir, 0700), 0);
    reference_start();
    clock_start(&g.clock);
    CU_ASSERT_EQUAL_FATAL(journal_create(g.dir, &g.clock, &g.journal, &err), 0);
    append("run.start", json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", 1, "run", "truth", "text",
                                  "", "file", "", "sha256", ""));
    g.base = event_base_new();
    struct proberlink_events events = {.samples = on_samples, .lost = on_lost};
    CU_ASSERT_EQUAL_FATAL(
        proberlink_open(g.base, prober_start_process, NULL, &events, &g.client, &err), 0);
    CU_ASSERT_EQUAL_FATAL(
        proberlink_configure(g.client, g.clock.epoch, g.random, on_done, NULL, &err), 0);
    wait_for_answer();
    for (size_t i = 0; i < N_PROBES; i++)
        probe_make(i);
    g.scenario = (struct scenario){.probes = g.probes,
                                   .n_probes = N_PROBES,
                                   .steady_for = {200 * NS_PER_MS},
                                   .stable_for = {200 * NS_PER_MS}};
}

/* The outages of this trial are somebody's injection, active before the first of them. */
static void injection_write(void)
{
    json_int_t now = clock_now(&g.clock);
    append("prepare", json_pack("{s:s, s:s, s:s, s:i}", "injection", "i", "fault", "truth", "host",
                                "n1", "group", 0));
    append("apply", json_pack("{s:s}", "injection", "i"));
    append("applied", json_pack("{s:s, s:b, s:I, s:I}", "injection", "i", "ok", 1, "asked_ns", now,
                                "active_ns", now));
    append("evidence", json_pack("{s:s, s:s, s:b, s:{}}", "injection", "i", "class", "state",
                                 "proven", 1, "items"));
}

/* How many outages of it are known. */
static uint32_t trial_run(uint32_t trial)
{
    struct err err;
    uint32_t known = 0;
    uint64_t slots = g.reference->slots, lost = g.reference->lost;
    g.trial = trial;
    append("trial.start", json_pack("{s:I}", "trial", (json_int_t)trial));
    CU_ASSERT_EQUAL_FATAL(proberlink_start(g.client, trial, on_done, NULL, &err), 0);
    wait_for_answer();
    loop_for(500 * NS_PER_MS);
    append("steady", json_pack("{s:b}", "held", 1));
    injection_write();
    int64_t now = clock_system(CLOCK_MONOTONIC), last = now;
    for (size_t i = 0; i < N_PROBES; i++) {
        struct truth_order order = {.down_ns = now + (20 + (int64_t)draw(200)) * NS_PER_MS};
        order.up_ns = order.down_ns + outage_length();
        last = order.up_ns > last ? order.up_ns : last;
        CU_ASSERT_EQUAL(send(g.servers[i].fd, &order, sizeof(order), 0), sizeof(order));
    }
    loop_for(last - now + 550 * NS_PER_MS);
    for (size_t i = 0; i < N_PROBES; i++) {
        struct truth *t = &g.truths[trial * N_PROBES + i];
        CU_ASSERT_EQUAL_FATAL(recv(g.servers[i].fd, t, sizeof(*t), 0), sizeof(*t));
        CU_ASSERT_FALSE(t->failed);
        known += !t->starved;
        int64_t *times[] = {&t->down_lo, &t->down_hi, &t->up_lo, &t->up_hi};
        for (size_t k = 0; k < 4; k++)
            *times[k] -= g.clock.epoch;
    }
    CU_ASSERT_EQUAL_FATAL(proberlink_stop(g.client, on_stopped, NULL, &err), 0);
    wait_for_answer();
    CU_ASSERT_EQUAL(journal_samples_end(g.journal, &err), 0);
    append("trial.end", json_pack("{s:I}", "trial", (json_int_t)trial));
    slots = g.reference->slots - slots;
    lost = g.reference->lost - lost;
    g.quiet[trial] = slots != 0 && lost * 1000 <= slots;
    return known;
}

struct score {
    uint32_t outages, unseen, inconclusive, wrong, unknown;
    int64_t widths[OUTAGES_MAX];
    size_t n_widths;
    int64_t p99[OUTAGES_MAX];
    size_t n_p99;
};

static void wrong(struct score *s, uint32_t trial, const struct analysis_probe *p, const char *what,
                  const struct truth *t)
{
    s->wrong++;
    printf("wrong: trial %u %s: %s; down %lld..%lld up %lld..%lld\n", trial, p->name, what,
           (long long)t->down_lo, (long long)t->down_hi, (long long)t->up_lo, (long long)t->up_hi);
    for (size_t i = 0; i < p->n_outages; i++)
        printf("  onset (%lld, %lld] recovery (%lld, %lld]\n", (long long)p->outages[i].onset.lo,
               (long long)p->outages[i].onset.hi, (long long)p->outages[i].recovery.lo,
               (long long)p->outages[i].recovery.hi);
}

static bool meets(const struct span *s, int64_t lo, int64_t hi)
{
    return s->lo <= hi && s->hi >= lo;
}

static void outage_score(struct score *s, uint32_t trial, const struct analysis_probe *p,
                         const struct truth *t)
{
    if (t->starved) {
        s->unknown++;
        return;
    }
    s->outages++;
    s->p99[s->n_p99++] = p->baseline_p99_ns;
    if (p->n_outages == 0) {
        s->unseen++;
        if (p->missed_ns < t->up_lo - t->down_hi)
            wrong(s, trial, p, "not seen, and longer than what is said could be missed", t);
        return;
    }
    const struct analysis_outage *first = &p->outages[0], *last = &p->outages[p->n_outages - 1];
    bool conclusive = p->enough && last->recovered;
    for (size_t i = 0; i < p->n_outages; i++)
        conclusive = conclusive && !p->outages[i].gap_at_edge;
    s->inconclusive += !conclusive;
    if (!meets(&first->onset, t->down_lo, t->down_hi))
        wrong(s, trial, p, "the onset lies elsewhere", t);
    if (!meets(&last->recovery, t->up_lo, t->up_hi))
        wrong(s, trial, p, "the recovery lies elsewhere", t);
    if (conclusive)
        s->widths[s->n_widths++] = last->recovery.hi - last->recovery.lo;
}

static void score_print(size_t probe, struct score *s, bool quiet)
{
    if (s->outages == 0)
        return;
    int64_t width = s->n_widths != 0 ? stats_percentile(s->widths, s->n_widths, 50) : -1;
    int64_t p99 = s->n_p99 != 0 ? stats_percentile(s->p99, s->n_p99, 50) : -1;
    int64_t bound = rows[probe].every_ms * NS_PER_MS + p99;
    printf("figure: ground truth %-13s %-4s %soutages %3u wrong %u unseen %u inconclusive %u "
           "(%.1f %%) median width %.3f ms, one interval and p99 %.3f ms\n",
           rows[probe].name, rows[probe].kind, quiet ? "quiet " : "", s->outages, s->wrong,
           s->unseen, s->inconclusive, 100.0 * s->inconclusive / s->outages,
           (double)width / NS_PER_MS, (double)bound / NS_PER_MS);
    CU_ASSERT_EQUAL(s->wrong, 0);
    /* Bounds that hold everything would never be wrong either. */
    if (s->n_widths != 0)
        CU_ASSERT_TRUE(width <= 2 * bound);
    /* The jitter of the slots moves the median of n by so much; outages end in long intervals
     * rather than in short ones. */
    double jitter = 0.0067 + 3 * 0.102 / sqrt((double)s->n_widths);
    if (quiet && s->n_widths >= QUIET_OUTAGES / N_PROBES)
        CU_ASSERT_TRUE((double)(width - bound) <= jitter * rows[probe].every_ms * NS_PER_MS);
}

static void trials_score(const struct analysis *a, bool quiet)
{
    static struct score scores[N_PROBES];
    uint32_t outages = 0, inconclusive = 0, unknown = 0;
    memset(scores, 0, sizeof(scores));
    for (uint32_t trial = 0; trial < a->n_trials; trial++)
        for (size_t i = 0; i < N_PROBES && (!quiet || g.quiet[trial]); i++)
            outage_score(&scores[i], trial, &a->trials[trial].probes[i],
                         &g.truths[trial * N_PROBES + i]);
    for (size_t i = 0; i < N_PROBES; i++) {
        score_print(i, &scores[i], quiet);
        outages += scores[i].outages;
        inconclusive += scores[i].inconclusive;
        unknown += scores[i].unknown;
    }
    printf("figure: ground truth %s: %u outages, %.1f %% inconclusive\n",
           quiet ? "in quiet trials" : "in all", outages,
           outages != 0 ? 100.0 * inconclusive / outages : 0);
    if (unknown != 0)
        printf("note: %u outages are not known: their server was kept from running\n", unknown);
    if (!quiet)
        CU_ASSERT_TRUE(outages >= (uint32_t)(g.full ? TRIALS_FULL : TRIALS) * N_PROBES);
    bool judged = outages >= QUIET_OUTAGES;
    if (quiet && judged)
        CU_ASSERT_TRUE(inconclusive * 100 <= outages * 2);
    if (quiet && !judged)
        printf("note: the machine was not quiet: %u outages in quiet trials, %d are judged\n",
               outages, (int)QUIET_OUTAGES);
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void teardown(void)
{
    proberlink_close(g.client);
    (void)kill(g.reference_pid, SIGKILL);
    (void)waitpid(g.reference_pid, NULL, 0);
    (void)munmap(g.reference, sizeof(*g.reference));
    (void)waitpid(-1, NULL, WNOHANG);
    for (size_t i = 0; i < N_PROBES; i++) {
        truth_stop(&g.servers[i]);
        free((void *)(uintptr_t)g.probes[i].args);
    }
    event_base_free(g.base);
    if (getenv("KEEP") != NULL)
        printf("note: kept %s\n", g.dir);
    else
        CU_ASSERT_EQUAL(nftw(g.dir, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void test_the_truth_lies_within(void)
{
    struct err err = {.msg = ""};
    const char *full = getenv("BLACKSTART_FULL");
    g.full = full != NULL && strcmp(full, "yes") == 0;
    uint32_t wanted = (g.full ? TRIALS_FULL : TRIALS) * N_PROBES, known = 0;
    setup();
    for (uint32_t trial = 0; known < wanted && trial < 3 * wanted / N_PROBES; trial++)
        known += trial_run(trial);
    append("run.end", json_pack("{s:b}", "aborted", 0));
    journal_close(g.journal);
    CLEANUP_HISTORY struct history *h = NULL;
    CLEANUP_ANALYSIS struct analysis *a = NULL;
    if (history_load(g.dir, &h, &err) != 0 || analysis_make(&g.scenario, h, &a, &err) != 0)
        give_up(err.msg);
    trials_score(a, false);
    if (g.full)
        trials_score(a, true);
    uint64_t slots = g.reference->slots, lost = g.reference->lost;
    printf("figure: a loop of 1 ms beside it lost %.2f %% of its slots\n",
           slots != 0 ? 100.0 * (double)lost / (double)slots : 0);
    int64_t cpu = 0, sent = 0;
    for (size_t i = 0; i < h->n_trials; i++) {
        cpu += h->trials[i].cpu_ns;
        sent += h->trials[i].sent;
    }
    printf("figure: prober's CPU time %.1f us a probe over %lld probes\n",
           sent != 0 ? (double)cpu / (double)sent / 1e3 : 0, (long long)sent);
    teardown();
}

static const struct check_test tests[] = {
    {"the truth lies within", test_the_truth_lies_within},
};

CHECK_MAIN("ground truth", tests)
