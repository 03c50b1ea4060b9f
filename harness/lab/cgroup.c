/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/cgroup.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Version 2 alone and beside version 1 (hybrid), and version 1's controllers. */
static const struct {
    const char *path;
    int group;
} roots[] = {
    {CGROUP_V2, LAB_GROUP_V2},
    {CGROUP_V2_HYBRID, LAB_GROUP_V2},
    {"/sys/fs/cgroup/memory", LAB_GROUP_MEMORY},
    {"/sys/fs/cgroup/cpu", LAB_GROUP_CPU},
    {"/sys/fs/cgroup/blkio", LAB_GROUP_IO},
    {"/sys/fs/cgroup/pids", LAB_GROUP_PIDS},
};
/* What limits of services, and faults that lower them, need of version 2. */
static const char *const wanted[] = {"cpu", "io", "memory", "pids"};
enum { N_ROOTS = sizeof(roots) / sizeof(roots[0]), N_WANTED = sizeof(wanted) / sizeof(wanted[0]) };

static bool write_at(int dir_fd, const char *name, const char *text)
{
    CLEANUP_FD int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool is_cgroup_root(size_t root)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/cgroup.procs", roots[root].path);
    return stat(path, &st) == 0;
}

static int open_made(int dir_fd, const char *name)
{
    if (mkdirat(dir_fd, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_lab_in(size_t root, const char *id)
{
    char path[160];
    if (!is_cgroup_root(root))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/blackstart-%s", roots[root].path, id);
    return open_made(AT_FDCWD, path);
}

static bool has_word(int dir_fd, const char *name, const char *word)
{
    char text[512];
    CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    for (char *save = NULL, *at = strtok_r(text, " \n", &save); at != NULL;
         at = strtok_r(NULL, " \n", &save))
        if (strcmp(at, word) == 0)
            return true;
    return false;
}

static void add_word(char list[CGROUP_WORDS_MAX], const char *word)
{
    size_t n = strlen(list);
    (void)snprintf(list + n, CGROUP_WORDS_MAX - n, "%s%s", n > 0 ? ", " : "", word);
}

void cgroup_hand_down(const char *root, bool may, struct cgroup_handed *ret)
{
    *ret = (struct cgroup_handed){.why = 0};
    CLEANUP_FD int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; dir >= 0 && i < N_WANTED; i++) {
        char order[16];
        (void)snprintf(order, sizeof(order), "+%s", wanted[i]);
        if (!has_word(dir, "cgroup.controllers", wanted[i]))
            continue;
        if (has_word(dir, "cgroup.subtree_control", wanted[i])) {
            add_word(ret->there, wanted[i]);
        } else if (may && write_at(dir, "cgroup.subtree_control", order)) {
            add_word(ret->added, wanted[i]);
        } else {
            ret->why = may && ret->why == 0 ? errno : ret->why;
            add_word(ret->missing, wanted[i]);
        }
    }
}

/* One by one: those that this kernel has in version 1 are refused here. A lab's own group is ours:
 * nobody else takes away what it hands on, nor, while it does, what the root does. */
static void hand_down_in_lab(int lab_fd)
{
    char order[16];
    for (size_t i = 0; i < N_WANTED; i++) {
        (void)snprintf(order, sizeof(order), "+%s", wanted[i]);
        (void)write_at(lab_fd, "cgroup.subtree_control", order);
    }
}

void cgroup_open_lab(struct lab_context *lab)
{
    struct cgroup_handed handed;
    memset(lab->group_fds, -1, sizeof(lab->group_fds));
    if (lab->rootless)
        return;
    for (size_t root = 0; root < N_ROOTS; root++)
        if (lab->group_fds[roots[root].group] < 0) {
            if (roots[root].group == LAB_GROUP_V2)
                cgroup_hand_down(roots[root].path, true, &handed);
            lab->group_fds[roots[root].group] = open_lab_in(root, lab->id);
        }
    if (lab->group_fds[LAB_GROUP_V2] >= 0)
        hand_down_in_lab(lab->group_fds[LAB_GROUP_V2]);
}

static void limit_memory(int dir_fd, size_t group, const struct bytes *memory)
{
    char limit[32];
    (void)snprintf(limit, sizeof(limit), "%llu", (unsigned long long)memory->n);
    if (group == LAB_GROUP_V2)
        (void)write_at(dir_fd, "memory.max", limit);
    else if (group == LAB_GROUP_MEMORY)
        (void)write_at(dir_fd, "memory.limit_in_bytes", limit);
}

/* A part of each tenth of a second, the kernel's own default. */
static void limit_cpu(int dir_fd, size_t group, const struct ratio *cpu)
{
    char limit[32];
    const unsigned period_us = 100000;
    unsigned quota_us = cpu->ppm / 10;
    (void)snprintf(limit, sizeof(limit), "%u %u", quota_us, period_us);
    if (group == LAB_GROUP_V2) {
        (void)write_at(dir_fd, "cpu.max", limit);
    } else if (group == LAB_GROUP_CPU) {
        (void)write_at(dir_fd, "cpu.cfs_period_us", strchr(limit, ' ') + 1);
        *strchr(limit, ' ') = '\0';
        (void)write_at(dir_fd, "cpu.cfs_quota_us", limit);
    }
}

void cgroup_open_service(const struct lab_context *lab, size_t host,
                         const struct lab_service_spec *spec, int fds[LAB_GROUPS])
{
    char name[2 * NAME_MAX_LEN + 2];
    (void)snprintf(name, sizeof(name), "%s.%s", lab->hosts[host].spec->name, spec->name);
    for (size_t i = 0; i < LAB_GROUPS; i++) {
        if (fds[i] >= 0 || lab->group_fds[i] < 0)
            continue;
        fds[i] = open_made(lab->group_fds[i], name);
        if (fds[i] >= 0 && spec->memory.n != 0)
            limit_memory(fds[i], i, &spec->memory);
        if (fds[i] >= 0 && spec->cpu.ppm != 0)
            limit_cpu(fds[i], i, &spec->cpu);
    }
}

void cgroup_enter(const int fds[LAB_GROUPS])
{
    for (size_t i = 0; i < LAB_GROUPS; i++)
        if (fds[i] >= 0)
            (void)write_at(fds[i], "cgroup.procs", "0");
}

void cgroup_kill(int dir_fd)
{
    if (dir_fd >= 0)
        (void)write_at(dir_fd, "cgroup.kill", "1");
}

static bool remove_one(size_t root, const char *id)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/blackstart-%s", roots[root].path, id);
    CLEANUP_DIR DIR *dir = opendir(path);
    if (dir == NULL)
        return true;
    (void)write_at(dirfd(dir), "cgroup.kill", "1");
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
    return rmdir(path) == 0 || errno == ENOENT;
}

bool cgroup_remove(const char *id)
{
    bool gone = true;
    for (size_t root = 0; root < N_ROOTS; root++)
        gone = remove_one(root, id) && gone;
    return gone;
}
