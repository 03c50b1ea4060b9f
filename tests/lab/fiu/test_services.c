/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fiu.fail on real programs in a lab: redis, nginx, PostgreSQL, sqlite3, and etcd, which it cannot
 * reach and says so.
 */
#include "rig.h"

/* Two seconds of lease, and then nobody does anything: redis takes writes again by itself. */
static void test_redis_heals_by_its_lease(void)
{
    CU_ASSERT_TRUE(says("", "redis-cli set a 1", "OK"));
    inject("fiu.fail",
           GIVEN({"service", "redis"}, {"points", "posix.write"}, {"error", "ENOSPC"},
                 {"path", "/var/lib/redis"}),
           3 * NS_PER_SEC);
    (void)shell("", "redis-cli set a 1");
    CU_ASSERT_TRUE(says_within("redis-cli set a 1", "MISCONF", 2000));
    /* Its sockets are written to as before: the filter holds. */
    CU_ASSERT_TRUE(says("", "redis-cli get a", "1"));
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven && e.items[2].value > 0 && e.items[0].value > e.items[1].value);
    CU_ASSERT_TRUE(says_within("redis-cli set a 4", "OK", 6000));
    bool active = true;
    OK(row->verify(&host, &undo, &active, &err));
    CU_ASSERT_FALSE(active);
    CU_ASSERT_NOT_EQUAL(row->renew(&host, &undo, boottime() + NS_PER_SEC, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    revert();
    CU_ASSERT_TRUE(says("", "redis-cli get a", "4"));
}

static void test_renew_keeps_it(void)
{
    inject("fiu.fail",
           GIVEN({"service", "redis"}, {"points", "posix.write"}, {"error", "ENOSPC"},
                 {"path", "/var/lib/redis"}),
           NS_PER_SEC);
    for (int i = 0; i < 5; i++) {
        (void)usleep(400000);
        OK(row->renew(&host, &undo, boottime() + NS_PER_SEC, &err));
    }
    (void)shell("", "redis-cli set b 1");
    CU_ASSERT_TRUE(says_within("redis-cli set b 2", "MISCONF", 900));
    revert();
    CU_ASSERT_TRUE(says_within("redis-cli set b 3", "OK", 3000));
}

/* Master and workers have forked: they spend one budget together. */
static void test_nginx_budget(void)
{
    static const char get[] = "exec 3<>/dev/tcp/127.0.0.1/8080; "
                              "printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -1 <&3";
    char command[256];
    (void)snprintf(command, sizeof(command), "bash -c \"%s\"", get);
    inject("fiu.fail",
           GIVEN({"service", "nginx"}, {"points", "posix.open"}, {"error", "EIO"},
                 {"path", "/srv/www"}, {"first", "2"}),
           20 * NS_PER_SEC);
    CU_ASSERT_TRUE(says("", command, " 500 "));
    CU_ASSERT_TRUE(says("", command, " 500 "));
    CU_ASSERT_TRUE(says("", command, " 200 "));
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_EQUAL(e.items[2].value, 2);
    revert();
}

/* It has a hash_create of its own, and a process for each connection. */
static void test_postgres(void)
{
    static const char insert[] = PG_BIN "psql -h /tmp -c \"insert into t select repeat('x', 1000) "
                                        "from generate_series(1, 20000)\" postgres";
    CU_ASSERT_TRUE(
        says("postgres", PG_BIN "psql -h /tmp -c 'create table t(a text)' postgres", "CREATE"));
    inject("fiu.fail",
           GIVEN({"service", "postgres"}, {"points", "posix.write"}, {"points", "posix.fallocate"},
                 {"error", "ENOSPC"}, {"path", "/var/lib/pg/data/base"}),
           30 * NS_PER_SEC);
    CU_ASSERT_TRUE(says("postgres", insert, "No space left on device"));
    CU_ASSERT_TRUE(says("postgres", PG_BIN "psql -h /tmp -tc 'select 41 + 1' postgres", "42"));
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven);
    revert();
    CU_ASSERT_TRUE(says("postgres", insert, "INSERT 0 20000"));
}

static void test_sqlite(void)
{
    /* Not a service: what the service's environment holds is enough for any program of it. */
    static const char create[] = "LD_PRELOAD=" FIU_LIBRARY_PATH " " FIU_ENV_PAGE "=" FIU_PAGE_DIR
                                 "/redis.page sqlite3 %s 'create table if not exists t(a); "
                                 "insert into t values(1);' && echo done";
    char inside[300], outside[300];
    (void)snprintf(inside, sizeof(inside), create, "/srv/db/a.db");
    (void)snprintf(outside, sizeof(outside), create, "/srv/b.db");
    CU_ASSERT_EQUAL(shell("", "mkdir -p /srv/db"), 0);
    inject("fiu.fail",
           GIVEN({"service", "redis"}, {"points", "posix.write"}, {"error", "ENOSPC"},
                 {"path", "/srv/db"}),
           20 * NS_PER_SEC);
    CU_ASSERT_TRUE(says("", inside, "disk is full"));
    CU_ASSERT_TRUE(says("", outside, "done"));
    CU_ASSERT_TRUE(evidence().proven);
    revert();
    CU_ASSERT_TRUE(says("", inside, "done"));
}

static void test_etcd_is_refused(void)
{
    CU_ASSERT_NOT_EQUAL(
        prepare("fiu.fail",
                GIVEN({"service", "etcd"}, {"points", "posix.fdatasync"}, {"error", "EIO"}),
                NS_PER_SEC),
        0);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "it makes its system calls itself"));
    printf("%s; ", err.msg);
}

/* A point that nothing calls, and a rule that somebody wrote over: neither passes as a fault. */
static void test_unproven(void)
{
    inject("fiu.fail",
           GIVEN({"service", "redis"}, {"points", "posix.fallocate"}, {"error", "ENOSPC"}),
           20 * NS_PER_SEC);
    CU_ASSERT_TRUE(says("", "redis-cli set c 1", "OK"));
    CU_ASSERT_FALSE(evidence().proven);
    CU_ASSERT_EQUAL(shell("", "printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd conv=notrunc of=" FIU_PAGE_DIR
                              "/redis.page 2>/dev/null"),
                    0);
    bool active = true;
    OK(row->verify(&host, &undo, &active, &err));
    CU_ASSERT_FALSE(active);
    revert();
}

static const struct check_test tests[] = {
    {"redis heals by its lease", test_redis_heals_by_its_lease},
    {"renew keeps it", test_renew_keeps_it},
    {"nginx spends a budget", test_nginx_budget},
    {"PostgreSQL", test_postgres},
    {"sqlite3", test_sqlite},
    {"etcd is refused", test_etcd_is_refused},
    {"unproven", test_unproven},
};

int main(void)
{
    return rig_main("fiu.fail on real programs", services, COUNT(services), tests, COUNT(tests));
}
