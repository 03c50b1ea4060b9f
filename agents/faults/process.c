/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"
#include "agents/host/systemd.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const process_which[] = {
    [PROC_ALL] = "all", [PROC_ONE] = "one", [PROC_SHARE] = "share", NULL};

struct proc_query process_query(const struct process_choice *c)
{
    return (struct proc_query){.service = c->service.s,
                               .unit = c->unit.s,
                               .pid_file = c->pid_file.s,
                               .name = c->process.s,
                               .cgroup = c->cgroup.s,
                               .tree = c->tree,
                               .which = (enum proc_which)c->which,
                               .share_ppm = c->share.ppm,
                               .seed = (uint64_t)c->seed};
}

int process_check(const struct process_choice *c, struct err *err)
{
    const struct proc_query query = process_query(c);
    if ((c->which == PROC_SHARE) != (c->share.ppm > 0))
        return make_error(
            err, ERR_INPUT, 0,
            "`share` and `which: share` belong together: one says how many, the other "
            "that not all are meant");
    return proc_check_query(&query, err);
}

int process_pidfd_supported(struct fault_host *host, struct err *err)
{
    (void)host;
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0)
        return make_error(err, ERR_UNSUPPORTED, errno, "this kernel gives no pidfd");
    (void)close(fd);
    return 0;
}

/* The signal that ended it may have been one that its unit does not restart after, or the restart
 * may have been given up. */
static void note_unit(const struct process_choice *whom, struct process_services *ret)
{
    struct hostctl_look look;
    struct err ignored; /* without systemd there is no unit to start */
    if (whom->unit.s[0] != '\0' && systemd_look(whom->unit.s, &look, &ignored) == 0 && look.pid > 0)
        ret->v[ret->n++] = whom->unit;
}

int process_note_services(const struct fault_host *host, const struct process_choice *whom,
                          const struct proc_set *procs, struct process_services *ret,
                          struct err *err)
{
    struct service_info list[64];
    uint32_t n = 0;
    ret->n = 0;
    if (!host->lab)
        note_unit(whom, ret);
    else if (service_list(list, 64, &n, err) != 0)
        return -1;
    for (uint32_t s = 0; s < n; s++)
        for (uint32_t i = 0; i < procs->n; i++)
            if (list[s].pid > 0 && procs->v[i].host_pid == list[s].pid &&
                ret->n < PROCESS_SERVICES_MAX)
                ret->v[ret->n++] = list[s].name;
    return 0;
}

int process_heal_services(const struct fault_host *host, const struct process_services *services,
                          struct revert_report *ret, struct err *err)
{
    for (uint32_t i = 0; i < services->n; i++) {
        size_t said = strlen(ret->what);
        if (service_bring_back(host, services->v[i].s, false, ret, err) != 0)
            return -1;
        if (strlen(ret->what) == said)
            service_say(ret, services->v[i].s, RESTORED_BY_POLICY);
    }
    return 0;
}
