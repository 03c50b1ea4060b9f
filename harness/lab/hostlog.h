/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service prints, kept outside the host's own root: <service>.log of bounded size (the one
 * before it is <service>.log.1), and <service>.times with lines "<CLOCK_MONOTONIC ns> <offset>"
 * that say when the bytes from that offset on arrived, so that a report finds the lines around an
 * event whatever format they have.
 */
#ifndef BLACKSTART_LAB_HOSTLOG_H
#define BLACKSTART_LAB_HOSTLOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { HOSTLOG_MAX = 16 * 1024 * 1024 };

struct hostlog {
    int dir_fd; /* borrowed: the logs' directory */
    char name[80];
    int pipe_fd; /* read end; -1: nothing to read */
    int file_fd, times_fd;
    uint64_t size;
    int64_t marked_ns;
};

void hostlog_init(struct hostlog *log, int dir_fd, const char *name);

/* A new pipe for a new process, owned by uid; its write end is *ret_fd. What the process before
 * still prints into the old one is lost. */
int hostlog_open(struct hostlog *log, uid_t uid, int *ret_fd, struct err *err) MUST_CHECK;

/* Takes what is there to read; false at the pipe's end. */
bool hostlog_read(struct hostlog *log);

/* A line of the init's own. */
void hostlog_note(struct hostlog *log, const char *text);

#endif
