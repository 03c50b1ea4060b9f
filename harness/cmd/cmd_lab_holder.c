/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_lab_holder.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hostctl.h"
#include "cmd/scenario_find.h"
#include "cmd/scenario_sets.h"
#include "lab/enter.h"
#include "scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct holder {
    const struct scenario *scenario;
    char name[40], id[48], base[PATH_MAX / 2], state_dir[PATH_MAX - 200];
    int64_t limit_ns;
    int report_fd; /* to the person's process: 'p' progress, 'e' error, 'u' up */
};

static const int64_t default_limit_ns = 8 * 3600 * NS_PER_SEC;
static const int64_t limit_max_ns = INT64_C(8760) * 3600 * NS_PER_SEC;

/* False when nobody listens any more. */
static bool report(const struct holder *h, char what, const char *text)
{
    char line[ERR_MSG_MAX + 8];
    int n = snprintf(line, sizeof(line), "%c%s", what, text);
    return n > 0 && write(h->report_fd, line, (size_t)n + 1) == (ssize_t)n + 1;
}

static void on_progress(void *ctx, const char *text)
{
    (void)report(ctx, 'p', text);
}

static int make_lab(struct holder *h, struct lab **ret, struct err *err)
{
    const struct lab_options options = {
        .id = h->id, .state_dir = h->state_dir, .progress = on_progress, .progress_ctx = h};
    if (lab_up(h->scenario->lab, &options, ret, err) != 0)
        return -1;
    if (lab_start_services(*ret, err) != 0)
        return -1;
    return registry_extend(
        h->state_dir,
        json_pack("{s:s, s:b, s:s}", "name", h->name, "held", 1, "file", h->scenario->file), err);
}

/* SIGTERM or SIGINT, which are blocked, the time's end, or the end of the lab itself. */
static void wait_for_end(const struct holder *h, const struct lab *lab, const sigset_t *blocked)
{
    struct err err;
    CLEANUP_FD int signals = signalfd(-1, blocked, SFD_CLOEXEC);
    CLEANUP_FD int end = -1;
    if (lab_watch(lab, NULL, &end, &err) != 0)
        return;
    int64_t now = 0, deadline = clock_system(CLOCK_BOOTTIME) + h->limit_ns;
    while ((now = clock_system(CLOCK_BOOTTIME)) < deadline) {
        struct pollfd p[2] = {{.fd = signals, .events = POLLIN}, {.fd = end, .events = POLLIN}};
        /* In slices: the wait itself does not count while the machine sleeps. */
        if (poll(p, 2, clock_poll_ms(now, deadline, 60000)) > 0)
            return;
    }
}

static _Noreturn void hold(struct holder *h)
{
    struct err err = {.code = ERR_NONE};
    struct lab *lab = NULL;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    (void)setsid();
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    /* Whoever reads the command's output must not wait for the lab's end. */
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        (void)dup2(null, fd);
    if (make_lab(h, &lab, &err) != 0) {
        lab_free(lab);
        (void)report(h, 'e', err.msg);
        _exit(err_exit_status(err.code));
    }
    if (!report(h, 'u', "")) { /* the person pressed Ctrl-C while it came up */
        lab_free(lab);
        _exit(3);
    }
    (void)close(h->report_fd);
    (void)!chdir("/");
    wait_for_end(h, lab, &blocked);
    int status = lab_down(lab, &err);
    lab_free(lab);
    _exit(status == 0 ? 0 : 4);
}

/* What the holder says until it is up or has failed. */
static int listen_to(int fd, pid_t pid, struct err *err)
{
    char text[4096];
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return make_error(err, ERR_SYSTEM, 0, "the lab's holder (process %d) has ended",
                              (int)pid);
        len += (size_t)n;
        text[len] = '\0';
        for (char *end; (end = memchr(text, '\0', len)) != NULL;) {
            size_t used = (size_t)(end - text) + 1;
            if (text[0] == 'u')
                return 0;
            if (text[0] == 'e')
                return make_error(err, ERR_SYSTEM, 0, "%s", text + 1);
            (void)fprintf(stderr, "%s\n", text + 1);
            len -= used;
            memmove(text, text + used, len);
        }
        if (len == sizeof(text) - 1)
            len = 0;
    }
}

static int start_holder(struct holder *h, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe");
    CLEANUP_FD int from = ends[0];
    h->report_fd = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        hold(h);
    (void)close(ends[1]);
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "start the lab's holder");
    return listen_to(from, pid, err);
}

/* The living lab of this name, or *ret = NULL. One whose holder was killed may be ending just now,
 * and one that comes up is listed soon: either is waited for. */
static int find_settled(const struct holder *h, json_t **ret, struct err *err)
{
    struct err none;
    size_t swept = 0;
    const struct timespec nap = clock_timespec(20 * NS_PER_MS);
    *ret = NULL;
    for (int tries = 0; tries < 100; tries++) {
        if (lab_sweep(h->base, &swept, err) != 0)
            return -1;
        if (registry_find(h->base, h->name, ret, &none) == 0 || access(h->state_dir, F_OK) != 0)
            return 0;
        (void)nanosleep(&nap, NULL);
    }
    return 0;
}

