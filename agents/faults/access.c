/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/access.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char acl_name[] = "system.posix_acl_access";

/* The attribute: a version, then entries sorted by tag and id, little endian. */
enum { ACL_VERSION = 2, ACL_HEAD = 4, ACL_ENTRY = 8, ACL_NO_ID = -1 };
enum {
    TAG_USER_OBJ = 0x01,
    TAG_USER = 0x02,
    TAG_GROUP_OBJ = 0x04,
    TAG_MASK = 0x10,
    TAG_OTHER = 0x20
};

struct acl_entry {
    uint16_t tag, perm;
    uint32_t id;
};
_Static_assert(sizeof(struct acl_entry) == ACL_ENTRY, "as the kernel lays it out");

int access_read(int fd, struct access_state *ret, struct err *err)
{
    struct stat st;
    memset(ret, 0, sizeof(*ret));
    if (fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat");
    *ret = (struct access_state){
        .dev = st.st_dev, .ino = st.st_ino, .mode = st.st_mode, .uid = st.st_uid, .gid = st.st_gid};
    if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
        return make_error(err, ERR_REFUSED, 0, "it has file capabilities");
    ssize_t n = fgetxattr(fd, acl_name, ret->acl, sizeof(ret->acl));
    if (n < 0 && errno == ERANGE)
        return make_error(err, ERR_REFUSED, 0, "its access control list is too long");
    if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
        return make_error(err, ERR_SYSTEM, errno, "read its access control list");
    ret->acl_len = n > 0 ? (uint32_t)n : 0;
    return 0;
}

static void add_entry(struct access_state *s, uint16_t tag, uint32_t perm, uint32_t id)
{
    const struct acl_entry e = {.tag = tag, .perm = (uint16_t)(perm & 7), .id = id};
    memcpy(s->acl + s->acl_len, &e, sizeof(e));
    s->acl_len += (uint32_t)sizeof(e);
}

/* The list that says what the mode says. */
static void start_list(struct access_state *s)
{
    const uint32_t version = ACL_VERSION;
    memcpy(s->acl, &version, sizeof(version));
    s->acl_len = ACL_HEAD;
}

static struct acl_entry entry_at(const struct access_state *s, size_t at)
{
    struct acl_entry e;
    memcpy(&e, s->acl + at, sizeof(e));
    return e;
}

/* chmod changes the entries that the mode's bits stand for; the group's bits are the mask's when
 * there is one. */
static void follow_mode(struct access_state *s)
{
    bool has_mask = false;
    for (size_t at = ACL_HEAD; at + ACL_ENTRY <= s->acl_len; at += ACL_ENTRY)
        has_mask |= entry_at(s, at).tag == TAG_MASK;
    for (size_t at = ACL_HEAD; at + ACL_ENTRY <= s->acl_len; at += ACL_ENTRY) {
        struct acl_entry e = entry_at(s, at);
        if (e.tag == TAG_USER_OBJ)
            e.perm = s->mode >> 6 & 7;
        if (e.tag == (has_mask ? TAG_MASK : TAG_GROUP_OBJ))
            e.perm = s->mode >> 3 & 7;
        if (e.tag == TAG_OTHER)
            e.perm = s->mode & 7;
        memcpy(s->acl + at, &e, sizeof(e));
    }
}

static int deny_user(struct access_state *s, uint32_t user, struct err *err)
{
    struct access_state old = *s;
    bool has_mask = false, is_in = false;
    if (old.acl_len == 0) {
        start_list(&old);
        add_entry(&old, TAG_USER_OBJ, s->mode >> 6, (uint32_t)ACL_NO_ID);
        add_entry(&old, TAG_GROUP_OBJ, s->mode >> 3, (uint32_t)ACL_NO_ID);
        add_entry(&old, TAG_OTHER, s->mode, (uint32_t)ACL_NO_ID);
    }
    if (old.acl_len + 2 * ACL_ENTRY > sizeof(s->acl))
        return make_error(err, ERR_REFUSED, 0, "its access control list is too long");
    start_list(s);
    for (size_t at = ACL_HEAD; at + ACL_ENTRY <= old.acl_len; at += ACL_ENTRY) {
        const struct acl_entry e = entry_at(&old, at);
        bool behind = e.tag > TAG_USER || (e.tag == TAG_USER && e.id >= user);
        if (behind && !is_in)
            add_entry(s, TAG_USER, 0, user);
        is_in |= behind;
        has_mask |= e.tag == TAG_MASK;
        if (e.tag == TAG_OTHER && !has_mask)
            add_entry(s, TAG_MASK, s->mode >> 3, (uint32_t)ACL_NO_ID);
        if (e.tag != TAG_USER || e.id != user)
            add_entry(s, e.tag, e.perm, e.id);
    }
    return 0;
}

int access_make(const struct access_state *was, const struct access_want *want,
                struct access_state *ret, struct err *err)
{
    *ret = *was;
    if ((want->what & ACCESS_OWNER) != 0)
        ret->uid = want->uid;
    if ((want->what & ACCESS_GROUP) != 0)
        ret->gid = want->gid;
    if ((want->what & ACCESS_MODE) != 0) {
        ret->mode = (was->mode & (uint32_t)S_IFMT) | want->mode;
        follow_mode(ret);
    }
    return (want->what & ACCESS_USER) != 0 ? deny_user(ret, want->user, err) : 0;
}

static bool same_list(const struct access_state *a, const struct access_state *b)
{
    return a->acl_len == b->acl_len && memcmp(a->acl, b->acl, a->acl_len) == 0;
}

bool access_is(const struct access_state *a, const struct access_state *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && same_list(a, b);
}

bool access_is_between(const struct access_state *now, const struct access_state *was,
                       const struct access_state *ours)
{
    const uint32_t rights = S_IFMT | 01777; /* chown has cleared the set-id bits */
    uint32_t mode = now->mode & rights;
    return (now->uid == was->uid || now->uid == ours->uid) &&
           (now->gid == was->gid || now->gid == ours->gid) &&
           (mode == (was->mode & rights) || mode == (ours->mode & rights)) &&
           (now->acl_len == 0 || same_list(now, was) || same_list(now, ours));
}

/* Owner first: chown clears set-id bits, which the mode puts back. The list before the mode, which
 * it would change otherwise. */
int access_put(int fd, const struct access_state *state, struct err *err)
{
    struct access_state now;
    if (access_read(fd, &now, err) != 0)
        return -1;
    if ((now.uid != state->uid || now.gid != state->gid) && fchown(fd, state->uid, state->gid) != 0)
        return make_error(err, ERR_SYSTEM, errno, "change its owner");
    if (state->acl_len == 0 && now.acl_len != 0 && fremovexattr(fd, acl_name) != 0 &&
        errno != ENODATA)
        return make_error(err, ERR_SYSTEM, errno, "remove its access control list");
    if (state->acl_len != 0 && fsetxattr(fd, acl_name, state->acl, state->acl_len, 0) != 0)
        return make_error(err, errno == EOPNOTSUPP ? ERR_UNSUPPORTED : ERR_SYSTEM, errno,
                          "set its access control list");
    if (fchmod(fd, state->mode & 07777) != 0)
        return make_error(err, ERR_SYSTEM, errno, "change its mode");
    return 0;
}
