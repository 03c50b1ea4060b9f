/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "agents/fiu/install.h"
#include "agents/fiu/page.h"
#include "agents/host.h"
#include "agents/privside.h"
#include "agents/stray.h"
#include "agents/wire.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
    const char *name, *summary, *usage, *doc, *example;
    int (*run)(int argc, char **argv, const struct command *self);
};

static int run_stdio(int argc, char **argv, const struct command *self);
static int run_undo(int argc, char **argv, const struct command *self);
static int run_sweep(int argc, char **argv, const struct command *self);
static int run_preload(int argc, char **argv, const struct command *self);
static int run_version(int argc, char **argv, const struct command *self);

#define STATE_DIR "/var/lib/blackstart"

static const struct command commands[] = {
    {"stdio", "serve one coordinator on stdin until it closes",
     "--run ID --host NAME [--state DIR] [--root-fd N] [--proc-fd N] [--init-pid PID] [--link-fd "
     "N] [--lab] [--policy FILE]",
     "Speaks JSON-RPC on descriptor 0 (or N), never listens. Puts everything back when the link\n"
     "closes, a lease runs out, or on SIGTERM. First replays the undo logs of agents that died.\n",
     "blackstart-agent stdio --run r1 --host db1 --state " STATE_DIR, run_stdio},
    {"undo", "put back what dead agents left",
     "--all [--state DIR] [--host NAME] [--root-fd N] [--proc-fd N] [--init-pid PID]",
     "Replays every undo log in DIR that no living agent holds, and says what it did.\n"
     "Exit status 4: something could not be put back; its record is kept.\n",
     "blackstart-agent undo --all --state " STATE_DIR, run_undo},
    {"sweep", "look for what bears our name and belongs to nobody", "[--state DIR] [--host NAME]",
     "Replays unlocked undo logs and removes unfinished ones. Then removes links that a dead run\n"
     "left in this network namespace, and says the command for tables that no agent owns.\n"
     "Exit status 4: something is left for a person.\n",
     "blackstart-agent sweep", run_sweep},
    {"preload", "let faults reach a unit's calls and clock", "UNIT [LIBRARY]",
     "Puts the preload library and the unit's page into " FIU_PAGE_DIR " and prints what the unit\n"
     "needs to start with them: faults of the kinds fiu and clock then reach its programs.\n"
     "LIBRARY is " FIU_LIBRARY " beside this program unless it is given.\n",
     "blackstart-agent preload redis-server", run_preload},
    {"version", "print the version and the catalogue's digest", "", "", "blackstart-agent version",
     run_version},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *to, const struct command *c)
{
    (void)fprintf(to, "usage: blackstart-agent %s %s\n\n%s\n%s\nexample: %s\n", c->name, c->usage,
                  c->summary, c->doc, c->example);
}

static int complain(const struct command *c, const char *what)
{
    (void)fprintf(stderr,
                  "blackstart-agent %s: %s\n(blackstart-agent %s --help says how it is called)\n",
                  c->name, what, c->name);
    return 2;
}

enum {
    OPTION_RUN = 256,
    OPTION_HOST,
    OPTION_STATE,
    OPTION_ROOT,
    OPTION_PROC,
    OPTION_INIT,
    OPTION_LINK,
    OPTION_LAB,
    OPTION_POLICY,
    OPTION_ALL,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"run", required_argument, NULL, OPTION_RUN},
    {"host", required_argument, NULL, OPTION_HOST},
    {"state", required_argument, NULL, OPTION_STATE},
    {"root-fd", required_argument, NULL, OPTION_ROOT},
    {"proc-fd", required_argument, NULL, OPTION_PROC},
    {"init-pid", required_argument, NULL, OPTION_INIT},
    {"link-fd", required_argument, NULL, OPTION_LINK},
    {"lab", no_argument, NULL, OPTION_LAB},
    {"policy", required_argument, NULL, OPTION_POLICY},
    {"all", no_argument, NULL, OPTION_ALL},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static bool parse_number(const char *text, int *ret)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < 0 || n > INT32_MAX)
        return false;
    *ret = (int)n;
    return true;
}

