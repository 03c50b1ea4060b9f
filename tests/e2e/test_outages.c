/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios/outages/: each variant ends as it says, shows what the outage showed, and leaves
 * nothing; without the fault the symptoms are not there. The short form runs two outages, the full
 * one all of them (./dev test outages). OUTAGE=name: that one. OUTAGES_OUT=DIR: the runs' folders
 * are kept there, for `blackstart outages --table`. OUTAGES_TRIALS=n: trials of each variant.
 * OUTAGES_AT_ONCE=n: so many runs side by side.
 */
#include "e2e.h"

enum { LIMIT_S = 400, AT_ONCE_MAX = 8, RUNS_MAX = 128 };

static const char *const short_form[] = {"health-check-2024", "retail-2026"};

struct one {
    struct e2e t;
    const char *outage, *variant, *expect;
    bool no_fault, started;
};

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
    if (kept != NULL && !o->no_fault)
        out_kept(o, kept);
    (void)snprintf(file, sizeof(file), "outages/%.100s", o->outage);
    (void)snprintf(trials, sizeof(trials), "%u", number_of("OUTAGES_TRIALS", 1, 1000));
    args[n++] = "--out";
    args[n++] = o->t.out;
    args[n++] = "--variant";
    args[n++] = o->variant;
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

static void finish(struct one *o)
{
    bool fails = strcmp(o->expect, "fail") == 0;
    (void)e2e_wait(&o->t, LIMIT_S * (int)number_of("OUTAGES_TRIALS", 1, 1000));
    printf("\n    %s, %s%s: %s, exit %d", o->outage, o->variant,
           o->no_fault ? ", without the fault" : "", e2e_text(o->t.result, "verdict"), o->t.status);
    if (o->no_fault)
        e2e_expect_verdict(&o->t, 3, "invalid");
    else
        e2e_expect_verdict(&o->t, fails ? 1 : 0, fails ? "fail" : "pass");
    expect_symptoms(o);
    const json_t *host;
    size_t i;
    json_array_foreach(json_object_get(o->t.result, "hosts"), i, host)
    {
        if (json_is_true(json_object_get(host, "known")))
            CU_ASSERT_TRUE(json_is_true(json_object_get(host, "clean")));
    }
    e2e_expect_gone(&o->t, 10);
    e2e_end(&o->t);
    o->started = false;
}

static bool is_wanted(const char *name)
{
    const char *only = getenv("OUTAGE"), *form = getenv("BLACKSTART_FULL");
    bool wanted = form != NULL && strcmp(form, "yes") == 0;
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

static void test_outages(void)
{
    static struct one runs[RUNS_MAX];
    size_t n = 0, next = 0, i, k;
    const char *form = getenv("BLACKSTART_FULL");
    bool full = form != NULL && strcmp(form, "yes") == 0;
    unsigned at_once = number_of("OUTAGES_AT_ONCE", full ? 2 : 4, AT_ONCE_MAX);
    json_t *list = list_outages(), *outage, *variant;
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
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
    CU_ASSERT(n > 0);
    for (size_t done = 0; done < n; done++) {
        for (; next < n && next < done + at_once; next++)
            start(&runs[next]);
        finish(&runs[done]);
    }
    printf("\n    figure: %zu runs of shipped outages\n    ", n);
    json_decref(list);
}

static const struct check_test tests[] = {{"as they say", test_outages}};
CHECK_MAIN("outages", tests)
