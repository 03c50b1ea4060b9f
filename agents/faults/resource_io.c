/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/resource.h"
#include "agents/host/disk.h"
#include "agents/host/hostfs.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { FORMAT = 1 };

struct args {
    struct name service;
    struct path path;
    struct bytes read, write;
    int64_t read_ops, write_ops;
};

#define RATE .min = INT64_C(65536), .max = INT64_C(1024) * 1024 * 1024 * 1024
#define OPS  .min = 10, .max = 10000000

static const struct param params[] = {
    P(struct args, PARAM_NAME, service, .required = true,
      .doc = "The lab's service, or the systemd unit."),
    P(struct args, PARAM_PATH, path, .required = true,
      .doc = "A directory, file or block device of the host: the disk beneath it is meant."),
    P(struct args, PARAM_BYTES, read, RATE, .doc = "Bytes read in a second, at most."),
    P(struct args, PARAM_BYTES, write, RATE, .doc = "Bytes written in a second, at most."),
    P(struct args, PARAM_INT, read_ops, OPS, .doc = "Reads in a second, at most."),
    P(struct args, PARAM_INT, write_ops, OPS, .doc = "Writes in a second, at most."),
};

struct io_undo {
    uint32_t version, reserved;
    uint64_t written; /* before */
    char device[24];
    struct resource_limits limits;
};
_Static_assert(sizeof(struct io_undo) <= UNDO_DATA_MAX, "fits the undo record");

enum { N_RATES = 4 };
static const struct {
    const char *v1, *v2;
} rates[N_RATES] = {{"blkio.throttle.read_bps_device", "rbps"},
                    {"blkio.throttle.write_bps_device", "wbps"},
                    {"blkio.throttle.read_iops_device", "riops"},
                    {"blkio.throttle.write_iops_device", "wiops"}};

static void list_wishes(const struct args *a, uint64_t out[N_RATES])
{
    out[0] = a->read.n;
    out[1] = a->write.n;
    out[2] = (uint64_t)a->read_ops;
    out[3] = (uint64_t)a->write_ops;
}

static int check(const void *args, struct err *err)
{
    uint64_t wishes[N_RATES], any = 0;
    list_wishes(args, wishes);
    for (size_t i = 0; i < N_RATES; i++)
        any |= wishes[i];
    if (any == 0)
        return make_error(err, ERR_INPUT, 0, "give read, write, read_ops or write_ops");
    return 0;
}

static int supported(struct fault_host *host, struct err *err)
{
    return cgroup_supported(host, CGROUP_IO, err);
}

