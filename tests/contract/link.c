/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "contract/link.h"
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "patience.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { CALL_MS = 20000 };

int link_open(struct lab *lab, const char *host, const char *program, const char *state,
              struct link *ret, struct err *err)
{
    const char *const argv[] = {program, "stdio",      "--run", ret->run,    "--host", host,
                                "--lab", "--state",    state,   "--root-fd", "@ROOT",  "--proc-fd",
                                "@PROC", "--init-pid", "@INIT", NULL};
    int pair[2];
    pid_t pid;
    char run[sizeof(ret->run)];
    (void)snprintf(run, sizeof(run), "%s", ret->run[0] != '\0' ? ret->run : "ct");
    *ret = (struct link){.fd = -1};
    memcpy(ret->run, run, sizeof(run));
    frame_reader_init(&ret->reader);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return make_error(err, ERR_SYSTEM, errno, "socketpair");
    CLEANUP_FD int theirs = pair[1];
    ret->fd = pair[0];
    return lab_spawn(lab, host, argv, &theirs, 1, &pid, err);
}

static int read_more(struct link *link, int64_t deadline, struct err *err)
{
    char chunk[8192];
    struct pollfd p = {.fd = link->fd, .events = POLLIN};
    int n = poll(&p, 1, clock_poll_ms(clock_system(CLOCK_MONOTONIC), deadline, 60000));
    if (n < 0 && errno == EINTR)
        return 0;
    if (n <= 0)
        return make_error(err, ERR_TIMEOUT, 0, "the agent does not answer");
    ssize_t len = read(link->fd, chunk, sizeof(chunk));
    if (len <= 0)
        return make_error(err, ERR_SYSTEM, len < 0 ? errno : 0, "the agent is gone");
    return frame_feed(&link->reader, chunk, (size_t)len, err);
}

/* The frame that answers this id; notices on the way are kept. */
static json_t *wait_answer(struct link *link, int64_t id, struct err *err)
{
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + patience(CALL_MS) * NS_PER_MS;
    for (;;) {
        json_t *frame = NULL;
        if (frame_next(&link->reader, &frame, err) != 0)
            return NULL;
        if (frame == NULL) {
            if (read_more(link, deadline, err) != 0)
                return NULL;
            continue;
        }
        if (json_integer_value(json_object_get(frame, "id")) == id)
            return frame;
        const char *ended =
            json_string_value(json_object_get(json_object_get(frame, "params"), "injection"));
        (void)snprintf(link->last_ended, sizeof(link->last_ended), "%s",
                       ended != NULL ? ended : "");
        json_decref(frame);
    }
}

json_t *link_call(struct link *link, const char *method, json_t *params, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(FRAME_MAX);
    json_t *frame = frame_request(++link->id, method, params);
    int rc =
        frame == NULL ? make_error(err, ERR_LIMIT, 0, "no memory") : frame_put(&out, frame, err);
    json_decref(frame);
    if (rc != 0)
        return NULL;
    if (send(link->fd, out.data, out.len, MSG_NOSIGNAL) != (ssize_t)out.len) {
        (void)make_error(err, ERR_SYSTEM, errno, "send to the agent");
        return NULL;
    }
    json_t *answer = wait_answer(link, link->id, err);
    if (answer == NULL)
        return NULL;
    json_t *result = frame_is_error(answer, err) ? NULL : json_object_get(answer, "result");
    json_incref(result);
    json_decref(answer);
    return result;
}

json_t *link_hello(struct link *link, const char *host, struct err *err)
{
    char digest[DIGEST_TEXT];
    catalogue_digest(&fault_catalogue, digest);
    return link_call(link, "hello",
                     json_pack("{s:i,s:s,s:s,s:s,s:i}", "protocol", 1, "run", link->run, "host",
                               host, "catalogue", digest, "lease_ms", (int)patience(10000)),
                     err);
}

bool link_wait_end(struct link *link, int ms)
{
    char chunk[4096];
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + ms * NS_PER_MS;
    for (;;) {
        struct pollfd p = {.fd = link->fd, .events = POLLIN};
        int64_t now = clock_system(CLOCK_MONOTONIC);
        if (now >= deadline)
            return false;
        if (poll(&p, 1, clock_poll_ms(now, deadline, 60000)) > 0 &&
            read(link->fd, chunk, sizeof(chunk)) <= 0)
            return true;
    }
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
    frame_reader_free(&link->reader);
}
