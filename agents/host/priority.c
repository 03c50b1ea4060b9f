/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/priority.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/sched/types.h cannot be included beside libc's own. The first published size: the kernel
 * leaves what is not in it alone. */
struct sched_attr_v0 {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

enum { FLAG_RESET_ON_FORK = 1, POLICY_DEADLINE = 6 };

bool priority_same(const struct priority *a, const struct priority *b)
{
    return a->nice == b->nice && a->policy == b->policy && a->realtime == b->realtime &&
           a->flags == b->flags && a->io == b->io;
}

static int fail(struct err *err, int32_t tid, const char *what)
{
    if (errno == ESRCH)
        return make_error(err, ERR_NOT_FOUND, 0, "thread %d has ended", tid);
    return make_error(err, ERR_SYSTEM, errno, "%s of thread %d", what, tid);
}

int priority_read(int32_t tid, struct priority *ret, struct err *err)
{
    struct sched_attr_v0 attr = {.size = sizeof(attr)};
    if (syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0) != 0)
        return fail(err, tid, "scheduling");
    /* The niceness of a real-time thread is kept by the kernel, but not told by sched_getattr. */
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)tid);
    if (errno != 0)
        return fail(err, tid, "niceness");
    long io = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, tid);
    if (io < 0)
        return fail(err, tid, "I/O priority");
    if (attr.policy == POLICY_DEADLINE)
        return make_error(err, ERR_REFUSED, 0,
                          "thread %d is scheduled by deadlines, which are left alone", tid);
    *ret = (struct priority){.nice = (int8_t)nice,
                             .policy = (uint8_t)attr.policy,
                             .realtime = (uint8_t)attr.priority,
                             .flags = (uint8_t)(attr.flags & FLAG_RESET_ON_FORK),
                             .io = IOPRIO_PRIO_CLASS(io) == IOPRIO_CLASS_NONE ? 0 : (uint16_t)io};
    return 0;
}

int priority_put(int32_t tid, const struct priority *p, struct err *err)
{
    const struct sched_attr_v0 attr = {.size = sizeof(attr),
                                       .policy = p->policy,
                                       .flags = p->flags,
                                       .nice = p->nice,
                                       .priority = p->realtime};
    if (syscall(SYS_sched_setattr, tid, &attr, 0) != 0)
        return fail(err, tid, "scheduling");
    if (setpriority(PRIO_PROCESS, (id_t)tid, p->nice) != 0)
        return fail(err, tid, "niceness");
    if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, p->io) != 0)
        return fail(err, tid, "I/O priority");
    return 0;
}
