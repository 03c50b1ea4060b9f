/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_version.h"
#include "agents/faults/exchange.h"
#include "agents/host/service.h"
#include "base/cleanup.h"

#include <linux/capability.h>
#include <string.h>

enum { FORMAT = 1 };

struct push_undo {
    uint32_t version;
    uint32_t reserved;
    struct exchange file;
};
_Static_assert(sizeof(struct push_undo) <= UNDO_DATA_MAX, "fits the undo record");

static const struct push_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct push_undo), err);
}

/* The bad version's bytes, made of the original's. */
static int make_version(const struct config_args *a, const struct buf *now, struct buf *out,
                        struct err *err)
{
    return config_version(a, buf_text(now), now->len, out, err) != 0
               ? wrap_error(err, "%s", a->path.s)
               : 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct config_args *a = args;
    struct push_undo *u = (void *)undo->data;
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(CONFIG_MAX);
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->file = (struct exchange){.apply = a->apply, .path = a->path, .service = a->service};
    if (exchange_prepare(host, undo, &u->file, &now, err) != 0 ||
        make_version(a, &now, &version, err) != 0)
        return -1;
    return exchange_promise(host, &u->file, version.data, version.len, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct push_undo *u = (void *)undo->data;
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(CONFIG_MAX);
    if (exchange_read(host, undo, &u->file, &now, err) != 0 ||
        make_version(args, &now, &version, err) != 0)
        return -1;
    return exchange_put(host, undo, &u->file, version.data, version.len, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct push_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : exchange_verify(host, undo, &u->file, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct push_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : exchange_evidence(host, undo, &u->file, ret, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct push_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    return u == NULL ? -1 : exchange_revert(host, undo, &u->file, ret, err);
}

const struct fault fault_config_push = {
    .name = "config.push",
    .summary = "Puts a bad version of a file in place, as a wrong deployment would.",
    .doc =
        "The new version is the whole text, or what is there with a text, a line or a value by its "
        "key "
        "changed, cut off, emptied or written in another encoding. It takes the file's owner, mode "
        "and attributes and is exchanged with the original in one step, so that the path is never "
        "absent. The original is kept beside it under a hidden name and comes back as the same "
        "inode. The lab's init reloads or restarts the service if asked to, then and at the "
        "restore. A file that others changed meanwhile is left as it is. Files of at most 1 MiB; "
        "where there is a `key` the agent itself reads the host's file, as JSON in place or as "
        "YAML through libyaml, at most 100,000 values nested 64 deep.",
    .example = "- fault: config.push\n"
               "  hosts: n1\n"
               "  path: /etc/nginx/nginx.conf\n"
               "  find: 'listen 80;'\n"
               "  replace: 'listen eighty;'\n"
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
    .args_size = sizeof(struct config_args),
    .params = config_params,
    .n_params = CONFIG_PARAMS,
    .supported = hostfs_supported,
    .check = config_check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
_Static_assert(sizeof(struct config_args) <= ARGS_MAX, "crosses the socket");
