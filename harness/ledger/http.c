/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any API over HTTP, by templates; etcd's gateway is the example. */
#include "base/buf.h"
#include "base/clock.h"
#include "ledger/ledger.h"
#include "ledger/template.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
    struct text write_url, write_body, read_url, read_body;
    int write_method, read_method;
    struct name list, id, times;
    bool base64;
};

enum { METHOD_POST, METHOD_PUT, METHOD_GET };
static const char *const methods[] = {"POST", "PUT", "GET", NULL};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, write_url, .required = true, .min = 1, .max = 2048,
      .doc = "Where a write goes; ${host} and ${host.ip} are the host's. In this and the other "
             "three, {id} is the write's number, {key} a text of its own that ends with it, "
             "{prefix} what all keys of this ledger begin with, {end} the first text behind all of "
             "them; {key64}, {prefix64}, {end64} are the same in base64."),
    P(struct args, PARAM_ENUM, write_method, .def = "POST", .choices = methods, .doc = "How."),
    P(struct args, PARAM_TEXT, write_body, .max = 8192, .doc = "What is sent."),
    P(struct args, PARAM_TEXT, read_url, .required = true, .min = 1, .max = 2048,
      .doc = "Where all is read back."),
    P(struct args, PARAM_ENUM, read_method, .def = "GET", .choices = methods, .doc = "How."),
    P(struct args, PARAM_TEXT, read_body, .max = 8192, .doc = "What is sent."),
    P(struct args, PARAM_NAME, list,
      .doc = "The member of the JSON answer that is the list; a dot leads into an object. Without "
             "it the answer itself is the list."),
    P(struct args, PARAM_NAME, id,
      .doc =
          "The member of each item that is, or ends with, the number. Without it the item itself."),
    P(struct args, PARAM_NAME, times,
      .doc = "The member of each item that says how often it was written, so that duplicates show "
             "(etcd: version)."),
    P(struct args, PARAM_BOOL, base64, .def = "false", .doc = "The id is in base64."),
};

struct client {
    const struct ledger_place *place;
    const struct args *args;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    size_t host; /* that writes go to */
};

static size_t take(char *data, size_t size, size_t n, void *ctx)
{
    struct buf *answer = ctx;
    buf_add(answer, data, size * n);
    return buf_ok(answer) ? size * n : 0;
}

static void client_close(void *client)
{
    struct client *c = client;
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    buf_free(&c->answer);
    free(c);
}

static int client_open(const struct ledger_place *p, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "HTTP client");
    c->place = p;
    c->args = p->args;
    c->answer = BUF_INIT(LEDGER_ANSWER_MAX);
    c->easy = curl_easy_init();
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (c->easy == NULL || c->headers == NULL) {
        client_close(c);
        return make_error(err, ERR_SYSTEM, ENOMEM, "HTTP client");
    }
    *ret = c;
    return 0;
}

/* A connection of its own for each request: curl would send one again, by itself, on a kept one
 * that has died, and so write twice. */
static int request_set(struct client *c, const char *url, const char *body, int method, int64_t ns)
{
    CURL *e = c->easy;
    curl_easy_reset(e);
    buf_free(&c->answer);
    c->answer = BUF_INIT(LEDGER_ANSWER_MAX);
    bool ok = curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(ns / NS_PER_MS + 1)) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEDATA, &c->answer) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, methods[method]) == CURLE_OK;
    if (ok && method != METHOD_GET)
        ok = curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK;
    return ok ? 0 : -1;
}

struct exchange {
    const struct text *url, *body;
    int method;
};

/* The host's name stays in the URL, for whom that is sent to; where it is, the lab or inventory
 * says. */
static struct curl_slist *connect_to(const struct named_host *host)
{
    char text[160];
    bool six = strchr(named_host_address(host), ':') != NULL;
    (void)snprintf(text, sizeof(text), "%s::%s%s%s:", host->name, six ? "[" : "",
                   named_host_address(host), six ? "]" : "");
    return curl_slist_append(NULL, text);
}

static void slist_free(struct curl_slist **l)
{
    curl_slist_free_all(*l);
}

