/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every row over the wire, through the real agent's three processes. CONTRACT_FAULT and SHARE as in
 * test_contract.c. CONTRACT_MISSING=name: this kernel lacks what that row needs, and it says so. */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "contract/contract.h"
#include "contract/host.h"
#include "contract/injection.h"
#include "contract/link.h"
#include "patience.h"
#include "share.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#define AGENT BINARY_DIR "/blackstart-agent"

static struct lab *lab;
static struct err err;
static struct contract view; /* of n1, for its files */

static bool is_missing(const char *name)
{
    const char *missing = getenv("CONTRACT_MISSING");
    return missing != NULL && strcmp(missing, name) == 0;
}

static bool is_asked(size_t i)
{
    return !is_missing(fault_catalogue.faults[i]->name) &&
           share_has_name(i, fault_catalogue.faults[i]->name, getenv("CONTRACT_FAULT"));
}

static json_t *call(struct link *link, const char *method, json_t *params)
{
    json_t *result = link_call(link, method, params, &err);
    if (result == NULL)
        (void)printf("\n    %s: %s\n", method, err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    return result;
}

static json_t *of(const char *injection)
{
    return json_pack("{s:s}", "injection", injection);
}

static json_t *greet(struct link *link)
{
    json_t *hello = NULL;
    if (link_open(lab, "n1", AGENT, host_agent_state(), link, &err) == 0)
        hello = link_hello(link, "n1", &err);
    if (hello == NULL)
        (void)printf("\n    %s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(hello);
    return hello;
}

static json_t *example(const struct fault *row)
{
    json_t *object = example_json(row, &view.peers, &err);
    if (object == NULL) {
        (void)printf("\n    %s\n", err.msg);
        CU_FAIL_FATAL("the example");
    }
    return object;
}

static void put_on(struct link *link, const struct fault *row, const char *injection)
{
    json_decref(call(link, "prepare",
                     json_pack("{s:s,s:s,s:o,s:i,s:i}", "injection", injection, "fault", row->name,
                               "args", example(row), "lease_ms", (int)patience(10000), "for_ms",
                               (int)patience(60000))));
    json_t *applied = call(link, "apply", of(injection));
    CU_ASSERT_TRUE(json_is_true(json_object_get(applied, "active")));
    json_decref(applied);
}

static bool becomes_proven(struct link *link, const char *injection)
{
    bool proven = false;
    for (int tries = 0; tries < patience(40) && !proven; tries++) {
        injection_rest(50);
        json_t *evidence = call(link, "evidence", of(injection));
        proven = json_is_true(json_object_get(evidence, "proven"));
        if (!proven && tries + 1 == patience(40))
            (void)printf("\n    not proven: %s",
                         json_string_value(json_object_get(evidence, "what")));
        json_decref(evidence);
    }
    return proven;
}

static bool is_active(struct link *link, const char *injection)
{
    json_t *answer = call(link, "verify", of(injection));
    bool active = json_is_true(json_object_get(answer, "active"));
    json_decref(answer);
    return active;
}

static bool is_clean(struct link *link, bool say)
{
    json_t *answer = call(link, "clean", json_object());
    bool clean = json_is_true(json_object_get(answer, "clean"));
    if (!clean && say) {
        char *text = json_dumps(answer, JSON_INDENT(1));
        (void)printf("\n    %s\n", text);
        free(text);
    }
    json_decref(answer);
    return clean;
}

/* Files as before; a service that is just coming up writes only where it keeps its data. */
static bool files_are(const struct buf *before)
{
    CLEANUP_BUF struct buf now = BUF_INIT(64 * 1024 * 1024);
    look_files(&view, &now);
    return strcmp(buf_text(before), buf_text(&now)) == 0;
}

/* A guardian that is still at work has a few seconds. */
static bool files_are_soon(const struct buf *before)
{
    for (int tries = 0; tries < patience(100); tries++) {
        if (files_are(before))
            return true;
        injection_rest(50);
    }
    return false;
}

static void check_row(struct link *link, const struct fault *row, const char *injection)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    look_files(&view, &before);
    put_on(link, row, injection);
    CU_ASSERT_TRUE(is_active(link, injection));
    CU_ASSERT_TRUE(becomes_proven(link, injection));
    json_t *renewed = call(link, "renew", json_pack("{s:i}", "lease_ms", (int)patience(10000)));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(renewed, "lapsed")), 0);
    json_decref(renewed);
    json_t *reverted = call(link, "revert", of(injection));
    CU_ASSERT_FALSE(json_is_true(json_object_get(reverted, "foreign")));
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(reverted, "ended_by")),
                           row->lifetime == LIFETIME_INSTANT ? "instant" : "command");
    (void)printf("\n    %s: %s", row->name, json_string_value(json_object_get(reverted, "what")));
    json_decref(reverted);
    CU_ASSERT_FALSE(is_active(link, injection));
    CU_ASSERT_TRUE(is_clean(link, true));
    CU_ASSERT_TRUE(files_are(&before));
}

