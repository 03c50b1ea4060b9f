/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prober's process from outside: what it makes of servers that refuse, hang, reset, answer
 * wrongly or late, and that a slot goes out whatever became of those before it.
 */
#include "prober_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>

enum { PORT = 9500, SAMPLES = 4096, SLOW_MS = 250 };

/* What the server at PORT + i does with a connection. */
enum manner {
    FINE,
    WRONG_STATUS,
    WRONG_BODY,
    SLOW,
    RESET,
    CLOSED_EARLY,
    ANSWERED_AND_RESET,
    SILENT,
    N_MANNERS
};

static pid_t server;

static void serve_one(int fd, enum manner manner)
{
    static const char *const answers[N_MANNERS] = {
        [FINE] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n",
        [WRONG_STATUS] = "HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\npong\n",
        [WRONG_BODY] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nnope\n",
        [SLOW] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n",
        [ANSWERED_AND_RESET] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n",
        [CLOSED_EARLY] = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\npo",
    };
    char request[1024];
    bool together = manner == ANSWERED_AND_RESET && rig.prober > 0;
    struct linger linger = {.l_onoff = manner == RESET || together, .l_linger = 0};
    if (manner == SILENT)
        return; /* held open */
    (void)!recv(fd, request, sizeof(request), 0);
    if (manner == SLOW)
        (void)poll(NULL, 0, SLOW_MS);
    if (together) /* so that it sees both at once */
        (void)kill(rig.prober, SIGSTOP);
    if (answers[manner] != NULL)
        (void)send(fd, answers[manner], strlen(answers[manner]), MSG_NOSIGNAL);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(fd);
    if (together)
        (void)kill(rig.prober, SIGCONT);
}

static void server_run(const int *listeners)
{
    struct pollfd fds[N_MANNERS];
    for (;;) {
        for (int i = 0; i < N_MANNERS; i++)
            fds[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
        (void)poll(fds, N_MANNERS, -1);
        for (int i = 0; i < N_MANNERS; i++)
            if ((fds[i].revents & POLLIN) != 0) {
                int fd = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC);
                if (fd >= 0)
                    serve_one(fd, (enum manner)i);
            }
    }
}

static void server_start(void)
{
    int listeners[N_MANNERS], on = 1;
    for (int i = 0; i < N_MANNERS; i++) {
        listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PORT + i))};
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        CU_ASSERT_EQUAL_FATAL(bind(listeners[i], (struct sockaddr *)&at, sizeof(at)), 0);
        CU_ASSERT_EQUAL_FATAL(listen(listeners[i], 256), 0);
    }
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        server_run(listeners);
    }
    for (int i = 0; i < N_MANNERS; i++)
        (void)close(listeners[i]);
}

static void setup(void)
{
    rig_network();
    server_start();
    rig_open();
}

static void server_end(void)
{
    int status;
    (void)kill(server, SIGKILL);
    (void)waitpid(server, &status, 0);
}

static void teardown(void)
{
    rig_close();
    server_end();
}

static void probe_make(struct scenario_probe *p, const char *kind, int port)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "http://${host}:%d/", port);
    rig_probe(p, kind,
              strcmp(kind, "http") == 0
                  ? json_pack("{s:s}", "url", url)
                  : json_pack("{s:i, s:s}", "port", port, "send", "GET /\r\n\r\n"));
}

