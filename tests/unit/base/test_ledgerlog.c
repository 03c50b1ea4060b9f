/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's file: what is written is read, torn ends are dropped, all else is told by its line. */
#include "base/ledgerlog.h"
#include "check.h"

#include <string.h>

#define HEAD "blackstart-ledger 1 orders client\nv 0 as a client\nv 1 n1\n"

static struct ledgerlog *parse(const char *text)
{
    struct ledgerlog *l = NULL;
    struct err err = {.msg = ""};
    CU_ASSERT_EQUAL(ledgerlog_parse(text, strlen(text), &l, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    return l;
}

static void put_example(struct buf *b)
{
    uint64_t ids[] = {5, 3, 1, 2, 5, 9};
    ledgerlog_put_head(b, "orders", "client");
    ledgerlog_put_view(b, 0, "as a client");
    ledgerlog_put_view(b, 1, "n1");
    ledgerlog_put_trial(b, 3, 10);
    ledgerlog_put_intent(b, 2, 20, 21); /* threads overtake each other */
    ledgerlog_put_intent(b, 1, 15, 22);
    ledgerlog_put_result(b, 1, LEDGER_OK, 30, "");
    ledgerlog_put_intent(b, 3, 25, 26);
    ledgerlog_put_intent(b, 4, 25, 26);
    ledgerlog_put_result(b, 3, LEDGER_UNKNOWN, 40, "no answer\nin time \xff");
    ledgerlog_put_result(b, 2, LEDGER_FAIL, 35, "READONLY You can't");
    ledgerlog_put_gap(b, 5, 7);
    ledgerlog_put_until(b, 50);
    for (uint32_t round = 0; round < 2; round++) {
        ledgerlog_put_read(b, round, 0, 60 + round);
        if (round == 0)
            ledgerlog_put_ids(b, ids, 6);
        else
            ledgerlog_put_same(b);
        ledgerlog_put_read_end(b, true, 61 + round, "");
        ledgerlog_put_read(b, round, 1, 62 + round);
        ledgerlog_put_read_end(b, false, 63 + round, "refused");
    }
    ledgerlog_put_reading_over(b);
}

static void check_reads(const struct ledgerlog_trial *t)
{
    CU_ASSERT_EQUAL_FATAL(t->n_reads, 4);
    const struct ledgerlog_range *r = t->reads[0].ranges;
    CU_ASSERT_EQUAL_FATAL(t->reads[0].n_ranges, 3);
    CU_ASSERT(r[0].from == 1 && r[0].to == 3 && r[0].times == 1);
    CU_ASSERT(r[1].from == 5 && r[1].to == 5 && r[1].times == 2);
    CU_ASSERT(r[2].from == 9 && r[2].to == 9 && r[2].times == 1);
    CU_ASSERT(t->reads[2].ranges == r && t->reads[2].n_ranges == 3 && t->reads[2].ok);
    CU_ASSERT(!t->reads[1].ok && t->reads[1].n_ranges == 0);
    CU_ASSERT_STRING_EQUAL(t->reads[3].why, "refused");
}

static void test_round_trip(void)
{
    struct buf b = BUF_INIT(65536);
    put_example(&b);
    struct ledgerlog *l = parse(buf_text(&b));
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT_STRING_EQUAL(l->name, "orders");
    CU_ASSERT_STRING_EQUAL(l->from, "client");
    CU_ASSERT_EQUAL(l->n_views, 2);
    CU_ASSERT_STRING_EQUAL(l->views[0], "as a client");
    CU_ASSERT_FALSE(l->torn);
    CU_ASSERT_EQUAL_FATAL(l->n_trials, 1);
    const struct ledgerlog_trial *t = &l->trials[0];
    CU_ASSERT(t->trial == 3 && t->began_ns == 10 && t->until_ns == 50 && t->gaps == 7 &&
              t->reading_over);
    CU_ASSERT_EQUAL_FATAL(t->n_writes, 4);
    const enum ledger_result results[] = {LEDGER_OK, LEDGER_FAIL, LEDGER_UNKNOWN, LEDGER_PENDING};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(t->writes[i].id == i + 1 && t->writes[i].result == results[i]);
    CU_ASSERT(t->writes[0].due_ns == 15 && t->writes[0].sent_ns == 22 &&
              t->writes[0].done_ns == 30);
    CU_ASSERT_EQUAL(t->writes[3].done_ns, INT64_MAX);
    CU_ASSERT_STRING_EQUAL(t->writes[1].why, "READONLY You can't");
    CU_ASSERT_STRING_EQUAL(t->writes[2].why, "no answer?in time ?");
    check_reads(t);
    ledgerlog_free(l);
    buf_free(&b);
}

/* Cut anywhere, it is read up to its last whole line; with zeros behind, too. */
static void test_torn(void)
{
    struct buf b = BUF_INIT(65536);
    put_example(&b);
    size_t head = (size_t)(strchr(b.data, '\n') + 1 - b.data);
    for (size_t cut = head; cut <= b.len; cut++)
        for (int zeros = 0; zeros < 2; zeros++) {
            struct ledgerlog *l = NULL;
            struct err err = {.msg = ""};
            char *bytes = calloc(1, b.len + 8);
            memcpy(bytes, b.data, cut);
            CU_ASSERT_EQUAL(ledgerlog_parse(bytes, cut + (zeros ? 8 : 0), &l, &err), 0);
            CU_ASSERT_STRING_EQUAL(err.msg, "");
            CU_ASSERT_EQUAL(l != NULL && l->torn, zeros || b.data[cut - 1] != '\n');
            ledgerlog_free(l);
            free(bytes);
        }
    buf_free(&b);
}

static void test_wrong(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "has no whole line"},
        {"something else\n", "is not a ledger's file"},
        {HEAD "w 1 2 3\n", "line 4: stands outside of any trial"},
        {HEAD "t 0 1\nq 1\n", "line 5: a line of no known kind"},
        {HEAD "t 0 1\nw 1 3 2\n", "line 5: a write needs"},
        {HEAD "t 0 1\nw 1 2 3 4\n", "line 5: more than the line should hold"},
        {HEAD "t 0 1\nw 1 2 99999999999999999999\n", "line 5: a write needs"},
        {HEAD "t 0 1\nw 1 2 3\nw 1 2 3\n", "a write stands there twice"},
        {HEAD "t 0 1\nw 1 2 3\nw 2 2 3\na 1 4\na 1 4\n", "a second one"},
        {HEAD "t 0 1\nw 2 2 3\na 1 4\n", "the result of no write"},
        {HEAD "t 0 1\nw 1 2 3\na 1 2\n", "ended before it was sent"},
        {HEAD "t 0 1\nt 0 2\n", "line 5: a trial begins for the second time"},
        {HEAD "t 0 1\nr 0 2 3\n", "line 5: a read needs"},
        {HEAD "t 0 1\nr 0 0 3\ni 5 5\n", "line 6: ids are in order"},
        {HEAD "t 0 1\nr 0 0 3\ni 5-4\n", "line 6: a range of ids goes up"},
        {HEAD "t 0 1\ni 5\n", "line 5: ids of no read"},
        {HEAD "t 0 1\nr 1 0 3\nm\n", "there is no read before"},
        {HEAD "t 0 1\ne 3\n", "line 5: the end of no read"},
        {HEAD "v 3 n3\n", "line 4: views are numbered in order"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ledgerlog *l = NULL;
        struct err err = {.msg = ""};
        CU_ASSERT_EQUAL(ledgerlog_parse(rows[i].text, strlen(rows[i].text), &l, &err), -1);
        if (strstr(err.msg, rows[i].why) == NULL) {
            printf("\n  %zu: %s", i, err.msg);
            CU_FAIL("another message");
        }
    }
}

int main(void)
{
    static const struct check_test tests[] = {
        {"what is written is read", test_round_trip},
        {"a torn end", test_torn},
        {"what is wrong", test_wrong},
    };
    return check_main("a ledger's file", tests, sizeof(tests) / sizeof(tests[0]));
}
