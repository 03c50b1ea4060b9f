/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/resource.h"
#include "agents/host/bearer.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { FORMAT = 1, BURNERS_MAX = 64, QUOTA_MIN_US = 1000, ALL = 1000000 };
enum { COUNT_BURNED_US };
static const int64_t SLICE_NS = 10 * NS_PER_MS;

struct args {
    struct name service;
    struct ratio burn;
    int64_t processes;
    struct ratio limit;
};

static const struct param params[] = {
    P(struct args, PARAM_NAME, service,
      .doc = "The lab's service, or the systemd unit: processors are burned in its control group, "
             "or that is limited. Without it they are burned beside everything on the machine."),
    P(struct args, PARAM_RATIO, burn, .min = 10000, .max = ALL,
      .doc = "Burn this share of each processor."),
    P(struct args, PARAM_INT, processes, .def = "0", .min = 0, .max = BURNERS_MAX,
      .doc = "With `burn`: by so many processes; 0: one for each processor."),
    P(struct args, PARAM_RATIO, limit, .min = 10000, .max = ALL,
      .doc = "Let the service have no more than this share of one processor in all."),
};

struct cpu_undo {
    uint32_t version;
    uint32_t burns;        /* else it limits */
    uint64_t throttled;    /* before */
    struct proc_id burner; /* noted by apply */
    struct resource_limits limits;
};
_Static_assert(sizeof(struct cpu_undo) <= UNDO_DATA_MAX, "fits the undo record");

struct load {
    int64_t busy_ns; /* of each slice */
    int64_t n;
    bool in_group;
};

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    if ((a->burn.ppm != 0) == (a->limit.ppm != 0))
        return make_error(err, ERR_INPUT, 0, "give either burn or limit");
    if (a->limit.ppm != 0 && a->service.s[0] == '\0')
        return make_error(err, ERR_INPUT, 0, "limit needs a service");
    if (a->limit.ppm != 0 && a->processes != 0)
        return make_error(err, ERR_INPUT, 0, "processes belongs to burn");
    return 0;
}

/* Beside everything processors can be burned without a group; what a unit's lacks prepare says. */
static int supported(struct fault_host *host, struct err *err)
{
    return host->lab ? cgroup_supported(host, CGROUP_CPU, err) : 0;
}

static uint64_t count_throttled(int dir)
{
    return dir >= 0 ? cgroup_count(dir, "cpu.stat", "nr_throttled") : 0;
}

