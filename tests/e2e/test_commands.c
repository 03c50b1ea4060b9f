/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line as an impatient person uses it: closed and full outputs, values out of bounds,
 * and what only a tried host can say. */
#include "check.h"
#include "shell.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char said[65536];

/* Its exit status; what it said on both outputs, as far as they were left to us, is in `said`. */
static int command(const char *rest)
{
    char line[1024];
    (void)snprintf(line, sizeof(line), "(cd " SOURCE_DIR " && " BINARY_DIR "/%s) 2>&1", rest);
    int status = shell_read(line, said, sizeof(said));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *rest, int status, const char *text)
{
    int got = command(rest);
    if (got != status || strstr(said, text) == NULL)
        (void)printf("%s: %d: %s\n", rest, got, said);
    CU_ASSERT_EQUAL(got, status);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, text));
}

static void test_outputs(void)
{
    expect("blackstart version >&-", 3, "cannot write to the standard output");
    expect("blackstart faults >/dev/full", 3, "cannot write to the standard output");
    expect("blackstart validate scenarios/quickstart.yaml <&-", 0, "");
}

/* Whatever the word; and what is worse than lost words stays the exit status. */
static void test_outputs_of_the_agent(void)
{
    static const char *const words[] = {"version",        "--help",         "--man",
                                        "preload --help", "version --help", "undo --all --state ."};
    static const char *const ways[] = {">/dev/full", ">&-"};
    char line[100];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(line, sizeof(line), "blackstart-agent %s %s", words[i], ways[k]);
            expect(line, 3, "blackstart-agent: cannot write to the standard output\n");
        }
    }
    expect("blackstart-agent undo >&-", 2, "say --all");
    /* What it becomes gets the descriptors that it got. */
    expect("blackstart-agent trapped x rare /bin/sh -c 'for i in 0 1 2; do "
           "[ ! -e /proc/$$/fd/$i ] || echo $i; done' <&- 2>&-",
           0, "1\n");
    CU_ASSERT_STRING_EQUAL(said, "1\n");
}

/* Looking makes none; the agent's own, which no run has needed yet, is no mistake. The shell has a
 * /var/lib of its own for that. */
static void test_state_directory(void)
{
    expect("blackstart-agent undo --all --state /proc/nosuch", 3,
           "blackstart-agent: there is no state directory /proc/nosuch\n");
    CU_ASSERT_PTR_NULL(strstr(said, "put back"));
    expect("blackstart-agent sweep --state /proc/nosuch", 3, "no state directory /proc/nosuch");
    static const char *const lines[] = {"undo --all", "undo --all --state /var/lib/blackstart"};
    char line[200];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(line, sizeof(line),
                       "blackstart-agent version >/dev/null; exec unshare -m sh -c 'mount -t tmpfs "
                       "none /var/lib && " BINARY_DIR "/blackstart-agent %s && ls /var/lib'",
                       lines[i]);
        expect(line, 0,
               "no agent has kept anything on this host: there is no /var/lib/blackstart\n");
        CU_ASSERT_PTR_NULL(strstr(said, "\nblackstart\n"));
    }
}

static void test_words_of_the_agent(void)
{
    expect("blackstart-agent swep", 2, "unknown command \"swep\"; did you mean \"sweep\"?\n");
    expect("blackstart-agent qqqqqq", 2, "blackstart-agent: unknown command \"qqqqqq\"\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "See: blackstart-agent --help\n"));
    CU_ASSERT_PTR_NULL(strstr(said, "usage:"));
    expect("blackstart-agent --all undo", 2, "options come behind the command");
    expect("blackstart-agent", 2, "usage: blackstart-agent COMMAND");
    expect("blackstart-agent --version", 0, "blackstart-agent ");
}

static void test_values(void)
{
    expect("blackstart lab up --for 0s scenarios/labs/etcd3.yaml", 2, "from 1s to 8760h");
    expect("blackstart lab up --for 99999999h scenarios/labs/etcd3.yaml", 2, "from 1s to 8760h");
    expect("blackstart validate --set recovery_limit=99999999h scenarios/quickstart.yaml", 2,
           "is not a duration such as 100ms from 1ms to 24h");
    expect("blackstart run --trials 9000 scenarios/quickstart.yaml", 2,
           "9000 trials take at least ");
    CU_ASSERT_PTR_NOT_NULL(strstr(said, " or more, or at most --trials "));
    expect("blackstart faults network.partitio", 2, "did you mean \"network.partition\"?");
}

static void test_what_a_fault_says(void)
{
    expect("blackstart faults network.partition", 0, "Works here:   yes");
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "Capabilities: CAP_NET_ADMIN"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "Footprint:    the table netdev blackstart-<run>"));
}