static bool take_option(int option, const char *value, struct agent_options *o, bool *all)
{
    switch (option) {
    case OPTION_RUN:
        o->run = value;
        return true;
    case OPTION_HOST:
        o->host = value;
        return true;
    case OPTION_STATE:
        o->state = value;
        return true;
    case OPTION_POLICY:
        o->policy = value;
        return true;
    case OPTION_ROOT:
        return parse_number(value, &o->root);
    case OPTION_PROC:
        return parse_number(value, &o->proc);
    case OPTION_INIT:
        return parse_number(value, &o->init);
    case OPTION_LINK:
        return parse_number(value, &o->link);
    case OPTION_LAB:
        o->lab = true;
        return true;
    case OPTION_ALL:
        *all = true;
        return true;
    default:
        return false;
    }
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, const struct command *c, struct agent_options *o, bool *all)
{
    *o = (struct agent_options){.state = STATE_DIR, .root = -1, .proc = -1};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == OPTION_HELP) {
            print_help(stdout, c);
            return 0;
        }
        if (option == '?')
            return complain(c, "that option is unknown, or lacks its value");
        if (!take_option(option, optarg, o, all))
            return complain(c, "a descriptor or pid is a decimal number");
    }
    if (optind < argc)
        return complain(c, "it takes no other arguments");
    if (o->host != NULL &&
        (strlen(o->host) > NAME_MAX_LEN || !wire_is_name(o->host, NAME_MAX_LEN + 1)))
        return complain(c, "--host is a name of letters, digits, '.', '_', '@' and '-'");
    if (o->run != NULL && (strlen(o->run) > RUN_ID_MAX || !wire_is_id(o->run, RUN_ID_MAX + 1)))
        return complain(c, "--run is an id of a-z, 0-9 and '-'");
    return -1;
}

static int report(int status, const struct err *err)
{
    if (status == 3 && err->msg[0] != '\0')
        (void)fprintf(stderr, "blackstart-agent: %s\n", err->msg);
    return status;
}

static int run_stdio(int argc, char **argv, const struct command *self)
{
    struct agent_options o;
    struct err err = {0};
    bool all = false;
    int status = parse(argc, argv, self, &o, &all);
    if (status >= 0)
        return status;
    if (o.run == NULL || o.host == NULL)
        return complain(self, "--run and --host are needed");
    return report(privside_run(&o, &err), &err);
}

static int run_undo_options(struct agent_options *o)
{
    static char name[NAME_MAX_LEN + 1];
    struct err err = {0};
    if (o->host == NULL) {
        (void)gethostname(name, sizeof(name) - 1);
        o->host = name;
    }
    if (o->run == NULL)
        o->run = "undo";
    return report(privside_undo(o, &err), &err);
}

static int run_undo(int argc, char **argv, const struct command *self)
{
    struct agent_options o;
    bool all = false;
    int status = parse(argc, argv, self, &o, &all);
    if (status >= 0)
        return status;
    if (!all)
        return complain(self, "say --all: it undoes everything that dead agents left");
    return run_undo_options(&o);
}

static void say(const char *text)
{
    (void)puts(text);
}

