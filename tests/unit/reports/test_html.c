/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of a story: its parts in their order, nothing unescaped, well-formed, small. What only a
 * browser can say of it stands in tests/e2e/test_page.c. */
#include "check.h"
#include "reports/html_text.h"
#include "reports/report.h"

#include "../analysis/golden.h"

#include <ctype.h>

enum { DEEPEST = 64, PAGE_MAX = 2 << 20 };

/* ---- XML, as far as the page uses it: every element is closed in its order, every attribute
 * quoted, every ampersand an entity. ---- */

struct xml {
    const char *at;
    char open[DEEPEST][16];
    int depth;
    const char *wrong;
};

static bool entity_ok(const char *p)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncmp(p, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

static void xml_attribute(struct xml *x)
{
    while (isalnum((unsigned char)*x->at) || *x->at == '-' || *x->at == ':')
        x->at++;
    char quote = '\0';
    if (x->at[0] == '=')
        quote = x->at[1];
    if (quote != '"' && quote != '\'') {
        x->wrong = "an attribute without quotes";
        return;
    }
    for (x->at += 2; *x->at != quote && *x->at != '\0'; x->at++)
        if (*x->at == '<' || (*x->at == '&' && !entity_ok(x->at)))
            x->wrong = "an attribute that is not escaped";
    x->at += *x->at != '\0';
}

static void xml_close(struct xml *x, const char *name)
{
    if (x->depth == 0 || strcmp(x->open[--x->depth], name) != 0)
        x->wrong = "an element closed that was not the last opened";
}

static void xml_tag(struct xml *x)
{
    char name[16] = "";
    bool closing = x->at[1] == '/';
    x->at += closing ? 2 : 1;
    for (size_t n = 0; isalnum((unsigned char)*x->at) && n + 1 < sizeof(name); n++)
        name[n] = *x->at++;
    while (x->wrong == NULL && *x->at == ' ') {
        x->at++;
        xml_attribute(x);
    }
    if (closing)
        xml_close(x, name);
    else if (*x->at != '/' && x->depth < DEEPEST)
        memcpy(x->open[x->depth++], name, sizeof(name));
    x->at += *x->at == '/';
    if (*x->at != '>' && x->wrong == NULL)
        x->wrong = "an element without its end";
}

static const char *xml_check(const char *page, const char **ret_at)
{
    struct xml x = {.at = page};
    if (strncmp(page, "<!DOCTYPE html>", 15) != 0)
        return "no document type";
    for (x.at += 15; *x.at != '\0' && x.wrong == NULL; x.at += *x.at != '\0') {
        unsigned char c = (unsigned char)*x.at;
        if (c == '<')
            xml_tag(&x);
        else if (c == '&' && !entity_ok(x.at))
            x.wrong = "an ampersand by itself";
        else if (c < 0x20 && c != '\n' && c != '\t')
            x.wrong = "a control character";
    }
    *ret_at = x.at;
    return x.wrong != NULL ? x.wrong : x.depth != 0 ? "elements left open" : NULL;
}

static void expect_well_formed(const char *name, const struct buf *page)
{
    const char *at = "";
    const char *wrong = xml_check(buf_text(page), &at);
    if (wrong != NULL) {
        printf("\n  %s: %s before: %.80s", name, wrong, at);
        CU_FAIL("not well-formed");
    }
}

/* ---- */

static void render(struct story_told *t, struct buf *out)
{
    struct err err = {.msg = ""};
    struct report report = {
        .scenario = &t->scenario, .history = t->history, .analysis = t->analysis, .dir = "d"};
    CU_ASSERT_EQUAL(report_render_html(&report, out, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_TRUE(buf_ok(out));
}

static void expect_order(const char *name, const char *page, const char *const *says)
{
    for (const char *at = page; *says != NULL; says++) {
        const char *found = strstr(at, *says);
        if (found == NULL) {
            printf("\n  %s: no \"%s\" here or no longer", name, *says);
            CU_FAIL("the page does not say it");
            return;
        }
        at = found + strlen(*says);
    }
}

static const struct page {
    const char *name;
    struct story story;
    const char *says[16];
} pages[] = {
    {"pass",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1},
     {"default-src 'none'", "<h1>", "v-pass", "It held under process.pause on n1: write came back",
      "1.602 s", "5.000 s</span> was allowed", "Recovery time of write, from the fault:",
      "1.490 s</span> to", "id=\"targets\"", "id=\"timeline\"", "id=\"outages\"",
      "id=\"injection\"", "id=\"cleanup\"", "id=\"origin\"", "blackstart report"}},
    {"fail",
     {OUTAGE, .recovery_limit_ms = 200, .blast_permille = -1},
     {"v-fail", "It did not hold", "took at least", "1.490 s", "0.200 s</span> was allowed",
      "Decided by"}},
    {"never recovered",
     {BEFORE BAD_1S5, .recovery_limit_ms = 200, .blast_permille = -1},
     {"v-fail", "had still not come back", "after the fault", "never recovered"}},
    {"inconclusive",
     {OUTAGE, .recovery_limit_ms = 1550, .blast_permille = -1},
     {"v-inconclusive", "lies between", "1.490 s", "1.602 s", "1.550 s", "this run cannot tell"}},
    {"invalid",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = STORY_PREPARE("i1", "network.partition", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "counter", "false")
              STORY_REVERTED("i1", "6000000000", "6020000000")},
     {"v-invalid", "The test does not count", "matched nothing", "not proven"}},
    {"dirty",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .dirty = true},
     {"A host was left dirty", "not clean", "+ route to nowhere", "ip route del"}},
    {"trials",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .trials = 3},
     {"3 of 3 trials passed", "All trials", "id=\"recovery\"", "3 trials", "id=\"trials\""}},
    {"earlier runs",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .more = "{'t':1,'ev':'history','setup':'s','older':0,'runs':[{'run':'<b>','wall':"
              "'2026-03-01T00:00:00Z','version':'0.1','verdict':'pass','sha256':'0','setup':'s',"
              "'trials':1,'targets':[{'measure':'recovery_time','of':'write','from':'fault',"
              "'unit':'s','limit':5.0,'lower':1.2,'upper':1.4,'verdict':'pass'}]}]}\n"},
     {"id=\"trend\"", "recovery_time of write from fault", "2026-03-01", "this run",
      "&lt;b&gt;, 2026-03-01T00:00:00Z: 1.200 s .. 1.400 s, pass"}},
    {"without a fault",
     {QUIET, .availability_permille = 990, .over_ms = 5000, .blast_permille = -1, .faults = "",
      .no_fault = true},
     {"without faults", "steady state was reached", "no impact seen in trial 0",
      "Nothing was injected"}},
    {"torn",
     {BEFORE BAD_1S5, .recovery_limit_ms = 5000, .blast_permille = -1, .torn = true,
      .faults = STORY_PREPARE("i1", "process.pause", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "state", "true")},
     {"v-inconclusive", "journal ends before the run", "torn"}},
    {"a bad baseline",
     {QUIET, .recovery_limit_ms = 5000, .blast_permille = -1,
      .steady = "'held':false,'why':'write is bad'", .faults = ""},
     {"v-invalid", "already bad", "Nothing was injected"}},
};

