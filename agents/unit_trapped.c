/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of a unit's program, which it becomes: same process, environment, descriptors. */
#include "agents/dropin.h"
#include "agents/fiu/supervisor.h"
#include "agents/unit.h"
#include "agents/unit_parts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { EXIT_NOT_RUN = 203 }; /* what systemd takes for: the program could not be run */

static int supervisor_reach(const char *unit, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof(to.sun_path), UNIT_SOCKET, unit);
    CLEANUP_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0 || connect(sock, (const struct sockaddr *)&to, sizeof(to)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "find its supervisor at %s", to.sun_path);
    return steal_fd(&sock);
}

static bool may_filter(void)
{
    cap_flag_value_t admin = CAP_CLEAR;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return true;
    cap_t have = cap_get_proc();
    if (have == NULL)
        return false;
    (void)cap_get_flag(have, CAP_SYS_ADMIN, CAP_EFFECTIVE, &admin);
    (void)cap_free(have);
    return admin == CAP_SET;
}

/* Would it be more than we are? Who may not filter can only by giving that up. */
static int privileges_leave(const char *program, struct err *err)
{
    struct stat st;
    if (may_filter())
        return 0;
    if (stat(program, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) == 0 &&
        getxattr(program, "security.capability", NULL, 0) < 0)
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                   ? 0
                   : make_error(err, ERR_SYSTEM, errno, "give up new privileges");
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "%s has file capabilities or is set-user-id, and would lose them: only root "
                      "can have such a program's calls trapped",
                      program);
}

/*
 * Until the filter is set the program can start as it is: a fault is then refused, and the service
 * is none the worse. Past it there is no way back.
 */
static void trap_or_say(const char *unit, const char *word, const char *program)
{
    struct err err;
    uint64_t points = unit_points(word);
    CLEANUP_FD int sock = supervisor_reach(unit, &err);
    if (sock >= 0 && privileges_leave(program, &err) == 0 &&
        supervisor_ask(sock, points, &err) == 0 &&
        supervisor_enter(steal_fd(&sock), points, &err) == 0)
        return;
    (void)fprintf(stderr, "blackstart-agent: %s starts with its calls untrapped: %s\n", unit,
                  err.msg);
}

int unit_trapped(int argc, char **argv, const struct command *self)
{
    int status = unit_arguments(argc, argv, 3, INT_MAX, self), at = 3;
    if (status >= 0)
        return status;
    const char *name = NULL;
    if (strncmp(argv[at], DROPIN_AS, sizeof(DROPIN_AS) - 1) == 0)
        name = argv[at++] + sizeof(DROPIN_AS) - 1;
    if (at >= argc || unit_points(argv[2]) == 0)
        return command_complain(self, "it takes a unit, rare, writes or all, and a program");
    const char *program = argv[at];
    (void)unsetenv(FIU_ENV_PAGE); /* of the two the trap is the later one */
    trap_or_say(argv[1], argv[2], program);
    if (name != NULL)
        argv[at] = (char *)(uintptr_t)name;
    (void)execv(program, &argv[at]);
    (void)fprintf(stderr, "blackstart-agent: cannot run %s: %s\n", program, strerror(errno));
    return EXIT_NOT_RUN;
}