/* One request to one host; *ret_sent: it may have arrived. */
static int exchange(struct client *c, const struct exchange *x, size_t host, uint64_t id,
                    int64_t ns, long *ret_status, bool *ret_sent, struct err *err)
{
    CLEANUP_BUF struct buf url = BUF_INIT(TEXT_MAX_LEN), body = BUF_INIT(TEXT_MAX_LEN);
    const struct named_host *at = &c->place->hosts[host];
    *ret_sent = false;
    if (ns <= 0)
        return make_error(err, ERR_TIMEOUT, 0, "no time is left");
    if (template_expand(x->url->s, id, c->place, at, &url, err) != 0 ||
        template_expand(x->body->s, id, c->place, at, &body, err) != 0)
        return -1;
    __attribute__((cleanup(slist_free))) struct curl_slist *to = connect_to(at);
    if (to == NULL || request_set(c, buf_text(&url), buf_text(&body), x->method, ns) != 0 ||
        curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, to) != CURLE_OK)
        return make_error(err, ERR_SYSTEM, 0, "curl cannot be set up");
    CURLcode code = curl_easy_perform(c->easy);
    (void)curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, NULL);
    curl_off_t connected = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &connected);
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, ret_status);
    *ret_sent = connected > 0;
    if (code == CURLE_OK)
        return 0;
    return make_error(err, ERR_SYSTEM, 0, "%s: %s", at->name, curl_easy_strerror(code));
}

static enum ledger_result write_one(void *client, uint64_t id, int64_t deadline,
                                    char why[LEDGERLOG_WHY])
{
    struct client *c = client;
    const struct exchange x = {&c->args->write_url, &c->args->write_body, c->args->write_method};
    struct err err = {.msg = "no host to ask"};
    size_t n = c->place->n_hosts;
    for (size_t i = 0; i < n; i++) {
        long status = 0;
        bool sent = false;
        int r = exchange(c, &x, c->host, id, ledger_share(deadline, n - i), &status, &sent, &err);
        if (r == 0 && status >= 200 && status < 300)
            return LEDGER_OK;
        if (r == 0)
            (void)snprintf(why, LEDGERLOG_WHY, "%s: status %ld: %.100s",
                           c->place->hosts[c->host].name, status, buf_text(&c->answer));
        else
            (void)snprintf(why, LEDGERLOG_WHY, "%.190s", err.msg);
        if (r == 0 && status >= 400 && status < 500)
            return LEDGER_FAIL;
        c->host = (c->host + 1) % n; /* as a client that fails over */
        if (r == 0 || sent)
            return LEDGER_UNKNOWN;
    }
    return LEDGER_FAIL;
}

