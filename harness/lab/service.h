/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One service on one host, as the host's init runs it: files and directories, start, readiness,
 * stop, restart policy. Every function returns at once; what takes time ends in service_exited or
 * service_tick. Knows nothing of who asks (hostinit.h).
 */
#ifndef BLACKSTART_LAB_SERVICE_H
#define BLACKSTART_LAB_SERVICE_H

#include "base/hostctl.h"
#include "lab/context.h"
#include "lab/hostlog.h"

struct service {
    const struct lab_context *lab;
    size_t host;
    const struct lab_service_spec *spec;
    char **argv, **env, **ready_argv, **reload_argv; /* this host's texts */
    char *ready_what;
    const struct user *user;
    bool prepared;
    enum lab_faults faults; /* never LAB_FAULTS_AUTO once it is prepared */
    pid_t supervisor;       /* of its trapped calls; 0: none */
    enum service_state state;
    pid_t pid, checker;
    int64_t started_ns;
    int64_t restart_at; /* CLOCK_MONOTONIC; 0: not waiting to be started again */
    int64_t kill_at;    /* stopping: when patience ends; 0: not stopping */
    bool held, start_again;
    bool masked; /* not to be started, by anybody */
    int32_t last_status;
    uint32_t restarts;
    int group_fds[LAB_GROUPS]; /* this service's directories; -1 */
    struct hostlog log;
};

int service_init(struct service *s, const struct lab_context *lab, size_t host,
                 const struct lab_service_spec *spec, int logs_fd, struct err *err) MUST_CHECK;

/* ERR_REFUSED while it is masked, also when it runs. */
int service_start(struct service *s, struct err *err) MUST_CHECK;

/* How it stands for others: one that is being stopped, or was killed and is not gone yet, still
 * runs, but is none that can be left alone; one whose restart is due is none that others have to
 * start. */
enum service_state service_state_told(const struct service *s);

/* Stops it; hold keeps it stopped until service_start, again starts it when it is gone. */
void service_stop(struct service *s, bool hold, bool again);

/* One that is being stopped is killed at `latest` (CLOCK_MONOTONIC), if not before by its own
 * timeout. */
void service_stop_by(struct service *s, int64_t latest);

/* A child of the init ended; true when it was one of this service. */
bool service_exited(struct service *s, pid_t pid, int status);

/* Does what is due; returns the CLOCK_MONOTONIC time of what is due next, INT64_MAX for nothing. */
int64_t service_tick(struct service *s, int64_t now);

/* Runs a command as this service's user with its environment; output to out_fd. */
int service_command(struct service *s, char *const *argv, int out_fd, pid_t *ret,
                    struct err *err) MUST_CHECK;

#endif
