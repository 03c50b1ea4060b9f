/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands in the vantage host, for services that no other kind knows. */
#include "ledger/ledger.h"

struct args {
    struct text write, read;
    struct name user;
    int64_t refused;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, write, .required = true, .min = 1, .max = 4096,
      .doc = "The command for one write; {id} is its number, {prefix} this ledger's own text. No "
             "shell reads it. Status 0 acknowledges."),
    P(struct args, PARAM_TEXT, read, .required = true, .min = 1, .max = 4096,
      .doc = "The command that prints all that is there, one number a line; it may print 60,000 "
             "bytes."),
    P(struct args, PARAM_INT, refused, .def = "0", .min = 0, .max = 255,
      .doc = "The status that says for certain that nothing was written; any other but 0 is "
             "unknown. 0: there is none."),
    P(struct args, PARAM_NAME, user, .doc = "Who runs both; root when not given."),
};

const struct ledger_kind ledger_exec = {
    .name = "exec",
    .summary = "Commands in the host on which the ledger stands.",
    .doc = "A process for each write: for slow rates.",
    .example = "orders:\n  kind: exec\n  write: redis-cli -h db1 rpush {prefix} {id}\n"
               "  read: redis-cli -h db1 lrange {prefix} 0 -1\n  every: 200ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .lab_only = true,
    .no_hosts = true,
};
