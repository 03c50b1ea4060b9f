/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the built program as a person would, and looking at what it left: its exit status, its
 * result.json, its journal, and the machine afterwards.
 */
#ifndef BLACKSTART_TESTS_E2E_H
#define BLACKSTART_TESTS_E2E_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { E2E_ARGS_MAX = 24, E2E_TEXT_MAX = 8 << 20 };

struct e2e {
    char dir[64]; /* of all that the test makes */
    char out[80];
    uid_t user; /* not 0: as this user, with `dir` as home */
    pid_t pid;
    int status;     /* exit status; 128 and more: a signal */
    json_t *result; /* result.json, or NULL */
    char run[64];   /* the run's id */
};

static inline void e2e_sleep_ms(int ms)
{
    struct timespec t = clock_timespec(ms * NS_PER_MS);
    (void)nanosleep(&t, NULL);
}

static inline void e2e_begin(struct e2e *t)
{
    *t = (struct e2e){.pid = -1, .status = -1};
    (void)snprintf(t->dir, sizeof(t->dir), "/tmp/blackstart-e2e-XXXXXX");
    if (mkdtemp(t->dir) == NULL)
        abort();
    (void)snprintf(t->out, sizeof(t->out), "%.63s/out", t->dir);
}

static inline int e2e_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void e2e_end(struct e2e *t)
{
    json_decref(t->result);
    t->result = NULL;
    (void)nftw(t->dir, e2e_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *e2e_read(const char *dir, const char *name)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP_BUF struct buf text = BUF_INIT(E2E_TEXT_MAX);
    struct err err;
    if (fd < 0 || buf_read_fd(&text, fd, &err) < 0)
        return NULL;
    return buf_steal(&text);
}

static inline json_t *e2e_json(const char *dir, const char *name)
{
    CLEANUP_FREE char *text = e2e_read(dir, name);
    return text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static inline bool e2e_become(const struct e2e *t)
{
    return chown(t->dir, t->user, t->user) == 0 && setgroups(0, NULL) == 0 &&
           setresgid(t->user, t->user, t->user) == 0 && setresuid(t->user, t->user, t->user) == 0 &&
           setenv("HOME", t->dir, 1) == 0;
}

/* blackstart ARGS..., its output in DIR/stdout and DIR/stderr, its input from `in`. */
static inline void e2e_start_in(struct e2e *t, const char *const *args, int in)
{
    const char *argv[E2E_ARGS_MAX + 2] = {BINARY_DIR "/blackstart"};
    for (size_t i = 0; i < E2E_ARGS_MAX && args[i] != NULL; i++)
        argv[i + 1] = args[i];
    t->pid = fork();
    if (t->pid != 0)
        return;
    char path[128];
    for (int fd = 1; fd <= 2; fd++) {
        (void)snprintf(path, sizeof(path), "%s/%s", t->dir, fd == 1 ? "stdout" : "stderr");
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file < 0 || dup2(file, fd) < 0)
            _exit(126);
    }
    if (dup2(in, 0) < 0 || chdir(SOURCE_DIR) < 0)
        _exit(126);
    (void)unsetenv("SUDO_UID");
    (void)snprintf(path, sizeof(path), "%s/history.db", t->dir); /* not that of who tests */
    (void)setenv("BLACKSTART_STORE", path, 0);
    if (t->user != 0 && !e2e_become(t))
        _exit(126);
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static inline void e2e_start(struct e2e *t, const char *const *args)
{
    CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    e2e_start_in(t, args, null);
}

/* The run's id stands in the journal's first line. */
static inline void e2e_find_run(struct e2e *t)
{
    CLEANUP_FREE char *text = e2e_read(t->out, "journal.ndjson");
    char *at = text != NULL ? strstr(text, "\"run\":\"") : NULL;
    if (at != NULL)
        (void)sscanf(at + 7, "%63[^\"]", t->run);
}

/* Waits at most `limit_s`; what has not ended by then is killed, and has status 128 + SIGKILL. */
static inline int e2e_wait(struct e2e *t, int limit_s)
{
    int status = 0;
    for (int i = 0; i < limit_s * 50; i++) {
        pid_t got = waitpid(t->pid, &status, WNOHANG);
        if (got == t->pid)
            goto ended;
        e2e_sleep_ms(20);
    }
    fprintf(stderr, "killed after %d s\n", limit_s);
    (void)kill(t->pid, SIGKILL);
    (void)waitpid(t->pid, &status, 0);
ended:
    t->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    t->result = e2e_json(t->out, "result.json");
    e2e_find_run(t);
    return t->status;
}

/* Until the journal has a line with this text; false after `limit_s` or when the run has ended. */
static inline bool e2e_wait_journal(struct e2e *t, const char *what, int limit_s)
{
    for (int i = 0; i < limit_s * 100; i++) {
        CLEANUP_FREE char *text = e2e_read(t->out, "journal.ndjson");
        if (text != NULL && strstr(text, what) != NULL)
            return true;
        if (kill(t->pid, 0) < 0)
            return false;
        e2e_sleep_ms(10);
    }
    return false;
}

static inline bool e2e_file_has(const char *path, const char *text)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP_BUF struct buf content = BUF_INIT(E2E_TEXT_MAX);
    struct err err;
    if (fd < 0 || buf_read_fd(&content, fd, &err) < 0)
        return false;
    return content.len != 0 && memmem(content.data, content.len, text, strlen(text)) != NULL;
}

/* Processes that the run made and that live: named so, or within its mounts. */
static inline unsigned e2e_count_processes(const struct e2e *t)
{
    unsigned n = 0;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        char path[300];
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid())
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
        bool ours = e2e_file_has(path, t->run);
        (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        ours = ours || e2e_file_has(path, t->run) || e2e_file_has(path, t->out);
        n += ours;
    }
    return n;
}

