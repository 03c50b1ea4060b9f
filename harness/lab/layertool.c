/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/layertool.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static _Noreturn void child(const char *dir, const char *const *argv, int out)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir(dir) != 0 ||
        setenv("LC_ALL", "C", 1) != 0 || setenv("DEBIAN_FRONTEND", "noninteractive", 1) != 0)
        _exit(126);
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* The last line that says what is wrong: apt's begin with "E: ". */
static void find_complaint(const char *text, char *out, size_t size)
{
    const char *best = NULL;
    size_t best_len = 0;
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        bool apt = strncmp(at, "E: ", 3) == 0;
        if (len != 0 && (apt || best == NULL || strncmp(best, "E: ", 3) != 0)) {
            best = at;
            best_len = len;
        }
        at += len + (at[len] == '\n');
    }
    if (best_len >= size)
        best_len = size - 1;
    if (best != NULL)
        memcpy(out, best, best_len);
    out[best_len] = '\0';
}

static int check_status(int status, const char *tool, const struct buf *out, struct err *err)
{
    char complaint[200];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s is not on this machine; packages for labs need Debian's tools", tool);
    find_complaint(buf_text(out), complaint, sizeof(complaint));
    return make_error(err, ERR_SYSTEM, 0, "%s: %s", tool, complaint);
}

int layertool_run(const char *dir, const char *const *argv, struct buf *out, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe");
    CLEANUP_FD int from = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        child(dir, argv, ends[1]);
    int failed = errno;
    (void)close(ends[1]);
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, failed, "start %s", argv[0]);
    struct err read_err;
    bool whole = buf_read_fd(out, from, &read_err) == 0;
    int status = 0;
    if (!whole)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!whole) {
        *err = read_err;
        return wrap_error(err, "%s", argv[0]);
    }
    return check_status(status, argv[0], out, err);
}
