/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Agents beside and after each other on one host, each a real one: two at once, one of another
 * version, an undo log that nobody can read; and others who change the host in the middle.
 */
#include "agents/faults/catalogue.h"
#include "agents/undo_format.h"
#include "base/cleanup.h"
#include "check.h"
#include "contract/contract.h"
#include "contract/host.h"
#include "contract/injection.h"
#include "contract/link.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define AGENT BINARY_DIR "/blackstart-agent"
/* The same program, which calls config.push config.shove. */
#define OTHER BINARY_DIR "/tests/agent-other-version"

static struct lab *lab;
static struct err err;
static struct contract view; /* of n1, for its files */

struct agent {
    struct link link;
    pid_t privside, guardian;
    json_t *hello;
    char baseline[32];
};

static json_t *call(struct agent *a, const char *method, json_t *params)
{
    json_t *result = link_call(&a->link, method, params, &err);
    if (result == NULL)
        (void)printf("\n    %s: %s\n", method, err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    return result;
}

static json_t *of(const char *injection)
{
    return json_pack("{s:s}", "injection", injection);
}

static void take_baseline(struct agent *a, char *ret, size_t size)
{
    json_t *baseline = call(a, "baseline", json_object());
    (void)snprintf(ret, size, "%s", json_string_value(json_object_get(baseline, "digest")));
    json_decref(baseline);
}

/* catalogue NULL: our own. */
static void start(struct agent *a, const char *run, const char *program, const char *catalogue)
{
    *a = (struct agent){.privside = -1};
    (void)snprintf(a->link.run, sizeof(a->link.run), "%s", run);
    CU_ASSERT_EQUAL_FATAL(link_open(lab, "n1", program, host_agent_state(), &a->link, &err), 0);
    a->hello = catalogue == NULL
                   ? link_hello(&a->link, "n1", &err)
                   : link_call(&a->link, "hello",
                               json_pack("{s:i,s:s,s:s,s:s,s:i}", "protocol", 1, "run", run, "host",
                                         "n1", "catalogue", catalogue, "lease_ms", 10000),
                               &err);
    if (a->hello == NULL)
        (void)printf("\n    %s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a->hello);
    json_t *pids = json_object_get(a->hello, "pids");
    a->privside = (pid_t)json_integer_value(json_object_get(pids, "privside"));
    a->guardian = (pid_t)json_integer_value(json_object_get(pids, "guardian"));
    CU_ASSERT_TRUE_FATAL(a->privside > 1 && a->guardian > 1);
    take_baseline(a, a->baseline, sizeof(a->baseline));
}

static void stop(struct agent *a)
{
    link_close(&a->link);
    json_decref(a->hello);
}

/* All that could undo anything at once, so that none of them does. */
static void kill_whole(struct agent *a)
{
    CU_ASSERT_EQUAL(kill(a->privside, SIGSTOP), 0);
    CU_ASSERT_EQUAL(kill(a->guardian, SIGKILL), 0);
    CU_ASSERT_EQUAL(kill(a->privside, SIGKILL), 0);
    CU_ASSERT_TRUE(link_wait_end(&a->link, 5000));
    stop(a);
}

static json_t *try_put_on(struct agent *a, const char *fault, const char *like,
                          const char *injection)
{
    json_t *args = example_json(catalogue_find(&fault_catalogue, like), &view.peers, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    json_t *prepared = link_call(&a->link, "prepare",
                                 json_pack("{s:s,s:s,s:o,s:i,s:i}", "injection", injection, "fault",
                                           fault, "args", args, "lease_ms", 60000, "for_ms", 60000),
                                 &err);
    if (prepared == NULL)
        return NULL;
    json_decref(prepared);
    return link_call(&a->link, "apply", of(injection), &err);
}

static void put_on(struct agent *a, const char *fault, const char *injection)
{
    json_t *applied = try_put_on(a, fault, fault, injection);
    if (applied == NULL)
        (void)printf("\n    %s: %s\n", fault, err.msg);
    CU_ASSERT_TRUE_FATAL(json_is_true(json_object_get(applied, "active")));
    json_decref(applied);
}

static void take_off(struct agent *a, const char *injection)
{
    json_t *reverted = call(a, "revert", of(injection));
    CU_ASSERT_FALSE(json_is_true(json_object_get(reverted, "foreign")));
    json_decref(reverted);
}

static bool is_active(struct agent *a, const char *injection)
{
    json_t *answer = call(a, "verify", of(injection));
    bool active = json_is_true(json_object_get(answer, "active"));
    json_decref(answer);
    return active;
}

static bool is_as_before(struct agent *a)
{
    char now[sizeof(a->baseline)];
    take_baseline(a, now, sizeof(now));
    return strcmp(a->baseline, now) == 0;
}

static bool files_are(const struct buf *before)
{
    CLEANUP_BUF struct buf now = BUF_INIT(64 * 1024 * 1024);
    look_files(&view, &now);
    return strcmp(buf_text(before), buf_text(&now)) == 0;
}

/* What hello says of an earlier agent's injection: NULL when nothing. */
static const json_t *replayed(const struct agent *a, const char *injection)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(a->hello, "replayed"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "injection"));
        if (name != NULL && strcmp(name, injection) == 0)
            return one;
    }
    return NULL;
}

