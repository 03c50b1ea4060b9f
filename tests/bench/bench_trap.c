/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trapped call costs: fsync of a file on /dev/shm, which does nothing else, plain and with a
 * supervisor that has nothing to do, has a rule for another point, a rule whose filter does not
 * match and one that matches with nothing drawn; what the filter costs a call that it lets pass;
 * and beside them a flush that writes to the disk below /var/tmp. In turns within one run.
 */
#include "agents/fiu/supervisor.h"
#include "agents/fiu/trap.h"
#include "agents/fiu/victim.h"
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 51, MODES = 8 };

enum what { FLUSH, WRITE, DISK };

static const struct mode {
    const char *name;
    enum what what;
    bool trapped;
    uint64_t points; /* of the rule; 0: none */
    const char *prefix;
} modes[MODES] = {
    {"fsync plain", FLUSH, false, 0, NULL},
    {"fsync trapped, idle", FLUSH, true, 0, NULL},
    {"fsync trapped, armed elsewhere", FLUSH, true, FIU_BIT(FIU_OPEN), "/"},
    {"fsync trapped, filter misses", FLUSH, true, FIU_BIT(FIU_FSYNC), "/srv"},
    {"fsync trapped, filter matches", FLUSH, true, FIU_BIT(FIU_FSYNC), "/dev/shm"},
    {"pwrite plain", WRITE, false, 0, NULL},
    {"pwrite past the filter", WRITE, true, 0, NULL},
    {"fsync plain on a disk", DISK, false, 0, NULL},
};

static int page = -1, shm_fd = -1, disk_fd = -1;
static char page_path[] = "/tmp/blackstart-bench-XXXXXX";

static int file_make(const char *where)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/blackstart-bench-XXXXXX", where);
    int fd = mkstemp(path);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static int page_make(void)
{
    page = mkstemp(page_path);
    if (page < 0 || ftruncate(page, FIU_PAGE_SIZE) != 0)
        return -1;
    void *at = mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (at == MAP_FAILED)
        return -1;
    fiu_page_init(at);
    return munmap(at, FIU_PAGE_SIZE);
}

static int page_arm(const struct mode *mode)
{
    struct err err;
    struct fiu_rule rule = {.deadline = INT64_MAX, .owner = 1, .error = 5, .points = mode->points};
    if (victim_disarm(page, 1, &err) != 0)
        return -1;
    if (mode->points == 0)
        return 0;
    rule.prefix_len = (uint32_t)snprintf(rule.prefix, sizeof(rule.prefix), "%s", mode->prefix);
    return victim_arm(page, &rule, &err);
}

/* Nanoseconds a call. */
static double calls_time(enum what what)
{
    char byte = 'x';
    int calls = what == DISK ? 20 : 2000;
    int64_t took = 0;
    for (int i = 0; i < calls; i++) {
        if (what == DISK && pwrite(disk_fd, &byte, 1, i) != 1)
            return -1;
        int64_t start = clock_system(CLOCK_MONOTONIC);
        if (what == WRITE ? pwrite(shm_fd, &byte, 1, 0) != 1
                          : fsync(what == DISK ? disk_fd : shm_fd) != 0)
            return -1;
        took += clock_system(CLOCK_MONOTONIC) - start;
    }
    return (double)took / calls;
}

static double measure(const struct mode *mode)
{
    int pair[2], sock = -1, status = 1;
    pid_t supervisor = 0;
    double ns = -1;
    struct err err;
    if (page_arm(mode) != 0 || pipe2(pair, O_CLOEXEC) != 0 ||
        (mode->trapped && supervisor_start(page_path, TRAP_RARE, &supervisor, &sock, &err) != 0))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        if (mode->trapped && supervisor_enter(sock, TRAP_RARE, &err) != 0)
            _exit(1);
        ns = calls_time(mode->what);
        _exit(write(pair[1], &ns, sizeof(ns)) != (ssize_t)sizeof(ns));
    }
    (void)close(pair[1]);
    if (sock >= 0)
        (void)close(sock);
    ssize_t n = read(pair[0], &ns, sizeof(ns));
    (void)close(pair[0]);
    if (supervisor > 0)
        (void)waitpid(supervisor, NULL, 0);
    return waitpid(child, &status, 0) == child && status == 0 && n == (ssize_t)sizeof(ns) ? ns : -1;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double ns[MODES][ROUNDS_MAX];
    int rounds = argc > 1 && strcmp(argv[1], "--short") == 0 ? 11 : ROUNDS_MAX;
    shm_fd = file_make("/dev/shm");
    disk_fd = file_make("/var/tmp");
    int status = page_make() != 0 || shm_fd < 0 || disk_fd < 0;
    for (int r = 0; r < rounds && status == 0; r++)
        for (int m = 0; m < MODES && status == 0; m++)
            status = (ns[m][r] = measure(&modes[m])) < 0;
    (void)unlink(page_path);
    for (int m = 0; m < MODES && status == 0; m++) {
        qsort(ns[m], (size_t)rounds, sizeof(double), compare);
        printf("figure: %-30s %9.2f us (median of %d)\n", modes[m].name, ns[m][rounds / 2] / 1000,
               rounds);
    }
    return status;
}
