/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What real programs make of it, and that our counters agree with their own words: PostgreSQL's WAL
 * alone is full, redis' flushes are slow, nginx loses a third of its connects upstream, and clocks
 * are wrong.
 */
#include "rig.h"

/* How many lines of a service's log have this in them. */
static unsigned logged(const char *service, const char *words)
{
    char path[160], line[1024];
    unsigned n = 0;
    (void)snprintf(path, sizeof(path), "%s/hosts/n1/logs/%s.log", state_dir, service);
    CLEANUP_FILE FILE *f = fopen(path, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while (fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, words) != NULL;
    return n;
}

static uint64_t item(const struct evidence *e, const char *name)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (strcmp(e->items[i].name, name) == 0)
            return e->items[i].value;
    CU_FAIL(name);
    return 0;
}

/* The number that a command prints last. */
static double number(const char *user, const char *command)
{
    (void)shell(user, command);
    const char *last = reply.data;
    for (const char *at = reply.data; *at != '\0'; at += strspn(at, " \n")) {
        last = at;
        at += strcspn(at, " \n");
    }
    return strtod(last, NULL);
}

#define PSQL PG_BIN "psql -h /tmp -qtc "

/* One write of the WAL fails: the server panics, as it must, recovers, and has lost nothing. */
static void test_postgres_wal(void)
{
    static const char insert[] = PSQL "'insert into w select generate_series(1, 1000)' postgres";
    static const char count[] = PSQL "'select count(*) from w' postgres";
    CU_ASSERT_EQUAL(shell("postgres", PSQL "'create table w(a int)' postgres"), 0);
    CU_ASSERT_EQUAL(shell("postgres", insert), 0);
    unsigned before = logged("postgres", "No space left on device");
    INJECT("fiu.fail", {"service", "postgres"}, {"points", "posix.write"}, {"error", "ENOSPC"},
           {"path", "/var/lib/pg/data/pg_wal"}, {"once", "true"});
    /* Its other files can be written; only then does it come to the WAL. */
    CU_ASSERT_EQUAL(shell("postgres", PSQL "\"copy (select 1) to '/tmp/beside'\" postgres"), 0);
    CU_ASSERT_EQUAL(evidence().proven, false);
    CU_ASSERT_NOT_EQUAL(shell("postgres", insert), 0);
    struct evidence e = evidence();
    CU_ASSERT_EQUAL(item(&e, "hits"), 1);
    CU_ASSERT_TRUE(item(&e, "calls") > item(&e, "seen"));
    revert();
    double rows = 0;
    for (int i = 0; i < 100 && (rows = number("postgres", count)) <= 0; i++)
        (void)usleep(100000);
    CU_ASSERT_EQUAL((int)rows, 1000);
    CU_ASSERT_EQUAL(logged("postgres", "No space left on device") - before, item(&e, "hits"));
    CU_ASSERT_EQUAL(logged("postgres", "PANIC:  could not write to"), 1);
    CU_ASSERT_EQUAL(shell("postgres", insert), 0);
}

static double set_p50_ms(void)
{
    return number("", "redis-benchmark -c 1 -n 41 -t set --csv | tail -1 | cut -d'\"' -f10");
}

static void test_redis_flushes_slowly(void)
{
    CU_ASSERT_TRUE(says("", "redis-cli config set appendfsync always", "OK"));
    CU_ASSERT_TRUE(says("", "redis-cli config set latency-monitor-threshold 50", "OK"));
    double before = set_p50_ms();
    INJECT("fiu.delay", {"service", "redis"}, {"points", "posix.fsync"},
           {"points", "posix.fdatasync"}, {"path", "/var/lib/redis"}, {"delay", "50ms"});
    CU_ASSERT_TRUE(says("", "redis-cli latency reset aof-fsync-always", ""));
    double during = set_p50_ms();
    double worst = number("", "redis-cli latency latest | grep -A3 aof-fsync-always");
    double seconds = number("", "redis-cli latency history aof-fsync-always | wc -l") / 2;
    struct evidence e = evidence();
    revert();
    double after = set_p50_ms();
    printf("figure: a set with a flush takes %.3f ms (median), with fsync +50 ms %.3f ms, then "
           "%.3f ms; ",
           before, during, after);
    CU_ASSERT_TRUE(during >= 50 && before < 50 && after < 50);
    /* One flush for each set, and all of them waited as long as they were told. */
    CU_ASSERT_EQUAL(item(&e, "hits"), 41);
    CU_ASSERT_EQUAL(item(&e, "seen"), 41);
    /* Its own word: a slow flush in each second, none of which is told that took less. */
    printf("redis: the slowest flush took %.0f ms, slow ones in %.0f seconds; ", worst, seconds);
    CU_ASSERT_TRUE(worst >= 50 && seconds >= 2);
    CU_ASSERT_TRUE(item(&e, "added_us") >= 41 * UINT64_C(50000));
    CU_ASSERT_TRUE(says("", "redis-cli config set appendfsync everysec", "OK"));
}

