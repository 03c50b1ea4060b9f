/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_key.h"
#include "agents/faults/config_version.h"
#include "check.h"

#include <stdlib.h>

typedef int find(const char *text, size_t len, const struct names *key, struct config_span *ret,
                 struct err *err);

static void set_key(struct names *key, const char *way)
{
    static const struct param p = {.name = "key", .type = PARAM_NAMES};
    char words[200];
    struct err err;
    memset(key, 0, sizeof(*key));
    (void)snprintf(words, sizeof(words), "%s", way);
    for (char *save, *w = strtok_r(words, "/", &save); w != NULL; w = strtok_r(NULL, "/", &save))
        CU_ASSERT_EQUAL(param_parse(&p, w, key, &err), 0);
}

static void check_found(find *how, const char *text, const char *way, const char *want)
{
    static struct names key;
    struct config_span span = {0};
    struct err err;
    set_key(&key, way);
    int rc = how(text, strlen(text), &key, &span, &err);
    if (rc != 0)
        printf("%s: %s\n", way, err.msg);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    CU_ASSERT_EQUAL(span.end - span.start, strlen(want));
    bool same =
        span.end - span.start == strlen(want) && memcmp(text + span.start, want, strlen(want)) == 0;
    if (!same)
        printf("%s: %zu..%zu is not `%s`\n", way, span.start, span.end, want);
    CU_ASSERT_TRUE(same);
}

static void check_not(find *how, const char *text, const char *way, enum err_code code,
                      const char *words)
{
    static struct names key;
    struct config_span span = {0};
    struct err err = {0};
    set_key(&key, way);
    CU_ASSERT_EQUAL(how(text, strlen(text), &key, &span, &err), -1);
    CU_ASSERT_EQUAL(err.code, code);
    if (strstr(err.msg, words) == NULL)
        printf("%s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, words));
}

static const char json[] = "{ \"a\": 1 ,\n\t\"b\" : [true, {\"c\": \"x, \\\"]\", \"d\":null}, [] ],"
                           "\"a\": 2, \"e\": {} }\n";

static void test_json(void)
{
    check_found(config_json_find, json, "a", "2"); /* the last of two */
    check_found(config_json_find, json, "b/0", "true");
    check_found(config_json_find, json, "b/1/c", "\"x, \\\"]\"");
    check_found(config_json_find, json, "b/1/d", "null");
    check_found(config_json_find, json, "b/1", "{\"c\": \"x, \\\"]\", \"d\":null}");
    check_found(config_json_find, json, "b/2", "[]");
    check_found(config_json_find, json, "e", "{}");
    check_found(config_json_find, "\xef\xbb\xbf[1]", "0", "1");
    check_found(config_json_find, "[-1.5e3]", "0", "-1.5e3");
}

static void test_json_not_there(void)
{
    check_not(config_json_find, json, "z", ERR_NOT_FOUND, "no z");
    check_not(config_json_find, json, "b/3", ERR_NOT_FOUND, "no 3");
    check_not(config_json_find, json, "b/01", ERR_NOT_FOUND, "no 01");
    check_not(config_json_find, json, "a/x", ERR_NOT_FOUND, "neither map nor list");
    check_not(config_json_find, json, "b/1/c/0", ERR_NOT_FOUND, "neither");
}

static void test_json_wrong(void)
{
    static const char *const texts[] = {"{\"a\" 1}", "{\"a\":",   "{\"a\":1", "{\"a\":\"x",
                                        "{a:1}",     "{\"a\":[1", "{\"a\":}", "{\"a\":\"\\"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_not(config_json_find, texts[i], "a", ERR_INPUT, "not JSON");
    CLEANUP_BUF struct buf deep = BUF_INIT(1000);
    buf_puts(&deep, "{\"a\":");
    for (int i = 0; i < 70; i++)
        buf_puts(&deep, "[");
    check_not(config_json_find, buf_text(&deep), "a", ERR_LIMIT, "64 deep");
}

static const char yaml[] = "# h\xc3\xa9\n"
                           "server:   # first\n"
                           "  port: 80   # why\n"
                           "  name: \"caf\xc3\xa9\"\n"
                           "  none:\n"
                           "  hosts:\n"
                           "  - a\n"
                           "  - {ip: 10.0.0.1, tags: [x, y]}\n"
                           "  text: |\n"
                           "    one\n"
                           "    two\n"
                           "\n"
                           "  anchor: &id 5\n"
                           "  alias: *id\n"
                           "  ? [complex, key]\n"
                           "  : port\n"
                           "last: 'x'\n"
                           "---\n"
                           "second: 1\n";

static void test_yaml(void)
{
    check_found(config_yaml_find, yaml, "server/port", "80");
    check_found(config_yaml_find, yaml, "server/name", "\"caf\xc3\xa9\"");
    check_found(config_yaml_find, yaml, "server/none", "");
    check_found(config_yaml_find, yaml, "server/hosts/0", "a");
    check_found(config_yaml_find, yaml, "server/hosts/1/ip", "10.0.0.1");
    check_found(config_yaml_find, yaml, "server/hosts/1/tags/1", "y");
    check_found(config_yaml_find, yaml, "server/hosts/1/tags", "[x, y]");
    check_found(config_yaml_find, yaml, "server/text", "|\n    one\n    two");
    check_found(config_yaml_find, yaml, "server/alias", "*id");
    check_found(config_yaml_find, yaml, "last", "'x'");
    check_found(config_yaml_find,
                "\xef\xbb\xbf"
                "a: 1\r\nb: 2\r\n",
                "b", "2");
    check_found(config_yaml_find, "a: 1\na: 2\n", "a", "2");
    check_found(config_yaml_find, "{\"a\": [1, \"\xe2\x82\xac\", 3]}", "a/2", "3");
}

static void test_yaml_wrong(void)
{
    check_not(config_yaml_find, yaml, "second", ERR_NOT_FOUND, "no second"); /* another document */
    check_not(config_yaml_find, yaml, "server/hosts/2", ERR_NOT_FOUND, "no 2");
    check_not(config_yaml_find, yaml, "port", ERR_NOT_FOUND, "no port");
    check_not(config_yaml_find, yaml, "server", ERR_INPUT, "block of lines");
    check_not(config_yaml_find, yaml, "server/hosts", ERR_INPUT, "block of lines");
    check_not(config_yaml_find, yaml, "server/anchor", ERR_INPUT, "anchor or a tag");
    check_not(config_yaml_find, "a: [1\nb: {", "a", ERR_INPUT, "not YAML at line");
    check_not(config_yaml_find, "a: \xff", "a", ERR_INPUT, "not UTF-8");
    check_not(config_yaml_find, "", "a", ERR_NOT_FOUND, "no a");
    CLEANUP_BUF struct buf many = BUF_INIT(1024 * 1024);
    for (int i = 0; i < 100001; i++)
        buf_puts(&many, "- 1\n");
    check_not(config_yaml_find, buf_text(&many), "0", ERR_LIMIT, "100000 values");
    buf_free(&many);
    many = BUF_INIT(1000);
    for (int i = 0; i < 100; i++)
        buf_puts(&many, "[");
    check_not(config_yaml_find, buf_text(&many), "0", ERR_LIMIT, "64 deep");
}

/* The whole of it, as the parameters say it. */
static void check_version(const char *const *pairs, const char *text, const char *want)
{
    static struct config_args a;
    struct err err = {0};
    CLEANUP_BUF struct buf out = BUF_INIT(10000);
    CU_ASSERT_EQUAL(params_default(config_params, CONFIG_PARAMS, &a, sizeof(a), &err), 0);
    for (; *pairs != NULL; pairs += 2)
        CU_ASSERT_EQUAL(
            param_parse(param_find(config_params, CONFIG_PARAMS, pairs[0]), pairs[1], &a, &err), 0);
    int rc = config_check(&a, &err);
    if (rc == 0)
        rc = config_version(&a, text, strlen(text), &out, &err);
    if (rc == 0) {
        CU_ASSERT_STRING_EQUAL(buf_text(&out), want);
    } else {
        if (strstr(err.msg, want) == NULL)
            printf("%s\n", err.msg);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, want));
    }
}

