/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control group that is a service's own, in version 2 where it has the controller there, else
 * in version 1: found by its processes, held by identity (device and inode of its directory, which
 * no later group of the same name has), its files read and written. A group that holds more than
 * the service is never taken. Knows nothing of faults; nothing here allocates but the questions
 * what this host has.
 */
#ifndef BLACKSTART_AGENTS_HOST_CGROUP_H
#define BLACKSTART_AGENTS_HOST_CGROUP_H

#include "base/err.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum { CGROUP_PATH_MAX = 384, CGROUP_VALUE_MAX = 128 };

enum cgroup_controller { CGROUP_CPU, CGROUP_MEMORY, CGROUP_IO, CGROUP_PIDS };

struct cgroup {
    uint32_t version, reserved; /* 1 or 2 */
    uint64_t dev, ino;
    char path[CGROUP_PATH_MAX]; /* as the agent sees it */
};

/* ERR_UNSUPPORTED where no such limits can be changed: also where the kernel has the controller,
 * and the groups above services do not hand it down to them. */
int cgroup_supported(const struct fault_host *host, enum cgroup_controller controller,
                     struct err *err) MUST_CHECK;

/* How far down a mounted version 2 has a controller: at the root, in what is right below it, or in
 * the groups of services, whether of labs or of systemd's slices. */
enum cgroup_reach { CGROUP_ABSENT, CGROUP_KEPT_BY_ROOT, CGROUP_KEPT_BELOW, CGROUP_REACHES };
enum cgroup_reach cgroup_reach(const char *root, enum cgroup_controller controller, bool lab);

/* The group of a lab's service, or of a systemd unit, that runs. */
int cgroup_find(const struct fault_host *host, const char *service,
                enum cgroup_controller controller, struct cgroup *ret, struct err *err) MUST_CHECK;

/* Pure: of the text of /proc/PID/cgroup the path in that hierarchy (controller NULL: version 2), up
 * to the directory that is called `part`. False when there is none. */
bool cgroup_parse_path(const char *text, const char *controller, const char *part, char *out,
                       size_t size);

/* Its directory; *ret_fd = -1 and 0 when it is gone. */
int cgroup_open(const struct cgroup *group, int *ret_fd, struct err *err) MUST_CHECK;

/* One value of a file: its first line without the end; with a key (not ""), what stands behind that
 * word in the line that begins with it, and `none` when no line does. */
int cgroup_read(int dir, const char *file, const char *key, const char *none,
                char out[CGROUP_VALUE_MAX], struct err *err) MUST_CHECK;
int cgroup_write(int dir, const char *file, const char *text, struct err *err) MUST_CHECK;

/* A number: of the line "field number", or with field "" the whole file. 0 when it is not there. */
uint64_t cgroup_count(int dir, const char *file, const char *field);

#endif
