/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit of a real host, as far as it needs no systemd: `blackstart-agent preload` in a mount
 * namespace with a /run of its own, and a program in a cgroup of the unit's name that was started
 * with what the command says.
 */
#include "agents/fiu/program.h"
#include "unit_rig.h"

#include <signal.h>
#include <sys/prctl.h>

static char said[4096];

static bool agent_preload(const char *name)
{
    return unit_agent(said, sizeof(said), "preload '%s'", name) == 0;
}

static bool has_said(const char *words)
{
    bool found = strstr(said, words) != NULL;
    if (!found)
        (void)printf("\n    not said: %s\n    but: %s\n    ", words, said);
    return found;
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
    mode_t mode = 0;
    CU_ASSERT_NOT_EQUAL(row->supported(&host, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "blackstart-agent preload UNIT"));
    CU_ASSERT_TRUE(agent_preload(unit));
    CU_ASSERT_TRUE(has_said("is new"));
    CU_ASSERT_TRUE(has_said("\nEnvironment=LD_PRELOAD=" FIU_LIBRARY_PATH "\n"));
    CU_ASSERT_TRUE(has_said(" \"" UNIT_AGENT "\" preload bs-test8.2-"));
    CU_ASSERT_TRUE(has_said("\nReadWritePaths=-" FIU_PAGE_DIR "\n"));
    CU_ASSERT_TRUE(has_said("\nExecPaths=-" FIU_LIBRARY_PATH "\n"));
    CU_ASSERT_EQUAL(access(FIU_LIBRARY_PATH, R_OK | X_OK), 0);
    ino_t library = library_inode();
    ino_t page = page_inode(&mode);
    CU_ASSERT_EQUAL(mode, 0666);
    CU_ASSERT_TRUE(agent_preload(unit));
    CU_ASSERT_TRUE(has_said("is kept"));
    CU_ASSERT_EQUAL(page_inode(&mode), page);
    CU_ASSERT_EQUAL(library_inode(), library);
    CU_ASSERT_EQUAL(truncate(FIU_LIBRARY_PATH, 100), 0);
    CU_ASSERT_TRUE(agent_preload(unit));
    CU_ASSERT_NOT_EQUAL(library_inode(), library);
    CU_ASSERT_EQUAL(row->supported(&host, &err), 0);
}

/* All units share it: what is no such library does not take its place. */
static void test_library(void)
{
    static const char *const given[][2] = {
        {"/etc/passwd", "is no ELF file"},
        {"/dev/zero", "is no regular file"},
        {"/", "is no regular file"},
        {UNIT_AGENT, "has no symbol blackstart_fiu_page_version"},
        {"/run/half.so", "is cut short"},
        {"/run/fifo", "is no regular file"},
    };
    CU_ASSERT_TRUE(agent_preload(unit));
    CU_ASSERT_EQUAL(shell_run("head -c 60000 " FIU_LIBRARY_PATH " >/run/half.so; mkfifo /run/fifo"),
                    0);
    ino_t library = library_inode();
    for (size_t i = 0; i < COUNT(given); i++) {
        CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload '%s' %s", unit, given[i][0]), 3);
        CU_ASSERT_TRUE(has_said(given[i][1]));
        CU_ASSERT_TRUE(has_said(given[i][0]));
        CU_ASSERT_EQUAL(library_inode(), library);
    }
    CU_ASSERT_EQUAL(
        unit_agent(said, sizeof(said), "preload '%s' " BINARY_DIR "/" FIU_LIBRARY, unit), 0);
    CU_ASSERT_EQUAL(library_inode(), library);
}

/* One unit by both of its names; and what is none. */
static void test_names(void)
{
    char full[80], first[sizeof(said)];
    (void)snprintf(full, sizeof(full), "%s.service", unit);
    CU_ASSERT_TRUE(agent_preload(unit));
    (void)snprintf(first, sizeof(first), "%s", said);
    CU_ASSERT_TRUE(agent_preload(full));
    CU_ASSERT_STRING_EQUAL(said, first);
    CU_ASSERT_EQUAL(shell_read("ls " FIU_PAGE_DIR "/*.page | wc -l", said, sizeof(said)), 0);
    CU_ASSERT_STRING_EQUAL(said, "1\n");
    CU_ASSERT_FALSE(agent_preload("../up"));
    CU_ASSERT_FALSE(agent_preload(""));
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload redis.socket"), 2);
    CU_ASSERT_TRUE(has_said("redis.socket is no service, but a socket"));
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload .service"), 2);
    CU_ASSERT_TRUE(has_said("does not begin with a dot"));
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload -n"), 2);
    CU_ASSERT_TRUE(has_said("no options"));
    CU_ASSERT_NOT_EQUAL(
        prepare("fiu.fail",
                GIVEN({"service", "redis.socket"}, {"points", "posix.write"}, {"error", "ENOSPC"}),
                NS_PER_SEC),
        0);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
}