/* Files where a run has any while it runs, and control groups: with its id in their names. */
static inline bool e2e_has_files(const struct e2e *t)
{
    static const char *const dirs[] = {"/var/lib/blackstart/labs",
                                       "/tmp",
                                       "/var/tmp",
                                       "/run",
                                       "/dev/shm",
                                       "/sys/fs/cgroup",
                                       "/sys/fs/cgroup/unified",
                                       "/sys/fs/cgroup/memory",
                                       "/sys/fs/cgroup/cpu",
                                       "/sys/fs/cgroup/blkio",
                                       "/sys/fs/cgroup/pids"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        CLEANUP_DIR DIR *dir = opendir(dirs[i]);
        for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
            if (strstr(e->d_name, t->run) != NULL)
                return true;
    }
    return false;
}

/* Nothing of the run is left on the machine, at the latest `limit_s` from now. */
static inline void e2e_expect_gone(struct e2e *t, int limit_s)
{
    bool gone = false;
    if (t->run[0] == '\0')
        e2e_find_run(t);
    if (t->run[0] == '\0')
        return; /* killed before it made anything */
    for (int i = 0; i < limit_s * 20 && !gone; i++) {
        gone = !e2e_has_files(t) && !e2e_file_has("/proc/self/mountinfo", t->run) &&
               e2e_count_processes(t) == 0;
        if (!gone)
            e2e_sleep_ms(50);
    }
    /* A kill between the making of the directory and the start of the lab's process leaves the
     * directory alone, which the next start of a lab sweeps. */
    if (!gone && !e2e_file_has("/proc/self/mountinfo", t->run) && e2e_count_processes(t) == 0)
        gone = shell_run(BINARY_DIR "/blackstart doctor >/dev/null 2>&1") == 0 && !e2e_has_files(t);
    if (!gone)
        fprintf(stderr, "%s: left: files or control groups %s, mounts %s, %u processes\n", t->run,
                e2e_has_files(t) ? "yes" : "no",
                e2e_file_has("/proc/self/mountinfo", t->run) ? "yes" : "no",
                e2e_count_processes(t));
    CU_ASSERT_TRUE(gone);
}

static inline const char *e2e_text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s != NULL ? s : "";
}

static inline double e2e_number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : -1;
}

/* The first target of this measure. */
static inline const json_t *e2e_target(const struct e2e *t, const char *measure)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(t->result, "targets"), i, one)
    {
        if (strcmp(e2e_text(one, "measure"), measure) == 0)
            return one;
    }
    return NULL;
}

static inline void e2e_expect_verdict(const struct e2e *t, int status, const char *verdict)
{
    if (t->status != status || strcmp(e2e_text(t->result, "verdict"), verdict) != 0) {
        CLEANUP_FREE char *text = e2e_read(t->dir, "stdout"), *errors = e2e_read(t->dir, "stderr");
        fprintf(stderr, "expected %s, exit %d; got %s, exit %d\n%s%s", verdict, status,
                e2e_text(t->result, "verdict"), t->status, text != NULL ? text : "",
                errors != NULL ? errors : "");
    }
    CU_ASSERT_EQUAL(t->status, status);
    CU_ASSERT_STRING_EQUAL(e2e_text(t->result, "verdict"), verdict);
    CU_ASSERT_EQUAL((int)e2e_number(t->result, "exit"), status);
}

/* Every host that an agent looked at is clean, and there were `n`. */
static inline void e2e_expect_clean(const struct e2e *t, size_t n)
{
    size_t i, clean = 0;
    const json_t *host;
    json_array_foreach(json_object_get(t->result, "hosts"), i, host)
    {
        if (json_is_true(json_object_get(host, "known"))) {
            CU_ASSERT_TRUE(json_is_true(json_object_get(host, "clean")));
            clean++;
        }
    }
    CU_ASSERT_EQUAL(clean, n);
}

/* What every run ends with: `n` clean hosts, and a machine on which nothing of it is. */
static inline void e2e_end_clean(struct e2e *t, size_t n)
{
    e2e_expect_clean(t, n);
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

#endif
