/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/report.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

const struct report_renderer report_renderers[] = {
    {.name = "json",
     .file = "result.json",
     .summary = "All that was found, for programs; times in seconds since the run's start.",
     .reader = "Scripts (`jq`), and whatever has no format of its own here. Its JSON Schema is "
               "printed by `blackstart schema --result`.",
     .render = report_render_json},
    {.name = "text",
     .file = "report.txt",
     .summary = "The whole report for a terminal: verdict, proof, timeline, log lines.",
     .reader = "People: `less report.txt`.",
     .render = report_render_text},
};
const size_t report_n_renderers = sizeof(report_renderers) / sizeof(report_renderers[0]);
_Static_assert(sizeof(report_renderers) / sizeof(report_renderers[0]) < REPORT_RENDERERS_MAX,
               "a set has a bit for each");

static int write_all(int fd, const char *data, size_t len)
{
    while (len != 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int report_write_file(const char *dir, const char *name, const char *data, size_t len,
                      struct err *err)
{
    char temporary[PATH_MAX];
    (void)snprintf(temporary, sizeof(temporary), ".%.200s.%ld", name, (long)getpid());
    CLEANUP_FD int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", dir);
    int fd = openat(at, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "make %s/%s", dir, name);
    int bad = write_all(fd, data, len) < 0 || fsync(fd) < 0 ? errno : 0;
    if (close(fd) < 0 && bad == 0)
        bad = errno;
    if (bad == 0 && renameat(at, temporary, at, name) < 0)
        bad = errno;
    if (bad == 0)
        return 0;
    (void)unlinkat(at, temporary, 0);
    return make_error(err, ERR_SYSTEM, bad, "write %s/%s", dir, name);
}

int report_render(const struct report *report, const struct report_renderer *r, struct buf *out,
                  struct err *err)
{
    if (r->render(report, out, err) < 0)
        return -1;
    if (!buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "%s would be larger than %zu MiB", r->file,
                          out->max >> 20);
    return 0;
}

static int write_one(const struct report *report, const struct report_renderer *r, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    if (report_render(report, r, &out, err) < 0)
        return -1;
    return report_write_file(report->dir, r->file, buf_text(&out), out.len, err);
}

/* One that fails does not keep the others from being written; the first one's error is told. */
int report_write(const struct report *report, uint32_t set, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < report_n_renderers; i++) {
        struct err why;
        if ((set >> i & 1) == 0 || write_one(report, &report_renderers[i], &why) == 0)
            continue;
        if (rc == 0)
            *err = why;
        rc = -1;
    }
    return rc;
}
