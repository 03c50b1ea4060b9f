/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to name servers as bytes, and answers as text. */
#include "check.h"
#include "prober/dns_message.h"

enum { ID = 0x1234, ROOM = 2048 };

static struct dns_query query;
static unsigned char message[ROOM];
static size_t len;

static void put(const void *bytes, size_t n)
{
    memcpy(message + len, bytes, n);
    len += n;
}
#define PUT(text) put(text, sizeof(text) - 1)

/* An answer to www.example.org A, without records yet. */
static void answer(unsigned flags, unsigned answers)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(dns_query_make("www.Example.org", 1, true, &query, &err), 0);
    dns_query_number(&query, ID);
    len = 0;
    put(query.bytes, query.len);
    message[2] = (unsigned char)(0x80 | flags >> 8);
    message[3] = (unsigned char)flags;
    message[7] = (unsigned char)answers;
}

static void reads(enum dns_reading wanted, const char *text)
{
    CLEANUP_BUF struct buf body = BUF_INIT(65536);
    struct dns_reply reply = {.rcode = 99};
    enum dns_reading got = dns_read(&query, message, len, &reply, &body);
    CU_ASSERT_EQUAL(got, wanted);
    if (got == DNS_ANSWER && strcmp(buf_text(&body), text) != 0) {
        printf("\n  wanted %s  got %s", text, buf_text(&body));
        CU_FAIL("other text");
    }
}

static void test_a_question(void)
{
    static const unsigned char wanted[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                                          "\x03www\x07"
                                          "Example\x03org\x00\x00\x01\x00\x01";
    answer(0, 0);
    CU_ASSERT_EQUAL_FATAL(query.len, sizeof(wanted) - 1);
    CU_ASSERT_EQUAL(memcmp(query.bytes, wanted, query.len), 0);
}

static void test_names(void)
{
    struct dns_query q;
    struct err err;
    char name[300];
    CU_ASSERT_EQUAL(dns_query_make("a.b.", 1, true, &q, &err), 0);
    CU_ASSERT_EQUAL(q.len, 12 + 5 + 4);
    CU_ASSERT_EQUAL(dns_query_make(".", 2, true, &q, &err), 0);
    CU_ASSERT_EQUAL(q.len, 12 + 1 + 4);
    CU_ASSERT_EQUAL(dns_query_make("", 1, true, &q, &err), -1);
    CU_ASSERT_EQUAL(dns_query_make("a..b", 1, true, &q, &err), -1);
    CU_ASSERT_EQUAL(dns_query_make(".a", 1, true, &q, &err), -1);
    memset(name, 'a', sizeof(name));
    name[64] = '\0';
    CU_ASSERT_EQUAL(dns_query_make(name, 1, true, &q, &err), -1);
    name[63] = '\0';
    CU_ASSERT_EQUAL(dns_query_make(name, 1, true, &q, &err), 0);
    for (size_t i = 0; i < 253; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[253] = '\0'; /* the longest */
    CU_ASSERT_EQUAL(dns_query_make(name, 1, true, &q, &err), 0);
    CU_ASSERT_EQUAL(q.len, DNS_QUERY_MAX);
    name[253] = 'a';
    name[254] = '\0';
    CU_ASSERT_EQUAL(dns_query_make(name, 1, true, &q, &err), -1);
}

#define HEAD(type, length) "\xc0\x0c\x00" type "\x00\x01\x00\x00\x01\x2c\x00" length

static const struct {
    const char *bytes;
    size_t n;
    const char *text; /* NULL: broken */
} records[] = {
#define ROW(bytes, text)                                                                           \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, text                                                             \
    }
    ROW(HEAD("\x01", "\x04") "\xc0\x00\x02\x01", "www.example.org 300 A 192.0.2.1\n"),
    ROW(HEAD("\x1c", "\x10") "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
        "www.example.org 300 AAAA 2001:db8::1\n"),
    ROW(HEAD("\x05", "\x06") "\x03"
                             "cdn\xc0\x10",
        "www.example.org 300 CNAME cdn.example.org\n"),
    ROW(HEAD("\x0f", "\x04") "\x00\x0a\xc0\x10", "www.example.org 300 MX 10 example.org\n"),
    ROW(HEAD("\x21", "\x08") "\x00\x01\x00\x02\x0d\x3d\xc0\x10",
        "www.example.org 300 SRV 1 2 3389 example.org\n"),
    ROW(HEAD("\x10", "\x0a") "\x05"
                             "a \"b\\\x03"
                             "c\x01"
                             "d",
        "www.example.org 300 TXT \"a \\\"b\\\\\" \"c\\001d\"\n"),
    ROW(HEAD("\x06", "\x18") "\xc0\x10\xc0\x10\0\0\0\x07\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04",
        "www.example.org 300 SOA example.org example.org 7 1 2 3 4\n"),
    ROW(HEAD("\x41", "\x02") "\xab\xcd", "www.example.org 300 TYPE65 \\# 2 abcd\n"),
    ROW(HEAD("\x02", "\x01") "\x00", "www.example.org 300 NS .\n"),
    ROW(HEAD("\x02", "\x05") "\x03"
                             "a.b\x00",
        "www.example.org 300 NS a\\.b\n"),
    ROW(HEAD("\x01", "\x03") "\xc0\x00\x02", NULL),         /* cut off */
    ROW(HEAD("\x01", "\x05") "\xc0\x00\x02\x01\x01", NULL), /* too long */
    ROW(HEAD("\x02", "\x02") "\xc0\x2d", NULL),             /* a name that points at itself */
    ROW(HEAD("\x02", "\x02") "\xc0\xff", NULL),             /* forward */
    ROW(HEAD("\x02", "\x02") "\x40\x00", NULL),             /* no label */
    ROW(HEAD("\x02", "\x02") "\x05"
                             "a",
        NULL), /* beyond the message */
    ROW(HEAD("\x10", "\x02") "\x05"
                             "a",
        NULL),
    ROW(HEAD("\x10", "\xff") "a", NULL),
};

static void test_records(void)
{
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        answer(0, 1);
        put(records[i].bytes, records[i].n);
        reads(records[i].text != NULL ? DNS_ANSWER : DNS_BROKEN, records[i].text);
        /* Cut off at any byte, it is broken, and nothing behind the end is read. */
        size_t whole = len;
        for (size_t n = query.len; n < whole; n++) {
            CLEANUP_BUF struct buf body = BUF_INIT(65536);
            struct dns_reply reply;
            unsigned char *copy = malloc(n);
            CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
            memcpy(copy, message, n);
            CU_ASSERT_EQUAL(dns_read(&query, copy, n, &reply, &body), DNS_BROKEN);
            free(copy);
        }
    }
}

