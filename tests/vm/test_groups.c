/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Version 2 of control groups as systemd leaves it by default: its root hands down memory and pids,
 * and not cpu and io, which faults on a service need. */
#include "agents/host/cgroup.h"
#include "lab/lab_check.h"
#include "lab/lab_etcd.h"
#include "vm/guest.h"

#define ROOT    "/sys/fs/cgroup"
#define CONTROL ROOT "/cgroup.subtree_control"

static const char *const one_name[] = {"n1"};
static const char *const idle_command[] = {"sleep", "1000"};
static const struct lab_service_spec idle = {.name = "idle",
                                             .hosts = one_name,
                                             .n_hosts = 1,
                                             .command = idle_command,
                                             .n_command = COUNT(idle_command),
                                             .start = true};
static const struct lab_spec spec = {
    .name = "groups", .hosts = three_hosts, .n_hosts = 1, .services = &idle, .n_services = 1};
static const struct fault_host real_host = {.name = "n1"},
                               lab_host_n1 = {.name = "n1", .lab = true};

/* As before the first lab. */
static void take_back(void)
{
    CU_ASSERT_EQUAL(guest_run("echo '-cpu -io' >" CONTROL), 0);
    CU_ASSERT_EQUAL(guest_run("! grep -qw io " CONTROL), 0);
}

static void test_refused_by_its_name(void)
{
    take_back();
    CU_ASSERT_NOT_EQUAL(cgroup_supported(&real_host, CGROUP_IO, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no io controller"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "IOAccounting=yes"));
    CU_ASSERT_PTR_NULL(strstr(err.msg, "blkio"));
    CU_ASSERT_NOT_EQUAL(cgroup_supported(&lab_host_n1, CGROUP_CPU, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, CONTROL));
    CU_ASSERT_EQUAL(cgroup_supported(&lab_host_n1, CGROUP_PIDS, &err), 0);
}

/* What a lab hands down to its services nobody takes away while it lives. */
static void test_lab_hands_down(void)
{
    static const char *const files[] = {"cpu.max", "io.max", "memory.max", "pids.max"};
    const struct lab_options options = lab_test_options("groups");
    struct lab *lab = NULL;
    take_back();
    OK(lab_up(&spec, &options, &lab, &err));
    OK(lab_start_services(lab, &err));
    for (size_t i = 0; i < COUNT(files); i++)
        CU_ASSERT_EQUAL(
            guest_run("test -w " ROOT "/blackstart-%s/n1.idle/%s", options.id, files[i]), 0);
    CU_ASSERT_EQUAL(cgroup_supported(&lab_host_n1, CGROUP_IO, &err), 0);
    CU_ASSERT_NOT_EQUAL(guest_run("echo -io 2>/dev/null >" CONTROL), 0);
    OK(lab_down(lab, &err));
    lab_free(lab);
    take_back();
}

/* The one line of `blackstart doctor` that begins with the words. */
static void doctor_says(const char *before, const char *name, char *out, size_t size)
{
    char command[512];
    (void)snprintf(command, sizeof(command),
                   "%s " BINARY_DIR "/blackstart doctor --json | python3 -c 'import json, sys; "
                   "[print(c[\"state\"] + \": \" + c[\"text\"]) for c in json.load(sys.stdin)"
                   "[\"checks\"] if c[\"name\"] == \"%s\"]'",
                   before, name);
    CU_ASSERT_EQUAL(machine_run(command, out, size), 0);
    (void)printf("\n    %s", out);
}

static void test_doctor_says_what_was_done(void)
{
    char text[512];
    take_back();
    doctor_says("", "control groups", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "yes: cpu, io were added to " CONTROL));
    doctor_says("", "control groups", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "yes: services' groups have cpu, io, memory, pids"));
    doctor_says("", "resource.io", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "yes: "));
    take_back();
}

/* Where the root's own file cannot be written. */
static void test_doctor_says_why_not(void)
{
    static const char alone[] = "unshare --mount sh -c 'mount --bind " CONTROL " " CONTROL
                                " && mount -o remount,ro,bind " CONTROL " && exec \"$@\"' sh";
    char text[512];
    take_back();
    doctor_says(alone, "control groups", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "limited: services' groups have no cpu, io"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Read-only file system"));
    doctor_says(alone, "resource.io", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "no: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "no io controller"));
    (void)printf("\n    ");
}

static const struct check_test tests[] = {
    {"refused by its own name", test_refused_by_its_name},
    {"a lab hands down what is missing", test_lab_hands_down},
    {"doctor says what was done", test_doctor_says_what_was_done},
    {"doctor says why not", test_doctor_says_why_not},
};

GUEST_MAIN("vm/groups", tests)
