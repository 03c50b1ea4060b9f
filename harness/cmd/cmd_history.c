/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cmd/cmd_store.h"
#include "cmd/history_keep.h"
#include "cmd/history_print.h"
#include "cmd/terminal.h"
#include "cmd/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT = 20, LIMIT_MAX = 1000000, TEXT_MAX = 512 << 20 };

static void put_verdicts(struct buf *out)
{
    for (int v = VERDICT_PASS; v <= VERDICT_FAIL; v++)
        buf_printf(out, "%s%s", v != VERDICT_PASS ? ", " : "", verdict_word((enum verdict)v));
}

static void put_formats(struct buf *out)
{
    buf_puts(out, "csv, json");
}

static const struct command_option options[] = {
    {.name = "limit", .letter = 'n', .argument = "N", .doc = "The newest N (default: 20)."},
    {.name = "since", .argument = "WHEN", .doc = "Since a date, 2026-03-01, or for an age, 7d."},
    {.name = "verdict", .argument = "WORD", .doc = "Only these.", .words = put_verdicts},
    {.name = "json", .doc = "Print one JSON document, with all runs unless --limit is given."},
    {.name = "export",
     .argument = "FORMAT",
     .doc = "Print all that the store knows of these runs.",
     .words = put_formats},
    {.name = "import",
     .argument = "DIR",
     .repeat = true,
     .doc = "Record a run's folder, or all folders in DIR, also what was pruned."},
    {.name = "rebuild", .doc = "Move the store aside and make it anew from the runs' folders."},
    {.name = "force", .doc = "With --rebuild: also a file that does not look like a store."},
    {.name = "prune", .doc = "Forget runs: by --keep, --older-than, or what both name."},
    {.name = "keep", .argument = "N", .doc = "Of each scenario the newest N stay."},
    {.name = "older-than", .argument = "WHEN", .doc = "Only runs older than that: 90d."},
    {.name = "with-folders", .doc = "Remove the folders too, of runs that lie beside the store."},
    {.name = "dry-run", .doc = "Only say what would be pruned."},
    CMD_STORE_OPTION,
};

static bool is_verdict(const char *word)
{
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        if (strcmp(word, verdict_word((enum verdict)v)) == 0)
            return true;
    return false;
}

static int filter_of(const struct command_args *args, const char *scenario,
                     struct store_filter *ret, char since[WHEN_TEXT], struct err *err)
{
    bool whole = command_flag(args, "json") || command_value(args, "export") != NULL;
    uint64_t limit = whole ? LIMIT_MAX : LIMIT;
    const char *at = command_value(args, "since"), *verdict = command_value(args, "verdict");
    if (command_count(args, "limit", 1, LIMIT_MAX, &limit, err) != 0)
        return -1;
    if (at != NULL && when_parse("since", at, time(NULL), since, err) != 0)
        return -1;
    if (verdict != NULL && !is_verdict(verdict))
        return make_error(err, ERR_USAGE, 0,
                          "--verdict %s: expected pass, inconclusive, invalid or fail", verdict);
    *ret = (struct store_filter){.scenario = scenario,
                                 .verdict = verdict,
                                 .since = at != NULL ? since : NULL,
                                 .limit = (int64_t)limit};
    return 0;
}

static int print_json(json_t *document, struct err *err)
{
    if (document == NULL)
        return -1;
    int rc = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(document);
    (void)puts("");
    return rc < 0 ? make_error(err, ERR_SYSTEM, 0, "cannot write to the standard output") : 0;
}

static int print_text(const struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "the list is too long; give a --limit");
    (void)fwrite(buf_text(out), 1, out->len, stdout);
    return 0;
}

static int print_table(const struct store_list *list, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    bool terminal = isatty(STDOUT_FILENO) != 0;
    history_print_table(list, terminal ? (size_t)terminal_width(stdout) : 400,
                        terminal_has_colour(stdout), &out);
    if (list->more > 0)
        buf_printf(&out, "(%" PRId64 " more; --limit N shows them)\n", list->more);
    if (!buf_ok(&out))
        return print_text(&out, err);
    terminal_put_cut(stdout, buf_text(&out));
    return 0;
}

static int print_export(const struct command_args *args, const struct store_list *list,
                        struct store *s, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    const char *format = command_value(args, "export");
    if (strcmp(format, "json") == 0)
        return print_json(history_json(list, store_file(s), s, err), err);
    history_print_csv(list, &out);
    return print_text(&out, err);
}