/* A shell in n1's network; what it prints is in *out, its status in the last line. */
static void shell(struct buf *out, const char *text)
{
    char line[1024];
    (void)snprintf(line, sizeof(line), "exec 1>&0 2>&0; %s\necho \"status $?\"", text);
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    CU_ASSERT_EQUAL_FATAL(host_run(lab, argv, 10 * NS_PER_SEC, out, &err), 0);
}

static bool shell_says(const char *text, const char *expected)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1024 * 1024);
    shell(&out, text);
    bool says = strstr(buf_text(&out), expected) != NULL;
    if (!says)
        (void)printf("\n    %s: \"%s\" is missing in: %s\n", text, expected, buf_text(&out));
    return says;
}

/* ---- two at once ---- */

static void test_two_at_once(void)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    struct agent a, b, c;
    look_files(&view, &before);
    start(&a, "one", AGENT, NULL);
    start(&b, "two", AGENT, NULL);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(b.hello, "replayed")), 0);
    put_on(&a, "network.partition", "a1");
    put_on(&b, "network.loss", "b1");
    put_on(&a, "config.push", "a2");
    put_on(&b, "process.pause", "b2");
    take_off(&a, "a1");
    CU_ASSERT_TRUE(is_active(&b, "b1"));
    CU_ASSERT_TRUE(is_active(&a, "a2"));
    kill_whole(&b);
    CU_ASSERT_TRUE(is_active(&a, "a2"));
    start(&c, "three", AGENT, NULL);
    CU_ASSERT_TRUE(json_is_true(json_object_get(replayed(&c, "b2"), "reverted")));
    CU_ASSERT_PTR_NULL(replayed(&c, "a2"));
    CU_ASSERT_TRUE(is_active(&a, "a2"));
    take_off(&a, "a2");
    CU_ASSERT_TRUE(is_as_before(&a));
    CU_ASSERT_TRUE(files_are(&before));
    stop(&c);
    stop(&a);
}

/* Both want files: the second cannot know which the first has changed, and is refused. */
static void test_two_that_want_files(void)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    struct agent a, b;
    look_files(&view, &before);
    start(&a, "one", AGENT, NULL);
    start(&b, "two", AGENT, NULL);
    put_on(&a, "config.push", "a1");
    CU_ASSERT_PTR_NULL(try_put_on(&b, "certificate.expire", "certificate.expire", "b1"));
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "config.push (a1 of run one): end that first"));
    put_on(&b, "network.loss", "b2");
    take_off(&b, "b2");
    take_off(&a, "a1");
    put_on(&b, "certificate.expire", "b1");
    take_off(&b, "b1");
    CU_ASSERT_TRUE(is_as_before(&a));
    CU_ASSERT_TRUE(files_are(&before));
    stop(&b);
    stop(&a);
}

/* ---- another version ---- */

static void read_catalogue(char *ret, size_t size)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1024 * 1024);
    shell(&out, OTHER " version");
    const char *at = strstr(buf_text(&out), "catalogue ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    (void)snprintf(ret, size, "%.16s", at + strlen("catalogue "));
}

