/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of drop-ins: what is copied from a unit means the same in its new place. */
#include "agents/dropin.h"
#include "base/cleanup.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

#define SELF "/opt/100%/blackstart-agent"

/* The words of a unit's command; the first is the program, the second its name for itself. */
static struct unit_start start_make(const char *const *words)
{
    struct unit_start start;
    memset(&start, 0, sizeof(start));
    start.program = strdup(words[0]);
    for (const char *const *word = words + 1; *word != NULL; word++)
        start.argv[start.n_args++] = strdup(*word);
    return start;
}
#define START(...) start_make((const char *const[]){__VA_ARGS__, NULL})

static char *drop_in_of(const char *unit, const struct unit_start *start)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    dropin_trap(to, unit, SELF, "writes", start);
    (void)fclose(to);
    return text;
}

static char *drop_in(const struct unit_start *start)
{
    return drop_in_of("postgresql@15-main", start);
}

static void test_plain(void)
{
    struct unit_start start = START("/usr/bin/etcd", "/usr/bin/etcd", "$DAEMON_ARGS");
    CLEANUP_FREE char *text = drop_in(&start);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\nExecStart=\nExecStart=\"/opt/100%%/blackstart-agent\" trapped "
                     "postgresql@15-main writes \"/usr/bin/etcd\" \"$DAEMON_ARGS\"\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " --unit=blackstart-fiu-postgresql-15-main-${"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "-pBefore=shutdown.target postgresql@15-main.service\""));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"/opt/100%%/blackstart-agent\" supervise postgresql@15-main\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "ExecPaths"));
    unit_start_free(&start);
}

static void test_dotted(void)
{
    struct unit_start start = START("/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm8.2");
    CLEANUP_FREE char *text = drop_in_of("php8.2-fpm", &start);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " --unit=blackstart-fiu-php8.2-fpm-${"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " calls of php8.2-fpm.service\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "-pBefore=shutdown.target php8.2-fpm.service\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/blackstart-agent\" supervise php8.2-fpm\n"));
    unit_start_free(&start);
}

static void test_words(void)
{
    struct unit_start start = START("/bin/x", "other name", "a\"b\\c", "50%", "$$x", ";", "l\n");
    (void)snprintf(start.prefix, sizeof(start.prefix), "-!");
    CLEANUP_FREE char *text = drop_in(&start);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nExecStart=-!\"/opt"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " writes --as=\"other name\" \"/bin/x\" \"a\\\"b\\\\c\" "
                                        "\"50%%\" \"$$x\" \";\" \"l\\x0a\"\n"));
    unit_start_free(&start);
}

static void test_walls(void)
{
    struct unit_start start = START("/bin/x", "/bin/x");
    start.exec_shut = start.calls_shut = start.families_shut = true;
    CLEANUP_FREE char *text = drop_in(&start);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nExecPaths=\"/opt/100%%/blackstart-agent\"\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nSystemCallFilter=seccomp\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nRestrictAddressFamilies=AF_UNIX\n"));
    unit_start_free(&start);
}

static void check_unwrapped(struct unit_start *start, const char *name, size_t n)
{
    dropin_unwrap(start);
    CU_ASSERT_STRING_EQUAL(start->program, "/bin/x");
    CU_ASSERT_EQUAL_FATAL(start->n_args, n);
    CU_ASSERT_STRING_EQUAL(start->argv[0], name);
    CU_ASSERT_PTR_NULL(start->argv[n]);
    unit_start_free(start);
}

/* A drop-in that is there already is not put around itself. */
static void test_again(void)
{
    static const char agent[] = "/old/blackstart-agent";
    struct unit_start a = START(agent, agent, "trapped", "x", "rare", "/bin/x", "-v");
    check_unwrapped(&a, "/bin/x", 2);
    struct unit_start b = START(agent, agent, "trapped", "x", "rare", "--as=me", "/bin/x");
    check_unwrapped(&b, "me", 1);
    struct unit_start c = START("/bin/x", "/bin/x", "trapped", "x", "rare", "y");
    check_unwrapped(&c, "/bin/x", 5);
    struct unit_start d = START(agent, agent, "trapped", "x", "rare", "--as=me");
    dropin_unwrap(&d);
    CU_ASSERT_STRING_EQUAL(d.program, agent);
    unit_start_free(&d);
}

static const struct check_test tests[] = {
    {"plain", test_plain}, {"a dot in the name", test_dotted},
    {"words", test_words}, {"walls", test_walls},
    {"again", test_again},
};

int main(void)
{
    return check_main("drop-ins", tests, sizeof(tests) / sizeof(tests[0]));
}
