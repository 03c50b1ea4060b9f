/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every renderer on every story, for check_reports.py: a line of JSON for each, with the file's
 * bytes in hexadecimal, since what is wrong with them may be that they are no text.
 *
 * usage: render HOSTILE TRIALS: so many runs whose texts are hostile, and one of so many trials
 */
#include "amiss.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "runs.h"

#include <stdlib.h>

enum { TEXT_MAX = 32 << 20 };

static const char long_text[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890";

static const char *const hostile[] = {
    "]]>",
    "<script>alert('&amp;')</script>",
    "&",
    "\"quoted\" and \\backslash\\",
    "a\nb\r\n\tc",
    "\x01\x02\x1b[31m\x7f",
    "\xf0\x9f\x94\xa5 \xe6\xbc\xa2\xe5\xad\x97 \xd7\xa9\xd7\x9c",
    "\xc2\x85\xe2\x80\xa8\xef\xbf\xbe\xef\xbf\xbf",
    "| a | `b` | **c** | [d](e) |",
    "",
    " ",
    "# EOF",
    "%s%n%d",
    "${jndi:x}",
    "-->",
    "'; DROP TABLE runs; --",
    "\xf3\xa0\x80\x81\xe2\x80\xae",
    long_text,
};
/* No UTF-8; a journal cannot have it, but a scenario in memory and a text that was cut can. */
static const char *const broken[] = {"\xff\xfe", "caf\xc3", "\xed\xa0\x80", "\xc0\xaf<", "\x80]]>"};
#define ONE_OF(list) (list)[draw() % (sizeof(list) / sizeof((list)[0]))]

static uint64_t state = 1, salt;

static unsigned draw(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33);
}

static void emit(const char *story, const struct report *report)
{
    for (size_t i = 0; i < report_n_renderers; i++) {
        const struct report_renderer *r = &report_renderers[i];
        CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
        struct err err;
        if (report_render(report, r, &out, &err) < 0) {
            (void)fprintf(stderr, "%s, %s: %s\n", story, r->name, err.msg);
            exit(1);
        }
        CLEANUP_BUF struct buf line = BUF_INIT(2 * (size_t)REPORT_MAX + 1024);
        buf_printf(&line, "{\"story\":\"%s\",\"name\":\"%s\",\"verdict\":\"%s\",\"hex\":\"", story,
                   r->name, verdict_word(report->analysis->verdict));
        for (size_t k = 0; k < out.len; k++) {
            unsigned char c = (unsigned char)out.data[k];
            buf_add(&line, &"0123456789abcdef"[c >> 4], 1);
            buf_add(&line, &"0123456789abcdef"[c & 15], 1);
        }
        buf_puts(&line, "\"}\n");
        (void)fwrite(buf_text(&line), 1, line.len, stdout);
    }
}

static void tell_example(void)
{
    struct example t;
    example_tell(&t);
    if (t.analysis == NULL)
        exit(1);
    struct report report = {t.scenario, t.history, t.analysis, "d"};
    emit("the example", &report);
    struct amiss amiss;
    amiss_put(&amiss, &t);
    emit("the example with lost writes", &report);
    example_free(&t);
}

static void tell_runs(void)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct story_told t;
        story_tell(&runs[i].story, &t);
        struct report report = {&t.scenario, t.history, t.analysis, "d"};
        emit(runs[i].name, &report);
        story_free(&t);
    }
}

/* One text in four becomes a hostile one, the same wherever it stands: names still refer. */
static json_t *spoiled_text(const char *text)
{
    uint64_t d = DIGEST_START ^ salt;
    digest_text(&d, text);
    return json_string(d >> 32 & 3 ? text
                                   : hostile[(d >> 40) % (sizeof(hostile) / sizeof(hostile[0]))]);
}

/* What the reader itself goes by stays. */
static json_t *spoiled(const char *key, json_t *value)
{
    static const char *const kept[] = {"ev",        "class", "restored_by", "text",
                                       "injection", "state", "outcome"};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (key != NULL && strcmp(key, kept[i]) == 0)
            return json_incref(value);
    if (json_is_string(value))
        return spoiled_text(json_string_value(value));
    const char *name;
    json_t *one, *out;
    size_t i;
    if (json_is_object(value)) {
        out = json_object();
        json_object_foreach(value, name, one)(void)
            json_object_set_new(out, name, spoiled(name, one));
        if (key != NULL && strcmp(key, "items") == 0)
            (void)json_object_set_new(out, ONE_OF(hostile), json_integer(7));
        return out;
    }
    if (!json_is_array(value))
        return json_incref(value);
    out = json_array();
    json_array_foreach(value, i, one)(void) json_array_append_new(out, spoiled(NULL, one));
    return out;
}

