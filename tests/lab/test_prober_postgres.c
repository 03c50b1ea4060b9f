/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a real PostgreSQL says to a probe, and that a query that hangs delays no slot. */
#include "prober_lab.h"

#include <arpa/inet.h>

#define PG_BIN "/usr/lib/postgresql/15/bin/"

static const char *const on_n1[] = {"n1"};
static const char *const data[] = {"/var/lib/pg"};
static const char *const command[] = {
    "sh", "-c",
    PG_BIN "initdb -N -D /var/lib/pg/data -A trust >/dev/null && "
           "echo host all all 0.0.0.0/0 trust >>/var/lib/pg/data/pg_hba.conf && exec " PG_BIN
           "postgres -D /var/lib/pg/data -k /tmp -c listen_addresses='*' -c max_connections=40 "
           "-c fsync=off"};
static const char *const ready[] = {PG_BIN "pg_isready", "-q", "-h", "/tmp"};
static const struct lab_service_spec service = {.name = "postgres",
                                                .hosts = on_n1,
                                                .n_hosts = 1,
                                                .command = command,
                                                .n_command = COUNT(command),
                                                .user = "postgres",
                                                .data = data,
                                                .n_data = 1,
                                                .ready = READY_EXEC,
                                                .ready_command = ready,
                                                .n_ready_command = COUNT(ready),
                                                .ready_timeout = {60 * NS_PER_SEC},
                                                .stop_signal = SIGINT,
                                                .stop_timeout = {5 * NS_PER_SEC},
                                                .start = true};

static void probe_make(struct scenario_probe *p, const char *query, const char *connection)
{
    rig_probe(p, "postgres", json_pack("{s:s, s:s*}", "query", query, "conninfo", connection));
    p->timeout.ns = 2 * NS_PER_SEC;
    p->expect = (struct probe_expect){.body = NULL};
}

static const struct {
    const char *query, *connection, *body;
    double least; /* and most; 0: no number is asked for */
    enum sample_result result;
} rows[] = {
    {"create table o (a int, b text)", NULL, "^CREATE TABLE$", 0, SAMPLE_GOOD},
    {"insert into o select g, 'x' || g from generate_series(1, 100) g", NULL, "^INSERT 0 100$", 0,
     SAMPLE_GOOD},
    {"select count(*) from o", NULL, NULL, 100, SAMPLE_GOOD},
    {"select count(*) from o", NULL, NULL, 101, SAMPLE_LOW},
    {"select count(*) from o", NULL, NULL, 99, SAMPLE_HIGH},
    {"select a from o where false", NULL, NULL, 1, SAMPLE_NO_NUMBER},
    {"select md5(string_agg(a::text, ',' order by a)) from o", NULL,
     "^04fbdf27d0b87cebbbe8c41c03f8381f$", 0, SAMPLE_GOOD},
    {"select a, null, b from o where a < 3 order by a", NULL, "^1\t\tx1$", 0, SAMPLE_GOOD},
    {"select a, null, b from o where a < 3 order by a", NULL, "^2\t\tx2$", 0, SAMPLE_GOOD},
    {"select a from o where a < 3", NULL, "^3$", 0, SAMPLE_CONTENT},
    {"select * from nothing", NULL, NULL, 0, SAMPLE_QUERY},
    {"select 1; select 2", NULL, NULL, 0, SAMPLE_QUERY},
    {"copy o to stdout", NULL, NULL, 0, SAMPLE_QUERY},
    {"select 1 / (3 - a) from o order by a", NULL, NULL, 0, SAMPLE_QUERY}, /* amid the rows */
    /* what is behind the first 64 KiB is not waited for */
    {"select repeat('x', 1000), generate_series(1, 100000000)", NULL, "^x", 0, SAMPLE_GOOD},
    {"select pg_terminate_backend(pg_backend_pid())", NULL, NULL, 0, SAMPLE_RESET},
    {"select 1", "user=postgres dbname=nothing", NULL, 0, SAMPLE_REFUSED},
    {"select 1", "user=postgres dbname=postgres target_session_attrs=standby", NULL, 0,
     SAMPLE_REFUSED},
    {"select 1", "user=postgres dbname=postgres options='-c statement_timeout=100ms'", NULL, 1,
     SAMPLE_GOOD},
    {"select pg_sleep(5)", "user=postgres dbname=postgres options='-c statement_timeout=100ms'",
     NULL, 0, SAMPLE_QUERY},
};

static enum sample_result asked(const struct scenario_probe *p, const struct prober_endpoint *at)
{
    rig_ask(p, at);
    return (enum sample_result)rig.answer.result;
}

