/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "send/post.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CONNECT_MS = 5000, ATTEMPTS = 2, SHOWN_MAX = 200 };

struct post_link {
    CURL *easy;
    char why[CURL_ERROR_SIZE];
    curl_off_t connected_us; /* of the last attempt; 0: it did not come so far */
};

int post_open(struct post_link **ret, struct err *err)
{
    struct post_link *link = calloc(1, sizeof(*link));
    if (link == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (link->easy = curl_easy_init()) == NULL) {
        free(link);
        return make_error(err, ERR_LIMIT, 0, "libcurl cannot be had");
    }
    *ret = link;
    return 0;
}

void post_close_at(struct post_link **link)
{
    if (*link == NULL)
        return;
    curl_easy_cleanup((*link)->easy);
    curl_global_cleanup();
    free(*link);
    *link = NULL;
}

/* What is beyond the maximum is let go: an answer is only for people and for a few words. */
static size_t take(char *data, size_t size, size_t n, void *ctx)
{
    struct buf *answer = ctx;
    size_t room = answer->max - answer->len;
    buf_add(answer, data, size * n < room ? size * n : room);
    return size * n;
}

static struct curl_slist *headers_make(const struct post *p)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    for (size_t i = 0; list != NULL && p->headers != NULL && p->headers[i] != NULL; i++) {
        struct curl_slist *more = curl_slist_append(list, p->headers[i]);
        if (more == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = more;
    }
    return list;
}

static int64_t whole_ms(const struct post *p)
{
    return p->whole_ms > 0 ? p->whole_ms : POST_MS;
}

static CURLcode post_once(struct post_link *link, const struct post *p, struct curl_slist *headers,
                          struct buf *answer, long *status)
{
    CURL *easy = link->easy;
    answer->len = 0;
    *status = 0;
    curl_easy_reset(easy);
    (void)curl_easy_setopt(easy, CURLOPT_URL, p->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)whole_ms(p));
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->len);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, p->body);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "blackstart/" BLACKSTART_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, link->why);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    CURLcode rc = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
    (void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &link->connected_us);
    return rc;
}

/* Nothing can have been taken twice by it that the second time would spoil: ids are the same. */
static bool may_try_again(CURLcode rc, long status)
{
    return rc == CURLE_COULDNT_CONNECT || rc == CURLE_OPERATION_TIMEDOUT ||
           rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR ||
           (rc == CURLE_OK && (status == 429 || (status >= 502 && status <= 504)));
}

static void words_of(const struct buf *answer, char ret[SHOWN_MAX + 1])
{
    size_t n = answer->len < SHOWN_MAX ? answer->len : SHOWN_MAX;
    if (n != 0)
        memcpy(ret, answer->data, n);
    ret[n] = '\0';
    utf8_clean(ret, n);
}

static int refused(const struct post *p, long status, const struct buf *answer, struct err *err)
{
    char said[SHOWN_MAX + 1];
    words_of(answer, said);
    if (status == 401 || status == 403)
        return make_error(err, ERR_REFUSED, 0, "%s refused (HTTP %ld): is the token right? %s",
                          p->url, status, said);
    return make_error(err, ERR_PROTOCOL, 0, "%s answered HTTP %ld: %s", p->url, status, said);
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t n = sizeof(json) - 1;
    return strncasecmp(type, json, n) == 0 && (type[n] == '\0' || strchr("; \t", type[n]) != NULL);
}

/* A page for people, such as a proxy's or a login's, comes with 200 too: it took nothing. */
static int check_json(const struct post_link *link, const struct post *p, long status,
                      const struct buf *answer, struct err *err)
{
    char said[SHOWN_MAX + 1], type[SHOWN_MAX + 1] = "";
    char *given = NULL;
    if (answer->len == 0)
        return 0;
    words_of(answer, said);
    (void)curl_easy_getinfo(link->easy, CURLINFO_CONTENT_TYPE, &given);
    if (given != NULL && !is_json(given)) {
        (void)snprintf(type, sizeof(type), "%s", given);
        utf8_clean(type, strlen(type));
        return make_error(err, ERR_PROTOCOL, 0,
                          "%.150s answered HTTP %ld with %.60s, not JSON: is that its address? %s",
                          p->url, status, type, said);
    }
    json_t *o = json_loadb(answer->data, answer->len, 0, NULL);
    bool object = json_is_object(o);
    json_decref(o);
    return object ? 0
                  : make_error(err, ERR_PROTOCOL, 0,
                               "%.150s answered HTTP %ld with no JSON object: is that its address? "
                               "%s",
                               p->url, status, said);
}

/* Who does not answer: is it the network, or somebody who takes a request and says nothing? */
static int too_slow(const struct post_link *link, const struct post *p, int attempts,
                    struct err *err)
{
    if (link->connected_us == 0)
        return make_error(err, ERR_TIMEOUT, 0, "%s: no connection in time, in %d attempts: %s",
                          p->url, attempts, link->why);
    return make_error(err, ERR_TIMEOUT, 0,
                      "%s took the connection and gave no whole answer within %.1f s, in %d "
                      "attempts; whether it kept what was sent is not known",
                      p->url, (double)whole_ms(p) / 1000, attempts);
}

int post_send(struct post_link *link, const struct post *p, struct buf *answer, struct err *err)
{
    struct curl_slist *headers = headers_make(p);
    CURLcode rc = CURLE_OK;
    long status = 0;
    if (headers == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a request");
    int attempts = 0;
    while (attempts < ATTEMPTS) {
        if (attempts++ != 0) {
            struct timespec pause = clock_timespec(NS_PER_SEC);
            (void)nanosleep(&pause, NULL);
        }
        rc = post_once(link, p, headers, answer, &status);
        if (!may_try_again(rc, status))
            break;
    }
    curl_slist_free_all(headers);
    if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
        return make_error(err, ERR_USAGE, 0, "%s is not a URL of http or https", p->url);
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return too_slow(link, p, attempts, err);
    if (rc != CURLE_OK)
        return make_error(err, ERR_SYSTEM, 0, "%s: %s", p->url,
                          link->why[0] != '\0' ? link->why : curl_easy_strerror(rc));
    if (status < 200 || status > 299)
        return refused(p, status, answer, err);
    return check_json(link, p, status, answer, err);
}
