/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger's process: started by the coordinator, ended by it, never by a person. It outlives the
 * coordinator by as long as the writes take that are under way. */
#include "base/json_memory.h"
#include "base/unprivileged.h"
#include "base/worker.h"
#include "ledger/control.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* The schedule is this thread's, and goes first; those that write are as any client. */
static void rank_raise(void)
{
    struct sched_param first = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) != 0)
        (void)setpriority(PRIO_PROCESS, 0, -10);
}

static const char what[] =
    "is a process of a run, which `blackstart run` starts for each ledger\n"
    "of a scenario and each of its vantages, and ends; it is of no use by hand. It writes with\n"
    "numbers on a fixed schedule, keeps a record of each write and answer, and reads all back at\n"
    "the end. What it and the coordinator say to each other stands in docs/ledger-protocol.md.\n";

int main(int argc, char **argv)
{
    int status = worker_arguments(argc, argv, "blackstart-ledger", what);
    if (status >= 0)
        return status;
    json_memory_or_end("blackstart-ledger");
    (void)signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C on a terminal reaches the whole group: the coordinator decides. */
    (void)signal(SIGINT, SIG_IGN);
    rank_raise();
    unprivileged_become();
    struct err err = {.msg = ""};
    if (control_serve(0, 1, &err) == 0)
        return 0;
    fprintf(stderr, "blackstart-ledger: %s\n", err.msg);
    return 3;
}