static void test_pages(void)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct story_told t;
        CLEANUP_BUF struct buf out = BUF_INIT(PAGE_MAX);
        story_tell(&pages[i].story, &t);
        render(&t, &out);
        expect_order(pages[i].name, buf_text(&out), pages[i].says);
        expect_well_formed(pages[i].name, &out);
        CU_ASSERT_PTR_NULL(strstr(buf_text(&out), "(null)"));
        story_free(&t);
    }
}

/* In every place that takes somebody else's words. */
static void test_hostile_words_stay_words(void)
{
    struct story story = {
        OUTAGE,
        .recovery_limit_ms = 5000,
        .blast_permille = -1,
        .more = "{'t':9,'ev':'log','host':'n1','service':'s','lines':['</pre><b>l']}\n"
                "{'t':9,'ev':'step','step':2,'what':'<i>w','state':'end','output':'</pre><b>o'}\n"
                "{'t':9,'ev':'abort','why':'<b>why','what':'<b>what \\u001b[31m\\u202e'}\n",
    };
    struct story_told t;
    CLEANUP_BUF struct buf out = BUF_INIT(PAGE_MAX);
    static const char hostile[] = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
                                  "&'\"]]>--><!-- \x1b[31m \xe2\x80\xae \xff";
    story_tell(&story, &t);
    t.probe.name = t.analysis->trials[0].probes[0].name = hostile;
    t.history->scenario = t.history->text = t.history->file = t.history->sha256 = hostile;
    t.history->run = t.history->wall = t.history->version = t.history->kernel = hostile;
    t.analysis->why = t.analysis->targets[0].why = t.analysis->targets[0].of = hostile;
    t.analysis->trials[0].waves[0].faults = t.analysis->trials[0].probes[0].rule = hostile;
    t.history->trials[0].injections[0].fault = t.history->trials[0].injections[0].host = hostile;
    render(&t, &out);
    const char *page = buf_text(&out);
    expect_well_formed("hostile", &out);
    CU_ASSERT_PTR_NULL(strstr(page, "<img"));
    CU_ASSERT_PTR_NULL(strstr(page, "<script>alert"));
    CU_ASSERT_PTR_NULL(strstr(page, "<b>"));
    CU_ASSERT_PTR_NULL(strstr(page, "<i>"));
    CU_ASSERT_PTR_NULL(strstr(page, "\xe2\x80\xae"));
    CU_ASSERT_PTR_NULL(strstr(page, "\xff"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;/pre&gt;&lt;b&gt;o"));
    story_free(&t);
}

static void test_text_is_escaped_and_cut_whole(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 10);
    html_text(&out, "a<b>&\"'\t\n\x01\x7f\xc3\xa4\xc3\xe2\x81\xa6");
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "a&lt;b&gt;&amp;&quot;&#39;\t\n\xef\xbf\xbd\xef\xbf\xbd"
                                           "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
    buf_drop(&out, out.len);
    CU_ASSERT_FALSE(html_text_upto(&out, "ab<\xc3\xa4", 5)); /* no half entity */
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "ab");
    CU_ASSERT_TRUE(html_text_upto(&out, "\xc3\xa4", 2));
    CU_ASSERT_FALSE(html_text_upto(&out, "\xc3\xa4", 1));
    html_text(&out, NULL);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "ab\xc3\xa4");
}

