/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far off the length of an outage is that Blackstart measures, and the length that people
 * measure otherwise: outages of about 2 s of a small server that tells when it went down and when
 * it came back, refused, dropped without a word, and hung (accepted, never answered). Each is of
 * another length, 1.5 to 2.5 s: one of a whole number of intervals would come out right by chance.
 * All tools ask that server at the same time, at the same interval, 100 ms, with the same time-out,
 * 1 s, as they are commonly used:
 *
 * - a shell's loop of curl and a pause: from the first failure to the first success, the time taken
 *   behind each request, and, as a careful author would, before it;
 * - blackbox_exporter: from the first scrape whose probe_success is 0 to the next that is 1, by the
 *   times at which they began. Also with a scrape each second; Prometheus' usual is 15 s, which
 *   sees one sample of 2 s or, six times of seven, none, and is not measured;
 * - hey: the longest gap between the beginnings of requests that succeeded.
 *
 * Blackstart's figure is the full-outage time of its reports, an interval; its error is that of the
 * middle. Not measured: Chaos Toolkit, of which Debian has no package that a lab could unpack.
 * Everything is in namespaces of this program, which end with it. `--short` takes one outage of
 * each kind and ends within 25 s once the packages are in the cache, `--outages N` takes N,
 * otherwise five.
 */
#include "draw.h"
#include "lab/truth.h"
#include "lab/truth_run.h"
#include "outage_tools.h"

#include "analysis/stats.h"
#include "lab/scratch.h"

#include <sys/resource.h>

enum {
    BASE_PORT = 9400,
    KINDS = 3,
    OUTAGES_MAX = 50,
    TRIALS_MAX = 2 * KINDS * OUTAGES_MAX,
    EVERY_MS = 100,
    TIMEOUT_MS = 1000,
    LEAD_MS = 1000,
    PHASE_MS = 1000,
    SHORTEST_MS = 1500,
    LONGER_MS = 1000,
    TAIL_MS = 2000,
    FETCH_S = 60,
    FETCH_SHORT_S = 20
};

static const struct outage_kind {
    const char *name;
    enum truth_how how;
} kinds[KINDS] = {{"refused", TRUTH_REFUSED}, {"dropped", TRUTH_DROPPED}, {"hung", TRUTH_HUNG}};

static struct trial {
    size_t kind;
    struct truth truth;
    int64_t lengths[METHODS]; /* -1: saw none */
} trials[TRIALS_MAX];
static size_t n_trials;

static struct truth_run run;
static struct truth_server servers[KINDS];
static struct scenario_probe probes[KINDS];
static char dir[64];
static pid_t worker;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_outage: %s: %s\n", what, why);
    exit(1);
}

static void must(int rc, const struct err *err)
{
    if (rc != 0)
        die("it cannot go on", err->msg);
}

static void kind_start(size_t i)
{
    static const struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    struct err err = {.msg = ""};
    uint16_t port = (uint16_t)(BASE_PORT + i);
    probes[i] = (struct scenario_probe){.name = kinds[i].name,
                                        .kind = probe_kind_find("http"),
                                        .every = {EVERY_MS * NS_PER_MS},
                                        .timeout = {TIMEOUT_MS * NS_PER_MS},
                                        .fresh = true,
                                        .weight = 1};
    char url[64];
    (void)snprintf(url, sizeof(url), "http://${host.ip}:%u/", port);
    if (!truth_start(&servers[i], "127.0.0.1", port, kinds[i].how))
        die("server", strerror(errno));
    must(truth_run_probe(&run, i, json_pack("{s:s}", "url", url), &at, 1, &err), &err);
}

/* One trial's tools. */
struct beside {
    struct tool curl, scrape, scrape_second, hey;
};

static void beside_start(struct beside *b, uint16_t port, int64_t for_ns)
{
    char url[64], duration[32];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    (void)snprintf(duration, sizeof(duration), "%.3fs", (double)for_ns / 1e9);
    const char *curl[] = {"/bin/sh", "-c", curl_loop, url, NULL};
    const char *hey[] = {tools.hey, "-z",  duration, "-c", "1",
                         "-q",      "10",  "-t",     "1",  "-disable-keepalive",
                         "-o",      "csv", url,      NULL};
    const struct scrape often = {.every_ns = EVERY_MS * NS_PER_MS, .port = port},
                        seldom = {.every_ns = NS_PER_SEC, .port = port, .as_prometheus = true};
    *b = (struct beside){.curl = {.pid = 0}};
    if (tools.curl)
        b->curl = tool_start(curl, NULL, NULL);
    if (tools.exporter[0] != '\0') {
        b->scrape = tool_start(NULL, scrape_run, &often);
        b->scrape_second = tool_start(NULL, scrape_run, &seldom);
    }
    if (tools.hey[0] != '\0')
        b->hey = tool_start(hey, NULL, NULL);
}

