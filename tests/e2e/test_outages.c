/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios/outages/: each variant ends as it says, shows what the outage showed, and leaves
 * nothing; without the fault the symptoms are not there. The short form runs two outages, the full
 * one all of them, the game day, and one outage's variants in turns (./dev test outages).
 * OUTAGES_ALONE=yes, as that lane has it: nothing runs beside this, so the whole machine is looked
 * at before and afterwards. OUTAGE=name: that one, or four-incidents. OUTAGES_OUT=DIR: the runs'
 * folders are kept there, for `blackstart outages --table`. OUTAGES_TRIALS=n: trials of each
 * variant. OUTAGES_AT_ONCE=n: so many runs side by side.
 */
#include "e2e.h"
#include "machine.h"

/* LIMIT_S: of a run of one trial, with its lab; a trial's own is what the outages promise. */
enum { LIMIT_S = 400, TRIAL_LIMIT_S = 180, AT_ONCE_MAX = 8, RUNS_MAX = 128, DUMP_MAX = 1 << 18 };

static const char *const short_form[] = {"health-check-2024", "retail-2026"};

static const char game_day[] = "four-incidents", compared[] = "health-check-2024";

/* Variants whose safeguard is that the act is refused, and who refuses it. All others are let. */
static const struct refusal {
    const char *outage, *variant, *by;
} refusals[] = {
    {"environment-2025", "right-identity", "host"},
    {"gitlab-2017", "guarded", "check"},
    {"google-signin-2020", "checked", "check"},
};

struct one {
    struct e2e t;
    const char *outage, *variant, *expect; /* of the game day: no variant */
    bool no_fault, started;
};

static bool is_full(void)
{
    const char *form = getenv("BLACKSTART_FULL");
    return form != NULL && strcmp(form, "yes") == 0;
}

static unsigned number_of(const char *name, unsigned def, unsigned max)
{
    const char *text = getenv(name);
    unsigned long n = text != NULL ? strtoul(text, NULL, 10) : def;
    return n == 0 || n > max ? def : (unsigned)n;
}

/* The run's folder stands in `kept`, which the tree's own folder or / begins: a link leads there.
 */
static void out_kept(struct one *o, const char *kept)
{
    char link[80], target[512];
    int n = snprintf(target, sizeof(target), "%s%s%s", kept[0] == '/' ? "" : SOURCE_DIR,
                     kept[0] == '/' ? "" : "/", kept);
    CU_ASSERT_FATAL(n > 0 && n < (int)sizeof(target));
    (void)snprintf(link, sizeof(link), "%s/k", o->t.dir);
    CU_ASSERT_FATAL(symlink(target, link) == 0);
    n = snprintf(o->t.out, sizeof(o->t.out), "%.60s/k/%s-%s", o->t.dir, o->outage, o->variant);
    CU_ASSERT_FATAL(n > 0 && n < (int)sizeof(o->t.out));
}

static void start(struct one *o)
{
    char file[160], trials[16];
    const char *kept = getenv("OUTAGES_OUT");
    const char *args[E2E_ARGS_MAX] = {"run", "-q"};
    size_t n = 2;
    e2e_begin(&o->t);
    if (kept != NULL && !o->no_fault && o->variant != NULL)
        out_kept(o, kept);
    (void)snprintf(file, sizeof(file), "%s/%.100s", o->variant != NULL ? "outages" : "gamedays",
                   o->outage);
    (void)snprintf(trials, sizeof(trials), "%u", number_of("OUTAGES_TRIALS", 1, 1000));
    args[n++] = "--out";
    args[n++] = o->t.out;
    if (o->variant != NULL) {
        args[n++] = "--variant";
        args[n++] = o->variant;
    }
    if (o->no_fault) {
        args[n++] = "--no-fault";
    } else if (strcmp(trials, "1") != 0) {
        args[n++] = "--trials";
        args[n++] = trials;
    }
    args[n++] = file;
    e2e_start(&o->t, args);
    o->started = true;
}

