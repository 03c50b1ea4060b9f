/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/machine.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 1024, STEAL = 7, FIELDS = 8 };

/* The first line of /proc/stat: user nice system idle iowait irq softirq steal. */
static void stat_parse(const char *text, struct machine *ret)
{
    int64_t sum = 0;
    if (strncmp(text, "cpu ", 4) != 0)
        return;
    const char *at = text + 4;
    for (int i = 0; i < FIELDS; i++) {
        char *end = NULL;
        int64_t v = strtoll(at, &end, 10);
        if (end == at || v < 0)
            return;
        sum += v;
        if (i == STEAL)
            ret->steal = v;
        at = end;
    }
    ret->ticks = sum;
}

struct machine machine_parse(const char *stat, const char *pressure, const char *load)
{
    struct machine m = {-1, -1, -1, -1};
    const char *total = pressure != NULL ? strstr(pressure, "total=") : NULL;
    char *end = NULL;
    if (stat != NULL)
        stat_parse(stat, &m);
    if (total != NULL && strncmp(pressure, "some ", 5) == 0)
        m.pressure_us = strtoll(total + strlen("total="), NULL, 10);
    double average = load != NULL ? strtod(load, &end) : 0;
    if (load != NULL && end != load && average >= 0 && average < 1e9)
        m.load_milli = (int64_t)(average * 1000);
    return m;
}

static const char *head_read(const char *path, char out[HEAD])
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, HEAD - 1) : -1;
    if (n < 0)
        return NULL;
    out[n] = '\0';
    return out;
}

struct machine machine_read(void)
{
    char stat[HEAD], pressure[HEAD], load[HEAD];
    return machine_parse(head_read("/proc/stat", stat), head_read("/proc/pressure/cpu", pressure),
                         head_read("/proc/loadavg", load));
}
