/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What single scenarios claim beyond their verdict: that a server which stops serving fails the run
 * that says it must not, that a fault stays below its directory, that a program out of a fault's
 * reach is refused, and that clients say what is wrong with a certificate.
 */
#include "shipped.h"

/* The same scenario with a restart: nginx does not keep serving, and the verdict says so. */
static void test_nginx_must_keep_serving(void)
{
    struct e2e t;
    const struct shipped s = {.file = "nginx-bad-reload",
                              .fault = "config.push",
                              .hosts = 1,
                              .injections = 1,
                              .set = "apply=restart",
                              .status = 1,
                              .verdict = "fail"};
    shipped_run(&t, &s);
    const json_t *target = e2e_target(&t, "availability");
    CU_ASSERT_STRING_EQUAL(e2e_text(target, "verdict"), "fail");
    e2e_end(&t);
}

/* Below its directory only: of all its writes, those to its sockets were let through. */
static void test_redis_disk_full(void)
{
    struct e2e t;
    const struct shipped s = {.file = "redis-disk-full",
                              .fault = "fiu.fail",
                              .evidence = "hits",
                              .hosts = 1,
                              .injections = 1,
                              .verdict = "pass"};
    shipped_run(&t, &s);
    const json_t *one = json_array_get(json_object_get(t.result, "injections"), 0);
    const json_t *evidence = json_object_get(one, "evidence");
    CU_ASSERT(e2e_number(evidence, "calls") > e2e_number(evidence, "seen"));
    CU_ASSERT(e2e_number(evidence, "seen") == e2e_number(evidence, "hits"));
    printf("figure: redis-disk-full: %.0f writes, %.0f below its directory, all of these failed\n",
           e2e_number(evidence, "calls"), e2e_number(evidence, "seen"));
    e2e_end(&t);
}

/* Go makes its system calls itself: refused before anything is measured, with the reason. */
static void test_etcd_is_out_of_reach(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/etcd_fiu.yaml", NULL});
    (void)e2e_wait(&t, SHIPPED_LIMIT_S);
    e2e_expect_verdict(&t, 3, "invalid");
    CLEANUP_FREE char *report = e2e_read(t.out, "report.txt");
    CU_ASSERT_TRUE(report != NULL && strstr(report, "it makes its system calls itself") != NULL);
    e2e_end_clean(&t, 1);
}

/* The same certificate, spoiled in each way: all that clients get is their own word for it. */
static void test_certificates(void)
{
    static const struct {
        const char *set, *word;
    } ways[] = {{"how=expired", "certificate expired"},
                {"how=not_yet_valid", "certificate not yet valid"},
                {"how=wrong_name", "certificate for another name"}};
    enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };
    struct e2e runs[N_WAYS];
    const struct shipped s = {.file = "faults/certificate-expire",
                              .fault = "certificate.expire",
                              .evidence = "file_is_ours",
                              .hosts = 1,
                              .injections = 1,
                              .verdict = "pass"};
    for (size_t i = 0; i < N_WAYS; i++)
        shipped_start(&runs[i], &s, ways[i].set);
    for (size_t i = 0; i < N_WAYS; i++) {
        shipped_finish(&runs[i], &s);
        const json_t *trial = json_array_get(json_object_get(runs[i].result, "trials"), 0);
        const json_t *probe = json_array_get(json_object_get(trial, "probes"), 0);
        const json_t *outages = json_object_get(probe, "outages"), *one;
        size_t k;
        CU_ASSERT_TRUE(json_array_size(outages) >= 1);
        json_array_foreach(outages, k, one)
        {
            CU_ASSERT_STRING_EQUAL(e2e_text(one, "seen_as"), ways[i].word);
            CU_ASSERT_TRUE(json_is_true(json_object_get(one, "recovered")));
        }
        e2e_end(&runs[i]);
    }
}

static const struct check_test tests[] = {
    {"what is wrong with a certificate", test_certificates},
    {"nginx must keep serving", test_nginx_must_keep_serving},
    {"redis fails below its directory only", test_redis_disk_full},
    {"etcd is out of reach of fiu.fail", test_etcd_is_out_of_reach},
};
CHECK_MAIN("claims of scenarios", tests)
