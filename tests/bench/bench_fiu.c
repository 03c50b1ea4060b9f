/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the preload library costs a call: pwrite of 64 bytes to a file on /dev/shm, without the
 * library, with it idle, armed for another point, and armed for this one with a filter that does
 * not match (another directory) and one that matches with nothing drawn. The five are measured in
 * turns within one run; the ratio is what counts.
 */
#include "agents/fiu/victim.h"
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MODES = 5, ROUNDS_MAX = 51 };
static const char *const mode_names[MODES] = {"without", "idle", "armed elsewhere",
                                              "armed, filter misses", "armed, filter matches"};

/* The victim: nanoseconds a call, on its standard output. */
static int victim_main(const char *calls_text)
{
    long calls = strtol(calls_text, NULL, 10);
    char path[64], data[64] = "";
    (void)snprintf(path, sizeof(path), "/dev/shm/blackstart-bench-%d", (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return 1;
    (void)unlink(path);
    int64_t start = clock_system(CLOCK_MONOTONIC);
    for (long i = 0; i < calls; i++)
        if (pwrite(fd, data, sizeof(data), 0) != (ssize_t)sizeof(data))
            return 1;
    int64_t took = clock_system(CLOCK_MONOTONIC) - start;
    return printf("%.2f\n", (double)took / (double)calls) < 0;
}

static int page_arm(int page, int mode)
{
    struct err err;
    struct fiu_rule rule = {.deadline = INT64_MAX, .owner = 1, .error = 5, .ppm = 0};
    const char *prefix = mode == 4 ? "/dev/shm" : "/srv";
    if (victim_disarm(page, 1, &err) != 0)
        return -1;
    if (mode < 2)
        return 0;
    rule.points = mode == 2 ? FIU_BIT(FIU_FSYNC) : FIU_BIT(FIU_WRITE);
    rule.prefix_len = (uint32_t)strlen(prefix);
    memcpy(rule.prefix, prefix, rule.prefix_len);
    return victim_arm(page, &rule, &err);
}

static void victim_exec(const char *self, const char *page_path, int mode, int out)
{
    char library[] = "LD_PRELOAD=" BINARY_DIR "/" FIU_LIBRARY, variable[128];
    (void)snprintf(variable, sizeof(variable), FIU_ENV_PAGE "=%s", page_path);
    char *const argv[] = {(char *)(uintptr_t)self, (char *)(uintptr_t) "--victim",
                          (char *)(uintptr_t) "100000", NULL};
    char *const env[] = {mode == 0 ? NULL : library, variable, NULL};
    if (dup2(out, STDOUT_FILENO) >= 0)
        (void)execve(self, argv, env);
    _exit(127);
}

/* Nanoseconds a call, or -1. */
static double measure(const char *self, const char *page_path, int mode)
{
    int pair[2], status = 1;
    char text[32] = "";
    if (pipe2(pair, O_CLOEXEC) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        victim_exec(self, page_path, mode, pair[1]);
    (void)close(pair[1]);
    ssize_t n = read(pair[0], text, sizeof(text) - 1);
    (void)close(pair[0]);
    if (waitpid(child, &status, 0) != child || status != 0 || n <= 0)
        return -1;
    return strtod(text, NULL);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int page_make(char *path)
{
    int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, FIU_PAGE_SIZE) != 0)
        return -1;
    void *at = mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -1;
    fiu_page_init(at);
    (void)munmap(at, FIU_PAGE_SIZE);
    return fd;
}

/* In turns, so that whatever else the machine does falls on all of them. */
static int measure_all(const char *self, const char *path, int page, int rounds,
                       double ns[MODES][ROUNDS_MAX])
{
    for (int r = 0; r < rounds; r++)
        for (int m = 0; m < MODES; m++) {
            if (page_arm(page, m) != 0)
                return -1;
            ns[m][r] = measure(self, path, m);
            if (ns[m][r] < 0)
                return -1;
        }
    for (int m = 0; m < MODES; m++)
        qsort(ns[m], (size_t)rounds, sizeof(double), compare);
    return 0;
}

int main(int argc, char **argv)
{
    static double ns[MODES][ROUNDS_MAX];
    char path[] = "/tmp/blackstart-bench-XXXXXX", self[400] = "";
    if (argc == 3 && strcmp(argv[1], "--victim") == 0)
        return victim_main(argv[2]);
    int rounds = argc > 1 && strcmp(argv[1], "--short") == 0 ? 11 : ROUNDS_MAX;
    int page = page_make(path);
    int status = page < 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
                 measure_all(self, path, page, rounds, ns) != 0;
    (void)unlink(path);
    for (int m = 0; status == 0 && m < MODES; m++)
        printf("figure: pwrite %-22s %7.1f ns, %.2f times the plain call (median of %d)\n",
               mode_names[m], ns[m][rounds / 2], ns[m][rounds / 2] / ns[0][rounds / 2], rounds);
    return status;
}
