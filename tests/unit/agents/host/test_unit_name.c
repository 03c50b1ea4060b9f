/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/unit_name.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

static void expect_full(const char *unit, const char *full)
{
    char out[UNIT_NAME_SIZE];
    unit_name_full(out, unit);
    CU_ASSERT_STRING_EQUAL(out, full);
}

static void test_full(void)
{
    expect_full("nginx", "nginx.service");
    expect_full("nginx.service", "nginx.service");
    expect_full("php8.2-fpm", "php8.2-fpm.service");
    expect_full("postgresql@15-main", "postgresql@15-main.service");
    expect_full("openvpn@a.example.org", "openvpn@a.example.org.service");
    expect_full("foo.bar", "foo.bar.service");
    expect_full("my.services", "my.services.service");
    expect_full("foo.", "foo..service");
    expect_full("a.socket.b", "a.socket.b.service");
}

/* All that `systemctl --type=help` lists. */
static void test_types(void)
{
    static const char *const types[] = {"service",   "mount", "swap", "socket", "target", "device",
                                        "automount", "timer", "path", "slice",  "scope"};
    char name[64], out[NAME_MAX_LEN + 1];
    struct err err;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void)snprintf(name, sizeof(name), "dev-sda.1.%s", types[i]);
        expect_full(name, name);
        CU_ASSERT_EQUAL(unit_name_service(out, name, &err), i == 0 ? 0 : -1);
    }
    CU_ASSERT_EQUAL(unit_name_service(out, "redis.socket", &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "redis.socket is no service, but a socket"));
}

static void expect_service(const char *unit, const char *name)
{
    char out[NAME_MAX_LEN + 1] = "", full[UNIT_NAME_SIZE], again[UNIT_NAME_SIZE];
    struct err err;
    CU_ASSERT_EQUAL(unit_name_service(out, unit, &err), 0);
    CU_ASSERT_STRING_EQUAL(out, name);
    unit_name_full(full, unit);
    unit_name_full(again, out);
    CU_ASSERT_STRING_EQUAL(full, again);
}

static void test_service(void)
{
    expect_service("nginx", "nginx");
    expect_service("nginx.service", "nginx");
    expect_service("php8.2-fpm.service", "php8.2-fpm");
    expect_service("foo.bar", "foo.bar");
    /* Without its type this would be another unit. */
    expect_service("foo.socket.service", "foo.socket.service");
    expect_service("x.service.service", "x.service.service");
}

static void test_refused(void)
{
    char out[NAME_MAX_LEN + 1] = "kept", at_most[96], more[96];
    struct err err;
    CU_ASSERT_EQUAL(unit_name_service(out, "", &err), -1);
    CU_ASSERT_EQUAL(unit_name_service(out, ".service", &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "does not begin with a dot"));
    CU_ASSERT_EQUAL(unit_name_service(out, ".x", &err), -1);
    CU_ASSERT_EQUAL(unit_name_service(out, "..", &err), -1);
    (void)snprintf(more, sizeof(more), "%064d", 0);
    CU_ASSERT_EQUAL(unit_name_service(out, more, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_STRING_EQUAL(out, "kept");
    (void)snprintf(at_most, sizeof(at_most), "%063d.service", 0);
    CU_ASSERT_EQUAL(unit_name_service(out, at_most, &err), 0);
    CU_ASSERT_EQUAL(strlen(out), NAME_MAX_LEN);
}

static const struct check_test tests[] = {
    {"with its type", test_full},
    {"all types", test_types},
    {"one name of a service", test_service},
    {"refused", test_refused},
};

CHECK_MAIN("names of units", tests)
