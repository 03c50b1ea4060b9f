/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/param.h"
#include "cmd/command.h"
#include "cmd/judged.h"
#include "reports/report.h"
#include "send/post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 2048, HEADERS_BYTES_MAX = 8192 };

static const struct command_option options[] = {
    {.name = "otlp",
     .argument = "URL",
     .doc = "Post the trace to this collector (OTLP over HTTP, usually port 4318)."},
    {.name = "grafana",
     .argument = "URL",
     .doc = "Post the annotations to this Grafana; its token comes from GRAFANA_TOKEN."},
    {.name = "timeout",
     .argument = "DURATION",
     .doc = "The longest that one request may take, its answer included (30s)."},
};

/* The collector's base, or the whole address with /v1/traces. */
static int url_join(const char *base, const char *path, char ret[URL_MAX], struct err *err)
{
    size_t len = strlen(base), end = strlen(path);
    while (len != 0 && base[len - 1] == '/')
        len--;
    bool whole = len >= end && strncmp(base + len - end, path, end) == 0;
    int n = snprintf(ret, URL_MAX, "%.*s%s", (int)len, base, whole ? "" : path);
    if (len == 0 || n < 0 || n >= URL_MAX)
        return make_error(err, ERR_USAGE, 0, "not a URL: \"%.100s\"", base);
    return 0;
}

/* A key may hold any sign but these; a line's end would be another header. */
static bool header_is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return false;
    return true;
}

/* OTEL_EXPORTER_OTLP_HEADERS as every exporter reads it: "key=value,key2=value2". */
static int otlp_headers(char *given, struct buf *text, const char *ret[POST_HEADERS_MAX + 1],
                        struct err *err)
{
    size_t offsets[POST_HEADERS_MAX], n = 0;
    char *rest = NULL;
    for (char *one = strtok_r(given, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(one, '=');
        if (value == NULL || n == POST_HEADERS_MAX || !header_is_plain(one))
            return make_error(err, ERR_USAGE, 0,
                              "OTEL_EXPORTER_OTLP_HEADERS: expected key=value, with commas "
                              "between, at most %d",
                              POST_HEADERS_MAX);
        *value++ = '\0';
        offsets[n++] = text->len;
        buf_printf(text, "%s: %s", one, value);
        buf_add(text, "", 1);
    }
    for (size_t i = 0; i < n; i++)
        ret[i] = buf_text(text) + offsets[i];
    ret[n] = NULL;
    return buf_ok(text) ? 0 : make_error(err, ERR_LIMIT, 0, "OTEL_EXPORTER_OTLP_HEADERS is long");
}

static int render(const struct report *report, const char *name, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < report_n_renderers; i++)
        if (strcmp(report_renderers[i].name, name) == 0)
            return report_render(report, &report_renderers[i], out, err);
    return make_error(err, ERR_NOT_FOUND, 0, "there is no report \"%s\"", name);
}

/* A collector may take the request and not all of the spans. */
static int check_answer(const struct buf *answer, struct err *err)
{
    json_t *o = answer->len != 0 ? json_loadb(answer->data, answer->len, 0, NULL) : NULL;
    const json_t *part = json_object_get(o, "partialSuccess");
    const json_t *n = json_object_get(part, "rejectedSpans");
    const char *text = json_string_value(n), *said;
    long long rejected = text != NULL ? strtoll(text, NULL, 10) : json_integer_value(n);
    said = json_string_value(json_object_get(part, "errorMessage"));
    int rc = rejected == 0 ? 0
                           : make_error(err, ERR_PROTOCOL, 0,
                                        "the collector took the trace, but not %lld spans of it: "
                                        "%.200s",
                                        rejected, said != NULL ? said : "");
    json_decref(o);
    return rc;
}