static void test_what_a_result_means(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scenario_probe p;
        probe_make(&p, rows[i].query, rows[i].connection);
        p.expect.body = rows[i].body;
        if (rows[i].least != 0)
            p.expect.number = (struct probe_number){.given = true,
                                                    .has_least = true,
                                                    .has_most = true,
                                                    .at_least = rows[i].least,
                                                    .at_most = rows[i].least};
        enum sample_result result = asked(&p, &prober_lab_n1);
        if (result != rows[i].result) {
            printf("\n  %s: wanted %s, got %s\n", rows[i].query, sample_result_word(rows[i].result),
                   sample_result_word(result));
            CU_FAIL("another result");
        }
        rig_probe_free(&p);
    }
}

static void test_where_nobody_listens(void)
{
    struct scenario_probe p;
    const struct prober_endpoint nowhere = {.name = "n2", .ip = "198.51.100.1"};
    rig_probe(&p, "postgres", json_pack("{s:s, s:i}", "query", "select 1", "port", 5433));
    CU_ASSERT_EQUAL(asked(&p, &prober_lab_n1), SAMPLE_REFUSED);
    CU_ASSERT_EQUAL(asked(&p, &nowhere), SAMPLE_UNREACHABLE);
    rig_probe_free(&p);
}

static size_t counted(uint16_t probe, enum sample_result result)
{
    size_t n = 0;
    for (size_t i = 0; i < rig.n_samples; i++)
        n += rig.samples[i].probe == probe && rig.samples[i].result == result;
    return n;
}

/* A kept connection is one, and old; one that the server ends is made again. */
static void test_a_kept_connection(void)
{
    static const char age[] = "select extract(epoch from clock_timestamp() - backend_start) "
                              "from pg_stat_activity where pid = pg_backend_pid()";
    struct scenario_probe kept, fresh, end;
    probe_make(&kept, age, NULL);
    kept.expect.number = (struct probe_number){.given = true, .has_most = true, .at_most = 0.4};
    probe_make(&fresh, age, NULL);
    fresh.expect = kept.expect;
    kept.fresh = false;
    probe_make(&end,
               "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> "
               "pg_backend_pid() and application_name = 'blackstart-prober'",
               NULL);
    end.expect.number = (struct probe_number){.given = true, .has_least = true, .at_least = 1};
    fresh.every.ns = 100 * NS_PER_MS;
    rig_add(0, &kept, &prober_lab_n1, 1);
    rig_add(1, &fresh, &prober_lab_n1, 1);
    rig_start(0);
    rig_loop_for(1000);
    CU_ASSERT_TRUE(counted(0, SAMPLE_HIGH) > 5);
    CU_ASSERT_EQUAL(counted(1, SAMPLE_HIGH), 0);
    CU_ASSERT_TRUE(counted(1, SAMPLE_GOOD) > 5);
    size_t young = counted(0, SAMPLE_GOOD);
    CU_ASSERT_EQUAL(asked(&end, &prober_lab_n1), SAMPLE_GOOD);
    rig_loop_for(200);
    rig_stop();
    CU_ASSERT_TRUE(counted(0, SAMPLE_GOOD) > young + 2);
    rig_probe_free(&kept);
    rig_probe_free(&fresh);
    rig_probe_free(&end);
}

/* Fifteen queries hang at any time, none of the slots waits for them, and what they held is let go:
 * the server has room again. */
static void test_a_hanging_query_delays_no_slot(void)
{
    struct scenario_probe hangs, quick;
    rig.n_samples = 0;
    probe_make(&hangs, "select pg_sleep(20)",
               "user=postgres dbname=postgres options='-c statement_timeout=600ms'");
    hangs.timeout.ns = 300 * NS_PER_MS;
    hangs.every.ns = 20 * NS_PER_MS;
    probe_make(&quick, "select 1", NULL);
    rig_add(2, &hangs, &prober_lab_n1, 1);
    rig_start(1);
    rig_loop_for(600);
    rig_stop();
    CU_ASSERT_TRUE(counted(2, SAMPLE_TIMEOUT) >= 25);
    CU_ASSERT_EQUAL(counted(2, SAMPLE_GOOD), 0);
    for (size_t i = 0; i < rig.n_samples; i++)
        if (rig.samples[i].probe == 2 && rig.samples[i].result == SAMPLE_TIMEOUT)
            CU_ASSERT_TRUE(rig.samples[i].done_ns - rig.samples[i].sent_ns < 350 * NS_PER_MS);
    rig_loop_for(1000);
    CU_ASSERT_EQUAL(asked(&quick, &prober_lab_n1), SAMPLE_GOOD);
    rig_probe_free(&hangs);
    rig_probe_free(&quick);
}

static void test_up(void)
{
    prober_lab_up(&service, "postgresql-15");
}

static void test_down(void)
{
    prober_lab_down();
}

static const struct check_test tests[] = {
    {"a lab", test_up},
    {"what a result means", test_what_a_result_means},
    {"where nobody listens", test_where_nobody_listens},
    {"a kept connection", test_a_kept_connection},
    {"a hanging query delays no slot", test_a_hanging_query_delays_no_slot},
    {"its end", test_down},
};

CHECK_MAIN("prober's postgres", tests)