/* Version 2 has all of a device in one line; what is not asked for stays as it is. */
static int note_line(struct io_undo *u, int dir, const uint64_t wishes[N_RATES], struct err *err)
{
    static const char none[] = "rbps=max wbps=max riops=max wiops=max";
    char was[CGROUP_VALUE_MAX], ours[CGROUP_VALUE_MAX] = "", *save = NULL;
    if (cgroup_read(dir, "io.max", u->device, none, was, err) != 0)
        return -1;
    for (char *word = strtok_r(was, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        size_t n = strlen(ours), name = strcspn(word, "=");
        const char *space = n > 0 ? " " : "";
        size_t i = 0;
        while (i < N_RATES && (wishes[i] == 0 || strlen(rates[i].v2) != name ||
                               strncmp(rates[i].v2, word, name) != 0))
            i++;
        if (i < N_RATES)
            (void)snprintf(ours + n, sizeof(ours) - n, "%s%s=%llu", space, rates[i].v2,
                           (unsigned long long)wishes[i]);
        else
            (void)snprintf(ours + n, sizeof(ours) - n, "%s%s", space, word);
    }
    return resource_note(&u->limits, dir, "io.max", u->device, none, ours, err);
}

static int note_files(struct io_undo *u, int dir, const uint64_t wishes[N_RATES], struct err *err)
{
    char ours[CGROUP_VALUE_MAX];
    for (size_t i = 0; i < N_RATES; i++) {
        if (wishes[i] == 0)
            continue;
        (void)snprintf(ours, sizeof(ours), "%llu", (unsigned long long)wishes[i]);
        if (resource_note(&u->limits, dir, rates[i].v1, u->device, "0", ours, err) != 0)
            return -1;
    }
    return 0;
}

static uint64_t count_written(const struct io_undo *u, int dir)
{
    char field[40], text[CGROUP_VALUE_MAX];
    unsigned long long n = 0;
    if (u->limits.group.version == 1) {
        (void)snprintf(field, sizeof(field), "%s Write", u->device);
        return cgroup_count(dir, "blkio.throttle.io_service_bytes", field);
    }
    struct err ignored; /* a figure for people */
    if (cgroup_read(dir, "io.stat", u->device, "", text, &ignored) != 0)
        return 0;
    const char *at = strstr(text, "wbytes=");
    return at != NULL && sscanf(at, "wbytes=%llu", &n) == 1 ? n : 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct io_undo *u = (void *)undo->data;
    uint64_t wishes[N_RATES], device;
    CLEANUP_FD int dir = -1;
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    undo->size = sizeof(*u);
    list_wishes(a, wishes);
    if (disk_find(host, a->path.s, &device, err) != 0 ||
        cgroup_find(host, a->service.s, CGROUP_IO, &u->limits.group, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    (void)snprintf(u->device, sizeof(u->device), "%u:%u", major(device), minor(device));
    u->written = count_written(u, dir);
    if ((u->limits.group.version == 2 ? note_line : note_files)(u, dir, wishes, err) != 0)
        return -1;
    for (uint32_t i = 0; i < u->limits.n; i++)
        if (strcmp(u->limits.v[i].was, u->limits.v[i].ours) != 0)
            return 0;
    return make_error(err, ERR_NOT_FOUND, 0, "%s has these limits already", a->service.s);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct io_undo *u = (const void *)undo->data;
    (void)host, (void)args;
    return resource_apply(&u->limits, err);
}

static const struct io_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct io_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct io_undo *u = read_undo(undo, err);
    (void)host;
    return u == NULL ? -1 : resource_is_ours(&u->limits, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct io_undo *u = read_undo(undo, err);
    CLEANUP_FD int dir = -1;
    bool active;
    char text[32];
    if (u == NULL || verify(host, undo, &active, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    uint64_t written = dir >= 0 ? count_written(u, dir) : 0;
    written = written > u->written ? written - u->written : 0;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"limited", active};
    ret->items[1] = (struct evidence_item){"bytes_written", written};
    ret->proven = active;
    (void)snprintf(ret->what, sizeof(ret->what), "device %s is limited, %s were written to it",
                   u->device, bytes_print((struct bytes){written}, text, sizeof(text)));
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct io_undo *u = read_undo(undo, err);
    (void)host;
    memset(ret, 0, sizeof(*ret));
    return u == NULL ? -1 : resource_revert(&u->limits, ret, err);
}

const struct fault fault_resource_io = {
    .name = "resource.io",
    .summary = "Makes a disk slow for one service.",
    .doc =
        "Limits how much the service's control group reads from and writes to the disk beneath "
        "`path` in a second (io.max, blkio.throttle). In version 1 of control groups only what "
        "the service itself waits for is held: reads, fsync and O_DIRECT, not what the kernel "
        "writes later. A file system that others use too may let their fsync wait for "
        "the service's. The service has to run when the fault begins; path must lie on a disk: a "
        "tmpfs has none. In version 2 the group must have the io controller: a lab sees to that, a "
        "unit has it with IOAccounting=yes. A unit that systemd starts anew gets a new group, "
        "without the limits. "
        "At the end they are as before; those that others changed meanwhile stay.",
    .example = "- fault: resource.io\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  path: /var/lib/web\n"
               "  write: 64MiB\n"
               "  for: 5s\n",
    .footprint = "the I/O limits of the service's control group for that disk",
    .touches = TOUCHES_GROUPS,
    .caps = RESOURCE_CAPS,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
