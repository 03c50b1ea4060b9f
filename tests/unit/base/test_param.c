/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/param.h"
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

static const char *const directions[] = {"in", "out", "both", NULL};

struct args {
    bool on;
    int64_t count;
    struct duration delay;
    struct ratio share;
    struct bytes size;
    int direction;
    struct name service;
    struct path file;
    struct text content;
    int error;
    int signal;
    struct addrs peers;
    struct ports ports;
    struct names names;
    struct paths paths;
};

static const struct param params[] = {
    P(struct args, PARAM_BOOL, on, .def = "true", .doc = "x"),
    P(struct args, PARAM_INT, count, .min = 1, .max = 9, .def = "3", .doc = "x"),
    P(struct args, PARAM_DURATION, delay, .min = 1000000, .max = 10000000000, .doc = "x"),
    P(struct args, PARAM_RATIO, share, .def = "100%", .doc = "x"),
    P(struct args, PARAM_BYTES, size, .min = 1024, .doc = "x"),
    P(struct args, PARAM_ENUM, direction, .choices = directions, .def = "both", .doc = "x"),
    P(struct args, PARAM_NAME, service, .required = true, .doc = "x"),
    P(struct args, PARAM_PATH, file, .doc = "x"),
    P(struct args, PARAM_TEXT, content, .max = 100, .doc = "x"),
    P(struct args, PARAM_ERRNO, error, .def = "EIO", .doc = "x"),
    P(struct args, PARAM_SIGNAL, signal, .doc = "x"),
    P(struct args, PARAM_HOSTS, peers, .doc = "x"),
    P(struct args, PARAM_PORTS, ports, .def = "1-65535", .doc = "x"),
    P(struct args, PARAM_NAMES, names, .doc = "x"),
    P(struct args, PARAM_PATHS, paths, .max = 2, .doc = "x"),
};
enum { N = sizeof(params) / sizeof(params[0]) };

static struct args a, b;

static void start(struct args *args)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(params_default(params, N, args, sizeof(*args), &err), 0);
}

static const char *message(const char *name, const char *text)
{
    static struct err err;
    err.msg[0] = '\0';
    int failed = param_parse(param_find(params, N, name), text, &a, &err);
    return failed == 0 ? "" : err.msg;
}

static const char *unbounded(const char *text)
{
    static const struct param any = {.name = "any", .type = PARAM_INT};
    static struct err err;
    int64_t value = 0;
    return param_parse(&any, text, &value, &err) == 0 ? "" : err.msg;
}

static void test_table_is_sound(void)
{
    struct err err;
    CU_ASSERT_EQUAL(param_table_check(params, N, sizeof(struct args), &err), 0);
    CU_ASSERT_EQUAL(param_table_check(params, N, sizeof(struct args) - 9, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "paths lies outside its struct");
    struct param twice[2] = {params[0], params[0]};
    CU_ASSERT_EQUAL(param_table_check(twice, 2, sizeof(struct args), &err), -1);
    struct param wrong = params[1];
    wrong.def = "77";
    CU_ASSERT_EQUAL(param_table_check(&wrong, 1, sizeof(struct args), &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "default of count: \"77\" is not a whole number from 1 to 9");
}

static void test_defaults(void)
{
    start(&a);
    CU_ASSERT_TRUE(a.on);
    CU_ASSERT_EQUAL(a.count, 3);
    CU_ASSERT_EQUAL(a.direction, 2);
    CU_ASSERT_EQUAL(a.error, EIO);
    CU_ASSERT_EQUAL(a.ports.n, 1);
    CU_ASSERT_EQUAL(a.ports.r[0].hi, 65535);
    CU_ASSERT_EQUAL(a.share.ppm, 1000000);
}

static void test_durations(void)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *print;
    } good[] = {
        {"100ms", 100000000, "100ms"},
        {"1m30s", 90000000000, "1m30s"},
        {"1.5s", 1500000000, "1.5s"},
        {"1h", 3600000000000, "1h"},
        {"1h5s", 3605000000000, "1h5s"},
        {"90s", 90000000000, "1m30s"},
        {"1ns", 1, "1ns"},
        {"1500us", 1500000, "1.5ms"},
        {"0s", 0, "0s"},
        {"008s", 8000000000, "8s"},
        {"1m0.25s", 60250000000, "1m250ms"},
        {"18m19.229430649s", 1099229430649, "18m19.229430649s"},
    };
    static const char *const bad[] = {"",
                                      "8",
                                      "0x8s",
                                      "8 s",
                                      " 8s",
                                      "8s ",
                                      "-8s",
                                      "8sec",
                                      "8s1m",
                                      "8s8s",
                                      "1e3s",
                                      "1.s",
                                      ".5s",
                                      "0.1ns",
                                      "1s.5",
                                      "9999999999999999999s",
                                      "99999999999h",
                                      "s",
                                      "0.000000000000000001s",
                                      "1..5s"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct duration d = {-1};
        struct err err;
        char out[40];
        CU_ASSERT_EQUAL(duration_parse(good[i].text, &d, &err), 0);
        CU_ASSERT_EQUAL(d.ns, good[i].ns);
        CU_ASSERT_STRING_EQUAL(duration_print(d, out, sizeof(out)), good[i].print);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct duration d;
        struct err err;
        CU_ASSERT_EQUAL(duration_parse(bad[i], &d, &err), -1);
        CU_ASSERT_TRUE(err.code == ERR_INPUT || err.code == ERR_LIMIT);
    }
    start(&a);
    CU_ASSERT_STRING_EQUAL(message("delay", "8"), "\"8\" has no unit: write 8s or 8ms");
    CU_ASSERT_STRING_EQUAL(message("delay", "11s"),
                           "\"11s\" is not a duration such as 100ms from 1ms to 10s");
}

