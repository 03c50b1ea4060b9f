/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Those who talk to a host's init: each connection has at most one request under way; its answer is
 * sent when the effect is there (the service ready, gone, the command ended) or the time-out
 * passes. Owned by the init's loop, which tells it of readable descriptors, ended children and
 * time.
 */
#ifndef BLACKSTART_LAB_HOSTCLIENT_H
#define BLACKSTART_LAB_HOSTCLIENT_H

#include "base/hostctl.h"
#include "lab/service.h"

enum { HOSTCLIENT_MAX = 32 };

struct hostclient {
    int fd; /* -1: free */
    bool busy;
    struct hostctl_request request;
    struct service *service;
    int64_t deadline;
    pid_t job; /* of RUN, and of RELOAD by command; 0: none, or ended */
    bool job_ended, job_killed;
    int32_t job_status;
    int out_fd; /* -1: no output to read */
    uint32_t out_len;
    char out[HOSTCTL_DATA_MAX];
};

struct hostclient_table {
    const struct lab_context *lab;
    struct service services[LAB_SERVICES_MAX];
    size_t n_services;
    struct hostclient clients[HOSTCLIENT_MAX];
    struct hostctl_reply reply; /* room for the one that is being sent */
};

void hostclient_init(struct hostclient_table *t);
bool hostclient_add(struct hostclient_table *t, int fd); /* takes fd, or returns false */
void hostclient_request(struct hostclient_table *t, struct hostclient *c);
void hostclient_output(struct hostclient *c);
void hostclient_exited(struct hostclient_table *t, pid_t pid, int status);

/* What is due of services and requests; returns the CLOCK_MONOTONIC time of what is due next. */
int64_t hostclient_tick(struct hostclient_table *t, int64_t now);

#endif