static void test_several(void)
{
    answer(0, 2);
    put(records[2].bytes, records[2].n);
    PUT("\xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x0a\x00\x00\x01");
    reads(DNS_ANSWER, "www.example.org 300 CNAME cdn.example.org\n"
                      "cdn.example.org 5 A 10.0.0.1\n");
}

static void test_codes(void)
{
    CLEANUP_BUF struct buf body = BUF_INIT(65536);
    struct dns_reply reply;
    answer(3, 0);
    CU_ASSERT_EQUAL(dns_read(&query, message, len, &reply, &body), DNS_ANSWER);
    CU_ASSERT_EQUAL(reply.rcode, 3);
    CU_ASSERT_FALSE(reply.truncated);
    answer(0x200, 9); /* the records that did not fit are not looked at */
    CU_ASSERT_EQUAL(dns_read(&query, message, len, &reply, &body), DNS_ANSWER);
    CU_ASSERT_TRUE(reply.truncated);
    answer(1, 0); /* it does not even repeat the question */
    message[5] = 0;
    len = 12;
    CU_ASSERT_EQUAL(dns_read(&query, message, len, &reply, &body), DNS_ANSWER);
    CU_ASSERT_EQUAL(reply.rcode, 1);
}

static void test_other_answers(void)
{
    answer(0, 0);
    message[1]++; /* its number */
    reads(DNS_OTHER, NULL);
    answer(0, 0);
    message[2] &= 0x7f; /* a question */
    reads(DNS_OTHER, NULL);
    answer(0, 0);
    message[13] = 'v'; /* its name */
    reads(DNS_OTHER, NULL);
    answer(0, 0);
    message[len - 3] = 28; /* its type */
    reads(DNS_OTHER, NULL);
    answer(0, 0);
    message[5] = 0;
    len = 12; /* no question, and no error */
    reads(DNS_OTHER, NULL);
    answer(0, 0);
    message[13] = 'W'; /* letters in another case are the same */
    reads(DNS_ANSWER, "");
    len = 11;
    reads(DNS_OTHER, NULL);
}

static const struct check_test tests[] = {
    {"a question", test_a_question}, {"names", test_names}, {"records", test_records},
    {"several", test_several},       {"codes", test_codes}, {"other answers", test_other_answers},
};

CHECK_MAIN("dns message", tests)
