/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands in lab hosts, done by their init: of a run step, a runbook or a check. The loop goes on
 * meanwhile. */
#include "base/cleanup.h"
#include "base/hostctl.h"
#include "base/utf8.h"
#include "run/run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { OUTPUT_MAX = 4096, CHECK_LINES = 3 };

/* What is to be done. */
struct order {
    size_t step;
    bool check; /* its status is an answer, of which the first lines say why */
    const char *const *command;
    size_t n_command;
    const char *user;
    int64_t limit_ns;
};

struct run_command {
    struct run_command *next;
    struct run *run;
    size_t step;
    size_t waiting; /* hosts that have not answered */
    bool check, failed, refused;
    char why[400];
    struct buf output;
    struct asked {
        struct run_command *command;
        const char *host;
        struct event *event, *timer;
        int fd;
    } hosts[PLAN_HOSTS_MAX];
    size_t n;
};

static void close_asked(struct asked *a)
{
    if (a->event != NULL)
        event_free(a->event);
    if (a->timer != NULL)
        event_free(a->timer);
    a->event = a->timer = NULL;
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
}

static void command_free(struct run_command *c)
{
    for (size_t i = 0; i < c->n; i++)
        close_asked(&c->hosts[i]);
    buf_free(&c->output);
    free(c);
}

void run_steps_stop(struct run *r)
{
    while (r->commands != NULL) {
        struct run_command *next = r->commands->next;
        command_free(r->commands);
        r->commands = next;
    }
}

