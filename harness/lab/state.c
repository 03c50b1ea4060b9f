/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/state.h"
#include "lab/place.h"

#include "base/cleanup.h"
#include "lab/cgroup.h"
#include "lab/lab.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_NAME "lab.lock"

int state_make(const char *path, const char *id, int *ret_lock_fd, struct err *err)
{
    char fresh[PATH_MAX + 16], lock[PATH_MAX + 16];
    if (tree_make(path, true, err) != 0)
        return -1;
    int made = mkdir(path, 0711);
    if (made != 0 && errno == EEXIST)
        return make_error(err, ERR_REFUSED, 0,
                          "%s is there: another lab of this name is up or comes up; "
                          "\"blackstart lab ps\" lists them",
                          path);
    if (made != 0)
        return make_error(err, ERR_SYSTEM, errno, "make the lab's directory %s", path);
    (void)snprintf(fresh, sizeof(fresh), "%s/" LOCK_NAME ".new", path);
    (void)snprintf(lock, sizeof(lock), "%s/" LOCK_NAME, path);
    CLEANUP_FD int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    /* Locked before it bears its name: a sweep never sees it unlocked. */
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
        write(fd, id, strlen(id)) != (ssize_t)strlen(id) || rename(fresh, lock) != 0)
        return make_error(err, ERR_SYSTEM, errno, "lock the lab's directory %s", path);
    *ret_lock_fd = steal_fd(&fd);
    return 0;
}

/* 1: a dead lab's directory was removed, 0: not one, or alive. */
static int sweep_one(const char *path, struct err *err)
{
    char lock[PATH_MAX + 16], id[64] = "";
    (void)snprintf(lock, sizeof(lock), "%s/" LOCK_NAME, path);
    CLEANUP_FD int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return 0;
    ssize_t n = read(fd, id, sizeof(id) - 1);
    id[n > 0 ? n : 0] = '\0';
    if (id[0] != '\0' && strchr(id, '/') == NULL)
        (void)cgroup_remove(id);
    return tree_remove(path, err) != 0 ? -1 : 1;
}

int lab_sweep(const char *base_dir, size_t *ret_n, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(base_dir);
    *ret_n = 0;
    if (dir == NULL && errno == ENOENT)
        return 0;
    if (dir == NULL)
        return make_error(err, ERR_SYSTEM, errno, "open %s", base_dir);
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/%s", base_dir, e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(path) - 16)
            continue;
        int swept = sweep_one(path, err);
        if (swept < 0)
            return wrap_error(err, "clear away a dead lab");
        *ret_n += (size_t)swept;
    }
    return 0;
}

int lab_base_dir(char *out, size_t size, struct err *err)
{
    static const struct place place = {.what = "labs",
                                       .root = "/var/lib/blackstart/labs",
                                       .xdg = "XDG_STATE_HOME",
                                       .beneath_xdg = "blackstart/labs",
                                       .beneath_home = ".local/state/blackstart/labs"};
    return place_find(&place, out, size, err);
}
