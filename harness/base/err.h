/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way to report a failure.
 *
 * A fallible function returns 0, or -1 with *err filled; `struct err` lives on the caller's stack
 * and owns nothing. Library code never logs and never exits: main decides. The list of codes gives,
 * for each, the word that machines read and the exit status that it leads to.
 */
#ifndef BLACKSTART_BASE_ERR_H
#define BLACKSTART_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* code, word, exit status */
#define ERR_CODES(X)                                                                               \
    X(ERR_NONE, "none", 0)                                                                         \
    X(ERR_USAGE, "usage", 2)             /* the command line is wrong                           */ \
    X(ERR_INPUT, "input", 2)             /* a file or a parameter is wrong                      */ \
    X(ERR_SYSTEM, "system", 3)           /* a call to the kernel failed; sys holds errno        */ \
    X(ERR_UNSUPPORTED, "unsupported", 3) /* this host cannot do it; the message says why        */ \
    X(ERR_REFUSED, "refused", 3)         /* policy, bounds or a protected thing forbid it       */ \
    X(ERR_NOT_FOUND, "not-found", 3)     /* what the request names is not there                 */ \
    X(ERR_LAPSED, "lapsed", 3)           /* a lease ran out before it was renewed               */ \
    X(ERR_FOREIGN, "foreign", 4)         /* somebody else changed what we were to put back      */ \
    X(ERR_LIMIT, "limit", 3)             /* a buffer, a frame or a table would pass its maximum */ \
    X(ERR_PROTOCOL, "protocol", 3)       /* a peer sent what it must not                        */ \
    X(ERR_TIMEOUT, "timeout", 3)         /* a peer did not answer in time                       */ \
    X(ERR_CANCELLED, "cancelled", 3)     /* the person asked to stop                            */ \
    X(ERR_DIRTY, "dirty", 4)             /* the host is not as it was                           */ \
    X(ERR_DENIED, "denied", 3)           /* the host's kernel would not let an identity do it   */

enum err_code {
#define ERR_ENUM(code, word, status) code,
    ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
};

enum { ERR_MSG_MAX = 480 };

struct err {
    enum err_code code;
    int sys;       /* errno of the failed call, 0 when none */
    unsigned hint; /* where in msg the mend begins ("did you mean ..."); 0: it has none */
    char msg[ERR_MSG_MAX];
};

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Fills *err (which may be NULL) and returns -1, so that a failure is one line:
 *     return make_error(err, ERR_SYSTEM, errno, "open %s", path);
 * With sys != 0 the text of that errno is appended after a colon. A message too long is cut.
 */
int make_error(struct err *err, enum err_code code, int sys, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The same with "; HINT" behind it: what would mend it, which a reader may show apart. */
int make_error_hint(struct err *err, enum err_code code, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Puts "text: " before the message that is there; returns -1. */
int wrap_error(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The machine-readable word of a code; "none" for what is not a code. */
const char *err_word(enum err_code code);

/* The code of a word; ERR_PROTOCOL for a word that is none of ours. */
enum err_code err_from_word(const char *word);

/* The exit status that a code leads to (0, 2, 3 or 4). */
int err_exit_status(enum err_code code);

#endif
