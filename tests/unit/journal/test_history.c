/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journals as text: what is kept, and what is refused at which line. */
#include "base/cleanup.h"
#include "check.h"
#include "journal/history.h"

#include <stdio.h>

#define START                                                                                      \
    "{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"text\":\"\",\"file\":\"f\","       \
    "\"sha256\":\"0\"}\n"
#define TRIAL "{\"t\":1,\"ev\":\"trial.start\",\"trial\":0}\n"
#define PREPARE                                                                                    \
    "{\"t\":2,\"ev\":\"prepare\",\"injection\":\"i\",\"fault\":\"process.kill\",\"host\":\"n1\","  \
    "\"group\":0,\"step\":1,\"args\":{},\"for_ns\":5}\n"

static void test_garbage_is_refused_with_its_line(void)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "has no whole line"},
        {"{\"t\":0", "has no whole line"},
        {"[]\n", "journal.ndjson:1: not an object"},
        {"{\"t\":0,\"ev\":\"trial.start\",\"trial\":0}\n", ":1: must be run.start"},
        {"{\"ev\":\"run.start\"}\n", ":1: needs `t` and `ev`"},
        {"{\"t\":1.5,\"ev\":\"run.start\"}\n", ":1: t must be an integer"},
        {"{\"t\":0,\"ev\":\"run.start\",\"format\":2}\n", "format that this version does not know"},
        {"{\"t\":0,\"ev\":\"run.start\",\"format\":1}\n", ":1: run.start needs run, file, text"},
        {START "{\"t\":1,\"t\":2,\"ev\":\"x\"}\n", ":2:"},
        {START "not json\n", "journal.ndjson:2:3:"},
        {"{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"text\":\"\",\"file\":\"f\","
         "\"sha256\":\"0\",\"sequential\":{\"good_ppm\":900000,\"bad_ppm\":990000,\"alpha_ppm\":"
         "50000,"
         "\"beta_ppm\":50000,\"at_most\":40,\"undecided\":3}}\n",
         ":1: run.start has a sequential plan that means nothing"},
        {START START, ":2: run.start stands only on the first line"},
        {START TRIAL TRIAL, ":3: trial.start stands inside another trial"},
        {START PREPARE, ":2: prepare stands outside of any trial"},
        {START TRIAL PREPARE PREPARE, ":4: prepare names an injection for the second time"},
        {START TRIAL "{\"t\":3,\"ev\":\"applied\",\"injection\":\"i\",\"ok\":true}\n",
         ":3: applied names an injection that was never prepared"},
        {START TRIAL PREPARE
         "{\"t\":3,\"ev\":\"applied\",\"injection\":\"i\",\"ok\":true,\"asked_ns\":9,"
         "\"active_ns\":8}\n",
         ":4: applied is active before it was asked for"},
        {START TRIAL PREPARE "{\"t\":3,\"ev\":\"evidence\",\"injection\":\"i\"}\n",
         ":4: evidence needs class and proven"},
        {START TRIAL "{\"t\":9007199254740993,\"ev\":\"x\"}\n", ":3: t is out of bounds"},
        {START "{\"t\":1,\"ev\":\"host\",\"host\":\"n9\",\"clean\":true}\n",
         ":2: host needs `clean` and a host of lab.up"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.msg = "accepted"};
        CLEANUP_HISTORY struct history *h = NULL;
        CU_ASSERT_EQUAL(history_parse(cases[i].text, strlen(cases[i].text), NULL, 0, &h, &err), -1);
        if (strstr(err.msg, cases[i].says) == NULL) {
            printf("\n  case %zu: wanted \"%s\", got \"%s\"\n", i, cases[i].says, err.msg);
            CU_FAIL("another message");
        }
    }
}

