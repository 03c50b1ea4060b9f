/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledgers: a process at each vantage of each, with a file of its own in the run's directory
 * (docs/ledger-protocol.md). */
#include "base/cleanup.h"
#include "run/run_ledger_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { OUT_MAX = 1 << 20, START_S = 20 };

/* What was asked has its answer, or will never have one. */
static void call_end(struct run_ledger *l)
{
    enum ledger_call call = l->call;
    l->call = CALL_NONE;
    if (l->late != NULL)
        (void)evtimer_del(l->late);
    if (call == CALL_CONFIGURE && l->run->pending > 0)
        l->run->pending--;
    if (call >= CALL_STOP)
        run_ledger_answered(l);
}

static void fail(struct run_ledger *l, struct err *why)
{
    if (l->group->n > 1)
        (void)wrap_error(why, "ledger %s at %s", l->of->name, l->from);
    else
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
    struct err err;
    const json_t *result = json_object_get(frame, "result");
    const char *digest = json_string_value(json_object_get(result, "digest"));
    bool mine = json_integer_value(json_object_get(frame, "id")) == (json_int_t)l->call;
    if (frame_is_error(frame, &err))
        fail(l, &err);
    else if (mine && l->call == CALL_READ) {
        l->steady = json_is_true(json_object_get(result, "steady"));
        (void)snprintf(l->digest, sizeof(l->digest), "%s", digest != NULL ? digest : "");
    }
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

void run_ledger_call(struct run_ledger *l, enum ledger_call call, json_t *params, int64_t limit_s)
{
    static const char *const names[] = {"", "configure", "start", "stop", "read", "over"};
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
    if (lab_spawn(r->lab, l->from, argv, fds, 2, &pid, err) < 0)
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
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:o, s:o}", "kind", of->kind->name,
        "name", of->name, "from", l->from, "collection", collection, "every_ns",
        (json_int_t)of->every.ns, "timeout_ns", (json_int_t)of->timeout.ns, "epoch_ns",
        (json_int_t)r->clock.epoch, "seed", (json_int_t)r->options->seed, "each",
        of->views == LEDGER_VIEWS_EACH, "reads_only", l != l->group->list, "hosts", hosts, "args",
        params_encode(of->kind->params, of->kind->n_params, of->args));
    if (params == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    r->pending++;
    run_ledger_call(l, CALL_CONFIGURE, params, START_S);
    return 0;
}

static int open_ledger(struct run_ledger *l, json_t *list, struct err *err)
{
    char file[32];
    (void)snprintf(file, sizeof(file), LEDGERLOG_NAME, l->index);
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:s, s:b}", "name",
                                                l->of->name, "kind", l->of->kind->name, "from",
                                                l->from, "every_ns", (json_int_t)l->of->every.ns,
                                                "file", file, "writes", l == l->group->list));
    if (spawn(l, err) == 0 && configure(l, err) == 0)
        return 0;
    return l->group->n > 1 ? wrap_error(err, "ledger %s at %s", l->of->name, l->from)
                           : wrap_error(err, "ledger %s", l->of->name);
}

static int open_group(struct run *r, const struct scenario_ledger *of, json_t *list,
                      struct err *err)
{
    struct run_ledger_group *g = &r->ledger_groups[r->n_ledger_groups++];
    *g = (struct run_ledger_group){
        .run = r, .of = of, .list = &r->ledgers[r->n_ledgers], .n = scenario_ledger_vantages(of)};
    for (size_t k = 0; k < g->n; k++) {
        struct run_ledger *l = &g->list[k];
        *l = (struct run_ledger){.run = r,
                                 .group = g,
                                 .of = of,
                                 .from = scenario_ledger_vantage(of, k),
                                 .index = (unsigned)r->n_ledgers++,
                                 .fd = -1};
        frame_reader_init(&l->reader);
        if (open_ledger(l, list, err) != 0)
            return -1;
    }
    return 0;
}

int run_ledgers_start(struct run *r, struct err *err)
{
    const struct scenario *s = r->scenario;
    size_t n = 0;
    for (size_t i = 0; i < s->n_ledgers; i++)
        n += scenario_ledger_vantages(&s->ledgers[i]);
    if (n == 0)
        return 0;
    r->ledgers = calloc(n, sizeof(*r->ledgers));
    r->ledger_groups = calloc(s->n_ledgers, sizeof(*r->ledger_groups));
    json_t *list = json_array();
    int rc = r->ledgers != NULL && r->ledger_groups != NULL
                 ? 0
                 : make_error(err, ERR_LIMIT, 0, "out of memory for ledgers");
    for (size_t i = 0; rc == 0 && i < s->n_ledgers; i++)
        rc = open_group(r, &s->ledgers[i], list, err);
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
    for (size_t i = 0; i < r->n_ledger_groups; i++)
        if (r->ledger_groups[i].pause != NULL)
            event_free(r->ledger_groups[i].pause);
    free(r->ledger_groups);
    free(r->ledgers);
    r->ledger_groups = NULL;
    r->ledgers = NULL;
    r->n_ledgers = r->n_ledger_groups = 0;
}

void run_ledgers_begin_trial(struct run *r, uint32_t trial)
{
    for (size_t i = 0; i < r->n_ledgers; i++) {
        struct run_ledger *l = &r->ledgers[i];
        l->trial = trial;
        if (!l->lost && l->call == CALL_NONE)
            run_ledger_call(l, CALL_START, json_pack("{s:I}", "trial", (json_int_t)trial), START_S);
    }
}