/* The name of the lab: given, or the file's own. */
static int take_name(struct holder *h, const struct command_args *args, struct err *err)
{
    const char *name = command_value(args, "name");
    if (name == NULL)
        name = h->scenario->name;
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof(h->name) ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != len)
        return make_error(err, ERR_USAGE, 0,
                          "a lab's name is letters, digits, - and _, at most %zu: --name",
                          sizeof(h->name) - 1);
    memcpy(h->name, name, len + 1);
    (void)snprintf(h->id, sizeof(h->id), "lab-%s", name);
    if (lab_base_dir(h->base, sizeof(h->base), err) != 0)
        return -1;
    (void)snprintf(h->state_dir, sizeof(h->state_dir), "%s/%s", h->base, h->id);
    json_t *there = NULL;
    if (find_settled(h, &there, err) != 0)
        return -1;
    if (there == NULL)
        return 0;
    json_decref(there);
    return make_error(err, ERR_REFUSED, 0,
                      "a lab \"%s\" is up already: \"blackstart lab down --name %s\" ends it, "
                      "--name gives the new one another name",
                      name, name);
}

static int load(const struct command_args *args, struct scenario **ret, struct err *err)
{
    struct scenario_set sets[SCENARIO_SETS_MAX];
    char file[PATH_MAX];
    size_t n_sets = 0;
    char *texts CLEANUP_FREE = NULL;
    struct problems problems = {0};
    if (scenario_sets(args, sets, &n_sets, &texts, err) != 0 ||
        scenario_find(args->operands[1], file, err) != 0)
        return -1;
    int rc = scenario_load_lab(file, sets, n_sets, ret, &problems, err);
    if (rc == 0 && (*ret)->variants_mentioned && (*ret)->n_variants != 0 &&
        command_value(args, "variant") == NULL)
        rc = make_error(err, ERR_USAGE, 0,
                        "%s has items of variants: --variant %s, or another of its names", file,
                        (*ret)->variants[0].name);
    for (size_t i = 0; rc != 0 && i < problems.n; i++)
        (void)fputs(problems.list[i].text, stderr);
    if (rc != 0 && problems.n != 0)
        rc = 2;
    problems_free(&problems);
    return rc;
}

int cmd_lab_up(const struct command_args *args, struct err *err)
{
    struct holder h = {.limit_ns = default_limit_ns};
    struct scenario *s = NULL;
    struct duration limit = {0};
    const char *length = command_value(args, "for");
    if (args->n_operands != 2)
        return make_error(err, ERR_USAGE, 0, "lab up needs a file: a lab's or a scenario's");
    if (length != NULL && duration_parse(length, &limit, err) != 0 && err->code != ERR_LIMIT)
        return wrap_error(err, "--for");
    if (length != NULL && (limit.ns < NS_PER_SEC || limit.ns > limit_max_ns))
        return make_error(err, ERR_USAGE, 0, "--for: a duration from 1s to 8760h, not \"%s\"",
                          length);
    if (length != NULL)
        h.limit_ns = limit.ns;
    int rc = load(args, &s, err);
    h.scenario = s;
    if (rc == 0 && s->lab == NULL)
        rc = make_error(err, ERR_INPUT, 0, "%s has no lab", args->operands[1]);
    if (rc == 0)
        rc = take_name(&h, args, err);
    if (rc == 0)
        rc = start_holder(&h, err);
    scenario_free(s);
    if (rc == 0)
        (void)printf("lab %s is up; \"blackstart lab exec --name %s HOST\" goes inside, "
                     "\"blackstart lab down --name %s\" ends it\n",
                     h.name, h.name, h.name);
    return rc;
}

static void print_from_inside(const struct registry_process *init)
{
    static const char *const states[] = {"stopped", "starting", "ready", "failed", "held"};
    static struct hostctl_request q;
    static struct hostctl_reply r;
    struct err err;
    CLEANUP_FD int fd = -1;
    if (enter_network(init, &err) != 0 || hostctl_connect(&fd, &err) != 0)
        return;
    q.op = HOSTCTL_LIST;
    for (q.number = 0; hostctl_call(fd, &q, &r, &err) == 0; q.number++)
        (void)printf(" %s:%s", r.service,
                     r.state >= 0 && r.state <= SERVICE_HELD ? states[r.state] : "?");
    (void)fflush(stdout);
}

void cmd_lab_print_services(const json_t *host)
{
    struct registry_process init;
    struct err err;
    if (registry_process_from(host, &init, &err) != 0)
        return;
    (void)fflush(stdout);
    /* In a child: whoever has entered a lab's namespaces cannot enter another's. */
    pid_t pid = fork();
    if (pid == 0) {
        print_from_inside(&init);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