/* Which is said once, and of labs nothing. */
static void test_no_systemd(void)
{
    static const char words[] = "there is no systemd on this host";
    CU_ASSERT_TRUE(agent_preload(unit));
    CU_ASSERT_TRUE(has_said(words));
    CU_ASSERT_TRUE(has_said("\nEnvironment=LD_PRELOAD="));
    const char *first = strstr(said, words);
    CU_ASSERT_PTR_NULL(first != NULL ? strstr(first + sizeof(words), "no systemd") : said);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "reach no-such-unit"), 3);
    CU_ASSERT_TRUE(has_said(words));
    CU_ASSERT_PTR_NULL(strstr(said, "lab"));
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "trap no-such-unit"), 3);
    CU_ASSERT_TRUE(has_said(words));
    /* As systemd does before each start: it is not asked for what it is just starting. */
    CU_ASSERT_EQUAL(shell_read("SYSTEMD_EXEC_PID=$$ exec " UNIT_AGENT " preload x 2>&1 >/dev/null",
                               said, sizeof(said)),
                    0);
    CU_ASSERT_STRING_EQUAL(said, "");
}

/* Writes each line that it reads to its file, until it is killed; errors are what it is there for.
 * It starts nothing: whose child is just starting has not yet loaded the library. */
static int unit_input;

static pid_t unit_start(bool with_library)
{
    int lines[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(lines, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid != 0) {
        (void)close(lines[0]);
        unit_input = lines[1];
        return pid;
    }
    char variable[160];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(lines[0], STDIN_FILENO);
    (void)snprintf(variable, sizeof(variable), FIU_ENV_PAGE "=" FIU_PAGE_DIR "/%s.page", unit);
    char *const argv[] = {
        (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
        (char *)(uintptr_t) "while read -r line; do echo \"$line\"; done >/run/out 2>&1", NULL};
    char library[] = "LD_PRELOAD=" FIU_LIBRARY_PATH;
    char *const env[] = {variable, with_library ? library : NULL, NULL};
    (void)execve("/bin/sh", argv, env);
    _exit(127);
}

static void unit_end(pid_t pid)
{
    (void)close(unit_input);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static bool has_page(pid_t pid)
{
    return program_maps_page(host.proc, pid, unit);
}

/* Under its own name, and no longer this program's copy. */
static bool is_shell(pid_t pid)
{
    char path[32], name[16] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, "sh\n") == 0;
}

static bool comes_to(bool (*be)(pid_t pid), pid_t pid)
{
    for (int i = 0; i < 1000; i++, (void)usleep(10000))
        if (be(pid))
            return true;
    return false;
}

/* By the name that systemctl prints, too. */
static void test_fault(void)
{
    char full[80];
    (void)snprintf(full, sizeof(full), "%s.service", unit);
    pid_t pid = unit_start(true);
    cgroup_put(cgroup, pid);
    CU_ASSERT_TRUE(comes_to(has_page, pid));
    INJECT("fiu.fail", {"service", full}, {"points", "posix.write"}, {"error", "ENOSPC"},
           {"path", "/run/out"});
    struct evidence e = evidence();
    for (int i = 0; i < 100 && !e.proven; i++) {
        CU_ASSERT_EQUAL(write(unit_input, "x\n", 2), 2);
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
    CU_ASSERT_TRUE(comes_to(is_shell, pid));
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
    {"the command", test_command}, {"the library", test_library},
    {"names", test_names},         {"no systemd", test_no_systemd},
    {"a fault", test_fault},       {"without the library", test_without_library},
};

int main(void)
{
    if (!unit_up("bs-test"))
        return 2;
    int status = check_main("fiu on a unit", tests, COUNT(tests));
    unit_down();
    return status;
}
