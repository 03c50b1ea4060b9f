/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many probes a second the prober's own loop and kinds can send on one processor, and the
 * processor time each takes, beside wrk on the same processor against the same server, which does
 * nothing but answer, on another one where there are two. Both keep their connections, or make a
 * new one for each request; in turns, several rounds. Then what a probe takes at a thousand a
 * second, and how late it goes out. wrk is Debian's, unpacked as a lab's packages are; without it
 * the rest is measured. `--short` ends in 8 s, but for the first time, when wrk is fetched.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "bench/answer_server.h"
#include "lab/layer.h"
#include "prober/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECTIONS = 32, RATE = 1000, ROUNDS_MAX = 9 };
/* A first guess of what it can do; then a quarter more than it did, or less, where it left out
 * more than a tenth: behind its schedule it makes more connections than wrk does. */
#define GUESS 60000.0
#define MORE  1.25
#define LESS  0.9

/* One way of asking; kind NULL: wrk. */
struct way {
    const char *name, *kind;
    bool fresh;
};
static const struct way ways[] = {
    {"http kept", "http", false}, {"tcp kept", "tcp", false}, {"wrk kept", NULL, false},
    {"http fresh", "http", true}, {"tcp fresh", "tcp", true}, {"wrk fresh", NULL, true},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), KINDS_EACH = WAYS / 2 };

/* A second; processor time of each; the asker's part of the processor; opened meanwhile. */
enum figure { A_SECOND, CPU_US, SHARE, CONNECTED, FIGURES };

struct figures {
    double of[FIGURES];
    uint64_t good, bad, gaps;
    bool known;
    struct histogram late;
};

/* What server and asker tell. */
static struct told {
    struct answer_counts counts;
    bool first; /* the asker has the priority of a run's prober */
} * told;

static uint16_t port;
static cpu_set_t asker_on, server_on;
static char wrk_layer[PATH_MAX];

static void die(const char *what)
{
    fprintf(stderr, "bench_probes: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A child that dies with us, on one processor. */
static pid_t child(const cpu_set_t *on)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        (void)sched_setaffinity(0, sizeof(*on), on);
    }
    return pid;
}

