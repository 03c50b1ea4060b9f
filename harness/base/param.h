/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed parameters: one table row says name, type, bounds, default and meaning of a parameter, and
 * everything else derives from it: YAML parsing, JSON Schema, the wire, the reference page, checks
 * on the privileged side.
 *
 * An args struct is plain bytes: fixed size, no pointers, so that it crosses a socket whole. Types
 * carry their unit: a duration, a ratio and a size are distinct structs, and a person must write
 * 100ms, 5%, 64MiB; a bare number where a unit belongs is an error. Knows nothing of YAML: the
 * scenario hands it scalars.
 */
#ifndef BLACKSTART_BASE_PARAM_H
#define BLACKSTART_BASE_PARAM_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    NAME_MAX_LEN = 63,
    PATH_MAX_LEN = 255,
    TEXT_MAX_LEN = 31743, /* three texts, a path and more fit ARGS_MAX */
    ADDRS_MAX = 2048,     /* 1,000 peers with an IPv4 and an IPv6 address each, and room */
    PORTS_MAX = 16,
    LIST_MAX = 16,
    ARGS_MAX = 96 * 1024 /* the largest args struct; it crosses a socketpair in one message */
};

struct duration {
    int64_t ns;
}; /* 1ns us ms s m h, may be joined: 1m30s */
struct ratio {
    uint32_t ppm;
}; /* 0% .. 100%, in millionths */
struct bytes {
    uint64_t n;
}; /* B KiB MiB GiB KB MB GB */
struct name {
    char s[NAME_MAX_LEN + 1];
}; /* [A-Za-z0-9._@-]+ */
struct path {
    char s[PATH_MAX_LEN + 1];
}; /* absolute, no "." or ".." parts, no double or trailing slash */
struct text {
    uint32_t len;
    char s[TEXT_MAX_LEN + 1];
}; /* UTF-8, no NUL inside, NUL behind */
struct addr {
    uint8_t family, prefix, ip[16];
}; /* family 4 or 6, prefix in bits, ip in network order */
/* Also: the bits behind the prefix, and the bytes that IPv4 does not use, are zero. */
struct addrs {
    uint32_t n;
    struct addr a[ADDRS_MAX];
};
struct ports {
    uint32_t n;
    struct port_range {
        uint16_t lo, hi;
    } r[PORTS_MAX];
}; /* 2379, 8000-8999 */
struct names {
    uint32_t n;
    struct name v[LIST_MAX];
};
struct paths {
    uint32_t n;
    struct path v[LIST_MAX];
};

enum param_type {
    PARAM_BOOL,     /* bool: true | false (yes, no, on, off are errors that say so) */
    PARAM_INT,      /* int64_t, decimal only */
    PARAM_DURATION, /* struct duration */
    PARAM_RATIO,    /* struct ratio */
    PARAM_BYTES,    /* struct bytes */
    PARAM_ENUM,     /* int: index into choices */
    PARAM_NAME,     /* struct name */
    PARAM_PATH,     /* struct path */
    PARAM_TEXT,     /* struct text */
    PARAM_ERRNO,    /* int: EIO, ENOSPC ... by name */
    PARAM_SIGNAL,   /* int: KILL, TERM ... by name, with or without SIG */
    PARAM_HOSTS,    /* struct addrs: a selector in YAML, resolved to addresses by the plan before it
                       gets here */
    PARAM_PORTS,    /* struct ports, list */
    PARAM_NAMES,    /* struct names, list */
    PARAM_PATHS,    /* struct paths, list */
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset; /* in the args struct */
    bool required;
    const char *def; /* default, as a person would write it; NULL: all zero bytes = "not given" */
    /* In the type's own unit (ns, ppm, bytes, count of a list, length of a text); both 0: the
     * type's own; max 0 under a min above it: no upper bound but the type's own. */
    int64_t min, max;
    const char *const *choices; /* PARAM_ENUM: NULL-terminated */
    const char *doc;            /* one sentence */
    const char *file; /* NAMES: when there are any, this file of the host is the row's to change,
                         as if it were named by a path; NULL: no file is */
};

/* Rows: P(struct args, PARAM_DURATION, field, .def = "1s", .doc = "..."). The YAML name is the
 * field's name. */
#define P(args, kind, field, ...)                                                                  \
    {                                                                                              \
        .name = #field, .type = (kind), .offset = offsetof(args, field), __VA_ARGS__               \
    }

/* Is the type a list, of which each item is written on its own? (PORTS, NAMES, PATHS; HOSTS is a
 * selector.) */
bool param_is_list(enum param_type type);

/* How a person writes a value, for messages: "a duration such as 100ms, from 1ms to 10s". Returns
 * out. */
const char *param_expects(const struct param *p, char *out, size_t size);

/*
 * One scalar, as written, into its place in args (for a list: appended). The message says what was
 * expected, without the parameter's name and position: the caller knows them.
 */
int param_parse(const struct param *p, const char *text, void *args, struct err *err) MUST_CHECK;

/* Zeroes args (size bytes) and puts in the defaults. Cannot fail for a table that passed
 * param_table_check. */
int params_default(const struct param *params, size_t n, void *args, size_t size,
                   struct err *err) MUST_CHECK;

/*
 * Bounds, enum indices, NUL-termination, list counts, canonical paths: everything that bytes from
 * an untrusted process could have wrong. Required parameters must be there. No allocation: privside
 * calls it.
 */
int params_check(const struct param *params, size_t n, const void *args,
                 struct err *err) MUST_CHECK;

/*
 * args <-> JSON object for wire and journal: durations as "100ms"-style text, lists as arrays,
 * addresses as "10.0.0.1" or "10.0.0.0/24" (the prefix only when it is not the whole address). What
 * has no default and was not given is left out. Decoding ends with params_check.
 */
json_t *params_encode(const struct param *params, size_t n, const void *args);
int params_decode(const struct param *params, size_t n, const json_t *object, void *args,
                  size_t size, struct err *err) MUST_CHECK;

/* JSON Schema (draft-07) of one parameter. */
json_t *param_schema(const struct param *p);

const struct param *param_find(const struct param *params, size_t n, const char *name);

/* The one of type PARAM_HOSTS; NULL: there is none. */
const struct param *param_find_hosts(const struct param *params, size_t n);

/* The table itself is sound: offsets inside size, defaults parse, bounds ordered, names unique. For
 * tests. */
int param_table_check(const struct param *params, size_t n, size_t size,
                      struct err *err) MUST_CHECK;

/* Scalars on their own, for rows outside a table. `text` is taken whole: no space around, decimal
 * only. ERR_LIMIT: a duration that is longer than any. */
int duration_parse(const char *text, struct duration *ret, struct err *err) MUST_CHECK;
int ratio_parse(const char *text, struct ratio *ret, struct err *err) MUST_CHECK;
int bytes_parse(const char *text, struct bytes *ret, struct err *err) MUST_CHECK;
int addr_parse(const char *text, struct addr *ret, struct err *err) MUST_CHECK;
/* Is all of a in net? Of itself, too. */
bool addr_contains(const struct addr *net, const struct addr *a);
/* Into out[size], shortest exact form ("1m30s", "2.5%", "64MiB", "10.0.0.1"); returns out. */
const char *duration_print(struct duration d, char *out, size_t size);
const char *ratio_print(struct ratio r, char *out, size_t size);
const char *bytes_print(struct bytes b, char *out, size_t size);
const char *addr_print(const struct addr *a, char *out, size_t size);

/* The word of the list nearest to `word` (edit distance at most a third of its length, rounded up;
 * of a single letter only the case may differ), or NULL. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
