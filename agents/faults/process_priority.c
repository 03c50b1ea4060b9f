/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "agents/host/priority.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORMAT = 1, THREADS_MAX = 480 };

enum { POLICY_KEEP, POLICY_OTHER, POLICY_BATCH, POLICY_IDLE, POLICY_FIFO, POLICY_RR };
static const char *const policies[] = {"keep", "other", "batch", "idle", "fifo", "rr", NULL};
static const uint8_t policy_numbers[] = {0,          SCHED_OTHER, SCHED_BATCH,
                                         SCHED_IDLE, SCHED_FIFO,  SCHED_RR};
enum { IO_KEEP, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE };
static const char *const io_classes[] = {"keep", "realtime", "best_effort", "idle", NULL};

struct args {
    struct process_choice whom;
    int64_t nice;
    int policy;
    int64_t realtime_priority;
    int io;
    int64_t io_level;
};

static const struct param params[] = {
    PROCESS_CHOICE,
    P(struct args, PARAM_INT, nice, .def = "19", .min = -20, .max = 19,
      .doc = "The niceness: 19 gets the least of a processor that others want too, -20 the most."),
    P(struct args, PARAM_ENUM, policy, .def = "keep", .choices = policies,
      .doc = "The scheduling policy. fifo and rr go before everybody else, idle behind."),
    P(struct args, PARAM_INT, realtime_priority, .def = "1", .min = 1, .max = 99,
      .doc = "With fifo and rr: the priority among them."),
    P(struct args, PARAM_ENUM, io, .def = "keep", .choices = io_classes,
      .doc = "The class of its disk I/O, where the disk's scheduler knows classes."),
    P(struct args, PARAM_INT, io_level, .def = "4", .min = 0, .max = 7,
      .doc = "With realtime and best_effort: the level in the class, 0 the first."),
};

struct thread {
    struct proc_id id;   /* of the thread; host_pid holds the process it is of */
    struct priority was; /* before */
};

struct priority_undo {
    uint32_t version;
    uint32_t n;
    uint64_t since; /* clock ticks: what was started later may have inherited */
    uint8_t policy, realtime, sets_policy, sets_io;
    int8_t nice;
    uint8_t reserved;
    uint16_t io;
    struct thread v[THREADS_MAX];
};
_Static_assert(sizeof(struct priority_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    return process_check(&a->whom, err);
}

/* In a user namespace of its own a process may lower priorities, but never raise one again. */
static bool has_initial_ids(const struct fault_host *host)
{
    unsigned from = 1, to = 1, n = 0;
    char text[128] = "";
    CLEANUP_FD int fd = openat(host->proc, "self/uid_map", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
           sscanf(text, "%u %u %u", &from, &to, &n) == 3 && from == 0 && to == 0 && n == UINT32_MAX;
}

static int supported(struct fault_host *host, struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &head, data) != 0 || (data[0].effective >> CAP_SYS_NICE & 1) == 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "without CAP_SYS_NICE no priority could be put back");
    if (!has_initial_ids(host))
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "in a user namespace no priority could be put back; run as root");
    return 0;
}

static const struct priority_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct priority_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->n <= THREADS_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

/* What a thread that was so is to be. */
static struct priority changed(const struct priority_undo *u, const struct priority *was)
{
    struct priority p = *was;
    p.nice = u->nice;
    if (u->sets_policy != 0) {
        p.policy = u->policy;
        p.realtime = u->realtime;
    }
    if (u->sets_io != 0)
        p.io = u->io;
    return p;
}

static const struct thread *find_thread(const struct priority_undo *u, int32_t tid)
{
    for (uint32_t i = 0; i < u->n; i++)
        if (u->v[i].id.pid == tid)
            return &u->v[i];
    return NULL;
}