static int show(const struct command_args *args, const char *scenario, struct store *s,
                struct err *err)
{
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct store_filter filter;
    char since[WHEN_TEXT];
    if (filter_of(args, scenario, &filter, since, err) != 0 ||
        store_list(s, &filter, &list, err) != 0 ||
        (list.n == 0 && scenario != NULL && cmd_store_has(s, scenario, false, err) != 0))
        return -1;
    if (command_value(args, "export") != NULL)
        return print_export(args, &list, s, err);
    if (command_flag(args, "json"))
        return print_json(history_json(&list, store_file(s), NULL, err), err);
    if (list.n != 0)
        return print_table(&list, err);
    (void)printf("no run%s in %s\n",
                 filter.scenario != NULL || filter.verdict != NULL || filter.since != NULL
                     ? " like that"
                     : "",
                 store_file(s));
    return 0;
}

/* At most one thing to do; listing is none of these. */
static int check(const struct command_args *args, struct err *err)
{
    static const char *const acts[] = {"export", "import", "rebuild", "prune"};
    static const char *const of_prune[] = {"keep", "older-than", "with-folders", "dry-run"};
    const char *format = command_value(args, "export"), *first = NULL;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (!command_flag(args, acts[i]))
            continue;
        if (first != NULL)
            return make_error(err, ERR_USAGE, 0, "--%s and --%s are two things to do; give one",
                              first, acts[i]);
        first = acts[i];
    }
    for (size_t i = 0; i < sizeof(of_prune) / sizeof(of_prune[0]); i++)
        if (command_flag(args, of_prune[i]) && !command_flag(args, "prune"))
            return make_error(err, ERR_USAGE, 0, "--%s belongs to --prune", of_prune[i]);
    if (command_flag(args, "force") && !command_flag(args, "rebuild"))
        return make_error(err, ERR_USAGE, 0, "--force belongs to --rebuild");
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0)
        return make_error(err, ERR_USAGE, 0, "--export %s: expected csv or json", format);
    return 0;
}

/* There is no store, and nobody named one; err says so. */
static int show_none(const struct command_args *args, const struct cmd_store *place,
                     struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    const struct store_list none = {.n = 0};
    const char *format = command_value(args, "export");
    if (command_flag(args, "json") || (format != NULL && strcmp(format, "json") == 0))
        return print_json(history_json(&none, place->file, NULL, err), err);
    if (format != NULL)
        history_print_csv(&none, &out);
    else
        buf_printf(&out, "%s\n", err->msg);
    return print_text(&out, err);
}

static int act(const struct command_args *args, const char *scenario, struct err *err)
{
    struct cmd_store place;
    CLEANUP_STORE struct store *s = NULL;
    if (cmd_store_of_all(args, &place, err) != 0)
        return -1;
    if (command_flag(args, "rebuild"))
        return history_rebuild(&place, command_flag(args, "force"), err);
    if (command_flag(args, "import")) /* what lies beside it, the next one finds */
        return cmd_store_open_alone(&place, &s, err) != 0 ? -1 : history_import(args, s, err);
    if (cmd_store_open(&place, &s, err) != 0) {
        bool none = err->code == ERR_NOT_FOUND && !place.asked && scenario == NULL;
        return none ? show_none(args, &place, err) : -1;
    }
    if (command_flag(args, "prune"))
        return history_prune(args, scenario, s, err);
    return show(args, scenario, s, err);
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario *file = NULL;
    const char *scenario;
    if (check(args, err) != 0)
        return -1;
    int rc = cmd_store_scenario(args, &scenario, &file, err);
    if (rc == 0)
        rc = act(args, scenario, err);
    scenario_free(file);
    return rc;
}

const struct command command_history = {
    .name = "history",
    .summary = "List earlier runs; keep, prune and export them.",
    .usage = "[OPTIONS] [SCENARIO]",
    .doc =
        "Lists what the store knows of runs, the newest first: when, the verdict and the "
        "target that decided it, with its interval. SCENARIO is a scenario's name or file. Runs "
        "whose "
        "folders lie beside the store, and that it does not know, are read first: the folders "
        "are the truth, and nothing is lost with the store (docs/store.md). Exit status: 0, also "
        "when no run is like that; 3 when the store has no run of SCENARIO.",
    .example = "blackstart history quickstart --since 30d\n"
               "blackstart history --verdict fail --json\n"
               "blackstart history --export csv > runs.csv\n"
               "blackstart history --prune --keep 50 --older-than 90d --dry-run",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .run = run,
};
