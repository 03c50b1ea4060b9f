/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resource.*: a group of the test's own, named as systemd names a unit's, with one process in it.
 */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "this_host.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    const char *controller, *file, *none, *other, *ours;
};
enum { MEMORY, PIDS, CPU, N_PLACES, IO = N_PLACES };
static const struct place places_v1[N_PLACES + 1] = {
    {"memory", "memory.limit_in_bytes", "9223372036854771712", "1073741824", "67108864"},
    {"pids", "pids.max", "max", "77", "5"},
    {"cpu", "cpu.cfs_quota_us", "-1", "50000", "20000"},
    [IO] = {.controller = "blkio"}};
static const struct place places_v2[N_PLACES + 1] = {
    {"", "memory.max", "max", "1073741824", "67108864"},
    {"", "pids.max", "max", "77", "5"},
    {"", "cpu.max", "max 100000", "50000 100000", "20000 100000"},
    [IO] = {.controller = ""}};
static const struct place *places;

static char unit[64], dir[128];
static pid_t child;
static struct fault_host host;
static struct undo undo;
static _Alignas(8) char args[ARGS_MAX];

static void read_value(const char *file, char out[64])
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, 63);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static bool write_value(const char *file, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* The root hands this down to the test's group. */
static void hand_down(int place)
{
    static const char *const orders[N_PLACES + 1] = {"+memory", "+pids", "+cpu", "+io"};
    CLEANUP_FD int fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(write(fd, orders[place], strlen(orders[place])),
                    (ssize_t)strlen(orders[place]));
}

/* In version 2 where there is nothing else; false where neither can be changed. */
static bool group_up(int place)
{
    char pid[16], run[24];
    bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    places = v2 ? places_v2 : places_v1;
    if (v2)
        hand_down(place);
    (void)snprintf(unit, sizeof(unit), "blackstart-test8.2-%d", (int)getpid());
    (void)snprintf(dir, sizeof(dir), "/sys/fs/cgroup/%s/%s.service", places[place].controller,
                   unit);
    (void)snprintf(run, sizeof(run), "rs-%d", (int)getpid());
    if (!this_host(&host, run, "") || mkdir(dir, 0755) != 0)
        return false;
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    (void)snprintf(pid, sizeof(pid), "%d", (int)child);
    return write_value("cgroup.procs", pid);
}

static void group_down(void)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    for (int i = 0; i < 100 && rmdir(dir) != 0; i++)
        (void)usleep(10000);
    struct stat st;
    CU_ASSERT_NOT_EQUAL(stat(dir, &st), 0);
    (void)close(host.root);
    (void)close(host.proc);
}

static struct extra { /* another parameter of begin()'s */
    const char *param, *value;
} extra;

static bool row_supported(const char *kind)
{
    struct err err;
    bool yes = catalogue_find(&fault_catalogue, kind)->supported(&host, &err) == 0;
    if (!yes)
        (void)printf("note: %s: %s\n", kind, err.msg);
    return yes;
}

static const struct fault *begin(const char *kind, const char *param, const char *value)
{
    struct err err = {0};
    const struct fault *row = catalogue_find(&fault_catalogue, kind);
    undo = (struct undo){.lease_ns = boottime() + 30 * NS_PER_SEC};
    (void)snprintf(undo.run, sizeof(undo.run), "%s", host.run);
    (void)snprintf(undo.injection, sizeof(undo.injection), "i1");
    CU_ASSERT_EQUAL(params_default(row->params, row->n_params, args, row->args_size, &err), 0);
    CU_ASSERT_EQUAL(
        param_parse(param_find(row->params, row->n_params, "service"), unit, args, &err), 0);
    CU_ASSERT_EQUAL(param_parse(param_find(row->params, row->n_params, param), value, args, &err),
                    0);
    if (extra.param != NULL)
        CU_ASSERT_EQUAL(param_parse(param_find(row->params, row->n_params, extra.param),
                                    extra.value, args, &err),
                        0);
    int rc = row->prepare(&host, args, &undo, &err);
    if (rc == 0)
        rc = row->apply(&host, args, &undo, &err);
    if (rc != 0)
        printf("%s: %s\n", kind, err.msg);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    return row;
}

static const struct limit {
    const char *kind, *param, *value;
} limits[N_PLACES] = {{"resource.memory", "limit", "64MiB"},
                      {"resource.processes", "leave", "4"},
                      {"resource.cpu", "limit", "20%"}};

static void expect_value(const struct place *p, const char *value)
{
    char now[64];
    read_value(p->file, now);
    CU_ASSERT_STRING_EQUAL(now, value);
}

