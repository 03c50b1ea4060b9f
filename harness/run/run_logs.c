/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The services' log lines around the impact: what each log gained between the moment before the
 * first injection and the moment after the recovery.
 */
#include "run/run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINES_MAX = 40, LINE_MAX_LEN = 400, MARK_LEN = 200 };

typedef void visit(struct run *r, size_t index, const char *host, const char *service, char *tail);

static void each_log(struct run *r, visit *fn)
{
    size_t index = 0;
    const struct lab_spec *lab = r->scenario->lab;
    for (size_t s = 0; s < lab->n_services; s++)
        for (size_t h = 0; h < lab->services[s].n_hosts; h++, index++) {
            struct err err;
            char *tail = NULL;
            if (lab_log_tail(r->lab, lab->services[s].hosts[h], lab->services[s].name, RUN_LOG_TAIL,
                             &tail, &err) < 0)
                continue;
            fn(r, index, lab->services[s].hosts[h], lab->services[s].name, tail);
            free(tail);
        }
}

static void keep_end(struct run *r, size_t index, const char *host, const char *service, char *tail)
{
    (void)host;
    (void)service;
    if (index >= r->n_tails)
        return;
    size_t len = strlen(tail);
    buf_free(&r->tails[index]);
    buf_puts(&r->tails[index], len > MARK_LEN ? tail + len - MARK_LEN : tail);
}

void run_logs_before(struct run *r)
{
    const struct lab_spec *lab = r->scenario->lab;
    size_t n = 0;
    for (size_t s = 0; s < lab->n_services; s++)
        n += lab->services[s].n_hosts;
    if (r->tails == NULL) {
        r->tails = calloc(n + 1, sizeof(*r->tails));
        r->n_tails = r->tails != NULL ? n : 0;
        for (size_t i = 0; i < r->n_tails; i++)
            r->tails[i] = BUF_INIT(MARK_LEN);
    }
    each_log(r, keep_end);
}

static void record_new_lines(struct run *r, size_t index, const char *host, const char *service,
                             char *tail)
{
    const char *at = tail;
    if (index < r->n_tails && r->tails[index].len != 0) {
        const char *mark = strstr(tail, buf_text(&r->tails[index]));
        if (mark != NULL)
            at = mark + r->tails[index].len;
    }
    json_t *lines = json_array();
    while (*at != '\0' && json_array_size(lines) < LINES_MAX) {
        size_t len = strcspn(at, "\n");
        size_t kept = len < LINE_MAX_LEN ? len : LINE_MAX_LEN;
        json_t *line = kept != 0 ? json_stringn(at, kept) : NULL;
        if (line != NULL) /* a line that is not UTF-8 stands in the collected log only */
            (void)json_array_append_new(lines, line);
        at += len + (at[len] == '\n');
    }
    if (json_array_size(lines) == 0) {
        json_decref(lines);
        return;
    }
    run_record(r, "log",
               json_pack("{s:s, s:s, s:o}", "host", host, "service", service, "lines", lines));
}

void run_logs_after(struct run *r)
{
    each_log(r, record_new_lines);
}

void run_logs_collect(struct run *r)
{
    char dir[PATH_MAX];
    struct err err;
    (void)snprintf(dir, sizeof(dir), "%s/logs", r->options->dir);
    (void)mkdir(dir, 0755);
    if (lab_collect_logs(r->lab, dir, &err) < 0)
        run_say(r, "the services' logs could not be collected: %s", err.msg);
}

void run_logs_free(struct run *r)
{
    for (size_t i = 0; i < r->n_tails; i++)
        buf_free(&r->tails[i]);
    free(r->tails);
    r->tails = NULL;
    r->n_tails = 0;
}