/* Gives it as many milliseconds to end by itself. */
static void child_end(pid_t pid, int ms)
{
    while (ms-- > 0 && waitpid(pid, NULL, WNOHANG) == 0)
        (void)usleep(1000);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* The prober's own code, as its process has it: loop, null server, kinds. */

static void *args_make(const struct probe_kind *kind, bool http)
{
    struct err err;
    char url[64];
    void *args = calloc(1, kind->args_size);
    (void)snprintf(url, sizeof(url), "http://${host}:%u/", port);
    json_t *object = http ? json_pack("{s:s}", "url", url)
                          : json_pack("{s:i, s:s}", "port", (int)port, "send",
                                      "GET / HTTP/1.1\r\nHost: n\r\n\r\n");
    if (args == NULL ||
        params_decode(kind->params, kind->n_params, object, args, kind->args_size, &err) != 0)
        die("its parameters");
    json_decref(object);
    return args;
}

static _Noreturn void probe(const struct way *w, size_t n_targets, double rate, int samples_fd)
{
    static struct prober_target targets[CONNECTIONS];
    struct prober *p = NULL;
    struct err err = {.msg = ""};
    for (size_t i = 0; i < n_targets; i++) {
        (void)snprintf(targets[i].name, sizeof(targets[i].name), "n%zu", i);
        (void)snprintf(targets[i].ip, sizeof(targets[i].ip), "127.0.0.1");
    }
    const struct probe_kind *kind = probe_kind_find(w->kind);
    const struct prober_probe_spec spec = {.kind = kind,
                                           .args = args_make(kind, strcmp(w->kind, "http") == 0),
                                           .every_ns = (int64_t)((double)n_targets * 1e9 / rate),
                                           .timeout_ns = NS_PER_SEC,
                                           .fresh = w->fresh,
                                           .targets = targets,
                                           .n_targets = n_targets};
    if (prober_new(samples_fd, &p, &err) == 0 && prober_null_open(p, &err) == 0 &&
        prober_add(p, &spec, &err) == 0) {
        prober_configure(p, prober_now(), 1);
        if (prober_start(p, 0, &err) == 0 && prober_run(p, &err) == 0) {
            prober_free(p);
            _exit(0); /* nobody reads its samples any more */
        }
    }
    fprintf(stderr, "bench_probes: %s\n", err.msg);
    _exit(1);
}

static _Noreturn void wrk(bool fresh, int out)
{
    char url[64], path[PATH_MAX + 16], libraries[2 * PATH_MAX + 64], connections[16];
    struct utsname machine;
    const char *argv[12] = {"wrk", "-t1", "-c", connections, "-d", "600", url, NULL};
    if (fresh) {
        argv[7] = "-H";
        argv[8] = "Connection: close";
    }
    (void)uname(&machine);
    (void)snprintf(connections, sizeof(connections), "%d", CONNECTIONS);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    (void)snprintf(path, sizeof(path), "%s/usr/bin/wrk", wrk_layer);
    (void)snprintf(libraries, sizeof(libraries), "%s/usr/lib/%s-linux-gnu", wrk_layer,
                   machine.machine);
    (void)setenv("LD_LIBRARY_PATH", libraries, 1);
    if (dup2(out, 1) == 1 && dup2(out, 2) == 2)
        (void)execv(path, (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Measuring, from outside and alike for both. */

struct asker {
    pid_t pid;
    clockid_t cpu;
    int fd;
    struct buf text; /* what wrk says */
    size_t cut;      /* bytes in chunk: the beginning of a sample */
    char chunk[256 * sizeof(struct sample)];
};

static void samples_take(struct asker *a, struct figures *f)
{
    size_t n = a->cut / sizeof(struct sample);
    for (size_t i = 0; i < n; i++) {
        struct sample s;
        memcpy(&s, a->chunk + i * sizeof(s), sizeof(s));
        f->good += s.result == SAMPLE_GOOD;
        f->gaps += s.result == SAMPLE_GAP;
        f->bad += s.result != SAMPLE_GOOD && s.result != SAMPLE_GAP;
        if (s.result != SAMPLE_GAP)
            histogram_add(&f->late, s.sent_ns - s.due_ns);
    }
    a->cut -= n * sizeof(struct sample);
    memmove(a->chunk, a->chunk + n * sizeof(struct sample), a->cut);
}

/* What it writes until then; false: it has ended. */
static bool drain(struct asker *a, const struct way *w, int64_t until, struct figures *f)
{
    struct pollfd p = {.fd = a->fd, .events = POLLIN};
    for (int64_t left; (left = until - prober_now()) > 0;) {
        const struct timespec wait = clock_timespec(left);
        if (ppoll(&p, 1, &wait, NULL) <= 0)
            continue;
        ssize_t n = read(a->fd, a->chunk + a->cut, sizeof(a->chunk) - a->cut);
        if (n <= 0)
            return false;
        if (w->kind == NULL) {
            buf_add(&a->text, a->chunk, (size_t)n);
            continue;
        }
        a->cut += (size_t)n;
        samples_take(a, f);
    }
    return true;
}

/* Attempts that hang hold a descriptor each, at both ends. */
static void files_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void asker_start(struct asker *a, const struct way *w, size_t n_targets, double rate)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    *a = (struct asker){.fd = ends[0], .text = BUF_INIT(1 << 16)};
    a->pid = child(&asker_on);
    if (a->pid == 0) {
        const struct sched_param first = {.sched_priority = 1};
        (void)close(ends[0]);
        if (n_targets == 1)
            told->first = sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) == 0;
        if (w->kind == NULL)
            wrk(w->fresh, ends[1]);
        probe(w, n_targets, rate, ends[1]);
    }
    (void)close(ends[1]);
    if (clock_getcpuclockid(a->pid, &a->cpu) != 0)
        die("the clock of its processor time");
}

struct instant {
    int64_t at, cpu;
    uint64_t answered, accepted;
};
static struct instant instant_read(const struct asker *a)
{
    return (struct instant){.at = prober_now(),
                            .cpu = clock_system(a->cpu),
                            .answered = __atomic_load_n(&told->counts.answered, __ATOMIC_RELAXED),
                            .accepted = __atomic_load_n(&told->counts.accepted, __ATOMIC_RELAXED)};
}

static struct figures measure(const struct way *w, size_t n_targets, double rate, double seconds)
{
    struct figures f = {.known = false};
    struct asker *a = malloc(sizeof(*a));
    uint64_t from = told->counts.answered;
    if (a == NULL)
        die("memory");
    asker_start(a, w, n_targets, rate);
    bool lives = true;
    for (int64_t until = prober_now() + 5 * NS_PER_SEC;
         lives && prober_now() < until &&
         __atomic_load_n(&told->counts.answered, __ATOMIC_RELAXED) == from;)
        lives = drain(a, w, prober_now() + NS_PER_MS, &f);
    lives = lives && drain(a, w, prober_now() + 40 * NS_PER_MS, &f);
    const struct instant begin = instant_read(a);
    lives = lives && drain(a, w, prober_now() + (int64_t)(seconds * 1e9), &f);
    const struct instant end = instant_read(a);
    double took = (double)(end.at - begin.at) / 1e9, cpu = (double)(end.cpu - begin.cpu) / 1e9,
           n = (double)(end.answered - begin.answered);
    if (w->kind == NULL && lives) { /* what it says of errors */
        (void)kill(a->pid, SIGINT);
        (void)drain(a, w, prober_now() + NS_PER_SEC, &f);
        f.bad = strstr(buf_text(&a->text), "Socket errors") != NULL ||
                strstr(buf_text(&a->text), "Non-2xx") != NULL;
    }
    f.known = lives && n > 0;
    f.of[A_SECOND] = n / took;
    f.of[CPU_US] = cpu * 1e6 / n;
    f.of[SHARE] = cpu / took;
    f.of[CONNECTED] = (double)(end.accepted - begin.accepted);
    (void)close(a->fd);
    child_end(a->pid, w->kind != NULL ? 1000 : 0);
    buf_free(&a->text);
    free(a);
    return f;
}

static struct figures rounds[WAYS][ROUNDS_MAX];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of a way over the rounds in which it is known, divided by that of `beside` unless it is the same:
 * ret has the least, the median and the most. */
static size_t summarise(size_t way, size_t beside, enum figure which, double ret[3])
{
    double list[ROUNDS_MAX] = {0};
    size_t n = 0;
    for (size_t i = 0; i < ROUNDS_MAX; i++)
        if (rounds[way][i].known && rounds[beside][i].known)
            list[n++] =
                rounds[way][i].of[which] / (way != beside ? rounds[beside][i].of[which] : 1);
    qsort(list, n, sizeof(*list), compare);
    ret[0] = list[0];
    ret[1] = n != 0 ? (list[(n - 1) / 2] + list[n / 2]) / 2 : 0;
    ret[2] = n != 0 ? list[n - 1] : 0;
    return n;
}

static void print_way(size_t i)
{
    uint64_t bad = 0;
    double rate[3], cpu[3], share[3], made[3];
    if (summarise(i, i, A_SECOND, rate) == 0)
        return;
    (void)summarise(i, i, CPU_US, cpu);
    (void)summarise(i, i, SHARE, share);
    (void)summarise(i, i, CONNECTED, made);
    for (size_t k = 0; k < ROUNDS_MAX; k++)
        bad += rounds[i][k].bad;
    printf("%-11s %7.0f a second with %3.0f %% of a processor; %5.1f us of it each, so %6.0f a "
           "second on a whole one; %.0f connections made; %llu bad\n",
           ways[i].name, rate[1], 100 * share[1], cpu[1], 1e6 / cpu[1], made[1],
           (unsigned long long)bad);
}

/* Not of the rates that were seen: whoever else runs here takes his part of the processor. */
static void print_ratio(size_t i)
{
    double cpu[3];
    size_t wrk_way = i / KINDS_EACH * KINDS_EACH + KINDS_EACH - 1,
           n = summarise(i, wrk_way, CPU_US, cpu);
    if (n != 0 && i != wrk_way)
        printf("%-11s takes %.2f times wrk's processor time each (%.2f to %.2f in %zu rounds), so "
               "sends %.2f times as many on a whole one\n",
               ways[i].name, cpu[1], cpu[0], cpu[2], n, 1 / cpu[1]);
}

static void saturate(size_t n_rounds, double seconds)
{
    double ask[WAYS] = {GUESS, GUESS, GUESS, GUESS, GUESS, GUESS};
    for (size_t k = 0; k <= n_rounds; k++) /* the first only for `ask` */
        for (size_t i = 0; i < WAYS; i++) {
            if (ways[i].kind == NULL && (wrk_layer[0] == '\0' || k == 0))
                continue;
            const struct figures f =
                measure(&ways[i], CONNECTIONS, ask[i], k == 0 ? 0.05 : seconds);
            ask[i] = f.known ? f.of[A_SECOND] * (f.gaps * 10 < f.good ? MORE : LESS) : GUESS;
            if (k != 0)
                rounds[i][k - 1] = f;
        }
    for (size_t i = 0; i < 2 * WAYS; i++)
        (i < WAYS ? print_way : print_ratio)(i % WAYS);
}

static void at_a_rate(double seconds)
{
    for (size_t i = 0; i < WAYS; i++) {
        const struct figures f = ways[i].kind != NULL ? measure(&ways[i], 1, RATE, seconds)
                                                      : (struct figures){.known = false};
        if (f.known)
            printf(
                "%-11s %d a second, %s: %.0f; %5.1f us of processor time each; late p50 %.3f ms, "
                "p99 %.3f ms, most %.3f ms; %llu not sent, %llu bad\n",
                ways[i].name, RATE, told->first ? "with a run's priority" : "at ordinary priority",
                f.of[A_SECOND], f.of[CPU_US], (double)histogram_percentile(&f.late, 50) / 1e6,
                (double)histogram_percentile(&f.late, 99) / 1e6, (double)f.late.most / 1e6,
                (unsigned long long)f.gaps, (unsigned long long)f.bad);
    }
    printf("wrk has no rate, and waits for each answer: nothing of its stands beside these\n");
}

/* Finding or fetching wrk: its layer's path, or "" and a line that says why. */
static void wrk_find(int seconds)
{
    static const char *const packages[] = {"wrk"};
    const struct lab_spec spec = {.name = "bench", .packages = packages, .n_packages = 1};
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    pid_t pid = child(&server_on);
    if (pid == 0) {
        struct err err = {.msg = ""};
        char path[PATH_MAX];
        int r = layer_open(&spec, NULL, NULL, path, sizeof(path), &err);
        const char *text = r == 0 ? path : err.msg;
        _exit(write(ends[1], text, strlen(text)) < 0 || r != 0);
    }
    (void)close(ends[1]);
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    bool in_time = poll(&p, 1, seconds * 1000) > 0;
    if (!in_time)
        (void)kill(pid, SIGKILL);
    ssize_t n = read(ends[0], wrk_layer, sizeof(wrk_layer) - 1);
    wrk_layer[n > 0 ? n : 0] = '\0';
    (void)close(ends[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        printf("no wrk here, so nothing stands beside the prober: %s\n",
               in_time ? wrk_layer : "it could not be fetched in time");
        wrk_layer[0] = '\0';
    }
}

/* The first two processors that there are for us, or one for both. */
static void processors_choose(void)
{
    cpu_set_t all;
    size_t list[2] = {0, 0}, n = 0;
    if (sched_getaffinity(0, sizeof(all), &all) != 0)
        die("processors");
    for (size_t i = 0; i < CPU_SETSIZE && n < 2; i++)
        if (CPU_ISSET(i, &all))
            list[n++] = i;
    list[1] = n == 2 ? list[1] : list[0];
    CPU_ZERO(&asker_on);
    CPU_ZERO(&server_on);
    CPU_SET(list[0], &asker_on);
    CPU_SET(list[1], &server_on);
    (void)sched_setaffinity(0, sizeof(server_on), &server_on); /* samples are read there, too */
    printf("who asks on processor %zu, the server on %zu, %d connections\n", list[0], list[1],
           CONNECTIONS);
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        die("memory");
    files_raise();
    processors_choose();
    wrk_find(brief ? 30 : 120);
    pid_t server = answer_server_start(&told->counts, &port);
    if (server < 0)
        die("server");
    saturate(brief ? 3 : ROUNDS_MAX, brief ? 0.12 : 1);
    at_a_rate(brief ? 0.25 : 4);
    child_end(server, 0);
    return 0;
}
