/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/service.h"

#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/cgroup.h"
#include "lab/hostexec.h"
#include "lab/ready.h"
#include "lab/servicefaults.h"
#include "lab/servicefiles.h"
#include "lab/subst.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t default_stop_ns = 10 * NS_PER_SEC;

#define PRELOAD_ENV  "LD_PRELOAD=" FIU_LIBRARY_PATH
#define PRELOAD_PAGE FIU_ENV_PAGE "=" FIU_PAGE_DIR "/%s.page"

static int take_env(struct service *s, struct err *err)
{
    const struct lab_service_spec *spec = s->spec;
    const char *all[512];
    char page[128 + NAME_MAX_LEN];
    bool again = s->env != NULL;
    size_t n = 0;
    if (spec->n_env > 500)
        return make_error(err, ERR_LIMIT, 0, "service %s has more than 500 variables", spec->name);
    if (s->faults == LAB_FAULTS_PRELOAD) {
        (void)snprintf(page, sizeof(page), PRELOAD_PAGE, spec->name);
        all[n++] = PRELOAD_ENV;
        all[n++] = page;
    }
    for (size_t i = 0; i < spec->n_env; i++)
        all[n++] = spec->env[i];
    if (again)
        subst_free_list(s->env);
    return subst_list(s->lab, s->host, all, n, &s->env, err);
}

int service_init(struct service *s, const struct lab_context *lab, size_t host,
                 const struct lab_service_spec *spec, int logs_fd, struct err *err)
{
    *s = (struct service){.lab = lab,
                          .host = host,
                          .spec = spec,
                          .faults = servicefaults_asked(spec),
                          .state = SERVICE_STOPPED};
    memset(s->group_fds, -1, sizeof(s->group_fds));
    hostlog_init(&s->log, logs_fd, spec->name);
    s->user = users_find(&lab->users, spec->user);
    if (s->user == NULL || spec->n_command == 0)
        return make_error(err, ERR_INPUT, 0, "service %s has no %s", spec->name,
                          s->user == NULL ? "such user" : "command");
    if (subst_list(lab, host, spec->command, spec->n_command, &s->argv, err) != 0 ||
        subst_list(lab, host, spec->ready_command, spec->n_ready_command, &s->ready_argv, err) !=
            0 ||
        subst_list(lab, host, spec->reload_command, spec->n_reload_command, &s->reload_argv, err) !=
            0 ||
        subst_text(lab, host, spec->ready_what != NULL ? spec->ready_what : "", &s->ready_what,
                   err) != 0)
        return wrap_error(err, "service %s", spec->name);
    return take_env(s, err);
}

int service_command(struct service *s, char *const *argv, int out_fd, pid_t *ret, struct err *err)
{
    const struct hostexec how = {.argv = argv,
                                 .env = s->env,
                                 .user = s->user,
                                 .workdir = s->spec->workdir,
                                 .out_fd = out_fd};
    return hostexec_start(s->lab, &how, ret, err);
}

static void end_checker(struct service *s)
{
    if (s->checker > 0)
        (void)kill(-s->checker, SIGKILL);
    s->checker = 0;
}

static int begin_checker(struct service *s, struct err *err)
{
    if (s->spec->ready == READY_NONE) {
        s->state = SERVICE_READY;
        return 0;
    }
    s->state = SERVICE_STARTING;
    return ready_start(s, &s->checker, err);
}

/* What it is, and how its calls are reached, is known when its files are there. */
static int prepare(struct service *s, struct err *err)
{
    if (s->prepared)
        return 0;
    if (servicefiles_make(s->lab, s->host, s->spec, s->user, err) != 0)
        return -1;
    if (s->faults == LAB_FAULTS_AUTO) {
        s->faults = servicefaults_choose(s->argv[0]);
        if (take_env(s, err) != 0)
            return -1;
    }
    s->prepared = true;
    return 0;
}

static int start_process(struct service *s, struct err *err)
{
    CLEANUP_FD int out = -1;
    CLEANUP_FD int trap = -1;
    if (hostlog_open(&s->log, s->user->uid, &out, err) != 0)
        return -1;
    uint64_t points = s->faults == LAB_FAULTS_SECCOMP ? servicefaults_points(s->spec) : 0;
    if (points != 0 && servicefaults_supervise(s->spec, points, &s->supervisor, &trap, err) != 0)
        return -1;
    cgroup_open_service(s->lab, s->host, s->spec, s->group_fds);
    const struct hostexec how = {.argv = s->argv,
                                 .env = s->env,
                                 .user = s->user,
                                 .workdir = s->spec->workdir,
                                 .out_fd = out,
                                 .open_files = s->spec->open_files,
                                 .processes = s->spec->processes,
                                 .group_fds = s->group_fds,
                                 .trap_points = points,
                                 .trap_socket = trap};
    return hostexec_start(s->lab, &how, &s->pid, err);
}

/* PF_SIGNALED of the kernel's include/linux/sched.h, the flags in /proc/PID/stat. */
enum { SIGNALED = 0x400, FLAGS_FIELD = 6 };

static bool read_proc(pid_t pid, const char *file, char *out, size_t size)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Is there a fatal signal that it has taken, or cannot but take? */
static bool is_ending(const struct service *s)
{
    char text[2048];
    if (s->pid <= 0 || !read_proc(s->pid, "stat", text, sizeof(text)))
        return false;
    const char *at = strrchr(text, ')');
    for (int field = 0; at != NULL && field <= FLAGS_FIELD; field++)
        at = strchr(at + 1, ' ');
    if (at != NULL && (strtoul(at, NULL, 10) & SIGNALED) != 0)
        return true;
    at = read_proc(s->pid, "status", text, sizeof(text)) ? strstr(text, "\nSigPnd:") : NULL;
    return at != NULL && (strtoull(at + strlen("\nSigPnd:"), NULL, 16) >> (SIGKILL - 1) & 1) != 0;
}

