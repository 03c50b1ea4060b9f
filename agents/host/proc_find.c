/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"

#include "agents/host/hostfs.h"
#include "agents/host/unit_name.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hostctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int find_service(const struct fault_host *host, const char *service, struct proc_set *set,
                        struct err *err)
{
    int32_t pid = 0, state = 0;
    if (!host->lab)
        return make_error(
            err, ERR_UNSUPPORTED, 0,
            "`service` names a lab's service; on a real host give unit, pid_file or process");
    if (hostctl_service(HOSTCTL_STATUS, service, 0, NS_PER_SEC, &pid, &state, err) != 0)
        return wrap_error(err, "service %s", service);
    if (pid <= 0)
        return make_error(err, ERR_NOT_FOUND, 0, "service %s has no running process", service);
    if (proc_find_by(host, NULL, pid, set, err) != 0)
        return -1;
    if (set->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "service %s: its process %d has ended", service,
                          pid);
    return 0;
}

/* A pid file that is older than the process that now has its pid speaks of another process. */
static int check_not_stale(const struct proc_id *id, const struct stat *file, const char *path,
                           struct err *err)
{
    int64_t hz = sysconf(_SC_CLK_TCK);
    int64_t boot = clock_system(CLOCK_REALTIME) - clock_system(CLOCK_BOOTTIME);
    int64_t started = boot / NS_PER_SEC + (int64_t)id->start / (hz > 0 ? hz : 100);
    if (started > (int64_t)file->st_mtim.tv_sec + 2)
        return make_error(err, ERR_NOT_FOUND, 0,
                          "%s is stale: process %d started after the file was written", path,
                          id->host_pid);
    return 0;
}

static int find_pid_file(const struct fault_host *host, const char *path, struct proc_set *set,
                         struct err *err)
{
    char text[64];
    struct stat st;
    int32_t pid = 0;
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, path, O_RDONLY, &fd, err) != 0)
        return -1;
    ssize_t n = read(fd, text, sizeof(text));
    if (n < 0 || fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "read %s", path);
    if (proc_parse_pid_file(text, (size_t)n, &pid, err) != 0)
        return wrap_error(err, "%s", path);
    if (proc_find_by(host, NULL, pid, set, err) != 0)
        return -1;
    if (set->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "%s names process %d, which is not running", path,
                          pid);
    return check_not_stale(&set->v[0], &st, path, err);
}

static int find_name(const struct fault_host *host, const char *name, struct proc_set *set,
                     struct err *err)
{
    if (proc_find_by(host, name, 0, set, err) != 0)
        return -1;
    if (set->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "no process of this host is called %s", name);
    return 0;
}

/* A lab's init gives each service a cgroup HOST.SERVICE where the kernel and its rights allow it;
 * without one the main process and what descends from it are all that can be told to be its own. */
static int find_lab_unit(const struct fault_host *host, const char *unit, struct proc_set *set,
                         struct err *err)
{
    char cgroup[2 * NAME_MAX_LEN + 2];
    uint32_t added;
    (void)snprintf(cgroup, sizeof(cgroup), "%s.%s", host->name, unit);
    if (find_service(host, unit, set, err) != 0 || proc_add_tree(host, set, &added, err) != 0)
        return -1;
    return proc_find_in(host, cgroup, set, err);
}

/* A unit's processes are those in the cgroup of its name: systemd's own way to tell. */
static int find_unit(const struct fault_host *host, const char *unit, struct proc_set *set,
                     struct err *err)
{
    char name[UNIT_NAME_SIZE];
    if (host->lab)
        return find_lab_unit(host, unit, set, err);
    unit_name_full(name, unit);
    if (proc_find_in(host, name, set, err) != 0)
        return -1;
    if (set->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "no process of this host is in a unit %s", name);
    return 0;
}

static int find_cgroup(const struct fault_host *host, const char *cgroup, struct proc_set *set,
                       struct err *err)
{
    if (proc_find_in(host, cgroup, set, err) != 0)
        return -1;
    if (set->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "no process of this host is in the cgroup %s",
                          cgroup);
    return 0;
}

int proc_find(const struct fault_host *host, const struct proc_query *query, struct proc_set *set,
              struct err *err)
{
    const struct {
        const char *text;
        int (*find)(const struct fault_host *host, const char *text, struct proc_set *set,
                    struct err *err);
    } ways[] = {{query->service, find_service},
                {query->unit, find_unit},
                {query->pid_file, find_pid_file},
                {query->name, find_name},
                {query->cgroup, find_cgroup}};
    uint32_t added;
    set->n = 0;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (ways[i].text != NULL && ways[i].text[0] != '\0' &&
            ways[i].find(host, ways[i].text, set, err) != 0)
            return -1;
    proc_choose(set, query->which, query->share_ppm, query->seed);
    return query->tree ? proc_add_tree(host, set, &added, err) : 0;
}
