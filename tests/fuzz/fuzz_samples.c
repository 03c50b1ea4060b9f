/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sample file of a run: as it is read from the disk, and its records under a sound journal, as
 * the analysis and the coordinator's view of the moment take them.
 */
#include "analysis/analysis.h"
#include "base/clock.h"
#include "run/run_live.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16 };

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

static void clear_away(void)
{
    (void)unlinkat(dir, "f", 0);
    (void)rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dir = mkdtemp(path) != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir < 0 || atexit(clear_away) != 0)
        abort();
    return 0;
}

static int read_back(const uint8_t *data, size_t size, struct sample **ret, size_t *ret_n)
{
    struct err err;
    char sha256[65];
    bool torn = false;
    size_t n = 0;
    int fd = openat(dir, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)close(fd);
    int r = history_samples_read(dir, "f", ret, ret_n, sha256, &err);
    int expected = history_samples_check(data, size, &n, &torn, &err);
    if (r != expected || (r == 0 && (*ret_n != n || n * sizeof(struct sample) > size - HEAD ||
                                     torn != ((size - HEAD) % sizeof(struct sample) != 0))))
        abort();
    return r;
}

static void on_slot(void *ctx, size_t index, bool good, const struct sample *last)
{
    const struct sample *list = ctx;
    (void)good;
    if (index != 0 || list == NULL || last->slot == UINT32_MAX - 1)
        return;
}

static void look_live(const struct sample *list, size_t n)
{
    struct run_live *live = NULL;
    struct err err;
    const size_t endpoints = 2;
    if (run_live_new(&scenario, &endpoints, on_slot, NULL, &live, &err) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        run_live_add(live, &list[i]);
    run_live_free(live);
}

static void analyse(const struct sample *list, size_t n)
{
    struct history *h = NULL;
    struct analysis *a = NULL;
    struct err err;
    if (history_parse(journal, sizeof(journal) - 1, list, n, &h, &err) != 0)
        return;
    for (int rule = ENDPOINTS_ONE; rule <= ENDPOINTS_EACH; rule++) {
        probe.endpoints = (enum endpoints_rule)rule;
        if (analysis_make(&scenario, h, &a, &err) == 0)
            analysis_free(a);
    }
    history_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample *list = NULL;
    size_t n = 0;
    if (read_back(data, size, &list, &n) != 0)
        return 0;
    look_live(list, n);
    analyse(list, n);
    free(list);
    return 0;
}