/* What a program reads is a document, whatever was wrong. */
/* A scenario may be anyone's: its words do nothing to the terminal. */
static void test_words_of_a_scenario(void)
{
    char line[300];
    char file[] = "/tmp/blackstart-words-XXXXXX.yaml";
    int fd = mkstemps(file, 5);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    (void)close(fd);
    (void)snprintf(line, sizeof(line),
                   "sed 's/^description:.*/description: \"\\\\e[31mred\"/' " SOURCE_DIR
                   "/tests/e2e/small.yaml >%s",
                   file);
    CU_ASSERT_EQUAL(shell_read(line, said, sizeof(said)), 0);
    (void)snprintf(line, sizeof(line), "blackstart plan %s", file);
    expect(line, 0, ": \\x1b[31mred\n");
    CU_ASSERT_PTR_NULL(strchr(said, '\033'));
    (void)unlink(file);
}

static void test_no_outage_there(void)
{
    static const char *const commands[] = {"outages", "run --compare github-2018"};
    for (size_t i = 0; i < 2; i++) {
        char line[300];
        (void)snprintf(line, sizeof(line), "(cd / && " BINARY_DIR "/blackstart %s) 2>&1",
                       commands[i]);
        int status = shell_read(line, said, sizeof(said));
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(said, "looked in ./scenarios and " BINARY_DIR "/"));
        CU_ASSERT_PTR_NOT_NULL(strstr(said, "go to where Blackstart's scenarios are"));
    }
}

static void test_refusals_as_documents(void)
{
    static const char *const lines[] = {
        "blackstart run --json /nonexistent.yaml 2>/dev/null",
        "blackstart run --json tests/unit/scenario/bad/step-none.yaml 2>/dev/null",
        "blackstart run --json --trials 0 scenarios/quickstart.yaml 2>/dev/null",
        "blackstart run --json scenarios/labs/etcd3.yaml 2>/dev/null",
        "blackstart plan --json --seed x scenarios/quickstart.yaml 2>/dev/null",
        "blackstart outages --json nosuch 2>/dev/null",
        "blackstart outages --json scenarios/quickstart.yaml 2>/dev/null",
        "blackstart outages --json tests/unit/scenario/bad/step-none.yaml 2>/dev/null",
        "blackstart outages --json --table nosuch 2>/dev/null",
        "blackstart compare --json nosuch nosuch 2>/dev/null",
        "blackstart faults --json nosuch 2>/dev/null",
        "blackstart report --json nosuch 2>/dev/null",
        "blackstart trend --json 2>/dev/null",
        "blackstart run --json --bogus 2>/dev/null",
        "blackstart run --bogus --json x 2>/dev/null",
        "blackstart run x --json y 2>/dev/null",
        "blackstart run --json --json x 2>/dev/null",
        "blackstart lab exec --json 2>/dev/null",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        CU_ASSERT_EQUAL(command(lines[i]), 2);
        json_t *doc = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
        if (doc == NULL)
            (void)printf("%s: %s\n", lines[i], said);
        CU_ASSERT_PTR_NOT_NULL(doc);
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(doc, "exit")), 2);
        CU_ASSERT_TRUE(json_is_string(json_object_get(doc, "error")));
        json_decref(doc);
    }
}

/* Not where lines are asked for, nor of what is behind "--" or has no such option. */
static void test_refusals_without_documents(void)
{
    static const char *const lines[] = {
        "blackstart samples --json nosuch 2>/dev/null",
        "blackstart samples --json --bogus 2>/dev/null",
        "blackstart run --bogus -- --json 2>/dev/null",
        "blackstart send --json x 2>/dev/null",
        "blackstart --json 2>/dev/null",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        CU_ASSERT_EQUAL(command(lines[i]), 2);
        CU_ASSERT_STRING_EQUAL(said, "");
    }
}

static void test_files_alone(void)
{
    expect("blackstart validate \"\"", 2, "\"\": an empty name is no file");
    expect("blackstart outages \"\"", 2, "\"\": an empty name is no file");
    expect("blackstart outages ./nosuch.yaml", 2, "./nosuch.yaml: No such file or directory");
    expect("blackstart validate tests/unit/scenario/inventory.yaml", 0, "valid");
    expect("blackstart run scenarios/labs/etcd3.yaml", 2, "is a lab file: a scenario is needed");
    expect("blackstart plan --seed 7 scenarios/quickstart.yaml", 0, "seed        7");
}