/* As one reads it in the page: nothing of what is fetched, and nothing that could fetch. */
static void test_nothing_is_fetched(void)
{
    static const char *const words[] = {"src=",   "@import", "<link",    "<iframe", "<form",
                                        "fetch(", "XMLHttp", "style=\"", "onclick"};
    struct story_told t;
    CLEANUP_BUF struct buf out = BUF_INIT(PAGE_MAX);
    story_tell(&pages[0].story, &t);
    render(&t, &out);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        CU_ASSERT_PTR_NULL(strstr(buf_text(&out), words[i]));
    for (const char *p = buf_text(&out); (p = strstr(p, "://")) != NULL; p++)
        CU_ASSERT_EQUAL(strncmp(p, "://www.w3.org/2000/svg", 22), 0); /* a name, not an address */
    story_free(&t);
}

/* A series as long as it may be, of trials with as many bins, outages and events as they have. */
static void test_the_page_of_a_long_series_is_small(void)
{
    enum { TRIALS = 10000 };
    struct story_told t;
    CLEANUP_BUF struct buf out = BUF_INIT(64 << 20), lines = BUF_INIT(1 << 20);
    for (int i = 0; i < 300; i++)
        buf_printf(&lines, "{'t':%d,'ev':'log','host':'n1','service':'s%d','lines':['<%0500d']}\n",
                   i, i, i);
    struct story story = {.write =
                              ".x....x....-...x.......xxx........................................."
                              "...................................................",
                          .recovery_limit_ms = 5000,
                          .availability_permille = 500,
                          .over_ms = 5000,
                          .more = buf_text(&lines),
                          .blast_permille = 100};
    story_tell(&story, &t);
    struct analysis_trial *all = calloc(TRIALS, sizeof(*all)), *one = t.analysis->trials;
    struct analysis_injection *injections = calloc(TRIALS, sizeof(*injections));
    struct timeline_bin *bins = calloc(TIMELINE_BINS, sizeof(*bins));
    CU_ASSERT_TRUE_FATAL(all != NULL && injections != NULL && bins != NULL);
    for (uint32_t i = 0; i < TIMELINE_BINS; i++)
        bins[i] = (struct timeline_bin){.good = 31000 + i,
                                        .bad = i % 3,
                                        .gaps = i % 5,
                                        .first_result = SAMPLE_TIMEOUT,
                                        .p50_ns = 12345678 + i * 999999,
                                        .p99_ns = 1234567890 + i * 999999,
                                        .most_ns = 12345678901 + i * 999999};
    one->probes[0].timeline =
        (struct timeline){.bin_ns = 31234567, .bin_slots = 31250, .bins = bins, .n = TIMELINE_BINS};
    for (uint32_t i = 0; i < TRIALS; i++) {
        all[i] = *one;
        all[i].trial = i;
        injections[i] = t.analysis->injections[0];
        injections[i].trial = i;
    }
    t.history->text = buf_text(&lines);
    t.analysis->trials = all;
    t.analysis->injections = injections;
    t.analysis->n_trials = t.analysis->n_injections = TRIALS;
    render(&t, &out);
    expect_well_formed("long", &out);
    CU_ASSERT_TRUE(out.len < PAGE_MAX);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "more are not shown here"));
    printf("%zu KiB ", out.len >> 10);
    story_free(&t);
    free(all);
    free(injections);
    free(bins);
}

