/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/registry.h"

#include "base/cleanup.h"
#include "lab/lab_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>

static void decref_at(json_t **j)
{
    json_decref(*j);
}
#define CLEANUP_JSON CLEANUP(decref_at)

int registry_identify(pid_t pid, struct registry_process *ret, struct err *err)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (n <= 0)
        return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended", (int)pid);
    text[n] = '\0';
    /* The name may hold blanks and parentheses; the start time is the 20th field behind it. */
    char *at = strrchr(text, ')');
    for (int field = 0; at != NULL && field < 20; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL)
        return make_error(err, ERR_SYSTEM, 0, "%s has another form than expected", path);
    *ret = (struct registry_process){.pid = pid, .start = strtoull(at, NULL, 10)};
    return 0;
}

int registry_open(const struct registry_process *process, int *ret_pidfd, struct err *err)
{
    struct registry_process now;
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd < 0)
        return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended", (int)process->pid);
    if (registry_identify(process->pid, &now, err) != 0)
        return -1;
    if (now.start != process->start)
        return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended (its number is another's)",
                          (int)process->pid);
    *ret_pidfd = steal_fd(&fd);
    return 0;
}

static json_t *process_json(pid_t pid, struct err *err)
{
    struct registry_process p = {.pid = 0};
    if (registry_identify(pid, &p, err) != 0)
        return NULL;
    return json_pack("{s:I, s:I}", "pid", (json_int_t)p.pid, "start", (json_int_t)p.start);
}

static int add_hosts(const struct lab *lab, json_t *list, struct err *err)
{
    for (size_t i = 0; i < lab->context.n_hosts; i++) {
        json_t *host = process_json(lab->hosts[i].init_pid, err);
        if (host == NULL)
            return -1;
        (void)json_object_set_new(host, "name", json_string(lab->hosts[i].name));
        (void)json_object_set_new(host, "ip", json_string(lab->context.hosts[i].ip));
        (void)json_object_set_new(host, "ip6", json_string(lab->context.hosts[i].ip6));
        (void)json_array_append_new(list, host);
    }
    return 0;
}

