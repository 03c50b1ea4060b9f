/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an outage showed, in the store: of a run and its trials, and after an older version. */
#include "store_place.h"

static const struct story outage = {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1};

static const struct scenario_target down = {
    .kind = TARGET_AVAILABILITY, .probe = "write", .over = {STORY_MS(1000)}, .limit = {500000}};
static const struct scenario_target up = {
    .kind = TARGET_AVAILABILITY, .probe = "write", .over = {STORY_MS(3000)}, .limit = {10000}};
static const struct scenario_symptom showing[] = {
    {.shows = "nobody can buy", .missed = true, .targets = &down, .n_targets = 1},
    {.shows = "the page answers", .targets = &up, .n_targets = 1}};
static const char *const each[] = {QUIET, OUTAGE, QUIET};
/* Without a fault, with the outage, and a third trial that does not show it. */
static const struct story shown_once = {
    QUIET,       .each = each,      .recovery_limit_ms = 5000, .blast_permille = -1,
    .trials = 3, .dry_first = true, .symptoms = showing,       .n_symptoms = 2};

static const char *text_of(const json_t *list, size_t i, const char *name)
{
    const char *s = json_string_value(json_object_get(json_array_get(list, i), name));
    return s != NULL ? s : "";
}

static void expect_states(struct store *s, int64_t id)
{
    static const char *const states[3][2] = {
        {"not shown", "shown"}, {"shown", "shown"}, {"not shown", "shown"}};
    struct err err;
    json_t *trials = NULL;
    CU_ASSERT_EQUAL_FATAL(store_trials(s, id, &trials, &err), 0);
    CU_ASSERT_EQUAL(json_array_size(trials), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *of = json_object_get(json_array_get(trials, i), "symptoms");
        CU_ASSERT_EQUAL(json_array_size(of), 2);
        CU_ASSERT_STRING_EQUAL(text_of(of, 0, "shows"), "nobody can buy");
        CU_ASSERT_STRING_EQUAL(text_of(of, 0, "state"), states[i][0]);
        CU_ASSERT_STRING_EQUAL(text_of(of, 1, "state"), states[i][1]);
        CU_ASSERT_NOT_EQUAL(text_of(of, 0, "why")[0], '\0');
    }
    json_decref(trials);
}

static void test_symptoms(void)
{
    struct story_told t, u;
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct err err;
    begin();
    story_tell(&shown_once, &t);
    story_tell(&outage, &u);
    struct store *s = must_open();
    record(s, &t, "r1", "2026-03-01T12:00:00Z", "shop");
    record(s, &t, "r1", "2026-03-01T12:00:00Z", "shop"); /* in its own place */
    record(s, &u, "r2", "2026-03-01T11:00:00Z", "shop");
    CU_ASSERT_EQUAL_FATAL(store_list(s, &(struct store_filter){.limit = 0}, &list, &err), 0);
    CU_ASSERT_EQUAL_FATAL(list.n, 2);
    CU_ASSERT_EQUAL(list.runs[1].n_symptoms, 0);
    CU_ASSERT_EQUAL_FATAL(list.runs[0].n_symptoms, 2);
    const struct store_symptom *one = &list.runs[0].symptoms[0], *two = one + 1;
    CU_ASSERT_STRING_EQUAL(one->shows, "nobody can buy");
    CU_ASSERT_STRING_EQUAL(one->expects, "missed");
    CU_ASSERT_STRING_EQUAL(one->state, "not shown");
    CU_ASSERT_EQUAL(one->judged, 2);
    CU_ASSERT_EQUAL(one->shown, 1);
    CU_ASSERT_STRING_EQUAL(one->without_fault, "not shown");
    CU_ASSERT_STRING_EQUAL(one->why, t.analysis->symptoms[0].why);
    CU_ASSERT_STRING_EQUAL(two->expects, "met");
    CU_ASSERT_STRING_EQUAL(two->state, "shown");
    CU_ASSERT_EQUAL(two->shown, 2);
    CU_ASSERT_STRING_EQUAL(two->without_fault, "shown");
    expect_states(s, list.runs[0].id);
    /* What a run had goes with it. */
    CU_ASSERT_EQUAL(store_forget(s, &list.runs[0].id, 1, false, &err), 0);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM symptoms"), 0);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM trial_symptoms"), 0);
    store_close(s);
    story_free(&t);
    story_free(&u);
    end();
}

/* A store as it was left by the version that knew `version`, with one run. */
static void leave_old(int version)
{
    struct store old = {.db = NULL};
    struct err err = {.msg = ""};
    (void)snprintf(old.file, sizeof(old.file), "%s", file);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(file, &old.db), SQLITE_OK);
    CU_ASSERT_EQUAL(store_migrate(&old, version, &err), 0);
    CU_ASSERT_EQUAL(number(&old, "PRAGMA user_version"), version);
    CU_ASSERT_EQUAL(
        sqlite3_exec(old.db,
                     "INSERT INTO runs (run, wall, folder, journal_size, journal_mtime_ns, "
                     "scenario, file, sha256, setup, vars, seed, trials, no_fault, version, "
                     "kernel, machine, verdict, why, exit_status, dirty, aborted, took_ns) "
                     "VALUES ('old', 'w', 'f', 1, 2, 'shop', 'x', '0', '0', "
                     "'{}', 1, 1, 0, '0.0', 'k', 'm', 'pass', '', 0, 0, 0, 9)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_close(old.db);
}

static void test_an_older_schema_is_brought_up_to_date(void)
{
    for (int version = 1; version < STORE_SCHEMA; version++) {
        struct story_told t;
        begin();
        story_tell(&shown_once, &t);
        leave_old(version);
        struct store *s = must_open();
        CU_ASSERT_EQUAL(number(s, "PRAGMA user_version"), STORE_SCHEMA);
        if (version < 5) /* to be read again; since then only what was aborted */
            CU_ASSERT_EQUAL(number(s, "SELECT journal_size FROM runs"), -1);
        CU_ASSERT_EQUAL(count(s, &(struct store_filter){.scenario = "shop"}), 1);
        record(s, &t, "new", "2026-03-01T12:00:00Z", "shop");
        CU_ASSERT_EQUAL(count(s, &(struct store_filter){.scenario = "shop"}), 2);
        CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM symptoms"), 2);
        store_close(s);
        story_free(&t);
        end();
    }
}

static const struct check_test tests[] = {
    {"of a run and its trials", test_symptoms},
    {"an older schema is brought up to date", test_an_older_schema_is_brought_up_to_date},
};

CHECK_MAIN("store symptoms", tests)