/* 0: there it is; 1: it has gone. One that lives and cannot be looked at is neither. */
static int look_at(const struct fault_host *host, int32_t tid, struct proc_id *ret, struct err *err)
{
    if (proc_identify(host->proc, tid, ret, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND ? 1 : -1;
}

static int add_thread(const struct fault_host *host, int32_t process, int32_t tid, void *ctx,
                      struct err *err)
{
    struct priority_undo *u = ctx;
    struct thread t = {0};
    int rc = find_thread(u, tid) != NULL ? 1 : look_at(host, tid, &t.id, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    t.id.host_pid = process;
    if (priority_read(tid, &t.was, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (u->n >= THREADS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d threads", THREADS_MAX);
    u->v[u->n++] = t;
    return 0;
}

static int walk_threads(const struct fault_host *host, int32_t process,
                        int (*each)(const struct fault_host *host, int32_t process, int32_t tid,
                                    void *ctx, struct err *err),
                        void *ctx, struct err *err)
{
    char dir[48];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    (void)snprintf(dir, sizeof(dir), "%d/task", process);
    if (proc_walk_open(&walk, host->proc, dir, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    for (int32_t tid; proc_walk_next(&walk, &tid);)
        if (each(host, process, tid, ctx, err) != 0)
            return -1;
    return proc_walk_end(&walk, err);
}

static void note_wish(const struct args *a, struct priority_undo *u)
{
    static const unsigned classes[] = {[IO_REALTIME] = IOPRIO_CLASS_RT,
                                       [IO_BEST_EFFORT] = IOPRIO_CLASS_BE,
                                       [IO_IDLE] = IOPRIO_CLASS_IDLE};
    bool realtime = a->policy == POLICY_FIFO || a->policy == POLICY_RR;
    u->nice = (int8_t)a->nice;
    u->sets_policy = a->policy != POLICY_KEEP;
    u->policy = policy_numbers[a->policy];
    u->realtime = realtime ? (uint8_t)a->realtime_priority : 0;
    u->sets_io = a->io != IO_KEEP;
    if (u->sets_io != 0)
        u->io = (uint16_t)(classes[a->io] << IOPRIO_CLASS_SHIFT |
                           (a->io == IO_IDLE ? 0U : (unsigned)a->io_level));
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct priority_undo *u = (void *)undo->data;
    struct proc_query query = process_query(&a->whom);
    struct proc_set set;
    int64_t hz = sysconf(_SC_CLK_TCK);
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    u->since = (uint64_t)(clock_system(CLOCK_BOOTTIME) / (NS_PER_SEC / (hz > 0 ? hz : 100)));
    note_wish(a, u);
    undo->size = sizeof(*u);
    if (proc_find(host, &query, &set, err) != 0)
        return -1;
    for (uint32_t i = 0; i < set.n; i++)
        if (walk_threads(host, set.v[i].pid, add_thread, u, err) != 0)
            return -1;
    for (uint32_t i = 0; i < u->n; i++) {
        struct priority p = changed(u, &u->v[i].was);
        if (!priority_same(&p, &u->v[i].was))
            return 0;
    }
    return make_error(err, ERR_NOT_FOUND, 0, "nothing there has another priority than that");
}

/* As look_at(), of that thread and no later one of its number. */
static int find_again(const struct fault_host *host, const struct thread *t, struct err *err)
{
    struct proc_id id;
    int rc = look_at(host, t->id.pid, &id, err);
    return rc == 0 && id.start != t->id.start ? 1 : rc;
}

/* The first thread of a process, which still lives. */
static int is_leader(const struct fault_host *host, const struct thread *t, bool *ret,
                     struct err *err)
{
    *ret = false;
    if (t->id.pid != t->id.host_pid)
        return 0;
    int rc = find_again(host, t, err);
    *ret = rc == 0;
    return rc < 0 ? -1 : 0;
}

/* The kernel takes a number, not a descriptor: the look at who has it comes right before. */
static int put(const struct fault_host *host, const struct thread *t, const struct priority *p,
               struct err *err)
{
    int rc = find_again(host, t, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (priority_put(t->id.pid, p, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

/* Threads that were started since prepare are taken too, as often as there are new ones. */
static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct priority_undo *u = (void *)undo->data;
    bool leads;
    (void)args;
    for (uint32_t done = 0; done < u->n;) {
        uint32_t known = u->n;
        for (; done < known; done++) {
            struct priority p = changed(u, &u->v[done].was);
            if (put(host, &u->v[done], &p, err) != 0)
                return -1;
        }
        for (uint32_t i = 0; i < known; i++)
            if (is_leader(host, &u->v[i], &leads, err) != 0 ||
                (leads && walk_threads(host, u->v[i].id.pid, add_thread, u, err) != 0))
                return -1;
    }
    return 0;
}

static int count(const struct fault_host *host, const struct priority_undo *u, uint32_t *ret_ours,
                 uint32_t *ret_all, struct err *err)
{
    *ret_ours = *ret_all = 0;
    for (uint32_t i = 0; i < u->n; i++) {
        struct priority now, ours = changed(u, &u->v[i].was);
        int rc = find_again(host, &u->v[i], err);
        if (rc < 0)
            return -1;
        if (rc > 0)
            continue;
        if (priority_read(u->v[i].id.pid, &now, err) != 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
            continue;
        }
        *ret_all += 1;
        *ret_ours += priority_same(&now, &ours);
    }
    return 0;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct priority_undo *u = read_undo(undo, err);
    uint32_t ours, all;
    if (u == NULL || count(host, u, &ours, &all, err) != 0)
        return -1;
    *ret_active = ours > 0 && ours == all;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct priority_undo *u = read_undo(undo, err);
    uint32_t ours, all;
    if (u == NULL || count(host, u, &ours, &all, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"threads_changed", ours};
    ret->items[1] = (struct evidence_item){"threads", all};
    ret->proven = ours > 0 && ours == all;
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u threads have the priority", ours, all);
    return 0;
}

/* A put that was cut short leaves some of before beside some of ours. */
static bool is_ours(const struct priority *now, const struct priority *was,
                    const struct priority *ours)
{
    bool nice = now->nice == was->nice || now->nice == ours->nice;
    bool policy = (now->policy == was->policy && now->realtime == was->realtime) ||
                  (now->policy == ours->policy && now->realtime == ours->realtime);
    return nice && policy && (now->io == was->io || now->io == ours->io);
}

static int put_back(const struct fault_host *host, const struct priority_undo *u,
                    const struct thread *t, uint32_t *foreign, struct err *err)
{
    struct priority now, ours = changed(u, &t->was);
    int rc = find_again(host, t, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (priority_read(t->id.pid, &now, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (priority_same(&now, &t->was))
        return 0;
    if (!is_ours(&now, &t->was, &ours)) {
        *foreign += 1;
        return 0;
    }
    if (put(host, t, &t->was, err) != 0)
        return -1;
    rc = find_again(host, t, err);
    if (rc < 0)
        return -1;
    if (rc == 0 && priority_read(t->id.pid, &now, err) == 0 && !priority_same(&now, &t->was))
        return make_error(err, ERR_DIRTY, 0, "thread %d does not take its priority back",
                          t->id.pid);
    return 0;
}

/* Who inherited: what the first thread of a chosen process had is what they get. */
struct heirs {
    const struct priority_undo *u;
    const struct thread *first;
};

static int put_heir_back(const struct fault_host *host, int32_t process, int32_t tid, void *ctx,
                         struct err *err)
{
    const struct heirs *heirs = ctx;
    uint32_t foreign = 0;
    struct thread t = {.was = heirs->first->was};
    struct priority now, ours = changed(heirs->u, &t.was);
    (void)process;
    int rc = find_thread(heirs->u, tid) != NULL ? 1 : look_at(host, tid, &t.id, err);
    if (rc != 0 || t.id.start < heirs->u->since)
        return rc < 0 ? -1 : 0;
    if (priority_read(tid, &now, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    return priority_same(&now, &ours) ? put_back(host, heirs->u, &t, &foreign, err) : 0;
}

static int put_heirs_back(const struct fault_host *host, const struct priority_undo *u,
                          const struct thread *first, struct err *err)
{
    struct heirs heirs = {u, first};
    struct proc_set set = {.n = 1, .v = {first->id}};
    uint32_t added;
    if (proc_add_tree(host, &set, &added, err) != 0)
        return -1;
    for (uint32_t i = 0; i < set.n; i++)
        if (walk_threads(host, set.v[i].pid, put_heir_back, &heirs, err) != 0)
            return -1;
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct priority_undo *u = read_undo(undo, err);
    uint32_t foreign = 0;
    bool leads;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    for (uint32_t i = 0; i < u->n; i++)
        if (put_back(host, u, &u->v[i], &foreign, err) != 0)
            return -1;
    for (uint32_t i = 0; i < u->n; i++)
        if (is_leader(host, &u->v[i], &leads, err) != 0 ||
            (leads && put_heirs_back(host, u, &u->v[i], err) != 0))
            return -1;
    ret->foreign = foreign > 0;
    if (foreign > 0)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%u threads were given another priority by others, and keep it", foreign);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "%u threads have their priority back", u->n);
    return 0;
}

const struct fault fault_process_priority = {
    .name = "process.priority",
    .summary = "Gives processes another priority: for the processor, and for disk I/O.",
    .doc = "Sets niceness, and if asked to scheduling policy and I/O class, of every thread of the "
           "chosen processes. What was started from them meanwhile inherits it, as always. At the "
           "end every thread gets back what it had, and what is still their descendant and "
           "inherited gets what its ancestor had; a thread that others gave another priority "
           "meanwhile keeps that. Threads that are scheduled by deadlines are refused.",
    .example = "- fault: process.priority\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  nice: 19\n"
               "  for: 5s\n",
    .footprint = "the processes that the parameters name, and what descends from them",
    .touches = TOUCHES_PROCESSES,
    .caps = (UINT64_C(1) << CAP_SYS_NICE) | (UINT64_C(1) << CAP_SYS_PTRACE),
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
