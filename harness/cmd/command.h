/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subcommands as a table: one row says name, operands, options and example of a command, and the
 * parser, `--help`, shell completion and the man page derive from it. A cmd_*.c file exports one
 * row and turns its arguments into calls and their results into text. Knows no command itself:
 * main.c has the list (commands.def).
 */
#ifndef BLACKSTART_COMMAND_H
#define BLACKSTART_COMMAND_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_SEED_MAX ((UINT64_C(1) << 53) - 1) /* what a JSON number holds exactly */

enum { COMMAND_VALUES_MAX = 64, COMMAND_OPERANDS_ANY = -1, COMMAND_TOLD = -2 };

struct command_option {
    const char *name;               /* long, without dashes */
    char letter;                    /* short form, or 0 */
    const char *argument;           /* its name in the help ("DIR"); NULL: a flag */
    bool repeat;                    /* may be given more than once; otherwise twice is an error */
    const char *doc;                /* one sentence */
    void (*words)(struct buf *out); /* adds what its value may be, behind the sentence; or NULL */
};

/* What a person gave; texts point into argv. */
struct command_args {
    const struct command *command;
    const char *const *operands;
    size_t n_operands;
    bool split;      /* there was a "--", */
    size_t n_before; /* with so many operands before it */
    struct command_value {
        const struct command_option *option;
        const char *value; /* NULL for a flag */
    } values[COMMAND_VALUES_MAX];
    size_t n_values;
};

struct command {
    const char *name;
    const char *summary; /* one line, for the list */
    const char *usage;   /* the operands, as the help shows them: "[OPTIONS] FILE..." */
    const char *doc;     /* some more sentences; may be NULL */
    const char *example; /* whole command lines, one a line */
    const struct command_option *options;
    size_t n_options;
    bool json_lines;                   /* --json prints an object a line: what is wrong is none */
    int operands_min, operands_max;    /* COMMAND_OPERANDS_ANY: no maximum */
    void (*complete)(struct buf *out); /* adds the words that an operand may be; NULL: files */
    /* The exit status, 0 or more; or -1 with err, whose code gives the exit status, and of which
     * --json makes a document; or COMMAND_TOLD with err, where a document is printed already. */
    int (*run)(const struct command_args *args, struct err *err);
};

struct command_list {
    const struct command *const *commands;
    size_t n;
};

/* All of them; defined beside main(). */
extern const struct command_list command_list;

/* Parses the command line, runs the command, prints errors to stderr; returns the exit status. */
int command_main(const struct command_list *list, int argc, char **argv);

/* Options anywhere before "--", operands in their order. argv starts behind the command's name; its
 * pointers are reordered. */
int command_parse(const struct command *command, int argc, char **argv, struct command_args *ret,
                  struct err *err) MUST_CHECK;

/* With --json, what there is instead of a result: {verdict: null, exit, error, problems}. Takes
 * over `problems`. */
void command_print_refusal(const struct command_args *args, const struct err *err,
                           json_t *problems);

bool command_flag(const struct command_args *args, const char *option);
/* The value of an option, or NULL when it was not given. */
const char *command_value(const struct command_args *args, const char *option);
/* A whole number from min to max; *ret stays as it is when the option was not given. */
int command_count(const struct command_args *args, const char *option, uint64_t min, uint64_t max,
                  uint64_t *ret, struct err *err) MUST_CHECK;
/* The i-th value of a repeated option, or NULL past the last. */
const char *command_value_at(const struct command_args *args, const char *option, size_t i);

const struct command *command_find(const struct command_list *list, const char *name);

/* The texts that derive from the table. */
void command_print_help(const struct command *command, size_t width, struct buf *out);
void command_list_print_help(const struct command_list *list, struct buf *out);
void command_list_print_man(const struct command_list *list, struct buf *out);
int command_list_print_completion(const struct command_list *list, const char *shell,
                                  struct buf *out, struct err *err) MUST_CHECK;

#endif
