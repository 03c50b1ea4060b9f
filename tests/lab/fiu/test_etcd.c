/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fiu.delay and fiu.fail on etcd, which no library reaches: `faults: auto` has its calls trapped.
 */
#include "rig.h"

static const char *const trapped_command[] = {"etcd", "--data-dir=/var/lib/etcd", "--logger=zap"};
static const struct lab_service_spec trapped[] = {
    {.name = "etcd",
     .hosts = on_n1,
     .n_hosts = 1,
     .command = trapped_command,
     .n_command = COUNT(trapped_command),
     .user = "etcd",
     .data = etcd_data,
     .n_data = 1,
     .ready = READY_TCP,
     .ready_what = "127.0.0.1:2379",
     .ready_timeout = {30 * NS_PER_SEC},
     .stop_signal = SIGTERM,
     .stop_timeout = {5 * NS_PER_SEC},
     .faults = LAB_FAULTS_AUTO,
     .start = true},
};

/* Writes a key; how long that took. */
static int64_t put(const char *expected)
{
    static const char command[] =
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379; B=eyJrZXkiOiJZUT09IiwidmFsdWUiOiJZZz09In0=; "
        "{ printf \"POST /v3/kv/put HTTP/1.0\\r\\nContent-Length: 29\\r\\n\\r\\n\"; "
        "echo $B | base64 -d; } >&3; timeout 15 cat <&3'";
    int64_t began = boottime();
    CU_ASSERT_TRUE(says("", command, expected));
    return boottime() - began;
}

/* Each flush waits, and the client with it. */
static void test_delay(void)
{
    (void)put("revision");
    inject("fiu.delay",
           GIVEN({"service", "etcd"}, {"points", "posix.fdatasync"}, {"delay", "700ms"},
                 {"path", "/var/lib/etcd"}),
           30 * NS_PER_SEC);
    CU_ASSERT(put("revision") >= 700 * NS_PER_MS);
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven && e.items[3].value >= 700000);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.what, "trapped in the kernel"));
    revert();
    CU_ASSERT(put("revision") < 700 * NS_PER_MS);
}

static int prepare_point(const char *point)
{
    return prepare("fiu.fail", GIVEN({"service", "etcd"}, {"points", point}, {"error", "EIO"}),
                   NS_PER_SEC);
}

/* What it cannot do it says before it begins. */
static void test_refused(void)
{
    CU_ASSERT_NOT_EQUAL(prepare_point("posix.write"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "write `trap: writes`"));
    CU_ASSERT_NOT_EQUAL(prepare_point("posix.connect"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not among those"));
    CU_ASSERT_NOT_EQUAL(prepare("clock.skew", GIVEN({"service", "etcd"}, {"by", "1h"}), NS_PER_SEC),
                        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot reach this program's clock"));
}

/* etcd gives up at the first flush that fails, with that error's words, and starts again as new. */
static void test_fail(void)
{
    CLEANUP_FREE char *log = NULL;
    inject("fiu.fail",
           GIVEN({"service", "etcd"}, {"points", "posix.fdatasync"}, {"error", "EIO"},
                 {"path", "/var/lib/etcd/member/wal"}),
           30 * NS_PER_SEC);
    (void)put("");
    for (int i = 0; i < 100 && (log == NULL || strstr(log, "exited with status 1") == NULL); i++) {
        free(log);
        log = NULL;
        (void)usleep(50000);
        OK(lab_log_tail(lab, "n1", "etcd", 4000, &log, &err));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "input/output error"));
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "exited with status 1"));
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_EQUAL(e.items[2].value, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.what, "the service or its supervisor has ended"));
    revert();
    CU_ASSERT_NOT_EQUAL(prepare_point("posix.fsync"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "nobody is there to answer"));
}

static void test_again(void)
{
    int32_t pid, state;
    OK(hostctl_service(HOSTCTL_START, "etcd", 0, 20 * NS_PER_SEC, &pid, &state, &err));
    (void)put("revision");
    CU_ASSERT_EQUAL(prepare_point("posix.fsync"), 0);
}

static const struct check_test tests[] = {
    {"delay", test_delay},
    {"refused", test_refused},
    {"fail", test_fail},
    {"started again", test_again},
};

int main(void)
{
    return rig_main("etcd by the kernel's trap", trapped, COUNT(trapped), tests, COUNT(tests));
}
