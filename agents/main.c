/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/command.h"
#include "agents/dropin.h"
#include "agents/faults/catalogue.h"
#include "agents/fiu/page.h"
#include "agents/host.h"
#include "agents/privside.h"
#include "agents/stray.h"
#include "agents/unit.h"
#include "agents/unit_page.h"
#include "agents/wire.h"
#include "base/json_memory.h"
#include "base/param.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_stdio(int argc, char **argv, const struct command *self);
static int run_undo(int argc, char **argv, const struct command *self);
static int run_sweep(int argc, char **argv, const struct command *self);
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
     "Exit status 4: something could not be put back; its record is kept. 3: there is no DIR.\n",
     "blackstart-agent undo --all --state " STATE_DIR, run_undo},
    {"sweep", "look for what bears our name and belongs to nobody", "[--state DIR] [--host NAME]",
     "Replays unlocked undo logs and removes unfinished ones. Then removes links that a dead run\n"
     "left in this network namespace, and says the command for tables that no agent owns; and the\n"
     "pages in " FIU_PAGE_DIR " of supervisors that were killed.\n"
     "Exit status 4: something is left for a person.\n",
     "blackstart-agent sweep", run_sweep},
    {"preload", "let faults reach a unit's calls and clock", "UNIT [LIBRARY]",
     "Puts the preload library and the unit's page into " FIU_PAGE_DIR " and prints what the unit\n"
     "needs to start with them: faults of the kinds fiu and clock then reach its programs.\n"
     "LIBRARY is " FIU_LIBRARY " beside this program unless it is given; what is no such library\n"
     "is refused.\n",
     "blackstart-agent preload redis-server", unit_preload},
    {"trap", "let faults reach a unit that loads no library", "UNIT [rare|writes|all]",
     "Prints what the unit needs to start with its calls on files trapped by the kernel: the "
     "kinds\n"
     "fiu then reach static programs, Go and users of io_uring. Changes nothing by itself. All\n"
     "calls on files but writes and reads, with writes, or all: each costs a round trip to the\n"
     "supervisor. docs/units.md says what becomes of the unit.\n",
     "blackstart-agent trap etcd", unit_trap},
    {"reach", "say whether faults reach a unit's calls, and how", "UNIT",
     "Looks at the unit as it runs now. Exit status 3: they do not, and why.\n",
     "blackstart-agent reach etcd", unit_reach},
    {"supervise", "for drop-ins: answer the trapped calls of one start", "UNIT [SECONDS]",
     "What `trap` prints has systemd start it, before the unit's program, for which it waits:\n"
     "600 seconds unless SECONDS says otherwise.\n",
     "blackstart-agent supervise etcd", unit_supervise},
    {"trapped", "for drop-ins: become a program whose calls are trapped",
     "UNIT rare|writes|all [" DROPIN_AS "NAME] PROGRAM [ARGUMENT...]",
     "What `trap` prints has systemd start it in the program's place. Without a supervisor it\n"
     "becomes the program all the same, and says so.\n",
     "blackstart-agent trapped etcd rare /usr/bin/etcd", unit_trapped},
    {"version", "print the version and the catalogue's digest", "", "", "blackstart-agent version",
     run_version},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

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
            command_help(stdout, c);
            return 0;
        }
        if (option == '?')
            return command_complain(c, "that option is unknown, or lacks its value");
        if (!take_option(option, optarg, o, all))
            return command_complain(c, "a descriptor or pid is a decimal number");
    }
    if (optind < argc)
        return command_complain(c, "it takes no other arguments");
    if (o->host != NULL &&
        (strlen(o->host) > NAME_MAX_LEN || !wire_is_name(o->host, NAME_MAX_LEN + 1)))
        return command_complain(c, "--host is a name of letters, digits, '.', '_', '@' and '-'");
    if (o->run != NULL && (strlen(o->run) > RUN_ID_MAX || !wire_is_id(o->run, RUN_ID_MAX + 1)))
        return command_complain(c, "--run is an id of a-z, 0-9 and '-'");
    return -1;
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
        return command_complain(self, "--run and --host are needed");
    return command_report(privside_run(&o, &err), &err);
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
    if (strcmp(o->state, STATE_DIR) == 0 && access(STATE_DIR, F_OK) != 0 && errno == ENOENT) {
        (void)puts("no agent has kept anything on this host: there is no " STATE_DIR);
        return 0;
    }
    return command_report(privside_undo(o, &err), &err);
}

static int run_undo(int argc, char **argv, const struct command *self)
{
    struct agent_options o;
    bool all = false;
    int status = parse(argc, argv, self, &o, &all);
    if (status >= 0)
        return status;
    if (!all)
        return command_complain(self, "say --all: it undoes everything that dead agents left");
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
    if (stray_sweep(say, &tally, &err) < 0 ||
        (o.root < 0 && unit_page_sweep(say, &err) < 0)) /* of another root's units we know none */
        return status == 4 ? status : command_report(3, &err);
    return status == 0 && tally.left != 0 ? 4 : status;
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
        (void)fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\nblackstart-agent COMMAND --help says more; --man prints the manual "
                      "page.\n");
    return to == stdout ? 0 : 2;
}

static int complain_of_word(const char *word)
{
    const char *words[N_COMMANDS];
    for (int i = 0; i < N_COMMANDS; i++)
        words[i] = commands[i].name;
    const char *near = nearest_word(word, words, N_COMMANDS);
    if (word[0] == '-')
        (void)fprintf(
            stderr, "blackstart-agent: options come behind the command, not before it: %s\n", word);
    else if (near == NULL)
        (void)fprintf(stderr, "blackstart-agent: unknown command \"%s\"\n", word);
    else
        (void)fprintf(stderr, "blackstart-agent: unknown command \"%s\"; did you mean \"%s\"?\n",
                      word, near);
    (void)fputs("See: blackstart-agent --help\n", stderr);
    return 2;
}

static int run_word(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr);
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return usage(stdout);
    if (strcmp(word, "--man") == 0)
        return print_man();
    if (strcmp(word, "--version") == 0)
        word = "version";
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, &commands[i]);
    return complain_of_word(word);
}

/* A standard descriptor that is closed would be the next file's number, and get what is printed.
 * Opened the wrong way round, so that using it is still an error; closed again for whatever we
 * become. */
static void fill_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

/* What nobody could read was not said: that is no success. What is worse stays what it is. */
static int stdout_close(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    (void)fputs("blackstart-agent: cannot write to the standard output\n", stderr);
    return status == 0 ? 3 : status;
}

int main(int argc, char **argv)
{
    json_memory_or_end("blackstart-agent");
    fill_descriptors();
    return stdout_close(run_word(argc, argv));
}
