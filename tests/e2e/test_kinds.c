/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/faults/: one small example for each kind of fault, and no kind without one. */
#include "agents/faults/catalogue.h"
#include "seed.h"
#include "share.h"
#include "shipped.h"

static const struct kind {
    const char *file, *fault, *evidence;
    size_t hosts, injections;
} kinds[] = {
    {"faults/network-partition", "network.partition", "dropped", 3, 3},
    {"faults/network-loss", "network.loss", "dropped", 1, 1},
    {"faults/network-delay", "network.delay", "delayed", 1, 1},
    {"faults/network-reorder", "network.reorder", "delayed", 3, 1},
    {"faults/network-corrupt", "network.corrupt", "corrupted", 1, 1},
    {"faults/network-duplicate", "network.duplicate", "duplicated", 3, 1},
    {"faults/network-reject", "network.reject", "rejected", 1, 1},
    {"faults/network-dns", "network.dns", "changed", 3, 1},
    {"faults/network-link-down", "network.link_down", "down", 1, 1},
    {"faults/network-blackhole", "network.blackhole", "unreachable", 1, 1},
    {"faults/network-reset", "network.reset", "destroyed", 1, 1},
    {"faults/network-rate", "network.rate", "held", 1, 1},
    {"faults/process-kill", "process.kill", NULL, 1, 1},
    {"faults/process-crash", "process.crash", NULL, 1, 1},
    {"faults/process-kill-again", "process.kill_again", "kills", 1, 1},
    {"faults/process-priority", "process.priority", "threads_changed", 1, 1},
    {"faults/process-pause", "process.pause", NULL, 1, 1},
    {"faults/resource-cpu", "resource.cpu", "throttled", 1, 1},
    {"faults/resource-memory", "resource.memory", "oom_kills", 1, 1},
    {"faults/resource-io", "resource.io", "bytes_written", 1, 1},
    {"faults/resource-descriptors", "resource.descriptors", "processes_limited", 1, 1},
    {"faults/resource-processes", "resource.processes", "refused", 1, 1},
    {"faults/service-stop", "service.stop", "stopped", 1, 1},
    {"faults/service-restart", "service.restart", "started", 1, 1},
    {"faults/service-mask", "service.mask", "masked", 1, 1},
    {"faults/config-push", "config.push", NULL, 1, 1},
    {"faults/config-push-key", "config.push", NULL, 1, 1},
    {"faults/file-corrupt", "file.corrupt", "bytes_wrong", 1, 1},
    {"faults/file-delete", "file.delete", "paths_deleted", 1, 1},
    {"faults/disk-fill", "disk.fill", "bytes_taken", 1, 1},
    {"faults/mount-read-only", "mount.read_only", "read_only", 1, 1},
    {"faults/access-deny", "access.deny", "denied", 1, 1},
    {"faults/certificate-expire", "certificate.expire", "file_is_ours", 1, 1},
    {"faults/environment-delete", "environment.delete", NULL, 1, 1},
    {"faults/fiu-fail", "fiu.fail", "hits", 1, 1},
    {"faults/fiu-delay", "fiu.delay", "added_us", 1, 1},
    {"faults/clock-skew", "clock.skew", "shift_us", 1, 1},
    {"faults/clock-drift", "clock.drift", "shift_us", 1, 1},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

enum { SHORT_FORM = 4 }; /* of so many, one is run in the short form; the contract walks all */

static void test_each(void)
{
    const char *form = getenv("BLACKSTART_FULL");
    size_t every = form != NULL && strcmp(form, "no") == 0 ? SHORT_FORM : 1, n = 0;
    size_t seed = (size_t)seed_take("KINDS_SEED");
    for (size_t i = 0; i < N_KINDS; i++) {
        if ((i + seed) % every != 0 || !share_has(n++))
            continue;
        shipped_expect_pass(kinds[i].file, kinds[i].fault, kinds[i].evidence, kinds[i].hosts,
                            kinds[i].injections);
    }
    if (every > 1)
        printf("\n    note: KINDS_SEED=%zu, %zu of %d kinds\n    ", seed % every, n, (int)N_KINDS);
}

static void test_none_without(void)
{
    for (size_t f = 0; f < fault_catalogue.n; f++) {
        bool found = false;
        for (size_t i = 0; i < N_KINDS; i++)
            found = found || strcmp(kinds[i].fault, fault_catalogue.faults[f]->name) == 0;
        if (!found)
            printf("%s has no example in scenarios/faults\n", fault_catalogue.faults[f]->name);
        CU_ASSERT_TRUE(found);
    }
}

/* What lies there and is not run shows nothing. */
static void test_none_is_forgotten(void)
{
    CLEANUP_DIR DIR *dir = opendir(SOURCE_DIR "/scenarios/faults");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char file[300];
        bool found = e->d_name[0] == '.';
        for (size_t i = 0; i < N_KINDS; i++) {
            (void)snprintf(file, sizeof(file), "%s.yaml", kinds[i].file + strlen("faults/"));
            found = found || strcmp(e->d_name, file) == 0;
        }
        if (!found)
            fprintf(stderr, "scenarios/faults/%s has no line in this test\n", e->d_name);
        CU_ASSERT_TRUE(found);
    }
}

static const struct check_test tests[] = {
    {"none is forgotten", test_none_is_forgotten},
    {"none without an example", test_none_without},
    {"each kind", test_each},
};
CHECK_MAIN("examples of the kinds", tests)