static void beside_end(struct beside *b, int64_t *lengths)
{
    CLEANUP_BUF struct buf curl = BUF_INIT(TOOL_OUTPUT_MAX), scrape = BUF_INIT(TOOL_OUTPUT_MAX),
                           second = BUF_INIT(TOOL_OUTPUT_MAX), hey = BUF_INIT(TOOL_OUTPUT_MAX);
    tool_end(&b->curl, 0, &curl);
    tool_end(&b->scrape, 0, &scrape);
    tool_end(&b->scrape_second, 0, &second);
    tool_end(&b->hey, 3000, &hey);
    for (size_t m = 0; m < METHODS; m++)
        lengths[m] = -1;
    curl_read(buf_text(&curl), lengths);
    lengths[EXPORTER] = scrape_read(buf_text(&scrape));
    lengths[EXPORTER_SECOND] = scrape_read(buf_text(&second));
    lengths[HEY] = hey_read(buf_text(&hey));
}

/* Whether the outage is known: its server was not kept from running. */
static bool trial_run(size_t kind)
{
    struct err err = {.msg = ""};
    struct beside beside;
    struct trial *t = &trials[n_trials];
    int64_t lead = LEAD_MS * NS_PER_MS + draw(PHASE_MS * NS_PER_MS);
    int64_t length = SHORTEST_MS * NS_PER_MS + draw(LONGER_MS * NS_PER_MS);
    int64_t whole = lead + length + TAIL_MS * NS_PER_MS;
    t->kind = kind;
    must(truth_run_begin(&run, (uint32_t)n_trials++, &err), &err);
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    const struct truth_order order = {
        .down_ns = begin + lead, .up_ns = begin + lead + length, .dips = 1};
    beside_start(&beside, (uint16_t)(BASE_PORT + kind), whole);
    truth_run_loop(&run, LEAD_MS * NS_PER_MS / 2);
    must(truth_run_inject(&run, &err), &err);
    if (!truth_ask(&servers[kind], &order))
        die("server", "it does not listen");
    truth_run_loop(&run, begin + whole - clock_system(CLOCK_MONOTONIC));
    /* Before the tools are ended: who leaves unanswered then is no user whom it kept waiting. */
    if (!truth_take(&servers[kind], &t->truth) || t->truth.failed)
        die("server", "it did not do as it was told");
    beside_end(&beside, t->lengths);
    must(truth_run_end(&run, &err), &err);
    return !t->truth.starved;
}

/* Of one way of measuring, over the outages of a kind or of all. */
struct figure {
    int64_t errors[TRIALS_MAX], widths[TRIALS_MAX]; /* widths: only of Blackstart's */
    size_t n, unseen, held, inconclusive;
    double median_ms, worst_ms, half_ms;
};

static void figure_add(struct figure *f, int64_t length, int64_t truth)
{
    if (length >= 0)
        f->errors[f->n++] = length > truth ? length - truth : truth - length;
    else
        f->unseen++;
}

static void ours_add(struct figure *f, const struct analysis_probe *p, const struct truth *t)
{
    const struct span *s = &p->lost;
    bool seen = p->n_outages != 0 && s->hi != SPAN_OPEN;
    if (seen) {
        f->widths[f->n] = s->hi - s->lo;
        f->held += s->lo <= t->up_hi - t->down_lo && s->hi >= t->up_lo - t->down_hi;
        f->inconclusive += !p->enough || p->outages[0].gap_at_edge;
    }
    figure_add(f, seen ? (s->lo + s->hi) / 2 : -1,
               (t->up_lo + t->up_hi - t->down_lo - t->down_hi) / 2);
}

static bool figure_sum(struct figure *f)
{
    if (f->n == 0)
        return false;
    f->median_ms = (double)stats_percentile(f->errors, f->n, 50) / 1e6;
    f->worst_ms = (double)stats_percentile(f->errors, f->n, 100) / 1e6;
    f->half_ms = (double)stats_percentile(f->widths, f->n, 50) / 2e6;
    return true;
}

/* A row of the table; ours == f: it is Blackstart's own. */
static void figure_print(const char *name, struct figure *f, const struct figure *ours)
{
    if (f->n + f->unseen == 0)
        return;
    if (!figure_sum(f)) {
        printf("  %-27s it saw none of %zu\n", name, f->unseen);
        return;
    }
    printf("  %-27s %7.1f ms %7.1f ms", name, f->median_ms, f->worst_ms);
    if (f == ours)
        printf("   %5.1f ms to either side, and the truth within: %zu of %zu", f->half_ms, f->held,
               f->n);
    else if (ours->n == 0)
        printf("   none");
    else
        printf("   none %11.2f %9.1f", f->median_ms / ours->half_ms,
               f->median_ms / ours->median_ms);
    if (f->inconclusive != 0)
        printf("; %zu inconclusive", f->inconclusive);
    if (f->unseen != 0)
        printf("; %zu not seen", f->unseen);
    printf("\n");
}