static void test_ratios_and_sizes(void)
{
    struct ratio r = {0};
    struct bytes s = {0};
    struct err err;
    char out[40];
    CU_ASSERT_EQUAL(ratio_parse("2.5%", &r, &err), 0);
    CU_ASSERT_EQUAL(r.ppm, 25000);
    CU_ASSERT_STRING_EQUAL(ratio_print(r, out, sizeof(out)), "2.5%");
    CU_ASSERT_EQUAL(ratio_parse("0.0001%", &r, &err), 0);
    CU_ASSERT_EQUAL(r.ppm, 1);
    CU_ASSERT_EQUAL(ratio_parse("0.00001%", &r, &err), -1);
    CU_ASSERT_EQUAL(ratio_parse("100.1%", &r, &err), -1);
    CU_ASSERT_EQUAL(ratio_parse("5", &r, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "\"5\" has no unit: write a share as 5% or 0.1%");
    CU_ASSERT_EQUAL(bytes_parse("64MiB", &s, &err), 0);
    CU_ASSERT_EQUAL(s.n, 64u << 20);
    CU_ASSERT_STRING_EQUAL(bytes_print(s, out, sizeof(out)), "64MiB");
    CU_ASSERT_EQUAL(bytes_parse("1.5GiB", &s, &err), 0);
    CU_ASSERT_STRING_EQUAL(bytes_print(s, out, sizeof(out)), "1536MiB");
    CU_ASSERT_EQUAL(bytes_parse("1MB", &s, &err), 0);
    CU_ASSERT_STRING_EQUAL(bytes_print(s, out, sizeof(out)), "1MB");
    CU_ASSERT_EQUAL(bytes_parse("010", &s, &err), -1);
    CU_ASSERT_EQUAL(bytes_parse("99999999999GiB", &s, &err), -1);
}

static void test_addresses(void)
{
    struct addr x;
    struct err err;
    char out[64];
    CU_ASSERT_EQUAL(addr_parse("10.77.0.2", &x, &err), 0);
    CU_ASSERT_STRING_EQUAL(addr_print(&x, out, sizeof(out)), "10.77.0.2");
    CU_ASSERT_EQUAL(addr_parse("fd77::/64", &x, &err), 0);
    CU_ASSERT_STRING_EQUAL(addr_print(&x, out, sizeof(out)), "fd77::/64");
    CU_ASSERT_EQUAL(addr_parse("0.0.0.0/0", &x, &err), 0);
    CU_ASSERT_EQUAL(addr_parse("10.0.0.1/8", &x, &err), -1);
    CU_ASSERT_EQUAL(addr_parse("10.0.0.0/33", &x, &err), -1);
    CU_ASSERT_EQUAL(addr_parse("10.0.0.0/", &x, &err), -1);
    CU_ASSERT_EQUAL(addr_parse("host", &x, &err), -1);
}

static void test_words(void)
{
    start(&a);
    CU_ASSERT_STRING_EQUAL(message("direction", "oth"),
                           "\"oth\" is not in, out or both; did you mean \"both\"?");
    CU_ASSERT_STRING_EQUAL(message("error", "ENSPC"), "\"ENSPC\" is not the name of an error such "
                                                      "as EIO; did you mean \"ENOSPC\"?");
    CU_ASSERT_STRING_EQUAL(message("signal", "kill"),
                           "\"kill\" is not the name of a signal such as "
                           "TERM; did you mean \"KILL\"?");
    CU_ASSERT_STRING_EQUAL(message("signal", "SIGTERM"), "");
    CU_ASSERT_EQUAL(a.signal, SIGTERM);
    CU_ASSERT_STRING_EQUAL(message("on", "yes"),
                           "\"yes\" is not true or false (yes, no, on and off are not taken)");
    CU_ASSERT_STRING_EQUAL(message("signal", "SIGFOO"),
                           "\"SIGFOO\" is not the name of a signal such as TERM");
    CU_ASSERT_STRING_EQUAL(message("signal", "SIGTREM"),
                           "\"SIGTREM\" is not the name of a signal such as TERM; did you mean "
                           "\"TERM\"?");
    CU_ASSERT_STRING_EQUAL(message("count", "010"), "\"010\" is not a whole number");
    CU_ASSERT_STRING_EQUAL(message("count", "99999999999999999999"),
                           "\"99999999999999999999\" is not a whole number from 1 to 9");
    CU_ASSERT_STRING_EQUAL(unbounded("18446744073709551616"),
                           "\"18446744073709551616\" is too large: at most 9223372036854775807");
    CU_ASSERT_STRING_EQUAL(unbounded("-18446744073709551616"),
                           "\"-18446744073709551616\" is too small: at least "
                           "-9223372036854775808");
    CU_ASSERT_STRING_EQUAL(unbounded("9223372036854775807"), "");
    CU_ASSERT_STRING_EQUAL(unbounded("1234567890123456789012x"),
                           "\"1234567890123456789012x\" is not a whole number");
    CU_ASSERT_STRING_NOT_EQUAL(message("service", "-x"), "");
    CU_ASSERT_STRING_NOT_EQUAL(message("service", "a/b"), "");
    CU_ASSERT_STRING_EQUAL(message("service", "redis@1.local"), "");
    static const char *const bad_paths[] = {"/",   "a",     "/a/", "//a",  "/a//b",
                                            "/..", "/a/..", "/.",  "/a\n", "/\xff"};
    for (size_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++)
        CU_ASSERT_STRING_NOT_EQUAL(message("file", bad_paths[i]), "");
    CU_ASSERT_STRING_EQUAL(message("file", "/etc/nginx/..x"), "");
    CU_ASSERT_STRING_EQUAL(message("ports", "8000-8999"), "");
    CU_ASSERT_STRING_NOT_EQUAL(message("ports", "9-8"), "");
    CU_ASSERT_STRING_NOT_EQUAL(message("ports", "0"), "");
    CU_ASSERT_STRING_NOT_EQUAL(message("ports", "65536"), "");
}

static void test_json_goes_both_ways(void)
{
    struct err err = {0};
    start(&a);
    static const char *const given[][2] = {
        {"delay", "1.5s"},
        {"size", "64KiB"},
        {"service", "etcd"},
        {"file", "/etc/x"},
        {"content", "a\n\"\xc3\xa9"},
        {"signal", "KILL"},
        {"peers", "10.77.0.2"},
        {"peers", "fd77::2"},
        {"peers", "10.0.0.0/8"},
        {"names", "a"},
        {"names", "b"},
        {"paths", "/a/b"},
    };
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        CU_ASSERT_STRING_EQUAL(message(given[i][0], given[i][1]), "");
    a.on = false;
    json_t *j = params_encode(params, N, &a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    char *text = json_dumps(json_object_get(j, "peers"), JSON_COMPACT);
    CU_ASSERT_STRING_EQUAL(text, "[\"10.77.0.2\",\"fd77::2\",\"10.0.0.0/8\"]");
    free(text);
    CU_ASSERT_EQUAL(params_decode(params, N, j, &b, sizeof(b), &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
    json_object_set_new(j, "count", json_integer(10));
    CU_ASSERT_EQUAL(params_decode(params, N, j, &b, sizeof(b), &err), -1);
    json_object_set_new(j, "count", json_string("3"));
    CU_ASSERT_EQUAL(params_decode(params, N, j, &b, sizeof(b), &err), -1);
    json_object_del(j, "count");
    json_object_set_new(j, "extra", json_integer(1));
    CU_ASSERT_EQUAL(params_decode(params, N, j, &b, sizeof(b), &err), -1);
    json_object_del(j, "extra");
    json_object_del(j, "service");
    CU_ASSERT_EQUAL(params_decode(params, N, j, &b, sizeof(b), &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "service is required");
    json_decref(j);
}

/* Each change alone must be seen by the check that the privileged side makes. */
static void test_check_of_raw_bytes(void)
{
    struct err err;
    start(&a);
    memcpy(a.service.s, "etcd", 5);
    CU_ASSERT_EQUAL(params_check(params, N, &a, &err), 0);
#define BREAKS(change)                                                                             \
    do {                                                                                           \
        b = a;                                                                                     \
        change;                                                                                    \
        CU_ASSERT_EQUAL(params_check(params, N, &b, &err), -1);                                    \
    } while (0)
    BREAKS(memset(&b.on, 2, 1));
    BREAKS(b.count = 10);
    CU_ASSERT_STRING_EQUAL(err.msg, "count: not a whole number from 1 to 9");
    BREAKS(b.count = INT64_MIN);
    BREAKS(b.delay.ns = 1);
    BREAKS(b.delay.ns = -1);
    BREAKS(b.share.ppm = UINT32_MAX);
    BREAKS(b.size.n = UINT64_MAX);
    BREAKS(b.direction = 3);
    BREAKS(b.direction = -1);
    BREAKS(memset(&b.service, 'x', sizeof(b.service)));
    BREAKS(b.service.s[0] = '\0');
    BREAKS(memset(&b.file, '/', sizeof(b.file)));
    BREAKS(memcpy(b.file.s, "/a/../b", 8));
    BREAKS(b.content.len = UINT32_MAX);
    BREAKS(b.content.len = 3);
    BREAKS((memcpy(b.content.s, "\xff", 2), b.content.len = 1));
    BREAKS((memset(b.content.s, 'x', 101), b.content.len = 101));
    BREAKS(b.error = 41);
    BREAKS(b.error = 0x7fffffff);
    BREAKS(b.signal = 64);
    BREAKS(b.peers.n = UINT32_MAX);
    BREAKS(b.peers.n = 1);
    BREAKS((b.peers.n = 1, b.peers.a[0] = (struct addr){4, 32, {1, 2, 3, 4, 5}}));
    BREAKS((b.peers.n = 1, b.peers.a[0] = (struct addr){6, 129, {1}}));
    BREAKS(b.ports.n = 17);
    BREAKS(b.ports.r[0].lo = 0);
    BREAKS((b.ports.r[0].lo = 9, b.ports.r[0].hi = 8));
    BREAKS(b.names.n = 17);
    BREAKS(b.names.n = 1);
    BREAKS(b.paths.n = 1);
    BREAKS((b.paths.n = 3, memcpy(b.paths.v[0].s, "/a", 3), memcpy(b.paths.v[1].s, "/a", 3),
            memcpy(b.paths.v[2].s, "/a", 3)));
}

static void test_nearest(void)
{
    static const char *const words[] = {"recovery_time", "availability", "blast_radius", "on"};
    CU_ASSERT_STRING_EQUAL(nearest_word("recovry_time", words, 4), "recovery_time");
    CU_ASSERT_STRING_EQUAL(nearest_word("no", words, 4), "on");
    CU_ASSERT_STRING_EQUAL(nearest_word("BLAST_RADIUS", words, 4), "blast_radius");
    CU_ASSERT_PTR_NULL(nearest_word("latency", words, 4));
    CU_ASSERT_PTR_NULL(nearest_word("", words, 4));
}

static void test_expects(void)
{
    char out[200];
    CU_ASSERT_STRING_EQUAL(param_expects(param_find(params, N, "direction"), out, sizeof(out)),
                           "in, out or both");
    CU_ASSERT_STRING_EQUAL(param_expects(param_find(params, N, "size"), out, sizeof(out)),
                           "a size such as 64MiB of at least 1KiB");
}

static const struct check_test tests[] = {
    {"table is sound", test_table_is_sound},
    {"defaults", test_defaults},
    {"durations", test_durations},
    {"ratios and sizes", test_ratios_and_sizes},
    {"addresses", test_addresses},
    {"words", test_words},
    {"json goes both ways", test_json_goes_both_ways},
    {"check of raw bytes", test_check_of_raw_bytes},
    {"nearest", test_nearest},
    {"expects", test_expects},
};

CHECK_MAIN("base/param", tests)
