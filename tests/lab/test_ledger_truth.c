/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's process against a server that lies on purpose, a thousand times in each way: it
 * acknowledges and forgets, refuses and keeps, keeps twice, hangs up with or without keeping. What
 * it did with each write is drawn from the seed, so that the truth is exact; the judgement must be
 * the same, write for write.
 */
#include "analysis/analysis.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/frame.h"
#include "check.h"
#include "ledger/ledger.h"
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of those that the server plants some come to nothing, where its answer is too late: MORE of each
 * are planted, so that COUNTED of each are counted. */
enum {
    WRITES_MAX = 60000,
    COUNTED = 1000,
    MORE = 1050,
    EVERY_US = 700,
    WAIT_S = 90,
    ROUNDS_MAX = 5
};

/* What the server does with a write. */
enum lie { HONEST, FORGET, REFUSE, KEEP_REFUSED, TWICE, HANG_UP, HANG_UP_KEPT, LIES };

static struct truth {
    uint64_t seed;
    uint32_t n[LIES];
    uint8_t seen[WRITES_MAX]; /* 1 + enum lie, once the write has come */
} * truth;
static uint16_t port;

static enum lie lie_of(uint64_t id)
{
    uint64_t x = (id + truth->seed) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (enum lie)((x >> 33) % LIES);
}

static uint32_t kept(uint64_t id)
{
    static const uint32_t times[LIES] = {
        [HONEST] = 1, [KEEP_REFUSED] = 1, [TWICE] = 2, [HANG_UP_KEPT] = 1};
    return truth->seen[id] != 0 ? times[truth->seen[id] - 1] : 0;
}

static void answer(int fd, int status, const char *body)
{
    dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
            strlen(body), body);
}

static void serve_write(int fd, uint64_t id)
{
    static const int statuses[LIES] = {[HONEST] = 200, [FORGET] = 200,       [REFUSE] = 409,
                                       [TWICE] = 200,  [KEEP_REFUSED] = 409, [HANG_UP] = 0};
    enum lie lie = lie_of(id);
    if (id >= WRITES_MAX)
        return;
    truth->seen[id] = (uint8_t)(1 + lie);
    truth->n[lie]++;
    if (statuses[lie] != 0)
        answer(fd, statuses[lie], "{}");
}

static void serve_read(int fd)
{
    struct buf out = BUF_INIT(8 << 20);
    buf_puts(&out, "{\"items\": [");
    for (uint64_t id = 0, n = 0; id < WRITES_MAX; id++)
        for (uint32_t k = 0; k < kept(id); k++)
            buf_printf(&out, "%s{\"name\": \"x/%llu\"}", n++ != 0 ? ", " : "",
                       (unsigned long long)id);
    buf_puts(&out, "]}");
    answer(fd, 200, buf_text(&out));
    buf_free(&out);
}

/* One request a connection, whole in one segment or two. */
static void serve_one(int fd)
{
    char text[2048] = "";
    size_t len = 0;
    for (ssize_t n; strstr(text, "\r\n\r\n") == NULL; len += (size_t)n) {
        n = read(fd, text + len, sizeof(text) - 1 - len);
        if (n <= 0)
            return;
        text[len + (size_t)n] = '\0';
    }
    const char *write = strstr(text, " /put/");
    if (write != NULL)
        serve_write(fd, strtoull(write + 6, NULL, 10));
    else
        serve_read(fd);
}

static void network_own(void)
{
    struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    CU_ASSERT_EQUAL_FATAL(unshare(CLONE_NEWNET), 0);
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(ioctl(fd, SIOCSIFFLAGS, &r), 0);
}

static pid_t server_start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, len), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 1024), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    port = ntohs(at.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int client = accept(fd, NULL, NULL);
            if (client < 0)
                _exit(1);
            serve_one(client);
            (void)close(client);
        }
    }
    (void)close(fd);
    return pid;
}

/* --- the ledger's process --- */

static struct {
    pid_t pid;
    int control;
    int64_t epoch, calls;
    char path[64];
} ledger;

