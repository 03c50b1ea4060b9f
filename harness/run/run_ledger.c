/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledgers: a process for each, with a file of its own in the run's directory
 * (docs/ledger-protocol.md). One call at a time is under way. */
#include "base/cleanup.h"
#include "base/frame.h"
#include "run/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    OUT_MAX = 1 << 20,
    CUT_READ_S = 3, /* reading back, when the run was ended before its time */
    LATE_S = 30,    /* beyond all limits: one more read of each view */
    START_S = 20
};

enum call { CALL_NONE, CALL_CONFIGURE, CALL_START, CALL_STOP };

struct run_ledger {
    struct run *run;
    const struct scenario_ledger *of;
    unsigned index;
    int fd;
    struct event *in, *late;
    struct frame_reader reader;
    enum call call;
    uint32_t trial;
    bool lost;
};

static void drained_one(struct run *r)
{
    if (r->ledgers_waiting > 0 && --r->ledgers_waiting == 0)
        run_post(r, EVENT_DRAINED, 0, true, 0, NULL);
}

/* What was asked has its answer, or will never have one. */
static void call_end(struct run_ledger *l)
{
    enum call call = l->call;
    l->call = CALL_NONE;
    if (l->late != NULL)
        (void)evtimer_del(l->late);
    if (call == CALL_CONFIGURE && l->run->pending > 0)
        l->run->pending--;
    if (call == CALL_STOP)
        drained_one(l->run);
}

static void fail(struct run_ledger *l, struct err *why)
{
    (void)wrap_error(why, "ledger %s", l->of->name);
    run_break(l->run, why);
}

static void lose(struct run_ledger *l, struct err *why)
{
    if (l->lost)
        return;
    l->lost = true;
    (void)event_del(l->in);
    (void)run_lab_ended(l->run); /* then that is why */
    fail(l, why);
    call_end(l);
}

static void take_answer(struct run_ledger *l, const json_t *frame)
{
    struct run *r = l->run;
    struct err err;
    bool mine = json_integer_value(json_object_get(frame, "id")) == (json_int_t)l->call;
    if (frame_is_error(frame, &err))
        fail(l, &err);
    else if (mine && l->call == CALL_STOP &&
             journal_ledger_end(r->journal, l->index, l->of->name, l->trial, &err) != 0)
        run_break(r, &err);
    if (mine) /* else a trial ended before its beginning was answered */
        call_end(l);
}

static void on_frames(evutil_socket_t fd, short what, void *ctx)
{
    struct run_ledger *l = ctx;
    char chunk[16384];
    struct err err;
    (void)what;
    ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        (void)make_error(&err, ERR_SYSTEM, 0, "its process has ended");
        lose(l, &err);
        return;
    }
    int r = frame_feed(&l->reader, chunk, (size_t)n, &err);
    for (json_t *frame = NULL; r == 0;) {
        r = frame_next(&l->reader, &frame, &err);
        if (r != 0 || frame == NULL)
            break;
        take_answer(l, frame);
        json_decref(frame);
    }
    if (r != 0)
        lose(l, &err);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
    struct err err;
    (void)fd;
    (void)what;
    (void)make_error(&err, ERR_TIMEOUT, 0, "no answer in time: what it knows is not complete");
    lose(ctx, &err);
}

/* Steals params. Calls are short and rare: they fit the socket's buffer. */
static void call_send(struct run_ledger *l, enum call call, json_t *params, int64_t limit_s)
{
    static const char *const names[] = {"", "configure", "start", "stop"};
    CLEANUP_BUF struct buf out = BUF_INIT(OUT_MAX);
    struct timeval tv = {.tv_sec = (time_t)limit_s};
    struct err err;
    json_t *frame = frame_request(call, names[call], params);
    int r = frame != NULL ? frame_put(&out, frame, &err)
                          : make_error(&err, ERR_SYSTEM, ENOMEM, "a call");
    json_decref(frame);
    l->call = call;
    while (r == 0 && out.len != 0) {
        ssize_t n = send(l->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            r = make_error(&err, ERR_SYSTEM, errno, "its control stream");
        else if (n > 0)
            buf_drop(&out, (size_t)n);
    }
    if (r == 0)
        (void)evtimer_add(l->late, &tv);
    else
        lose(l, &err);
}

static int spawn(struct run_ledger *l, struct err *err)
{
    struct run *r = l->run;
    char program[PATH_MAX + 32];
    int control[2];
    pid_t pid = -1;
    (void)snprintf(program, sizeof(program), "%s/blackstart-ledger", r->exe_dir);
    const char *const argv[] = {program, NULL};
    CLEANUP_FD int file = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
        return make_error(err, ERR_SYSTEM, errno, "its control stream");
    l->fd = control[0];
    CLEANUP_FD int theirs = control[1];
    if (journal_ledger_open(r->journal, l->index, &file, err) != 0)
        return -1;
    const int fds[2] = {theirs, file};
    if (lab_spawn(r->lab, l->of->from, argv, fds, 2, &pid, err) < 0)
        return -1;
    l->in = event_new(r->base, l->fd, EV_READ | EV_PERSIST, on_frames, l);
    l->late = evtimer_new(r->base, on_late, l);
    if (l->in == NULL || l->late == NULL || event_add(l->in, NULL) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a ledger");
    return 0;
}

static json_t *hosts_json(struct run *r, const struct scenario_ledger *of, struct err *err)
{
    struct prober_endpoint hosts[PLAN_HOSTS_MAX];
    size_t indices[PLAN_HOSTS_MAX];
    json_t *list = json_array();
    if (of->kind->no_hosts)
        return list;
    size_t n = run_endpoints(r, of->hosts, indices, hosts, err);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", hosts[i].name, "ip",
                                                    hosts[i].ip, "ip6", hosts[i].ip6));
    if (n != 0)
        return list;
    json_decref(list);
    return NULL;
}

