/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sample file of a run, of either version: as it is read from the disk, and its samples under a
 * sound journal, as the analysis and the coordinator's view of the moment take them.
 */
#include "analysis/analysis.h"
#include "base/clock.h"
#include "journal/block.h"
#include "journal/journal.h"
#include "journal/samples_file.h"
#include "run/run_live.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAGIC = 8 };
#define FILE_NAME "samples-0000.bin"

static const char journal[] =
    "{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"wall\":\"w\",\"version\":\"0\","
    "\"kernel\":\"k\",\"machine\":\"m\",\"scenario\":\"s\",\"file\":\"f\","
    "\"text\":\"version: 1\\n\",\"sha256\":\"0\",\"vars\":{},\"seed\":1,\"trials\":1,"
    "\"no_fault\":false}\n"
    "{\"t\":1,\"ev\":\"lab.up\",\"hosts\":[{\"name\":\"n1\",\"addrs\":[\"10.0.0.1\"],"
    "\"labels\":[\"a\"]}],\"took_ns\":5}\n"
    "{\"t\":2,\"ev\":\"probes\",\"list\":[{\"name\":\"write\",\"from\":\"client\","
    "\"hosts\":[\"n1\",\"n2\"]}]}\n"
    "{\"t\":3,\"ev\":\"trial.start\",\"trial\":0,\"fault_free\":false}\n"
    "{\"t\":4,\"ev\":\"steady\",\"held\":true}\n";

static struct scenario_probe probe = {
    .name = "write", .every = {NS_PER_MS}, .timeout = {NS_PER_SEC}, .weight = 1};
static const struct scenario_target targets[] = {
    {.kind = TARGET_RECOVERY, .probe = "write", .from = FROM_FAULT, .within = {5}},
    {.kind = TARGET_AVAILABILITY, .probe = "write", .over = {500}, .limit = {500000}},
};
static const struct scenario scenario = {.probes = &probe,
                                         .n_probes = 1,
                                         .targets = targets,
                                         .n_targets = 2,
                                         .steady_for = {20},
                                         .stable_for = {20}};
static char path[] = "/dev/shm/fuzz-samples-XXXXXX";
static int dir = -1;

static void file_write(const char *name, const void *data, size_t size)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)close(fd);
}

static void clear_away(void)
{
    (void)unlinkat(dir, FILE_NAME, 0);
    (void)unlinkat(dir, JOURNAL_FILE, 0);
    (void)rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dir = mkdtemp(path) != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir < 0 || atexit(clear_away) != 0)
        abort();
    file_write(JOURNAL_FILE, journal, sizeof(journal) - 1);
    return 0;
}

/* Check sums are made right, else nothing behind them would ever be reached. */
static void sums_mend(uint8_t *data, size_t size)
{
    struct err err;
    struct block_head head;
    if (size < MAGIC || memcmp(data, "BSTSAMP2", MAGIC) != 0)
        return;
    for (size_t at = MAGIC; size - at >= BLOCK_HEAD; at += BLOCK_HEAD + head.payload) {
        if (block_head_read(data + at, &head, &err) != 0 || size - at - BLOCK_HEAD < head.payload)
            return;
        uint32_t sum = block_sum(&head, data + at, data + at + BLOCK_HEAD);
        for (size_t i = 0; i < sizeof(sum); i++)
            data[at + BLOCK_SUM_AT + i] = (uint8_t)(sum >> 8 * i);
    }
}

/* No part passes the file's end, and none has more samples than it says. */
static void look_through(void)
{
    struct samples_parts parts = {.list = NULL};
    struct samples_found found;
    struct err err;
    uint64_t samples = 0;
    int fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC);
    int r = samples_file_scan(fd, 0, false, &parts, &found, &err);
    for (size_t i = 0; i < parts.n; i++) {
        struct sample *list = NULL;
        const struct samples_part *p = &parts.list[i];
        samples += p->n;
        if (samples_file_read(fd, p, &list, &err) == 0)
            for (size_t k = 0; k < p->n; k++)
                if (list[k].trial != p->trial || list[k].probe != p->probe ||
                    list[k].slot < p->first || list[k].slot > p->last)
                    abort();
        free(list);
    }
    if (samples != parts.samples || (r == 0 && samples != found.samples))
        abort();
    samples_parts_free(&parts);
    (void)close(fd);
}

static void on_slot(void *ctx, size_t index, bool good, const struct sample *last)
{
    const struct sample *list = ctx;
    (void)good;
    if (index != 0 || list == NULL || last->slot == UINT32_MAX - 1)
        return;
}

static void look_live(const struct history *h)
{
    struct run_live *live = NULL;
    struct sample *list = NULL;
    struct err err;
    size_t n = 0;
    const size_t endpoints = 2;
    if (history_samples_of(h, &h->trials[0], 0, &list, &n, &err) != 0 ||
        run_live_new(&scenario, &endpoints, on_slot, NULL, &live, &err) != 0)
        n = 0;
    for (size_t i = 0; i < n; i++)
        run_live_add(live, &list[i]);
    run_live_free(live);
    free(list);
}

static void analyse(const struct history *h)
{
    struct analysis *a = NULL;
    struct err err;
    for (int rule = ENDPOINTS_ONE; rule <= ENDPOINTS_EACH; rule++) {
        probe.endpoints = (enum endpoints_rule)rule;
        if (analysis_make(&scenario, h, &a, &err) == 0)
            analysis_free(a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history *h = NULL;
    struct err err;
    uint8_t *mended = malloc(size + 1);
    if (mended == NULL)
        return 0;
    if (size != 0)
        memcpy(mended, data, size);
    sums_mend(mended, size);
    file_write(FILE_NAME, mended, size);
    free(mended);
    look_through();
    if (history_load(path, &h, &err) != 0)
        return 0;
    look_live(h);
    analyse(h);
    history_free(h);
    return 0;
}