static const struct {
    const char *kind, *ip;
    int port;
    enum sample_result result;
    int status;
} asked[] = {
    {"http", "127.0.0.1", PORT + FINE, SAMPLE_GOOD, 200},
    {"http", "127.0.0.1", PORT + WRONG_STATUS, SAMPLE_STATUS, 503},
    {"http", "127.0.0.1", PORT + WRONG_BODY, SAMPLE_CONTENT, 200},
    {"http", "127.0.0.1", PORT + SLOW, SAMPLE_SLOW, 200},
    {"http", "127.0.0.1", PORT + RESET, SAMPLE_RESET, 0},
    {"http", "127.0.0.1", PORT + CLOSED_EARLY, SAMPLE_RESET, 200},
    {"http", "127.0.0.1", PORT + SILENT, SAMPLE_TIMEOUT, 0},
    {"http", "127.0.0.1", PORT + N_MANNERS, SAMPLE_REFUSED, 0},
    {"http", "10.99.0.1", PORT, SAMPLE_UNREACHABLE, 0},
    {"tcp", "127.0.0.1", PORT + FINE, SAMPLE_GOOD, 0},
    {"tcp", "127.0.0.1", PORT + WRONG_BODY, SAMPLE_CONTENT, 0},
    {"tcp", "127.0.0.1", PORT + SLOW, SAMPLE_SLOW, 0},
    {"tcp", "127.0.0.1", PORT + RESET, SAMPLE_RESET, 0},
    {"tcp", "127.0.0.1", PORT + SILENT, SAMPLE_TIMEOUT, 0},
    {"tcp", "127.0.0.1", PORT + N_MANNERS, SAMPLE_REFUSED, 0},
    {"tcp", "10.99.0.1", PORT, SAMPLE_UNREACHABLE, 0},
};

static void test_what_an_answer_means(void)
{
    setup();
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct scenario_probe p;
        struct prober_endpoint at = {.name = "n1", .ip6 = ""};
        (void)snprintf(at.ip, sizeof(at.ip), "%s", asked[i].ip);
        probe_make(&p, asked[i].kind, asked[i].port);
        rig_ask(&p, &at);
        if (rig.answer.result != asked[i].result || rig.answer.status != asked[i].status) {
            printf("\n  %s to port %d: wanted %s %d, got %s %d\n", asked[i].kind, asked[i].port,
                   sample_result_word(asked[i].result), asked[i].status,
                   sample_result_word(rig.answer.result), rig.answer.status);
            CU_FAIL("another result");
        }
        rig_probe_free(&p);
    }
    teardown();
}

/* The peer need not have waited until the answer was read. */
static void test_an_answer_before_a_reset(void)
{
    static const char *const kinds[] = {"tcp", "http"};
    rig_network();
    rig_open();
    server_start();
    for (size_t i = 0; i < 2; i++) {
        struct scenario_probe p;
        const struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
        probe_make(&p, kinds[i], PORT + ANSWERED_AND_RESET);
        rig_ask(&p, &at);
        CU_ASSERT_EQUAL(rig.answer.result, SAMPLE_GOOD);
        rig_probe_free(&p);
    }
    server_end(); /* it holds the prober's streams */
    rig_close();
}

/* A listener that has no room left, and ends after a while. */
static void crowded_run(int said)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 0) != 0)
        _exit(1);
    for (int i = 0; i < 4; i++) {
        int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(c, (struct sockaddr *)&at, sizeof(at));
    }
    (void)!write(said, "", 1);
    (void)usleep(300000);
    _exit(0);
}

/* Refused only when it asks again, which the loop's event has to tell: nobody says a word on it, so
 * that only its being made would be good. */
static void test_refused_late(void)
{
    const struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    struct scenario_probe p;
    int said[2], status;
    char byte;
    rig_network();
    rig_open();
    CU_ASSERT_EQUAL_FATAL(pipe2(said, O_CLOEXEC), 0);
    pid_t crowded = fork();
    if (crowded == 0)
        crowded_run(said[1]);
    CU_ASSERT_EQUAL(read(said[0], &byte, 1), 1);
    rig_probe(&p, "tcp", json_pack("{s:i}", "port", (int)PORT));
    p.expect.body = NULL;
    p.timeout.ns = 5 * NS_PER_SEC;
    rig_ask(&p, &at);
    CU_ASSERT_EQUAL(rig.answer.result, SAMPLE_REFUSED);
    CU_ASSERT_TRUE(rig.answer.took_ns > 500 * NS_PER_MS);
    rig_probe_free(&p);
    (void)close(said[0]);
    (void)close(said[1]);
    (void)waitpid(crowded, &status, 0); /* it holds the prober's streams */
    rig_close();
}