/* Whoever reads sees the old or the new, never half. */
static int put_file(const char *state_dir, const json_t *object, struct err *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" REGISTRY_FILE, state_dir);
    int m = snprintf(fresh, sizeof(fresh), "%s/" REGISTRY_FILE ".new", state_dir);
    if (n < 0 || m < 0 || m >= PATH_MAX)
        return make_error(err, ERR_LIMIT, 0, "the path of the lab's state is too long");
    if (json_dump_file(object, fresh, JSON_INDENT(2)) != 0 || rename(fresh, path) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write %s", path);
    return 0;
}

int registry_write(const struct lab *lab, struct err *err)
{
    const struct lab_context *c = &lab->context;
    CLEANUP_JSON json_t *hosts = json_array();
    CLEANUP_JSON json_t *services = json_array();
    CLEANUP_JSON json_t *holder = process_json(getpid(), err);
    if (holder == NULL || add_hosts(lab, hosts, err) != 0)
        return -1;
    for (size_t i = 0; i < c->spec->n_services; i++)
        (void)json_array_append_new(services, json_string(c->spec->services[i].name));
    CLEANUP_JSON json_t *all =
        json_pack("{s:s, s:s, s:s, s:O, s:O, s:O, s:b, s:b}", "id", c->id, "name", c->id,
                  "state_dir", c->state_dir, "holder", holder, "hosts", hosts, "services", services,
                  "rootless", c->rootless, "id_range", c->id_range);
    if (all == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory to note the lab");
    return put_file(c->state_dir, all, err);
}

static json_t *read_file(const char *state_dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" REGISTRY_FILE, state_dir);
    return n > 0 && n < PATH_MAX ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

int registry_extend(const char *state_dir, json_t *extra, struct err *err)
{
    CLEANUP_JSON json_t *mine = extra;
    CLEANUP_JSON json_t *all = read_file(state_dir);
    if (all == NULL || json_object_update(all, mine) != 0)
        return make_error(err, ERR_SYSTEM, 0, "the lab's %s cannot be read", REGISTRY_FILE);
    return put_file(state_dir, all, err);
}

/* Its fabric holds the lock. */
static bool is_alive(const char *state_dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/lab.lock", state_dir);
    CLEANUP_FD int fd = n > 0 && n < PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

int registry_list(const char *base_dir, json_t **ret, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(base_dir);
    json_t *list = json_array();
    if (list == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/%s", base_dir, e->d_name);
        if (e->d_name[0] == '.' || n < 0 || n >= PATH_MAX || !is_alive(path))
            continue;
        json_t *lab = read_file(path);
        if (lab != NULL)
            (void)json_array_append_new(list, lab);
    }
    *ret = list;
    return 0;
}

static bool has_name(const json_t *lab, const char *name)
{
    const char *id = json_string_value(json_object_get(lab, "id"));
    const char *called = json_string_value(json_object_get(lab, "name"));
    return (id != NULL && strcmp(id, name) == 0) || (called != NULL && strcmp(called, name) == 0);
}

static int not_found(const json_t *list, const char *name, struct err *err)
{
    char names[200] = "";
    size_t used = 0, i;
    const json_t *lab;
    json_array_foreach(list, i, lab)
    {
        const char *called = json_string_value(json_object_get(lab, "name"));
        int n = snprintf(names + used, sizeof(names) - used, "%s%s", used != 0 ? ", " : "", called);
        used += n > 0 && (size_t)n < sizeof(names) - used ? (size_t)n : 0;
    }
    if (json_array_size(list) == 0)
        return make_error(err, ERR_NOT_FOUND, 0,
                          "no lab is up; \"blackstart lab up FILE\" makes one");
    if (name == NULL)
        return make_error(err, ERR_USAGE, 0, "which lab? --name one of: %s", names);
    return make_error(err, ERR_NOT_FOUND, 0, "no lab \"%s\" is up; there are: %s", name, names);
}

static int pick(const json_t *list, const char *name, json_t **ret, struct err *err)
{
    size_t i;
    json_t *lab;
    json_array_foreach(list, i, lab)
    {
        if (name != NULL ? !has_name(lab, name) : json_array_size(list) != 1)
            continue;
        *ret = json_incref(lab);
        return 0;
    }
    return not_found(list, name, err);
}

int registry_find(const char *base_dir, const char *name, json_t **ret, struct err *err)
{
    CLEANUP_JSON json_t *list = NULL;
    return registry_list(base_dir, &list, err) != 0 ? -1 : pick(list, name, ret, err);
}

const json_t *registry_host(const json_t *lab, const char *name)
{
    size_t i;
    const json_t *host;
    json_array_foreach(json_object_get(lab, "hosts"), i, host)
    {
        const char *called = json_string_value(json_object_get(host, "name"));
        if (called != NULL && strcmp(called, name) == 0)
            return host;
    }
    return NULL;
}

int registry_find_with(const char *base_dir, const char *name, const char *host, json_t **ret,
                       struct err *err)
{
    CLEANUP_JSON json_t *list = NULL, *having = json_array();
    size_t i;
    json_t *lab;
    if (registry_list(base_dir, &list, err) != 0)
        return -1;
    json_array_foreach(list, i, lab)
    {
        if (registry_host(lab, host) != NULL)
            (void)json_array_append(having, lab);
    }
    bool narrow = name == NULL && json_array_size(having) != 0;
    return pick(narrow ? having : list, name, ret, err);
}

int registry_process_from(const json_t *object, struct registry_process *ret, struct err *err)
{
    const json_t *pid = json_object_get(object, "pid"), *start = json_object_get(object, "start");
    if (!json_is_integer(pid) || !json_is_integer(start))
        return make_error(err, ERR_PROTOCOL, 0, "%s names a process without its start",
                          REGISTRY_FILE);
    *ret = (struct registry_process){.pid = (pid_t)json_integer_value(pid),
                                     .start = (uint64_t)json_integer_value(start)};
    return 0;
}
