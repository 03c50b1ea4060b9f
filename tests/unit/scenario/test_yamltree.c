/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"
#include "scenario/yamltree.h"

#include <stdio.h>

static struct problems problems;
static struct arena arena;

static const struct node *parse(const char *text)
{
    static struct source source;
    problems_free(&problems);
    arena_free(&arena);
    arena = ARENA_INIT(64 << 20);
    source = (struct source){"t.yaml", text, strlen(text)};
    return yamltree_parse(&source, &arena, &problems);
}

static void test_tree_and_places(void)
{
    const struct node *root =
        parse("# c\na: 1\nb:\n  - x\n  - {c: \"d\", e: [f]}\ng: |\n  two\n  lines\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(problems.n, 0);
    CU_ASSERT_EQUAL(root->kind, NODE_MAP);
    CU_ASSERT_EQUAL(root->n, 3);
    const struct node *a = node_get(root, "a"), *b = node_get(root, "b");
    CU_ASSERT_STRING_EQUAL(a->text, "1");
    CU_ASSERT_FALSE(a->quoted);
    CU_ASSERT_EQUAL(a->pos.line, 2);
    CU_ASSERT_EQUAL(a->pos.col, 4);
    CU_ASSERT_EQUAL(b->items[0].value->pos.line, 4);
    CU_ASSERT_EQUAL(b->items[0].value->pos.col, 5);
    const struct node *map = b->items[1].value;
    CU_ASSERT_TRUE(node_get(map, "c")->quoted);
    CU_ASSERT_EQUAL(map->items[1].key_pos.col, 14);
    CU_ASSERT_STRING_EQUAL(node_get(root, "g")->text, "two\nlines\n");
    CU_ASSERT_PTR_NULL(node_get(root, "nothing"));
}

/* As an editor of another system writes it: the places are those of the text without it. */
static void test_byte_order_mark(void)
{
    const struct node *root = parse("\xef\xbb\xbf"
                                    "a: &x 1\nb: 2\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL_FATAL(problems.n, 1);
    CU_ASSERT_STRING_EQUAL(problems.list[0].text,
                           "t.yaml:1:4: anchors are not taken (&x)\n"
                           "    1 | a: &x 1\n"
                           "      |    ^\n"
                           "        write the value out, or use a variable: ${name}\n");
    CU_ASSERT_EQUAL(root->n, 2);
    CU_ASSERT_EQUAL(root->items[0].key_pos.col, 1);
    CU_ASSERT_EQUAL(root->items[1].key_pos.line, 2);
    CU_ASSERT_EQUAL(root->items[1].key_pos.col, 1);
    CU_ASSERT_PTR_NULL(parse("\xef\xbb\xbf"));
    CU_ASSERT_STRING_EQUAL(problems.list[0].message, "the file has no content");
    CU_ASSERT_PTR_NULL(parse("\xef\xbb\xbf"
                             "a: \001\n"));
    CU_ASSERT_EQUAL(problems.list[0].pos.col, 4);
}

static void test_numbers_stay_texts(void)
{
    const struct node *root = parse("[010, 08, 1e3, 0x10, true, yes, 1_000, '', 2024-01-01]");
    static const char *const want[] = {"010", "08",    "1e3", "0x10",      "true",
                                       "yes", "1_000", "",    "2024-01-01"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        CU_ASSERT_STRING_EQUAL(root->items[i].value->text, want[i]);
    CU_ASSERT_FALSE(node_is_empty(root->items[7].value));
}

/* `n` times the text, then what closes it. */
static const struct node *repeat(const char *head, const char *text, size_t n, const char *tail)
{
    static char big[2 << 20];
    size_t used = 0;
    used += (size_t)snprintf(big, sizeof(big), "%s", head);
    for (size_t i = 0; i < n && used + strlen(text) + strlen(tail) + 1 < sizeof(big); i++)
        used += (size_t)snprintf(big + used, sizeof(big) - used, "%s", text);
    (void)snprintf(big + used, sizeof(big) - used, "%s", tail);
    return parse(big);
}

static void test_limits(void)
{
    CU_ASSERT_PTR_NOT_NULL(repeat("", "[", 31, "x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
    CU_ASSERT_PTR_NULL(repeat("", "[", 100000, ""));
    CU_ASSERT_STRING_EQUAL(problems.list[0].message, "nested deeper than 32 levels");
    CU_ASSERT_PTR_NOT_NULL(repeat("[", "1,", 49990, "]"));
    CU_ASSERT_PTR_NULL(repeat("[", "1,", 60000, "]"));
    CU_ASSERT_STRING_EQUAL(problems.list[0].message, "more than 50000 values");
    CU_ASSERT_PTR_NULL(repeat("a: ", "0123456789abcdef", 65537, ""));
    CU_ASSERT_STRING_EQUAL(problems.list[0].text, "t.yaml: larger than 1 MiB\n");
    CU_ASSERT_PTR_NOT_NULL(repeat("a: ", "0123456789abcdef", 65000, ""));
}

static void test_caret_below_wide_text(void)
{
    CU_ASSERT_PTR_NOT_NULL(parse("a: {\xe6\x97\xa5: 1, \xc3\xa9: 2,\tb: &x 3}\n"));
    CU_ASSERT_EQUAL_FATAL(problems.n, 1);
    CU_ASSERT_STRING_EQUAL(problems.list[0].text,
                           "t.yaml:1:20: anchors are not taken (&x)\n"
                           "    1 | a: {\xe6\x97\xa5: 1, \xc3\xa9: 2,\tb: &x 3}\n"
                           "      |                 \t   ^\n"
                           "        write the value out, or use a variable: ${name}\n");
}

/* A billion laughs: refused before anything grows. */
static void test_alias_bomb(void)
{
    (void)parse("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n");
    CU_ASSERT_EQUAL(problems.n, 7);
    CU_ASSERT_TRUE(arena.used < 100000);
}

static void test_no_memory(void)
{
    static const struct source source = {"t.yaml", "a: [1, 2, 3]\nb: {c: d}\n", 23};
    for (size_t max = 0; max < 2048; max += 16) {
        problems_free(&problems);
        arena_free(&arena);
        arena = ARENA_INIT(max);
        const struct node *root = yamltree_parse(&source, &arena, &problems);
        CU_ASSERT_EQUAL(root == NULL, problems.n != 0);
    }
    problems_free(&problems);
    arena_free(&arena);
}

static const struct check_test tests[] = {
    {"tree and places", test_tree_and_places},
    {"a byte order mark", test_byte_order_mark},
    {"numbers stay texts", test_numbers_stay_texts},
    {"limits", test_limits},
    {"caret below wide text", test_caret_below_wide_text},
    {"alias bomb", test_alias_bomb},
    {"no memory", test_no_memory},
};

CHECK_MAIN("yamltree", tests)