static void test_another_version(void)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    struct agent old, new;
    struct link refused = {.run = "one"};
    char catalogue[32];
    read_catalogue(catalogue, sizeof(catalogue));
    CU_ASSERT_EQUAL_FATAL(link_open(lab, "n1", OTHER, host_agent_state(), &refused, &err), 0);
    CU_ASSERT_PTR_NULL(link_hello(&refused, "n1", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "take both programs from one"));
    link_close(&refused);

    look_files(&view, &before);
    start(&old, "one", OTHER, catalogue);
    json_t *applied = try_put_on(&old, "config.shove", "config.push", "v1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(applied);
    json_decref(applied);
    put_on(&old, "process.pause", "v2");
    kill_whole(&old);
    CU_ASSERT_FALSE(files_are(&before));

    start(&new, "two", AGENT, NULL); /* undoes what it knows, and keeps what it does not */
    const json_t *unknown = replayed(&new, "v1"), *known = replayed(&new, "v2");
    CU_ASSERT_TRUE(json_is_false(json_object_get(unknown, "reverted")));
    CU_ASSERT_PTR_NOT_NULL_FATAL(json_object_get(unknown, "what"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(unknown, "what")),
                                  "knows no config.shove: undo it with its own version"));
    CU_ASSERT_TRUE(json_is_true(json_object_get(known, "reverted")));
    CU_ASSERT_FALSE(files_are(&before));
    stop(&new);

    start(&old, "one", OTHER, catalogue);
    CU_ASSERT_TRUE(json_is_true(json_object_get(replayed(&old, "v1"), "reverted")));
    CU_ASSERT_TRUE(files_are(&before));
    stop(&old);
}

/* ---- an undo log of a format to come ---- */

static void add_to_format(const char *name, int more)
{
    struct undo_file_head head;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", host_agent_state(), name);
    CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(pread(fd, &head, sizeof(head), 0), sizeof(head));
    head.format = (uint32_t)((int)head.format + more);
    head.check = undo_file_digest(&head);
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
}

static void find_log(char *ret, size_t size)
{
    DIR *dir = opendir(host_agent_state());
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    *ret = '\0';
    for (struct dirent *d; (d = readdir(dir)) != NULL;)
        if (strncmp(d->d_name, UNDO_PREFIX, strlen(UNDO_PREFIX)) == 0)
            (void)snprintf(ret, size, "%s", d->d_name);
    (void)closedir(dir);
    CU_ASSERT_TRUE_FATAL(*ret != '\0');
}

/* What a person would do about it. */
static bool undo_all_says(const char *words, int status)
{
    char line[512], last[32];
    (void)snprintf(line, sizeof(line), AGENT " undo --all --lab --host n1 --state %s",
                   host_agent_state());
    (void)snprintf(last, sizeof(last), "status %d", status);
    return shell_says(line, words) && shell_says(line, last);
}

static void test_an_unknown_format(void)
{
    CLEANUP_BUF struct buf before = BUF_INIT(64 * 1024 * 1024);
    struct agent a;
    char log[256];
    look_files(&view, &before);
    start(&a, "one", AGENT, NULL);
    put_on(&a, "config.push", "f1");
    kill_whole(&a);
    find_log(log, sizeof(log));
    add_to_format(log, 1);
    start(&a, "one", AGENT, NULL);
    CU_ASSERT_PTR_NULL(replayed(&a, "f1"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(a.hello, "unreadable")), 1);
    stop(&a);
    CU_ASSERT_TRUE(undo_all_says("1 unreadable", 4));
    CU_ASSERT_FALSE(files_are(&before));
    add_to_format(log, -1); /* it is still there */
    start(&a, "one", AGENT, NULL);
    CU_ASSERT_TRUE(json_is_true(json_object_get(replayed(&a, "f1"), "reverted")));
    CU_ASSERT_TRUE(files_are(&before));
    stop(&a);
}

/* ---- others in the middle ---- */

