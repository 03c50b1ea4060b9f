/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The load's process: started by the coordinator, ended by it, never by a person. It dies with the
 * coordinator: a load that nobody ends would be an outage of its own. */
#include "base/json_memory.h"
#include "base/unprivileged.h"
#include "base/worker.h"
#include "load/control.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A descriptor for each user, and a few. */
static void files_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static const char what[] =
    "is a process of a run, which `blackstart run` starts for each load of a\n"
    "scenario, and ends; it is of no use by hand. It asks the system as users do, by the model\n"
    "that the scenario states, and counts. What it and the coordinator say to each other stands\n"
    "in docs/load-protocol.md.\n";

int main(int argc, char **argv)
{
    int status = worker_arguments(argc, argv, "blackstart-load", what);
    if (status >= 0)
        return status;
    json_memory_or_end("blackstart-load");
    (void)signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C on a terminal reaches the whole group: the coordinator decides. */
    (void)signal(SIGINT, SIG_IGN);
    files_raise();
    unprivileged_become();
    /* Behind the change of user, which forgets it. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct err err = {.msg = ""};
    if (control_serve(0, &err) == 0)
        return 0;
    fprintf(stderr, "blackstart-load: %s\n", err.msg);
    return 3;
}
