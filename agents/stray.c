/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/stray.h"

#include "agents/netlink/link.h"
#include "agents/netlink/tables.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CMDLINE_MAX = 8192 };

static bool is_here(const char *pid, const struct stat *here)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
    return stat(path, &st) == 0 && st.st_dev == here->st_dev && st.st_ino == here->st_ino;
}

/* Its command line, or its own name as a fault's process has it, says the run. */
static bool is_of(const char *pid, const char *leaf, const char *word)
{
    char path[300], text[CMDLINE_MAX];
    (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, leaf);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    return n > 0 && memmem(text, (size_t)n, word, strlen(word)) != NULL;
}

/* Whether a process of that run lives in this namespace; when that cannot be seen, yes. */
static bool run_lives(const char *run, const char *mark)
{
    struct stat here;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    if (proc == NULL || stat("/proc/self/ns/net", &here) != 0)
        return true;
    for (const struct dirent *e; (e = readdir(proc)) != NULL;) {
        if (strspn(e->d_name, "0123456789") != strlen(e->d_name) ||
            strtol(e->d_name, NULL, 10) == getpid() || !is_here(e->d_name, &here))
            continue;
        if (is_of(e->d_name, "cmdline", run) || is_of(e->d_name, "comm", mark))
            return true;
    }
    return false;
}

static int sweep_links(void (*say)(const char *text), struct stray_tally *ret, struct err *err)
{
    struct link_sinks sinks;
    char text[200];
    if (link_sinks(&sinks, err) < 0)
        return -1;
    for (uint32_t i = 0; i < sinks.n && i < LINK_SINKS_MAX; i++) {
        bool foreign = false;
        if (run_lives(sinks.list[i].run, sinks.list[i].name))
            continue;
        if (link_sink_delete(sinks.list[i].name, sinks.list[i].run, &foreign, err) < 0)
            return -1;
        if (foreign)
            continue;
        (void)snprintf(text, sizeof(text), "link %s of run %s: removed", sinks.list[i].name,
                       sinks.list[i].run);
        say(text);
        ret->removed++;
    }
    return 0;
}

int stray_sweep(void (*say)(const char *text), struct stray_tally *ret, struct err *err)
{
    struct tables tables;
    char text[200];
    *ret = (struct stray_tally){0};
    if (tables_take(&tables, err) < 0)
        return -1;
    for (uint32_t i = 0; i < tables.n && i < TABLES_MAX; i++) {
        if (tables.list[i].owned)
            continue;
        (void)snprintf(text, sizeof(text),
                       "table %s belongs to no agent, and is left; if nobody needs it: nft delete "
                       "table %s %s",
                       tables.list[i].name, tables.list[i].family, tables.list[i].name);
        say(text);
        ret->left++;
    }
    return sweep_links(say, ret, err);
}
