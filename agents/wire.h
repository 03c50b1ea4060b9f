/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent's processes say to each other: fixed-size structs over SOCK_SEQPACKET, one message
 * one datagram. netside fills a request from JSON, privside believes none of it and checks every
 * field again (wire_check_request, then row, policy and state). The guardian believes privside,
 * which wrote the undo records, and nobody else.
 */
#ifndef BLACKSTART_AGENTS_WIRE_H
#define BLACKSTART_AGENTS_WIRE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INJECTIONS_MAX = 32, ITEMS_MAX = 64 };

enum agent_op {
    OP_HELLO,
    OP_BASELINE,
    OP_PREPARE, /* the row's args struct follows */
    OP_APPLY,
    OP_VERIFY,
    OP_EVIDENCE,
    OP_RENEW,
    OP_REVERT,
    OP_CLEAN, /* struct paths follows */
    OP_STATUS,
    OP_COUNT
};

enum { AGENT_GROUPS_MAX = 8 };

struct agent_request {
    uint32_t op;
    uint32_t body; /* bytes that follow */
    int64_t lease_ns;
    int64_t for_ns; /* 0: until reverted */
    char run[RUN_ID_MAX + 1];
    char host[NAME_MAX_LEN + 1];
    char injection[INJECTION_ID_MAX + 1];
    char fault[NAME_MAX_LEN + 1];
    char as[NAME_MAX_LEN + 1]; /* the host's user who would do it; empty: nobody is asked */
    uint32_t n_groups;         /* beside the user's own */
    char groups[AGENT_GROUPS_MAX][NAME_MAX_LEN + 1];
};

/* One line of a list: a fault and whether it is supported (text: why not; or how, if that is
 * told), a replayed record, a lapsed injection, a
 * difference, an injection's state. */
struct agent_item {
    char name[NAME_MAX_LEN + 1];
    char fault[NAME_MAX_LEN + 1];
    char text[ERR_MSG_MAX];
    int64_t number;
    int32_t restored_by; /* enum restored_by, of a replay */
    uint8_t yes, foreign;
};

enum agent_kind { AGENT_REPLY, AGENT_ENDED };

struct agent_reply {
    uint32_t kind; /* enum agent_kind; AGENT_ENDED comes unasked */
    int32_t code;  /* enum err_code */
    int32_t sys;
    int32_t ended_by;    /* enum ended_by */
    int32_t restored_by; /* enum restored_by */
    int32_t privside, guardian;
    uint32_t n_items;    /* struct agent_item that follow */
    uint32_t unreadable; /* records or whole logs of this host, by an unknown format */
    uint8_t active, clean, foreign, has_evidence;
    int32_t evidence_class;
    char injection[INJECTION_ID_MAX + 1];
    char digest[DIGEST_TEXT];
    char msg[ERR_MSG_MAX];
    char what[160];
    char manual[400];
    struct evidence evidence;
};

/*
 * The part of the check that needs no state: lengths, termination and characters of every name,
 * the body's length for the operation, bounds of times. `size` is the datagram's.
 */
int wire_check_request(const struct agent_request *r, size_t size, struct err *err) MUST_CHECK;

/* [a-z0-9-], of a run or an injection (both become part of names in the kernel); [A-Za-z0-9._@-].
 * At least one character, NUL-terminated within size. */
bool wire_is_id(const char *s, size_t size);
bool wire_is_name(const char *s, size_t size);

/* A connected pair of SOCK_SEQPACKET sockets, large enough for the largest request. */
int wire_pair(int ret[2], struct err *err) MUST_CHECK;

/* One datagram of two parts (the second may be empty). */
int wire_send(int fd, const void *head, size_t head_size, const void *body, size_t body_size,
              struct err *err) MUST_CHECK;

/*
 * One datagram into two places. *ret_size is 0 at end of file. Waits at most timeout_ms (-1: for
 * ever), then ERR_TIMEOUT.
 */
int wire_receive(int fd, void *head, size_t head_size, void *body, size_t body_size,
                 size_t *ret_size, int timeout_ms, struct err *err) MUST_CHECK;

#endif
