/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/calls.h"
#include "crash/injector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

enum { NOSPC = 1, IO = 2, ROFS = 4, NOBUFS = 8, PERM = 16, WRITES = NOSPC | IO, ALL = 7 };

/* Which call may return which error. */
static const struct {
    const char *name;
    long number;
    unsigned errors;
} calls[] = {
    {"openat", SYS_openat, ALL},
    {"openat2", SYS_openat2, ALL},
    {"write", SYS_write, WRITES},
    {"pwrite64", SYS_pwrite64, WRITES},
    {"fsync", SYS_fsync, WRITES},
    {"fdatasync", SYS_fdatasync, WRITES},
    {"renameat", SYS_renameat, ALL},
    {"renameat2", SYS_renameat2, ALL},
    {"unlinkat", SYS_unlinkat, IO | ROFS},
    {"mkdirat", SYS_mkdirat, ALL},
    {"linkat", SYS_linkat, ALL},
    {"ftruncate", SYS_ftruncate, ALL},
    {"fallocate", SYS_fallocate, ALL},
    {"fsetxattr", SYS_fsetxattr, ALL},
    {"fchmod", SYS_fchmod, IO | ROFS},
    {"fchmodat", SYS_fchmodat, IO | ROFS},
    {"fchown", SYS_fchown, IO | ROFS},
    {"fchownat", SYS_fchownat, IO | ROFS},
    {"utimensat", SYS_utimensat, IO | ROFS},
    {"copy_file_range", SYS_copy_file_range, ALL},
    {"read", SYS_read, IO},
    {"pread64", SYS_pread64, IO},
    {"newfstatat", SYS_newfstatat, IO},
    {"fstat", SYS_fstat, IO},
    {"statx", SYS_statx, IO},
    {"getdents64", SYS_getdents64, IO},
    {"readlinkat", SYS_readlinkat, IO},
    {"flistxattr", SYS_flistxattr, IO},
    {"fgetxattr", SYS_fgetxattr, IO},
    {"sendto", SYS_sendto, NOBUFS | PERM},
    {"sendmsg", SYS_sendmsg, NOBUFS},
};
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]) };

static const struct {
    const char *word;
    int error;
    unsigned bit;
} kinds[] = {
    {"EIO", EIO, IO},       {"ENOSPC", ENOSPC, NOSPC},
    {"EROFS", EROFS, ROFS}, {"ENOBUFS", ENOBUFS, NOBUFS},
    {"EPERM", EPERM, PERM},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct injector_child child;
static const char *only; /* the harm's, for the tracer, which is forked from us */

static bool counts(const struct injector_plan *plan, long number)
{
    unsigned bit = 0;
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].error == plan->error)
            bit = kinds[i].bit;
    for (size_t i = 0; i < N_CALLS; i++)
        if (calls[i].number == number)
            return (calls[i].errors & bit) != 0 &&
                   (only == NULL || strcmp(only, calls[i].name) == 0);
    return false;
}

bool calls_begin(const struct errors_harm *harm, pid_t victim, unsigned k)
{
    const struct injector_plan plan = {.error = harm->error,
                                       .lasts = harm->lasts,
                                       .k = k,
                                       .by_site = harm->by_site,
                                       .counts = counts};
    only = harm->only;
    return injector_plan_start(&child, victim, &plan);
}

bool calls_end(const struct errors_harm *harm, char what[ERRORS_WHAT_MAX])
{
    unsigned ignored;
    (void)harm;
    what[0] = '\0';
    for (size_t i = 0; i < N_CALLS; i++)
        if (calls[i].number == child.tally->number)
            (void)snprintf(what, ERRORS_WHAT_MAX, "%s", calls[i].name);
    return injector_finish(&child, &ignored);
}

_Static_assert(4 * N_KINDS <= CALLS_HARMS_MAX, "twice and each process");

void calls_add_harms(struct errors_harm *harms, size_t *n, enum sweep_victim victim)
{
    for (size_t i = 0; i < N_KINDS; i++)
        for (int lasts = 0; lasts < 2; lasts++)
            harms[(*n)++] = (struct errors_harm){.word = kinds[i].word,
                                                 .error = kinds[i].error,
                                                 .lasts = lasts,
                                                 .by_site = errors_is_full(),
                                                 .victim = victim,
                                                 .begin = calls_begin,
                                                 .end = calls_end};
}
