/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in answers of servers that say them at once, in pieces, wrongly or not at all. */
#include "prober_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>

enum { PORT = 9600 };

/* What the server at PORT + i says; '|' is where it pauses. */
static const char *const says[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncount=17\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nno rows",
    "count=1|7\n|",
    "count=1|7",
    "busy\n",
    "",
    "#", /* a counter: one in 10 ms */
};
enum { COUNTER = 6 };
enum { SAYS = sizeof(says) / sizeof(says[0]) };

static pid_t server;

static void serve_one(int fd, const char *text)
{
    char request[1024];
    (void)!recv(fd, request, sizeof(request), 0);
    if (*text == '#')
        (void)dprintf(fd, "orders %lld\n",
                      (long long)(clock_system(CLOCK_MONOTONIC) / (10 * NS_PER_MS)));
    while (*text != '\0' && *text != '#') {
        size_t n = strcspn(text, "|");
        (void)send(fd, text, n, MSG_NOSIGNAL);
        if (text[n] == '|')
            (void)poll(NULL, 0, 50);
        text += n + (text[n] == '|');
    }
    (void)close(fd);
}

static void server_run(struct pollfd *fds)
{
    for (;;) {
        (void)poll(fds, SAYS, -1);
        for (int i = 0; i < SAYS; i++) {
            int fd =
                (fds[i].revents & POLLIN) != 0 ? accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
            if (fd >= 0)
                serve_one(fd, says[i]);
        }
    }
}

static void setup(void)
{
    struct pollfd fds[SAYS];
    rig_network();
    for (int i = 0; i < SAYS; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PORT + i))};
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fds[i] =
            (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN};
        CU_ASSERT_EQUAL_FATAL(bind(fds[i].fd, (struct sockaddr *)&at, sizeof(at)), 0);
        CU_ASSERT_EQUAL_FATAL(listen(fds[i].fd, 64), 0);
    }
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        server_run(fds);
    }
    for (int i = 0; i < SAYS; i++)
        (void)close(fds[i].fd);
    rig_open();
}

static void teardown(void)
{
    int status;
    rig_close();
    (void)kill(server, SIGKILL);
    (void)waitpid(server, &status, 0);
}

static const struct {
    const char *kind;
    int says;
    const char *match;
    double least, most;
    enum sample_result result;
} rows[] = {
    {"http", 0, "count=([0-9]+)", 17, 17, SAMPLE_GOOD},
    {"http", 0, NULL, 18, 20, SAMPLE_LOW},
    {"http", 0, NULL, 0, 16, SAMPLE_HIGH},
    {"http", 0, "rows=([0-9]+)", 0, 100, SAMPLE_NO_NUMBER},
    {"http", 1, NULL, 0, 100, SAMPLE_NO_NUMBER},
    {"tcp", 2, NULL, 17, 17, SAMPLE_GOOD}, /* not the 1 that came first */
    {"tcp", 2, NULL, 18, 20, SAMPLE_LOW},  /* at once, not at the time-out */
    {"tcp", 3, NULL, 17, 17, SAMPLE_GOOD}, /* whole, since the server closed */
    {"tcp", 4, NULL, 0, 100, SAMPLE_NO_NUMBER},
    {"tcp", 5, NULL, 0, 100, SAMPLE_RESET},
};

static void test_what_the_number_is(void)
{
    setup();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
        struct scenario_probe p;
        int port = PORT + rows[i].says;
        char url[64];
        (void)snprintf(url, sizeof(url), "http://${host}:%d/", port);
        rig_probe(&p, rows[i].kind,
                  strcmp(rows[i].kind, "http") == 0
                      ? json_pack("{s:s}", "url", url)
                      : json_pack("{s:i, s:s}", "port", port, "send", "?\n"));
        p.expect = (struct probe_expect){.number = {.given = true,
                                                    .has_least = true,
                                                    .has_most = true,
                                                    .match = rows[i].match,
                                                    .at_least = rows[i].least,
                                                    .at_most = rows[i].most}};
        rig_ask(&p, &at);
        if (rig.answer.result != rows[i].result) {
            printf("\n  row %zu: wanted %s, got %s\n", i, sample_result_word(rows[i].result),
                   sample_result_word(rig.answer.result));
            CU_FAIL("another result");
        }
        rig_probe_free(&p);
    }
    teardown();
}

static size_t counted(uint16_t probe, enum sample_result result)
{
    size_t n = 0;
    for (size_t i = 0; i < rig.n_samples; i++)
        n += rig.samples[i].probe == probe && rig.samples[i].result == result;
    return n;
}

/* 100 a second: 80 are there once the window of 400 ms is filled, 120 are not. */
static void test_a_rate(void)
{
    static const double least[] = {80, 120};
    const struct prober_endpoint at = {.name = "n1", .ip = "127.0.0.1", .ip6 = ""};
    struct scenario_probe p[2];
    setup();
    for (uint16_t i = 0; i < 2; i++) {
        rig_probe(&p[i], "tcp", json_pack("{s:i, s:s}", "port", PORT + COUNTER, "send", "?\n"));
        p[i].expect = (struct probe_expect){.rate = {.given = true,
                                                     .match = "orders ([0-9]+)",
                                                     .over = {400 * NS_PER_MS},
                                                     .at_least = least[i],
                                                     .per = {NS_PER_SEC}}};
        rig_add(i, &p[i], &at, 1);
    }
    rig_start(0);
    rig_loop_for(1000);
    rig_stop();
    for (uint16_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(counted(i, SAMPLE_RATE_UNKNOWN) >= 10);
        CU_ASSERT_TRUE(counted(i, i == 0 ? SAMPLE_GOOD : SAMPLE_RATE) >= 10);
        CU_ASSERT_EQUAL(counted(i, i == 0 ? SAMPLE_RATE : SAMPLE_GOOD), 0);
        rig_probe_free(&p[i]);
    }
    teardown();
}

static const struct check_test tests[] = {
    {"what the number is", test_what_the_number_is},
    {"a rate", test_a_rate},
};

CHECK_MAIN("prober's numbers", tests)
