/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `blackstart send` to servers that take a request and never answer, or answer a byte at a time: it
 * ends in time, says what happened, and fails. */
#include "../unit/reports/example.h"
#include "e2e.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { LATE_MS = 500, ATTEMPTS = 2, BETWEEN_MS = 1000, DRIP_MS = 20 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/* Who answers is not always a collector: the whole head and body of each. */
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"
static const char *const others[] = {
    HEAD "Content-Type: text/html; charset=utf-8\r\n\r\n<html>Log in</html>",
    HEAD "Content-Type: text/html\r\n\r\n{}",
    HEAD "Content-Type: application/json\r\n\r\n<html>Log in</html>",
    HEAD "\r\nwelcome",
    HEAD "\r\n[1]",
    HEAD "Content-Type: Application/JSON;charset=utf-8\r\n\r\n{\"partialSuccess\":{}}",
    HEAD "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
};

enum manner { ANSWERS, SILENT, DRIPS, OTHERS /* and its number */ };

struct server {
    int fd;
    pid_t pid;
    char url[64];
    int connections[2]; /* a pipe, with a byte for each that it took */
};

/* Reads as it comes: who sends must not wait for room. */
static void serve_one(int fd, enum manner manner)
{
    char piece[65536];
    ssize_t n = 1;
    if (manner == ANSWERS || manner >= OTHERS) {
        const char *says = manner >= OTHERS ? others[manner - OTHERS] : answer;
        n = read(fd, piece, sizeof(piece));
        e2e_sleep_ms(20); /* the rest of the request */
        (void)!write(fd, says, strlen(says));
        return;
    }
    for (size_t i = 0; n != 0; i++) {
        n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
        n = n < 0 && errno == EAGAIN ? 1 : n <= 0 ? 0 : n;
        if (manner == DRIPS && i < sizeof(answer) - 1 && send(fd, &answer[i], 1, MSG_NOSIGNAL) < 0)
            return;
        e2e_sleep_ms(DRIP_MS);
    }
}

static void serve(const struct server *s, enum manner manner)
{
    for (;;) {
        CLEANUP_FD int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            _exit(1);
        (void)!write(s->connections[1], "c", 1);
        serve_one(fd, manner);
    }
}

static void server_start(struct server *s, enum manner manner)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, len) < 0 || listen(s->fd, 8) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) < 0 ||
        pipe2(s->connections, O_CLOEXEC | O_NONBLOCK) < 0)
        abort();
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
    s->pid = fork();
    if (s->pid == 0)
        serve(s, manner);
}

/* How many connections it had. */
static ssize_t server_stop(struct server *s)
{
    char taken[64];
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    ssize_t n = read(s->connections[0], taken, sizeof(taken));
    (void)close(s->connections[0]);
    (void)close(s->connections[1]);
    (void)close(s->fd);
    return n;
}

