/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that come and go: which one holds, what is told of each, and that the load's own is back
 * at the end. The service answers at once; the loop turns for some milliseconds. */
#include "base/clock.h"
#include "check.h"
#include "load/changes.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

struct user {
    struct load_place *place;
    size_t number;
};
static struct user users[LOAD_USERS_MAX];

static int open_user(struct load_place *p, size_t user, void **ret, struct err *err)
{
    (void)err;
    users[user] = (struct user){p, user};
    *ret = &users[user];
    return 0;
}

static void close_user(void *client)
{
    (void)client;
}

static void send_at_once(void *client, uint64_t id, size_t host)
{
    const struct user *u = client;
    (void)id;
    (void)host;
    u->place->answered(u->place->ctx, u->number, LOAD_OK);
}

static const struct load_ops ops = {
    .open = open_user, .close = close_user, .send = send_at_once, .cancel = close_user};
static const struct load_kind kind = {.name = "at once", .ops = &ops};
static const struct named_host host = {.name = "n1", .ip = "10.0.0.1"};

static uint64_t told; /* operations in the records of seconds */

static void on_second(void *ctx, int64_t from_ns, int64_t to_ns, const struct load_tally *t)
{
    (void)ctx;
    CU_ASSERT_TRUE(to_ns > from_ns);
    told += t->begun;
}

static struct load_shape shape_of(int64_t n)
{
    return (struct load_shape){.users = n,
                               .rate = 1,
                               .in_flight = 1,
                               .think = {2 * NS_PER_MS},
                               .timeout = {NS_PER_SEC},
                               .retry = {.factor = 1, .on = LOAD_ON_DEFAULT}};
}

static struct event_base *base;

static void turn_for(int ms)
{
    struct timeval tv = {.tv_usec = ms * 1000};
    (void)event_base_loopexit(base, &tv);
    (void)event_base_dispatch(base);
}

static void expect_reading(json_t *r, bool proven, const char *what)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    const char *said = json_string_value(json_object_get(r, "what"));
    CU_ASSERT_EQUAL(json_is_true(json_object_get(r, "proven")), proven);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    if (strncmp(said, what, strlen(what)) != 0)
        printf("\n  it is: %s", said);
    CU_ASSERT_EQUAL(strncmp(said, what, strlen(what)), 0);
    json_decref(r);
}

static void expect_users(struct changes *c, int64_t n)
{
    CU_ASSERT_EQUAL(model_shape(runner_model(c->runner))->users, n);
}

static void apply(struct changes *c, const char *id, int64_t n)
{
    struct err err = {.msg = ""};
    const struct load_shape s = shape_of(n);
    CU_ASSERT_EQUAL_FATAL(changes_prepare(c, id, &s, &err), 0);
    json_t *answer = changes_apply(c, id, &err);
    CU_ASSERT_TRUE(json_is_true(json_object_get(answer, "active")));
    json_decref(answer);
    expect_users(c, n);
}

static void two(struct changes *c)
{
    struct err err;
    apply(c, "i1", 8);
    expect_reading(changes_evidence(c, "i1", &err), false, "0 of 8 users began 0 operations");
    turn_for(15);
    apply(c, "i2", 20);
    turn_for(15);
    expect_reading(changes_evidence(c, "i2", &err), true, "20 of 20 users ");
    json_t *answer = changes_revert(c, "i2", &err);
    expect_reading(json_incref(json_object_get(answer, "evidence")), true, "20 of 20 users ");
    json_decref(answer);
    expect_users(c, 8);
    /* What it is told of is its own time alone, not what came after another took its place. */
    expect_reading(changes_evidence(c, "i1", &err), true, "8 of 8 users ");
    answer = changes_revert(c, "i1", &err);
    expect_reading(json_incref(json_object_get(answer, "evidence")), true, "8 of 8 users ");
    json_decref(answer);
    expect_users(c, 3);
    CU_ASSERT_PTR_NULL(changes_evidence(c, "i1", &err));
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
}

static void test_changes(void)
{
    struct err err;
    struct changes c = {.own = shape_of(3)};
    const struct runner_spec spec = {.kind = &kind,
                                     .hosts = &host,
                                     .n_hosts = 1,
                                     .shape = c.own,
                                     .seed = 1,
                                     .second = on_second};
    base = event_base_new();
    CU_ASSERT_EQUAL_FATAL(runner_new(base, &spec, &c.runner, &err), 0);
    runner_start(c.runner);
    turn_for(10);
    two(&c);
    apply(&c, "i3", 5);
    runner_stop(c.runner);
    changes_drop(&c);
    expect_users(&c, 3);
    CU_ASSERT_TRUE(runner_total(c.runner)->begun > 20);
    CU_ASSERT_EQUAL(runner_total(c.runner)->begun, told); /* each in one record */
    CU_ASSERT_EQUAL(runner_total(c.runner)->ok, told);
    runner_free(c.runner);
    event_base_free(base);
}

/* The lab goes on from trial to trial, what was counted does not. */
static void test_a_second_trial(void)
{
    struct err err;
    const struct runner_spec spec = {.kind = &kind,
                                     .hosts = &host,
                                     .n_hosts = 1,
                                     .shape = shape_of(3),
                                     .seed = 1,
                                     .second = on_second};
    struct runner *r = NULL;
    base = event_base_new();
    CU_ASSERT_EQUAL_FATAL(runner_new(base, &spec, &r, &err), 0);
    runner_start(r);
    turn_for(20);
    runner_stop(r);
    uint64_t first = runner_total(r)->begun;
    turn_for(5);
    CU_ASSERT_TRUE(first > 0);
    CU_ASSERT_EQUAL(runner_total(r)->begun, first); /* can be asked for until the next begins */
    told = 0;
    runner_start(r);
    turn_for(10);
    runner_stop(r);
    CU_ASSERT_TRUE(told > 0);
    CU_ASSERT_EQUAL(runner_total(r)->begun, told);
    CU_ASSERT_EQUAL(runner_total(r)->ok, told);
    CU_ASSERT_EQUAL(runner_total(r)->latency.n, told);
    runner_free(r);
    event_base_free(base);
}

static const struct check_test tests[] = {
    {"changes that come and go", test_changes},
    {"a second trial", test_a_second_trial},
};

CHECK_MAIN("load/changes", tests)
