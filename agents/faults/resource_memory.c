/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/resource.h"
#include "agents/host/bearer.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FORMAT = 1, STEP = 1024 * 1024, TOUCH_MS = 200 };
enum { COUNT_HELD };

#define MIB INT64_C(1048576)
#define TIB (INT64_C(1024) * 1024 * MIB)

struct args {
    struct name service;
    struct bytes limit, above, hold;
};

static const struct param params[] = {
    P(struct args, PARAM_NAME, service, .required = true,
      .doc = "The lab's service, or the systemd unit."),
    P(struct args, PARAM_BYTES, limit, .min = MIB, .max = TIB,
      .doc = "It may use so much in all. Version 2 of control groups ends processes that use more "
             "at once, version 1 refuses to go below what is in use."),
    P(struct args, PARAM_BYTES, above, .min = MIB, .max = TIB,
      .doc = "It may use so much more than it does when the fault begins."),
    P(struct args, PARAM_BYTES, hold, .min = MIB, .max = TIB,
      .doc = "A process of the agent's own holds so much in the service's control group."),
};

struct memory_undo {
    uint32_t version, reserved;
    uint64_t hits, kills; /* before */
    uint64_t hold;
    struct proc_id holder; /* noted by apply */
    struct resource_limits limits;
};
_Static_assert(sizeof(struct memory_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    if ((a->limit.n != 0) + (a->above.n != 0) + (a->hold.n != 0) != 1)
        return make_error(err, ERR_INPUT, 0, "give exactly one of limit, above and hold");
    return 0;
}

static int supported(struct fault_host *host, struct err *err)
{
    return cgroup_supported(host, CGROUP_MEMORY, err);
}

static uint64_t count_used(const struct cgroup *group, int dir)
{
    return cgroup_count(dir, group->version == 2 ? "memory.current" : "memory.usage_in_bytes", "");
}

/* How often the limit was met, and how many processes were ended for it. */
static void count_hits(const struct cgroup *group, int dir, uint64_t *hits, uint64_t *kills)
{
    bool v2 = group->version == 2;
    *hits = cgroup_count(dir, v2 ? "memory.events" : "memory.failcnt", v2 ? "max" : "");
    *kills = cgroup_count(dir, v2 ? "memory.events" : "memory.oom_control", "oom_kill");
}

static int note_limit(const struct args *a, struct memory_undo *u, int dir, struct err *err)
{
    struct resource_limits *l = &u->limits;
    bool v2 = l->group.version == 2;
    const char *file = v2 ? "memory.max" : "memory.limit_in_bytes";
    char ours[CGROUP_VALUE_MAX];
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), used = count_used(&l->group, dir);
    uint64_t limit = a->limit.n != 0 ? a->limit.n : used + a->above.n;
    limit -= limit % page;
    (void)snprintf(ours, sizeof(ours), "%llu", (unsigned long long)limit);
    if (resource_note(l, dir, file, "", "", ours, err) != 0)
        return -1;
    if (limit >= resource_number(l->v[0].was))
        return make_error(err, ERR_NOT_FOUND, 0, "%s may not use more than %s bytes as it is",
                          a->service.s, l->v[0].was);
    return 0;
}