static int run_sweep(int argc, char **argv, const struct command *self)
{
    struct agent_options o;
    struct stray_tally tally;
    struct err err = {0};
    bool all = false;
    int status = parse(argc, argv, self, &o, &all);
    if (status >= 0)
        return status;
    status = run_undo_options(&o);
    if (stray_sweep(say, &tally, &err) < 0)
        return status == 4 ? status : report(3, &err);
    return status == 0 && tally.left != 0 ? 4 : status;
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

/* The library's own path is put into ret. */
static int open_library(const char *given, const char *self, char ret[PATH_MAX], struct err *err)
{
    if (given == NULL)
        (void)snprintf(ret, PATH_MAX, "%.*s/" FIU_LIBRARY, (int)(strrchr(self, '/') - self), self);
    else if (realpath(given, ret) == NULL)
        return make_error(err, ERR_SYSTEM, errno, "find the library %s", given);
    int fd = open(ret, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : make_error(err, ERR_SYSTEM, errno, "open the library %s", ret);
}

/* One word of a unit file's command line. */
static void print_word(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '%' || *text == '$')
            (void)putchar(*text);
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

/*
 * The command before each start fills an empty /run. It runs without the variables, so that no
 * fault reaches it, and a unit whose agent has gone starts all the same. The last two lines let a
 * unit that systemd shuts in write its page and map the library, and nothing else.
 */
static void print_drop_in(const char *unit, const char *self, const char *library, bool kept)
{
    (void)printf("# %s/%s.page %s. Let the unit start with it (systemctl edit %s), then restart "
                 "it:\n[Service]\nExecStartPre=-+/usr/bin/env -u LD_PRELOAD -u " FIU_ENV_PAGE " ",
                 FIU_PAGE_DIR, unit, kept ? "was there and is kept" : "is new", unit);
    print_word(self);
    (void)printf(" preload %s", unit);
    if (library != NULL) {
        (void)putchar(' ');
        print_word(library);
    }
    (void)printf(
        "\nEnvironment=LD_PRELOAD=" FIU_LIBRARY_PATH "\n"
        "Environment=" FIU_ENV_PAGE "=" FIU_PAGE_DIR "/%s.page\n"
        "# For units with ProtectSystem=, NoExecPaths= or their like. They put a unit into "
        "a mount namespace\n# of its own: leave them out for one whose mounts others must "
        "see.\n"
        "ReadWritePaths=-" FIU_PAGE_DIR "\n"
        "ExecPaths=-" FIU_LIBRARY_PATH "\n",
        unit);
}

static int run_preload(int argc, char **argv, const struct command *self)
{
    struct err err = {0};
    bool kept = false;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout, self);
        return 0;
    }
    if (argc != 2 && argc != 3)
        return complain(self, "it takes a unit, and perhaps the library's file");
    if (strlen(argv[1]) > NAME_MAX_LEN || !wire_is_name(argv[1], NAME_MAX_LEN + 1))
        return complain(self, "UNIT is a name of letters, digits, '.', '_', '@' and '-'");
    char agent[PATH_MAX], from[PATH_MAX];
    if (find_self(agent, sizeof(agent), &err) != 0)
        return report(3, &err);
    CLEANUP_FD int library = open_library(argc == 3 ? argv[2] : NULL, agent, from, &err);
    CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (library < 0 || install_service(root, argv[1], library, &kept, &err) != 0)
        return report(3, &err);
    print_drop_in(argv[1], agent, argc == 3 ? from : NULL, kept);
    return 0;
}

static int run_version(int argc, char **argv, const struct command *self)
{
    struct agent_options o;
    bool all = false;
    char digest[DIGEST_TEXT];
    int status = parse(argc, argv, self, &o, &all);
    if (status >= 0)
        return status;
    catalogue_digest(&fault_catalogue, digest);
    (void)printf("blackstart-agent %s\nprotocol 1\ncatalogue %s\n", BLACKSTART_VERSION, digest);
    return 0;
}

static void man_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-')
            (void)fputs("\\-", stdout);
        else
            (void)putchar(*text);
    }
}

static int print_man(void)
{
    (void)printf(".TH BLACKSTART-AGENT 8 \"\" \"blackstart %s\"\n.SH NAME\nblackstart\\-agent \\- "
                 "inject faults into one host and take them back\n.SH SYNOPSIS\n.B "
                 "blackstart\\-agent\n.I COMMAND\n[options]\n.SH COMMANDS\n",
                 BLACKSTART_VERSION);
    for (int i = 0; i < N_COMMANDS; i++) {
        const struct command *c = &commands[i];
        const char *const parts[] = {".SS ",     c->name,  " ",
                                     c->usage,   "\n",     c->summary,
                                     ".\n.PP\n", c->doc,   "\n.PP\nExample:\n.PP\n.nf\n",
                                     c->example, "\n.fi\n"};
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
            man_text(parts[k]);
    }
    (void)printf(".SH SEE ALSO\n.BR blackstart (1)\n");
    return 0;
}

static int usage(FILE *to)
{
    (void)fprintf(to, "usage: blackstart-agent COMMAND [options]\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        (void)fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\nblackstart-agent COMMAND --help says more; --man prints the manual "
                      "page.\n");
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc >= 2 && strcmp(argv[1], "--man") == 0)
        return print_man();
    for (int i = 0; argc >= 2 && i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, &commands[i]);
    return usage(stderr);
}
