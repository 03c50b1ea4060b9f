/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talking to a lab host's init: service state, start, stop, reload, and commands inside the host.
 *
 * The init listens on the abstract socket "blackstart-init" (SOCK_SEQPACKET) of the host's network
 * namespace; it answers only peers that stand outside its pid namespace (SO_PEERCRED pid 0), so
 * that nothing running in the host can use it, and that deleting files in the host cannot break it.
 * Messages are fixed-size structs: no allocation on either side, because reverts use it.
 */
#ifndef BLACKSTART_BASE_HOSTCTL_H
#define BLACKSTART_BASE_HOSTCTL_H

#include "base/err.h"
#include "base/param.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HOSTCTL_SOCKET "blackstart-init"
/* The message of a START: a supervisor answers the service's calls (agents/fiu/supervisor.h). */
#define HOSTCTL_TRAPPED "trapped"

enum hostctl_op {
    HOSTCTL_STATUS, /* of one service */
    HOSTCTL_LIST,   /* the service with index `number`; ERR_NOT_FOUND past the last */
    HOSTCTL_START,
    HOSTCTL_STOP, /* and hold: the restart policy does not bring it back until START */
    HOSTCTL_RESTART,
    HOSTCTL_RELOAD, /* as the service declares it: a signal or a command */
    HOSTCTL_SIGNAL, /* signal `number` to the service's main process */
    HOSTCTL_RUN,    /* a command in the host: argv in data, NUL-separated; output comes back */
    HOSTCTL_MASK,   /* START, RESTART and the restart policy fail until UNMASK; what runs goes on */
    HOSTCTL_UNMASK  /* and nothing else: what ended meanwhile stays so until START */
};

enum service_state {
    SERVICE_STOPPED,
    SERVICE_STARTING,
    SERVICE_READY,
    SERVICE_FAILED,
    SERVICE_HELD
};

enum { HOSTCTL_DATA_MAX = 60000 };

struct hostctl_request {
    uint32_t op;
    int32_t number;
    int64_t
        timeout_ns; /* RUN: the command is killed then; others: how long to wait for the effect */
    char service[NAME_MAX_LEN + 1];
    char user[NAME_MAX_LEN + 1]; /* RUN: who; empty: root of the host */
    uint32_t len;                /* bytes of data that follow; only these are sent */
    char data[HOSTCTL_DATA_MAX];
};

struct hostctl_reply {
    int32_t code;       /* enum err_code */
    int32_t state;      /* enum service_state */
    int32_t pid;        /* main process, in the host's own pid namespace; 0 when none */
    int32_t status;     /* wait status of RUN's command, or of the service's last exit */
    uint32_t restarts;  /* by the init's own restart policy since the host's start */
    int32_t masked;     /* 0 or 1 */
    int64_t started_ns; /* CLOCK_MONOTONIC at which the service was last started */
    char service[NAME_MAX_LEN + 1];
    uint32_t len; /* bytes of data: RUN's output (stdout and stderr in the order they came), or a
                     message, and behind its zero byte what a command had said that was killed */
    char data[HOSTCTL_DATA_MAX];
};

/* Connects in the caller's network namespace. Returns a descriptor in *ret_fd. */
int hostctl_connect(int *ret_fd, struct err *err) MUST_CHECK;

/* One request, one reply; fails with ERR_TIMEOUT after the request's time-out and two seconds. */
int hostctl_call(int fd, const struct hostctl_request *request, struct hostctl_reply *ret,
                 struct err *err) MUST_CHECK;

/* The two halves of a call, for a caller that turns a loop of its own while the init works. */
int hostctl_send(int fd, const struct hostctl_request *request, struct err *err) MUST_CHECK;
int hostctl_receive(int fd, struct hostctl_reply *ret, struct err *err) MUST_CHECK;

/* The same without structs of 60 kB on the stack: connect, one operation on a service, close. */
int hostctl_service(enum hostctl_op op, const char *service, int number, int64_t timeout_ns,
                    int32_t *ret_pid, int32_t *ret_state, struct err *err) MUST_CHECK;

/* A command of RUN from a text: NUL-separated words, quotes keep spaces. They are never longer than
 * the text, which is at most HOSTCTL_DATA_MAX long. */
int hostctl_split(const char *text, struct hostctl_request *r, struct err *err) MUST_CHECK;

/* What there is to know of a service in one answer. */
struct hostctl_look {
    int32_t pid, state, masked;
};
int hostctl_look(const char *service, int64_t timeout_ns, struct hostctl_look *ret,
                 struct err *err) MUST_CHECK;

#endif
