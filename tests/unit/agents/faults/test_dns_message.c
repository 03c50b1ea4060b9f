/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name servers' answers: which packets are taken for one, and what is said instead. */
#include "agents/faults/dns_message.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To "www.Example.com", type A: an address, and a record more. */
static const char message[] = "\x12\x34\x85\x80\0\1\0\1\0\0\0\1\3www\7Example\3com\0\0\1\0\1"
                              "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3"
                              "\0\0\x29\x10\0\0\0\0\0\0\0";
enum { MESSAGE = sizeof(message) - 1, QUESTION_END = 12 + 17 + 4 };

static const struct ports dns_port = {.n = 1, .r = {{53, 53}}};

static uint32_t make(unsigned char *p, int version)
{
    uint32_t ip = version == 4 ? 20 : 40, udp = 8 + MESSAGE;
    memset(p, 0, ip + 8);
    p[0] = (unsigned char)(version == 4 ? 0x45 : 0x60);
    p[version == 4 ? 9 : 6] = 17;
    p[version == 4 ? 3 : 5] = (unsigned char)(version == 4 ? ip + udp : udp);
    memset(p + (version == 4 ? 12 : 8), 7, version == 4 ? 8 : 32);
    p[ip + 1] = 53;
    p[ip + 2] = 200;
    p[ip + 5] = (unsigned char)udp;
    memcpy(p + ip + 8, message, MESSAGE);
    return ip + udp;
}

/* RFC 1071, over a copy with the pseudo header before it: 0xffff when all is right. */
static unsigned add_up(const unsigned char *p, uint32_t len, unsigned long start)
{
    for (uint32_t i = 0; i < len; i++)
        start += i % 2 == 0 ? p[i] * 256ul : p[i];
    while (start > 0xffff)
        start = start % 0x10000 + start / 0x10000;
    return (unsigned)start;
}

static bool sums_fit(const unsigned char *p, uint32_t len)
{
    if (p[0] >> 4 == 4)
        return add_up(p, 20, 0) == 0xffff && p[2] * 256u + p[3] == len &&
               add_up(p + 20, len - 20, add_up(p + 12, 8, 17 + len - 20)) == 0xffff;
    return p[4] * 256u + p[5] == len - 40 &&
           add_up(p + 40, len - 40, add_up(p + 8, 32, 17 + len - 40)) == 0xffff;
}

static void test_found(void)
{
    static const struct ports other_ports = {.n = 2, .r = {{1, 52}, {54, 65535}}};
    static const struct ports some_ports = {.n = 2, .r = {{5353, 5353}, {50, 60}}};
    for (int version = 4; version <= 6; version += 2) {
        unsigned char p[256];
        struct dns_answer a;
        uint32_t len = make(p, version);
        CU_ASSERT_TRUE_FATAL(dns_find(p, len, &dns_port, &a));
        CU_ASSERT_STRING_EQUAL(a.name, "www.example.com");
        CU_ASSERT_EQUAL(a.type, 1);
        CU_ASSERT_EQUAL(a.questions - a.message, QUESTION_END);
        for (uint32_t shorter = 0; shorter < len; shorter++)
            CU_ASSERT_FALSE(dns_find(p, shorter, &dns_port, &a));
        CU_ASSERT_FALSE(dns_is_stream(p, len, &dns_port));
        CU_ASSERT_FALSE(dns_find(p, len, &other_ports, &a));
        CU_ASSERT_TRUE(dns_find(p, len, &some_ports, &a));
        p[version == 4 ? 9 : 6] = 6;
        CU_ASSERT_FALSE(dns_find(p, len, &dns_port, &a));
        CU_ASSERT_TRUE(dns_is_stream(p, len, &dns_port));
        CU_ASSERT_FALSE(dns_is_stream(p, len, &other_ports));
    }
}

static void test_not_an_answer(void)
{
    static const struct {
        uint32_t at;
        unsigned char value;
        const char *what;
    } rows[] = {{21, 54, "another port"},         {30, 0x05, "a question"},
                {30, 0xad, "another operation"},  {33, 2, "two questions"},
                {33, 0, "no question"},           {40, 0xc0, "a pointer as the name"},
                {40, 64, "a label too long"},     {6, 0x20, "the first fragment"},
                {7, 1, "a later fragment"},       {0, 0x44, "a header too short"},
                {0, 0x4f, "a header of options"}, {25, 12, "an UDP length too short"},
                {3, 10, "an IP length too short"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char p[256];
        struct dns_answer a;
        uint32_t len = make(p, 4);
        p[rows[i].at] = rows[i].value;
        if (dns_find(p, len, &dns_port, &a))
            printf("%s\n", rows[i].what);
        CU_ASSERT_FALSE(dns_find(p, len, &dns_port, &a));
    }
}

/* Whatever comes, nothing outside the packet is read; a checker of addresses would see it. */
static void test_any_bytes(void)
{
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        unsigned char whole[256], out[DNS_OUT_MAX];
        struct dns_answer a;
        uint32_t len = make(whole, i % 2 == 0 ? 4 : 6);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1103515245u + 12345u;
            whole[(seed >> 8) % len] = (unsigned char)(seed >> 20);
        }
        uint32_t part = i % 3 == 0 ? (seed >> 4) % len : len;
        unsigned char *p = malloc(part + 1);
        memcpy(p, whole, part);
        if (dns_find(p, part, &dns_port, &a)) {
            CU_ASSERT_TRUE(a.questions <= part);
            CU_ASSERT_TRUE(dns_rewrite(p, &a, NULL, out) <= part);
        }
        free(p);
    }
}