/* A list that is long is there, but closed. */
static void test_many_lost_writes_hide_nothing(void)
{
    static struct analysis_write writes[200];
    for (int many = 0; many < 2; many++) {
        struct story_told t;
        CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
        struct analysis_ledger l = {.name = "orders",
                                    .why = "",
                                    .sentence = "",
                                    .writes = writes,
                                    .n_writes = many != 0 ? 200 : 5};
        for (size_t i = 0; i < 200; i++)
            writes[i] = (struct analysis_write){.id = 90000 + i, .fate = FATE_LOST, .why = ""};
        story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 1550}, &t);
        t.analysis->trials[0].ledgers = &l;
        t.analysis->trials[0].n_ledgers = 1;
        render(&t, &out);
        expect_well_formed("lost writes", &out);
        const char *closed = strstr(buf_text(&out), "<summary>The 200 writes one by one</summary>");
        const char *first = strstr(buf_text(&out), ">90000<");
        CU_ASSERT_PTR_NOT_NULL(first);
        CU_ASSERT(many != 0 ? closed != NULL && closed < first : closed == NULL);
        story_free(&t);
    }
}

static const struct check_test tests[] = {
    {"many lost writes hide nothing", test_many_lost_writes_hide_nothing},
    {"the page of a long series is small", test_the_page_of_a_long_series_is_small},
    {"pages", test_pages},
    {"hostile words stay words", test_hostile_words_stay_words},
    {"text is escaped, and cut between characters", test_text_is_escaped_and_cut_whole},
    {"nothing is fetched", test_nothing_is_fetched},
};

CHECK_MAIN("html", tests)
