/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/param_type.h"

#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERRNO_LAST = 133, SIGNAL_LAST = 31, WORDS_MAX = 160 };

#define DURATION_MAX INT64_C(31536000000000000) /* 8,760 hours: sums of them cannot overflow */
#define BYTES_MAX    (INT64_C(1) << 50)

int param_not_a(struct err *err, const char *text, const char *what)
{
    return make_error(err, ERR_INPUT, 0, "\"%.80s\" is not %s", text, what);
}

/* `text` without its first `skip` bytes is compared. */
static int no_word(struct err *err, const char *text, size_t skip, const char *what,
                   const char *const *words, size_t n)
{
    const char *near = nearest_word(text + skip, words, n);
    if (near == NULL)
        return param_not_a(err, text, what);
    char hint[120];
    (void)snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near);
    return make_error_hint(err, ERR_INPUT, hint, "\"%.80s\" is not %s", text, what);
}

/* BOOL: read as a byte, since any other value than 0 and 1 in a bool is undefined behaviour. */
static int bool_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0)
        return param_not_a(err, text, "true or false (yes, no, on and off are not taken)");
    memcpy(at, &value, sizeof(value));
    return 0;
}

static int bool_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    if (*(const unsigned char *)at > 1)
        return make_error(err, ERR_INPUT, 0, "neither true nor false");
    return 0;
}

static void bool_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%s", *(const unsigned char *)at != 0 ? "true" : "false");
}

static int64_t int64_number(const void *at)
{
    return *(const int64_t *)at;
}

static int int_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    const char *digits = text + (text[0] == '-');
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || digits[len] != '\0' || (digits[0] == '0' && len > 1))
        return param_not_a(err, text, "a whole number");
    errno = 0;
    int64_t value = strtoll(text, NULL, 10);
    if (errno != 0)
        return make_error(err, ERR_LIMIT, 0, "\"%.60s\" is too %s: at %s %" PRId64, text,
                          value > 0 ? "large" : "small", value > 0 ? "most" : "least", value);
    *(int64_t *)at = value;
    return 0;
}

static void int_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%" PRId64, *(const int64_t *)at);
}

static int duration_at(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    return duration_parse(text, at, err);
}

static void duration_out(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)duration_print(*(const struct duration *)at, out, size);
}

static int ratio_at(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    return ratio_parse(text, at, err);
}

static int64_t ratio_number(const void *at)
{
    return ((const struct ratio *)at)->ppm;
}

static void ratio_out(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)ratio_print(*(const struct ratio *)at, out, size);
}

static int bytes_at(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    return bytes_parse(text, at, err);
}

static int64_t bytes_number(const void *at)
{
    uint64_t n = ((const struct bytes *)at)->n;
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void bytes_out(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)bytes_print(*(const struct bytes *)at, out, size);
}

static size_t n_choices(const struct param *p)
{
    size_t n = 0;
    while (p->choices != NULL && p->choices[n] != NULL)
        n++;
    return n;
}

static int enum_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    char what[200];
    size_t n = n_choices(p);
    for (size_t i = 0; i < n; i++)
        if (strcmp(p->choices[i], text) == 0) {
            *(int *)at = (int)i;
            return 0;
        }
    return no_word(err, text, 0, param_expects(p, what, sizeof(what)), p->choices, n);
}

static int enum_check(const struct param *p, const void *at, struct err *err)
{
    int value = *(const int *)at;
    if (value < 0 || (size_t)value >= n_choices(p))
        return make_error(err, ERR_INPUT, 0, "none of its words");
    return 0;
}

static void enum_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)i;
    (void)snprintf(out, size, "%s", p->choices[*(const int *)at]);
}

/* Names that we make file names and command arguments of: neither "-x" nor ".." may come out. */
static bool name_is_valid(const char *s, size_t max)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._@-";
    size_t len = strnlen(s, max);
    return len != 0 && len < max && strspn(s, allowed) == len && s[0] != '-' && s[0] != '.';
}

