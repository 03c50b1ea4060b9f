/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/certificate.h"
#include "agents/faults/exchange.h"
#include "agents/host/service.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1, LEAF_MAX = 8192, KEY_MAX = 65536 };

struct args {
    struct path path;
    int how;
    struct duration by;
    struct name subject;
    struct path key;
    int apply;
    struct name service;
};

static const char *const hows[] = {"expired", "not_yet_valid", "wrong_name", NULL};

static const struct param params[] = {
    P(struct args, PARAM_PATH, path, .required = true,
      .doc = "The certificate's file in the host, in PEM; of a chain, its first one is meant."),
    P(struct args, PARAM_ENUM, how, .choices = hows, .def = "expired",
      .doc = "What is wrong with the certificate that takes its place."),
    P(struct args, PARAM_DURATION, by, .def = "24h", .min = NS_PER_SEC,
      .max = INT64_C(8760) * 3600 * NS_PER_SEC,
      .doc = "expired, not_yet_valid: how long ago it ended, or how far off it begins."),
    P(struct args, PARAM_NAME, subject, .def = "wrong.invalid",
      .doc = "wrong_name: the name that it is made out to."),
    P(struct args, PARAM_PATH, key,
      .doc = "The private key in the host that signed it: its issuer's, or its own if it signed "
             "itself; then the new one is trusted but for what is wrong with it. Not given: a key "
             "made for this and then forgotten, whose signature nobody trusts either."),
    P(struct args, PARAM_ENUM, apply, .def = "none", .choices = exchange_applies,
      .doc = "What the service is told to do, now and again when the file is restored."),
    P(struct args, PARAM_NAME, service, .doc = "The lab's service that apply means."),
};

/* The new certificate is kept in the record: it is made once, because a key that is thrown away, a
 * serial number and most signatures are never made twice alike. */
struct expire_undo {
    uint32_t version;
    uint32_t leaf_len;
    struct exchange file;
    char leaf[LEAF_MAX];
};
_Static_assert(sizeof(struct expire_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    return exchange_check(a->apply, &a->service, err);
}

static const struct expire_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct expire_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL || u->leaf_len <= LEAF_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int read_key(const struct fault_host *host, const char *path, struct buf *out,
                    struct err *err)
{
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, path, O_RDONLY, &fd, err) != 0)
        return -1;
    return buf_read_fd(out, fd, err) != 0 ? wrap_error(err, "%s", path) : 0;
}

static int make_leaf(const struct fault_host *host, const struct args *a, const struct buf *now,
                     struct expire_undo *u, struct err *err)
{
    size_t at, len;
    CLEANUP_BUF struct buf key = BUF_INIT(KEY_MAX);
    CLEANUP_BUF struct buf leaf = BUF_INIT(LEAF_MAX);
    struct certificate_order order = {
        .how = (enum certificate_how)a->how,
        .now = clock_system(CLOCK_REALTIME) / NS_PER_SEC,
        .by = a->by.ns / NS_PER_SEC,
        .name = a->subject.s,
    };
    if (a->key.s[0] != '\0') {
        if (read_key(host, a->key.s, &key, err) != 0)
            return -1;
        order.key = buf_text(&key);
        order.key_len = key.len;
    }
    int rc = certificate_find(buf_text(now), now->len, &at, &len, err) != 0 ||
                     certificate_spoil(buf_text(now) + at, len, &order, &leaf, err) != 0
                 ? -1
                 : 0;
    explicit_bzero(key.data, key.len);
    if (rc != 0)
        return wrap_error(err, "%s", a->path.s);
    u->leaf_len = (uint32_t)leaf.len;
    memcpy(u->leaf, leaf.data, leaf.len);
    return 0;
}

/* The file with the new certificate in the old one's place. */
static int make_version(const struct expire_undo *u, const struct buf *now, struct buf *out,
                        struct err *err)
{
    size_t at, len;
    if (certificate_find(buf_text(now), now->len, &at, &len, err) != 0)
        return wrap_error(err, "%s", u->file.path.s);
    buf_add(out, buf_text(now), at);
    buf_add(out, u->leaf, u->leaf_len);
    buf_add(out, buf_text(now) + at + len, now->len - at - len);
    return buf_ok(out) ? 0 : make_error(err, ERR_LIMIT, 0, "%s is too large", u->file.path.s);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct expire_undo *u = (void *)undo->data;
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(2 * EXCHANGE_MAX);
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->file = (struct exchange){.apply = a->apply, .path = a->path, .service = a->service};
    if (exchange_prepare(host, undo, &u->file, &now, err) != 0 ||
        make_leaf(host, a, &now, u, err) != 0 || make_version(u, &now, &version, err) != 0)
        return -1;
    return exchange_promise(host, &u->file, version.data, version.len, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct expire_undo *u = (void *)undo->data;
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(2 * EXCHANGE_MAX);
    (void)args;
    if (exchange_read(host, undo, &u->file, &now, err) != 0 ||
        make_version(u, &now, &version, err) != 0)
        return -1;
    return exchange_put(host, undo, &u->file, version.data, version.len, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct expire_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : exchange_verify(host, undo, &u->file, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct expire_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : exchange_evidence(host, undo, &u->file, ret, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct expire_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    return u == NULL ? -1 : exchange_revert(host, undo, &u->file, ret, err);
}

const struct fault fault_certificate_expire = {
    .name = "certificate.expire",
    .summary = "Replaces a service's certificate by one that is expired, not yet valid, or for "
               "another name.",
    .doc =
        "The new certificate is made from the one that is there: same subject, alternative names, "
        "extensions, issuer and public key, so that the service's private key fits it and need "
        "not be touched. It is exchanged with the original file in one step, with the same owner, "
        "mode and attributes; a chain behind it stays. The lab's init reloads or restarts the "
        "service if asked to, then and at the restore, which brings back the same inode. What "
        "others changed meanwhile is left as it is.",
    .example = "- fault: certificate.expire\n"
               "  hosts: n1\n"
               "  path: /etc/ssl/site.crt\n"
               "  apply: reload\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the file `path`, two hidden files beside it, its directory's mtime",
    .touches = TOUCHES_FILES | TOUCHES_PROCESSES,
    .act = ACT_REPLACE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_CHOWN) |
            (UINT64_C(1) << CAP_FOWNER) | (UINT64_C(1) << CAP_FSETID),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = SERVICE_BOUND_MS(1),
    FAULT_PARAMS(struct args, params),
    .supported = hostfs_supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