static void command_end(struct run_command *c)
{
    struct run *r = c->run;
    for (struct run_command **at = &r->commands; *at != NULL; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    free(r->step_output[c->step]);
    r->step_output[c->step] = buf_steal(&c->output);
    if (c->check)
        run_post_check(r, c->step, !c->failed, c->refused, c->failed ? c->why : NULL);
    else
        run_post(r, EVENT_RAN, c->step, !c->failed, 0, c->failed ? c->why : NULL);
    command_free(c);
}

static void fail(struct run_command *c, const char *host, const char *what)
{
    if (!c->failed)
        (void)snprintf(c->why, sizeof(c->why), "on %.40s: %.100s", host, what);
    c->failed = true;
}

static void answered(struct asked *a)
{
    struct run_command *c = a->command;
    close_asked(a);
    if (--c->waiting == 0)
        command_end(c);
}

/* The end of it, which says how it ended; of a check its beginning, which says what is wrong. */
static void take_output(struct run_command *c, const char *data, size_t len)
{
    size_t room = OUTPUT_MAX - c->output.len;
    size_t kept = len < room ? len : room;
    buf_add(&c->output, c->check ? data : data + len - kept, kept);
}

/* "exit status 1: its first line; its second" */
static void take_refusal(struct run_command *c, int status)
{
    static const char no_start[] = "blackstart: cannot run"; /* the host's init says so */
    const char *said = buf_text(&c->output);
    bool ran = strncmp(said, no_start, sizeof(no_start) - 1) != 0;
    int n = ran ? snprintf(c->why, sizeof(c->why), "exit status %d", status) : 0;
    c->failed = true;
    c->refused = ran;
    for (int line = 0; line < CHECK_LINES && *said != '\0'; line++) {
        size_t len = strcspn(said, "\n"), room = sizeof(c->why) - (size_t)n;
        int more = snprintf(c->why + n, room, "%s%.*s",
                            line > 0 ? "; "
                            : ran    ? ": "
                                     : "",
                            (int)len, said);
        n = more > 0 && (size_t)more < room ? n + more : (int)sizeof(c->why) - 1;
        said += len + (said[len] == '\n');
    }
    utf8_clean(c->why, strlen(c->why));
}

static void take_reply(struct asked *a, const struct hostctl_reply *reply)
{
    struct run_command *c = a->command;
    take_output(c, reply->data, reply->len);
    char text[64];
    if (WIFEXITED(reply->status) && WEXITSTATUS(reply->status) == 0)
        return;
    if (c->check && WIFEXITED(reply->status)) {
        take_refusal(c, WEXITSTATUS(reply->status));
        return;
    }
    if (WIFEXITED(reply->status))
        (void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(reply->status));
    else
        (void)snprintf(text, sizeof(text), "ended by signal %d", WTERMSIG(reply->status));
    fail(c, a->host, text);
}

static void on_reply(evutil_socket_t fd, short what, void *ctx)
{
    struct asked *a = ctx;
    struct err err;
    (void)what;
    CLEANUP_FREE struct hostctl_reply *reply = calloc(1, sizeof(*reply));
    if (reply == NULL) {
        fail(a->command, a->host, "out of memory");
    } else if (hostctl_receive(fd, reply, &err) < 0) {
        size_t message = err.code == ERR_TIMEOUT ? strnlen(reply->data, reply->len) : reply->len;
        if (message < reply->len) /* a command that was killed: what it had said */
            take_output(a->command, reply->data + message + 1, reply->len - message - 1);
        fail(a->command, a->host, err.msg);
    } else {
        take_reply(a, reply);
    }
    answered(a);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
    struct asked *a = ctx;
    (void)fd;
    (void)what;
    fail(a->command, a->host, "no answer in time");
    answered(a);
}

static int ask_host(struct run *r, struct asked *a, const struct hostctl_request *request,
                    struct err *err)
{
    if (lab_hostctl(r->lab, a->host, &a->fd, err) < 0 || hostctl_send(a->fd, request, err) < 0)
        return -1;
    int64_t limit = request->timeout_ns + 3 * NS_PER_SEC;
    struct timeval tv = {.tv_sec = (time_t)(limit / NS_PER_SEC)};
    a->event = event_new(r->base, a->fd, EV_READ, on_reply, a);
    a->timer = evtimer_new(r->base, on_timeout, a);
    if (a->event == NULL || a->timer == NULL || event_add(a->event, NULL) < 0 ||
        event_add(a->timer, &tv) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a command");
    return 0;
}

static int fill_request(const struct order *o, struct hostctl_request *q, struct err *err)
{
    q->op = HOSTCTL_RUN;
    q->timeout_ns = o->limit_ns;
    if (o->user != NULL)
        (void)snprintf(q->user, sizeof(q->user), "%s", o->user);
    for (size_t i = 0; i < o->n_command; i++) {
        size_t len = strlen(o->command[i]) + 1;
        if (len > HOSTCTL_DATA_MAX - q->len)
            return make_error(err, ERR_LIMIT, 0, "the command is too long");
        memcpy(q->data + q->len, o->command[i], len);
        q->len += (uint32_t)len;
    }
    return 0;
}

static int choose_hosts(struct run *r, const struct selector *of, bool *chosen, struct err *err)
{
    struct selector_host hosts[PLAN_HOSTS_MAX];
    struct role_holder roles[PLAN_ROLES_MAX];
    for (size_t i = 0; i < r->plan->n_hosts; i++)
        hosts[i] = (struct selector_host){.name = r->plan->hosts[i].name,
                                          .labels = r->plan->hosts[i].labels,
                                          .n_labels = r->plan->hosts[i].n_labels};
    for (size_t i = 0; i < r->scenario->n_roles; i++)
        roles[i] = (struct role_holder){.role = r->scenario->roles[i].name,
                                        .host = r->role_holder[i] < r->plan->n_hosts
                                                    ? r->plan->hosts[r->role_holder[i]].name
                                                    : NULL};
    if (of == NULL)
        return make_error(err, ERR_INPUT, 0, "a run step needs hosts");
    return selector_resolve(of, hosts, r->plan->n_hosts, roles, r->scenario->n_roles,
                            r->options->seed, chosen, err);
}

static struct run_command *command_new(struct run *r, const struct order *o)
{
    struct run_command *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->run = r;
    c->step = o->step;
    c->check = o->check;
    c->output = BUF_INIT(OUTPUT_MAX);
    c->next = r->commands;
    r->commands = c;
    return c;
}

/* `wrong`: why no hosts are chosen, or NULL. */
static void start(struct run *r, const struct order *o, const bool *chosen, const char *wrong)
{
    struct err err;
    CLEANUP_FREE struct hostctl_request *request = calloc(1, sizeof(*request));
    struct run_command *c = request != NULL ? command_new(r, o) : NULL;
    if (c == NULL) {
        run_break(r, &(struct err){.code = ERR_LIMIT, .msg = "out of memory for a command"});
        return;
    }
    c->waiting = 1;
    if (wrong != NULL)
        fail(c, "its hosts", wrong);
    else if (fill_request(o, request, &err) < 0)
        fail(c, "its hosts", err.msg);
    for (size_t h = 0; h < r->plan->n_hosts && !c->failed; h++) {
        if (!chosen[h])
            continue;
        struct asked *a = &c->hosts[c->n++];
        *a = (struct asked){.command = c, .host = r->plan->hosts[h].name, .fd = -1};
        c->waiting++;
        if (ask_host(r, a, request, &err) < 0) {
            fail(c, a->host, err.msg);
            close_asked(a);
            c->waiting--;
        }
    }
    if (--c->waiting == 0)
        command_end(c);
}

static void start_on(struct run *r, const struct order *o, const struct selector *hosts)
{
    struct err err;
    bool chosen[PLAN_HOSTS_MAX] = {false};
    start(r, o, chosen, choose_hosts(r, hosts, chosen, &err) < 0 ? err.msg : NULL);
}

void run_step_command(struct run *r, size_t step)
{
    const struct scenario_step *s = r->plan->steps[step].step;
    start_on(r,
             &(struct order){.step = step,
                             .command = s->command,
                             .n_command = s->n_command,
                             .user = s->user,
                             .limit_ns = plan_run_limit(s)},
             s->hosts);
}

void run_step_task(struct run *r, size_t step, size_t task)
{
    const struct scenario_step *s = r->plan->steps[step].step;
    const struct scenario_task *t = &s->tasks[task];
    start_on(r,
             &(struct order){.step = step,
                             .command = t->command,
                             .n_command = t->n_command,
                             .user = s->user,
                             .limit_ns = plan_limit(t->within)},
             t->hosts != NULL ? t->hosts : s->hosts);
}

void run_step_check(struct run *r, size_t step, size_t host)
{
    const struct scenario_command_check *check = &r->plan->steps[step].step->check;
    bool chosen[PLAN_HOSTS_MAX] = {false};
    chosen[host] = true;
    start(r,
          &(struct order){.step = step,
                          .check = true,
                          .command = check->command,
                          .n_command = check->n_command,
                          .user = check->user,
                          .limit_ns = plan_limit(check->within)},
          chosen, NULL);
}