#define NAME_WHAT "a name (letters, digits and . _ @ -, at most 63)"

int param_name_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    if (!name_is_valid(text, sizeof(struct name)))
        return param_not_a(err, text, NAME_WHAT);
    memcpy(at, text, strlen(text) + 1);
    return 0;
}

int param_name_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    if (!name_is_valid(at, sizeof(struct name)))
        return make_error(err, ERR_INPUT, 0, "not " NAME_WHAT);
    return 0;
}

/* Also the print of paths: both start with their text. */
void param_name_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%s", (const char *)at);
}

static bool path_part_is_valid(const char *part, size_t len)
{
    if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f)
            return false;
    return true;
}

static bool path_is_valid(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    if (len < 2 || len == max || s[0] != '/' || !utf8_valid(s, len))
        return false;
    for (const char *part = s; *part == '/';) {
        size_t n = strcspn(part + 1, "/");
        if (!path_part_is_valid(part + 1, n))
            return false;
        part += 1 + n;
    }
    return true;
}

#define PATH_WHAT                                                                                  \
    "an absolute path without \".\", \"..\", \"//\" or a slash at its end, of at most 255 bytes"

int param_path_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    if (!path_is_valid(text, sizeof(struct path)))
        return param_not_a(err, text, PATH_WHAT);
    memcpy(at, text, strlen(text) + 1);
    return 0;
}

int param_path_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    if (!path_is_valid(at, sizeof(struct path)))
        return make_error(err, ERR_INPUT, 0, "not " PATH_WHAT);
    return 0;
}

static int text_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    struct text *t = at;
    size_t len = strlen(text);
    if (len > TEXT_MAX_LEN)
        return make_error(err, ERR_INPUT, 0, "longer than %d bytes", TEXT_MAX_LEN);
    if (!utf8_valid(text, len))
        return make_error(err, ERR_INPUT, 0, "not UTF-8");
    t->len = (uint32_t)len;
    memcpy(t->s, text, len + 1);
    return 0;
}

static int text_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    const struct text *t = at;
    if (t->len > TEXT_MAX_LEN || strnlen(t->s, sizeof(t->s)) != t->len || !utf8_valid(t->s, t->len))
        return make_error(err, ERR_INPUT, 0, "not a text in UTF-8 of at most %d bytes",
                          TEXT_MAX_LEN);
    return 0;
}

static int64_t text_number(const void *at)
{
    return ((const struct text *)at)->len;
}

static void text_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%s", ((const struct text *)at)->s);
}

/* ERRNO and SIGNAL: the C library knows the names, so there is no list of ours to go stale. */
/* A word may begin with `before`, which ours have not; what is told is the whole text. */
static int word_number(const char *text, const char *before, int last, const char *(*word_of)(int),
                       const char *what, int *ret, struct err *err)
{
    size_t skip = strncmp(text, before, strlen(before)) == 0 ? strlen(before) : 0;
    const char *words[WORDS_MAX];
    size_t n = 0;
    for (int i = 1; i <= last; i++) {
        const char *word = word_of(i);
        if (word == NULL)
            continue;
        if (strcmp(word, text + skip) == 0) {
            *ret = i;
            return 0;
        }
        words[n++] = word;
    }
    return no_word(err, text, skip, what, words, n);
}

static int errno_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    return word_number(text, "", ERRNO_LAST, strerrorname_np, "the name of an error such as EIO",
                       at, err);
}

static int errno_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    int value = *(const int *)at;
    if (value < 1 || value > ERRNO_LAST || strerrorname_np(value) == NULL)
        return make_error(err, ERR_INPUT, 0, "not the number of an error");
    return 0;
}

static void errno_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%s", strerrorname_np(*(const int *)at));
}