static int send_trace(struct post_link *link, const struct report *report, const char *base,
                      int64_t whole_ms, struct err *err)
{
    char url[URL_MAX];
    const char *headers[POST_HEADERS_MAX + 1] = {NULL};
    const char *given = getenv("OTEL_EXPORTER_OTLP_HEADERS");
    CLEANUP_BUF struct buf body = BUF_INIT(REPORT_MAX), answer = BUF_INIT(POST_ANSWER_MAX);
    CLEANUP_BUF struct buf text = BUF_INIT(HEADERS_BYTES_MAX);
    char *copy CLEANUP_FREE = strdup(given != NULL ? given : "");
    if (copy == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a request");
    if (url_join(base, "/v1/traces", url, err) < 0 || otlp_headers(copy, &text, headers, err) < 0 ||
        render(report, "trace", &body, err) < 0)
        return -1;
    const struct post p = {.url = url,
                           .headers = headers,
                           .body = buf_text(&body),
                           .len = body.len,
                           .whole_ms = whole_ms};
    if (post_send(link, &p, &answer, err) < 0 || check_answer(&answer, err) < 0)
        return -1;
    (void)printf("sent the trace to %s (%zu KiB)\n", url, (body.len + 1023) >> 10);
    return 0;
}

static int send_annotations(struct post_link *link, const struct report *report, const char *base,
                            int64_t whole_ms, struct err *err)
{
    char url[URL_MAX], header[1024];
    const char *token = getenv("GRAFANA_TOKEN"), *headers[] = {header, NULL};
    CLEANUP_BUF struct buf whole = BUF_INIT(REPORT_MAX), answer = BUF_INIT(POST_ANSWER_MAX);
    if (token == NULL || token[0] == '\0')
        return make_error(err, ERR_USAGE, 0,
                          "--grafana needs a service account's token in GRAFANA_TOKEN");
    int n = snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
    if (n < 0 || (size_t)n >= sizeof(header) || !header_is_plain(token))
        return make_error(err, ERR_USAGE, 0, "GRAFANA_TOKEN is not a token");
    if (url_join(base, "/api/annotations", url, err) < 0 ||
        render(report, "grafana", &whole, err) < 0)
        return -1;
    json_t *list = json_loads(buf_text(&whole), 0, NULL);
    size_t i;
    const json_t *one;
    int rc = 0;
    json_array_foreach(list, i, one)
    {
        char *body CLEANUP_FREE = json_dumps(one, JSON_COMPACT);
        const struct post p = {.url = url,
                               .headers = headers,
                               .body = body != NULL ? body : "",
                               .len = body != NULL ? strlen(body) : 0,
                               .whole_ms = whole_ms};
        rc = post_send(link, &p, &answer, err);
        if (rc < 0)
            break;
    }
    if (rc < 0 && i != 0)
        (void)wrap_error(err, "after %zu of %zu annotations", i, json_array_size(list));
    else if (rc == 0)
        (void)printf("sent %zu annotations to %s\n", json_array_size(list), url);
    json_decref(list);
    return rc;
}

static int timeout_of(const char *text, int64_t *ret, struct err *err)
{
    struct duration d = {(int64_t)POST_MS * NS_PER_MS};
    if (text != NULL && duration_parse(text, &d, err) < 0)
        return wrap_error(err, "--timeout");
    if (d.ns < 100 * NS_PER_MS || d.ns > 3600 * NS_PER_SEC)
        return make_error(err, ERR_USAGE, 0, "--timeout: from 100ms to 1h");
    *ret = d.ns / NS_PER_MS;
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    int64_t whole_ms = 0;
    const char *otlp = command_value(args, "otlp"), *grafana = command_value(args, "grafana");
    CLEANUP_JUDGED struct judged run_of = {.history = NULL};
    CLEANUP_POST struct post_link *link = NULL;
    if (otlp == NULL && grafana == NULL)
        return make_error(err, ERR_USAGE, 0, "send needs to know where: --otlp URL, --grafana URL");
    if (timeout_of(command_value(args, "timeout"), &whole_ms, err) < 0 ||
        judged_load(args->operands[0], &run_of, err) < 0 || post_open(&link, err) < 0)
        return -1;
    const struct report report = {.scenario = run_of.scenario,
                                  .history = run_of.history,
                                  .analysis = run_of.analysis,
                                  .dir = args->operands[0]};
    if (otlp != NULL && send_trace(link, &report, otlp, whole_ms, err) < 0)
        return -1;
    return grafana != NULL ? send_annotations(link, &report, grafana, whole_ms, err) : 0;
}

const struct command command_send = {
    .name = "send",
    .summary = "Send a run to a trace collector, or to Grafana.",
    .usage = "[--otlp URL] [--grafana URL] [--timeout DURATION] DIR",
    .doc = "Makes the trace, or the annotations, from the run's journal and posts them. A "
           "collector's further headers come from OTEL_EXPORTER_OTLP_HEADERS (key=value, with "
           "commas between). Where nobody answers in time, or the server is busy, it tries once "
           "more; then the exit status is 3. Exit status 0 when all was taken, whatever the run's "
           "verdict. What was sent "
           "twice is one trace: its ids come from the run's.",
    .example = "blackstart send --otlp http://localhost:4318 runs/latest\n"
               "GRAFANA_TOKEN=$(cat token) blackstart send --grafana http://localhost:3000 "
               "runs/latest",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
