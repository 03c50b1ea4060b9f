/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/users.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { TEXT_MAX = 1024 * 1024, FIRST_OWN_ID = 61900, FIELDS_MAX = 7 };

/* Splits a line at its colons, in place. */
static size_t split_fields(char *line, char *fields[FIELDS_MAX])
{
    size_t n = 0;
    for (char *at = line; at != NULL && n < FIELDS_MAX; n++)
        fields[n] = strsep(&at, ":");
    return n;
}

static bool parse_id(const char *text, unsigned *ret)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > 0xfffffffeUL)
        return false;
    *ret = (unsigned)v;
    return true;
}

static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);
    memcpy(out, text, len);
    out[len] = '\0';
}

static void add_user(struct users *u, const char *name, uid_t uid, gid_t gid, const char *home)
{
    if (u->n == USERS_MAX || strlen(name) > NAME_MAX_LEN)
        return;
    struct user *user = &u->list[u->n++];
    *user = (struct user){.uid = uid, .gid = gid};
    copy_text(user->name, sizeof(user->name), name);
    copy_text(user->home, sizeof(user->home), home);
}

static void read_passwd_line(struct users *u, char *line)
{
    char *f[FIELDS_MAX];
    unsigned uid, gid;
    if (split_fields(line, f) == 7 && parse_id(f[2], &uid) && parse_id(f[3], &gid))
        add_user(u, f[0], uid, gid, f[5]);
}

static void read_group_line(struct users *u, char *line)
{
    char *f[FIELDS_MAX];
    unsigned gid;
    if (split_fields(line, f) != 4 || !parse_id(f[2], &gid))
        return;
    char *at = f[3], *member;
    while ((member = strsep(&at, ",")) != NULL)
        for (size_t i = 0; i < u->n; i++)
            if (strcmp(u->list[i].name, member) == 0 && u->list[i].n_groups < USER_GROUPS_MAX)
                u->list[i].groups[u->list[i].n_groups++] = gid;
}

static int read_lines(struct buf *text, const char *path, struct users *u,
                      void (*each)(struct users *, char *), struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    if (buf_read_fd(text, fd, err) != 0)
        return wrap_error(err, "%s", path);
    if (text->len != 0 && text->data[text->len - 1] != '\n')
        buf_puts(text, "\n");
    CLEANUP_FREE char *copy = strdup(buf_text(text));
    if (copy == NULL || !buf_ok(text))
        return make_error(err, ERR_LIMIT, 0, "no memory for %s", path);
    char *at = copy, *line;
    while ((line = strsep(&at, "\n")) != NULL)
        each(u, line);
    return 0;
}

static bool id_is_taken(const struct users *u, unsigned id)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->list[i].uid == id || u->list[i].gid == id)
            return true;
    return false;
}

/* A user that the machine does not have, with a group of the same name and number. */
static void make_user(struct users *u, const char *name)
{
    if (name == NULL || name[0] == '\0' || users_find(u, name) != NULL)
        return;
    unsigned id = FIRST_OWN_ID;
    if (!parse_id(name, &id))
        while (id_is_taken(u, id))
            id++;
    char home[PATH_MAX_LEN + 1];
    (void)snprintf(home, sizeof(home), "/var/lib/%s", name);
    add_user(u, name, id, id, home);
    buf_printf(&u->passwd, "%s:x:%u:%u::%s:/usr/sbin/nologin\n", name, id, id, home);
    buf_printf(&u->group, "%s:x:%u:\n", name, id);
}

int users_load(struct users *u, const char *passwd_path, const char *group_path,
               const struct lab_spec *spec, struct err *err)
{
    u->n = 0;
    u->passwd = BUF_INIT(TEXT_MAX);
    u->group = BUF_INIT(TEXT_MAX);
    if (read_lines(&u->passwd, passwd_path, u, read_passwd_line, err) != 0 ||
        read_lines(&u->group, group_path, u, read_group_line, err) != 0)
        return -1;
    if (users_find(u, "root") == NULL)
        add_user(u, "root", 0, 0, "/root");
    for (size_t i = 0; i < spec->n_services; i++) {
        make_user(u, spec->services[i].user);
        for (size_t k = 0; k < spec->services[i].n_files; k++)
            make_user(u, spec->services[i].files[k].owner);
    }
    for (size_t i = 0; i < spec->n_users; i++)
        make_user(u, spec->users[i]);
    if (!buf_ok(&u->passwd) || !buf_ok(&u->group) || u->n == USERS_MAX)
        return make_error(err, ERR_LIMIT, 0, "a lab knows at most %d users", USERS_MAX - 1);
    return 0;
}

void users_free(struct users *u)
{
    buf_free(&u->passwd);
    buf_free(&u->group);
}

const struct user *users_find(const struct users *u, const char *name)
{
    if (name == NULL || name[0] == '\0')
        name = "root";
    for (size_t i = 0; i < u->n; i++)
        if (strcmp(u->list[i].name, name) == 0)
            return &u->list[i];
    return NULL;
}
