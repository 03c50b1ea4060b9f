/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"
#include "cmd/command.h"

#include <stdio.h>
#include <unistd.h>

static const struct command_option options[] = {
    {.name = "out", .letter = 'o', .argument = "DIR", .doc = "Where to."},
    {.name = "set", .argument = "NAME=VALUE", .repeat = true, .doc = "Sets."},
    {.name = "json", .letter = 'j', .doc = "JSON."},
    {.name = "quiet", .letter = 'q', .doc = "Less."},
};

static int run(const struct command_args *args, struct err *err)
{
    if (command_flag(args, "json")) {
        (void)make_error(err, ERR_DIRTY, 0, "left dirty");
        return command_flag(args, "quiet") ? COMMAND_TOLD : -1;
    }
    return command_value(args, "out") != NULL ? 1 : 0;
}

static const struct command command_go = {
    .name = "go",
    .summary = "Goes.",
    .usage = "[OPTIONS] FILE...",
    .example = "blackstart go x",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
static const struct command *const rows[] = {&command_go};
static const struct command_list list = {rows, 1};

enum { ARGS_MAX = 12 };

static struct command_args args;

/* The message, or "" when it went well. */
static const char *parse(const char *line)
{
    static char text[200];
    static char *argv[ARGS_MAX + 1];
    static struct err err;
    int argc = 0;
    (void)snprintf(text, sizeof(text), "%s", line);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && argc < ARGS_MAX;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    err.msg[0] = '\0';
    int failed = command_parse(&command_go, argc, argv, &args, &err);
    CU_ASSERT_EQUAL(failed != 0, err.msg[0] != '\0');
    if (failed != 0)
        CU_ASSERT_EQUAL(err.code, ERR_USAGE);
    return err.msg;
}

static void test_forms(void)
{
    CU_ASSERT_STRING_EQUAL(parse("a --out=x b"), "");
    CU_ASSERT_STRING_EQUAL(command_value(&args, "out"), "x");
    CU_ASSERT_EQUAL(args.n_operands, 2);
    CU_ASSERT_STRING_EQUAL(args.operands[1], "b");
    CU_ASSERT_STRING_EQUAL(parse("--out x a"), "");
    CU_ASSERT_STRING_EQUAL(parse("-jqox a"), "");
    CU_ASSERT_TRUE(command_flag(&args, "json"));
    CU_ASSERT_TRUE(command_flag(&args, "quiet"));
    CU_ASSERT_STRING_EQUAL(command_value(&args, "out"), "x");
    CU_ASSERT_STRING_EQUAL(parse("-o x a"), "");
    CU_ASSERT_STRING_EQUAL(parse("-- --out -x"), "");
    CU_ASSERT_STRING_EQUAL(args.operands[0], "--out");
    CU_ASSERT_TRUE(args.split);
    CU_ASSERT_EQUAL(args.n_before, 0);
    CU_ASSERT_FALSE(command_flag(&args, "out"));
    CU_ASSERT_STRING_EQUAL(parse("- a"), "");
    CU_ASSERT_STRING_EQUAL(args.operands[0], "-");
    CU_ASSERT_STRING_EQUAL(parse("a --set p=1 --set q=2"), "");
    CU_ASSERT_STRING_EQUAL(command_value_at(&args, "set", 1), "q=2");
    CU_ASSERT_PTR_NULL(command_value_at(&args, "set", 2));
    CU_ASSERT_STRING_EQUAL(parse("--help"), "");
    CU_ASSERT_TRUE(command_flag(&args, "help"));
}

static void test_mistakes(void)
{
    CU_ASSERT_STRING_EQUAL(parse(""), "go needs an argument: blackstart go [OPTIONS] FILE...");
    CU_ASSERT_STRING_EQUAL(parse("a b c"), "go does not know what to do with \"c\"");
    CU_ASSERT_STRING_EQUAL(parse("a --ouT x"),
                           "go has no option \"--ouT\"; did you mean \"--out\"?");
    CU_ASSERT_STRING_EQUAL(parse("a --colour"), "go has no option \"--colour\"");
    CU_ASSERT_STRING_EQUAL(parse("a -x"), "go has no option \"-x\"");
    CU_ASSERT_STRING_EQUAL(parse("a --json=1"), "--json takes no value");
    CU_ASSERT_STRING_EQUAL(parse("a --out"), "--out needs a value: --out DIR");
    CU_ASSERT_STRING_EQUAL(parse("a -o"), "-o needs a value: -o DIR");
    CU_ASSERT_STRING_EQUAL(parse("a -q --quiet"), "--quiet was given twice");
}

static char printed[1000]; /* by the last command line, on the standard output */

/* Exit status of a whole command line. */
static int status(char *a, char *b, char *c)
{
    char program[] = "blackstart";
    char *argv[] = {program, a, b, c, NULL};
    int argc = 1 + (a != NULL) + (b != NULL) + (c != NULL);
    (void)fflush(stderr);
    int saved = dup(2), saved_out = dup(1);
    FILE *nowhere = fopen("/dev/null", "w"), *out = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(nowhere);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    (void)fflush(stdout);
    (void)dup2(fileno(nowhere), 2);
    (void)dup2(fileno(out), 1);
    int got = command_main(&list, argc, argv);
    (void)fflush(stdout);
    (void)dup2(saved, 2);
    (void)dup2(saved_out, 1);
    (void)close(saved);
    (void)close(saved_out);
    (void)fclose(nowhere);
    rewind(out);
    printed[fread(printed, 1, sizeof(printed) - 1, out)] = '\0';
    (void)fclose(out);
    return got;
}

static void test_exit_status(void)
{
    char go[] = "go", goo[] = "goo", x[] = "x", json[] = "-j", out[] = "-oy", help[] = "--help";
    char odd[] = "--odd";
    CU_ASSERT_EQUAL(status(go, x, NULL), 0);
    CU_ASSERT_EQUAL(status(go, x, out), 1);
    CU_ASSERT_EQUAL(status(go, x, json), 4);
    CU_ASSERT_EQUAL(status(go, NULL, NULL), 2);
    CU_ASSERT_EQUAL(status(goo, x, NULL), 2);
    CU_ASSERT_EQUAL(status(odd, NULL, NULL), 2);
    CU_ASSERT_EQUAL(status(go, help, NULL), 0);
    CU_ASSERT_EQUAL(status(help, NULL, NULL), 0);
    CU_ASSERT_EQUAL(status(NULL, NULL, NULL), 0);
}

/* What a program reads is one document, also where a command had printed its own before it failed.
 */
static void test_an_error_is_a_document(void)
{
    char go[] = "go", x[] = "x", json[] = "--json", told[] = "-jq";
    CU_ASSERT_EQUAL(status(go, x, json), 4);
    json_t *doc = json_loads(printed, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_TRUE(json_is_null(json_object_get(doc, "verdict")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(doc, "exit")), 4);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(doc, "error")), "left dirty");
    CU_ASSERT_TRUE(json_is_array(json_object_get(doc, "problems")));
    json_decref(doc);
    CU_ASSERT_EQUAL(status(go, x, told), 4);
    CU_ASSERT_STRING_EQUAL(printed, "");
    CU_ASSERT_EQUAL(status(go, x, NULL), 0);
    CU_ASSERT_STRING_EQUAL(printed, "");
}

