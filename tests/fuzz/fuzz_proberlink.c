/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a prober sends, frames and behind 0xff samples, as a coordinator reads it that waits for one
 * answer of each kind.
 */
#include "prober/probe.h"
#include "run/proberlink.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ASKED = 2 };

static struct peer {
    int control, samples;
} peer;
static struct event_base *base;

static void feed(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n <= 0)
            return; /* more than a socket holds; or the reader has hung up */
        data += n;
        size -= (size_t)n;
    }
}

static int spawn(void *ctx, const int *fds, size_t n_fds, pid_t *ret_pid, struct err *err)
{
    (void)ctx;
    (void)n_fds;
    (void)err;
    *ret_pid = 0;
    peer = (struct peer){fcntl(fds[0], F_DUPFD_CLOEXEC, 0), fcntl(fds[1], F_DUPFD_CLOEXEC, 0)};
    if (peer.control < 0 || fcntl(peer.control, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(peer.samples, F_SETFL, O_NONBLOCK) != 0)
        abort();
    return 0;
}

static void on_samples(void *ctx, const struct sample *samples, size_t n)
{
    size_t *seen = ctx;
    if (n == 0 || samples == NULL)
        abort();
    *seen += n;
}

static void on_lost(void *ctx, const struct err *why)
{
    (void)ctx;
    if (why->msg[0] == '\0')
        abort();
}

static void on_done(void *ctx, const struct err *why)
{
    (void)ctx;
    (void)why;
}

static void on_stopped(void *ctx, const struct prober_health *health, const struct err *why)
{
    (void)ctx;
    if ((health == NULL) != (why != NULL))
        abort();
}

static void on_answered(void *ctx, const struct prober_answer *answers, size_t n,
                        const struct err *why)
{
    (void)ctx;
    if (why == NULL ? n != ASKED : n != 0)
        abort();
    for (size_t i = 0; i < n; i++)
        if (answers[i].result > SAMPLE_GAP)
            abort();
}

static void calls(struct proberlink *link)
{
    static const struct prober_endpoint endpoints[ASKED] = {{"n1", "10.0.0.1", ""},
                                                            {"n2", "10.0.0.2", "fd00::2"}};
    static unsigned char args[1 << 16];
    const struct scenario_probe role = {
        .name = "leader", .kind = probe_kind_find("tcp"), .args = args, .timeout = {1000000}};
    struct err err;
    if (proberlink_configure(link, 1, 2, on_done, NULL, &err) != 0 ||
        proberlink_ask(link, &role, endpoints, ASKED, on_answered, NULL, &err) != 0 ||
        proberlink_stop(link, on_stopped, NULL, &err) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    struct proberlink *link = NULL;
    struct err err;
    const struct proberlink_events events = {on_samples, on_lost, &seen};
    const uint8_t *mark = size != 0 ? memchr(data, 0xff, size) : NULL;
    size_t frames = mark != NULL ? (size_t)(mark - data) : size;
    if (base == NULL)
        base = event_base_new();
    if (base == NULL || proberlink_open(base, spawn, NULL, &events, &link, &err) != 0)
        abort();
    calls(link);
    feed(peer.samples, data + frames, size - frames);
    feed(peer.control, data, frames);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    (void)close(peer.control);
    (void)close(peer.samples);
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    if (seen > size / sizeof(struct sample))
        abort();
    proberlink_close(link);
    return 0;
}