static void test_limits(void)
{
    for (int i = 0; i < N_PLACES; i++) {
        struct revert_report report;
        struct err err;
        if (group_up(i)) {
            expect_value(&places[i], places[i].none);
            const struct fault *row = begin(limits[i].kind, limits[i].param, limits[i].value);
            expect_value(&places[i], places[i].ours);
            CU_ASSERT_EQUAL(row->revert(&host, &undo, &report, &err), 0);
            CU_ASSERT_FALSE(report.foreign);
            expect_value(&places[i], places[i].none);
        }
        group_down();
    }
}

static void test_foreign_limits_stay(void)
{
    for (int i = 0; i < N_PLACES; i++) {
        struct revert_report report;
        struct err err;
        if (group_up(i)) {
            const struct fault *row = begin(limits[i].kind, limits[i].param, limits[i].value);
            CU_ASSERT_TRUE(write_value(places[i].file, places[i].other));
            CU_ASSERT_EQUAL(row->revert(&host, &undo, &report, &err), 0);
            CU_ASSERT_TRUE(report.foreign);
            expect_value(&places[i], places[i].other);
        }
        group_down();
    }
}

/* A file system without a device of its own has no disk that could be limited. */
static bool is_on_disk(const char *path)
{
    struct stat st;
    bool yes = stat(path, &st) == 0 && major(st.st_dev) != 0;
    if (!yes)
        (void)printf("note: %s is on no disk\n", path);
    return yes;
}

/* The one line of a limit on a disk: its device, and what it is limited to. */
static void test_foreign_io_limit_stays(void)
{
    bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    const char *file = v2 ? "io.max" : "blkio.throttle.write_bps_device";
    struct revert_report report;
    struct err err;
    char ours[64], theirs[64];
    if (group_up(IO) && row_supported("resource.io") && is_on_disk("/var/tmp")) {
        extra = (struct extra){"path", "/var/tmp"};
        const struct fault *row = begin("resource.io", "write", "64MiB");
        read_value(file, ours);
        (void)snprintf(theirs, sizeof(theirs), "%.*s %s1048576", (int)strcspn(ours, " "), ours,
                       v2 ? "wbps=" : "");
        CU_ASSERT_TRUE(write_value(file, theirs));
        read_value(file, theirs);
        CU_ASSERT_STRING_NOT_EQUAL(theirs, ours);
        CU_ASSERT_EQUAL(row->revert(&host, &undo, &report, &err), 0);
        CU_ASSERT_TRUE(report.foreign);
        read_value(file, ours);
        CU_ASSERT_STRING_EQUAL(ours, theirs);
    }
    extra = (struct extra){0};
    group_down();
}

/* A later group of the same name is another one. */
static void test_another_group_of_the_name(void)
{
    struct revert_report report;
    struct err err;
    if (group_up(PIDS)) {
        const struct fault *row = begin("resource.processes", "leave", "4");
        group_down();
        CU_ASSERT_TRUE(group_up(PIDS));
        CU_ASSERT_TRUE(write_value("pids.max", "5"));
        CU_ASSERT_EQUAL(row->revert(&host, &undo, &report, &err), 0);
        expect_value(&places[PIDS], "5");
    }
    group_down();
}

static uint64_t item(const struct fault *row, const char *name)
{
    struct evidence e;
    struct err err;
    if (row->evidence(&host, &undo, &e, &err) != 0)
        return 0;
    for (uint32_t i = 0; i < e.n; i++)
        if (strcmp(e.items[i].name, name) == 0)
            return e.items[i].value;
    return 0;
}

static void test_memory_is_held(void)
{
    struct revert_report report;
    struct err err;
    const uint64_t size = 32 << 20;
    if (group_up(MEMORY)) {
        const struct fault *row = begin("resource.memory", "hold", "32MiB");
        for (int i = 0; i < 1000 && item(row, "bytes_held") < size; i++)
            (void)usleep(10000);
        CU_ASSERT_EQUAL(item(row, "bytes_held"), size);
        CU_ASSERT(item(row, "bytes_used") >= size);
        CU_ASSERT_EQUAL(row->revert(&host, &undo, &report, &err), 0);
        for (int i = 0; i < 500 && item(row, "bytes_used") >= size; i++)
            (void)usleep(10000);
        CU_ASSERT(item(row, "bytes_used") < size);
    }
    group_down();
}

static const struct check_test tests[] = {
    {"limits, and what was there before", test_limits},
    {"foreign limits stay", test_foreign_limits_stay},
    {"a foreign limit on a disk stays", test_foreign_io_limit_stays},
    {"another group of the name", test_another_group_of_the_name},
    {"memory is held", test_memory_is_held},
};

CHECK_MAIN("host/resource", tests)