/* Commands that take several runs say which is broken, once. */
static void test_a_broken_run(void)
{
    static const char *const commands[] = {"compare", "outages --table"};
    char dir[] = "/tmp/blackstart-broken-XXXXXX", line[200], says[100];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    (void)snprintf(line, sizeof(line), ": >%s/journal.ndjson", dir);
    CU_ASSERT_EQUAL(shell_run(line), 0);
    (void)snprintf(says, sizeof(says), "blackstart: %s: journal.ndjson has no whole line\n", dir);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)snprintf(line, sizeof(line), "blackstart %s %s %s", commands[i], dir, dir);
        expect(line, 2, says);
    }
    (void)snprintf(line, sizeof(line), "rm -r %s", dir);
    CU_ASSERT_EQUAL(shell_run(line), 0);
}

static void test_manual_pages(void)
{
    expect("blackstart help --man", 0, ".SS blackstart run ");
    expect("blackstart-agent --man", 0, ".SS stdio ");
}

/* What no person starts says so, and to whom it speaks. */
static void test_workers(void)
{
    static const char *const names[] = {"ledger", "load", "prober"};
    char line[64], says[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(line, sizeof(line), "blackstart-%s --help 2>/dev/null", names[i]);
        (void)snprintf(says, sizeof(says), "docs/%s-protocol.md", names[i]);
        expect(line, 0, says);
        CU_ASSERT_PTR_NOT_NULL(strstr(said, "`blackstart run` starts"));
        (void)snprintf(line, sizeof(line), "blackstart-%s </dev/null", names[i]);
        (void)snprintf(says, sizeof(says), "see blackstart-%s --help", names[i]);
        expect(line, 2, says);
        (void)snprintf(line, sizeof(line), "blackstart-%s --hlep", names[i]);
        expect(line, 2, says);
    }
}

/* As `./dev install PREFIX` does it; then the installed ones find each other, and nothing stays. */
static void test_installed(void)
{
    char top[] = "/tmp/blackstart-installed-XXXXXX", line[2048];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
    (void)snprintf(line, sizeof(line),
                   "exec 2>&1; set -e; cd %s; list=" BINARY_DIR "/install_manifest.txt\n"
                   "[ ! -f $list ] || mv $list kept\n"
                   "cmake --install " BINARY_DIR " --prefix $PWD/p >out || { cat out; exit 1; }\n"
                   "p/bin/blackstart validate p/share/blackstart/scenarios/quickstart.yaml\n"
                   "(t=$PWD; cd /; $t/p/bin/blackstart validate github-2018)\n"
                   "p/bin/blackstart-agent version; ls p/libexec/blackstart\n"
                   "head -1 p/share/man/man1/blackstart.1 p/share/man/man8/blackstart-agent.8\n"
                   "bash -n p/share/bash-completion/completions/blackstart\n"
                   "tr '\\n' '\\0' <$list | xargs -0 rm; rm $list; [ ! -f kept ] || mv kept $list\n"
                   "find p ! -type d | sed 's/^/left behind: /'",
                   top);
    int status = shell_read(line, said, sizeof(said));
    if (status != 0 || strstr(said, "left behind") != NULL)
        (void)printf("%s\n", said);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "valid (github-2018: naive")); /* found by its name */
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".TH BLACKSTART 1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".TH BLACKSTART-AGENT 8"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "libblackstart-fiu.so"));
    CU_ASSERT_PTR_NULL(strstr(said, "left behind"));
    (void)snprintf(line, sizeof(line), "rm -rf %s", top);
    CU_ASSERT_EQUAL(shell_read(line, said, sizeof(said)), 0);
}

static const struct check_test tests[] = {
    {"outputs that cannot be written", test_outputs},
    {"the agent's outputs", test_outputs_of_the_agent},
    {"the agent's state directory", test_state_directory},
    {"the agent's words", test_words_of_the_agent},
    {"values out of bounds", test_values},
    {"what a fault says of itself", test_what_a_fault_says},
    {"words of a scenario", test_words_of_a_scenario},
    {"no outage there", test_no_outage_there},
    {"refusals as documents", test_refusals_as_documents},
    {"refusals without documents", test_refusals_without_documents},
    {"files alone", test_files_alone},
    {"a broken run", test_a_broken_run},
    {"manual pages", test_manual_pages},
    {"processes of a run", test_workers},
    {"installed", test_installed},
};

CHECK_MAIN("commands", tests)