#define VERSION(text, want, ...)                                                                   \
    check_version((const char *const[]){"path", __VA_ARGS__, NULL}, text, want)

static void test_versions(void)
{
    VERSION("old", "new", "/f", "content", "new");
    VERSION("a b", "a c", "/f", "find", "b", "replace", "c");
    VERSION("{\"a\": 1}\n", "{\"a\": \"x\"}\n", "/f.json", "key", "a", "replace", "\"x\"");
    VERSION("a:\nb: 1\n", "a: 5\nb: 1\n", "/f.yml", "key", "a", "replace", "5");
    VERSION("a: {b: 1} # c\n", "a: {b: 2} # c\n", "/f", "format", "yaml", "key", "a", "key", "b",
            "replace", "2");
    VERSION("0123456789", "01234", "/f", "keep", "50%");
    VERSION("0123456789", "012", "/f", "keep_bytes", "3B");
    VERSION("01", "01", "/f", "keep_bytes", "3B");
    VERSION("0123456789", "", "/f", "empty", "true");
    VERSION("a\n", "a\r\n", "/f", "encoding", "crlf");
    VERSION("a\n", "b\r\n", "/f", "find", "a", "replace", "b", "encoding", "crlf");
    VERSION("", "only one of", "/f", "content", "x", "line", "1");
    VERSION("", "replace needs", "/f", "replace", "x", "empty", "true");
    VERSION("", "what is wrong", "/f");
    VERSION("", "format needs key", "/f", "format", "json", "empty", "true");
    VERSION("", "format: json or yaml", "/f", "key", "a");
    VERSION("", "given together", "/f", "empty", "true", "apply", "reload");
}

static const struct check_test tests[] = {
    {"json", test_json}, {"json: not there", test_json_not_there}, {"json: wrong", test_json_wrong},
    {"yaml", test_yaml}, {"yaml: wrong", test_yaml_wrong},         {"versions", test_versions},
};

CHECK_MAIN("faults/config_key", tests)
