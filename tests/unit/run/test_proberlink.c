/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a prober may say, and what ends the talk; the prober is the test itself. */
#include "check.h"
#include "prober/probe.h"
#include "run/proberlink.h"

#include <event2/event.h>
#include <fcntl.h>
#include <unistd.h>

static struct scene {
    struct event_base *base;
    struct proberlink *link;
    int control, samples, calls;
    size_t answers, seen;
    enum err_code why;
} scene;

static int spawn(void *ctx, const int *fds, size_t n_fds, pid_t *ret_pid, struct err *err)
{
    struct scene *s = ctx;
    (void)err;
    CU_ASSERT_EQUAL(n_fds, 2);
    s->control = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
    s->samples = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);
    *ret_pid = 0;
    return 0;
}

static void on_samples(void *ctx, const struct sample *samples, size_t n)
{
    struct scene *s = ctx;
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(samples[i].slot, s->seen + i);
    s->seen += n;
}

static void on_answered(void *ctx, const struct prober_answer *answers, size_t n,
                        const struct err *err)
{
    struct scene *s = ctx;
    s->calls++;
    s->answers = n;
    s->why = err != NULL ? err->code : ERR_NONE;
    if (n > 1)
        CU_ASSERT_EQUAL(answers[1].status, 503);
}

static void scene_open(void)
{
    struct err err;
    scene = (struct scene){.base = event_base_new()};
    const struct proberlink_events events = {.samples = on_samples, .ctx = &scene};
    CU_ASSERT_EQUAL_FATAL(proberlink_open(scene.base, spawn, &scene, &events, &scene.link, &err),
                          0);
}

static void scene_close(void)
{
    proberlink_close(scene.link);
    event_base_free(scene.base);
    (void)close(scene.control);
    (void)close(scene.samples);
}

/* Asks two endpoints and answers with the text. */
static void ask_two(const char *answer)
{
    static const struct prober_endpoint endpoints[2] = {{.name = "n1"}, {.name = "n2"}};
    static unsigned char args[1 << 16];
    const struct scenario_probe role = {
        .kind = probe_kind_find("tcp"), .args = args, .timeout = {1}};
    struct err err;
    scene_open();
    CU_ASSERT_EQUAL(proberlink_ask(scene.link, &role, endpoints, 2, on_answered, &scene, &err), 0);
    CU_ASSERT_EQUAL(write(scene.control, answer, strlen(answer)), (ssize_t)strlen(answer));
    (void)event_base_loop(scene.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(scene.calls, 1);
}

static void test_one_answer_for_each(void)
{
    ask_two("{\"id\":1,\"result\":{\"answers\":[{\"result\":0},{\"result\":6,\"status\":503}]}}\n");
    CU_ASSERT_EQUAL(scene.answers, 2);
    CU_ASSERT_EQUAL(scene.why, ERR_NONE);
    scene_close();
}

static void test_more_answers_than_were_asked(void)
{
    ask_two("{\"id\":1,\"result\":{\"answers\":[{\"result\":0},{},{\"result\":0}]}}\n");
    CU_ASSERT_EQUAL(scene.answers, 0);
    CU_ASSERT_EQUAL(scene.why, ERR_PROTOCOL);
    scene_close();
    ask_two("{\"id\":1,\"result\":{\"answers\":[{\"result\":0}]}}\n");
    CU_ASSERT_EQUAL(scene.answers, 0);
    CU_ASSERT_EQUAL(scene.why, ERR_PROTOCOL);
    scene_close();
}

static void test_samples_in_pieces(void)
{
    scene_open();
    const struct sample two[2] = {{.slot = 0}, {.slot = 1}};
    for (size_t at = 0; at < sizeof(two); at += 32) {
        CU_ASSERT_EQUAL(write(scene.samples, (const char *)two + at, 32), 32);
        (void)event_base_loop(scene.base, EVLOOP_NONBLOCK);
        CU_ASSERT_EQUAL(scene.seen, (at + 32) / sizeof(struct sample));
    }
    scene_close();
}

static const struct check_test tests[] = {
    {"one answer for each", test_one_answer_for_each},
    {"more answers than were asked", test_more_answers_than_were_asked},
    {"samples in pieces", test_samples_in_pieces},
};

CHECK_MAIN("proberlink", tests)
