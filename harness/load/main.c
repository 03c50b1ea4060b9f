/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The load's process: started by the coordinator, ended by it, never by a person. It dies with the
 * coordinator: a load that nobody ends would be an outage of its own. */
#include "base/json_memory.h"
#include "base/unprivileged.h"
#include "load/control.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A descriptor for each user, and a few. */
static void files_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc != 1 || !is_socket(0)) {
        fputs("blackstart-load is started by blackstart run; see blackstart run --help\n", stderr);
        return 2;
    }
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
