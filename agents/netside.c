/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netside.h"
#include "agents/method.h"
#include "agents/seal.h"
#include "base/cleanup.h"
#include "base/frame.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { NOT_A_REQUEST = -32600, NO_METHOD = -32601, BAD_PARAMS = -32602, NOT_JSON = -32700 };
enum { CHUNK = 16 * 1024, REPLY_MAX = FRAME_MAX };

static struct netside {
    int privside, in, out;
    pid_t pid;
    bool own_uid;
    struct frame_reader reader;
    struct agent_reply reply;
    struct agent_item items[ITEMS_MAX];
} self;

static int write_all(const char *data, size_t size, struct err *err)
{
    while (size > 0) {
        ssize_t n = write(self.out, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = self.out, .events = POLLOUT};
            (void)poll(&p, 1, -1);
            continue;
        }
        if (n <= 0)
            return make_error(err, ERR_SYSTEM, errno, "write to the link");
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Steals frame. */
static int put(json_t *frame, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPLY_MAX);
    int rc = frame != NULL ? frame_put(&out, frame, err)
                           : make_error(err, ERR_LIMIT, 0, "no memory for a reply");
    json_decref(frame);
    return rc != 0 ? -1 : write_all(buf_text(&out), out.len, err);
}

/* id NULL: unknown. */
static int refuse(const json_t *id, int code, const struct err *why, struct err *err)
{
    return put(json_pack("{s:s,s:O?,s:{s:i,s:s,s:{s:s}}}", "jsonrpc", "2.0", "id",
                         (json_t *)(uintptr_t)id, "error", "code", code, "message", why->msg,
                         "data", "word", err_word(why->code)),
               err);
}

static int put_notice(struct err *err)
{
    return put(json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", "ended", "params",
                         method_ended(&self.reply)),
               err);
}

/* One message of privside's; *ret_kind says which. ERR_CANCELLED: privside is gone. */
static int take(enum agent_kind *ret_kind, struct err *err)
{
    size_t size = 0;
    if (wire_receive(self.privside, &self.reply, sizeof(self.reply), self.items, sizeof(self.items),
                     &size, -1, err) != 0)
        return -1;
    if (size < sizeof(self.reply))
        return make_error(err, ERR_CANCELLED, 0, "the privileged process is gone");
    *ret_kind = (enum agent_kind)self.reply.kind;
    return 0;
}

static int await_reply(struct err *err)
{
    enum agent_kind kind = AGENT_ENDED;
    while (kind != AGENT_REPLY) {
        if (take(&kind, err) != 0 || (kind == AGENT_ENDED && put_notice(err) != 0))
            return -1;
    }
    return 0;
}

static int answer(const struct method *m, const json_t *id, struct err *err)
{
    const struct method_result result = {.reply = &self.reply,
                                         .items = self.items,
                                         .netside = (int32_t)self.pid,
                                         .own_uid = self.own_uid};
    if (self.reply.code != ERR_NONE) {
        struct err why = {.code = (enum err_code)self.reply.code, .sys = self.reply.sys};
        (void)snprintf(why.msg, sizeof(why.msg), "%s", self.reply.msg);
        return refuse(id, -32000, &why, err);
    }
    json_t *body = m->write(&result);
    if (body == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for a reply");
    return put(
        json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", (json_t *)(uintptr_t)id, "result", body),
        err);
}

static int call(const struct method *m, const json_t *id, const json_t *params, struct err *err)
{
    struct method_call c;
    struct err why = {0};
    int rc;
    if (method_read(m, params, &c, &why) != 0) {
        /* What the words mean is for -32000; how they are written, for -32602. */
        rc = refuse(id, why.code == ERR_INPUT ? BAD_PARAMS : -32000, &why, err);
    } else {
        rc = wire_send(self.privside, &c.request, sizeof(c.request), c.body, c.request.body, err);
        if (rc == 0)
            rc = await_reply(err);
        if (rc == 0)
            rc = answer(m, id, err);
    }
    free(c.body);
    return rc;
}

static int serve_frame(const json_t *frame, struct err *err)
{
    const json_t *id = json_object_get(frame, "id");
    const json_t *params = json_object_get(frame, "params");
    const char *version = json_string_value(json_object_get(frame, "jsonrpc"));
    const char *name = json_string_value(json_object_get(frame, "method"));
    struct err why;
    if (version == NULL || strcmp(version, "2.0") != 0 || name == NULL || !json_is_integer(id) ||
        (params != NULL && !json_is_object(params))) {
        (void)make_error(&why, ERR_PROTOCOL, 0,
                         "not a request: jsonrpc \"2.0\", an integer id, a method and an object "
                         "of params are needed");
        return refuse(json_is_integer(id) ? id : NULL, NOT_A_REQUEST, &why, err);
    }
    const struct method *m = method_find(name);
    if (m == NULL) {
        (void)make_error(&why, ERR_PROTOCOL, 0, "there is no method '%.60s'", name);
        return refuse(id, NO_METHOD, &why, err);
    }
    return call(m, id, params, err);
}

/* -1 ends the agent, with a last word to the peer where it is the peer's fault. */
static int serve_input(struct err *err)
{
    static char chunk[CHUNK];
    ssize_t n = read(self.in, chunk, sizeof(chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0)
        return make_error(err, ERR_CANCELLED, 0, "the link is closed");
    int rc = frame_feed(&self.reader, chunk, (size_t)n, err);
    while (rc == 0) {
        json_t *frame = NULL;
        rc = frame_next(&self.reader, &frame, err);
        if (rc != 0 || frame == NULL)
            break;
        rc = serve_frame(frame, err);
        json_decref(frame);
    }
    if (rc != 0 && err->code == ERR_PROTOCOL) {
        struct err ignored;
        (void)!refuse(NULL, NOT_JSON, err, &ignored);
    }
    return rc;
}

static int serve(struct err *err)
{
    struct pollfd fds[] = {{.fd = self.in, .events = POLLIN},
                           {.fd = self.privside, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "poll");
        enum agent_kind kind;
        if (fds[1].revents != 0 && (take(&kind, err) != 0 || put_notice(err) != 0))
            return -1;
        if (fds[0].revents != 0 && serve_input(err) != 0)
            return -1;
    }
}

static bool is_socket(int fd)
{
    int type;
    socklen_t len = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

int netside_run(int privside, int link)
{
    struct err err;
    self.privside = privside;
    self.in = link;
    self.out = link == 0 && !is_socket(0) ? 1 : link;
    self.pid = getpid();
    (void)signal(SIGTERM, SIG_DFL);
    (void)prctl(PR_SET_NAME, "bs-netside");
    /* Seeds jansson's hashes now: later there is no /dev/urandom for it. */
    json_object_seed(0);
    frame_reader_init(&self.reader);
    int rc = seal_netside(&self.own_uid, &err);
    if (rc == 0)
        rc = serve(&err);
    if (rc != 0 && err.code != ERR_CANCELLED)
        (void)fprintf(stderr, "blackstart-agent: netside: %s\n", err.msg);
    return rc == 0 || err.code == ERR_CANCELLED ? 0 : 3;
}