static int signal_parse(const struct param *p, const char *text, void *at, struct err *err)
{
    (void)p;
    return word_number(text, "SIG", SIGNAL_LAST, sigabbrev_np, "the name of a signal such as TERM",
                       at, err);
}

static int signal_check(const struct param *p, const void *at, struct err *err)
{
    (void)p;
    int value = *(const int *)at;
    if (value < 1 || value > SIGNAL_LAST || sigabbrev_np(value) == NULL)
        return make_error(err, ERR_INPUT, 0, "not the number of a signal");
    return 0;
}

static void signal_print(const struct param *p, const void *at, size_t i, char *out, size_t size)
{
    (void)p, (void)i;
    (void)snprintf(out, size, "%s", sigabbrev_np(*(const int *)at));
}

/* clang-format off */
static const struct param_type_row rows[] = {
    /*                  size                   how it is written                    list   empty  min  max             parse         check         number        print */
    [PARAM_BOOL]     = {sizeof(bool),            "true or false",                     false, false, 0, 0,              bool_parse,   bool_check,   NULL,         bool_print},
    [PARAM_INT]      = {sizeof(int64_t),         "a whole number",                    false, false, INT64_MIN, INT64_MAX, int_parse, NULL,         int64_number, int_print},
    [PARAM_DURATION] = {sizeof(struct duration), "a duration such as 100ms",          false, false, 0, DURATION_MAX,   duration_at,  NULL,         int64_number, duration_out},
    [PARAM_RATIO]    = {sizeof(struct ratio),    "a share such as 5%",                false, false, 0, 1000000,        ratio_at,     NULL,         ratio_number, ratio_out},
    [PARAM_BYTES]    = {sizeof(struct bytes),    "a size such as 64MiB",              false, false, 0, BYTES_MAX,      bytes_at,     NULL,         bytes_number, bytes_out},
    [PARAM_ENUM]     = {sizeof(int),             "one of its words",                  false, false, 0, 0,              enum_parse,   enum_check,   NULL,         enum_print},
    [PARAM_NAME]     = {sizeof(struct name),     "a name",                            false, true,  0, 0,              param_name_parse,   param_name_check,   NULL,         param_name_print},
    [PARAM_PATH]     = {sizeof(struct path),     "an absolute path",                  false, true,  0, 0,              param_path_parse,   param_path_check,   NULL,         param_name_print},
    [PARAM_TEXT]     = {sizeof(struct text),     "a text",                            false, true,  0, TEXT_MAX_LEN,   text_parse,   text_check,   text_number,  text_print},
    [PARAM_ERRNO]    = {sizeof(int),             "the name of an error such as EIO",  false, true,  0, 0,              errno_parse,  errno_check,  NULL,         errno_print},
    [PARAM_SIGNAL]   = {sizeof(int),             "the name of a signal such as TERM", false, true,  0, 0,              signal_parse, signal_check, NULL,         signal_print},
    [PARAM_HOSTS]    = {sizeof(struct addrs),    "hosts, addresses or networks",      false, true,  0, ADDRS_MAX,      param_hosts_parse,  param_hosts_check,  param_list_number,  param_hosts_print},
    [PARAM_PORTS]    = {sizeof(struct ports),    "a list of ports (2379, 8000-8999)", true,  true,  0, PORTS_MAX,      param_ports_parse,  param_ports_check,  param_list_number,  param_ports_print},
    [PARAM_NAMES]    = {sizeof(struct names),    "a list of names",                   true,  true,  0, LIST_MAX,       param_names_parse,  param_names_check,  param_list_number,  param_names_print},
    [PARAM_PATHS]    = {sizeof(struct paths),    "a list of absolute paths",          true,  true,  0, LIST_MAX,       param_paths_parse,  param_paths_check,  param_list_number,  param_paths_print},
};
/* clang-format on */

const struct param_type_row *param_type_row(enum param_type type)
{
    return (size_t)type < sizeof(rows) / sizeof(rows[0]) ? &rows[type] : NULL;
}