static void ledger_spawn(void)
{
    int control[2];
    (void)snprintf(ledger.path, sizeof(ledger.path), "/tmp/blackstart-ledger-XXXXXX");
    int file = mkostemp(ledger.path, O_APPEND);
    CU_ASSERT_FATAL(file >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, control) == 0);
    ledger.epoch = clock_system(CLOCK_MONOTONIC);
    ledger.pid = fork();
    if (ledger.pid == 0) {
        (void)close(control[0]);
        if (dup2(control[1], 0) == 0 && dup2(file, 1) == 1)
            (void)execl(BINARY_DIR "/blackstart-ledger", "blackstart-ledger", (char *)NULL);
        _exit(127);
    }
    (void)close(control[1]);
    (void)close(file);
    ledger.control = control[0];
}

/* The result; borrowed until the next call. */
static const json_t *call(const char *method, json_t *params)
{
    static json_t *last;
    struct err err = {.msg = ""};
    struct frame_reader in;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    json_t *frame = frame_request(++ledger.calls, method, params), *reply = NULL;
    CU_ASSERT_EQUAL_FATAL(frame_put(&out, frame, &err), 0);
    json_decref(frame);
    CU_ASSERT_EQUAL_FATAL(send(ledger.control, out.data, out.len, 0), (ssize_t)out.len);
    frame_reader_init(&in);
    while (reply == NULL) {
        char chunk[4096];
        ssize_t n = recv(ledger.control, chunk, sizeof(chunk), 0);
        CU_ASSERT_FATAL(n > 0);
        CU_ASSERT_EQUAL_FATAL(frame_feed(&in, chunk, (size_t)n, &err), 0);
        CU_ASSERT_EQUAL_FATAL(frame_next(&in, &reply, &err), 0);
    }
    if (frame_is_error(reply, &err))
        printf("\n  %s: %s", method, err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json_object_get(reply, "result"));
    json_decref(last);
    last = reply;
    frame_reader_free(&in);
    return json_object_get(last, "result");
}

static void configure(void)
{
    char write_url[64], read_url[64];
    (void)snprintf(write_url, sizeof(write_url), "http://${host}:%u/put/{id}", port);
    (void)snprintf(read_url, sizeof(read_url), "http://${host}:%u/all", port);
    (void)call(
        "configure",
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:b, s:[{s:s, s:s}], s:{s:s, s:s, s:s, "
                  "s:s}}",
                  "kind", "http", "name", "orders", "from", "here", "collection", "x", "every_ns",
                  (json_int_t)(EVERY_US * NS_PER_US), "timeout_ns", (json_int_t)(2 * NS_PER_SEC),
                  "epoch_ns", (json_int_t)ledger.epoch, "seed", 1, "each", 1, "hosts", "name",
                  "shop", "ip", "127.0.0.1", "args", "write_url", write_url, "read_url", read_url,
                  "list", "items", "id", "name"));
}

static bool planted(void)
{
    for (int i = 0; i < LIES; i++)
        if (truth->n[i] < MORE)
            return false;
    return true;
}

/* --- what is found, against what was done --- */

static const char journal[] =
    "{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"file\":\"f\",\"text\":\"\","
    "\"sha256\":\"0\"}\n{\"t\":0,\"ev\":\"trial.start\",\"trial\":0,\"fault_free\":false}\n";

static const struct analysis_write *found(const struct analysis_ledger *l, uint64_t id)
{
    for (size_t lo = 0, hi = l->n_writes; lo < hi;) {
        size_t at = (lo + hi) / 2;
        if (l->writes[at].id == id)
            return &l->writes[at];
        if (l->writes[at].id < id)
            lo = at + 1;
        else
            hi = at;
    }
    return NULL;
}

/* What the judgement must be of one write, -1: nothing is wrong with it. On a busy machine an
 * answer may come too late: then nothing certain may be said. */
static int wanted(const struct ledgerlog_write *w, bool *ret_silent)
{
    static const int fates[LIES] = {[HONEST] = -1,
                                    [FORGET] = FATE_LOST,
                                    [REFUSE] = -1,
                                    [KEEP_REFUSED] = FATE_PHANTOM,
                                    [TWICE] = FATE_DUPLICATE,
                                    [HANG_UP] = -1,
                                    [HANG_UP_KEPT] = -1};
    int lie = truth->seen[w->id] - 1;
    *ret_silent = lie < 0 || lie == HANG_UP || lie == HANG_UP_KEPT || w->result == LEDGER_UNKNOWN;
    if (*ret_silent)
        return lie == TWICE ? FATE_DUPLICATE : -1;
    return fates[lie];
}

