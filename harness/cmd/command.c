/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/command.h"

#include "base/param.h"
#include "cmd/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

static const struct command_option help_option = {
    .name = "help", .letter = 'h', .doc = "Print this text."};

const struct command *command_find(const struct command_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->commands[i]->name, name) == 0)
            return list->commands[i];
    return NULL;
}

static const struct command_option *option_by_name(const struct command *c, const char *name,
                                                   size_t len)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (strlen(c->options[i].name) == len && memcmp(c->options[i].name, name, len) == 0)
            return &c->options[i];
    return len == 4 && memcmp(name, "help", 4) == 0 ? &help_option : NULL;
}

static const struct command_option *option_by_letter(const struct command *c, char letter)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i].letter == letter)
            return &c->options[i];
    return letter == 'h' ? &help_option : NULL;
}

static int unknown_option(const struct command *c, const char *name, size_t len, struct err *err)
{
    const char *words[WORDS_MAX] = {"help"};
    size_t n = 1;
    for (size_t i = 0; i < c->n_options && n < WORDS_MAX; i++)
        words[n++] = c->options[i].name;
    char given[64];
    (void)snprintf(given, sizeof(given), "%.*s", (int)len, name);
    const char *near = nearest_word(given, words, n);
    if (near == NULL)
        return make_error(err, ERR_USAGE, 0, "%s has no option \"--%s\"", c->name, given);
    return make_error(err, ERR_USAGE, 0, "%s has no option \"--%s\"; did you mean \"--%s\"?",
                      c->name, given, near);
}

static int value_add(struct command_args *args, const struct command_option *option,
                     const char *value, struct err *err)
{
    if (!option->repeat && option != &help_option)
        for (size_t i = 0; i < args->n_values; i++)
            if (args->values[i].option == option)
                return make_error(err, ERR_USAGE, 0, "--%s was given twice", option->name);
    if (args->n_values == COMMAND_VALUES_MAX)
        return make_error(err, ERR_USAGE, 0, "more than %d options", COMMAND_VALUES_MAX);
    args->values[args->n_values++] = (struct command_value){.option = option, .value = value};
    return 0;
}

/* "--name", "--name=value" or "--name value"; *i moves when the next argument was taken. */
static int parse_long(struct command_args *args, int argc, char **argv, int *i, struct err *err)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const struct command_option *option = option_by_name(args->command, name, len);
    if (option == NULL)
        return unknown_option(args->command, name, len, err);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (option->argument == NULL && value != NULL)
        return make_error(err, ERR_USAGE, 0, "--%s takes no value", option->name);
    if (option->argument != NULL && value == NULL) {
        if (*i + 1 >= argc)
            return make_error(err, ERR_USAGE, 0, "--%s needs a value: --%s %s", option->name,
                              option->name, option->argument);
        value = argv[++*i];
    }
    return value_add(args, option, value, err);
}

/* "-a", "-abc" (flags), "-xVALUE" or "-x VALUE". */
static int parse_short(struct command_args *args, int argc, char **argv, int *i, struct err *err)
{
    for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
        const struct command_option *option = option_by_letter(args->command, *p);
        if (option == NULL)
            return make_error(err, ERR_USAGE, 0, "%s has no option \"-%c\"", args->command->name,
                              *p);
        if (option->argument == NULL) {
            if (value_add(args, option, NULL, err) != 0)
                return -1;
            continue;
        }
        if (p[1] != '\0')
            return value_add(args, option, p + 1, err);
        if (*i + 1 >= argc)
            return make_error(err, ERR_USAGE, 0, "-%c needs a value: -%c %s", *p, *p,
                              option->argument);
        return value_add(args, option, argv[++*i], err);
    }
    return 0;
}

static int check_operands(const struct command_args *args, struct err *err)
{
    const struct command *c = args->command;
    if (args->n_operands < (size_t)c->operands_min)
        return make_error(err, ERR_USAGE, 0, "%s needs %s: blackstart %s %s", c->name,
                          c->operands_min == 1 ? "an argument" : "more arguments", c->name,
                          c->usage);
    if (c->operands_max != COMMAND_OPERANDS_ANY && args->n_operands > (size_t)c->operands_max)
        return make_error(err, ERR_USAGE, 0, "%s does not know what to do with \"%s\"", c->name,
                          args->operands[c->operands_max]);
    return 0;
}

int command_parse(const struct command *command, int argc, char **argv, struct command_args *ret,
                  struct err *err)
{
    *ret = (struct command_args){.command = command};
    int n = 0;
    bool options = true;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            ret->split = true;
            ret->n_before = (size_t)n;
        } else if (options && strncmp(word, "--", 2) == 0) {
            if (parse_long(ret, argc, argv, &i, err) != 0)
                return -1;
        } else if (options && word[0] == '-' && word[1] != '\0') {
            if (parse_short(ret, argc, argv, &i, err) != 0)
                return -1;
        } else
            argv[n++] = word;
    }
    ret->operands = (const char *const *)argv;
    ret->n_operands = (size_t)n;
    if (command_flag(ret, "help"))
        return 0;
    return check_operands(ret, err);
}

