/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large runs: makes a run of ten million samples (large_run.h) and lets the built program judge it
 * and write all its reports; how long that takes, how much memory, how large the files are. Smaller
 * runs say how the time grows with the number of samples. Beside the largest the way of version 1:
 * the same samples as records of 48 bytes, all of them held in memory and sorted. Both must come to
 * the same result, byte for byte.
 *
 * bench_large --make DIR SAMPLES TRIALS PROBES ENDPOINTS EVERY_MS makes such a run and nothing
 * else.
 */
#include "agents/faults/catalogue.h"
#include "analysis/analysis.h"
#include "bench/large_run.h"
#include "journal/history.h"
#include "journal/sha256.h"
#include "reports/report.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HTML_MAX = 2 << 20, PATHS = 128, SIZES = 3 };

/* Samples in all, trials, and the ms between a probe's slots. */
#define SHAPE(n, of, ms)                                                                           \
    {                                                                                              \
        .samples = (n), .trials = (of), .probes = 2, .endpoints = 3, .every_ns = (ms)*NS_PER_MS    \
    }

/* What a child process took. */
struct took {
    double wall, cpu, mib;
    int status;
};

static char top[64];

static int fail(const char *what, const struct err *err)
{
    (void)fprintf(stderr, "bench_large: %s: %s\n", what, err->msg);
    return 1;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* In a process of its own, whose memory alone counts. */
static struct took measure(int (*work)(const void *ctx), const void *ctx)
{
    struct took t = {.status = -1};
    struct rusage used;
    int64_t began = clock_system(CLOCK_MONOTONIC);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(work(ctx));
    if (pid < 0 || wait4(pid, &t.status, 0, &used) != pid)
        return t;
    t.wall = (double)(clock_system(CLOCK_MONOTONIC) - began) / 1e9;
    t.cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
    t.mib = (double)used.ru_maxrss / 1024;
    t.status = WIFEXITED(t.status) ? WEXITSTATUS(t.status) : 128;
    return t;
}

static int work_make(const void *ctx)
{
    return large_run_make(ctx) == 0 ? 0 : 1;
}

static int work_report(const void *dir)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDOUT_FILENO);
    (void)execl(BINARY_DIR "/blackstart", "blackstart", "report", "--store", "", (const char *)dir,
                (char *)NULL);
    return 127;
}