/* kind: KINDS stands for all. */
static void kind_print(const struct analysis *a, size_t kind)
{
    static struct figure ours, figures[METHODS];
    int64_t known_to = 0;
    size_t n = 0, unknown = 0;
    memset(&ours, 0, sizeof(ours));
    memset(figures, 0, sizeof(figures));
    for (size_t i = 0; i < n_trials; i++) {
        const struct trial *t = &trials[i];
        const struct truth *truth = &t->truth;
        int64_t least = truth->up_lo - truth->down_hi, most = truth->up_hi - truth->down_lo;
        if (kind != KINDS && kind != t->kind)
            continue;
        unknown += truth->starved;
        if (truth->starved)
            continue;
        n++;
        known_to = longer(most - least, known_to);
        ours_add(&ours, &a->trials[i].probes[t->kind], truth);
        for (size_t m = 0; m < METHODS; m++)
            if (method_runs((enum method)m))
                figure_add(&figures[m], t->lengths[m], (least + most) / 2);
    }
    printf("%s: %zu outage%s, known to %.3f ms", kind == KINDS ? "all" : kinds[kind].name, n,
           n == 1 ? "" : "s", (double)known_to / 1e6);
    if (unknown != 0)
        printf("; of %zu more nobody knows: their server was kept from running", unknown);
    printf("\n  %-27s %10s %10s   bounds   of the half,  of the error of Blackstart\n",
           "error:", "median", "worst");
    figure_print("Blackstart", &ours, &ours);
    for (size_t m = 0; m < METHODS; m++)
        figure_print(method_names[m], &figures[m], &ours);
}

/* In namespaces of its own, as their first process: all that it starts ends with it. */
static int measure(size_t outages)
{
    struct err err = {.msg = ""};
    double load[1] = {0};
    size_t again = outages; /* for those that nobody knows, so that it ends */
    CLEANUP_HISTORY struct history *h = NULL;
    CLEANUP_ANALYSIS struct analysis *a = NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    tools_fetch(outages > 1 ? FETCH_S : FETCH_SHORT_S);
    must(own_network(&err), &err);
    draw_state = (uint64_t)clock_system(CLOCK_MONOTONIC) | 1;
    must(truth_run_open(&run, dir, draw_bits(), probes, KINDS, &err), &err);
    for (size_t i = 0; i < KINDS; i++)
        kind_start(i);
    exporter_start(dir, BASE_PORT);
    for (size_t i = 0; i < outages; i++)
        for (size_t kind = 0; kind < KINDS; kind++)
            if (!trial_run(kind) && again > 0) {
                again--;
                (void)trial_run(kind);
            }
    exporter_end();
    must(truth_run_analyse(&run, dir, &h, &a, &err), &err);
    (void)getloadavg(load, 1);
    printf(
        "outages of %.1f to %.1f s, asked each %d ms, time-outs of %d ms; the machine's load was "
        "%.1f on %ld processors\n",
        SHORTEST_MS / 1e3, (SHORTEST_MS + LONGER_MS) / 1e3, EVERY_MS, TIMEOUT_MS, load[0],
        sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t kind = 0; kind <= KINDS; kind++)
        if (kind < KINDS || outages > 1)
            kind_print(a, kind);
    truth_run_close(&run);
    for (size_t i = 0; i < KINDS; i++)
        if (!truth_stop(&servers[i]))
            die("server", "it did not end");
    return 0;
}

static void on_signal(int number)
{
    (void)number;
    if (worker > 0)
        (void)kill(worker, SIGKILL);
}

static size_t outages_asked(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--outages") == 0) {
        long n = strtol(argv[2], NULL, 10);
        return n < 1 ? 1 : n > OUTAGES_MAX ? OUTAGES_MAX : (size_t)n;
    }
    return argc > 1 && strcmp(argv[1], "--short") == 0 ? 1 : 5;
}

int main(int argc, char **argv)
{
    struct err err = {.msg = ""};
    const struct sigaction end = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    size_t outages = outages_asked(argc, argv);
    int status = 1;
    scratch_name(dir, sizeof(dir), "/tmp", "outage");
    if (unshare(CLONE_NEWPID) != 0)
        die("a pid namespace", strerror(errno));
    worker = fork();
    if (worker == 0) {
        int rc = measure(outages);
        (void)fflush(stdout);
        _exit(rc);
    }
    for (size_t i = 0; i < 4; i++)
        (void)sigaction((const int[]){SIGINT, SIGTERM, SIGHUP, SIGALRM}[i], &end, NULL);
    (void)alarm((unsigned)(FETCH_S + 30 + outages * KINDS * 16));
    if (worker < 0 || waitpid(worker, &status, 0) != worker)
        status = 1;
    (void)!tree_remove(dir, &err);
    return status != 0;
}
