/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of a run: the coordinator starts it, with a socket as its descriptor 0, and no person
 * does. It knows nothing of what the process is for. */
#ifndef BLACKSTART_BASE_WORKER_H
#define BLACKSTART_BASE_WORKER_H

/*
 * Was it started so? -1: go on. Else the exit status: 0 after `--help`, which prints `name` and
 * what it is, a paragraph; 2 after anything else, of which stderr says who starts it.
 */
int worker_arguments(int argc, char **argv, const char *name, const char *what);

#endif