static void write_run(const struct e2e *t)
{
    struct err err;
    CLEANUP_BUF struct buf lines = BUF_INIT(1 << 20), more = BUF_INIT(1 << 20);
    example_start(&lines);
    example_lines(EXAMPLE_TRIALS, &more);
    buf_puts(&lines, buf_text(&more));
    CU_ASSERT_EQUAL(mkdir(t->out, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(report_write_file(t->out, "journal.ndjson", lines.data, lines.len, &err),
                          0);
}

struct sending {
    const char *option, *timeout;
    enum manner manner;
    int status;
    const char *says; /* on the error output; of a success, on the other */
    int connections;
    int at_least_ms, at_most_ms;
};

static void send_once(const struct sending *c)
{
    struct e2e t;
    struct server s;
    e2e_begin(&t);
    write_run(&t);
    server_start(&s, c->manner);
    int64_t began = clock_system(CLOCK_MONOTONIC);
    e2e_start(&t, (const char *[]){"send", c->option, s.url, "--timeout", c->timeout, t.out, NULL});
    int status = e2e_wait(&t, 30);
    int64_t took = (clock_system(CLOCK_MONOTONIC) - began) / NS_PER_MS;
    ssize_t connections = server_stop(&s);
    CLEANUP_FREE char *said = e2e_read(t.dir, status == 0 ? "stdout" : "stderr");
    if (status != c->status || said == NULL || strstr(said, c->says) == NULL)
        printf("\n  %s, manner %d: status %d after %lld ms: %s\n", c->option, c->manner, status,
               (long long)took, said != NULL ? said : "");
    CU_ASSERT_EQUAL(status, c->status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, c->says));
    CU_ASSERT_TRUE(c->connections == 0 || connections == c->connections);
    CU_ASSERT_TRUE(took >= c->at_least_ms && took <= c->at_most_ms);
    e2e_end(&t);
}

/* Two attempts and the pause between them; what a busy machine adds is far from the 30 s that a
 * request may take unless told otherwise. */
#define LATE_AT_LEAST (ATTEMPTS * LATE_MS + BETWEEN_MS)
#define LATE_AT_MOST  (LATE_AT_LEAST + 10000)
#define LATE_SAYS     "took the connection and gave no whole answer within 0.5 s, in 2 attempts"

static void test_who_never_answers(void)
{
    send_once(&(struct sending){"--otlp", "500ms", SILENT, 3, LATE_SAYS, ATTEMPTS, LATE_AT_LEAST,
                                LATE_AT_MOST});
    send_once(&(struct sending){"--grafana", "500ms", SILENT, 3, LATE_SAYS, ATTEMPTS, LATE_AT_LEAST,
                                LATE_AT_MOST});
}

static void test_who_answers_byte_by_byte(void)
{
    send_once(&(struct sending){"--otlp", "500ms", DRIPS, 3, LATE_SAYS, ATTEMPTS, LATE_AT_LEAST,
                                LATE_AT_MOST});
    send_once(&(struct sending){"--grafana", "500ms", DRIPS, 3, LATE_SAYS, ATTEMPTS, LATE_AT_LEAST,
                                LATE_AT_MOST});
    /* Slow, but in time. */
    send_once(&(struct sending){"--otlp", "20s", DRIPS, 0, "sent the trace to http://127.0.0.1:", 1,
                                (int)(sizeof(answer) - 2) * DRIP_MS, 20000});
}

static void test_who_answers(void)
{
    send_once(&(struct sending){"--grafana", "20s", ANSWERS, 0,
                                " annotations to http://127.0.0.1:", 0, 0, 20000});
}

static void test_who_is_no_collector(void)
{
    static const struct {
        int status;
        const char *says;
    } rows[] = {
        {3, "answered HTTP 200 with text/html; charset=utf-8, not JSON: is that its address? "
            "<html>Log in</html>"},
        {3, "answered HTTP 200 with text/html, not JSON: is that its address? {}"},
        {3, "answered HTTP 200 with no JSON object: is that its address? <html>Log in</html>"},
        {3, "answered HTTP 200 with no JSON object: is that its address? welcome"},
        {3, "answered HTTP 200 with no JSON object: is that its address? [1]"},
        {0, "sent "},
        {0, "sent "},
    };
    static const char *const options[] = {"--otlp", "--grafana"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t k = 0; k < 2; k++)
            send_once(&(struct sending){options[k], "20s", OTHERS + (enum manner)i, rows[i].status,
                                        rows[i].says, 0, 0, 20000});
}

static void test_bounds(void)
{
    send_once(
        &(struct sending){"--otlp", "1ms", ANSWERS, 2, "--timeout: from 100ms to 1h", 0, 0, 20000});
}

static const struct check_test tests[] = {
    {"who never answers", test_who_never_answers},
    {"who answers byte by byte", test_who_answers_byte_by_byte},
    {"who answers", test_who_answers},
    {"who is no collector", test_who_is_no_collector},
    {"bounds", test_bounds},
};

int main(void)
{
    (void)setenv("GRAFANA_TOKEN", "a-token", 1);
    return check_main("send", tests, sizeof(tests) / sizeof(tests[0]));
}
