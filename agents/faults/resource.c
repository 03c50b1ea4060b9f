/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/resource.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int resource_note(struct resource_limits *limits, int dir, const char *file, const char *key,
                  const char *none, const char *ours, struct err *err)
{
    if (limits->n >= RESOURCE_SETTINGS_MAX)
        return make_error(err, ERR_LIMIT, 0, "too many limits");
    struct resource_setting *s = &limits->v[limits->n];
    (void)snprintf(s->file, sizeof(s->file), "%s", file);
    (void)snprintf(s->key, sizeof(s->key), "%s", key);
    (void)snprintf(s->ours, sizeof(s->ours), "%s", ours);
    if (cgroup_read(dir, file, key, none, s->was, err) != 0)
        return -1;
    limits->n++;
    return 0;
}

uint64_t resource_number(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static int put(int dir, const struct resource_setting *s, const char *value, struct err *err)
{
    char text[CGROUP_VALUE_MAX + sizeof(s->key) + 1];
    (void)snprintf(text, sizeof(text), "%s%s%s", s->key, s->key[0] != '\0' ? " " : "", value);
    return cgroup_write(dir, s->file, text, err);
}

int resource_apply(const struct resource_limits *limits, struct err *err)
{
    CLEANUP_FD int dir = -1;
    char now[CGROUP_VALUE_MAX];
    if (cgroup_open(&limits->group, &dir, err) != 0)
        return -1;
    if (dir < 0)
        return make_error(err, ERR_NOT_FOUND, 0, "%s is gone", limits->group.path);
    for (uint32_t i = 0; i < limits->n; i++) {
        const struct resource_setting *s = &limits->v[i];
        if (cgroup_read(dir, s->file, s->key, s->was, now, err) != 0)
            return -1;
        if (strcmp(now, s->was) != 0)
            return make_error(err, ERR_FOREIGN, 0, "%s says `%s` now, and `%s` just before",
                              s->file, now, s->was);
        if (put(dir, s, s->ours, err) != 0)
            return -1;
    }
    return 0;
}

int resource_is_ours(const struct resource_limits *limits, bool *ret, struct err *err)
{
    CLEANUP_FD int dir = -1;
    char now[CGROUP_VALUE_MAX];
    *ret = false;
    if (cgroup_open(&limits->group, &dir, err) != 0)
        return -1;
    if (dir < 0)
        return 0;
    for (uint32_t i = 0; i < limits->n; i++) {
        const struct resource_setting *s = &limits->v[i];
        if (cgroup_read(dir, s->file, s->key, s->was, now, err) != 0)
            return err->code == ERR_NOT_FOUND ? 0 : -1;
        if (strcmp(now, s->ours) != 0)
            return 0;
    }
    *ret = true;
    return 0;
}

int resource_renew(const struct fault_host *host, const struct undo *undo,
                   const struct resource_limits *limits, const struct proc_id *bearer,
                   int64_t lease_ns, struct err *err)
{
    bool ours;
    if (bearer != NULL)
        return bearer_renew(host, undo, bearer, lease_ns, err);
    if (resource_is_ours(limits, &ours, err) != 0)
        return -1;
    return ours ? 0 : make_error(err, ERR_LAPSED, 0, "the limit is another now");
}

/* One that goes away meanwhile takes its limits with it. */
static int put_back(int dir, const struct resource_setting *s, bool *foreign, struct err *err)
{
    char now[CGROUP_VALUE_MAX];
    if (cgroup_read(dir, s->file, s->key, s->was, now, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (strcmp(now, s->was) == 0)
        return 0;
    if (strcmp(now, s->ours) != 0) {
        *foreign = true;
        return 0;
    }
    if (put(dir, s, s->was, err) != 0 || cgroup_read(dir, s->file, s->key, s->was, now, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    if (strcmp(now, s->was) != 0)
        return make_error(err, ERR_DIRTY, 0, "%s says `%s` instead of `%s`", s->file, now, s->was);
    return 0;
}

int resource_revert(const struct resource_limits *limits, struct revert_report *ret,
                    struct err *err)
{
    CLEANUP_FD int dir = -1;
    if (limits->n > RESOURCE_SETTINGS_MAX)
        return make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    if (cgroup_open(&limits->group, &dir, err) != 0)
        return -1;
    if (dir < 0) {
        (void)snprintf(ret->what, sizeof(ret->what),
                       "the control group has ended, and its limits with it");
        return 0;
    }
    for (uint32_t i = limits->n; i > 0; i--) {
        const struct resource_setting *s = &limits->v[i - 1];
        if (put_back(dir, s, &ret->foreign, err) != 0) {
            (void)snprintf(ret->manual, sizeof(ret->manual), "echo '%.24s%s%.120s' >%.150s/%.40s",
                           s->key, s->key[0] != '\0' ? " " : "", s->was, limits->group.path,
                           s->file);
            return -1;
        }
    }
    (void)snprintf(ret->what, sizeof(ret->what), "%s",
                   ret->foreign ? "limits were changed by others, and stay so"
                                : "the service has its limits back");
    return 0;
}

int resource_bear(const struct fault_host *host, const struct undo *undo,
                  const struct cgroup *group, void (*body)(struct bearer *self, void *arg),
                  void *arg, struct proc_id *ret, struct err *err)
{
    CLEANUP_FD int dir = -1;
    CLEANUP_FD int procs = -1;
    struct bearer_spec spec = {.run = undo->run,
                               .injection = undo->injection,
                               .lease_ns = undo->lease_ns,
                               .start_ns = 2 * NS_PER_SEC,
                               .body = body,
                               .arg = arg};
    if (group != NULL) {
        if (cgroup_open(group, &dir, err) != 0)
            return -1;
        procs = dir < 0 ? -1 : openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (procs < 0)
            return make_error(err, ERR_NOT_FOUND, dir < 0 ? 0 : errno, "%s is gone", group->path);
        spec.fds = &procs;
        spec.n_fds = 1;
    }
    return bearer_start(host, &spec, ret, err);
}

int resource_enter(int procs, struct err *err)
{
    if (write(procs, "0", 1) != 1)
        return make_error(err, ERR_SYSTEM, errno, "enter the service's control group");
    return 0;
}

int resource_unbear(const struct fault_host *host, const struct undo *undo,
                    const struct proc_id *bearer, struct revert_report *ret, struct err *err)
{
    if (bearer_end(host, undo, bearer, 0, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "kill -9 %d", bearer->pid);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "what took it has ended");
    return 0;
}
