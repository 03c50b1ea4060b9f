/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every shipped scenario passes on its real services, proves its faults and leaves its hosts clean.
 * The short form leaves out those of which another test of the short form shows as much. */
#include "e2e.h"

#include <float.h>

/* The gate shut at the first of three servers, and what it had was taken back. */
static void look_at_waves(const struct e2e *t)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0);
    const json_t *r = json_array_get(json_object_get(trial, "rollouts"), 0);
    const json_t *reached = json_object_get(r, "reached"), *spared = json_object_get(r, "spared");
    const json_t *one = json_array_get(json_object_get(t->result, "injections"), 0);
    CU_ASSERT_STRING_EQUAL(e2e_text(r, "state"), "healed");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(reached, 0)), e2e_text(one, "host"));
    CU_ASSERT_EQUAL(json_array_size(reached), 1);
    CU_ASSERT_EQUAL(json_array_size(spared), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(r, "why"), "checkout was bad"));
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(r, "blast_radius_lower"), 0.5, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(r, "blast_radius_upper"), 0.5, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(r, "reach"), 1 / 3.0, 0.001);
    CU_ASSERT(e2e_number(one, "revert_asked_s") - e2e_number(one, "active_s") >= 3);
}

/* Each phase is on for about two seconds, and begins about one and a half after the one before. */
static void look_at_flap(const struct e2e *t)
{
    const json_t *list = json_object_get(t->result, "injections");
    size_t n = json_array_size(list);
    CU_ASSERT(n >= 8 && n <= 14 && n % 2 == 0); /* both ends of one link */
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        double active = e2e_number(one, "active_s"), asked = e2e_number(one, "revert_asked_s");
        CU_ASSERT_EQUAL((size_t)e2e_number(one, "phase"), i / 2 + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(one);
        CU_ASSERT(asked - active > (i + 2 < n ? 1.7 : 0.8) && asked - active < 3.5);
        if (i >= 2)
            CU_ASSERT(e2e_number(one, "asked_s") -
                          e2e_number(json_array_get(list, i - 2), "reverted_s") >
                      1.3);
    }
}

/* What etcd logged is what was counted: one flush failed, at the host of the fault, and no other
 * call of any member. */
static void look_at_wal(const struct e2e *t)
{
    const json_t *one = json_array_get(json_object_get(t->result, "injections"), 0);
    const json_t *evidence = json_object_get(one, "evidence");
    CU_ASSERT_EQUAL((int)e2e_number(evidence, "hits"), 1);
    CU_ASSERT(e2e_number(evidence, "calls") >= e2e_number(evidence, "seen"));
    for (int i = 1; i <= 3; i++) {
        char host[8], path[32];
        (void)snprintf(host, sizeof(host), "n%d", i);
        (void)snprintf(path, sizeof(path), "logs/%s/etcd.log", host);
        CLEANUP_FREE char *log = e2e_read(t->out, path);
        CU_ASSERT_PTR_NOT_NULL_FATAL(log);
        int errors = 0;
        for (const char *at = log; (at = strstr(at, "input/output error")) != NULL; at++)
            errors++;
        bool hit = strcmp(e2e_text(one, "host"), host) == 0;
        CU_ASSERT_EQUAL(errors, hit ? 1 : 0);
        CU_ASSERT_EQUAL(strstr(log, "failed to save Raft hard state") != NULL, hit);
        CU_ASSERT_EQUAL(strstr(log, "etcd exited with status 1") != NULL, hit);
    }
}

/* What the deployer of this host says that it did. */
static void expect_deployed(const struct e2e *t, const char *host, bool pages)
{
    static const char *const did[] = {"deployed /etc/hosts", "deployed /etc/nginx", "started nginx",
                                      "deployed /srv/www"};
    char path[64];
    (void)snprintf(path, sizeof(path), "logs/%s/deployer.log", host);
    CLEANUP_FREE char *log = e2e_read(t->out, path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    for (size_t i = 0; i < sizeof(did) / sizeof(did[0]); i++) {
        bool wanted = i < 3 || pages;
        const char *at = strstr(log, did[i]);
        CU_ASSERT_EQUAL(at != NULL, wanted);
        /* And never again: it has nothing to do once the originals are back. */
        CU_ASSERT_TRUE(at == NULL || strstr(at + 1, did[i]) == NULL);
    }
}

/* All of it went on all hosts at once, came back by the shop's own automation while the fault was
 * on, and gave way to the originals without customers noticing. */
static void look_at_automation(const struct e2e *t)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0);
    const json_t *shop = json_array_get(json_object_get(trial, "probes"), 0);
    const json_t *outages = json_object_get(shop, "outages");
    double active = 0, heal = DBL_MAX;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const json_t *evidence = json_object_get(one, "evidence");
        bool pages = strcmp(e2e_text(one, "host"), "front") != 0;
        CU_ASSERT_EQUAL((int)e2e_number(evidence, "paths_deleted"), pages ? 2 : 1);
        CU_ASSERT_TRUE(e2e_number(evidence, "hosts_lines_gone") >= 2);
        expect_deployed(t, e2e_text(one, "host"), pages);
        if (e2e_number(one, "active_s") > active)
            active = e2e_number(one, "active_s");
        if (e2e_number(one, "revert_asked_s") < heal)
            heal = e2e_number(one, "revert_asked_s");
    }
    CU_ASSERT_TRUE(json_array_size(outages) >= 1);
    json_array_foreach(outages, i, one)
    {
        CU_ASSERT_TRUE(json_is_true(json_object_get(one, "automatic")));
        CU_ASSERT_TRUE(json_is_true(json_object_get(one, "under_fault")));
        CU_ASSERT(e2e_number(one, "recovery_upper_s") > active);
        CU_ASSERT(e2e_number(one, "recovery_upper_s") < heal);
    }
    CU_ASSERT_TRUE(json_is_true(json_object_get(e2e_target(t, "recovery_time"), "automatic")));
}

