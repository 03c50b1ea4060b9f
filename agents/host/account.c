/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/account.h"

#include "agents/host/hostfs.h"
#include "base/buf.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 4 * 1024 * 1024 };

static bool read_number(const char *text, uint32_t *ret)
{
    char *end = NULL;
    size_t n = strspn(text, "0123456789");
    unsigned long long value = n > 0 && n <= 10 ? strtoull(text, &end, 10) : UINT64_MAX;
    if (value >= UINT32_MAX) /* the last one means "no user" to the kernel */
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* "name:x:number:..." */
static int find(int root, const char *path, const char *name, uint32_t *ret, struct err *err)
{
    CLEANUP_FD int fd = -1;
    CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX);
    size_t n = strlen(name);
    if (name[strspn(name, "0123456789")] == '\0' && read_number(name, ret))
        return 0;
    if (hostfs_open(root, path, O_RDONLY, &fd, err) != 0 || buf_read_fd(&text, fd, err) != 0)
        return -1;
    for (const char *line = buf_text(&text); *line != '\0';) {
        const char *second = line + n + 1;
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            const char *number = second + strcspn(second, ":\n");
            if (*number == ':' && read_number(number + 1, ret))
                return 0;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return make_error(err, ERR_NOT_FOUND, 0, "%s of the host has no %s", path, name);
}

int account_user(int root, const char *name, uint32_t *ret, struct err *err)
{
    return find(root, "/etc/passwd", name, ret, err);
}

int account_group(int root, const char *name, uint32_t *ret, struct err *err)
{
    return find(root, "/etc/group", name, ret, err);
}