const char *command_value_at(const struct command_args *args, const char *option, size_t nth)
{
    for (size_t i = 0; i < args->n_values; i++)
        if (strcmp(args->values[i].option->name, option) == 0 && nth-- == 0)
            return args->values[i].value;
    return NULL;
}

const char *command_value(const struct command_args *args, const char *option)
{
    return command_value_at(args, option, 0);
}

int command_count(const struct command_args *args, const char *option, uint64_t min, uint64_t max,
                  uint64_t *ret, struct err *err)
{
    const char *text = command_value(args, option);
    if (text == NULL)
        return 0;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || n < min || n > max)
        return make_error(err, ERR_USAGE, 0, "--%s: expected a number from %llu to %llu, not %s",
                          option, (unsigned long long)min, (unsigned long long)max, text);
    *ret = n;
    return 0;
}

bool command_flag(const struct command_args *args, const char *option)
{
    for (size_t i = 0; i < args->n_values; i++)
        if (strcmp(args->values[i].option->name, option) == 0)
            return true;
    return false;
}

static int unknown_command(const struct command_list *list, const char *word, struct err *err)
{
    const char *words[WORDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < list->n && n < WORDS_MAX; i++)
        words[n++] = list->commands[i]->name;
    const char *near = nearest_word(word, words, n);
    if (near == NULL)
        return make_error(err, ERR_USAGE, 0, "unknown command \"%s\"", word);
    return make_error(err, ERR_USAGE, 0, "unknown command \"%s\"; did you mean \"%s\"?", word,
                      near);
}

/* A report that could not be written is not a success: the disk may be full, the pipe closed. */
static int stdout_close(int status, struct err *err)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    return make_error(err, ERR_SYSTEM, 0, "cannot write to the standard output");
}

static int print_text(struct buf *text, struct err *err)
{
    if (!buf_ok(text))
        return make_error(err, ERR_LIMIT, 0, "the text is too long");
    (void)fputs(buf_text(text), stdout);
    return 0;
}

static void print_document(const struct err *err, json_t *problems)
{
    json_t *doc = json_pack("{s:n, s:i, s:s, s:o}", "verdict", "exit", err_exit_status(err->code),
                            "error", err->msg, "problems", problems);
    (void)json_dumpf(doc, stdout, JSON_INDENT(2));
    (void)puts("");
    json_decref(doc);
}

void command_print_refusal(const struct command_args *args, const struct err *err, json_t *problems)
{
    if (command_flag(args, "json") && !args->command->json_lines)
        print_document(err, problems);
    else
        json_decref(problems);
}

/* Of a command line that may be wrong elsewhere: whoever asks for a document reads nothing else. */
static bool asks_for_document(const struct command *c, int argc, char **argv)
{
    if (c->json_lines || option_by_name(c, "json", 4) == NULL)
        return false;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int run_command(const struct command_list *list, int argc, char **argv, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        command_list_print_help(list, &text);
        return print_text(&text, err);
    }
    if (strcmp(word, "--version") == 0)
        word = "version";
    const struct command *command = command_find(list, word);
    if (command == NULL && word[0] == '-')
        return make_error(err, ERR_USAGE, 0, "options come behind the command, not before it: %s",
                          word);
    if (command == NULL)
        return unknown_command(list, word, err);
    struct command_args args;
    int n = argc - 2 > 0 ? argc - 2 : 0;
    bool document = asks_for_document(command, n, argv + 2);
    if (command_parse(command, n, argv + 2, &args, err) != 0) {
        if (document)
            print_document(err, json_array());
        return -1;
    }
    if (command_flag(&args, "help")) {
        command_print_help(command, (size_t)terminal_width(stdout), &text);
        return print_text(&text, err);
    }
    int status = command->run(&args, err);
    if (status == -1)
        command_print_refusal(&args, err, json_array());
    return status;
}

/* A standard descriptor that is closed would be the next file's number: what is printed would go
 * into a journal or to an agent. Opened the wrong way round, so that using it is still an error. */
static void fill_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int command_main(const struct command_list *list, int argc, char **argv)
{
    struct err err = {.code = ERR_SYSTEM};
    fill_descriptors();
    int status = run_command(list, argc, argv, &err);
    if (status >= 0)
        status = stdout_close(status, &err);
    if (status >= 0)
        return status;
    (void)fflush(stdout);
    (void)fprintf(stderr, "%sblackstart:%s %s\n", terminal_style(stderr, STYLE_RED),
                  terminal_style(stderr, STYLE_PLAIN), err.msg);
    if (err.code == ERR_USAGE) {
        bool known = argc > 1 && command_find(list, argv[1]) != NULL;
        (void)fprintf(stderr, "See: blackstart %s%s--help\n", known ? argv[1] : "",
                      known ? " " : "");
    }
    return err_exit_status(err.code);
}