static int check_room(const struct fault_host *host, uint64_t hold, struct err *err)
{
    char text[2048];
    unsigned long long kib = 0;
    CLEANUP_FD int fd = openat(host->proc, "meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strstr(text, "MemAvailable:");
    if (at == NULL || sscanf(at, "MemAvailable: %llu", &kib) != 1)
        return make_error(err, ERR_SYSTEM, n < 0 ? errno : 0, "how much memory is available");
    if (kib * 1024 / 10 * 9 < hold)
        return make_error(err, ERR_REFUSED, 0,
                          "the machine has %llu MiB available, of which a tenth is left alone",
                          kib / 1024);
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct memory_undo *u = (void *)undo->data;
    CLEANUP_FD int dir = -1;
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->hold = a->hold.n;
    undo->size = sizeof(*u);
    if (cgroup_find(host, a->service.s, CGROUP_MEMORY, &u->limits.group, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    count_hits(&u->limits.group, dir, &u->hits, &u->kills);
    return u->hold != 0 ? check_room(host, u->hold, err) : note_limit(a, u, dir, err);
}

static void touch(unsigned char *at, uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 4096)
        ((volatile unsigned char *)at)[i]++;
}

/* Step by step, so that an order to end is heard in between; touched again and again, so that it
 * is not swapped out. */
static void hold(struct bearer *self, void *arg)
{
    uint64_t size = *(const uint64_t *)arg, held = 0;
    struct err err;
    unsigned char *at = MAP_FAILED;
    if (resource_enter(BEARER_FD, &err) != 0)
        bearer_refuse(self, &err);
    at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
              0);
    if (at == MAP_FAILED) {
        (void)make_error(&err, ERR_SYSTEM, errno, "hold memory");
        bearer_refuse(self, &err);
    }
    bearer_ready(self);
    while (bearer_wait(self, -1, 0, held < size ? 0 : TOUCH_MS * NS_PER_MS) >= 0) {
        if (held == size) {
            touch(at, size);
            continue;
        }
        uint64_t step = size - held < STEP ? size - held : STEP;
        touch(at + held, step);
        held += step;
        bearer_set(self, COUNT_HELD, held);
    }
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct memory_undo *u = (void *)undo->data;
    (void)args;
    if (u->hold != 0)
        return resource_bear(host, undo, &u->limits.group, hold, &u->hold, &u->holder, err);
    if (resource_apply(&u->limits, err) == 0)
        return 0;
    if (err->sys == EBUSY)
        return make_error(err, ERR_REFUSED, 0,
                          "more than %s bytes are in use, and version 1 of control groups takes "
                          "no lower limit: give `above`",
                          u->limits.v[0].ours);
    return -1;
}

static const struct memory_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct memory_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct memory_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    if (u->hold == 0)
        return resource_is_ours(&u->limits, ret_active, err);
    *ret_active = bearer_lives(host, &u->holder);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct memory_undo *u = read_undo(undo, err);
    const struct bearer_counters *counters = bearer_read(undo);
    CLEANUP_FD int dir = -1;
    uint64_t hits = 0, kills = 0, used = 0;
    bool active;
    char text[32];
    if (u == NULL || verify(host, undo, &active, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    if (dir >= 0) {
        count_hits(&u->limits.group, dir, &hits, &kills);
        used = count_used(&u->limits.group, dir);
    }
    memset(ret, 0, sizeof(*ret));
    uint64_t held = counters != NULL ? bearer_value(counters, COUNT_HELD) : 0;
    ret->n = 5;
    ret->items[0] = (struct evidence_item){"limited", u->hold == 0 && active};
    ret->items[1] = (struct evidence_item){"bytes_used", used};
    ret->items[2] = (struct evidence_item){"bytes_held", held};
    ret->items[3] = (struct evidence_item){"limit_hits", hits > u->hits ? hits - u->hits : 0};
    ret->items[4] = (struct evidence_item){"oom_kills", kills > u->kills ? kills - u->kills : 0};
    ret->proven = active && (u->hold == 0 || held > 0);
    (void)snprintf(ret->what, sizeof(ret->what),
                   "%s used%s; the limit was met %llu times, %llu "
                   "processes were ended",
                   bytes_print((struct bytes){used}, text, sizeof(text)),
                   u->hold != 0 ? ", with what is held" : "",
                   (unsigned long long)ret->items[3].value,
                   (unsigned long long)ret->items[4].value);
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct memory_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    return resource_renew(host, undo, &u->limits, u->hold != 0 ? &u->holder : NULL, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct memory_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    return u->hold != 0 ? resource_unbear(host, undo, &u->holder, ret, err)
                        : resource_revert(&u->limits, ret, err);
}

const struct fault fault_resource_memory = {
    .name = "resource.memory",
    .summary = "Takes memory from a service: by a lower limit, or by using it up.",
    .doc = "Lowers the memory limit of the service's control group (`limit`, `above`): when it "
           "needs more, the kernel reclaims its caches, swaps if it can, and then ends a process "
           "of it. Or a process of the agent's own takes `hold` in the same group and keeps "
           "touching it, as much as the group's limit lets it; it is the one that the kernel "
           "ends first if it is the largest. How often the limit was met and how many "
           "processes were ended is counted. The service has to run when the fault begins. A unit "
           "that systemd starts anew gets a new group, without the limit. At the end the limit is "
           "as before; one that others changed meanwhile stays.",
    .example = "- fault: resource.memory\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  above: 16MiB\n"
               "  for: 5s\n",
    .footprint = "the memory limit of the service's control group; with `hold` one process of the "
                 "agent's own in it",
    .touches = TOUCHES_GROUPS,
    .caps = RESOURCE_CAPS | (UINT64_C(1) << CAP_KILL),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = 3000,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
