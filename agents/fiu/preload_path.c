/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a call's file lies, asked from the kernel: /proc/self/fd is true whatever the program did
 * (chdir, links, names relative to a descriptor), and costs a readlink; so what was found for a
 * descriptor is kept for a moment.
 */
#include "agents/fiu/preload.h"

#include "agents/fiu/preload_raw.h"

#include <limits.h>

enum {
    /* Prefixes are shorter than FIU_PREFIX_MAX: a longer path cut here compares the same. */
    FOUND_MAX = FIU_PREFIX_MAX + 8,
    PARENT_MAX = 1024
};

/* "/proc/self/fd/N" without stdio, which may allocate. */
static void fd_link(int fd, char out[32])
{
    static const char head[] = "/proc/self/fd/";
    char digits[12];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + fd % 10);
    while ((fd /= 10) != 0);
    memcpy(out, head, sizeof(head) - 1);
    for (size_t i = 0; i < n; i++)
        out[sizeof(head) - 1 + i] = digits[n - 1 - i];
    out[sizeof(head) - 1 + n] = '\0';
}

/* The path of an open file, cut to fit; false when it has none (no /proc, bad descriptor). */
static bool fd_path(int fd, char out[FOUND_MAX])
{
    char link[32];
    if (fd < 0)
        return false;
    fd_link(fd, link);
    long n = raw_readlink(link, out, FOUND_MAX - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

static bool opened_path(int dir, const char *path, int flags, char out[FOUND_MAX])
{
    int fd = raw_openat(dir, path, O_PATH | O_CLOEXEC | flags);
    if (fd < 0)
        return false;
    bool found = fd_path(fd, out);
    raw_close(fd);
    return found;
}

/* A name that is not there yet: its directory's path, and the name behind it. */
static bool new_path(int dir, const char *path, char out[FOUND_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash != NULL ? (size_t)(slash - path) : 0;
    char parent[PARENT_MAX] = ".";
    if (len >= sizeof(parent))
        return false;
    if (slash != NULL) {
        memcpy(parent, path, len);
        memcpy(parent + len, len == 0 ? "/" : "", len == 0 ? 2 : 1);
    }
    if (!opened_path(dir, parent, O_DIRECTORY, out))
        return false;
    size_t n = strlen(out);
    if (n > 0 && out[n - 1] == '/')
        n--;
    const char *name = slash != NULL ? slash + 1 : path;
    if (n + 1 < FOUND_MAX)
        out[n++] = '/';
    for (; *name != '\0' && n + 1 < FOUND_MAX; name++)
        out[n++] = *name;
    out[n] = '\0';
    return true;
}

static bool name_holds(const struct fiu_rule *rule, int dir, const char *path, bool follow)
{
    char found[FOUND_MAX];
    if (!opened_path(dir, path, follow ? 0 : O_NOFOLLOW, found) && !new_path(dir, path, found))
        return false;
    return fiu_rule_holds(rule, found);
}

static bool fd_holds(const struct fiu_rule *rule, unsigned slot, int fd)
{
    struct stat st = {.st_size = 0};
    if (fd < 0)
        return false;
    uint32_t age = preload_cache_age(fd);
    if (raw_fstat(fd, &st) != 0)
        return false;
    const struct preload_kept *kept = preload_cache_find(slot, fd, rule->owner);
    if (kept != NULL && kept->dev == st.st_dev && kept->ino == st.st_ino)
        return kept->holds;
    char found[FOUND_MAX];
    bool holds = fd_path(fd, found) && fiu_rule_holds(rule, found);
    preload_cache_keep(&(struct preload_kept){.owner = rule->owner,
                                              .dev = st.st_dev,
                                              .ino = st.st_ino,
                                              .fd = fd,
                                              .slot = slot,
                                              .age = age,
                                              .holds = holds});
    return holds;
}

bool preload_path_holds(const struct fiu_rule *rule, unsigned slot,
                        const struct preload_subject *subject)
{
    if (subject->path == NULL)
        return fd_holds(rule, slot, subject->fd);
    if (name_holds(rule, subject->fd, subject->path, subject->follow))
        return true;
    return subject->path2 != NULL && name_holds(rule, subject->fd2, subject->path2, false);
}
