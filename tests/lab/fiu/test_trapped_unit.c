/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit whose program no library reaches, as far as it needs no systemd: the supervisor that the
 * drop-in has systemd start, in a mount namespace with a /run of its own, and a static program that
 * is started as the drop-in says, in a cgroup of the unit's name.
 */
#include "unit_rig.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>

#define AGENT  UNIT_AGENT
#define VICTIM BINARY_DIR "/tests/static_victim"
#define PLACE  "/run/place"
#define FILE_  PLACE "/file"
#define LINKED PLACE "/link/file"
#define STATE  "/run/state/now"

static char page_path[128], sock_path[128];
static pid_t supervisor, program;

static pid_t run(const char *const *argv, const char *output)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(output, O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)dup2(fd, STDERR_FILENO);
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static int status_of(pid_t pid)
{
    int status = -1;
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void supervisor_begin(void)
{
    const char *const argv[] = {AGENT, "supervise", unit, NULL};
    (void)unlink(sock_path);
    supervisor = run(argv, "/run/said");
    for (int i = 0; i < 1000 && access(sock_path, F_OK) != 0; i++)
        (void)usleep(10000);
    CU_ASSERT_EQUAL_FATAL(access(sock_path, F_OK), 0);
}

struct how {
    bool outside;      /* of the unit's cgroup */
    uid_t user;        /* 0: root */
    bool own_mounts;   /* PLACE is a file system that others do not see, its file behind a link */
    const char *calls; /* NULL: rare */
};

static int mounts_make(void)
{
    return unshare(CLONE_NEWNS) != 0 || mount("none", PLACE, "tmpfs", 0, "mode=777") != 0 ||
                   mkdir(PLACE "/real", 0777) != 0 || symlink("real", PLACE "/link") != 0
               ? -1
               : 0;
}

static void program_begin(const struct how *how)
{
    int go[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
    (void)unlink(STATE);
    program = fork();
    if (program == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!read(go[0], &byte, 1);
        int said = open("/run/said", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (dup2(said, STDERR_FILENO) < 0 || (how->own_mounts && mounts_make() != 0) ||
            (how->user != 0 &&
             (setgroups(0, NULL) != 0 || setgid(how->user) != 0 || setuid(how->user) != 0)))
            _exit(126);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* which a change of user has taken away */
        (void)execl(AGENT, AGENT, "trapped", unit, how->calls != NULL ? how->calls : "rare",
                    "--as=victim", VICTIM, how->own_mounts ? LINKED : FILE_, STATE, (char *)NULL);
        _exit(127);
    }
    if (!how->outside)
        cgroup_put(cgroup, program);
    CU_ASSERT_EQUAL(write(go[1], "g", 1), 1);
    (void)close(go[0]);
    (void)close(go[1]);
}

static bool file_says(const char *path, const char *word)
{
    char text[2048];
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, word) != NULL;
}

static bool comes_to_say(const char *path, const char *word)
{
    for (int i = 0; i < 1000; i++, (void)usleep(10000))
        if (file_says(path, word))
            return true;
    return false;
}

static bool state_becomes(int error)
{
    char word[32];
    (void)snprintf(word, sizeof(word), "now %-5d\n", error);
    return comes_to_say(STATE, word);
}

static int reach(char *said, size_t size)
{
    return unit_agent(said, size, "reach %s", unit);
}

static void program_end(void)
{
    CU_ASSERT_EQUAL(kill(program, SIGTERM), 0);
    CU_ASSERT_EQUAL(status_of(program), 42);
}

static void fault_and_back(const char *point, const char *path)
{
    CU_ASSERT_TRUE(state_becomes(0));
    INJECT("fiu.fail", {"service", unit}, {"points", point}, {"error", "EIO"}, {"path", path});
    CU_ASSERT_TRUE(state_becomes(EIO));
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.what, "trapped in the kernel"));
    revert();
    CU_ASSERT_TRUE(state_becomes(0));
}

/* It is the process that was started, under its own name, and ends as it wants to: its last flush
 * is answered, and then its supervisor ends too. */
