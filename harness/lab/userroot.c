/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/userroot.h"
#include "lab/place.h"

#include "base/cleanup.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { OPTIONS_MAX = 4 * PATH_MAX, SPLIT_DEPTH_MAX = 3 };

struct tree {
    const struct lab_context *lab;
    size_t host;
    const char *root;
};

/* Copies what can be read; `path` below the machine's root, or the layer's. */
static int copy_in(const struct tree *t, const char *from, const char *path, struct err *err)
{
    static const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1, .may_skip = true};
    char source[PATH_MAX], target[PATH_MAX];
    if (place_path(source, err, "%s%s", from, path) != 0 ||
        place_path(target, err, "%s%s", t->root, path) != 0)
        return -1;
    CLEANUP_FD int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    return tree_copy(fd, target, &how, err);
}

/* The host's own files, prepared in upper/etc as for a root lab. */
static int make_etc(const struct tree *t, struct err *err)
{
    char own[PATH_MAX];
    if (context_host_path(t->lab, t->host, "upper", own, sizeof(own), err) != 0 ||
        copy_in(t, "", "/etc", err) != 0 ||
        (t->lab->layer[0] != '\0' && copy_in(t, t->lab->layer, "/etc", err) != 0))
        return -1;
    return copy_in(t, own, "/etc", err);
}

/* Directories alone, without what is in them, some levels deep. */
static int make_skeleton(const char *from, const char *to, int depth, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(from);
    if (tree_make(to, false, err) != 0)
        return -1;
    const struct dirent *e;
    while (dir != NULL && depth != 0 && (e = readdir(dir)) != NULL) {
        char inner[PATH_MAX], outer[PATH_MAX];
        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        if (place_path(inner, err, "%s/%s", to, e->d_name) != 0 ||
            place_path(outer, err, "%s/%s", from, e->d_name) != 0 ||
            make_skeleton(outer, inner, depth - 1, err) != 0)
            return -1;
    }
    return 0;
}

/* Its name in the state: "/usr/lib" -> "usr+lib". */
static int own_dir(const struct tree *t, const char *kind, const char *path, char out[PATH_MAX],
                   struct err *err)
{
    char leaf[PATH_MAX / 2];
    int n = snprintf(leaf, sizeof(leaf), "%s/%s", kind, path + 1);
    if (n < 0 || (size_t)n >= sizeof(leaf))
        return make_error(err, ERR_LIMIT, 0, "%s is too long a path", path);
    for (char *c = leaf + strlen(kind) + 1; *c != '\0'; c++)
        if (*c == '/')
            *c = '+';
    if (context_host_path(t->lab, t->host, leaf, out, PATH_MAX, err) != 0)
        return -1;
    return tree_make(out, false, err);
}

static int make_var(const struct tree *t, struct err *err)
{
    char path[PATH_MAX], disk[PATH_MAX];
    /* On the disk, unlike the rest: services keep their data here, and wait for it to be synced. */
    if (place_path(path, err, "%s/var", t->root) != 0 || tree_make(path, false, err) != 0 ||
        own_dir(t, "uppers", "/var", disk, err) != 0 || make_skeleton("/var", disk, 2, err) != 0)
        return -1;
    if (mount(disk, path, NULL, MS_BIND, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "mount /var");
    if ((t->lab->layer[0] != '\0' && copy_in(t, t->lab->layer, "/var", err) != 0))
        return -1;
    static const char *const links[][2] = {{"/run", "run"}, {"/run/lock", "lock"}};
    for (size_t i = 0; i < 2; i++) {
        if (place_path(path, err, "%s/var/%s", t->root, links[i][1]) != 0)
            return -1;
        (void)rmdir(path);
        if (symlink(links[i][0], path) != 0 && errno != EEXIST)
            return make_error(err, ERR_SYSTEM, errno, "make /var/%s", links[i][1]);
    }
    if (place_path(path, err, "%s/var/tmp", t->root) != 0)
        return -1;
    return chmod(path, 01777) == 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "make /var/tmp");
}

/* A directory that the upper has as well belongs to the upper's owner: the host may write in it. */
static int make_writable(const char *path, const char *upper, struct err *err)
{
    char inner[PATH_MAX];
    if (make_skeleton(path, upper, 1, err) != 0)
        return -1;
    if (strcmp(path, "/usr") != 0)
        return 0;
    return place_path(inner, err, "%s/local", upper) != 0
               ? -1
               : make_skeleton("/usr/local", inner, 1, err);
}