/* Twenty-five attempts hang at any time; none of the slots waits for them. */
static void test_a_hanging_server_delays_no_slot(void)
{
    struct scenario_probe p;
    struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    setup();
    probe_make(&p, "http", PORT + SILENT);
    rig_add(3, &p, &at, 1);
    rig_start(5);
    rig_loop_for(1000);
    rig_stop();
    int64_t first = rig.samples[0].due_ns;
    for (size_t i = 0; i < rig.n_samples; i++)
        first = rig.samples[i].due_ns < first ? rig.samples[i].due_ns : first;
    int64_t scheduled = (rig.health.until_ns - first) / (20 * NS_PER_MS) + 1;
    CU_ASSERT_TRUE(rig.n_samples != 0 && llabs((int64_t)rig.n_samples - scheduled) <= 1);
    CU_ASSERT_EQUAL(rig.health.sent + rig.health.gaps, (int64_t)rig.n_samples);
    bool seen[SAMPLES] = {false};
    for (size_t i = 0; i < rig.n_samples; i++) {
        const struct sample *s = &rig.samples[i];
        CU_ASSERT_TRUE(s->slot < SAMPLES && !seen[s->slot % SAMPLES]);
        seen[s->slot % SAMPLES] = true;
        CU_ASSERT_TRUE(s->result == SAMPLE_TIMEOUT || s->result == SAMPLE_GAP);
        CU_ASSERT_EQUAL(s->probe, 3);
        CU_ASSERT_EQUAL(s->trial, 5);
        CU_ASSERT_TRUE(s->due_ns < rig.health.until_ns);
        if (s->result == SAMPLE_TIMEOUT)
            CU_ASSERT_TRUE(s->done_ns - s->sent_ns >= 500 * NS_PER_MS);
    }
    rig_probe_free(&p);
    teardown();
}

/* While the loop waits for a slot that is far away, a time-out that is nearer comes on time. */
static void test_a_nearer_deadline(void)
{
    struct scenario_probe rare, p;
    struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    setup();
    probe_make(&rare, "tcp", PORT + FINE);
    rare.every.ns = 60 * NS_PER_SEC; /* the first goes out in six seconds or later */
    rig_add(0, &rare, &at, 1);
    rig_start(0);
    probe_make(&p, "tcp", PORT + SILENT);
    rig_ask(&p, &at);
    CU_ASSERT_EQUAL(rig.answer.result, SAMPLE_TIMEOUT);
    CU_ASSERT_TRUE(rig.answer.took_ns >= p.timeout.ns && rig.answer.took_ns < 3 * NS_PER_SEC);
    rig_stop();
    rig_probe_free(&rare);
    rig_probe_free(&p);
    teardown();
}

static void test_a_lost_prober_is_told(void)
{
    struct err err;
    struct scenario_probe p;
    struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    setup();
    probe_make(&p, "http", PORT);
    rig_start(0);
    rig_stop();
    CU_ASSERT_EQUAL(rig.health.sent, 0);
    CU_ASSERT_EQUAL(kill(rig.prober, SIGKILL), 0);
    while (!rig.lost)
        (void)event_base_loop(rig.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(proberlink_ask(rig.client, &p, &at, 1, rig_on_answered, NULL, &err), -1);
    rig_probe_free(&p);
    proberlink_close(rig.client);
    int status;
    (void)waitpid(rig.prober, &status, 0);
    server_end();
    event_base_free(rig.base);
}

static const struct check_test tests[] = {
    {"what an answer means", test_what_an_answer_means},
    {"an answer before a reset", test_an_answer_before_a_reset},
    {"refused late", test_refused_late},
    {"a hanging server delays no slot", test_a_hanging_server_delays_no_slot},
    {"a nearer deadline", test_a_nearer_deadline},
    {"a lost prober is told", test_a_lost_prober_is_told},
};

CHECK_MAIN("prober", tests)