static void spoil_lines(const struct buf *from, struct buf *to)
{
    for (const char *p = buf_text(from); *p != '\0';) {
        size_t len = strcspn(p, "\n");
        json_t *line = json_loadb(p, len, 0, NULL), *other = spoiled(NULL, line);
        char *text = json_dumps(other, JSON_COMPACT);
        buf_printf(to, "%s\n", text != NULL ? text : "{}");
        free(text);
        json_decref(other);
        json_decref(line);
        p += len + (p[len] == '\n');
    }
}

/* False: the reader refused that journal. */
static bool tell_hostile(unsigned n)
{
    static struct sample samples[EXAMPLE_SAMPLES_MAX];
    struct example t;
    struct history *history = NULL;
    struct analysis *analysis = NULL;
    struct err err;
    char story[32];
    CLEANUP_BUF struct buf lines = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
    (void)snprintf(story, sizeof(story), "hostile %u", n);
    state = salt = n;
    example_tell(&t);
    CLEANUP_BUF struct buf more = BUF_INIT(TEXT_MAX);
    example_start(&lines);
    example_lines(EXAMPLE_TRIALS, &more);
    buf_puts(&lines, buf_text(&more));
    spoil_lines(&lines, &text);
    struct scenario spoilt = *t.scenario;
    struct scenario_probe probes[2] = {t.scenario->probes[0], t.scenario->probes[1]};
    probes[1].name = draw() % 2 == 0 ? ONE_OF(broken) : ONE_OF(hostile);
    spoilt.probes = probes;
    bool told = history_parse(text.data, text.len, samples,
                              example_samples(EXAMPLE_TRIALS, 0, samples), &history, &err) == 0 &&
                analysis_make(&spoilt, history, &analysis, &err) == 0;
    if (told) {
        struct report report = {&spoilt, history, analysis, ONE_OF(hostile)};
        emit(story, &report);
    }
    analysis_free(analysis);
    history_free(history);
    example_free(&t);
    return told;
}

/* An outage and a fault in each trial. */
static void tell_many(unsigned trials)
{
    enum { FIRST = 25, PER_TRIAL = 3 * (EXAMPLE_SLOTS - FIRST) };
    struct example t;
    struct history *history = NULL;
    struct analysis *analysis = NULL;
    struct err err = {.msg = "out of memory"};
    CLEANUP_BUF struct buf lines = BUF_INIT(TEXT_MAX), more = BUF_INIT(TEXT_MAX);
    struct sample *samples CLEANUP_FREE = calloc((size_t)trials * PER_TRIAL, sizeof(*samples));
    example_tell(&t);
    example_start(&lines);
    example_lines((int)trials, &more);
    buf_puts(&lines, buf_text(&more));
    if (samples == NULL || !buf_ok(&lines) ||
        history_parse(lines.data, lines.len, samples, example_samples(trials, FIRST, samples),
                      &history, &err) != 0 ||
        analysis_make(t.scenario, history, &analysis, &err) != 0) {
        (void)fprintf(stderr, "%u trials: %s\n", trials, err.msg);
        exit(1);
    }
    struct report report = {t.scenario, history, analysis, "d"};
    emit("many trials", &report);
    analysis_free(analysis);
    history_free(history);
    example_free(&t);
}

static unsigned n_hostile, n_trials;

static void tell_all(void)
{
    unsigned told = 0;
    tell_example();
    tell_runs();
    for (unsigned i = 1; i <= n_hostile; i++)
        told += tell_hostile(i);
    (void)fprintf(stderr, "%u of %u hostile journals were read\n", told, n_hostile);
    if (2 * told < n_hostile) /* this is of reports, not of the reader */
        exit(1);
    if (n_trials != 0)
        tell_many(n_trials);
}

/* The stories assert, which CUnit takes within a test alone. */
int main(int argc, char **argv)
{
    n_hostile = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    n_trials = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite("render", NULL, NULL);
    if (suite == NULL || CU_add_test(suite, "all", tell_all) == NULL)
        return 1;
    CU_basic_set_mode(CU_BRM_SILENT);
    (void)CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed != 0;
}