static void test_no_such_name(void)
{
    for (int version = 4; version <= 6; version += 2) {
        unsigned char p[256], out[DNS_OUT_MAX];
        struct dns_answer a, again;
        uint32_t len = make(p, version);
        CU_ASSERT_TRUE_FATAL(dns_find(p, len, &dns_port, &a));
        len = dns_rewrite(p, &a, NULL, out);
        CU_ASSERT_EQUAL(len, a.questions);
        CU_ASSERT_TRUE(sums_fit(out, len));
        CU_ASSERT_TRUE(dns_find(out, len, &dns_port, &again));
        CU_ASSERT_EQUAL(memcmp(out + a.message, "\x12\x34\x85\x83\0\1\0\0\0\0\0\0", 12), 0);
        CU_ASSERT_EQUAL(memcmp(out + a.message + 12, message + 12, QUESTION_END - 12), 0);
    }
}

static void test_other_addresses(void)
{
    static const unsigned char six[16] = {0xfd, [15] = 9};
    struct dns_addrs addrs;
    struct err err;
    unsigned char p[256], out[DNS_OUT_MAX];
    struct dns_answer a;
    CU_ASSERT_EQUAL_FATAL(dns_addrs_parse("192.0.2.1, fd00::9 ,192.0.2.2", &addrs, &err), 0);
    CU_ASSERT_EQUAL(addrs.n, 3);
    CU_ASSERT_TRUE(dns_find(p, make(p, 6), &dns_port, &a));
    uint32_t len = dns_rewrite(p, &a, &addrs, out);
    CU_ASSERT_EQUAL(len, a.questions + 2 * 16);
    CU_ASSERT_TRUE(sums_fit(out, len));
    CU_ASSERT_EQUAL(out[a.message + 7], 2);
    CU_ASSERT_EQUAL(memcmp(out + a.questions, "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1", 16), 0);
    uint32_t whole = make(p, 4);
    CU_ASSERT_TRUE(dns_find(p, whole, &dns_port, &a));
    p[a.questions - 3] = 28; /* AAAA */
    CU_ASSERT_TRUE(dns_find(p, whole, &dns_port, &a));
    len = dns_rewrite(p, &a, &addrs, out);
    CU_ASSERT_EQUAL(len, a.questions + 28);
    CU_ASSERT_TRUE(sums_fit(out, len));
    CU_ASSERT_EQUAL(memcmp(out + a.questions + 12, six, 16), 0);
    p[a.questions - 3] = 15; /* MX */
    CU_ASSERT_TRUE(dns_find(p, whole, &dns_port, &a));
    CU_ASSERT_EQUAL(dns_rewrite(p, &a, &addrs, out), 0);
}

static void test_addresses(void)
{
    static const char *const wrong[] = {"10.0.0.0/8", "host", "1.2.3.4,,x",
                                        ("1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
                                         "1.1.1.1 1.1.1.1")};
    struct dns_addrs addrs;
    struct err err;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_EQUAL(dns_addrs_parse(wrong[i], &addrs, &err), -1);
    CU_ASSERT_EQUAL(dns_addrs_parse(" ", &addrs, &err), 0);
    CU_ASSERT_EQUAL(addrs.n, 0);
}

static void test_names(void)
{
    static const struct names none = {0}, names = {.n = 2, .v = {{"Example.com."}, {"x"}}};
    CU_ASSERT_TRUE(dns_is_named("", &none));
    CU_ASSERT_TRUE(dns_is_named("example.com", &names));
    CU_ASSERT_TRUE(dns_is_named("a.b.example.com", &names));
    CU_ASSERT_TRUE(dns_is_named("x", &names));
    CU_ASSERT_FALSE(dns_is_named("badexample.com", &names));
    CU_ASSERT_FALSE(dns_is_named("com", &names));
    CU_ASSERT_FALSE(dns_is_named("", &names));
}

static const struct check_test tests[] = {
    {"found", test_found},
    {"not an answer", test_not_an_answer},
    {"any bytes", test_any_bytes},
    {"no such name", test_no_such_name},
    {"other addresses", test_other_addresses},
    {"addresses", test_addresses},
    {"names", test_names},
};
CHECK_MAIN("agents/faults/dns_message", tests)
