/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on processes and files against real services, nginx and redis, in a lab and through the
 * real agent: what their clients see, and that everything is back.
 */
#include "agents/faults/catalogue.h"
#include "contract/link.h"
#include "lab/lab_check.h"
#include "scenario/scenario.h"
#include "tree.h"

#include <fcntl.h>
#include <signal.h>

#define AGENT BINARY_DIR "/blackstart-agent"

static struct lab *lab;
static struct link agent_link;
static struct scenario *scenario;
static struct buf before;
static char host[64], injection[16];

static void begin(const char *file, const char *name)
{
    static char id[32], state[128], agent[160];
    struct problems problems = {0};
    (void)snprintf(host, sizeof(host), "%s", name);
    (void)snprintf(id, sizeof(id), "cs%d-%s", (int)getpid(), name);
    (void)snprintf(state, sizeof(state), "/var/tmp/blackstart-test/%s", id);
    (void)snprintf(agent, sizeof(agent), "%s/agent", state);
    OK(scenario_load_lab(file, NULL, 0, &scenario, &problems, &err));
    const struct lab_options options = {
        .id = id, .state_dir = state, .preload = BINARY_DIR "/libblackstart-fiu.so"};
    OK(lab_up(scenario->lab, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    OK(link_open(lab, host, AGENT, agent, &agent_link, &err));
    json_t *hello = link_hello(&agent_link, host, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(hello);
    json_decref(hello);
}

static void end(void)
{
    link_close(&agent_link);
    lab_free(lab);
    scenario_free(scenario);
    buf_free(&before);
}

static json_t *call(const char *method, json_t *params)
{
    json_t *result = link_call(&agent_link, method, params, &err);
    if (result == NULL)
        (void)printf("\n    %s: %s\n", method, err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    return result;
}

static void take_files(struct buf *out)
{
    static const char *const tops[] = {"etc", "srv"};
    CLEANUP_FD int root = open(lab_find(lab, host)->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < 2; i++)
        tree_add(out, root, tops[i], tops[i], TREE_INODES, NULL);
}

/* args as JSON text with ' for ". */
static void put_on(const char *fault, const char *args)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), "%s", args);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    json_t *parsed = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
    static unsigned count;
    (void)snprintf(injection, sizeof(injection), "s%u", ++count);
    buf_free(&before);
    before = BUF_INIT(TREE_MAX);
    take_files(&before);
    json_decref(call("prepare", json_pack("{s:s,s:s,s:o,s:i}", "injection", injection, "fault",
                                          fault, "args", parsed, "lease_ms", 60000)));
    json_decref(call("apply", json_pack("{s:s}", "injection", injection)));
    json_t *evidence = call("evidence", json_pack("{s:s}", "injection", injection));
    CU_ASSERT_TRUE(json_is_true(json_object_get(evidence, "proven")));
    json_decref(evidence);
}

static void take_off(const char *word)
{
    CLEANUP_BUF struct buf now = BUF_INIT(TREE_MAX);
    CLEANUP_BUF struct buf diff = BUF_INIT(TREE_MAX);
    json_t *reverted = call("revert", json_pack("{s:s}", "injection", injection));
    const char *what = json_string_value(json_object_get(reverted, "what"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(what);
    if (strstr(what, word) == NULL)
        (void)printf("\n    %s\n", what);
    CU_ASSERT_PTR_NOT_NULL(strstr(what, word));
    json_decref(reverted);
    take_files(&now);
    if (tree_diff(buf_text(&before), buf_text(&now), &diff) > 0)
        (void)printf("\n%s", buf_text(&diff));
    CU_ASSERT_EQUAL(diff.len, 0);
}

/* The status that a client gets for the page: 0 when it is refused or not answered within a
 * second. */
static int get_page(void)
{
    int status = 0;
    (void)run_in(
        lab, "client", "",
        "timeout 1 bash -c 'exec 3<>/dev/tcp/web1/80; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" "
        ">&3; head -1 <&3' 2>/dev/null");
    (void)sscanf(lab_reply.data, "HTTP/1.%*d %d", &status);
    return status;
}

static bool page_becomes(int status)
{
    for (int tries = 0; tries < 60; tries++) {
        if (get_page() == status)
            return true;
        pause_ms(50);
    }
    return false;
}

static bool page_stays(int status)
{
    for (int tries = 0; tries < 5; tries++, pause_ms(50))
        if (get_page() != status)
            return false;
    return true;
}

#define NGINX_CONF "'path': '/etc/nginx/nginx.conf', 'service': 'web', "
#define BROKEN     "'find': 'listen 80;', 'replace': 'listen eighty;', "

static void test_nginx_push(void)
{
    CU_ASSERT_TRUE_FATAL(page_becomes(200));
    put_on("config.push", "{" NGINX_CONF BROKEN "'apply': 'reload'}");
    CU_ASSERT_TRUE(page_stays(200)); /* it refuses the new file and keeps serving */
    take_off("as it was");
    CU_ASSERT_TRUE(page_stays(200));
    put_on("config.push", "{" NGINX_CONF BROKEN "'apply': 'restart'}");
    CU_ASSERT_TRUE(page_stays(0));
    take_off("as it was");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("config.push", "{" NGINX_CONF "'find': 'root /srv/www;', 'replace': 'return 503;', "
                          "'apply': 'reload'}");
    CU_ASSERT_TRUE(page_becomes(503));
    take_off("as it was");
    CU_ASSERT_TRUE(page_becomes(200));
}

static void test_nginx_delete(void)
{
    put_on("environment.delete", "{'paths': ['/etc/nginx', '/srv/www'], 'services': ['web']}");
    CU_ASSERT_TRUE(page_stays(404));
    take_off("is back");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("environment.delete", "{'paths': ['/etc/nginx'], 'services': ['web'], 'stop': true}");
    CU_ASSERT_TRUE(page_stays(0));
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
}

static void test_nginx_process(void)
{
    put_on("process.pause", "{'service': 'web', 'tree': true}");
    CU_ASSERT_TRUE(page_stays(0));
    take_off("run again");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("process.kill", "{'service': 'web', 'tree': true}");
    CU_ASSERT_TRUE(page_becomes(200)); /* restart: on-failure */
    take_off("web came back by its restart policy");
    put_on("process.kill", "{'pid_file': '/run/nginx.pid', 'tree': true, 'signal': 'QUIT'}");
    CU_ASSERT_TRUE(page_stays(0)); /* it ended well, which is no failure */
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
}

static double count_of(const char *name)
{
    json_t *answer = call("evidence", json_pack("{s:s}", "injection", injection));
    double count = json_number_value(json_object_get(json_object_get(answer, "items"), name));
    json_decref(answer);
    return count;
}

static bool counts_to(const char *name, double count)
{
    for (int tries = 0; tries < 100; tries++, pause_ms(50))
        if (count_of(name) >= count)
            return true;
    return false;
}

static void test_nginx_kill_again(void)
{
    put_on("process.kill_again", "{'service': 'web', 'every': '20ms'}");
    CU_ASSERT_TRUE(counts_to("kills", 3));
    take_off("web came back by its restart policy");
    CU_ASSERT_TRUE(page_becomes(200));
    /* It ends well, and its policy gives up: there is nobody left to kill. */
    put_on("process.kill_again", "{'service': 'web', 'signal': 'QUIT', 'every': '20ms'}");
    CU_ASSERT_TRUE(page_stays(0));
    CU_ASSERT_EQUAL(count_of("kills"), 1);
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
}

static void test_nginx_stop(void)
{
    put_on("service.stop", "{'service': 'web'}");
    CU_ASSERT_TRUE(page_stays(0));
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("service.stop", "{'service': 'web'}");
    OK(service_do(lab, "web1", HOSTCTL_START, "web", 0)); /* somebody else's hand */
    take_off("runs already");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("service.restart", "{'service': 'web'}");
    CU_ASSERT_TRUE(page_becomes(200));
    CU_ASSERT_EQUAL(count_of("started"), 1);
    take_off("web runs");
}

static void expect_masked(enum hostctl_op op)
{
    CU_ASSERT_EQUAL(service_do(lab, "web1", op, "web", 0), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "masked"));
}

/* Masked while it runs: it goes on, until it ends for another reason. */
static void test_nginx_mask(void)
{
    put_on("service.mask", "{'service': 'web'}");
    expect_masked(HOSTCTL_START);
    expect_masked(HOSTCTL_RESTART);
    CU_ASSERT_TRUE(page_stays(200));
    take_off("can be started again");
    put_on("service.mask", "{'service': 'web'}");
    OK(service_do(lab, "web1", HOSTCTL_SIGNAL, "web", SIGKILL));
    CU_ASSERT_TRUE(page_becomes(0));
    CU_ASSERT_TRUE(page_stays(0)); /* restart: on-failure, in vain */
    expect_masked(HOSTCTL_START);
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("service.mask", "{'service': 'web', 'stop': true}");
    CU_ASSERT_TRUE(page_stays(0));
    expect_masked(HOSTCTL_START);
    take_off("web was started by blackstart");
    CU_ASSERT_TRUE(page_becomes(200));
    put_on("service.mask", "{'service': 'web', 'stop': true}"); /* unmasked, started by others */
    OK(service_do(lab, "web1", HOSTCTL_UNMASK, "web", 0));
    OK(service_do(lab, "web1", HOSTCTL_START, "web", 0));
    CU_ASSERT_TRUE(page_becomes(200));
    take_off("can be started again");
    CU_ASSERT_TRUE(page_stays(200));
}

static void test_nginx(void)
{
    begin(SOURCE_DIR "/scenarios/labs/nginx.yaml", "web1");
    test_nginx_push();
    test_nginx_delete();
    test_nginx_process();
    test_nginx_kill_again();
    test_nginx_stop();
    test_nginx_mask();
    end();
}

static bool redis_answers(void)
{
    return run_in(lab, "db1", "", "timeout 1 redis-cli -h db1 ping") == 0 &&
           strstr(lab_reply.data, "PONG") != NULL;
}

static bool redis_comes_back(void)
{
    for (int tries = 0; tries < 60; tries++, pause_ms(50))
        if (redis_answers())
            return true;
    return false;
}

static void test_redis(void)
{
    begin(SOURCE_DIR "/scenarios/labs/redis.yaml", "db1");
    CU_ASSERT_TRUE_FATAL(redis_comes_back());
    put_on("process.pause", "{'process': 'redis-server'}");
    CU_ASSERT_FALSE(redis_answers());
    take_off("run again");
    CU_ASSERT_TRUE(redis_comes_back());
    CU_ASSERT_EQUAL(run_in(lab, "db1", "", "redis-cli -h db1 set k v"), 0);
    put_on("process.kill", "{'service': 'redis'}");
    CU_ASSERT_TRUE(redis_comes_back());
    take_off("redis came back by its restart policy");
    CU_ASSERT_EQUAL(run_in(lab, "db1", "", "redis-cli -h db1 get k"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, "v"));
    end();
}

static const struct check_test tests[] = {
    {"nginx", test_nginx},
    {"redis", test_redis},
};

CHECK_MAIN("contract/services", tests)
