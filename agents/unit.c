/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/unit.h"

#include "agents/dropin.h"
#include "agents/faults/fiu.h"
#include "agents/fiu/install.h"
#include "agents/fiu/library.h"
#include "agents/fiu/trap.h"
#include "agents/host/systemd.h"
#include "agents/host/unit_name.h"
#include "agents/unit_parts.h"
#include "agents/wire.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const words[UNIT_CALLS] = {"rare", "writes", "all"};
static const uint64_t points[UNIT_CALLS] = {TRAP_RARE, TRAP_WRITES, TRAP_ALL};

uint64_t unit_points(const char *word)
{
    for (size_t i = 0; i < UNIT_CALLS; i++)
        if (strcmp(word, words[i]) == 0)
            return points[i];
    return 0;
}

int unit_arguments(int argc, char **argv, int least, int most, const struct command *self)
{
    struct err err;
    char name[NAME_MAX_LEN + 1];
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        command_help(stdout, self);
        return 0;
    }
    if (argc - 1 < least || argc - 1 > most)
        return command_complain(self, "these are too few arguments, or too many");
    if (argv[1][0] == '-')
        return command_complain(self, "it takes no options");
    if (!wire_is_name(argv[1], UNIT_NAME_SIZE))
        return command_complain(self, "UNIT is a name of letters, digits, '.', '_', '@' and '-'");
    if (unit_name_service(name, argv[1], &err) != 0)
        return command_complain(self, err.msg);
    memcpy(argv[1], name, strlen(name) + 1); /* which is never longer */
    return -1;
}

/* Where this program lies, with room behind it for another name in its place. */
static int find_self(char *path, size_t size, struct err *err)
{
    ssize_t n = readlink("/proc/self/exe", path, size - sizeof(FIU_LIBRARY));
    if (n <= 0 || path[0] != '/')
        return make_error(err, ERR_SYSTEM, n < 0 ? errno : 0, "find this program: /proc/self/exe");
    path[n] = '\0';
    return 0;
}

/* The library's own path is put into ret. What is no such library is none for any unit. */
static int open_library(const char *given, const char *self, char ret[PATH_MAX], struct err *err)
{
    if (given == NULL)
        (void)snprintf(ret, PATH_MAX, "%.*s/" FIU_LIBRARY, (int)(strrchr(self, '/') - self), self);
    else if (realpath(given, ret) == NULL)
        return make_error(err, ERR_SYSTEM, errno, "find the library %s", given);
    CLEANUP_FD int fd = open(ret, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the library %s", ret);
    return library_check(fd, ret, err) == 0 ? steal_fd(&fd) : -1;
}

/* As the drop-in has it do before each start of the unit: systemd, which may be busy with that, is
 * then not asked. */
static bool is_run_by_systemd(void)
{
    const char *pid = getenv("SYSTEMD_EXEC_PID");
    char own[16];
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    return pid != NULL && strcmp(pid, own) == 0;
}

static void warn_of_none(const char *unit)
{
    struct err err;
    if (!is_run_by_systemd() && systemd_knows(unit, &err) != 0)
        (void)fprintf(stderr, "blackstart-agent: warning: %s\n", err.msg);
}

int unit_preload(int argc, char **argv, const struct command *self)
{
    struct err err = {0};
    bool kept = false;
    char agent[PATH_MAX], from[PATH_MAX];
    int status = unit_arguments(argc, argv, 1, 2, self);
    if (status >= 0)
        return status;
    if (find_self(agent, sizeof(agent), &err) != 0)
        return command_report(3, &err);
    CLEANUP_FD int library = open_library(argc == 3 ? argv[2] : NULL, agent, from, &err);
    CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (library < 0 || install_service(root, argv[1], library, &kept, &err) != 0)
        return command_report(3, &err);
    warn_of_none(argv[1]);
    dropin_preload(stdout, argv[1], agent, argc == 3 ? from : NULL, kept);
    return 0;
}

int unit_trap(int argc, char **argv, const struct command *self)
{
    struct err err = {0}, why;
    struct unit_start start;
    char agent[PATH_MAX];
    int status = unit_arguments(argc, argv, 1, 2, self);
    if (status >= 0)
        return status;
    const char *calls = argc == 3 ? argv[2] : words[0];
    if (unit_points(calls) == 0)
        return command_complain(self, "which calls are trapped is rare, writes or all");
    if (find_self(agent, sizeof(agent), &err) != 0)
        return command_report(3, &err);
    if (systemd_knows(argv[1], &why) != 0) {
        (void)make_error(&err, why.code, 0, "%s; a drop-in needs the unit's own command", why.msg);
        return command_report(3, &err);
    }
    if (unit_start_read(argv[1], &start, &err) == 0) {
        dropin_unwrap(&start);
        dropin_trap(stdout, argv[1], agent, calls, &start);
    } else {
        status = command_report(3, &err);
    }
    unit_start_free(&start);
    return status > 0 ? status : 0;
}

static int64_t boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

/* Of a unit that is not trapped: by the library, into all points that there are. */
static int reach_say(struct fault_host *host, int page, const char *unit, struct err *err)
{
    uint64_t trapped = 0;
    bool alive = false;
    const struct fiu_rule nothing = {.points = 0};
    if (victim_trapped(page, &trapped, &alive, err) != 0)
        return -1;
    if (trapped == 0 && fiu_reach(host, unit, err) != 0)
        return -1;
    if (trapped != 0 && fiu_reach_trapped(page, trapped, unit, &nothing, err) != 0)
        return -1;
    (void)printf("%s: its calls are reached by %s\n", unit,
                 trapped != 0 ? "the kernel's trap:"
                              : "the preload library: all points, and its "
                                "clock");
    for (unsigned i = 0; i < FIU_N_POINTS; i++)
        if ((trapped & FIU_BIT(i)) != 0)
            (void)printf("  %s\n", victim_point_names[i]);
    return 0;
}

/* First what systemd says of the unit; of one that is none and has no page there is no more. */
static int reach_refuse(const char *unit, bool has_page, struct err *why)
{
    struct err err;
    if (systemd_knows(unit, &err) != 0) {
        (void)command_report(3, &err);
        return has_page ? command_report(3, why) : 3;
    }
    if (!has_page)
        (void)make_error(why, ERR_NOT_FOUND, 0,
                         "%s is not prepared: `blackstart-agent preload %s` says what it needs or, "
                         "where no library reaches it, `blackstart-agent trap %s`",
                         unit, unit, unit);
    return command_report(3, why);
}

int unit_reach(int argc, char **argv, const struct command *self)
{
    struct err err = {0};
    struct stat st;
    int status = unit_arguments(argc, argv, 1, 1, self);
    if (status >= 0)
        return status;
    struct fault_host host = {.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                              .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                              .now = boottime};
    if (host.root < 0 || host.proc < 0 || stat("/proc/self/ns/pid", &st) != 0)
        return 3;
    host.pid_ns = st.st_ino;
    CLEANUP_FD int page = -1;
    int rc = victim_open(host.root, argv[1], &page, &err);
    bool has_page = rc == 0 || err.code != ERR_NOT_FOUND;
    if (rc == 0 && reach_say(&host, page, argv[1], &err) == 0)
        return 0;
    return reach_refuse(argv[1], has_page, &err);
}
