/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prober's process: started by the coordinator, ended by it, never by a person. */
#include "base/json_memory.h"
#include "base/unprivileged.h"
#include "prober/control.h"
#include "prober/loop.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Ahead of the services it measures, where that is allowed: a probe must go out on time. */
static void rank_raise(void)
{
    struct sched_param first = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) != 0)
        (void)setpriority(PRIO_PROCESS, 0, -10);
    /* Attempts that hang hold a descriptor each. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc != 1 || !is_socket(0)) {
        fputs("blackstart-prober is started by blackstart run; see blackstart run --help\n",
              stderr);
        return 2;
    }
    json_memory_or_end("blackstart-prober");
    (void)signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C on a terminal reaches the whole group: the coordinator decides. */
    (void)signal(SIGINT, SIG_IGN);
    rank_raise();
    unprivileged_become();
    /* Libraries look there for files of whoever started us, which they may not read, and fail. */
    (void)setenv("HOME", "/nonexistent", 1);
    /* Behind the change of user, which forgets it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct err err = {.msg = ""}, no_null;
    struct prober *p = NULL;
    struct control *c = NULL;
    int r = prober_new(1, &p, &err);
    /* Without loopback there is none, and the run's report says so. */
    if (r == 0 && prober_null_open(p, &no_null) != 0)
        fprintf(stderr, "blackstart-prober: %s\n", no_null.msg);
    if (r == 0)
        r = control_open(p, 0, &c, &err);
    if (r == 0)
        r = prober_run(p, &err);
    if (r != 0)
        fprintf(stderr, "blackstart-prober: %s\n", err.msg);
    control_close(c);
    prober_free(p);
    return r != 0 ? 3 : 0;
}
