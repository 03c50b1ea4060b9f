/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.html in a real browser. PAGE_DIRS="DIR DIR" looks at those runs' pages too, and
 * PAGE_PICTURES=DIR leaves a picture of each there (base64 of PNG), for people to look at.
 */
#include "page.h"

#include "../unit/analysis/golden.h"
#include "reports/report.h"

#define EARLIER(run, wall, lower, upper, verdict)                                                  \
    "{'run':'" run "','wall':'" wall "','version':'0.1','verdict':'" verdict                       \
    "','sha256':'0','setup':'s','trials':1,'targets':[{'measure':'recovery_time','of':'write',"    \
    "'from':'fault','unit':'s','limit':5.0,'lower':" lower ",'upper':" upper                       \
    ",'verdict':'" verdict "','detail':'','side':'at most'}]}"
#define EARLIER_RUNS                                                                               \
    "{'t':1,'ev':'history','setup':'s','older':0,'runs':[" EARLIER(                                \
        "r<1>", "2026-03-01T00:00:00Z", "1.2", "1.4",                                              \
        "pass") "," EARLIER("r2", "2026-03-02T00:00:00Z", "5.2", "5.4", "fail") "]}\n"

static struct browser browser;

static void write_page(struct story_told *t, const char *dir, char path[128])
{
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct report report = {
        .scenario = &t->scenario, .history = t->history, .analysis = t->analysis, .dir = "d"};
    CU_ASSERT_EQUAL(report_render_html(&report, &out, &err), 0);
    CU_ASSERT_EQUAL(report_write_file(dir, "report.html", buf_text(&out), out.len, &err), 0);
    (void)snprintf(path, 128, "%s/report.html", dir);
}

static void look_at(const char *name, const char *path)
{
    static const int widths[] = {400, 1600};
    for (int i = 0; i < 4; i++)
        page_look(&browser, name, path, widths[i % 2], i / 2 != 0);
}

/* Dark words on white, also for who reads screens dark; and a printer takes it. */
static void look_on_paper(const char *path)
{
    CU_ASSERT_TRUE_FATAL(browser_open(&browser, path, 800, true));
    CU_ASSERT_TRUE(browser_do(&browser, "Emulation.setEmulatedMedia",
                              json_pack("{s:s, s:[{s:s, s:s}]}", "media", "print", "features",
                                        "name", "prefers-color-scheme", "value", "dark")));
    json_t *r = browser_value(&browser, page_measure);
    json_t *behind = browser_value(&browser, "getComputedStyle(document.body).backgroundColor");
    page_expect("paper", "contrast", e2e_number(r, "contrast") >= 4.5, r);
    CU_ASSERT_STRING_EQUAL(json_string_value(behind), "rgb(255, 255, 255)");
    json_decref(r);
    json_decref(behind);
    CU_ASSERT_TRUE(
        browser_do(&browser, "Emulation.setEmulatedMedia", json_pack("{s:s}", "media", "")));
    json_t *pdf = browser_call(&browser, "Page.printToPDF", NULL);
    CU_ASSERT_TRUE(strlen(e2e_text(pdf, "data")) > 10000);
    json_decref(pdf);
    CU_ASSERT_EQUAL(browser.complaints, 0);
}

static void test_a_series(void)
{
    struct e2e t;
    struct story_told told;
    char path[128];
    e2e_begin(&t);
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 1550, .availability_permille = 500,
                               .over_ms = 5000, .blast_permille = 100, .more = EARLIER_RUNS,
                               .trials = 7, .dirty = true},
               &told);
    write_page(&told, t.dir, path);
    look_at("series", path);
    json_t *earlier = browser_value(&browser, "document.querySelector('#trend') !== null");
    CU_ASSERT_TRUE(json_is_true(earlier));
    json_decref(earlier);
    look_on_paper(path);
    story_free(&told);
    e2e_end(&t);
}

/* What a reader finds: the verdict's words, rows of tables that take room, drawings with something
 * in them, and how much there is of all. */
static const char readable[] =
    "(function(){function seen(e){var b=e.getBoundingClientRect();return b.width>0&&b.height>0;}"
    "function count(q){return [].filter.call(document.querySelectorAll(q),seen).length;}"
    "return "
    "{verdict:document.querySelector('section.verdict').innerText,words:document.body.innerText."
    "length,"
    "rows:count('table tr'),charts:count('[role=img]'),"
    "marks:count('[role=img] svg line,[role=img] svg rect,[role=img] svg path'),"
    "wide:[].filter.call(document.querySelectorAll('[role=img]'),function(e){"
    "return e.getBoundingClientRect().width>200;}).length};})()";