static int try_overlay(const struct tree *t, const char *path, const char *target, struct err *err)
{
    char upper[PATH_MAX], work[PATH_MAX], options[OPTIONS_MAX], layer[2 * PATH_MAX];
    if (own_dir(t, "uppers", path, upper, err) != 0 || own_dir(t, "works", path, work, err) != 0)
        return -1;
    if (make_writable(path, upper, err) != 0)
        return -1;
    (void)snprintf(layer, sizeof(layer), "%s%s", t->lab->layer, path);
    bool has_layer = t->lab->layer[0] != '\0' && access(layer, X_OK) == 0;
    int n = snprintf(options, sizeof(options), "lowerdir=%s%s%s,upperdir=%s,workdir=%s,userxattr",
                     has_layer ? layer : "", has_layer ? ":" : "", path, upper, work);
    if (n < 0 || (size_t)n >= sizeof(options))
        return make_error(err, ERR_LIMIT, 0, "the paths of the lab's state are too long");
    if (mount("overlay", target, "overlay", 0, options) != 0)
        return make_error(err, ERR_UNSUPPORTED, errno, "an overlay of %s in a user namespace",
                          path);
    return 0;
}

static int show_tree(const struct tree *t, const char *path, int depth, struct err *err);

static int show_entry(const struct tree *t, const char *path, const struct dirent *e, int depth,
                      struct err *err)
{
    char inner[PATH_MAX], target[PATH_MAX], link[PATH_MAX];
    if (place_path(inner, err, "%s/%s", path, e->d_name) != 0 ||
        place_path(target, err, "%s%s", t->root, inner) != 0)
        return -1;
    if (e->d_type == DT_DIR)
        return show_tree(t, inner, depth + 1, err);
    if (e->d_type != DT_LNK)
        return 0;
    ssize_t n = readlink(inner, link, sizeof(link) - 1);
    link[n > 0 ? n : 0] = '\0';
    return n > 0 && symlink(link, target) == 0
               ? 0
               : make_error(err, ERR_SYSTEM, errno, "make the link %s", inner);
}

/* With a mount somewhere below it the overlay is refused: then each directory in it on its own, and
 * at the end of patience the machine's own, read-only. */
static int show_tree(const struct tree *t, const char *path, int depth, struct err *err)
{
    char target[PATH_MAX];
    if (place_path(target, err, "%s%s", t->root, path) != 0 || tree_make(target, false, err) != 0)
        return -1;
    if (try_overlay(t, path, target, err) == 0)
        return 0;
    if (err->sys != EINVAL || depth == SPLIT_DEPTH_MAX) {
        if (depth == 0 || mount(path, target, NULL, MS_BIND | MS_REC, NULL) != 0)
            return -1;
        return 0;
    }
    CLEANUP_DIR DIR *dir = opendir(path);
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            show_entry(t, path, e, depth, err) != 0)
            return -1;
    return 0;
}

/* Everything else at the top: links as they are, directories empty. */
static int make_rest(const struct tree *t, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir("/");
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char path[PATH_MAX], target[PATH_MAX];
        if (e->d_name[0] == '.' || place_path(path, err, "/%s", e->d_name) != 0 ||
            place_path(target, err, "%s%s", t->root, path) != 0)
            continue;
        char link[PATH_MAX];
        ssize_t n = e->d_type == DT_LNK ? readlink(path, link, sizeof(link) - 1) : -1;
        if (n > 0) {
            link[n] = '\0';
            (void)!symlink(link, target);
        } else if (e->d_type == DT_DIR) {
            (void)mkdir(target, 0755);
        }
    }
    return 0;
}

int userroot_mount(const struct lab_context *lab, size_t host, const char *root, struct err *err)
{
    const struct tree t = {.lab = lab, .host = host, .root = root};
    struct err ignored;
    /* In memory: it holds /etc, a few megabytes of small files. */
    if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
        return make_error(err, ERR_SYSTEM, errno, "mount the root of a host");
    if (make_etc(&t, err) != 0 || make_var(&t, err) != 0 || show_tree(&t, "/usr", 0, err) != 0)
        return -1;
    if (access("/opt", X_OK) == 0)
        (void)!show_tree(&t, "/opt", SPLIT_DEPTH_MAX, &ignored);
    return make_rest(&t, err);
}
