/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A peer that means harm, at the agent's own descriptor: too big, too deep, wrong types, unknown,
 * out of order. The agent answers as docs/agent-protocol.md says and lives, or closes the link with
 * the error and ends clean. */
#include "agents/faults/catalogue.h"
#include "base/frame.h"
#include "check.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct agent {
    pid_t pid;
    int fd;
    char state[32];
} agent;

static void agent_start(void)
{
    int pair[2];
    (void)snprintf(agent.state, sizeof(agent.state), "/tmp/test-wire-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(agent.state));
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    agent.pid = fork();
    if (agent.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWNET) == 0 && dup2(pair[1], 0) == 0)
            (void)execl(BINARY_DIR "/blackstart-agent", "blackstart-agent", "stdio", "--run", "r1",
                        "--host", "n1", "--state", agent.state, "--lab", (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    agent.fd = pair[0];
}

static void say(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(agent.fd, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* closed on us, which the caller looks at */
        text += n;
        len -= (size_t)n;
    }
}

/* One line, "" at the end of the link, NULL when nothing comes. */
static const char *hear(void)
{
    static char line[FRAME_MAX];
    size_t len = 0;
    struct pollfd p = {.fd = agent.fd, .events = POLLIN};
    for (; len + 1 < sizeof(line) && poll(&p, 1, 5000) > 0; len++) {
        if (read(agent.fd, line + len, 1) <= 0 || line[len] == '\n') {
            line[len] = '\0';
            return line;
        }
    }
    return NULL;
}

static bool answers(const char *request, const char *expected)
{
    say(request, strlen(request));
    say("\n", 1);
    const char *reply = hear();
    bool ok = reply != NULL && strstr(reply, expected) != NULL;
    if (!ok)
        (void)printf("    %.200s\n    gave %.200s\n", request, reply != NULL ? reply : "nothing");
    return ok;
}

/* The exit status; the state directory must be empty. */
static int agent_end(void)
{
    int status = -1;
    (void)close(agent.fd);
    (void)waitpid(agent.pid, &status, 0);
    CU_ASSERT_EQUAL(rmdir(agent.state), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define CALL(method, params)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":" params "}"

static void greet(void)
{
    char digest[DIGEST_TEXT], text[256];
    catalogue_digest(&fault_catalogue, digest);
    (void)snprintf(text, sizeof(text),
                   CALL("hello", "{\"protocol\":1,\"run\":\"r1\",\"host\":\"n1\",\"catalogue\":"
                                 "\"%s\",\"lease_ms\":1000}"),
                   digest);
    CU_ASSERT(answers(text, "\"faults\""));
}

static void test_before_hello(void)
{
    agent_start();
    CU_ASSERT(answers(CALL("status", "{}"), "hello comes first"));
    CU_ASSERT(answers(CALL("apply", "{\"injection\":\"i1\"}"), "\"protocol\""));
    CU_ASSERT(answers(CALL("hello", "{\"protocol\":2}"), "\"unsupported\""));
    CU_ASSERT(answers(CALL("hello", "{\"protocol\":1,\"run\":\"r1\",\"host\":\"n1\",\"catalogue\":"
                                    "\"0123456789abcdef\",\"lease_ms\":1000}"),
                      "\"unsupported\""));
    greet();
    CU_ASSERT_EQUAL(agent_end(), 0);
}

static void test_wrong_but_a_request(void)
{
    static const struct {
        const char *request, *expected;
    } cases[] = {
        {"{}", "-32600"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", "-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"status\"}", "-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", "-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":[]}", "-32600"},
        {CALL("explode", "{}"), "-32601"},
        {CALL("status", "{\"extra\":1}"), "-32602"},
        {CALL("renew", "{}"), "-32602"},
        {CALL("renew", "{\"lease_ms\":\"10\"}"), "-32602"},
        {CALL("renew", "{\"lease_ms\":-1}"), "-32602"},
        {CALL("renew", "{\"lease_ms\":1}"), "\"refused\""},
        {CALL("renew", "{\"lease_ms\":9223372036854775807}"), "-32602"},
        {CALL("apply", "{\"injection\":7}"), "-32602"},
        {CALL("apply", "{\"injection\":\"../x\"}"), "\"input\""},
        {CALL("apply", "{\"injection\":\"i1\"}"), "\"not-found\""},
        {CALL("verify", "{\"injection\":\"i1\"}"), "\"not-found\""},
        {CALL("revert", "{\"injection\":\"i1\"}"), "\"not-found\""},
        {CALL("clean", "{\"paths\":[]}"), "no baseline"},
        {CALL("clean", "{\"paths\":[\"/a/../b\"]}"), "\"input\""},
        {CALL("prepare", "{\"injection\":\"i1\",\"fault\":\"no.such\",\"args\":{},\"lease_ms\":"
                         "1000}"),
         "\"not-found\""},
        {CALL("prepare", "{\"injection\":\"i1\",\"fault\":\"network.loss\",\"args\":{\"share\":"
                         "\"300%\"},\"lease_ms\":1000}"),
         "\"error\""},
        {CALL("prepare", "{\"injection\":\"i1\",\"fault\":\"network.loss\",\"args\":{\"no\":1},"
                         "\"lease_ms\":1000}"),
         "\"error\""},
        {CALL("prepare", "{\"injection\":\"i1\",\"fault\":\"network.loss\",\"args\":7,"
                         "\"lease_ms\":1000}"),
         "-32602"},
    };
    agent_start();
    greet();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT(answers(cases[i].request, cases[i].expected));
    CU_ASSERT(answers(CALL("hello", "{\"protocol\":1,\"run\":\"r1\",\"host\":\"n1\","
                                    "\"catalogue\":\"x\",\"lease_ms\":1000}"),
                      "\"error\""));
    CU_ASSERT(answers(CALL("status", "{}"), "\"injections\":[]")); /* alive and unmoved */
    CU_ASSERT_EQUAL(agent_end(), 0);
}

static void closes_after(const char *text, size_t len)
{
    agent_start();
    greet();
    say(text, len);
    const char *reply = hear();
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "-32700"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "\"id\":null"));
    reply = hear();
    CU_ASSERT(reply != NULL && reply[0] == '\0');
    CU_ASSERT_EQUAL(agent_end(), 0);
}

static void test_no_frame_closes_the_link(void)
{
    static char text[FRAME_MAX + 100000];
    closes_after("no json\n", 8);
    closes_after("[]\n", 3);
    closes_after("{\"a\":1,\"a\":2}\n", 14);
    closes_after("\xff\xfe\n", 3);
    memset(text, '[', 100);
    text[100] = '\n';
    closes_after(text, 101);
    memset(text, ' ', sizeof(text)); /* no newline within the limit */
    closes_after(text, sizeof(text));
}

static void test_half_a_frame_and_gone(void)
{
    agent_start();
    greet();
    say("{\"jsonrpc\":\"2.0\",\"id\":1,", 24);
    CU_ASSERT_EQUAL(agent_end(), 0);
}

static void test_many_frames_at_once(void)
{
    static char text[200 * 64];
    size_t len = 0;
    agent_start();
    greet();
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n",
                                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
    say(text, len);
    unsigned good = 0;
    for (int i = 0; i < 200; i++) {
        const char *reply = hear();
        good += reply != NULL && strstr(reply, "\"injections\"") != NULL;
    }
    CU_ASSERT_EQUAL(good, 200);
    CU_ASSERT_EQUAL(agent_end(), 0);
}

static const struct check_test tests[] = {
    {"before hello", test_before_hello},
    {"wrong, but a request", test_wrong_but_a_request},
    {"no frame closes the link", test_no_frame_closes_the_link},
    {"half a frame, and gone", test_half_a_frame_and_gone},
    {"many frames at once", test_many_frames_at_once},
};

CHECK_MAIN("lab/agent_wire", tests)
