/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/cleanup.h"
#include "cmd/command.h"
#include "journal/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command_option options[] = {
    {.name = "probe", .letter = 'p', .argument = "NAME", .doc = "Only the samples of this probe."},
    {.name = "trial", .argument = "N", .doc = "Only the samples of this trial, counted from 0."},
    {.name = "bad", .letter = 'b', .doc = "Only what was not good."},
};

static const char *probe_name(const struct history *h, const struct sample *s, char out[16])
{
    if (s->probe < h->n_probes)
        return h->probes[s->probe].name;
    (void)snprintf(out, 16, "%u", s->probe);
    return out;
}

static const char *host_name(const struct history *h, const struct sample *s, char out[16])
{
    if (s->probe < h->n_probes && s->endpoint < h->probes[s->probe].n_hosts)
        return h->probes[s->probe].hosts[s->endpoint];
    (void)snprintf(out, 16, "%u", s->endpoint);
    return out;
}

static void sample_print(const struct history *h, const struct sample *s)
{
    char probe[16], host[16];
    (void)printf("%" PRIu32 ",%s,%s,%" PRIu32 ",%.9f,%.9f,%.9f,%s,%u,%" PRIu32 ",%.9f\n", s->trial,
                 probe_name(h, s, probe), host_name(h, s, host), s->slot, (double)s->due_ns / 1e9,
                 (double)s->sent_ns / 1e9, (double)s->done_ns / 1e9, sample_result_word(s->result),
                 s->status, s->bytes, (double)s->send_ns / 1e9);
}

static int trial_option(const struct command_args *args, int64_t *ret, struct err *err)
{
    const char *text = command_value(args, "trial");
    *ret = -1;
    if (text == NULL)
        return 0;
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || n > UINT32_MAX)
        return make_error(err, ERR_USAGE, 0, "--trial %s: expected a number such as 0", text);
    *ret = (int64_t)n;
    return 0;
}

struct filter {
    const char *probe; /* NULL: every one */
    int64_t trial;     /* -1: every one */
    bool bad;
};

static int probe_print(const struct history *h, const struct history_trial *t, size_t probe,
                       const struct filter *f, struct err *err)
{
    CLEANUP_HISTORY_READER struct history_reader *r = NULL;
    const struct sample *s;
    size_t n;
    if (history_reader_open(h, t, probe, &r, err) != 0)
        return -1;
    do {
        if (history_reader_next(r, &s, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            char name[16];
            if ((f->bad && s[i].result == SAMPLE_GOOD) ||
                (f->probe != NULL && strcmp(f->probe, probe_name(h, &s[i], name)) != 0))
                continue;
            sample_print(h, &s[i]);
        }
    } while (n != 0);
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    CLEANUP_HISTORY struct history *h = NULL;
    struct filter f = {.probe = command_value(args, "probe"), .bad = command_flag(args, "bad")};
    if (trial_option(args, &f.trial, err) != 0 || history_load(args->operands[0], &h, err) != 0)
        return -1;
    (void)puts("trial,probe,host,slot,due_s,sent_s,done_s,result,status,bytes,send_s");
    for (size_t i = 0; i < h->n_trials; i++)
        for (size_t p = 0; p < h->n_probes_seen; p++)
            if ((f.trial < 0 || h->trials[i].trial == f.trial) &&
                probe_print(h, &h->trials[i], p, &f, err) != 0)
                return -1;
    if (fflush(stdout) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write");
    return 0;
}

const struct command command_samples = {
    .name = "samples",
    .summary = "Print a run's samples as CSV.",
    .usage = "[OPTIONS] DIR",
    .doc =
        "Each attempt of each probe, in the order of trial, probe, slot and endpoint: when it was "
        "due, sent and done, in seconds since the run's start, its result, and how long its send "
        "took. The sample files' "
        "hashes are checked against the journal. docs/journal.md describes the files themselves.",
    .example = "blackstart samples runs/latest --probe write --bad",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