static const struct shipped {
    const char *file;
    size_t injections, hosts; /* injections 0: `look` counts them */
    const char *fault;
    void (*look)(const struct e2e *t);
} shipped[] = {
    {"leader-kill", 1, 3, "process.kill", NULL},
    {"leader-pause", 1, 3, "process.pause", NULL},
    {"packet-loss", 3, 3, "network.loss", NULL},
    {"nginx-bad-reload", 1, 1, "config.push", NULL},
    {"nginx-bad-restart", 1, 1, "config.push", NULL},
    {"nginx-errors", 1, 1, "config.push", NULL},
    {"nginx-environment", 1, 1, "environment.delete", NULL},
    {"nginx-rebuild", 1, 1, "environment.delete", NULL},
    {"shop-environment", 3, 3, "environment.delete", look_at_automation},
    {"redis-disk-full", 1, 1, "fiu.fail", NULL},
    {"etcd-wal-fails", 1, 3, "fiu.fail", look_at_wal},
    {"own-program", 1, 2, "process.kill", NULL},
    {"config-waves", 1, 4, "config.push", look_at_waves},
    {"network-flap", 0, 3, "network.partition", look_at_flap},
};
/* In the full form only; behind each what the short form shows of it. */
static const char *const full_only[] = {
    "packet-loss",      /* contract/test_contract: the fault; leader-pause: the cluster's targets */
    "nginx-bad-reload", /* test_claims runs it */
    "nginx-bad-restart", /* nginx-errors: the fault; nginx-environment: the service's restart */
    "redis-disk-full",   /* test_claims runs it */
};
enum { N_SHIPPED = sizeof(shipped) / sizeof(shipped[0]), LIMIT_S = 150 };

static void expect_proven(const struct e2e *t, const struct shipped *s)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    size_t i;
    CU_ASSERT(s->injections == 0 || json_array_size(list) == s->injections);
    json_array_foreach(list, i, one)
    {
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "fault"), s->fault);
        CU_ASSERT_TRUE(json_is_true(json_object_get(one, "proven")));
        CU_ASSERT(e2e_number(one, "reverted_s") > e2e_number(one, "active_s"));
    }
}

static void start(struct e2e *t, const struct shipped *s)
{
    char file[80];
    e2e_begin(t);
    (void)snprintf(file, sizeof(file), "scenarios/%s.yaml", s->file);
    e2e_start(t, (const char *const[]){"run", "--out", t->out, file, NULL});
}

static void finish(struct e2e *t, const struct shipped *s)
{
    (void)e2e_wait(t, LIMIT_S);
    if (t->status != 0)
        fprintf(stderr, "%s:\n", s->file);
    e2e_expect_verdict(t, 0, "pass");
    expect_proven(t, s);
    if (s->look != NULL)
        s->look(t);
    e2e_expect_clean(t, s->hosts);
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

static bool is_chosen(const struct shipped *s)
{
    const char *form = getenv("BLACKSTART_FULL");
    bool chosen = true;
    if (form == NULL || strcmp(form, "no") != 0)
        return true;
    for (size_t i = 0; i < sizeof(full_only) / sizeof(full_only[0]); i++)
        chosen = chosen && strcmp(full_only[i], s->file) != 0;
    return chosen;
}

static size_t choose(const struct shipped **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < N_SHIPPED; i++)
        if (is_chosen(&shipped[i]))
            ret[n++] = &shipped[i];
    return n;
}

/* Two at a time: labs do not meet each other. */
static void test_shipped(void)
{
    const struct shipped *chosen[N_SHIPPED];
    size_t n = choose(chosen);
    for (size_t i = 0; i < n; i += 2) {
        struct e2e a, b;
        bool two = i + 1 < n;
        start(&a, chosen[i]);
        if (two)
            start(&b, chosen[i + 1]);
        finish(&a, chosen[i]);
        if (two)
            finish(&b, chosen[i + 1]);
    }
    printf("note: %zu of %d shipped scenarios\n", n, N_SHIPPED);
}

/* No shipped scenario is left out above, but those that have a test of their own. */
static void test_none_is_forgotten(void)
{
    CLEANUP_DIR DIR *dir = opendir(SOURCE_DIR "/scenarios");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t len = strlen(e->d_name);
        bool found = len < 5 || strcmp(e->d_name + len - 5, ".yaml") != 0 ||
                     strcmp(e->d_name, "quickstart.yaml") == 0 ||
                     strcmp(e->d_name, "redis-sentinel.yaml") == 0; /* test_targets */
        for (size_t i = 0; i < N_SHIPPED; i++)
            found = found || (strlen(shipped[i].file) == len - 5 &&
                              strncmp(e->d_name, shipped[i].file, len - 5) == 0);
        if (!found)
            fprintf(stderr, "scenarios/%s has no line in this test\n", e->d_name);
        CU_ASSERT_TRUE(found);
    }
}

static const struct check_test tests[] = {
    {"none is forgotten", test_none_is_forgotten},
    {"shipped scenarios", test_shipped},
};

CHECK_MAIN("scenarios", tests)