static int configure(struct run_ledger *l, struct err *err)
{
    struct run *r = l->run;
    const struct scenario_ledger *of = l->of;
    char collection[RUN_ID_MAX + NAME_MAX_LEN + 16];
    json_t *hosts = hosts_json(r, of, err);
    if (hosts == NULL)
        return -1;
    (void)snprintf(collection, sizeof(collection), "blackstart:%s:%s", r->id, of->name);
    json_t *params = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "kind", of->kind->name, "name",
        of->name, "from", of->from, "collection", collection, "every_ns", (json_int_t)of->every.ns,
        "timeout_ns", (json_int_t)of->timeout.ns, "epoch_ns", (json_int_t)r->clock.epoch, "seed",
        (json_int_t)r->options->seed, "each", of->views == LEDGER_VIEWS_EACH, "hosts", hosts,
        "args", params_encode(of->kind->params, of->kind->n_params, of->args));
    if (params == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    r->pending++;
    call_send(l, CALL_CONFIGURE, params, START_S);
    return 0;
}

static int open_ledger(struct run *r, size_t i, json_t *list, struct err *err)
{
    struct run_ledger *l = &r->ledgers[r->n_ledgers++];
    char file[32];
    *l = (struct run_ledger){
        .run = r, .of = &r->scenario->ledgers[i], .index = (unsigned)i, .fd = -1};
    frame_reader_init(&l->reader);
    (void)snprintf(file, sizeof(file), LEDGERLOG_NAME, l->index);
    (void)json_array_append_new(list,
                                json_pack("{s:s, s:s, s:s, s:I, s:s}", "name", l->of->name, "kind",
                                          l->of->kind->name, "from", l->of->from, "every_ns",
                                          (json_int_t)l->of->every.ns, "file", file));
    if (spawn(l, err) != 0 || configure(l, err) != 0)
        return wrap_error(err, "ledger %s", l->of->name);
    return 0;
}

int run_ledgers_start(struct run *r, struct err *err)
{
    if (r->scenario->n_ledgers == 0)
        return 0;
    r->ledgers = calloc(r->scenario->n_ledgers, sizeof(*r->ledgers));
    json_t *list = json_array();
    int rc = r->ledgers != NULL ? 0 : make_error(err, ERR_LIMIT, 0, "out of memory for ledgers");
    for (size_t i = 0; rc == 0 && i < r->scenario->n_ledgers; i++)
        rc = open_ledger(r, i, list, err);
    if (rc != 0) {
        json_decref(list);
        return -1;
    }
    run_record(r, "ledgers", json_pack("{s:o}", "list", list));
    return run_wait(r, RUN_SETUP_S, "the ledgers", err);
}

void run_ledgers_stop(struct run *r)
{
    for (size_t i = 0; i < r->n_ledgers; i++) {
        struct run_ledger *l = &r->ledgers[i];
        if (l->in != NULL)
            event_free(l->in);
        if (l->late != NULL)
            event_free(l->late);
        cleanup_fd_at(&l->fd);
        frame_reader_free(&l->reader);
    }
    free(r->ledgers);
    r->ledgers = NULL;
    r->n_ledgers = 0;
}

void run_ledgers_begin_trial(struct run *r, uint32_t trial)
{
    for (size_t i = 0; i < r->n_ledgers; i++) {
        struct run_ledger *l = &r->ledgers[i];
        l->trial = trial;
        if (!l->lost && l->call == CALL_NONE)
            call_send(l, CALL_START, json_pack("{s:I}", "trial", (json_int_t)trial), START_S);
    }
}

void run_ledgers_drain(struct run *r)
{
    r->ledgers_waiting = 1;
    if (r->n_ledgers != 0)
        run_say(r, "reading back what was written");
    for (size_t i = 0; i < r->n_ledgers; i++) {
        struct run_ledger *l = &r->ledgers[i];
        int64_t within = l->of->read_within.ns;
        if (l->lost)
            continue;
        if (r->cut && within > CUT_READ_S * NS_PER_SEC)
            within = CUT_READ_S * NS_PER_SEC;
        r->ledgers_waiting++;
        call_send(l, CALL_STOP, json_pack("{s:I}", "read_within_ns", (json_int_t)within),
                  (within + l->of->timeout.ns) / NS_PER_SEC + LATE_S);
    }
    r->cut = false;
    drained_one(r);
}
