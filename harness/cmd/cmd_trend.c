/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cmd/cmd_store.h"
#include "cmd/terminal.h"
#include "cmd/trend_chart.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT = 40, LIMIT_MAX = 100000, TEXT_MAX = 64 << 20 };

static const struct command_option options[] = {
    {.name = "target",
     .argument = "TEXT",
     .doc = "The target whose name has this in it, such as availability (default: the first "
            "recovery time)."},
    {.name = "limit", .letter = 'n', .argument = "N", .doc = "The newest N runs (default: 40)."},
    {.name = "json", .doc = "Print one JSON document."},
    CMD_STORE_OPTION,
};

/* Of the newest run that has such a target. */
static int target_find(const struct earlier *e, const char *part, const struct earlier_target **ret,
                       struct err *err)
{
    for (size_t i = e->n; i > 0; i--) {
        const struct earlier_run *r = &e->runs[i - 1];
        for (size_t k = 0; part != NULL && k < r->n_targets; k++) {
            CLEANUP_BUF struct buf name = BUF_INIT(4096);
            trend_print_name(&r->targets[k], &name);
            *ret = &r->targets[k];
            if (strstr(buf_text(&name), part) != NULL)
                return 0;
        }
        *ret = part == NULL ? trend_main_target(r) : NULL;
        if (*ret != NULL)
            return 0;
    }
    if (part == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "no run of it has a target");
    return make_error(err, ERR_NOT_FOUND, 0,
                      "--target %s: no run has such a target; see blackstart history --json", part);
}

static json_t *figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *trend_json(const struct trend *t, const char *scenario)
{
    json_t *points = json_array();
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->points[i];
        (void)json_array_append_new(
            points,
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:b, s:b, s:b, s:b}", "run",
                      p->run, "wall", p->wall, "version", p->version, "verdict", p->verdict,
                      "trials", (json_int_t)p->trials, "stopped", p->stopped, "limit",
                      figure(p->limit), "lower", figure(p->lower), "upper", figure(p->upper),
                      "scenario_changed", (p->changes & TREND_SCENARIO) != 0, "setup_changed",
                      (p->changes & TREND_SETUP) != 0, "version_changed",
                      (p->changes & TREND_VERSION) != 0, "packages_changed",
                      (p->changes & TREND_PACKAGES) != 0));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "scenario", scenario,
                     "measure", t->measure, "of", t->of, "from", t->from, "unit", t->unit, "detail",
                     t->detail, "side", t->at_least ? "at least" : "at most", "left_out",
                     (json_int_t)t->left_out, "points", points);
}

static const char *style(const char *verdict)
{
    if (verdict == NULL)
        return terminal_style(stdout, STYLE_PLAIN);
    return terminal_style(stdout, strcmp(verdict, "pass") == 0   ? STYLE_GREEN
                                  : strcmp(verdict, "fail") == 0 ? STYLE_RED
                                                                 : STYLE_YELLOW);
}

static int print(const struct command_args *args, const char *scenario, const struct trend *t,
                 struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    if (command_flag(args, "json")) {
        json_t *document = trend_json(t, scenario);
        int rc = document == NULL
                     ? -1
                     : json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        json_decref(document);
        (void)puts("");
        return rc < 0 ? make_error(err, ERR_SYSTEM, 0, "cannot write to the standard output") : 0;
    }
    if (isatty(STDOUT_FILENO) != 0)
        trend_chart_print(
            t, scenario,
            &(struct trend_chart){.columns = (size_t)terminal_width(stdout), .style = style}, &out);
    else
        trend_print_plain(t, scenario, &out);
    if (!buf_ok(&out))
        return make_error(err, ERR_LIMIT, 0, "the chart is too long; give a --limit");
    terminal_put_cut(stdout, buf_text(&out));
    return 0;
}

/* The oldest first. */
static int in_order(struct store_list *list, struct earlier *ret, struct err *err)
{
    *ret = (struct earlier){.known = true, .older = list->more};
    ret->runs = arena_array(&list->arena, list->n + 1, sizeof(*ret->runs));
    if (ret->runs == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu runs", list->n);
    for (size_t i = list->n; i > 0; i--)
        ret->runs[ret->n++] = list->runs[i - 1].run;
    return 0;
}

static int draw(const struct command_args *args, const char *scenario, struct err *err)
{
    struct cmd_store place;
    CLEANUP_STORE struct store *s = NULL;
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    const struct earlier_target *target;
    struct earlier e;
    struct trend t;
    uint64_t limit = LIMIT;
    if (command_count(args, "limit", 1, LIMIT_MAX, &limit, err) != 0 ||
        cmd_store_of_all(args, &place, err) != 0 || cmd_store_open(&place, &s, err) != 0)
        return -1;
    const struct store_filter filter = {
        .scenario = scenario, .with_faults = true, .limit = (int64_t)limit};
    if (store_list(s, &filter, &list, err) != 0)
        return -1;
    if (list.n == 0 && list.stopped != 0)
        return make_error(err, ERR_NOT_FOUND, 0,
                          "%s: no run to draw; %" PRId64 " of it %s stopped before a trial with a "
                          "fault had ended",
                          scenario, list.stopped, list.stopped == 1 ? "was" : "were");
    if ((list.n == 0 && cmd_store_has(s, scenario, true, err) != 0) ||
        in_order(&list, &e, err) != 0 ||
        target_find(&e, command_value(args, "target"), &target, err) != 0 ||
        trend_make(e.runs, e.n, NULL, target, &list.arena, &t, err) != 0)
        return -1;
    t.left_out += list.stopped;
    return print(args, scenario, &t, err);
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario *file;
    const char *scenario;
    int rc = cmd_store_scenario(args, &scenario, &file, err);
    if (rc == 0)
        rc = draw(args, scenario, err);
    scenario_free(file);
    return rc;
}

const struct command command_trend = {
    .name = "trend",
    .summary = "Draw a target of a scenario over its runs.",
    .usage = "[OPTIONS] SCENARIO",
    .doc =
        "One line a run, the oldest first: its interval on one scale, with the target, and a "
        "mark where the scenario's text, its variables or Blackstart's version are others than "
        "before. Not on a terminal, the same without the drawing. SCENARIO is a scenario's "
        "name or file; runs that only measured are left out, and those that were stopped before a "
        "trial with a fault had ended. Exit status: 0, or 3 when the store has no run of it.",
    .example = "blackstart trend quickstart\n"
               "blackstart trend quickstart --target availability",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
