/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "check.h"
#include "run/agentlink.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

/* The peer is the test itself, at the other end of a socket pair. */
struct scene {
    struct event_base *base;
    struct agentlink *link;
    int peer;
    int lost, notices, done;
    enum err_code codes[8], why;
    int64_t value, sent_ns, got_ns;
    bool close_when_done;
};

static void on_lost(void *ctx, const struct err *why)
{
    struct scene *s = ctx;
    s->lost++;
    s->why = why->code;
}

static void on_notice(void *ctx, const char *method, const json_t *params)
{
    struct scene *s = ctx;
    CU_ASSERT_STRING_EQUAL(method, "ended");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(params, "injection")), "i1");
    s->notices++;
}

static void on_done(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                    int64_t got_ns)
{
    struct scene *s = ctx;
    CU_ASSERT((result != NULL) == (err->code == ERR_NONE));
    if (s->done < 8)
        s->codes[s->done] = err->code;
    s->done++;
    s->sent_ns = sent_ns;
    s->got_ns = got_ns;
    s->value = json_integer_value(json_object_get(result, "n"));
    if (s->close_when_done)
        agentlink_close(s->link);
}

static void scene_open(struct scene *s)
{
    int pair[2];
    struct err err;
    *s = (struct scene){.base = event_base_new()};
    const struct agentlink_events events = {on_lost, on_notice, s};
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    s->peer = pair[1];
    CU_ASSERT_EQUAL_FATAL(agentlink_open(s->base, pair[0], "n1", &events, &s->link, &err), 0);
}

static void scene_close(struct scene *s)
{
    if (!s->close_when_done)
        agentlink_close(s->link);
    event_base_free(s->base);
    if (s->peer >= 0)
        (void)close(s->peer);
}

static void peer_says(const struct scene *s, const char *text)
{
    CU_ASSERT_EQUAL(write(s->peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void turn(const struct scene *s)
{
    (void)event_base_loop(s->base, EVLOOP_NONBLOCK);
}

static void test_answers_find_their_calls(void)
{
    struct scene s;
    char sent[512];
    scene_open(&s);
    agentlink_call(s.link, "status", json_object(), NS_PER_SEC, on_done, &s);
    agentlink_call(s.link, "verify", NULL, NS_PER_SEC, on_done, &s);
    ssize_t n = read(s.peer, sent, sizeof(sent) - 1);
    CU_ASSERT_FATAL(n > 0);
    sent[n] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(sent, "\"method\":\"status\""));
    CU_ASSERT_EQUAL(s.done, 0);
    peer_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"no\","
                  "\"data\":{\"word\":\"refused\"}}}\n"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"ended\",\"params\":{\"injection\":\"i1\"}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":7}}\n");
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 2);
    CU_ASSERT_EQUAL(s.codes[0], ERR_REFUSED);
    CU_ASSERT_EQUAL(s.codes[1], ERR_NONE);
    CU_ASSERT_EQUAL(s.value, 7);
    CU_ASSERT_EQUAL(s.notices, 1);
    CU_ASSERT(s.sent_ns > 0 && s.got_ns >= s.sent_ns);
    CU_ASSERT_TRUE(agentlink_is_up(s.link));
    scene_close(&s);
}

static void test_a_broken_link_fails_all_and_says_so_once(void)
{
    struct scene s;
    scene_open(&s);
    agentlink_call(s.link, "apply", NULL, NS_PER_SEC, on_done, &s);
    agentlink_call(s.link, "apply", NULL, NS_PER_SEC, on_done, &s);
    (void)close(s.peer);
    s.peer = -1;
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 2);
    CU_ASSERT_EQUAL(s.lost, 1);
    CU_ASSERT_FALSE(agentlink_is_up(s.link));
    agentlink_call(s.link, "revert", NULL, NS_PER_SEC, on_done, &s);
    CU_ASSERT_EQUAL(s.done, 2); /* never from inside the call */
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 3);
    CU_ASSERT_EQUAL(s.lost, 1);
    scene_close(&s);
}

static void test_what_is_no_frame_breaks_the_link(void)
{
    struct scene s;
    scene_open(&s);
    agentlink_call(s.link, "apply", NULL, NS_PER_SEC, on_done, &s);
    peer_says(&s, "no json\n");
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 1);
    CU_ASSERT_EQUAL(s.codes[0], ERR_PROTOCOL);
    CU_ASSERT_EQUAL(s.why, ERR_PROTOCOL);
    scene_close(&s);
}

static void test_no_answer_in_time(void)
{
    struct scene s;
    scene_open(&s);
    agentlink_call(s.link, "apply", NULL, 5 * NS_PER_MS, on_done, &s);
    /* libevent's timers read a clock of some milliseconds' grain. */
    for (int i = 0; i < 400 && s.done == 0; i++) {
        (void)usleep(5000);
        turn(&s);
    }
    CU_ASSERT_EQUAL(s.done, 1);
    CU_ASSERT_EQUAL(s.codes[0], ERR_TIMEOUT);
    peer_says(&s,
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":7}}\n"); /* too late: passed over */
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 1);
    CU_ASSERT_TRUE(agentlink_is_up(s.link));
    scene_close(&s);
}

static void test_closing_inside_a_callback(void)
{
    struct scene s;
    scene_open(&s);
    s.close_when_done = true;
    agentlink_call(s.link, "apply", NULL, NS_PER_SEC, on_done, &s);
    agentlink_call(s.link, "apply", NULL, NS_PER_SEC, on_done, &s);
    peer_says(&s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":7}}\n");
    turn(&s);
    CU_ASSERT_EQUAL(s.done, 2);
    CU_ASSERT_EQUAL(s.codes[1], ERR_CANCELLED);
    CU_ASSERT_EQUAL(s.lost, 0);
    scene_close(&s);
}

static const struct check_test tests[] = {
    {"answers find their calls", test_answers_find_their_calls},
    {"a broken link fails all calls and says so once",
     test_a_broken_link_fails_all_and_says_so_once},
    {"what is no frame breaks the link", test_what_is_no_frame_breaks_the_link},
    {"no answer in time", test_no_answer_in_time},
    {"closing inside a callback", test_closing_inside_a_callback},
};

CHECK_MAIN("harness/agentlink", tests)
