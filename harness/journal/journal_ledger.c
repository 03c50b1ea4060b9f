/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ledgers' files: made here, written by the ledgers themselves, named here as they are. */
#include "base/cleanup.h"
#include "base/ledgerlog.h"
#include "journal/journal_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int journal_ledger_open(struct journal *j, unsigned ledger, int *ret_fd, struct err *err)
{
    char name[32];
    (void)snprintf(name, sizeof(name), LEDGERLOG_NAME, ledger);
    *ret_fd = openat(j->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    return *ret_fd >= 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "create %s", name);
}

static int file_sum(int fd, char ret[SHA256_TEXT], size_t *ret_bytes, struct err *err)
{
    char chunk[65536];
    CLEANUP_SHA256 struct sha256 *sum = NULL;
    *ret_bytes = 0;
    if (sha256_begin(&sum, err) != 0)
        return -1;
    for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read");
        if (sha256_add(sum, chunk, (size_t)n, err) != 0)
            return -1;
        *ret_bytes += (size_t)n;
    }
    return sha256_end(sum, ret, err);
}

int journal_ledger_end(struct journal *j, unsigned ledger, const char *name, uint32_t trial,
                       struct err *err)
{
    char file[32], sum[SHA256_TEXT];
    size_t bytes = 0;
    (void)snprintf(file, sizeof(file), LEDGERLOG_NAME, ledger);
    CLEANUP_FD int fd = openat(j->dir, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", file);
    if (file_sum(fd, sum, &bytes, err) != 0)
        return wrap_error(err, "%s", file);
    return journal_append(j, "ledger",
                          json_pack("{s:s, s:I, s:s, s:I, s:s}", "ledger", name, "trial",
                                    (json_int_t)trial, "file", file, "bytes", (json_int_t)bytes,
                                    "sha256", sum),
                          err);
}