static off_t file_size(const char *dir, const char *name)
{
    char path[2 * PATHS];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static off_t samples_size(const char *dir)
{
    off_t all = 0, one;
    char name[32];
    for (unsigned i = 0;; i++) {
        (void)snprintf(name, sizeof(name), JOURNAL_SAMPLES_NAME, i);
        one = file_size(dir, name);
        if (one < 0)
            return all;
        all += one;
    }
}

static int file_read(const char *dir, const char *name, struct buf *ret, struct err *err)
{
    char path[2 * PATHS];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? buf_read_fd(ret, fd, err) : make_error(err, ERR_SYSTEM, errno, "%s", path);
}

/* One file of version 2 as the same file of version 1; its hash as the journal names it. */
static int file_convert(const char *from, const char *to, const char *name, char sha[SHA256_TEXT],
                        struct err *err)
{
    static const uint32_t words[] = {sizeof(struct sample), 0x01020304};
    CLEANUP_HISTORY struct history *h = NULL;
    CLEANUP_SHA256 struct sha256 *hash = NULL;
    CLEANUP_BUF struct buf b = BUF_INIT(JOURNAL_SAMPLE_FILE_MAX);
    char path[2 * PATHS];
    (void)snprintf(path, sizeof(path), "%s/%s", from, name);
    if (history_load_file(path, &h, err, err) != 0)
        return -1;
    buf_add(&b, "BSTSAMP1", 8);
    buf_add(&b, words, sizeof(words));
    for (size_t p = 0; p < h->n_probes_seen; p++) {
        CLEANUP_FREE struct sample *list = NULL;
        size_t n = 0;
        if (history_samples_of(h, &h->trials[0], p, &list, &n, err) != 0)
            return -1;
        buf_add(&b, list, n * sizeof(*list));
    }
    if (!buf_ok(&b) || sha256_begin(&hash, err) != 0 || sha256_add(hash, b.data, b.len, err) != 0 ||
        sha256_end(hash, sha, err) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/%s", to, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, b.data, b.len) != (ssize_t)b.len)
        return make_error(err, ERR_SYSTEM, errno, "%s", path);
    return 0;
}

/* A journal's line for the run of version 1: only its files have other hashes. */
static int line_convert(const char *from, const char *to, const char *text, size_t len, FILE *out,
                        struct err *err)
{
    json_t *line = json_loadb(text, len, 0, NULL);
    char sha[SHA256_TEXT];
    int r = 0;
    if (strcmp(json_string_value(json_object_get(line, "ev")), "samples") == 0) {
        r = file_convert(from, to, json_string_value(json_object_get(line, "file")), sha, err);
        (void)json_object_set_new(line, "sha256", json_string(sha));
    }
    if (r == 0 && (json_dumpf(line, out, JSON_COMPACT) != 0 || putc('\n', out) == EOF))
        r = make_error(err, ERR_SYSTEM, errno, "write");
    json_decref(line);
    return r;
}

struct conversion {
    const char *from, *to;
};

static int work_convert(const void *ctx)
{
    const struct conversion *c = ctx;
    CLEANUP_BUF struct buf journal = BUF_INIT(JOURNAL_MAX);
    struct err err;
    char path[2 * PATHS];
    (void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, c->to);
    if (mkdir(c->to, 0755) != 0 || file_read(c->from, JOURNAL_FILE, &journal, &err) != 0)
        return 1;
    CLEANUP_FILE FILE *out = fopen(path, "we");
    for (const char *at = journal.data, *end; out != NULL && *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        if (line_convert(c->from, c->to, at, (size_t)(end - at), out, &err) != 0)
            return fail("version 1", &err);
    }
    return out != NULL ? 0 : 1;
}

/* All samples of a run as one array, as version 1 had them before it did anything else. */
static int samples_gather(const struct history *h, struct sample **ret, size_t *ret_n,
                          struct err *err)
{
    *ret_n = 0;
    for (size_t t = 0; t < h->n_trials; t++)
        for (size_t p = 0; p < h->n_probes_seen; p++) {
            CLEANUP_FREE struct sample *list = NULL;
            size_t n = 0;
            if (history_samples_of(h, &h->trials[t], p, &list, &n, err) != 0)
                return -1;
            struct sample *more = realloc(*ret, (*ret_n + n + 1) * sizeof(*more));
            if (more == NULL)
                return make_error(err, ERR_SYSTEM, ENOMEM, "samples");
            memcpy(more + *ret_n, list, n * sizeof(*more));
            *ret = more;
            *ret_n += n;
        }
    return 0;
}

/* The way of version 1: everything in memory; its result into a file beside the run. */
static int work_in_memory(const void *ctx)
{
    const char *dir = ctx;
    struct err err;
    struct problems problems = {0};
    CLEANUP_HISTORY struct history *h = NULL, *whole = NULL;
    CLEANUP_ANALYSIS struct analysis *a = NULL;
    CLEANUP_FREE struct sample *list = NULL;
    CLEANUP_BUF struct buf journal = BUF_INIT(JOURNAL_MAX), out = BUF_INIT(REPORT_MAX);
    struct scenario *s = NULL;
    size_t n = 0;
    if (history_load(dir, &h, &err) != 0 || file_read(dir, JOURNAL_FILE, &journal, &err) != 0 ||
        samples_gather(h, &list, &n, &err) != 0 ||
        history_parse(journal.data, journal.len, list, n, &whole, &err) != 0 ||
        scenario_parse_whole(h->file, h->text, strlen(h->text), NULL, 0, &fault_catalogue, NULL, 0,
                             &s, &problems, &err) != 0 ||
        analysis_make(s, whole, &a, &err) != 0)
        return fail("in memory", &err);
    const struct report report = {.scenario = s, .history = whole, .analysis = a, .dir = dir};
    char path[2 * PATHS];
    (void)snprintf(path, sizeof(path), "%s/in-memory.json", dir);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (report_render_json(&report, &out, &err) != 0 ||
        write(fd, buf_text(&out), out.len) != (ssize_t)out.len)
        return fail("in memory", &err);
    scenario_free(s);
    problems_free(&problems);
    return 0;
}

static bool is_same(const char *dir_a, const char *a, const char *dir_b, const char *b)
{
    CLEANUP_BUF struct buf left = BUF_INIT(REPORT_MAX), right = BUF_INIT(REPORT_MAX);
    struct err err;
    return file_read(dir_a, a, &left, &err) == 0 && file_read(dir_b, b, &right, &err) == 0 &&
           left.len == right.len && left.len != 0 && memcmp(left.data, right.data, left.len) == 0;
}

static int entry_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int check(bool holds, const char *what)
{
    if (!holds)
        (void)fprintf(stderr, "bench_large: %s\n", what);
    return holds ? 0 : 1;
}

static void figures_print(const struct large_run *l, off_t size, const struct took *make,
                          const struct took *report)
{
    printf("figure: %llu samples, %u %s, %u probes, %u endpoints: written in %.1f s of CPU, %.2f "
           "bytes a sample (48 as records)\n",
           (unsigned long long)l->samples, l->trials, l->trials == 1 ? "trial" : "trials",
           l->probes, l->endpoints, make->cpu, (double)size / (double)l->samples);
    printf("figure: judged, and all reports written, in %.1f s (%.1f s of CPU) with %.0f MiB of "
           "memory; the samples' records are %.0f MiB; report.html has %.0f KiB\n",
           report->wall, report->cpu, report->mib, (double)l->samples * 48 / (1 << 20),
           (double)file_size(l->dir, "report.html") / 1024);
}

/* Some of the time is there for any run (a process begins, nine files are flushed): what comes with
 * each million samples is told between neighbours of the series, too. By processor time, which a
 * busy machine stretches less. */
static void series_print(const struct large_run *l, const struct took t[SIZES])
{
    for (int i = 0; i < SIZES; i++) {
        printf("figure: report of %.2f million samples: %.2f s, %.2f s of CPU (%.2f a million), "
               "%.0f MiB",
               (double)l[i].samples / 1e6, t[i].wall, t[i].cpu,
               t[i].cpu / ((double)l[i].samples / 1e6), t[i].mib);
        if (i > 0)
            printf("; each million more than before: %.2f s of CPU",
                   (t[i].cpu - t[i - 1].cpu) / ((double)(l[i].samples - l[i - 1].samples) / 1e6));
        printf("\n");
    }
}

/* The same run as version 1 had it. */
static int compare_version_1(const struct large_run *l, off_t size, const struct took *report)
{
    char old[PATHS];
    (void)snprintf(old, sizeof(old), "%s/old", top);
    const struct conversion c = {l->dir, old};
    if (measure(work_convert, &c).status != 0)
        return check(false, "the run cannot be made as version 1 had it");
    struct took read = measure(work_report, old);
    struct took memory = measure(work_in_memory, old);
    off_t size_1 = samples_size(old);
    printf("figure: as version 1 had it: files %.0f times as large, %.0f MiB of memory (%.0f times "
           "as much), %.1f s of CPU for the judging alone\n",
           (double)size_1 / (double)size, memory.mib, memory.mib / report->mib, memory.cpu);
    return check(read.status == 0 && memory.status == 0, "a run of version 1 is not judged") +
           check(is_same(l->dir, "result.json", old, "result.json"),
                 "a run of version 1 has another result") +
           check(is_same(l->dir, "result.json", old, "in-memory.json"),
                 "with all samples in memory the result is another");
}

static int run_shape(const struct large_run *shape, bool compare, struct took *ret)
{
    struct large_run l = *shape;
    char dir[PATHS];
    (void)snprintf(dir, sizeof(dir), "%s/run", top);
    l.dir = dir;
    if (mkdir(dir, 0755) != 0)
        return check(false, "no directory for the run");
    struct took make = measure(work_make, &l);
    struct took report = make.status == 0 ? measure(work_report, dir) : make;
    off_t size = samples_size(dir);
    *ret = report;
    figures_print(&l, size, &make, &report);
    uint64_t whole = (uint64_t)l.samples / l.endpoints / l.trials;
    double slots = (double)whole;
    int failed = check(make.status == 0 && report.status == 0, "the run is not judged as passed") +
                 check((double)size < 4.0 * (double)l.samples, "four bytes a sample or more") +
                 check(report.mib < 32 + 2 * slots * 56 / (1 << 20), "too much memory") +
                 check(file_size(dir, "report.html") < HTML_MAX, "report.html: 2 MiB or more");
    if (compare && failed == 0)
        failed += compare_version_1(&l, size, &report);
    (void)nftw(top, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    (void)mkdir(top, 0755);
    return failed;
}

/* Three sizes, the last of which is compared with version 1, too. */
static int run_series(const struct large_run l[SIZES])
{
    struct took t[SIZES];
    int failed = 0;
    for (int i = 0; i < SIZES; i++)
        failed += run_shape(&l[i], i == SIZES - 1, &t[i]);
    series_print(l, t);
    return failed;
}

static int make_only(char **argv)
{
    uint64_t n[5];
    for (size_t i = 0; i < 5; i++)
        n[i] = strtoull(argv[i + 1], NULL, 10);
    struct large_run l = {.dir = argv[0],
                          .samples = n[0],
                          .trials = (uint32_t)n[1],
                          .probes = (uint32_t)n[2],
                          .endpoints = (uint32_t)n[3],
                          .every_ns = (int64_t)n[4] * NS_PER_MS};
    if (l.trials == 0 || l.probes == 0 || l.endpoints == 0 || l.every_ns == 0)
        return 2;
    (void)mkdir(l.dir, 0755);
    return large_run_make(&l) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct large_run quick[SIZES] = {SHAPE(30000, 1, 5), SHAPE(100000, 1, 5),
                                                  SHAPE(300000, 3, 5)};
    static const struct large_run many[SIZES] = {SHAPE(100000, 1, 5), SHAPE(1000000, 5, 5),
                                                 SHAPE(10000000, 50, 5)};
    static const struct large_run one = SHAPE(10000000, 1, 2);
    struct took took;
    if (argc == 8 && strcmp(argv[1], "--make") == 0)
        return make_only(argv + 2);
    (void)snprintf(top, sizeof(top), "/tmp/blackstart-bench-large-XXXXXX");
    if (mkdtemp(top) == NULL)
        return 1;
    bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
    int failed = is_short ? run_series(quick) : run_series(many) + run_shape(&one, false, &took);
    (void)rmdir(top);
    return failed != 0;
}