static void test_fault(void)
{
    char said[2048];
    supervisor_begin();
    program_begin(&(struct how){.user = 0});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    CU_ASSERT_NOT_EQUAL(access(sock_path, F_OK), 0);
    struct stat st = {.st_mode = 0};
    CU_ASSERT_EQUAL(stat(page_path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    (void)snprintf(said, sizeof(said), "/proc/%d/cmdline", (int)program);
    CU_ASSERT_TRUE(file_says(said, "victim"));
    fault_and_back("posix.fdatasync", FILE_);
    CU_ASSERT_EQUAL(reach(said, sizeof(said)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "the kernel's trap:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "posix.fdatasync"));
    CU_ASSERT_PTR_NULL(strstr(said, "posix.write"));
    program_end();
    CU_ASSERT_TRUE(file_says(STATE, "end 0"));
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

static void test_delay_of_writes(void)
{
    supervisor_begin();
    program_begin(&(struct how){.calls = "writes"});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    INJECT("fiu.delay", {"service", unit}, {"points", "posix.write"}, {"delay", "50ms"},
           {"path", FILE_});
    (void)usleep(300000);
    struct evidence e = evidence();
    CU_ASSERT_TRUE(e.proven && e.items[3].value >= 50000);
    revert();
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

/* Any user, who gives up new privileges for it; and paths are the unit's own. */
static void test_user_and_mounts(void)
{
    char path[64];
    supervisor_begin();
    program_begin(&(struct how){.user = 65534, .own_mounts = true});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)program);
    CU_ASSERT_TRUE(file_says(path, "NoNewPrivs:\t1"));
    fault_and_back("posix.open", PLACE "/real");
    fault_and_back("posix.fdatasync", PLACE "/real/file");
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

static int prepare_it(void)
{
    return prepare("fiu.fail",
                   GIVEN({"service", unit}, {"points", "posix.fdatasync"}, {"error", "EIO"}),
                   NS_PER_SEC);
}

/* The declared loss, and what is said of it. */
static void test_supervisor_dies(void)
{
    char said[2048];
    supervisor_begin();
    program_begin(&(struct how){.user = 0});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    (void)kill(supervisor, SIGKILL);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGKILL);
    CU_ASSERT_TRUE(state_becomes(ENOSYS));
    CU_ASSERT_NOT_EQUAL(prepare_it(), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "nobody is there to answer"));
    CU_ASSERT_EQUAL(reach(said, sizeof(said)), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "start the service again"));
    program_end();
    supervisor_begin();
    program_begin(&(struct how){.user = 0});
    fault_and_back("posix.fdatasync", FILE_);
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

/* Nobody to answer: the program runs all the same, says so, and the fault is refused. A stranger
 * does not get a unit's supervisor, which goes on waiting for the unit. */
static void test_untrapped(void)
{
    (void)unlink("/run/said");
    (void)unlink(sock_path);
    program_begin(&(struct how){.user = 0});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    CU_ASSERT_TRUE(file_says("/run/said", "starts with its calls untrapped"));
    CU_ASSERT_NOT_EQUAL(prepare_it(), 0);
    program_end();
    supervisor_begin();
    (void)unlink("/run/said");
    program_begin(&(struct how){.outside = true});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    CU_ASSERT_TRUE(file_says("/run/said", "its supervisor has ended"));
    program_end();
    program_begin(&(struct how){.user = 0});
    fault_and_back("posix.fdatasync", FILE_);
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
}

/* By hand it says what it waits for, and leaves no socket behind; another's it leaves. */
static void test_waits(void)
{
    char said[1024];
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s.service 1", unit), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, sock_path));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".service"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "for 1 s at most"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "nobody has come"));
    CU_ASSERT_NOT_EQUAL(access(sock_path, F_OK), 0);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s 0", unit), 2);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s 1h", unit), 2);
    (void)unlink("/run/said");
    supervisor_begin();
    CU_ASSERT_TRUE(comes_to_say("/run/said", "for 600 s at most"));
    (void)kill(supervisor, SIGINT);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGINT);
    CU_ASSERT_NOT_EQUAL(access(sock_path, F_OK), 0);
    supervisor_begin();
    CU_ASSERT_EQUAL(unlink(sock_path), 0);
    CU_ASSERT_EQUAL(close(open(sock_path, O_WRONLY | O_CREAT, 0600)), 0);
    (void)kill(supervisor, SIGTERM);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGTERM);
    CU_ASSERT_EQUAL(unlink(sock_path), 0);
}

static int files_count(void)
{
    char said[64];
    CU_ASSERT_EQUAL(
        shell_read("ls " FIU_PAGE_DIR " | grep -c -e .sock -e .page || :", said, sizeof(said)), 0);
    return (int)strtol(said, NULL, 10);
}

/* A second one for the same start is refused, and the first goes on; one that was killed is
 * replaced. */
static void test_second_supervisor(void)
{
    char said[1024];
    supervisor_begin();
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s 1", unit), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "another supervisor waits at"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, sock_path));
    CU_ASSERT_EQUAL(access(sock_path, F_OK), 0);
    CU_ASSERT_EQUAL(access(page_path, F_OK), 0);
    program_begin(&(struct how){.user = 0});
    fault_and_back("posix.fdatasync", FILE_);
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
    supervisor_begin();
    (void)kill(supervisor, SIGKILL);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(access(sock_path, F_OK), 0);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s 1", unit), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "nobody has come"));
}

