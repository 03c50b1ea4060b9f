/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/lab.h"

#include "base/cleanup.h"
#include "lab/lab_internal.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const struct lab_service_spec *find_service(const struct lab *lab, const char *name)
{
    const struct lab_spec *spec = lab->context.spec;
    for (size_t i = 0; i < spec->n_services; i++)
        if (strcmp(spec->services[i].name, name) == 0)
            return &spec->services[i];
    return NULL;
}

/* A log that the service writes itself lies in the host: its links must not lead out of there. */
static int open_in_host(const struct lab *lab, size_t host, const char *path, struct err *err)
{
    CLEANUP_FD int root = open(lab->roots[host], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the root of host %s",
                          lab->hosts[host].name);
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd < 0)
        return make_error(err, ERR_NOT_FOUND, errno, "open %s on host %s", path,
                          lab->hosts[host].name);
    return fd;
}

static int open_log(const struct lab *lab, size_t host, const struct lab_service_spec *s,
                    struct err *err)
{
    char leaf[128], path[PATH_MAX];
    if (s->log != NULL)
        return open_in_host(lab, host, s->log, err);
    (void)snprintf(leaf, sizeof(leaf), "logs/%s.log", s->name);
    if (context_host_path(&lab->context, host, leaf, path, sizeof(path), err) != 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return make_error(err, ERR_NOT_FOUND, errno, "service %s on host %s has printed nothing",
                          s->name, lab->hosts[host].name);
    return fd;
}

int lab_log_tail(struct lab *lab, const char *host, const char *service, size_t max, char **ret,
                 struct err *err)
{
    size_t index = 0;
    const struct lab_service_spec *s = find_service(lab, service);
    if (lab_host_index(lab, host, &index, err) != 0)
        return -1;
    if (s == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "the lab has no service %s", service);
    CLEANUP_FD int fd = open_log(lab, index, s, err);
    struct stat st;
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return make_error(err, ERR_SYSTEM, 0, "the log of %s is not a file", service);
    off_t from = (size_t)st.st_size > max ? st.st_size - (off_t)max : 0;
    char *text = calloc(1, max + 1);
    if (text == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for a log's tail");
    ssize_t n = pread(fd, text, max, from);
    text[n > 0 ? n : 0] = '\0';
    /* Not from the middle of a line. */
    char *line = from > 0 ? strchr(text, '\n') : NULL;
    if (line != NULL && line[1] != '\0')
        memmove(text, line + 1, strlen(line + 1) + 1);
    *ret = text;
    return 0;
}

static int copy_captured(const struct lab *lab, size_t host, const char *into, struct err *err)
{
    char path[PATH_MAX];
    static const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1, .may_skip = true};
    if (context_host_path(&lab->context, host, "logs", path, sizeof(path), err) != 0)
        return -1;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    return tree_copy(fd, into, &how, err);
}

static bool runs_on(const struct lab_service_spec *s, const char *host)
{
    for (size_t i = 0; i < s->n_hosts; i++)
        if (strcmp(s->hosts[i], host) == 0)
            return true;
    return false;
}

int lab_collect_logs(struct lab *lab, const char *into_dir, struct err *err)
{
    static const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0644};
    const struct lab_spec *spec = lab->context.spec;
    char path[PATH_MAX];
    if (mkdir(into_dir, 0755) != 0 && errno != EEXIST)
        return make_error(err, ERR_SYSTEM, errno, "make %s", into_dir);
    for (size_t i = 0; i < lab->context.n_hosts; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", into_dir, lab->hosts[i].name);
        if (copy_captured(lab, i, path, err) != 0)
            return -1;
        for (size_t k = 0; k < spec->n_services; k++) {
            const struct lab_service_spec *s = &spec->services[k];
            struct err gone; /* the fault may have deleted it */
            if (s->log == NULL || !runs_on(s, lab->hosts[i].name))
                continue;
            CLEANUP_FD int fd = open_log(lab, i, s, &gone);
            (void)snprintf(path, sizeof(path), "%s/%s/%s.own.log", into_dir, lab->hosts[i].name,
                           s->name);
            if (fd >= 0 && tree_copy(fd, path, &how, err) != 0)
                return -1;
        }
    }
    return 0;
}
