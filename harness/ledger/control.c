/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/control.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/members.h"
#include "ledger/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { OUT_MAX = 1 << 20, POLL_MAX_MS = 1000 };

struct control {
    int fd;
    struct log *log;
    struct keeper *keeper;
    void *args;
    struct named_host hosts[LEDGER_HOSTS_MAX];
    size_t n_hosts;
    bool ended;
};

static int spec_read(struct control *c, const json_t *params, struct keeper_spec *s,
                     struct err *err)
{
    const int64_t day = 86400 * NS_PER_SEC;
    int64_t seed = 0;
    const char *kind = "";
    if (member_word(params, "kind", NAME_MAX_LEN, &kind, err) != 0 ||
        member_word(params, "name", NAME_MAX_LEN, &s->name, err) != 0 ||
        member_word(params, "from", NAME_MAX_LEN, &s->from, err) != 0 ||
        member_word(params, "collection", LEDGER_COLLECTION_MAX - 20, &s->collection, err) != 0 ||
        member_integer(params, "every_ns", NS_PER_US, day, &s->every_ns, err) != 0 ||
        member_integer(params, "timeout_ns", NS_PER_US, day, &s->timeout_ns, err) != 0 ||
        member_integer(params, "epoch_ns", 0, INT64_MAX, &s->epoch_ns, err) != 0 ||
        member_integer(params, "seed", 0, INT64_MAX, &seed, err) != 0 ||
        member_hosts(json_object_get(params, "hosts"), LEDGER_HOSTS_MAX, c->hosts, &c->n_hosts,
                     err) != 0)
        return -1;
    s->seed = (uint64_t)seed;
    s->each = json_is_true(json_object_get(params, "each"));
    s->reads_only = json_is_true(json_object_get(params, "reads_only"));
    s->kind = ledger_kind_find(kind);
    if (s->kind == NULL)
        return make_error(err, ERR_PROTOCOL, 0, "no such kind of ledger");
    if (!s->kind->no_hosts && c->n_hosts == 0)
        return make_error(err, ERR_PROTOCOL, 0, "a ledger without hosts");
    s->each = s->each && !s->kind->no_hosts;
    s->hosts = c->hosts;
    s->n_hosts = c->n_hosts;
    return 0;
}

static int do_configure(struct control *c, const json_t *params, json_t *result, struct err *err)
{
    struct keeper_spec s = {.kind = NULL};
    (void)result;
    if (c->keeper != NULL)
        return make_error(err, ERR_PROTOCOL, 0, "it is configured already");
    if (spec_read(c, params, &s, err) != 0)
        return -1;
    c->args = calloc(1, s.kind->args_size + 1);
    if (c->args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    s.args = c->args;
    if (params_decode(s.kind->params, s.kind->n_params, json_object_get(params, "args"), c->args,
                      s.kind->args_size, err) != 0)
        return -1;
    return keeper_new(&s, c->log, &c->keeper, err);
}

static int do_start(struct control *c, const json_t *params, json_t *result, struct err *err)
{
    int64_t trial = 0;
    (void)result;
    if (member_integer(params, "trial", 0, UINT32_MAX - 1, &trial, err) != 0)
        return -1;
    return keeper_start(c->keeper, (uint32_t)trial, err);
}

/* The coordinator is gone: reading back has nobody to wait for it. */
static bool has_ended(void *ctx)
{
    struct control *c = ctx;
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static int do_stop(struct control *c, const json_t *params, json_t *result, struct err *err)
{
    (void)params;
    (void)result;
    return keeper_stop(c->keeper, err);
}

static int do_read(struct control *c, const json_t *params, json_t *result, struct err *err)
{
    struct keeper_round round;
    (void)params;
    if (keeper_read(c->keeper, has_ended, c, &round, err) != 0)
        return -1;
    (void)json_object_set_new(result, "steady", json_boolean(round.steady));
    (void)json_object_set_new(result, "digest", json_string(round.digest));
    return 0;
}

static int do_over(struct control *c, const json_t *params, json_t *result, struct err *err)
{
    (void)params;
    (void)result;
    return keeper_read_over(c->keeper, err);
}

static const struct {
    const char *name;
    int (*run)(struct control *c, const json_t *params, json_t *result, struct err *err);
} methods[] = {{"configure", do_configure},
               {"start", do_start},
               {"stop", do_stop},
               {"read", do_read},
               {"over", do_over}};

static json_t *frame_run(struct control *c, const json_t *frame)
{
    const char *method = json_string_value(json_object_get(frame, "method"));
    int64_t id = json_integer_value(json_object_get(frame, "id"));
    struct err err = {.code = ERR_NONE};
    size_t i = 0, n = sizeof(methods) / sizeof(methods[0]);
    int r = -1;
    json_t *result = json_object();
    while (i < n && (method == NULL || strcmp(methods[i].name, method) != 0))
        i++;
    if (i == n)
        (void)make_error(&err, ERR_PROTOCOL, 0, "no such method");
    else if (i != 0 && c->keeper == NULL)
        (void)make_error(&err, ERR_PROTOCOL, 0, "it is not configured");
    else
        r = methods[i].run(c, json_object_get(frame, "params"), result, &err);
    const struct err *failure = r != 0              ? &err
                                : c->keeper != NULL ? keeper_failure(c->keeper)
                                                    : NULL;
    if (failure == NULL)
        return frame_result(id, result);
    json_decref(result);
    return frame_error(id, failure);
}

static int answer(struct control *c, json_t *frame, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(OUT_MAX);
    int r =
        frame != NULL ? frame_put(&out, frame, err) : make_error(err, ERR_SYSTEM, ENOMEM, "answer");
    json_decref(frame);
    while (r == 0 && out.len != 0) {
        ssize_t n = send(c->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "the control stream");
        if (n > 0)
            buf_drop(&out, (size_t)n);
    }
    return r;
}

static int frames_run(struct control *c, struct frame_reader *in, struct err *err)
{
    for (;;) {
        json_t *frame = NULL;
        if (frame_next(in, &frame, err) != 0)
            return -1;
        if (frame == NULL)
            return 0;
        json_t *reply = frame_run(c, frame);
        json_decref(frame);
        if (answer(c, reply, err) != 0)
            return -1;
    }
}

static int turn(struct control *c, struct frame_reader *in, struct err *err)
{
    char chunk[16384];
    int64_t next = c->keeper != NULL ? keeper_turn(c->keeper) : INT64_MAX;
    int64_t left = next == INT64_MAX ? POLL_MAX_MS * NS_PER_MS : ledger_left(next);
    struct timespec wait = clock_timespec(left > 0 ? left : 0);
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (ppoll(&p, 1, &wait, NULL) <= 0)
        return 0;
    ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        c->ended = true;
        return 0;
    }
    if (frame_feed(in, chunk, (size_t)n, err) != 0)
        return -1;
    return frames_run(c, in, err);
}

int control_serve(int fd, int file_fd, struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));
    struct frame_reader in;
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    c->fd = fd;
    frame_reader_init(&in);
    int r = log_open(file_fd, &c->log, err);
    while (r == 0 && !c->ended)
        r = turn(c, &in, err);
    /* What is under way gets its result, whoever may read it. */
    if (c->keeper != NULL && keeper_turn(c->keeper) != INT64_MAX)
        r = keeper_stop(c->keeper, err) == 0 ? r : -1;
    keeper_free(c->keeper);
    log_close(c->log);
    free(c->args);
    frame_reader_free(&in);
    free(c);
    return r;
}
