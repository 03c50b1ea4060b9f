/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/fabricspawn.h"

#include "base/cleanup.h"
#include "base/hostctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { WORDS_MAX = 128, PARKING = 512, N_EXTRA = 2 };

struct layout {
    char *words[WORDS_MAX + 1];
    char numbers[3][16];
    int first_extra;
};

static void put_number(char *out, long number)
{
    (void)snprintf(out, 16, "%ld", number);
}

/* argv of the request with @ROOT, @PROC and @INIT put in. */
static int lay_out(const struct fabricspawn_host *host, struct fabric_request *request,
                   struct layout *l, struct err *err)
{
    size_t n = 0;
    l->first_extra = request->n_fds > 3 ? (int)request->n_fds : 3;
    put_number(l->numbers[0], l->first_extra);
    put_number(l->numbers[1], l->first_extra + 1);
    put_number(l->numbers[2], host->init);
    static const char *const marks[] = {"@ROOT", "@PROC", "@INIT"};
    for (char *at = request->argv; at < request->argv + request->argv_len; at += strlen(at) + 1) {
        if (n == WORDS_MAX)
            return make_error(err, ERR_LIMIT, 0, "a program gets at most %d words", WORDS_MAX);
        l->words[n] = at;
        for (size_t i = 0; i < 3; i++)
            if (strcmp(at, marks[i]) == 0)
                l->words[n] = l->numbers[i];
        n++;
    }
    l->words[n] = NULL;
    if (n == 0)
        return make_error(err, ERR_INPUT, 0, "no program is named");
    return 0;
}

/* Through high numbers, so that none is overwritten before it has been moved. */
static int place_fds(const int *fds, size_t n, const int *extra, int first_extra, int keep)
{
    for (size_t i = 0; i < n; i++)
        if (dup2(fds[i], PARKING + (int)i) < 0)
            return -1;
    for (int i = 0; i < N_EXTRA; i++)
        if (dup2(extra[i], PARKING + FABRIC_FDS_MAX + i) < 0)
            return -1;
    if (n < 2) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || (n < 1 && dup2(null, 0) < 0) || dup2(null, 1) < 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (dup2(PARKING + (int)i, (int)i) < 0)
            return -1;
    for (int i = 0; i < N_EXTRA; i++)
        if (dup2(PARKING + FABRIC_FDS_MAX + i, first_extra + i) < 0)
            return -1;
    if (dup3(keep, first_extra + N_EXTRA, O_CLOEXEC) < 0)
        return -1;
    return (int)syscall(SYS_close_range, (unsigned)(first_extra + N_EXTRA + 1), ~0U, 0U);
}

static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int s = 1; s < NSIG; s++)
        (void)sigaction(s, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(const struct fabricspawn_host *host, const struct layout *l,
                            const int *fds, size_t n_fds, int proc_fd, int status_fd)
{
    const int extra[N_EXTRA] = {host->root_fd, proc_fd};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    reset_signals();
    int at = status_fd;
    if (l->words[0] != NULL && setns(host->net_fd, CLONE_NEWNET) == 0 &&
        place_fds(fds, n_fds, extra, l->first_extra, status_fd) == 0) {
        at = l->first_extra + N_EXTRA;
        (void)execv(l->words[0], l->words);
    }
    int why = errno;
    (void)!write(at, &why, sizeof(why));
    _exit(127);
}

int fabricspawn_start(const struct fabricspawn_host *host, const struct fabric_request *request,
                      const int *fds, pid_t *ret, struct err *err)
{
    static struct fabric_request copy;
    struct layout l;
    copy = *request;
    if (lay_out(host, &copy, &l, err) != 0)
        return -1;
    CLEANUP_FD int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int ends[2];
    if (proc_fd < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "start %s", l.words[0]);
    CLEANUP_FD int from = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        child(host, &l, fds, request->n_fds, proc_fd, ends[1]);
    int failed = errno;
    (void)close(ends[1]);
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, failed, "start %s", l.words[0]);
    int why;
    ssize_t n;
    do
        n = read(from, &why, sizeof(why));
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof(why))
        return make_error(err, ERR_SYSTEM, why, "run %s", l.words[0]);
    *ret = pid;
    return 0;
}

int fabricspawn_connect(const struct fabricspawn_host *host, int home_fd, int *ret_fd,
                        struct err *err)
{
    if (setns(host->net_fd, CLONE_NEWNET) != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter the host's network namespace");
    int status = hostctl_connect(ret_fd, err);
    if (setns(home_fd, CLONE_NEWNET) != 0)
        _exit(1); /* it must never act in a host's namespace by mistake */
    return status;
}
