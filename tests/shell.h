/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command line of a test's own, run by sh: to make and to remove what the test needs. */
#ifndef BLACKSTART_TESTS_SHELL_H
#define BLACKSTART_TESTS_SHELL_H

#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The wait status, or -1. */
static inline int shell_run(const char *command)
{
    char sh[] = "sh", flag[] = "-c";
    char *argv[] = {sh, flag, (char *)(size_t)command, NULL};
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, "sh", NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

/* What it writes, cut to `room`; the wait status, or -1. */
static inline int shell_read(const char *command, char *out, size_t room)
{
    char sh[] = "sh", flag[] = "-c";
    char *argv[] = {sh, flag, (char *)(size_t)command, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int ends[2], status = -1;
    size_t n = 0;
    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    int failed = posix_spawnp(&pid, "sh", &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    for (ssize_t got; failed == 0 && n + 1 < room; n += (size_t)got) {
        got = read(ends[0], out + n, room - 1 - n);
        if (got <= 0)
            break;
    }
    (void)close(ends[0]);
    out[n] = '\0';
    if (failed != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

#endif
