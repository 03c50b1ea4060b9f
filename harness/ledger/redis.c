/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redis by hiredis: one element of a list, or of a set, for each write. */
#include "ledger/ledger.h"

struct args {
    int form;
    int64_t port, replicas, sentinel_port;
    struct name sentinel;
    struct text password;
};

enum { FORM_LIST, FORM_SET };
static const char *const forms[] = {"list", "set", NULL};

static const struct param params[] = {
    P(struct args, PARAM_INT, port, .def = "6379", .min = 1, .max = 65535,
      .doc = "Where redis listens on each of the hosts."),
    P(struct args, PARAM_ENUM, form, .def = "list", .choices = forms,
      .doc = "RPUSH to one list, in which a write that was done twice shows; or SADD to one set, "
             "in which it does not."),
    P(struct args, PARAM_INT, replicas, .def = "0", .min = 0, .max = 64,
      .doc = "With more than 0, a write counts as acknowledged only when WAIT says that so many "
             "replicas have it, else as unknown."),
    P(struct args, PARAM_NAME, sentinel,
      .doc = "Name of the master as sentinels know it: who it is is asked of them before each new "
             "connection, as real clients do. Without it, the first host is taken that says that "
             "it is a master."),
    P(struct args, PARAM_INT, sentinel_port, .def = "26379", .min = 1, .max = 65535,
      .doc = "Where sentinels listen on each of the hosts."),
    P(struct args, PARAM_TEXT, password, .max = 512, .doc = "For AUTH."),
};

const struct ledger_kind ledger_redis = {
    .name = "redis",
    .summary = "Elements of a list or set in redis.",
    .doc = "A connection is kept while it works, as clients' pools do; an error, or an answer that "
           "this is no "
           "master (any more), ends it. Each host is read by itself, and the master as a client "
           "finds it.",
    .example = "orders:\n  kind: redis\n  hosts: {label: db}\n  sentinel: shop\n  every: 20ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
};