/* Who lets no script run misses the values below the pointer, and nothing else. */
static void test_without_scripts(void)
{
    static const char *const same[] = {"words", "rows", "charts", "marks", "wide"};
    struct e2e t;
    struct story_told told;
    char path[128];
    json_t *found[2], *said[2];
    e2e_begin(&t);
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 1550, .availability_permille = 500,
                               .over_ms = 5000, .blast_permille = 100, .trials = 7, .dirty = true},
               &told);
    write_page(&told, t.dir, path);
    for (int off = 0; off < 2; off++) {
        CU_ASSERT_TRUE_FATAL(browser_do(&browser, "Emulation.setScriptExecutionDisabled",
                                        json_pack("{s:b}", "value", off)));
        CU_ASSERT_TRUE_FATAL(browser_open(&browser, path, 1200, false));
        found[off] = browser_value(&browser, readable);
        said[off] = browser_value(&browser, page_keys);
    }
    CU_ASSERT_TRUE(browser_do(&browser, "Emulation.setScriptExecutionDisabled",
                              json_pack("{s:b}", "value", 0)));
    /* The script did run, and then did not. */
    page_expect("scripts on", "values", strstr(json_string_value(said[0]), " good, ") != NULL,
                said[0]);
    page_expect("scripts off", "no values",
                !json_is_string(said[1]) || strstr(json_string_value(said[1]), " good, ") == NULL,
                said[1]);
    const char *verdict = e2e_text(found[1], "verdict");
    page_expect("scripts off", "the verdict",
                strstr(verdict, verdict_word(told.analysis->verdict)) != NULL &&
                    strstr(verdict, "limit at most 10.000 %") != NULL,
                found[1]);
    page_expect("scripts off", "tables", e2e_number(found[1], "rows") > 10, found[1]);
    page_expect("scripts off", "charts", e2e_number(found[1], "wide") > 0, found[1]);
    page_expect("scripts off", "what is drawn", e2e_number(found[1], "marks") > 20, found[1]);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        page_expect(same[i], "as with scripts",
                    e2e_number(found[0], same[i]) == e2e_number(found[1], same[i]), found[1]);
    for (int off = 0; off < 2; off++) {
        json_decref(found[off]);
        json_decref(said[off]);
    }
    story_free(&told);
    e2e_end(&t);
}

/* Words that would be markup or script, had they not been escaped: the browser sees words. */
static void test_hostile_words(void)
{
    static const char hostile[] =
        "</title></style></script><script>document.title='taken'</script><img src=x "
        "onerror=document.title='taken'>'\"><svg onload=document.title='taken'>--><!-- ]]>";
    struct e2e t;
    struct story_told told;
    char path[128];
    e2e_begin(&t);
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1}, &told);
    struct analysis_trial *trial = told.analysis->trials;
    told.history->scenario = told.history->text = told.history->file = hostile;
    told.probe.name = trial->probes[0].name = trial->probes[0].label = hostile;
    trial->waves[0].faults = trial->probes[0].rule = told.analysis->why = hostile;
    told.analysis->targets[0].of = told.analysis->targets[0].why = hostile;
    told.history->trials[0].injections[0].fault = hostile;
    write_page(&told, t.dir, path);
    CU_ASSERT_TRUE_FATAL(browser_open(&browser, path, 1600, false));
    json_t *title = browser_value(&browser, "document.title");
    json_t *images = browser_value(&browser, "document.querySelectorAll('img').length+"
                                             "document.scripts.length");
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(title), "</title>"));
    CU_ASSERT_EQUAL(json_integer_value(images), 1);
    CU_ASSERT_EQUAL(browser.complaints, 0);
    CU_ASSERT_EQUAL(browser.requests, 0);
    json_decref(title);
    json_decref(images);
    story_free(&told);
    e2e_end(&t);
}

/* The page's own policy holds even against what somebody would write into the file. */
static void test_the_policy_lets_nothing_in(void)
{
    struct e2e t;
    struct story_told told;
    char path[128];
    e2e_begin(&t);
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1}, &told);
    write_page(&told, t.dir, path);
    CU_ASSERT_TRUE_FATAL(browser_open(&browser, path, 1600, false));
    json_t *ran =
        browser_value(&browser, "(function(){var s=document.createElement('script');s.textContent="
                                "'window.ran=1';document.body.appendChild(s);var i=new Image();"
                                "i.src='http://127.0.0.1:9/x';document.body.appendChild(i);"
                                "return window.ran===undefined;})()");
    CU_ASSERT_TRUE(json_is_true(ran));
    CU_ASSERT_TRUE(browser.complaints > 0); /* refused, and it says so */
    json_decref(ran);
    story_free(&told);
    e2e_end(&t);
}

static void test_given_runs(void)
{
    for (const char *d = getenv("PAGE_DIRS"); d != NULL && *d != '\0'; d += strspn(d, " ")) {
        char dir[PATH_MAX], path[PATH_MAX + 16];
        (void)snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(d, " "), d);
        const char *name = strrchr(dir, '/');
        (void)snprintf(path, sizeof(path), "%s/report.html", dir);
        look_at(name != NULL ? name + 1 : dir, path);
        d += strcspn(d, " ");
    }
}

static const struct check_test tests[] = {
    {"a series", test_a_series},
    {"without scripts", test_without_scripts},
    {"hostile words", test_hostile_words},
    {"the policy lets nothing in", test_the_policy_lets_nothing_in},
    {"given runs", test_given_runs},
};

int main(void)
{
    if (!browser_start(&browser)) {
        fprintf(stderr, "no browser (chromium) could be started\n");
        return 1;
    }
    size_t n = sizeof(tests) / sizeof(tests[0]);
    int status = check_main("page", tests, getenv("PAGE_DIRS") != NULL ? n : n - 1);
    browser_stop(&browser);
    return status;
}
