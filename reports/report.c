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
     .reader = "Scripts (`jq`), and whatever has no format of its own here. "
               "[result-schema.json](result-schema.json) is "
               "its JSON Schema, which `blackstart schema --result` prints; later versions may add "
               "fields. Of more than 1,000 trials it has the compact form (`form`): every trial "
               "with verdict, targets' bounds, times and outages; `form_left_out` names the rest, "
               "which the journal has.",
     .render = report_render_json},
    {.name = "text",
     .file = "report.txt",
     .summary = "The whole report for a terminal: verdict, proof, timeline, log lines.",
     .reader = "People: `less report.txt`.",
     .render = report_render_text},
    {.name = "markdown",
     .file = "summary.md",
     .summary = "The verdict, what decided it and what to do next, in less than 1 MiB.",
     .reader = "CI's step summaries and merge requests: `blackstart report --report markdown "
               "--stdout DIR >> \"$GITHUB_STEP_SUMMARY\"`. Of many trials, those that did not pass "
               "are shown first.",
     .render = report_render_markdown},
    {.name = "junit",
     .file = "junit.xml",
     .summary = "A test case for each target of each trial, for the trial, and for the clean-up.",
     .reader = "CI servers (Jenkins, GitLab, GitHub actions that publish test reports). A target "
               "that was missed is a failure; an invalid trial and a host left dirty are errors; "
               "what is inconclusive is skipped, with the reason: most servers show that without "
               "failing, so let the exit status decide. The time of a recovery's case is the upper "
               "bound of the recovery, so that the server's chart of durations is that of "
               "recoveries.",
     .render = report_render_junit},
    {.name = "metrics",
     .file = "metrics.txt",
     .summary = "Verdict, symptoms, bounds, outages and the prober's health as OpenMetrics text.",
     .reader =
         "Prometheus by way of node_exporter's textfile collector (as `blackstart.prom`), or "
         "a Pushgateway: `curl --data-binary @metrics.txt "
         "http://pushgateway:9091/metrics/job/blackstart`. The run's id is a label of "
         "`blackstart_run_info` alone, so that a series goes on from run to run. Did the last "
         "run show what the outage showed: "
         "`min(blackstart_symptom_state{state=\"shown\"}) by (scenario)` is 1.",
     .render = report_render_metrics},
    {.name = "trace",
     .file = "trace.json",
     .summary = "Run, trials, steps, injections, outages, ledgers and probers as spans, in OTLP's "
                "JSON.",
     .reader =
         "OpenTelemetry collectors, Jaeger, Tempo: `blackstart send --otlp "
         "http://collector:4318 DIR`. Times stand on the run's wall time, which is known to "
         "the second; distances between them are exact. Ids derive from the run's, so that "
         "one sent twice is one. A ledger's or a prober's span is as long as its trial; a "
         "write that was lost is an event in it. What targets and symptoms came to are events "
         "at the end of their trial's span, and of the run's.",
     .render = report_render_trace},
    {.name = "grafana",
     .file = "annotations.json",
     .summary = "The run, its faults, outages, symptoms, lost writes and unwell probers as regions "
                "for Grafana's dashboards.",
     .reader = "Grafana: `GRAFANA_TOKEN=... blackstart send --grafana http://grafana:3000 DIR`, "
               "then an annotation query for the tag `blackstart`, or also for `fault`, `outage`, "
               "`symptom`, `writes` or `prober`. A symptom's region is as long as its trial, and "
               "has a tag `state:shown` or `state:not shown`. A run of very many trials shows the "
               "first thousand.",
     .render = report_render_grafana},
    {.name = "ctk",
     .file = "journal-ctk.json",
     .summary = "The run as a Chaos Toolkit journal.",
     .reader =
         "What reads such journals, as `chaos report` does. The hypothesis is that every "
         "target is met; `deviated` is true for the verdict fail alone. Faults are actions; "
         "of each trial, each symptom, each ledger's reading back and each prober's health are "
         "probes. A symptom's probe succeeds where it tells, either way: its "
         "`blackstart_symptom` says `shown` or `not shown`; `blackstart-symptoms` counts "
         "over the trials.",
     .render = report_render_ctk},
    {.name = "html",
     .file = "report.html",
     .summary = "The whole report as one page, with charts: verdict and deciding bound first, then "
                "all that they rest on.",
     .reader = "People, in a browser or as an attachment: the file asks nothing of any network. "
               "Light and dark; it prints.",
     .render = report_render_html},
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