/* In each trial that has a fault. */
static void expect_symptoms(const struct one *o)
{
    const json_t *trial, *symptom;
    size_t i, k, shown = 0, missing = 0;
    json_array_foreach(json_object_get(o->t.result, "trials"), i, trial)
    {
        if (json_is_true(json_object_get(trial, "fault_free")) && !o->no_fault)
            continue;
        json_array_foreach(json_object_get(trial, "symptoms"), k, symptom)
        {
            bool is_shown = strcmp(e2e_text(symptom, "state"), "shown") == 0;
            shown += is_shown;
            missing += !is_shown;
        }
    }
    if (o->no_fault)
        CU_ASSERT(missing > 0);
    if (!o->no_fault) /* a system that refuses the act shows none */
        CU_ASSERT((shown > 0 || strcmp(o->expect, "fail") != 0) && missing == 0);
}

static void expect_trial_lengths(const struct one *o)
{
    const json_t *trial;
    size_t i;
    CU_ASSERT(json_array_size(json_object_get(o->t.result, "trials")) > 0);
    json_array_foreach(json_object_get(o->t.result, "trials"), i, trial)
    {
        double length = e2e_number(trial, "end_s") - e2e_number(trial, "start_s");
        CU_ASSERT(length > 0 && length < TRIAL_LIMIT_S);
        if (length >= TRIAL_LIMIT_S)
            fprintf(stderr, "%s: trial %zu took %.0f s\n", o->outage, i, length);
    }
}

static const char *refused_by(const struct one *o)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]) && o->variant != NULL; i++)
        if (strcmp(refusals[i].outage, o->outage) == 0 &&
            strcmp(refusals[i].variant, o->variant) == 0)
            return refusals[i].by;
    return NULL;
}

/* In each trial that has a fault: all acts that were asked for, or none. */
static void expect_refusals(const struct one *o)
{
    const char *by = refused_by(o);
    const json_t *trial, *asked;
    size_t i, k;
    json_array_foreach(json_object_get(o->t.result, "trials"), i, trial)
    {
        size_t refused = 0;
        if (json_is_true(json_object_get(trial, "fault_free")))
            continue;
        json_array_foreach(json_object_get(trial, "admissions"), k, asked)
        {
            bool is_refused = strcmp(e2e_text(asked, "outcome"), "refused") == 0;
            refused += is_refused;
            CU_ASSERT(is_refused == (by != NULL));
            if (is_refused && by != NULL)
                CU_ASSERT_STRING_EQUAL(e2e_text(asked, "refused_by"), by);
        }
        CU_ASSERT((refused > 0) == (by != NULL));
    }
}

/* A host without services may be one that no agent looked at; one with a fault may not. */
static void expect_hosts_clean(const struct one *o)
{
    const json_t *host, *injection;
    size_t i, k, known = 0;
    json_array_foreach(json_object_get(o->t.result, "hosts"), i, host)
    {
        const char *name = e2e_text(host, "name");
        bool is_known = json_is_true(json_object_get(host, "known"));
        CU_ASSERT(is_known || strcmp(name, "client") == 0);
        CU_ASSERT(!is_known || json_is_true(json_object_get(host, "clean")));
        known += is_known;
        json_array_foreach(json_object_get(o->t.result, "injections"), k, injection)
            CU_ASSERT(is_known || strcmp(e2e_text(injection, "host"), name) != 0);
    }
    CU_ASSERT(known > 0);
}

static void finish(struct one *o)
{
    bool fails = strcmp(o->expect, "fail") == 0;
    (void)e2e_wait(&o->t, LIMIT_S * (int)number_of("OUTAGES_TRIALS", 1, 1000));
    printf("\n    %s, %s%s: %s, exit %d", o->outage,
           o->variant != NULL ? o->variant : "as it stands",
           o->no_fault ? ", without the fault" : "", e2e_text(o->t.result, "verdict"), o->t.status);
    if (o->no_fault)
        e2e_expect_verdict(&o->t, 3, "invalid");
    else
        e2e_expect_verdict(&o->t, fails ? 1 : 0, fails ? "fail" : "pass");
    expect_symptoms(o);
    expect_trial_lengths(o);
    if (!o->no_fault)
        expect_refusals(o);
    expect_hosts_clean(o);
    e2e_expect_gone(&o->t, 10);
    e2e_end(&o->t);
    o->started = false;
}

static bool is_wanted(const char *name)
{
    const char *only = getenv("OUTAGE");
    bool wanted = is_full();
    if (only != NULL)
        return strcmp(only, name) == 0;
    for (size_t i = 0; i < sizeof(short_form) / sizeof(short_form[0]); i++)
        wanted = wanted || strcmp(short_form[i], name) == 0;
    return wanted;
}

