/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that list a plain table of kinds: probes, ledgers, loads. One line each, below. */
#include "cmd/cmd_kinds.h"
#include "ledger/ledger.h"
#include "load/load.h"
#include "prober/probe.h"

static const struct command_option options[] = {
    {.name = "json", .doc = "Print JSON, with all parameters."},
};

/* word: what one of them is called; kind: one that the example explains. */
#define TABLE(word_, kind)                                                                         \
    static const struct cmd_kinds word_##s = {.word = #word_, .plain = &word_##_kinds};            \
    static int word_##s_run(const struct command_args *args, struct err *err)                      \
    {                                                                                              \
        return cmd_kinds_run(&word_##s, args, err);                                                \
    }                                                                                              \
    static void word_##s_complete(struct buf *out)                                                 \
    {                                                                                              \
        cmd_kinds_words(&word_##s, out);                                                           \
    }                                                                                              \
    const struct command command_##word_##s = {                                                    \
        .name = #word_ "s",                                                                        \
        .summary = "List the kinds of " #word_ ", or explain one: parameters, example.",           \
        .usage = "[--json] [NAME]",                                                                \
        .example = "blackstart " #word_ "s\nblackstart " #word_ "s " kind,                         \
        .options = options,                                                                        \
        .n_options = sizeof(options) / sizeof(options[0]),                                         \
        .operands_max = 1,                                                                         \
        .complete = word_##s_complete,                                                             \
        .run = word_##s_run,                                                                       \
    };

TABLE(probe, "http")
TABLE(ledger, "redis")
TABLE(load, "redis")