static const json_t *member(const json_t *value, const char *path)
{
    for (char name[NAME_MAX_LEN + 1]; value != NULL && *path != '\0';) {
        size_t len = strcspn(path, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        value = json_object_get(value, name);
        path += len + (path[len] == '.');
    }
    return value;
}

/* JSON has whole numbers as such, or, where they are of 64 bits, as texts. */
static bool number_of(const json_t *v, uint64_t *ret)
{
    if (json_is_integer(v)) {
        *ret = (uint64_t)json_integer_value(v);
        return json_integer_value(v) >= 0;
    }
    return json_is_string(v) && ledger_id_parse(json_string_value(v), json_string_length(v), ret);
}

static int take_item(const struct args *args, const json_t *item, struct ledger_ids *to,
                     struct err *err)
{
    char plain[256];
    uint64_t id = 0, times = 1;
    const json_t *v = member(item, args->id.s);
    bool ok = false;
    if (args->base64 && json_is_string(v)) {
        size_t len = template_base64_decode(json_string_value(v), plain, sizeof(plain));
        ok = ledger_id_parse(plain, len, &id);
    } else {
        ok = number_of(v, &id);
    }
    if (ok && args->times.s[0] != '\0')
        ok = number_of(member(item, args->times.s), &times) && times <= UINT32_MAX;
    if (!ok)
        return make_error(err, ERR_PROTOCOL, 0, "an item of the list has no number as id");
    return ledger_ids_add(to, id, (uint32_t)times, err);
}

static int take_list(const struct args *args, const json_t *root, struct ledger_ids *to,
                     struct err *err)
{
    const json_t *list = member(root, args->list.s);
    if (list == NULL && json_is_object(root))
        return 0; /* what is empty is left out by some (etcd) */
    if (!json_is_array(list))
        return make_error(err, ERR_PROTOCOL, 0, "the answer has no list%s%s",
                          args->list.s[0] != '\0' ? " " : "", args->list.s);
    if (json_is_true(json_object_get(root, "more")))
        return make_error(err, ERR_LIMIT, 0, "the answer is not all: there is more");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (take_item(args, json_array_get(list, i), to, err) != 0)
            return -1;
    return 0;
}

static int read_host(struct client *c, size_t host, int64_t ns, struct ledger_ids *to,
                     bool *ret_asked, struct err *err)
{
    const struct exchange x = {&c->args->read_url, &c->args->read_body, c->args->read_method};
    long status = 0;
    json_error_t why;
    if (exchange(c, &x, host, 0, ns, &status, ret_asked, err) != 0)
        return -1;
    if (status < 200 || status > 299)
        return make_error(err, ERR_SYSTEM, 0, "%s: status %ld: %.100s", c->place->hosts[host].name,
                          status, buf_text(&c->answer));
    json_t *root = json_loadb(buf_text(&c->answer), c->answer.len, 0, &why);
    if (root == NULL)
        return make_error(err, ERR_PROTOCOL, 0, "not JSON: %s", why.text);
    int r = take_list(c->args, root, to, err);
    json_decref(root);
    return r;
}

static int read_all(void *client, size_t view, int64_t deadline, struct ledger_ids *to,
                    struct err *err)
{
    struct client *c = client;
    bool asked = false;
    if (view != LEDGER_VIEW_CLIENT)
        return read_host(c, view, ledger_left(deadline), to, &asked, err);
    (void)make_error(err, ERR_NOT_FOUND, 0, "no host to ask");
    for (size_t i = 0, n = c->place->n_hosts; i < n; i++) {
        to->n = 0;
        if (read_host(c, c->host, ledger_share(deadline, n - i), to, &asked, err) == 0)
            return 0;
        c->host = (c->host + 1) % n;
    }
    return -1;
}

static const char *check(const void *args, struct err *err)
{
    const struct args *a = args;
    const struct {
        const char *key;
        const struct text *text;
    } texts[] = {{"write_url", &a->write_url}, {"read_url", &a->read_url}};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(texts[i].text->s, "http://", 7) != 0 &&
            strncmp(texts[i].text->s, "https://", 8) != 0) {
            (void)make_error(err, ERR_INPUT, 0, "begins with http:// or https://");
            return texts[i].key;
        }
    if (!template_has_id(a->write_url.s) && !template_has_id(a->write_body.s)) {
        (void)make_error(err, ERR_INPUT, 0, "needs {id}, {key} or {key64}, here or in write_body");
        return "write_url";
    }
    return NULL;
}

static const struct ledger_ops ops = {
    .open = client_open, .close = client_close, .write = write_one, .read = read_all};

const struct ledger_kind ledger_http = {
    .name = "http",
    .summary = "Any API over HTTP that takes JSON or parameters and lists what it has as JSON.",
    .doc = "2xx acknowledges; 4xx refuses, so that the write must not be there; anything else, "
           "once the request was sent, is "
           "unknown. A host that cannot be reached is left for the next one. All must be readable "
           "in one answer.",
    .example = "orders:\n  kind: http\n  hosts: {label: member}\n  write_url: "
               "http://${host}:2379/v3/kv/put\n"
               "  write_body: '{\"key\": \"{key64}\", \"value\": \"MQ==\"}'\n"
               "  read_url: http://${host}:2379/v3/kv/range\n  read_method: POST\n"
               "  read_body: '{\"key\": \"{prefix64}\", \"range_end\": \"{end64}\", \"keys_only\": "
               "true}'\n"
               "  list: kvs\n  id: key\n  times: version\n  base64: true\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