static void test_an_injection_is_put_together(void)
{
    static const char text[] =
        START TRIAL PREPARE "{\"t\":3,\"ev\":\"prepared\",\"injection\":\"i\",\"ok\":true}\n"
                            "{\"t\":4,\"ev\":\"apply\",\"injection\":\"i\"}\n"
                            "{\"t\":9,\"ev\":\"applied\",\"injection\":\"i\",\"ok\":true,"
                            "\"asked_ns\":5,\"active_ns\":8,\"error\":null}\n"
                            "{\"t\":10,\"ev\":\"unheard.of\",\"x\":[1,2]}\n"
                            "{\"t\":11,\"ev\":\"evidence\",\"injection\":\"i\",\"items\":{\"n\":3},"
                            "\"class\":\"event\",\"proven\":true,\"what\":\"seen\"}\n"
                            "{\"t\":12,\"ev\":\"renew\",\"host\":\"n1\",\"ok\":true,"
                            "\"lapsed\":[\"i\"]}\n"
                            "{\"t\":14,\"ev\":\"revert\",\"injection\":\"i\"}\n"
                            "{\"t\":20,\"ev\":\"reverted\",\"injection\":\"i\",\"ok\":true,"
                            "\"asked_ns\":15,\"done_ns\":19,\"ended_by\":\"command\"}\n"
                            "{\"t\":21,\"ev\":\"trial.end\",\"outcome\":\"done\"}\n{\"t\":22,";
    struct err err = {.msg = ""};
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL(history_parse(text, strlen(text), NULL, 0, &h, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    if (h == NULL)
        return;
    CU_ASSERT_TRUE(h->torn);
    CU_ASSERT_EQUAL(h->trials[0].n_injections, 1);
    const struct history_injection *i = &h->trials[0].injections[0];
    CU_ASSERT_TRUE(i->applied && i->evidence->proven && i->lapsed && i->reverted && !i->foreign);
    CU_ASSERT_EQUAL(i->asked_ns, 5);
    CU_ASSERT_EQUAL(i->active_ns, 8);
    CU_ASSERT_EQUAL(i->revert_asked_ns, 15);
    CU_ASSERT_EQUAL(i->undone_ns, 19);
    CU_ASSERT_EQUAL(i->evidence_class, EVIDENCE_EVENT);
    CU_ASSERT_STRING_EQUAL(i->ended_by, "command");
    CU_ASSERT_PTR_NULL(i->error);
    CU_ASSERT_EQUAL(h->events[6].trial, 0);
    CU_ASSERT_EQUAL(h->events[0].trial, HISTORY_NO_TRIAL);
}

static void test_samples_that_cannot_be_are_refused(void)
{
    static const struct {
        struct sample s[2];
        size_t n;
    } cases[] = {
        {{{.due_ns = 5, .sent_ns = 4, .done_ns = 6}}, 1},
        {{{.due_ns = 5, .sent_ns = 6, .done_ns = 5}}, 1},
        {{{.due_ns = -5, .sent_ns = 6, .done_ns = 7}}, 1},
        {{{.done_ns = INT64_MAX}}, 1},
        {{{.result = SAMPLE_RESULT_COUNT}}, 1},
        {{{.trial = 3}}, 1},
        {{{.slot = 1}, {.slot = 1}}, 2},
        {{{.slot = 1, .due_ns = 5, .sent_ns = 5, .done_ns = 5}, {.slot = 2}}, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err;
        CLEANUP_HISTORY struct history *h = NULL;
        CLEANUP_FREE struct sample *list = NULL;
        size_t n;
        int r = history_parse(START TRIAL, strlen(START TRIAL), cases[i].s, cases[i].n, &h, &err);
        CU_ASSERT_TRUE(r != 0 || history_samples_of(h, &h->trials[0], 0, &list, &n, &err) != 0);
        CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    }
}

static const struct check_test tests[] = {
    {"garbage is refused with its line", test_garbage_is_refused_with_its_line},
    {"an injection is put together", test_an_injection_is_put_together},
    {"samples that cannot be are refused", test_samples_that_cannot_be_are_refused},
};

CHECK_MAIN("history", tests)
