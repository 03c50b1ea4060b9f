/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent costs: request to verified reply of a partition, memory of its three processes,
 * and how often it wakes when nothing is asked. In a network namespace of its own. */
#include "agents/faults/catalogue.h"
#include "base/clock.h"
#include "shell.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 2000, PROCESSES = 3 };

static int link_fd;
static pid_t pids[PROCESSES];

static const char *exchange(const char *request)
{
    static char reply[65536];
    size_t len = 0;
    if (write(link_fd, request, strlen(request)) != (ssize_t)strlen(request))
        exit(1);
    do {
        ssize_t n = read(link_fd, reply + len, sizeof(reply) - 1 - len);
        if (n <= 0) {
            (void)fprintf(stderr, "the agent hung up\n");
            exit(1);
        }
        len += (size_t)n;
        reply[len] = '\0';
    } while (reply[len - 1] != '\n');
    if (strstr(reply, "\"error\"") != NULL) {
        (void)fprintf(stderr, "%s", reply);
        exit(1);
    }
    return reply;
}

static void start(const char *state)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        exit(1);
    if (fork() == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(pair[1], 0);
        (void)close(pair[0]);
        (void)close(pair[1]);
        (void)execl(BINARY_DIR "/blackstart-agent", "blackstart-agent", "stdio", "--run", "bench",
                    "--host", "n1", "--state", state, "--lab", (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    link_fd = pair[0];
    char digest[DIGEST_TEXT], text[512];
    catalogue_digest(&fault_catalogue, digest);
    (void)snprintf(text, sizeof(text),
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":1,"
                   "\"run\":\"bench\",\"host\":\"n1\",\"catalogue\":\"%s\",\"lease_ms\":10000}}\n",
                   digest);
    const char *reply = exchange(text);
    static const char *const names[PROCESSES] = {"\"netside\":", "\"privside\":", "\"guardian\":"};
    for (int i = 0; i < PROCESSES; i++) {
        const char *at = strstr(reply, names[i]);
        pids[i] = at != NULL ? (pid_t)strtol(at + strlen(names[i]), NULL, 10) : 0;
    }
}

static long read_number(pid_t pid, const char *file, const char *key)
{
    char path[64], line[256];
    long value = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    if (f != NULL)
        (void)fclose(f);
    return value;
}

static long sum(const char *file, const char *key)
{
    long all = 0;
    for (int i = 0; i < PROCESSES; i++)
        all += read_number(pids[i], file, key);
    return all;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, int64_t *took, int n)
{
    qsort(took, (size_t)n, sizeof(took[0]), by_size);
    int64_t median = took[n / 2], p99 = took[n * 99 / 100];
    (void)printf("figure: %s: median %.0f us, p99 %.0f us (%d rounds)\n", what,
                 (double)median / 1e3, (double)p99 / 1e3, n);
}

static void ask(const char *method, const char *injection, const char *more)
{
    char text[512];
    (void)snprintf(text, sizeof(text),
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"%s\",\"params\":{\"injection\":"
                   "\"%s\"%s}}\n",
                   method, injection, more);
    (void)exchange(text);
}

/* Ingress only, as in a lab where both ends have agents. */
static void measure(int rounds)
{
    static int64_t prepare[ROUNDS_MAX], apply[ROUNDS_MAX], both[ROUNDS_MAX], revert[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "i%d", i);
        int64_t t0 = clock_system(CLOCK_MONOTONIC);
        ask("prepare", id,
            ",\"fault\":\"network.partition\",\"args\":{\"peers\":[\"10.9.9.2\",\"fd99::2\"],"
            "\"direction\":\"in\"},\"lease_ms\":10000");
        int64_t t1 = clock_system(CLOCK_MONOTONIC);
        ask("apply", id, "");
        int64_t t2 = clock_system(CLOCK_MONOTONIC);
        ask("revert", id, "");
        int64_t t3 = clock_system(CLOCK_MONOTONIC);
        prepare[i] = t1 - t0;
        apply[i] = t2 - t1;
        both[i] = t2 - t0;
        revert[i] = t3 - t2;
    }
    report("prepare", prepare, rounds);
    report("apply to verified reply", apply, rounds);
    report("prepare and apply", both, rounds);
    report("revert", revert, rounds);
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    char state[] = "/tmp/bench-agent-XXXXXX";
    if (unshare(CLONE_NEWNET) != 0 || mkdtemp(state) == NULL ||
        shell_run("ip link add v0 type veth peer v1 && ip link set v0 up && ip link set v1 up") !=
            0) {
        (void)fprintf(stderr, "bench_agent: needs root, ip and a network namespace\n");
        return 1;
    }
    start(state);
    measure(brief ? 200 : ROUNDS_MAX);
    (void)printf("figure: memory of the three processes: %ld KiB (PSS)\n",
                 sum("smaps_rollup", "Pss:"));
    int seconds = brief ? 2 : 5;
    (void)usleep(200000); /* until the last reply's processes sleep */
    long before = sum("status", "voluntary_ctxt_switches:");
    (void)sleep((unsigned)seconds);
    (void)printf("figure: wake-ups in %d s idle: %ld\n", seconds,
                 sum("status", "voluntary_ctxt_switches:") - before);
    (void)close(link_fd);
    (void)wait(NULL);
    return rmdir(state) == 0 ? 0 : 1; /* an undo log that is left is a failure */
}
