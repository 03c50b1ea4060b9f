/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cmd/cmd_lab_holder.h"
#include "cmd/command.h"
#include "lab/enter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DOWN_LIMIT_MS = 40000 };

static int find_lab(const struct command_args *args, json_t **ret, struct err *err)
{
    char base[PATH_MAX];
    if (lab_base_dir(base, sizeof(base), err) != 0)
        return -1;
    return registry_find(base, command_value(args, "name"), ret, err);
}

static void decref_at(json_t **j)
{
    json_decref(*j);
}
#define CLEANUP_JSON CLEANUP(decref_at)

static int run_exec(const struct command_args *args, struct err *err)
{
    CLEANUP_JSON json_t *lab = NULL;
    const char *words[COMMAND_VALUES_MAX + 1] = {"bash", NULL};
    if (args->n_operands < 2)
        return make_error(err, ERR_USAGE, 0, "lab exec needs a host: lab exec HOST -- COMMAND");
    if (args->n_operands - 2 > COMMAND_VALUES_MAX)
        return make_error(err, ERR_LIMIT, 0, "the command is too long");
    char base[PATH_MAX];
    if (lab_base_dir(base, sizeof(base), err) != 0 ||
        registry_find_with(base, command_value(args, "name"), args->operands[1], &lab, err) != 0)
        return -1;
    const json_t *host = registry_host(lab, args->operands[1]);
    if (host == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "the lab has no host \"%s\"", args->operands[1]);
    for (size_t i = 2; i < args->n_operands; i++) {
        words[i - 2] = args->operands[i];
        words[i - 1] = NULL;
    }
    bool rootless = json_is_true(json_object_get(lab, "rootless"));
    bool range = json_is_true(json_object_get(lab, "id_range"));
    const struct enter_how how = {
        .user = command_value(args, "user"), .words = words, .one_id = rootless && !range};
    struct registry_process init;
    int status = 0;
    if (registry_process_from(host, &init, err) != 0 || enter_run(&init, &how, &status, err) != 0)
        return -1;
    return status;
}

static int run_down(const struct command_args *args, struct err *err)
{
    CLEANUP_JSON json_t *lab = NULL;
    struct registry_process holder;
    CLEANUP_FD int pidfd = -1;
    if (find_lab(args, &lab, err) != 0 ||
        registry_process_from(json_object_get(lab, "holder"), &holder, err) != 0 ||
        registry_open(&holder, &pidfd, err) != 0)
        return -1;
    if (!json_is_true(json_object_get(lab, "held")))
        return make_error(err, ERR_REFUSED, 0,
                          "lab %s belongs to a run (process %d); end that, and the lab ends",
                          json_string_value(json_object_get(lab, "name")), (int)holder.pid);
    if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) != 0)
        return make_error(err, ERR_SYSTEM, errno, "ask the lab's holder to end it");
    /* One that was stopped takes the signal only when it goes on. */
    (void)syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    if (poll(&p, 1, DOWN_LIMIT_MS) <= 0)
        return make_error(
            err, ERR_TIMEOUT, 0,
            "the lab's holder (process %d) does not end; \"kill -9 %d\" ends the lab too",
            (int)holder.pid, (int)holder.pid);
    const char *dir = json_string_value(json_object_get(lab, "state_dir"));
    if (dir != NULL && access(dir, F_OK) == 0)
        return make_error(err, ERR_DIRTY, 0, "the lab's directory %s is still there", dir);
    (void)printf("lab %s is down\n", json_string_value(json_object_get(lab, "name")));
    return 0;
}

static void print_lab(const json_t *lab)
{
    size_t i;
    const json_t *host;
    (void)printf(
        "lab %s, held by process %lld\n", json_string_value(json_object_get(lab, "name")),
        (long long)json_integer_value(json_object_get(json_object_get(lab, "holder"), "pid")));
    json_array_foreach(json_object_get(lab, "hosts"), i, host)
    {
        (void)printf("  %-16s %-12s %-12s", json_string_value(json_object_get(host, "name")),
                     json_string_value(json_object_get(host, "ip")),
                     json_string_value(json_object_get(host, "ip6")));
        cmd_lab_print_services(host);
        (void)puts("");
    }
}

static int run_ps(const struct command_args *args, struct err *err)
{
    char base[PATH_MAX];
    CLEANUP_JSON json_t *list = NULL;
    if (lab_base_dir(base, sizeof(base), err) != 0 || registry_list(base, &list, err) != 0)
        return -1;
    if (command_flag(args, "json")) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
        (void)puts("");
        return 0;
    }
    size_t i;
    const json_t *lab;
    json_array_foreach(list, i, lab) print_lab(lab);
    if (json_array_size(list) == 0)
        (void)puts("no lab is up");
    return 0;
}

static const struct {
    const char *word;
    int (*run)(const struct command_args *args, struct err *err);
    size_t operands_max; /* the word included; 0: any */
} words[] = {
    {"up", cmd_lab_up, 2},
    {"exec", run_exec, 0},
    {"ps", run_ps, 1},
    {"down", run_down, 1},
};

static int run(const struct command_args *args, struct err *err)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(args->operands[0], words[i].word) != 0)
            continue;
        if (words[i].operands_max != 0 && args->n_operands > words[i].operands_max)
            return make_error(err, ERR_USAGE, 0, "lab %s takes no \"%s\"", words[i].word,
                              args->operands[words[i].operands_max]);
        return words[i].run(args, err);
    }
    return make_error(err, ERR_USAGE, 0, "lab: up, exec, ps or down, not \"%s\"",
                      args->operands[0]);
}

static void complete(struct buf *out)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        buf_printf(out, "%s%s", i != 0 ? " " : "", words[i].word);
}

static const struct command_option options[] = {
    {.name = "name",
     .letter = 'n',
     .argument = "NAME",
     .doc =
         "The lab's name; needed only when more than one is up, or has that host (up: default the "
         "file's name)."},
    {.name = "for",
     .argument = "DURATION",
     .doc = "up: take it down by itself after this long (default 8h)."},
    {.name = "set",
     .letter = 's',
     .argument = "NAME=VALUE",
     .repeat = true,
     .doc = "up: give a variable of the file another value."},
    {.name = "variant",
     .argument = "NAME",
     .doc = "up: which variant of the scenario; of a lab file with items of variants, required."},
    {.name = "user", .letter = 'u', .argument = "USER", .doc = "exec: as this user of the host."},
    {.name = "json", .doc = "ps: print JSON."},
};

const struct command command_lab = {
    .name = "lab",
    .summary = "Make a lab and look inside: up, exec, ps, down.",
    .usage = "[OPTIONS] up FILE | exec HOST [-- COMMAND...] | ps | down",
    .doc =
        "up makes the hosts of a lab file (or of a scenario), starts their services and leaves a "
        "process that holds them until \"down\" or until the time is over. exec runs a command "
        "(a shell, when none is given) inside a host, with this terminal, and ends with its "
        "status; it enters the labs of runs too (run --hold).",
    .example = "blackstart lab up scenarios/labs/etcd3.yaml\n"
               "blackstart lab exec n1 -- etcd --version\n"
               "blackstart lab exec n1\n"
               "blackstart lab down",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = COMMAND_OPERANDS_ANY,
    .complete = complete,
    .run = run,
};
