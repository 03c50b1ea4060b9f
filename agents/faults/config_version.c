/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_version.h"

#include "agents/faults/config_edit.h"
#include "agents/faults/config_key.h"
#include "agents/faults/exchange.h"

#include <string.h>

enum { FORMAT_NAME, FORMAT_JSON, FORMAT_YAML };

static const char *const formats[] = {"name", "json", "yaml", NULL};
static const char *const encodings[] = {"kept", "utf16", "latin1", "bom", "crlf", NULL};

const struct param config_params[CONFIG_PARAMS] = {
    P(struct config_args, PARAM_PATH, path, .required = true, .doc = "The file in the host."),
    P(struct config_args, PARAM_TEXT, content, .doc = "The whole text of the bad version."),
    P(struct config_args, PARAM_TEXT, find, .doc = "Or an edit: the text to look for."),
    P(struct config_args, PARAM_INT, line, .min = 1, .max = 100000,
      .doc = "Or the number of the line that becomes `replace`; without one it is removed."),
    P(struct config_args, PARAM_NAMES, key,
      .doc = "Or the way to a value in a JSON or YAML file, places in lists from 0: "
             "`[servers, 0, port]`. It becomes `replace`; every other byte stays as it is."),
    P(struct config_args, PARAM_ENUM, format, .def = "name", .choices = formats,
      .doc = "What a file with a `key` is written in; `name`: as its ending says (.json, .yaml, "
             ".yml)."),
    P(struct config_args, PARAM_TEXT, replace,
      .doc = "What every occurrence of `find`, the `line` or the value of `key` becomes, as it "
             "shall stand in the file: a JSON text with its quotes."),
    P(struct config_args, PARAM_RATIO, keep, .min = 0, .max = 999999,
      .doc = "Or the share of the file that is left: the rest is cut off."),
    P(struct config_args, PARAM_BYTES, keep_bytes, .min = 1, .max = CONFIG_MAX,
      .doc = "Or how much of the file is left."),
    P(struct config_args, PARAM_BOOL, empty, .doc = "Or nothing is left of it."),
    P(struct config_args, PARAM_ENUM, encoding, .def = "kept", .choices = encodings,
      .doc = "Alone or after an edit: the text written as `utf16` (little-endian, with its mark), "
             "`latin1`, with a byte order mark (`bom`) or with `crlf` line ends."),
    P(struct config_args, PARAM_ENUM, apply, .def = "none", .choices = exchange_applies,
      .doc = "What the service is told to do, now and again when the file is restored."),
    P(struct config_args, PARAM_NAME, service, .doc = "The lab's service that apply means."),
};

static bool ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static int format_of(const struct config_args *a)
{
    if (a->format != FORMAT_NAME)
        return a->format;
    if (ends_with(a->path.s, ".json"))
        return FORMAT_JSON;
    return ends_with(a->path.s, ".yaml") || ends_with(a->path.s, ".yml") ? FORMAT_YAML
                                                                         : FORMAT_NAME;
}

static int check_edit(const struct config_args *a, struct err *err)
{
    bool edit = a->find.len != 0 || a->line != 0 || a->key.n != 0;
    int ways = (a->content.len != 0) + (a->find.len != 0) + (a->line != 0) + (a->key.n != 0) +
               (a->keep.ppm != 0) + (a->keep_bytes.n != 0) + a->empty;
    if (ways > 1)
        return make_error(err, ERR_INPUT, 0,
                          "give only one of content, find, line, key, keep, keep_bytes and empty");
    if (a->replace.len != 0 && !edit)
        return make_error(err, ERR_INPUT, 0, "replace needs find, line or key");
    if (ways == 0 && a->encoding == CONFIG_KEPT)
        return make_error(
            err, ERR_INPUT, 0,
            "what is wrong with the new version? content, find, line, key, keep, keep_bytes, "
            "empty or encoding says it");
    if (a->format != FORMAT_NAME && a->key.n == 0)
        return make_error(err, ERR_INPUT, 0, "format needs key");
    if (a->key.n != 0 && format_of(a) == FORMAT_NAME)
        return make_error(err, ERR_INPUT, 0,
                          "key: the file's name does not say what it is written in: give "
                          "format: json or yaml");
    return 0;
}

int config_check(const void *args, struct err *err)
{
    const struct config_args *a = args;
    return check_edit(a, err) != 0 ? -1 : exchange_check(a->apply, &a->service, err);
}

static int edit_key(const struct config_args *a, const char *text, size_t len, struct buf *out,
                    struct err *err)
{
    struct config_span span;
    int rc = format_of(a) == FORMAT_JSON ? config_json_find(text, len, &a->key, &span, err)
                                         : config_yaml_find(text, len, &a->key, &span, err);
    if (rc != 0)
        return -1;
    /* `key:` with nothing behind it: a value must stand off from the colon. */
    if (span.start == span.end && span.start > 0 &&
        strchr(" \t\r\n", text[span.start - 1]) == NULL) {
        buf_add(out, text, span.start);
        buf_puts(out, " ");
        return config_edit_span(text + span.start, len - span.start, 0, 0, &a->replace, out, err);
    }
    return config_edit_span(text, len, span.start, span.end, &a->replace, out, err);
}

static int edit(const struct config_args *a, const char *text, size_t len, struct buf *out,
                struct err *err)
{
    if (a->find.len != 0)
        return config_edit(text, len, &a->find, &a->replace, out, err);
    if (a->line != 0)
        return config_edit_line(text, len, a->line, &a->replace, out, err);
    if (a->key.n != 0)
        return edit_key(a, text, len, out, err);
    size_t left = a->content.len != 0 ? a->content.len : len;
    if (a->empty)
        left = 0;
    else if (a->keep.ppm != 0)
        left = (size_t)((uint64_t)len * a->keep.ppm / 1000000);
    else if (a->keep_bytes.n != 0 && a->keep_bytes.n < len)
        left = (size_t)a->keep_bytes.n;
    return config_encode(a->content.len != 0 ? a->content.s : text, left, CONFIG_KEPT, out, err);
}

int config_version(const struct config_args *a, const char *text, size_t len, struct buf *out,
                   struct err *err)
{
    CLEANUP_BUF struct buf edited = BUF_INIT(CONFIG_MAX);
    if (edit(a, text, len, &edited, err) != 0)
        return -1;
    return config_encode(buf_text(&edited), edited.len, (enum config_encoding)a->encoding, out,
                         err);
}