static void check_counts(const struct analysis_ledger *l, const uint32_t n[LIES], uint32_t unknown)
{
    CU_ASSERT(n[FORGET] >= COUNTED && l->lost_lower == n[FORGET]);
    CU_ASSERT_EQUAL(l->lost_upper, n[FORGET]);
    CU_ASSERT(n[KEEP_REFUSED] >= COUNTED && l->phantoms == n[KEEP_REFUSED]);
    CU_ASSERT(l->duplicates >= COUNTED && l->duplicates == truth->n[TWICE]);
    CU_ASSERT_EQUAL(l->unknown, unknown);
    CU_ASSERT_EQUAL(l->strange, 0);
    printf("\n    figure: %u writes: %u lost, %u phantoms, %u duplicates planted and found, none "
           "invented; %u unknown, %u not sent\n    ",
           l->written, l->lost_upper, l->phantoms, l->duplicates, l->unknown, l->gaps);
}

static void compare(const struct analysis_ledger *l, const struct ledgerlog_trial *t)
{
    uint32_t n[LIES] = {0}, wrong = 0, unknown = 0;
    for (size_t i = 0; i < t->n_writes; i++) {
        const struct ledgerlog_write *w = &t->writes[i];
        const struct analysis_write *f = found(l, w->id);
        bool silent = false;
        int must = wanted(w, &silent), is = f != NULL ? (int)f->fate : -1;
        unknown += w->result == LEDGER_UNKNOWN;
        if (!silent)
            n[truth->seen[w->id] - 1]++;
        /* Whoever hangs up has said nothing. */
        else if (truth->seen[w->id] != 0 && w->result != LEDGER_UNKNOWN)
            wrong++;
        wrong += is != must;
        if (is != must && wrong < 5)
            printf("\n  write %llu: must be %d, found as %d", (unsigned long long)w->id, must, is);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    check_counts(l, n, unknown);
}

static void judge(void)
{
    struct err err = {.msg = ""};
    struct history *h = NULL;
    struct analysis *a = NULL;
    struct history_ledger file = {.name = "orders", .kind = "http", .from = "here"};
    const struct scenario_ledger of = {.name = "orders", .from = "here"};
    const struct scenario s = {.ledgers = &of, .n_ledgers = 1};
    CLEANUP_FD int fd = open(ledger.path, O_RDONLY | O_CLOEXEC);
    CLEANUP_BUF struct buf bytes = BUF_INIT(LEDGERLOG_MAX);
    CU_ASSERT_EQUAL_FATAL(buf_read_fd(&bytes, fd, &err), 0);
    CU_ASSERT_EQUAL(ledgerlog_parse(buf_text(&bytes), bytes.len, &file.log, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL_FATAL(history_parse(journal, strlen(journal), NULL, 0, &h, &err), 0);
    h->ledgers = &file;
    h->n_ledgers = 1;
    CU_ASSERT_EQUAL_FATAL(analysis_make(&s, h, &a, &err), 0);
    const struct analysis_ledger *l = &a->trials[0].ledgers[0];
    CU_ASSERT(l->known && l->agree && l->n_views == 2);
    compare(l, &file.log->trials[0]);
    analysis_free(a);
    history_free(h);
}

static void test_truth(void)
{
    network_own();
    truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(truth, MAP_FAILED);
    truth->seed = seed_take("LEDGER_SEED");
    pid_t server = server_start();
    ledger_spawn();
    configure();
    (void)call("start", json_pack("{s:i}", "trial", 0));
    for (int i = 0; i < WAIT_S * 20 && !planted(); i++)
        (void)poll(NULL, 0, 50);
    CU_ASSERT(planted());
    (void)call("stop", json_object());
    bool steady = false;
    for (int i = 0; i < ROUNDS_MAX && !steady; i++)
        steady = json_is_true(json_object_get(call("read", json_object()), "steady"));
    CU_ASSERT(steady);
    (void)call("over", json_object());
    (void)close(ledger.control);
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(ledger.pid, &status, 0), ledger.pid);
    CU_ASSERT_EQUAL(status, 0);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    judge();
    (void)unlink(ledger.path);
}

int main(void)
{
    static const struct check_test tests[] = {{"a server that lies", test_truth}};
    return check_main("a ledger against the truth", tests, sizeof(tests) / sizeof(tests[0]));
}
