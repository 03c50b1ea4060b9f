/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit of a real host, as far as it needs no systemd: `blackstart-agent preload` in a mount
 * namespace with a /run of its own, and a program in a cgroup of the unit's name that was started
 * with what the command says.
 */
#include "base/buf.h"
#include "lab/cgroup.h"
#include "rig.h"
#include "shell.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static char unit[64], cgroup[128];

static bool agent_preload(const char *name, struct buf *out)
{
    char command[400], said[4096];
    (void)snprintf(command, sizeof(command), BINARY_DIR "/blackstart-agent preload '%s' 2>&1",
                   name);
    int status = shell_read(command, said, sizeof(said));
    buf_puts(out, said);
    return status == 0;
}

static ino_t page_inode(mode_t *ret_mode)
{
    char path[160];
    struct stat st = {.st_ino = 0};
    (void)snprintf(path, sizeof(path), FIU_PAGE_DIR "/%s.page", unit);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    *ret_mode = st.st_mode & 07777;
    return st.st_ino;
}

static ino_t library_inode(void)
{
    struct stat st = {.st_ino = 0};
    CU_ASSERT_EQUAL(stat(FIU_LIBRARY_PATH, &st), 0);
    return st.st_ino;
}

/* Again, as before each start of the unit: the page stays what it is. */
static void test_command(void)
{
    CLEANUP_BUF struct buf first = BUF_INIT(4096), again = BUF_INIT(4096), bad = BUF_INIT(4096);
    mode_t mode = 0;
    CU_ASSERT_NOT_EQUAL(row->supported(&host, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "blackstart-agent preload UNIT"));
    CU_ASSERT_TRUE(agent_preload(unit, &first));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&first), "is new"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&first), "\nEnvironment=LD_PRELOAD=" FIU_LIBRARY_PATH "\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&first), " \"" BINARY_DIR "/blackstart-agent\" preload bs-test-"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&first), "\nReadWritePaths=-" FIU_PAGE_DIR "\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&first), "\nExecPaths=-" FIU_LIBRARY_PATH "\n"));
    CU_ASSERT_EQUAL(access(FIU_LIBRARY_PATH, R_OK | X_OK), 0);
    ino_t library = library_inode();
    ino_t page = page_inode(&mode);
    CU_ASSERT_EQUAL(mode, 0666);
    CU_ASSERT_TRUE(agent_preload(unit, &again));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&again), "is kept"));
    CU_ASSERT_EQUAL(page_inode(&mode), page);
    CU_ASSERT_EQUAL(library_inode(), library);
    CU_ASSERT_EQUAL(truncate(FIU_LIBRARY_PATH, 100), 0);
    CU_ASSERT_TRUE(agent_preload(unit, &again));
    CU_ASSERT_NOT_EQUAL(library_inode(), library);
    CU_ASSERT_FALSE(agent_preload("../up", &bad));
    CU_ASSERT_FALSE(agent_preload("", &bad));
    CU_ASSERT_EQUAL(row->supported(&host, &err), 0);
}

/* Writes to its file until it is killed; errors are what it is there for. */
static pid_t unit_start(bool with_library)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char variable[160];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(variable, sizeof(variable), FIU_ENV_PAGE "=" FIU_PAGE_DIR "/%s.page", unit);
    char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t) "while :; do echo x; sleep 0.01; done >/run/out 2>&1",
                          NULL};
    char library[] = "LD_PRELOAD=" FIU_LIBRARY_PATH;
    char *const env[] = {variable, with_library ? library : NULL, NULL};
    (void)execve("/bin/sh", argv, env);
    _exit(127);
}

static void unit_end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static void test_fault(void)
{
    pid_t pid = unit_start(true);
    cgroup_put(cgroup, pid);
    (void)usleep(200000);
    INJECT("fiu.fail", {"service", unit}, {"points", "posix.write"}, {"error", "ENOSPC"},
           {"path", "/run/out"});
    struct evidence e = evidence();
    for (int i = 0; i < 100 && !e.proven; i++) {
        (void)usleep(50000);
        e = evidence();
    }
    CU_ASSERT_TRUE(e.proven);
    revert();
    unit_end(pid);
}

static void test_without_library(void)
{
    pid_t pid = unit_start(false);
    cgroup_put(cgroup, pid);
    (void)usleep(100000);
    CU_ASSERT_NOT_EQUAL(
        prepare("fiu.fail",
                GIVEN({"service", unit}, {"points", "posix.write"}, {"error", "ENOSPC"}),
                NS_PER_SEC),
        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "has loaded the preload library"));
    unit_end(pid);
    CU_ASSERT_NOT_EQUAL(
        prepare("fiu.fail",
                GIVEN({"service", "no-such-unit"}, {"points", "posix.write"}, {"error", "ENOSPC"}),
                NS_PER_SEC),
        0);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "blackstart-agent preload no-such-unit"));
}

static const struct check_test tests[] = {
    {"the command", test_command},
    {"a fault", test_fault},
    {"without the library", test_without_library},
};

int main(void)
{
    char name[80];
    struct stat st;
    (void)snprintf(unit, sizeof(unit), "bs-test-%d", (int)getpid());
    (void)snprintf(name, sizeof(name), "%s.service", unit);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/run", "tmpfs", 0, "mode=755") != 0 || stat("/proc/self/ns/pid", &st) != 0 ||
        !cgroup_make(cgroup, sizeof(cgroup), name))
        return 2;
    row = catalogue_find(&fault_catalogue, "fiu.fail");
    host = (struct fault_host){.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .pid_ns = st.st_ino,
                               .now = boottime,
                               .run = "test",
                               .name = "here"};
    int status = check_main("fiu on a unit", tests, COUNT(tests));
    for (int i = 0; i < 200 && rmdir(cgroup) != 0; i++)
        (void)usleep(10000); /* until the last of them has been reaped */
    return status;
}
