/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a real name server (dnsmasq) says to a probe. */
#include "prober_lab.h"

#define LONG50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG   LONG50 LONG50 LONG50 LONG50

static const char *const on_n1[] = {"n1"};
static const char *const command[] = {"dnsmasq",
                                      "--no-daemon",
                                      "--no-resolv",
                                      "--no-hosts",
                                      "--local=/test/",
                                      "--local-ttl=77",
                                      "--host-record=www.test,192.0.2.1,2001:db8::1",
                                      "--host-record=two.test,192.0.2.2",
                                      "--host-record=two.test,192.0.2.3",
                                      "--cname=alias.test,www.test",
                                      "--srv-host=_sip._tcp.test,www.test,5060",
                                      "--txt-record=text.test,version 42",
                                      "--txt-record=long.test," LONG "," LONG "," LONG "," LONG};
static const struct lab_service_spec service = {.name = "dnsmasq",
                                                .hosts = on_n1,
                                                .n_hosts = 1,
                                                .command = command,
                                                .n_command = COUNT(command),
                                                .ready = READY_TCP,
                                                .ready_what = "${host}:53",
                                                .ready_timeout = {30 * NS_PER_SEC},
                                                .stop_signal = SIGTERM,
                                                .stop_timeout = {5 * NS_PER_SEC},
                                                .start = true};

static const struct {
    const char *name, *type, *protocol;
    int port;
    struct probe_expect expect;
    enum sample_result result;
    int rcode;
} rows[] = {
    {"www.test", "A", NULL, 53, {.address = "192.0.2.1"}, SAMPLE_GOOD, 0},
    {"WWW.test.", "A", "tcp", 53, {.address = "192.0.2.1"}, SAMPLE_GOOD, 0},
    {"www.test", "A", NULL, 53, {.address = "192.0.2.2"}, SAMPLE_CONTENT, 0},
    {"www.test", "A", NULL, 53, {.address = "192.0.2.11"}, SAMPLE_CONTENT, 0},
    {"www.test", "AAAA", NULL, 53, {.address = "2001:db8::1"}, SAMPLE_GOOD, 0},
    {"www.test", "AAAA", NULL, 53, {.address = "192.0.2.1"}, SAMPLE_CONTENT, 0},
    {"www.test", "A", NULL, 53, {.body = "^www\\.test 77 A 192\\.0\\.2\\.1$"}, SAMPLE_GOOD, 0},
    {"two.test", "A", NULL, 53, {.address = "192.0.2.2"}, SAMPLE_GOOD, 0},
    {"two.test", "A", NULL, 53, {.address = "192.0.2.3"}, SAMPLE_GOOD, 0},
    {"alias.test", "A", NULL, 53, {.body = "^alias\\.test 77 CNAME www\\.test$"}, SAMPLE_GOOD, 0},
    {"alias.test", "A", NULL, 53, {.address = "192.0.2.1"}, SAMPLE_GOOD, 0},
    {"_sip._tcp.test", "SRV", NULL, 53, {.body = "SRV 0 0 5060 www\\.test$"}, SAMPLE_GOOD, 0},
    {"text.test", "TXT", NULL, 53, {.body = "TXT \"version 42\"$"}, SAMPLE_GOOD, 0},
    {"text.test",
     "TXT",
     NULL,
     53,
     {.number = {.given = true, .match = "version ([0-9]+)", .has_least = true, .at_least = 43}},
     SAMPLE_LOW,
     0},
    /* longer than a datagram may be: asked again by TCP */
    {"long.test", "TXT", NULL, 53, {.body = LONG50 "\"$"}, SAMPLE_GOOD, 0},
    {"none.test", "A", NULL, 53, {.body = NULL}, SAMPLE_STATUS, 3},
    {"none.test", "A", NULL, 53, {.status_lo = 3, .status_hi = 3}, SAMPLE_GOOD, 3},
    {"www.test", "A", NULL, 53, {.status_lo = 3, .status_hi = 3}, SAMPLE_STATUS, 0},
    {"www.example.org", "A", NULL, 53, {.body = NULL}, SAMPLE_STATUS, 5},
    {"www.test", "A", NULL, 5353, {.body = NULL}, SAMPLE_REFUSED, 0},
    {"www.test", "A", "tcp", 5353, {.body = NULL}, SAMPLE_REFUSED, 0},
};

static void test_what_an_answer_means(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scenario_probe p;
        rig_probe(&p, "dns",
                  json_pack("{s:s, s:s, s:i, s:s*}", "name", rows[i].name, "type", rows[i].type,
                            "port", rows[i].port, "protocol", rows[i].protocol));
        p.expect = rows[i].expect;
        rig_ask(&p, &prober_lab_n1);
        if (rig.answer.result != rows[i].result || rig.answer.status != rows[i].rcode) {
            printf("\n  row %zu, %s %s: wanted %s, got %s %d\n", i, rows[i].name, rows[i].type,
                   sample_result_word(rows[i].result), sample_result_word(rig.answer.result),
                   rig.answer.status);
            CU_FAIL("another result");
        }
        rig_probe_free(&p);
    }
}

/* Nobody has this address: questions go nowhere, and each slot goes out all the same. */
static void test_no_answer(void)
{
    struct scenario_probe p;
    struct prober_endpoint nobody = prober_lab_n1;
    char *last = strrchr(nobody.ip, '.');
    (void)snprintf(last, 5, ".199");
    rig_probe(&p, "dns", json_pack("{s:s}", "name", "www.test"));
    p.expect = (struct probe_expect){.body = NULL};
    p.timeout.ns = 300 * NS_PER_MS;
    rig_add(0, &p, &nobody, 1);
    rig_start(0);
    rig_loop_for(600);
    rig_stop();
    CU_ASSERT_TRUE(rig.n_samples >= 25);
    for (size_t i = 0; i < rig.n_samples; i++)
        CU_ASSERT_TRUE(rig.samples[i].result == SAMPLE_TIMEOUT ||
                       rig.samples[i].result == SAMPLE_GAP);
    rig_probe_free(&p);
}

static void test_up(void)
{
    prober_lab_up(&service, "dnsmasq-base");
}

static void test_down(void)
{
    prober_lab_down();
}

static const struct check_test tests[] = {
    {"a lab", test_up},
    {"what an answer means", test_what_an_answer_means},
    {"no answer", test_no_answer},
    {"its end", test_down},
};

CHECK_MAIN("prober's dns", tests)
