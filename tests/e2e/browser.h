/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real browser without a screen, told by its developers' protocol over a pair of pipes: opens a
 * page as wide and as light or dark as asked, and counts what it asked of the network and what it
 * complained of.
 */
#ifndef BLACKSTART_TESTS_BROWSER_H
#define BLACKSTART_TESTS_BROWSER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "e2e.h"

#include <poll.h>

enum { BROWSER_MESSAGE_MAX = 64 << 20, BROWSER_WAIT_MS = 30000 };

struct browser {
    char dir[64]; /* its profile */
    pid_t pid;
    int to, from;
    struct buf in;
    int last; /* number of the last call */
    char session[80];
    bool loaded;
    unsigned requests, complaints; /* of the page that is open; the page itself is no request */
    char first[400];               /* of either */
};

static inline void browser_exec(const struct browser *b, int in, int out)
{
    char profile[100];
    (void)snprintf(profile, sizeof(profile), "--user-data-dir=%s", b->dir);
    const char *argv[] = {"chromium",
                          "--headless",
                          "--no-sandbox",
                          "--disable-gpu",
                          "--disable-quic",
                          "--no-first-run",
                          "--disable-background-networking",
                          "--disable-component-update",
                          "--disable-sync",
                          "--disable-breakpad",
                          "--hide-scrollbars",
                          "--remote-debugging-pipe",
                          profile,
                          NULL};
    int null = open("/dev/null", O_RDWR), high_in = fcntl(in, F_DUPFD, 20),
        high_out = fcntl(out, F_DUPFD, 20);
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(null, fd);
    if (dup2(high_in, 3) != 3 || dup2(high_out, 4) != 4)
        _exit(126);
    (void)setenv("HOME", b->dir, 1);
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* The next message, or NULL after a while or when the browser has gone; the caller decrefs. */
static inline json_t *browser_read(struct browser *b)
{
    for (int64_t end = clock_system(CLOCK_MONOTONIC) + BROWSER_WAIT_MS * NS_PER_MS;;) {
        char *stop = b->in.len != 0 ? memchr(b->in.data, '\0', b->in.len) : NULL;
        if (stop != NULL) {
            json_t *message = json_loads(b->in.data, 0, NULL);
            buf_drop(&b->in, (size_t)(stop - b->in.data) + 1);
            return message;
        }
        char piece[65536];
        struct pollfd p = {.fd = b->from, .events = POLLIN};
        if (clock_system(CLOCK_MONOTONIC) > end || poll(&p, 1, 1000) < 0)
            return NULL;
        ssize_t n =
            (p.revents & (POLLIN | POLLHUP)) != 0 ? read(b->from, piece, sizeof(piece)) : -2;
        if (n == 0 || n == -1)
            return NULL;
        if (n > 0)
            buf_add(&b->in, piece, (size_t)n);
    }
}

static inline void browser_note(struct browser *b, unsigned *count, const json_t *what)
{
    if ((*count)++ == 0) {
        CLEANUP_FREE char *text = json_dumps(what, JSON_COMPACT);
        (void)snprintf(b->first, sizeof(b->first), "%s", text != NULL ? text : "?");
    }
}

static inline void browser_event(struct browser *b, const json_t *message)
{
    const char *is = e2e_text(message, "method");
    const json_t *params = json_object_get(message, "params");
    if (strcmp(is, "Page.loadEventFired") == 0)
        b->loaded = true;
    if (strcmp(is, "Network.requestWillBeSent") == 0 &&
        strcmp(e2e_text(params, "type"), "Document") != 0)
        browser_note(b, &b->requests, params);
    if (strcmp(is, "Runtime.exceptionThrown") == 0 || strcmp(is, "Runtime.consoleAPICalled") == 0 ||
        strcmp(is, "Log.entryAdded") == 0 || strcmp(is, "Page.javascriptDialogOpening") == 0)
        browser_note(b, &b->complaints, params);
}

/* The call's result, NULL on an error; the caller decrefs. Takes over `params`. */
static inline json_t *browser_call(struct browser *b, const char *method, json_t *params)
{
    json_t *call = json_pack("{s:i, s:s, s:o}", "id", ++b->last, "method", method, "params",
                             params != NULL ? params : json_object());
    if (b->session[0] != '\0')
        (void)json_object_set_new(call, "sessionId", json_string(b->session));
    CLEANUP_FREE char *text = json_dumps(call, JSON_COMPACT);
    json_decref(call);
    if (text == NULL || write(b->to, text, strlen(text) + 1) < 0)
        return NULL;
    for (json_t *m; (m = browser_read(b)) != NULL; json_decref(m)) {
        if ((int)e2e_number(m, "id") != b->last) {
            browser_event(b, m);
            continue;
        }
        json_t *result = json_incref(json_object_get(m, "result"));
        if (result == NULL)
            fprintf(stderr, "%s: %s\n", method, e2e_text(json_object_get(m, "error"), "message"));
        json_decref(m);
        return result;
    }
    fprintf(stderr, "%s: the browser does not answer\n", method);
    return NULL;
}

static inline bool browser_do(struct browser *b, const char *method, json_t *params)
{
    json_t *result = browser_call(b, method, params);
    json_decref(result);
    return result != NULL;
}

static inline bool browser_attach(struct browser *b)
{
    static const char *const enable[] = {"Page.enable", "Runtime.enable", "Log.enable",
                                         "Network.enable"};
    json_t *made = browser_call(b, "Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
    json_t *at =
        browser_call(b, "Target.attachToTarget",
                     json_pack("{s:s, s:b}", "targetId", e2e_text(made, "targetId"), "flatten", 1));
    (void)snprintf(b->session, sizeof(b->session), "%s", e2e_text(at, "sessionId"));
    json_decref(made);
    json_decref(at);
    for (size_t i = 0; i < sizeof(enable) / sizeof(enable[0]); i++)
        if (!browser_do(b, enable[i], NULL))
            return false;
    return b->session[0] != '\0';
}

static inline bool browser_start(struct browser *b)
{
    int to[2], from[2];
    *b = (struct browser){.pid = -1, .in = BUF_INIT(BROWSER_MESSAGE_MAX)};
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/blackstart-page-XXXXXX");
    if (mkdtemp(b->dir) == NULL || pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        abort();
    b->pid = fork();
    if (b->pid == 0)
        browser_exec(b, to[0], from[1]);
    (void)close(to[0]);
    (void)close(from[1]);
    b->to = to[1];
    b->from = from[0];
    return browser_attach(b);
}

static inline void browser_stop(struct browser *b)
{
    int status = 0;
    b->session[0] = '\0';
    (void)browser_do(b, "Browser.close", NULL);
    (void)close(b->to);
    for (int i = 0; i < 250 && waitpid(b->pid, &status, WNOHANG) != b->pid; i++)
        e2e_sleep_ms(20);
    if (kill(b->pid, 0) == 0) {
        (void)kill(b->pid, SIGKILL);
        (void)waitpid(b->pid, &status, 0);
    }
    (void)close(b->from);
    buf_free(&b->in);
    /* What it had started may still be writing there. */
    for (int i = 0; i < 50 && access(b->dir, F_OK) == 0; i++) {
        (void)nftw(b->dir, e2e_remove, 16, FTW_DEPTH | FTW_PHYS);
        if (access(b->dir, F_OK) == 0)
            e2e_sleep_ms(40);
    }
}

static inline bool browser_open(struct browser *b, const char *path, int width, bool dark)
{
    char url[PATH_MAX];
    (void)snprintf(url, sizeof(url), "file://%s", path);
    b->requests = b->complaints = 0;
    b->first[0] = '\0';
    b->loaded = false;
    if (!browser_do(b, "Emulation.setDeviceMetricsOverride",
                    json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", 900,
                              "deviceScaleFactor", 1, "mobile", 0)) ||
        !browser_do(b, "Emulation.setEmulatedMedia",
                    json_pack("{s:[{s:s, s:s}]}", "features", "name", "prefers-color-scheme",
                              "value", dark ? "dark" : "light")) ||
        !browser_do(b, "Page.navigate", json_pack("{s:s}", "url", url)))
        return false;
    while (!b->loaded) {
        json_t *m = browser_read(b);
        if (m == NULL)
            return false;
        browser_event(b, m);
        json_decref(m);
    }
    return true;
}

/* The value of an expression in the page; the caller decrefs. */
static inline json_t *browser_value(struct browser *b, const char *expression)
{
    json_t *result =
        browser_call(b, "Runtime.evaluate",
                     json_pack("{s:s, s:b}", "expression", expression, "returnByValue", 1));
    json_t *value = json_incref(json_object_get(json_object_get(result, "result"), "value"));
    if (json_object_get(result, "exceptionDetails") != NULL)
        browser_note(b, &b->complaints, json_object_get(result, "exceptionDetails"));
    json_decref(result);
    return value;
}

/* A piece of the page as a picture, base64, into a file with that name; for people. */
static inline void browser_picture(struct browser *b, const char *path, int width, int from,
                                   int height)
{
    json_t *shot = browser_call(b, "Page.captureScreenshot",
                                json_pack("{s:s, s:b, s:{s:i, s:i, s:i, s:i, s:i}}", "format",
                                          "png", "captureBeyondViewport", 1, "clip", "x", 0, "y",
                                          from, "width", width, "height", height, "scale", 1));
    CLEANUP_FILE FILE *file = fopen(path, "w");
    if (file != NULL)
        (void)fputs(e2e_text(shot, "data"), file);
    json_decref(shot);
}

#endif