/* As `systemctl reload nftables` does it: all rules go, others come. */
static void test_a_firewall_reload(void)
{
    static const char reload[] =
        "printf 'flush ruleset\\ntable inet filter { chain in { type filter hook input priority 0; "
        "tcp dport 9 drop; }; }\\n' | nft -f -";
    struct agent a;
    char id[32];
    start(&a, "one", AGENT, NULL);
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const struct fault *row = fault_catalogue.faults[i];
        (void)snprintf(id, sizeof(id), "f%zu", i);
        if (strncmp(row->name, "network.", 8) != 0)
            continue;
        put_on(&a, row->name, id);
        CU_ASSERT_TRUE(shell_says(reload, "status 0"));
        CU_ASSERT_TRUE(row->lifetime == LIFETIME_INSTANT || is_active(&a, id));
        take_off(&a, id);
        CU_ASSERT_TRUE(shell_says("nft list ruleset", "tcp dport 9 drop"));
        CU_ASSERT_TRUE(shell_says("nft flush ruleset", "status 0"));
        CU_ASSERT_TRUE(is_as_before(&a));
    }
    stop(&a);
}

static void test_an_interface_vanishes(void)
{
    struct agent a;
    CU_ASSERT_TRUE(shell_says("ip link add gone0 type veth peer gone1 && ip link set gone0 up && "
                              "ip addr add 198.51.100.1/24 dev gone0",
                              "status 0"));
    start(&a, "one", AGENT, NULL);
    json_t *applied =
        link_call(&a.link, "prepare",
                  json_pack("{s:s,s:s,s:{s:s},s:i}", "injection", "g1", "fault",
                            "network.link_down", "args", "interface", "gone0", "lease_ms", 60000),
                  &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(applied);
    json_decref(applied);
    json_decref(call(&a, "apply", of("g1")));
    put_on(&a, "network.partition", "g2");
    CU_ASSERT_TRUE(shell_says("ip link del gone0", "status 0"));
    json_t *reverted = call(&a, "revert", of("g1"));
    (void)printf("\n    %s", json_string_value(json_object_get(reverted, "what")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(reverted, "foreign")));
    json_decref(reverted);
    CU_ASSERT_TRUE(is_active(&a, "g2"));
    take_off(&a, "g2");
    stop(&a);
}

/* Whoever may not do it by himself: each kind that takes an identity refuses, and nothing stays. */
static void test_refused_changes_nothing(void)
{
    struct agent a;
    size_t n = 0;
    start(&a, "r1", AGENT, NULL);
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const struct fault *row = fault_catalogue.faults[i];
        json_t *args = row->act != ACT_NONE ? example_json(row, &view.peers, &err) : NULL;
        if (args == NULL)
            continue;
        json_t *prepared =
            link_call(&a.link, "prepare",
                      json_pack("{s:s,s:s,s:o,s:i,s:{s:s}}", "injection", "who", "fault", row->name,
                                "args", args, "lease_ms", 60000, "as", "user", "nobody"),
                      &err);
        if (prepared != NULL || err.code != ERR_DENIED)
            (void)printf("\n    %s: %s\n", row->name, prepared != NULL ? "may" : err.msg);
        CU_ASSERT_PTR_NULL(prepared);
        CU_ASSERT_EQUAL(err.code, ERR_DENIED);
        json_decref(prepared);
        n++;
    }
    CU_ASSERT_EQUAL(n, 6);
    CU_ASSERT_TRUE(is_as_before(&a));
    json_t *status = call(&a, "status", json_object());
    CU_ASSERT_EQUAL(json_array_size(json_object_get(status, "injections")), 0);
    json_decref(status);
    stop(&a);
}

static const struct check_test tests[] = {
    {"a refused prepare changes nothing", test_refused_changes_nothing},
    {"two at once", test_two_at_once},
    {"two that want files", test_two_that_want_files},
    {"another version", test_another_version},
    {"an undo log of an unknown format", test_an_unknown_format},
    {"a firewall reload in the middle", test_a_firewall_reload},
    {"an interface vanishes", test_an_interface_vanishes},
};

int main(void)
{
    int rc = 2;
    if (host_up(&lab, &err) == 0) {
        view.host.root = open(lab_find(lab, "n1")->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        host_peers(lab, &view.peers);
        rc = check_main("contract/agents", tests, sizeof(tests) / sizeof(tests[0]));
        (void)close(view.host.root);
    } else {
        (void)fprintf(stderr, "agents: %s\n", err.msg);
    }
    lab_free(lab);
    return rc;
}