/* For whom nobody came, no page is left; a page that was given to programs stays. */
static void test_pages_left(void)
{
    char said[1024];
    (void)unlink(page_path);
    int before = files_count();
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise nosuch 1"), 3);
    CU_ASSERT_EQUAL(files_count(), before);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload %s", unit), 0);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "supervise %s 1", unit), 3);
    CU_ASSERT_EQUAL(access(page_path, F_OK), 0);
    (void)unlink(page_path);
}

static int sweep(char *said, size_t size)
{
    return unit_agent(said, size, "sweep --state /run/sweep");
}

/* What a supervisor left that was killed goes; what lives, or was given to programs, stays. */
static void test_sweep(void)
{
    char said[2048];
    CU_ASSERT_EQUAL(mkdir("/run/sweep", 0700), 0);
    supervisor_begin();
    program_begin(&(struct how){.user = 0});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_EQUAL(access(page_path, F_OK), 0); /* one lives on it */
    program_end();
    CU_ASSERT_EQUAL(status_of(supervisor), 0);
    supervisor_begin();
    CU_ASSERT_TRUE(comes_to_say("/run/said", "for 600 s at most"));
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_EQUAL(access(page_path, F_OK), 0); /* one waits */
    CU_ASSERT_EQUAL(access(sock_path, F_OK), 0);
    (void)kill(supervisor, SIGKILL);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".page of no supervisor: removed\n"));
    CU_ASSERT_NOT_EQUAL(access(page_path, F_OK), 0);
    CU_ASSERT_NOT_EQUAL(access(sock_path, F_OK), 0);
    supervisor_begin();
    CU_ASSERT_TRUE(comes_to_say("/run/said", "for 600 s at most"));
    (void)unlink(page_path); /* as if it had been killed before it made that */
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_EQUAL(access(sock_path, F_OK), 0);
    (void)kill(supervisor, SIGKILL);
    CU_ASSERT_EQUAL(status_of(supervisor), 1000 + SIGKILL);
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".sock, at which nobody waits: removed\n"));
    CU_ASSERT_NOT_EQUAL(access(sock_path, F_OK), 0);
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload %s", unit), 0);
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".page is left"));
    CU_ASSERT_PTR_NULL(strstr(said, "removed"));
    CU_ASSERT_EQUAL(access(page_path, F_OK), 0);
    CU_ASSERT_EQUAL(unlink(page_path), 0);
    CU_ASSERT_EQUAL(sweep(said, sizeof(said)), 0);
    CU_ASSERT_PTR_NULL(strstr(said, "page"));
}

/* A unit that has the library's drop-in, and a program that it does not reach. */
static void test_not_prepared(void)
{
    char said[4096];
    CU_ASSERT_EQUAL(unit_agent(said, sizeof(said), "preload %s", unit), 0);
    struct stat st = {.st_mode = 0};
    CU_ASSERT_EQUAL(stat(page_path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0666);
    (void)unlink(sock_path);
    program_begin(&(struct how){.user = 0});
    CU_ASSERT_TRUE_FATAL(state_becomes(0));
    CU_ASSERT_NOT_EQUAL(prepare_it(), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "statically linked"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "blackstart-agent trap UNIT"));
    CU_ASSERT_EQUAL(reach(said, sizeof(said)), 3);
    program_end();
    (void)unlink(page_path);
    CU_ASSERT_NOT_EQUAL(prepare_it(), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "blackstart-agent trap"));
}

static const struct check_test tests[] = {
    {"a fault", test_fault},
    {"a delay of writes", test_delay_of_writes},
    {"another user, mounts of its own", test_user_and_mounts},
    {"the supervisor dies", test_supervisor_dies},
    {"untrapped", test_untrapped},
    {"nobody comes", test_waits},
    {"a second supervisor", test_second_supervisor},
    {"pages left", test_pages_left},
    {"sweep", test_sweep},
    {"not prepared", test_not_prepared},
};

int main(void)
{
    (void)umask(0);
    if (!unit_up("bs-trap") || mkdir(PLACE, 0777) != 0 || mkdir("/run/state", 0777) != 0)
        return 2;
    (void)snprintf(page_path, sizeof(page_path), FIU_PAGE_DIR "/%s.page", unit);
    (void)snprintf(sock_path, sizeof(sock_path), FIU_PAGE_DIR "/%s.sock", unit);
    int status = check_main("fiu on a unit by the kernel's trap", tests, COUNT(tests));
    unit_down();
    return status;
}
