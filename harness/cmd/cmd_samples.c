/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/param.h"
#include "cmd/command.h"
#include "journal/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct command_option options[] = {
    {.name = "csv", .doc = "Print a head and a line for each sample; so without an option, too."},
    {.name = "json", .doc = "Print a JSON object for each sample, one a line, times in ns."},
    {.name = "probe",
     .letter = 'p',
     .argument = "NAME",
     .doc = "Only the samples of this probe; of a file without its journal, its number."},
    {.name = "trial", .argument = "N", .doc = "Only the samples of this trial, counted from 0."},
    {.name = "from", .argument = "TIME", .doc = "Only what was due then, such as 12.5s, or later."},
    {.name = "to", .argument = "TIME", .doc = "Only what was due before."},
    {.name = "bad", .letter = 'b', .doc = "Only what was not good."},
};

struct samples_filter {
    const char *probe; /* NULL: every one */
    uint64_t trial;    /* UINT64_MAX: every one */
    int64_t from, to;
    bool bad, json;
};

/* Whose sample it is; numbers where the journal does not name them. */
struct samples_names {
    const char *probe, *from, *host;
    char probe_number[16], host_number[16];
};

static void names_find(const struct history *h, const struct sample *s, struct samples_names *ret)
{
    const struct history_probe *p = s->probe < h->n_probes ? &h->probes[s->probe] : NULL;
    (void)snprintf(ret->probe_number, sizeof(ret->probe_number), "%u", s->probe);
    (void)snprintf(ret->host_number, sizeof(ret->host_number), "%u", s->endpoint);
    ret->probe = p != NULL ? p->name : ret->probe_number;
    ret->from = p != NULL && p->from != NULL ? p->from : "";
    ret->host = p != NULL && s->endpoint < p->n_hosts ? p->hosts[s->endpoint] : ret->host_number;
}

/* RFC 4180: in quotation marks where it must be. */
static void csv_text(const char *text)
{
    bool plain = strpbrk(text, ",\"\r\n") == NULL;
    if (!plain)
        (void)putchar('"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            (void)putchar('"');
        (void)putchar(*p);
    }
    (void)fputs(plain ? "," : "\",", stdout);
}

static void print_csv(const struct samples_names *names, const struct sample *s)
{
    (void)printf("%" PRIu32 ",", s->trial);
    csv_text(names->probe);
    csv_text(names->from);
    csv_text(names->host);
    (void)printf("%" PRIu32 ",%.9f,%.9f,%.9f,%s,%u,%" PRIu32 ",%.9f\n", s->slot,
                 (double)s->due_ns / 1e9, (double)s->sent_ns / 1e9, (double)s->done_ns / 1e9,
                 sample_result_word(s->result), s->status, s->bytes, (double)s->send_ns / 1e9);
}

static int print_json(const struct samples_names *names, const struct sample *s, struct err *err)
{
    json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:i, s:I, s:I}", "trial",
                          (json_int_t)s->trial, "probe", names->probe, "from", names->from, "host",
                          names->host, "slot", (json_int_t)s->slot, "due_ns", (json_int_t)s->due_ns,
                          "sent_ns", (json_int_t)s->sent_ns, "done_ns", (json_int_t)s->done_ns,
                          "result", sample_result_word(s->result), "status", (int)s->status,
                          "bytes", (json_int_t)s->bytes, "send_ns", (json_int_t)s->send_ns);
    int r = o != NULL && json_dumpf(o, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF ? 0 : -1;
    json_decref(o);
    return r == 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "write");
}

static bool is_wanted(const struct samples_filter *f, const struct sample *s)
{
    return (!f->bad || s->result != SAMPLE_GOOD) && s->due_ns >= f->from && s->due_ns < f->to;
}

static int probe_print(const struct history *h, const struct history_trial *t, size_t probe,
                       const struct samples_filter *f, struct err *err)
{
    CLEANUP_HISTORY_READER struct history_reader *r = NULL;
    const struct sample *s;
    struct samples_names names;
    size_t n;
    if (history_reader_open(h, t, probe, &r, err) != 0)
        return -1;
    do {
        if (history_reader_next(r, &s, &n, err) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            names_find(h, &s[i], &names);
            if (f->probe != NULL && strcmp(f->probe, names.probe) != 0)
                return 0;
            if (!is_wanted(f, &s[i]))
                continue;
            if (!f->json)
                print_csv(&names, &s[i]);
            else if (print_json(&names, &s[i], err) != 0)
                return -1;
        }
    } while (n != 0);
    return 0;
}

/* Since the run's start. */
static int time_option(const struct command_args *args, const char *option, int64_t *ret,
                       struct err *err)
{
    const char *text = command_value(args, option);
    struct duration d;
    if (text == NULL)
        return 0;
    if (duration_parse(text, &d, err) != 0)
        return wrap_error(err, "--%s %s", option, text);
    *ret = d.ns;
    return 0;
}

static int filter_read(const struct command_args *args, struct samples_filter *ret, struct err *err)
{
    *ret = (struct samples_filter){.probe = command_value(args, "probe"),
                                   .trial = UINT64_MAX,
                                   .from = INT64_MIN,
                                   .to = INT64_MAX,
                                   .bad = command_flag(args, "bad"),
                                   .json = command_flag(args, "json")};
    if (ret->json && command_flag(args, "csv"))
        return make_error(err, ERR_USAGE, 0, "--csv and --json: choose one");
    if (command_count(args, "trial", 0, UINT32_MAX, &ret->trial, err) != 0 ||
        time_option(args, "from", &ret->from, err) != 0 ||
        time_option(args, "to", &ret->to, err) != 0) {
        err->code = ERR_USAGE;
        return -1;
    }
    return 0;
}

static int print_all(const struct command_args *args, struct err *err)
{
    CLEANUP_HISTORY struct history *h = NULL;
    const char *path = args->operands[0];
    struct samples_filter f;
    struct stat st;
    struct err torn = {.code = ERR_NONE};
    if (filter_read(args, &f, err) != 0)
        return -1;
    bool alone = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    if ((alone ? history_load_file(path, &h, &torn, err) : history_load(path, &h, err)) != 0)
        return -1;
    if (!f.json)
        (void)puts("trial,probe,from,host,slot,due_s,sent_s,done_s,result,status,bytes,send_s");
    for (size_t i = 0; i < h->n_trials; i++)
        for (size_t p = 0; p < h->n_probes_seen; p++)
            if ((f.trial == UINT64_MAX || h->trials[i].trial == f.trial) &&
                probe_print(h, &h->trials[i], p, &f, err) != 0)
                return -1;
    if (fflush(stdout) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write");
    if (torn.code != ERR_NONE) {
        *err = torn;
        return wrap_error(err, "%s", path);
    }
    return 0;
}

/* Its lines are documents of their own: what is wrong is not one more of them. */
static int run(const struct command_args *args, struct err *err)
{
    return print_all(args, err);
}

const struct command command_samples = {
    .name = "samples",
    .summary = "Print a run's samples as CSV or JSON.",
    .usage = "[OPTIONS] DIR|FILE",
    .doc =
        "Each attempt of each probe, in the order of trial, probe, slot and endpoint: when it was "
        "due, sent and done, in seconds since the run's start, its result, and how long its send "
        "took. DIR is a run's directory: the sample files' hashes are checked against the journal. "
        "FILE is one sample file, of this version or an earlier one; without its journal, probes "
        "and hosts are numbers. What is sound of a damaged file is printed, then where it is "
        "damaged. docs/journal.md describes the files themselves.",
    .example = "blackstart samples runs/latest --probe write --from 12s --to 13s",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .json_lines = true,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
