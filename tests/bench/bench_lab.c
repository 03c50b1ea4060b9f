/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lab costs: hosts up (network, roots, inits; no services) and gone again, for three and
 * twenty hosts beside the client. Aims: 100 ms and 500 ms.
 */
#include "base/clock.h"
#include "lab/lab.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOSTS_MAX = 20 };

struct figures {
    double up[64], down[64];
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure_once(const struct lab_spec *spec, int number, double *ret_down)
{
    struct err err = {.code = ERR_NONE};
    char id[32], dir[64];
    struct lab *lab = NULL;
    (void)snprintf(id, sizeof(id), "bench-%d-%d", (int)getpid(), number);
    (void)snprintf(dir, sizeof(dir), "/var/tmp/%s", id);
    const struct lab_options options = {.id = id, .state_dir = dir};
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    if (lab_up(spec, &options, &lab, &err) != 0) {
        (void)fprintf(stderr, "bench_lab: %s\n", err.msg);
        exit(1);
    }
    int64_t up = clock_system(CLOCK_MONOTONIC);
    if (lab_down(lab, &err) != 0) {
        (void)fprintf(stderr, "bench_lab: %s\n", err.msg);
        exit(1);
    }
    int64_t down = clock_system(CLOCK_MONOTONIC);
    lab_free(lab);
    *ret_down = (double)(down - up) / 1e6;
    return (double)(up - begin) / 1e6;
}

static void measure(size_t n_hosts, int rounds, double aim_ms)
{
    static char names[HOSTS_MAX][8];
    struct lab_host_spec hosts[HOSTS_MAX];
    struct figures f;
    memset(hosts, 0, sizeof(hosts));
    for (size_t i = 0; i < n_hosts; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "h%zu", i + 1);
        hosts[i].name = names[i];
    }
    const struct lab_spec spec = {.name = "bench", .hosts = hosts, .n_hosts = n_hosts};
    for (int i = 0; i < rounds; i++)
        f.up[i] = measure_once(&spec, i, &f.down[i]);
    qsort(f.up, (size_t)rounds, sizeof(double), compare);
    qsort(f.down, (size_t)rounds, sizeof(double), compare);
    (void)printf("%2zu hosts and the client: up %.1f ms (median; %.1f to %.1f), down %.1f ms; "
                 "aim %.0f ms: %s\n",
                 n_hosts, f.up[rounds / 2], f.up[0], f.up[rounds - 1], f.down[rounds / 2], aim_ms,
                 f.up[rounds / 2] <= aim_ms ? "met" : "missed");
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    measure(3, brief ? 5 : 30, 100);
    measure(HOSTS_MAX, brief ? 3 : 15, 500);
    return 0;
}