int service_start(struct service *s, struct err *err)
{
    if (s->masked)
        return make_error(err, ERR_REFUSED, 0, "service %s is masked", s->spec->name);
    s->held = false;
    s->restart_at = 0;
    if (s->kill_at != 0) {
        s->start_again = true;
        return 0;
    }
    if (s->pid > 0 && is_ending(s)) {
        s->start_again = true;
        s->state = SERVICE_STARTING;
    }
    if (s->pid > 0)
        return 0;
    s->state = SERVICE_FAILED;
    if (prepare(s, err) != 0 || start_process(s, err) != 0)
        return wrap_error(err, "service %s", s->spec->name);
    s->started_ns = clock_system(CLOCK_MONOTONIC);
    return begin_checker(s, err);
}

void service_stop(struct service *s, bool hold, bool again)
{
    s->held = hold;
    s->start_again = again;
    s->restart_at = 0;
    end_checker(s);
    if (s->pid <= 0) {
        s->state = hold ? SERVICE_HELD : SERVICE_STOPPED;
        return;
    }
    int signal_number = s->spec->stop_signal != 0 ? s->spec->stop_signal : SIGTERM;
    int64_t patience = s->spec->stop_timeout.ns != 0 ? s->spec->stop_timeout.ns : default_stop_ns;
    s->kill_at = clock_system(CLOCK_MONOTONIC) + patience;
    (void)kill(s->pid, signal_number);
    /* A stopped process acts on a signal only when it runs. */
    (void)kill(s->pid, SIGCONT);
}

void service_stop_by(struct service *s, int64_t latest)
{
    if (s->kill_at > latest)
        s->kill_at = latest;
}

static bool policy_restarts(const struct service *s, int status)
{
    bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return s->spec->restart == RESTART_ALWAYS || (s->spec->restart == RESTART_ON_FAILURE && failed);
}

enum service_state service_state_told(const struct service *s)
{
    if (s->restart_at != 0 || s->start_again)
        return SERVICE_STARTING;
    if (s->kill_at != 0)
        return s->held ? SERVICE_HELD : SERVICE_STOPPED;
    if (!is_ending(s))
        return s->state;
    return s->held ? SERVICE_HELD : policy_restarts(s, SIGKILL) ? SERVICE_STARTING : SERVICE_FAILED;
}

static void note_exit(struct service *s, int status)
{
    char line[120];
    if (WIFSIGNALED(status))
        (void)snprintf(line, sizeof(line), "%s was killed by signal %d", s->spec->name,
                       WTERMSIG(status));
    else
        (void)snprintf(line, sizeof(line), "%s exited with status %d", s->spec->name,
                       WEXITSTATUS(status));
    hostlog_note(&s->log, line);
}

static void main_exited(struct service *s, int status)
{
    bool asked = s->kill_at != 0;
    if (s->log.pipe_fd >= 0)
        (void)hostlog_read(&s->log);
    note_exit(s, status);
    /* What it left running would hold its ports against the next start. */
    (void)kill(-s->pid, SIGKILL);
    cgroup_kill(s->group_fds[LAB_GROUP_V2]);
    end_checker(s);
    s->pid = 0;
    s->kill_at = 0;
    s->last_status = status;
    s->state = s->held ? SERVICE_HELD : asked ? SERVICE_STOPPED : SERVICE_FAILED;
    if (s->start_again) {
        s->start_again = false;
        s->restart_at = 1;
    } else if (!asked && !s->held && policy_restarts(s, status)) {
        s->restarts++;
        s->restart_at = clock_system(CLOCK_MONOTONIC) + s->spec->restart_delay.ns;
    }
}

bool service_exited(struct service *s, pid_t pid, int status)
{
    if (pid == s->checker) {
        s->checker = 0;
        if (s->state == SERVICE_STARTING && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            s->state = SERVICE_READY;
        return true;
    }
    if (pid == s->supervisor && pid != 0) {
        s->supervisor = 0;
        if (s->pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
            hostlog_note(&s->log, "the supervisor of its trapped calls has ended before it: these "
                                  "fail with ENOSYS until it is started again");
        return true;
    }
    if (pid != s->pid || pid == 0)
        return false;
    main_exited(s, status);
    return true;
}

static void restart_due(struct service *s, int64_t now)
{
    struct err err;
    bool masked = s->masked;
    s->restart_at = 0;
    if (service_start(s, &err) == 0)
        return;
    hostlog_note(&s->log, err.msg);
    s->state = SERVICE_FAILED;
    int64_t delay = s->spec->restart_delay.ns;
    /* Whoever masked it starts it again, or nobody does: the policy has given up. */
    if (!masked)
        s->restart_at = now + (delay > NS_PER_SEC ? delay : NS_PER_SEC);
}

int64_t service_tick(struct service *s, int64_t now)
{
    if (s->kill_at != 0 && now >= s->kill_at && s->pid > 0) {
        (void)kill(-s->pid, SIGKILL);
        (void)kill(s->pid, SIGKILL);
        s->kill_at = now + NS_PER_SEC;
    }
    if (s->restart_at != 0 && now >= s->restart_at && s->pid == 0)
        restart_due(s, now);
    int64_t next = s->kill_at != 0 ? s->kill_at : INT64_MAX;
    return s->restart_at != 0 && s->restart_at < next ? s->restart_at : next;
}