static void add(struct one *runs, size_t *n, const char *outage, const json_t *variant,
                bool no_fault)
{
    CU_ASSERT_FATAL(*n < RUNS_MAX);
    runs[(*n)++] = (struct one){.outage = outage,
                                .variant = e2e_text(variant, "name"),
                                .expect = e2e_text(variant, "expect"),
                                .no_fault = no_fault};
}

static json_t *list_outages(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"outages", "--json", NULL});
    CU_ASSERT_EQUAL_FATAL(e2e_wait(&t, 60), 0);
    json_t *list = e2e_json(t.dir, "stdout");
    e2e_end(&t);
    return list;
}

static size_t add_all(struct one *runs, const json_t *list)
{
    const json_t *outage, *variant;
    size_t n = 0, i, k;
    json_array_foreach(list, i, outage)
    {
        const char *name = e2e_text(outage, "name");
        if (!is_wanted(name))
            continue;
        json_array_foreach(json_object_get(outage, "variants"), k, variant)
        {
            add(runs, &n, name, variant, false);
            if (k == 0)
                add(runs, &n, name, variant, true);
        }
    }
    for (k = 0; k < 2 && is_wanted(game_day); k++) {
        CU_ASSERT_FATAL(n < RUNS_MAX);
        runs[n++] = (struct one){.outage = game_day, .expect = "pass", .no_fault = k == 1};
    }
    return n;
}

static void test_outages(void)
{
    static struct one runs[RUNS_MAX];
    unsigned at_once = number_of("OUTAGES_AT_ONCE", is_full() ? 2 : 4, AT_ONCE_MAX);
    json_t *list = list_outages();
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    size_t n = add_all(runs, list), next = 0;
    CU_ASSERT(n > 0);
    for (size_t done = 0; done < n; done++) {
        for (; next < n && next < done + at_once; next++)
            start(&runs[next]);
        finish(&runs[done]);
    }
    printf("\n    figure: %zu runs of shipped outages\n    ", n);
    json_decref(list);
}

/* `--compare` as the front page has it: the variants in turns, in one command. */
static void test_compare(void)
{
    struct e2e t;
    const json_t *variant;
    size_t i, n = 0;
    if (!is_full() || !is_wanted(compared))
        return;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--json", "--compare", "--out", t.out,
                                        "outages/health-check-2024", NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 3 * LIMIT_S), 0);
    json_t *said = e2e_json(t.dir, "stdout");
    CU_ASSERT_STRING_EQUAL(e2e_text(said, "scenario"), compared);
    json_array_foreach(json_object_get(said, "variants"), i, variant)
    {
        struct e2e one = {0};
        CU_ASSERT_TRUE(json_is_true(json_object_get(variant, "as_expected")));
        CU_ASSERT_TRUE(json_is_false(json_object_get(variant, "dirty")));
        (void)snprintf(one.out, sizeof(one.out), "%.60s/%.16s", t.out, e2e_text(variant, "name"));
        e2e_expect_gone(&one, 10);
        CU_ASSERT_TRUE(one.run[0] != '\0');
        n++;
    }
    CU_ASSERT(n >= 2);
    json_decref(said);
    e2e_end(&t);
}

static bool is_alone(void)
{
    const char *alone = getenv("OUTAGES_ALONE");
    return alone != NULL && strcmp(alone, "yes") == 0;
}

static char before[2][DUMP_MAX], after[DUMP_MAX];

static int (*const dumps[])(char *out, size_t size) = {machine_dump, machine_dump_living};

static void test_machine_before(void)
{
    for (size_t i = 0; i < 2 && is_alone(); i++) {
        CU_ASSERT_EQUAL(dumps[i](before[i], DUMP_MAX), 0);
        CU_ASSERT_TRUE(strlen(before[i]) > 100 && strlen(before[i]) < DUMP_MAX - 1);
    }
}

static void test_machine_afterwards(void)
{
    for (size_t i = 0; i < 2 && is_alone(); i++) {
        CU_ASSERT_EQUAL(dumps[i](after, DUMP_MAX), 0);
        CU_ASSERT_EQUAL(machine_added(before[i], after), 0);
    }
}

static const struct check_test tests[] = {
    {"before", test_machine_before},
    {"as they say", test_outages},
    {"in turns", test_compare},
    {"nothing is left", test_machine_afterwards},
};
CHECK_MAIN("outages", tests)
