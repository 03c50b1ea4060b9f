/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/dropin.h"

#include "agents/fiu/page.h"
#include "agents/host/unit_name.h"

#include <stdlib.h>
#include <string.h>

#define AGENT "blackstart-agent"

/* One word of a unit file's command line. Variables of one that is copied from a unit stay what
 * they are; a path of ours has none. */
static void print_word(FILE *to, const char *text, bool ours)
{
    (void)putc('"', to);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ') {
            (void)fprintf(to, "\\x%02x", c);
            continue;
        }
        if (c == '%' || (ours && c == '$'))
            (void)putc(c, to);
        if (c == '"' || c == '\\')
            (void)putc('\\', to);
        (void)putc(c, to);
    }
    (void)putc('"', to);
}

/*
 * The command before each start fills an empty /run. It runs without the variables, so that no
 * fault reaches it, and a unit whose agent has gone starts all the same. The last two lines let a
 * unit that systemd shuts in write its page and map the library, and nothing else.
 */
void dropin_preload(FILE *to, const char *unit, const char *self, const char *library, bool kept)
{
    (void)fprintf(to,
                  "# %s/%s.page %s. Let the unit start with it (systemctl edit %s), then restart "
                  "it:\n[Service]\nExecStartPre=-+/usr/bin/env -u LD_PRELOAD -u " FIU_ENV_PAGE " ",
                  FIU_PAGE_DIR, unit, kept ? "was there and is kept" : "is new", unit);
    print_word(to, self, true);
    (void)fprintf(to, " preload %s", unit);
    if (library != NULL) {
        (void)putc(' ', to);
        print_word(to, library, true);
    }
    (void)fprintf(
        to,
        "\nEnvironment=LD_PRELOAD=" FIU_LIBRARY_PATH "\n"
        "Environment=" FIU_ENV_PAGE "=" FIU_PAGE_DIR "/%s.page\n"
        "# For units with ProtectSystem=, NoExecPaths= or their like. They put a unit into "
        "a mount namespace\n# of its own: leave them out for one whose mounts others must "
        "see.\n"
        "ReadWritePaths=-" FIU_PAGE_DIR "\n"
        "ExecPaths=-" FIU_LIBRARY_PATH "\n",
        unit);
}

/*
 * The supervisor is a unit of its own, one for each start: outside of the walls, the control group
 * and the stop signals of the unit. Ordered before it, it is stopped after it when the machine goes
 * down. Names of units have one '@'.
 */
static void print_supervisor(FILE *to, const char *unit, const char *self)
{
    char full[UNIT_NAME_SIZE];
    unit_name_full(full, unit);
    (void)fputs("ExecStartPre=-+/usr/bin/systemd-run --quiet --collect --unit=blackstart-fiu-", to);
    for (const char *c = unit; *c != '\0'; c++)
        (void)putc(*c == '@' ? '-' : *c, to);
    (void)fprintf(to,
                  "-${INVOCATION_ID} "
                  "\"--description=Supervisor of the trapped calls of %s\" "
                  "-p Type=notify -p DefaultDependencies=no -p Conflicts=shutdown.target "
                  "\"-pBefore=shutdown.target %s\" -p RefuseManualStop=yes -p "
                  "OOMScoreAdjust=-900 ",
                  full, full);
    print_word(to, self, true);
    (void)fprintf(to, " supervise %s\n", unit);
}

static void print_walls(FILE *to, const char *self, const struct unit_start *start)
{
    if (!start->exec_shut && !start->calls_shut && !start->families_shut)
        return;
    (void)fputs("# What the command above needs, and the unit may be kept from:\n", to);
    if (start->exec_shut) {
        (void)fputs("ExecPaths=", to);
        print_word(to, self, false);
        (void)putc('\n', to);
    }
    if (start->calls_shut)
        (void)fputs("SystemCallFilter=seccomp\n", to);
    if (start->families_shut)
        (void)fputs("RestrictAddressFamilies=AF_UNIX\n", to);
}

void dropin_trap(FILE *to, const char *unit, const char *self, const char *calls,
                 const struct unit_start *start)
{
    (void)fprintf(to,
                  "# Let the unit start with it (systemctl edit %s), then restart it:\n[Service]\n",
                  unit);
    print_supervisor(to, unit, self);
    (void)fprintf(to, "ExecStart=\nExecStart=%s", start->prefix);
    print_word(to, self, strchr(start->prefix, ':') == NULL);
    (void)fprintf(to, " trapped %s %s", unit, calls);
    if (start->n_args > 0 && strcmp(start->argv[0], start->program) != 0) {
        (void)fputs(" " DROPIN_AS, to);
        print_word(to, start->argv[0], false);
    }
    (void)putc(' ', to);
    print_word(to, start->program, false);
    for (size_t i = 1; i < start->n_args; i++) {
        (void)putc(' ', to);
        print_word(to, start->argv[i], false);
    }
    (void)putc('\n', to);
    print_walls(to, self, start);
}

static bool is_agent(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash != NULL ? slash + 1 : path, AGENT) == 0;
}

static void args_drop(struct unit_start *start, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(start->argv[i]);
    start->n_args -= n;
    memmove(start->argv, start->argv + n, (start->n_args + 1) * sizeof(start->argv[0]));
}

/* agent trapped UNIT CALLS [--as=NAME] PROGRAM ARGUMENT... */
void dropin_unwrap(struct unit_start *start)
{
    static const size_t own = 4, as = sizeof(DROPIN_AS) - 1;
    while (start->n_args > own && is_agent(start->program) &&
           strcmp(start->argv[1], "trapped") == 0) {
        bool named = strncmp(start->argv[own], DROPIN_AS, as) == 0;
        const char *path = start->argv[named ? own + 1 : own];
        char *program = path != NULL ? strdup(path) : NULL;
        char *name = program == NULL ? NULL : strdup(named ? start->argv[own] + as : program);
        if (name == NULL) {
            free(program);
            return;
        }
        free(start->program);
        start->program = program;
        args_drop(start, named ? own + 1 : own);
        free(start->argv[0]);
        start->argv[0] = name;
    }
}