static void test_texts_derive_from_the_table(void)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
    struct err err;
    command_print_help(&command_go, 100, &text);
    CU_ASSERT_STRING_EQUAL(buf_text(&text), "Usage: blackstart go [OPTIONS] FILE...\n\nGoes.\n\n"
                                            "Options:\n"
                                            "  -o, --out DIR         Where to.\n"
                                            "      --set NAME=VALUE  Sets.\n"
                                            "  -j, --json            JSON.\n"
                                            "  -q, --quiet           Less.\n"
                                            "  -h, --help            Print this text.\n\n"
                                            "Example:\n  blackstart go x\n");
    buf_free(&text);
    CU_ASSERT_EQUAL(command_list_print_completion(&list, "bash", &text, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&text), "go) options=\"--out --set --json --quiet --help\" words=\"\" ;;"));
    CU_ASSERT_EQUAL(command_list_print_completion(&list, "csh", &text, &err), -1);
    buf_free(&text);
    command_list_print_man(&list, &text);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&text), ".B \\-o, \\-\\-out DIR\nWhere to.\n"));
}

static const struct check_test tests[] = {
    {"forms", test_forms},
    {"mistakes", test_mistakes},
    {"exit status", test_exit_status},
    {"an error is a document", test_an_error_is_a_document},
    {"texts derive from the table", test_texts_derive_from_the_table},
};

CHECK_MAIN("command", tests)