/* The period stays as it is: quota and period are one line in version 2, two files in version 1. */
static int note_limit(const struct args *a, struct cpu_undo *u, int dir, struct err *err)
{
    struct resource_limits *l = &u->limits;
    bool v2 = l->group.version == 2;
    char text[CGROUP_VALUE_MAX], ours[CGROUP_VALUE_MAX];
    unsigned long long period = 0;
    if (cgroup_read(dir, v2 ? "cpu.max" : "cpu.cfs_period_us", "", "", text, err) != 0)
        return -1;
    if (sscanf(text, v2 ? "%*s %llu" : "%llu", &period) != 1 || period == 0)
        return make_error(err, ERR_SYSTEM, 0, "the period of the quota is `%s`", text);
    unsigned long long quota = period * a->limit.ppm / ALL;
    if (quota < QUOTA_MIN_US)
        return make_error(err, ERR_REFUSED, 0,
                          "the kernel gives no less than %d us of each period of %llu us",
                          QUOTA_MIN_US, period);
    if (v2)
        (void)snprintf(ours, sizeof(ours), "%llu %llu", quota, period);
    else
        (void)snprintf(ours, sizeof(ours), "%llu", quota);
    if (resource_note(l, dir, v2 ? "cpu.max" : "cpu.cfs_quota_us", "", "", ours, err) != 0)
        return -1;
    if (quota >= resource_number(l->v[0].was))
        return make_error(err, ERR_NOT_FOUND, 0, "%s has no more than that as it is", a->service.s);
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct cpu_undo *u = (void *)undo->data;
    CLEANUP_FD int dir = -1;
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->burns = a->burn.ppm != 0;
    undo->size = sizeof(*u);
    if (a->service.s[0] == '\0')
        return 0;
    if (cgroup_find(host, a->service.s, CGROUP_CPU, &u->limits.group, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    u->throttled = count_throttled(dir);
    return u->burns != 0 ? 0 : note_limit(a, u, dir, err);
}

/* One of the burners: busy for its part of each slice. What it counts is time that it had. */
static _Noreturn void burn_one(struct bearer *self, const struct load *load)
{
    for (;;) {
        int64_t start = clock_system(CLOCK_MONOTONIC), had = clock_system(CLOCK_THREAD_CPUTIME_ID);
        while (clock_system(CLOCK_MONOTONIC) - start < load->busy_ns)
            ;
        bearer_count(self, COUNT_BURNED_US,
                     (uint64_t)(clock_system(CLOCK_THREAD_CPUTIME_ID) - had) / 1000);
        const struct timespec rest = clock_timespec(SLICE_NS - load->busy_ns);
        if (load->busy_ns < SLICE_NS)
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
    }
}

/* Waits until all are there, so that they do not keep their maker from making them. */
static _Noreturn void begin_one(struct bearer *self, const struct load *load, pid_t parent,
                                const int go[2])
{
    char none;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    (void)close(go[1]);
    (void)!read(go[0], &none, 1);
    burn_one(self, load);
}

static int make_burners(struct bearer *self, const struct load *load, struct err *err)
{
    int go[2];
    pid_t parent = getpid();
    if (pipe2(go, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "pipe");
    CLEANUP_FD int theirs = go[0];
    CLEANUP_FD int ours = go[1];
    for (int64_t i = 0; i < load->n; i++) {
        pid_t pid = fork();
        if (pid == 0)
            begin_one(self, load, parent, go);
        if (pid < 0)
            return make_error(err, ERR_SYSTEM, errno, "start a process that burns");
    }
    bearer_ready(self);
    return 0;
}

/* They end with this process, however it ends; it waits for the end, they do not. */
static void burn(struct bearer *self, void *arg)
{
    const struct load *load = arg;
    struct err err;
    if ((load->in_group && resource_enter(BEARER_FD, &err) != 0) ||
        make_burners(self, load, &err) != 0)
        bearer_refuse(self, &err);
    while (bearer_wait(self, -1, 0, -1) >= 0)
        ;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct cpu_undo *u = (void *)undo->data;
    struct load load = {.n = a->processes, .in_group = u->limits.group.path[0] != '\0'};
    if (u->burns == 0)
        return resource_apply(&u->limits, err);
    if (load.n == 0)
        load.n = sysconf(_SC_NPROCESSORS_ONLN);
    if (load.n > BURNERS_MAX)
        load.n = BURNERS_MAX;
    load.busy_ns = SLICE_NS / ALL * a->burn.ppm;
    return resource_bear(host, undo, load.in_group ? &u->limits.group : NULL, burn, &load,
                         &u->burner, err);
}

static const struct cpu_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct cpu_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct cpu_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    if (u->burns == 0)
        return resource_is_ours(&u->limits, ret_active, err);
    *ret_active = bearer_lives(host, &u->burner);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct cpu_undo *u = read_undo(undo, err);
    const struct bearer_counters *counters = bearer_read(undo);
    CLEANUP_FD int dir = -1;
    bool active;
    if (u == NULL || verify(host, undo, &active, err) != 0 ||
        (u->limits.n > 0 && cgroup_open(&u->limits.group, &dir, err) != 0))
        return -1;
    uint64_t throttled = count_throttled(dir);
    throttled = throttled > u->throttled ? throttled - u->throttled : 0;
    uint64_t burned = counters != NULL ? bearer_value(counters, COUNT_BURNED_US) : 0;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"burned_us", burned};
    ret->items[1] = (struct evidence_item){"throttled", throttled};
    ret->proven = active && (burned > 0 || throttled > 0);
    if (u->burns != 0)
        (void)snprintf(ret->what, sizeof(ret->what), "%.3f s of processors burned",
                       (double)burned / 1e6);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "in %llu periods it had to wait",
                       (unsigned long long)throttled);
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct cpu_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    return resource_renew(host, undo, &u->limits, u->burns != 0 ? &u->burner : NULL, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct cpu_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    return u->burns != 0 ? resource_unbear(host, undo, &u->burner, ret, err)
                         : resource_revert(&u->limits, ret, err);
}

const struct fault fault_resource_cpu = {
    .name = "resource.cpu",
    .summary = "Takes processor time: by burning it, or by a quota on a service.",
    .doc = "`burn`: processes of the agent's own are busy for a share of each processor, in the "
           "service's control group, where they compete with it alone, or beside everything; "
           "what they got is counted. `limit`: the group gets a quota (cpu.max, cpu.cfs_quota_us), "
           "and how often the kernel made it wait is counted. In version 2 of control groups its "
           "group must have the cpu controller: a lab sees to that, a unit has it with a "
           "CPUWeight. The service has to run when the "
           "fault begins. A unit that systemd starts anew gets a new group, without the quota. At "
           "the end the quota is as before; one that others changed meanwhile stays.",
    .example = "- fault: resource.cpu\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  burn: 30%\n"
               "  processes: 1\n"
               "  for: 5s\n",
    .footprint = "with `burn` processes of the agent's own, in the service's control group; with "
                 "`limit` that group's quota",
    .touches = TOUCHES_GROUPS,
    .caps = RESOURCE_CAPS | (UINT64_C(1) << CAP_KILL),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_COUNTER,
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
