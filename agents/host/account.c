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

static int read_file(int root, const char *path, struct buf *text, struct err *err)
{
    CLEANUP_FD int fd = -1;
    return hostfs_open(root, path, O_RDONLY, &fd, err) != 0 ? -1 : buf_read_fd(text, fd, err);
}

/* Field k of a line, from 0; it ends at ':' or the line's end. */
static const char *field(const char *line, int k, size_t *ret_len)
{
    for (; k > 0 && *line != '\0' && *line != '\n'; k--) {
        line += strcspn(line, ":\n");
        line += *line == ':';
    }
    *ret_len = strcspn(line, ":\n");
    return line;
}

static bool is_member(const char *line, const char *name)
{
    size_t len, n = strlen(name);
    const char *list = field(line, 3, &len), *end = list + len;
    while (list < end) {
        size_t one = strcspn(list, ",:\n");
        if (one == n && strncmp(list, name, n) == 0)
            return true;
        list += one + 1;
    }
    return false;
}

static bool take_number(const char *line, int k, uint32_t *ret)
{
    size_t len;
    return read_number(field(line, k, &len), ret) && len != 0;
}

int account_identity(int root, const char *name, struct identity *ret, struct err *err)
{
    CLEANUP_BUF struct buf users = BUF_INIT(FILE_MAX);
    CLEANUP_BUF struct buf groups = BUF_INIT(FILE_MAX);
    *ret = (struct identity){0};
    if (account_user(root, name, &ret->uid, err) != 0 ||
        read_file(root, "/etc/passwd", &users, err) != 0 ||
        read_file(root, "/etc/group", &groups, err) != 0)
        return -1;
    ret->gid = ret->uid;
    for (const char *line = buf_text(&users); *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len;
        const char *who = field(line, 0, &len);
        if (len == strlen(name) && strncmp(who, name, len) == 0 && !take_number(line, 3, &ret->gid))
            return make_error(err, ERR_INPUT, 0, "/etc/passwd of the host: %s has no group", name);
    }
    for (const char *line = buf_text(&groups); *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n')
        if (is_member(line, name) && ret->n_groups < ACCOUNT_GROUPS_MAX &&
            take_number(line, 2, &ret->groups[ret->n_groups]))
            ret->n_groups++;
    return 0;
}
