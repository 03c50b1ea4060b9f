/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine before and after: what a lab, or a run, could have left on it. Texts of lines, to be
 * compared; they are of the whole machine, so that only who runs alone can judge by them.
 */
#ifndef BLACKSTART_TESTS_MACHINE_H
#define BLACKSTART_TESTS_MACHINE_H

#include "shell.h"

#include <stdio.h>
#include <string.h>

/* What is set up: links, addresses, rules, routes, tables, mounts, packages, users. The wait
 * status of what asks, or -1. */
static inline int machine_dump(char *out, size_t size)
{
    return shell_read(
        "exec 2>&1; ip -o link | sed 's/ qlen.*//'; ip -o addr show scope global; ip rule; "
        "ip route show table all type unicast; nft list ruleset; cut -d' ' -f3- "
        "/proc/self/mountinfo "
        "| sort; dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' | cksum; "
        "cksum /etc/passwd /etc/group /etc/hosts",
        out, size);
}

/* What lives, and lies about: namespaces, processes of the programs that were built, control
 * groups, and files where only running things have any. The wait status, or -1. */
static inline int machine_dump_living(char *out, size_t size)
{
    return shell_read(
        "exec 2>/dev/null; for p in /proc/[0-9]*; do readlink $p/ns/*; done "
        "| sort -u | sed 's/^/namespace /'; "
        "for p in /proc/[0-9]*; do exe=$(readlink $p/exe); case $exe in " BINARY_DIR
        "/blackstart*) "
        "echo process ${p#/proc/} $exe;; esac; done; ip netns list | sed 's/^/netns /'; "
        "find /sys/fs/cgroup -type d -name 'blackstart*' | sort; "
        "find /tmp /var/tmp /run /dev/shm /var/lib/blackstart/labs -mindepth 1 -maxdepth 1 "
        "\\( -name '*blackstart*' -o -path '/var/lib/blackstart/labs/*' \\) "
        "-printf 'file %p\\n' | sort; echo end",
        out, size);
}

/* Lines of `after` that `before` has not; each is told. */
static inline size_t machine_added(const char *before, const char *after)
{
    size_t n = 0;
    for (const char *line = after; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *at = before;
        while (at != NULL && (strncmp(at, line, len) != 0 || (at[len] != '\n' && at[len] != '\0')))
            at = (at = strchr(at, '\n')) != NULL ? at + 1 : NULL;
        if (at == NULL && ++n <= 20)
            (void)fprintf(stderr, "left: %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    return n;
}

#endif
