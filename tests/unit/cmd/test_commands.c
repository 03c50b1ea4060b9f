/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped subcommands: their examples can be typed, their completion knows the kinds. */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "check.h"
#include "cmd/command.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
#undef COMMAND
};
const struct command_list command_list = {commands, sizeof(commands) / sizeof(commands[0])};

enum { WORDS_MAX = 16, TEXT_MAX = 1 << 18 };

/* A word that names a file of the tree must be one; a pattern is the shell's. */
static void check_file(const char *word)
{
    char path[512];
    if (strncmp(word, "scenarios/", 10) != 0 || strchr(word, '*') != NULL)
        return;
    (void)snprintf(path, sizeof(path), SOURCE_DIR "/%s", word);
    if (access(path, R_OK) != 0)
        (void)printf("%s is not there\n", word);
    CU_ASSERT_EQUAL(access(path, R_OK), 0);
}

/* Up to what is the shell's; "source <(blackstart ...)" begins within. */
static void check_example(const struct command *c, char *line)
{
    char *argv[WORDS_MAX], *rest = NULL;
    int argc = 0;
    struct command_args args;
    struct err err;
    char *begin = strstr(line, "blackstart ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(begin);
    begin[strcspn(begin, "|>)")] = '\0';
    for (char *word = strtok_r(begin, " ", &rest); word != NULL && argc < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        check_file(word);
        argv[argc++] = word;
    }
    CU_ASSERT_TRUE_FATAL(argc >= 2);
    CU_ASSERT_STRING_EQUAL(argv[1], c->name);
    if (command_parse(c, argc - 2, argv + 2, &args, &err) != 0)
        CU_FAIL_FATAL("an example is refused");
}

static void test_examples(void)
{
    for (size_t i = 0; i < command_list.n; i++) {
        char text[2048], *rest = NULL;
        CU_ASSERT_PTR_NOT_NULL_FATAL(commands[i]->example);
        (void)snprintf(text, sizeof(text), "%s", commands[i]->example);
        for (char *line = strtok_r(text, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest))
            check_example(commands[i], line);
    }
}

static void test_completion_knows_the_faults(void)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    struct err err;
    CU_ASSERT_EQUAL(command_list_print_completion(&command_list, "bash", &text, &err), 0);
    const char *line = strstr(buf_text(&text), " faults) ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const char *at = strstr(line, fault_catalogue.faults[i]->name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        CU_ASSERT_PTR_NULL(memchr(line, '\n', (size_t)(at - line)));
    }
}

/* The README's table of kinds is written by hand, by family. */
static void test_readme_names_the_faults(void)
{
    CLEANUP_FREE char *text = calloc(1, TEXT_MAX);
    CLEANUP_FILE FILE *f = fopen(SOURCE_DIR "/README.md", "re");
    CU_ASSERT_TRUE_FATAL(f != NULL && text != NULL);
    size_t n = fread(text, 1, TEXT_MAX - 1, f);
    CU_ASSERT_TRUE(n > 0);
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        char word[NAME_MAX_LEN + 3];
        (void)snprintf(word, sizeof(word), "`%s`", fault_catalogue.faults[i]->name);
        if (strstr(text, word) == NULL)
            (void)printf("README.md does not name %s\n", word);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, word));
    }
}

static const struct check_test tests[] = {
    {"readme", test_readme_names_the_faults},
    {"examples", test_examples},
    {"completion", test_completion_knows_the_faults},
};

CHECK_MAIN("cmd/commands", tests)