/* Two of three requests are served; each that is not is one connect that we let fail. */
static void test_nginx_upstream(void)
{
    static const char ask[] =
        "bash -c 'for i in $(seq 120); do exec 3<>/dev/tcp/127.0.0.1/8080; "
        "printf \"GET /up/ HTTP/1.0\\r\\n\\r\\n\" >&3; head -1 <&3; done' | grep -c \" 502 \"";
    CU_ASSERT_EQUAL((int)number("", ask), 0);
    INJECT("fiu.fail", {"service", "nginx"}, {"points", "posix.connect"}, {"ports", "8081"},
           {"error", "ECONNREFUSED"}, {"probability", "33.3%"});
    unsigned refused = (unsigned)number("", ask);
    struct evidence e = evidence();
    revert();
    CU_ASSERT_EQUAL(item(&e, "seen"), 120);
    CU_ASSERT_EQUAL(item(&e, "hits"), refused);
    CU_ASSERT_EQUAL(logged("nginx", "(111: Connection refused) while connecting to upstream"),
                    refused);
    CU_ASSERT_TRUE(refused > 24 && refused < 56);
    CU_ASSERT_EQUAL((int)number("", ask), 0);
}

/* Of another port nothing is lost. */
static void test_nginx_other_port(void)
{
    INJECT("fiu.fail", {"service", "nginx"}, {"points", "posix.connect"}, {"ports", "8082-8090"},
           {"error", "ECONNREFUSED"});
    CU_ASSERT_TRUE(says("",
                        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; "
                        "printf \"GET /up/ HTTP/1.0\\r\\n\\r\\n\" >&3; head -1 <&3'",
                        " 200 "));
    struct evidence e = evidence();
    CU_ASSERT_EQUAL(item(&e, "calls"), 1);
    CU_ASSERT_EQUAL(item(&e, "seen"), 0);
    CU_ASSERT_FALSE(e.proven);
    revert();
}

static void test_clocks(void)
{
    static const char pg_ahead[] =
        PSQL "\"select round(extract(epoch from clock_timestamp()) - $(date +%s))\" postgres";
    static const char redis_ahead[] = "echo $(($(redis-cli time | head -1) - $(date +%s)))";
    INJECT("clock.skew", {"service", "postgres"}, {"by", "1h"}, {"direction", "backward"});
    double ahead = number("postgres", pg_ahead);
    CU_ASSERT_TRUE(ahead >= -3600 && ahead <= -3590);
    ahead = number("", redis_ahead);
    CU_ASSERT_TRUE(ahead >= 0 && ahead < 10);
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_EQUAL(item(&e, "shift_us"), UINT64_C(3600000000));
    revert();
    ahead = number("postgres", pg_ahead);
    CU_ASSERT_TRUE(ahead >= 0 && ahead <= 10);
    INJECT("clock.drift", {"service", "redis"}, {"rate", "100%"}, {"direction", "fast"});
    (void)usleep(1200000);
    CU_ASSERT_TRUE(number("", redis_ahead) >= 1);
    e = evidence();
    CU_ASSERT_TRUE(item(&e, "shift_us") > 1000000);
    revert();
    CU_ASSERT_NOT_EQUAL(prepare("clock.skew", GIVEN({"by", "1h"}), NS_PER_SEC), 0);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "shared by all hosts"));
}

static const struct check_test tests[] = {
    {"PostgreSQL's WAL alone", test_postgres_wal},
    {"redis flushes slowly", test_redis_flushes_slowly},
    {"nginx loses a third upstream", test_nginx_upstream},
    {"nginx and another port", test_nginx_other_port},
    {"clocks", test_clocks},
};

int main(void)
{
    return rig_main("fiu on real programs", services, COUNT(services) - 1, tests, COUNT(tests));
}
