/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PostgreSQL by libpq: one row for each write. */
#include "ledger/ledger.h"

struct args {
    int64_t port;
    struct text connection;
    struct name table;
};

static const struct param params[] = {
    P(struct args, PARAM_INT, port, .def = "5432", .min = 1, .max = 65535,
      .doc = "Where PostgreSQL listens on each of the hosts."),
    P(struct args, PARAM_TEXT, connection,
      .def = "user=postgres dbname=postgres target_session_attrs=read-write", .max = 2048,
      .doc = "libpq's connection string for writing, without hosts: these are tried in their order "
             "until one is as target_session_attrs wants it. Single hosts are read with "
             "target_session_attrs=any."),
    P(struct args, PARAM_NAME, table, .def = "blackstart_ledger", .max = 48,
      .doc = "The table, made where it is missing."),
};

const struct ledger_kind ledger_postgres = {
    .name = "postgres",
    .summary = "Rows of a table in PostgreSQL.",
    .doc = "Each write is an INSERT in a transaction of its own; the table has no unique key, so "
           "that what was done "
           "twice shows. An INSERT that was committed without the standby that it should have "
           "waited for is unknown.",
    .example = "orders:\n  kind: postgres\n  hosts: {label: db}\n  every: 20ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
};