static void check_missing(const json_t *faults)
{
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const json_t *its = json_object_get(faults, fault_catalogue.faults[i]->name);
        const char *why = json_string_value(json_object_get(its, "why"));
        if (!is_missing(fault_catalogue.faults[i]->name))
            continue;
        (void)printf("\n    note: %s: %s", fault_catalogue.faults[i]->name, why != NULL ? why : "");
        CU_ASSERT_TRUE(json_is_false(json_object_get(its, "supported")));
        CU_ASSERT_TRUE(why != NULL && why[0] != '\0');
    }
}

static void test_every_row(void)
{
    struct link link = {.run = ""};
    char injection[32];
    json_t *hello = greet(&link);
    check_missing(json_object_get(hello, "faults"));
    json_decref(hello);
    json_decref(call(&link, "baseline", json_object()));
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        if (!is_asked(i))
            continue;
        (void)snprintf(injection, sizeof(injection), "w%zu", i);
        check_row(&link, fault_catalogue.faults[i], injection);
    }
    link_close(&link);
    (void)printf("\n    ");
}

/* A link of ours in n1, whose network its init shows. */
static bool has_sink(void)
{
    CLEANUP_BUF struct buf text = BUF_INIT(64 * 1024);
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)lab_find(lab, "n1")->init_pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(buf_read_fd(&text, fd, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&text), "lo:"));
    for (const char *at = buf_text(&text); (at = strchr(at, '\n')) != NULL;) {
        at += 1 + strspn(at + 1, " ");
        if (strncmp(at, "bs", 2) == 0 && strcspn(at, ":") == 14)
            return true;
    }
    return false;
}

/* The table goes with privside's socket; the link is the guardian's, and no new agent is needed. */
static void test_guardian_removes_the_link(void)
{
    struct link link = {.run = ""};
    json_t *hello = greet(&link);
    json_t *pids = json_object_get(hello, "pids");
    pid_t privside = (pid_t)json_integer_value(json_object_get(pids, "privside"));
    CU_ASSERT_FALSE(has_sink());
    put_on(&link, catalogue_find(&fault_catalogue, "network.partition"), "g1");
    CU_ASSERT_TRUE(has_sink());
    CU_ASSERT_TRUE_FATAL(privside > 1);
    CU_ASSERT_EQUAL(kill(privside, SIGKILL), 0);
    bool there = true;
    for (int tries = 0; tries < patience(100) && there; tries++) {
        injection_rest(20);
        there = has_sink();
    }
    CU_ASSERT_FALSE(there);
    link_close(&link);
    json_decref(hello);
}

/* privside is killed while the fault is on; the next agent finds the host as it was. */
static void check_killed(const struct fault *row)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    struct link link = {.run = ""};
    look_files(&view, &before);
    json_t *hello = greet(&link);
    json_t *pids = json_object_get(hello, "pids");
    pid_t privside = (pid_t)json_integer_value(json_object_get(pids, "privside"));
    json_t *baseline = call(&link, "baseline", json_object());
    put_on(&link, row, "k1");
    CU_ASSERT_TRUE_FATAL(privside > 1);
    CU_ASSERT_EQUAL(kill(privside, SIGKILL), 0);
    CU_ASSERT_TRUE(link_wait_end(&link, (int)patience(5000)));
    link_close(&link);
    json_decref(hello);

    json_decref(greet(&link));
    json_t *now = call(&link, "baseline", json_object());
    const char *was = json_string_value(json_object_get(baseline, "digest")),
               *is = json_string_value(json_object_get(now, "digest"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(was);
    CU_ASSERT_STRING_EQUAL(was, is);
    bool same = files_are_soon(&before);
    (void)printf("\n    %s: agent killed, %s", row->name, same ? "clean" : "NOT clean");
    CU_ASSERT_TRUE(same);
    json_decref(baseline);
    json_decref(now);
    link_close(&link);
}

static void test_agent_killed(void)
{
    for (size_t i = 0; i < fault_catalogue.n; i++)
        if (is_asked(i))
            check_killed(fault_catalogue.faults[i]);
    (void)printf("\n    ");
}

/* What the row's table forbids is refused before anything is recorded. */
static void test_refusals(void)
{
    struct link link = {.run = ""};
    json_decref(greet(&link));
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const struct fault *row = fault_catalogue.faults[i];
        json_t *args = example(row);
        json_object_set_new(args, "no_such_parameter", json_string("x"));
        json_t *result =
            link_call(&link, "prepare",
                      json_pack("{s:s,s:s,s:o,s:i}", "injection", "r1", "fault", row->name, "args",
                                args, "lease_ms", (int)patience(10000)),
                      &err);
        CU_ASSERT_PTR_NULL(result);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no_such_parameter"));
        json_decref(result);
    }
    link_close(&link);
}

static const struct check_test tests[] = {
    {"every row over the wire", test_every_row},
    {"the agent killed while a fault is on", test_agent_killed},
    {"the guardian removes our link", test_guardian_removes_the_link},
    {"refusals", test_refusals},
};

int main(void)
{
    int rc = 2;
    if (host_up(&lab, &err) == 0) {
        view.host.root = open(lab_find(lab, "n1")->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        host_peers(lab, &view.peers);
        rc = check_main("contract/wire", tests, sizeof(tests) / sizeof(tests[0]));
        (void)close(view.host.root);
    } else {
        (void)fprintf(stderr, "wire: %s\n", err.msg);
    }
    lab_free(lab);
    return rc;
}
