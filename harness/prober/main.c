/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prober's process: started by the coordinator, ended by it, never by a person. */
#include "base/json_memory.h"
#include "base/unprivileged.h"
#include "base/worker.h"
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

static const char what[] =
    "is a process of a run, which `blackstart run` starts for each vantage of\n"
    "a scenario, and ends; it is of no use by hand. It probes the system on a fixed schedule and\n"
    "writes down each result. What it and the coordinator say to each other stands in\n"
    "docs/prober-protocol.md.\n";

int main(int argc, char **argv)
{
    int status = worker_arguments(argc, argv, "blackstart-prober", what);
    if (status >= 0)
        return status;
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
