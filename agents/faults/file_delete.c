/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/removal.h"

#include <linux/capability.h>
#include <string.h>

enum { FORMAT = 1 };

struct args {
    struct paths paths;
};

static const struct param params[] = {
    P(struct args, PARAM_PATHS, paths, .required = true,
      .doc = "Files (or directories) of the host to delete."),
};

struct delete_undo {
    uint32_t version;
    uint32_t reserved;
    struct removal removal;
};
_Static_assert(sizeof(struct delete_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    return removal_check(&a->paths, err);
}

static const struct delete_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct delete_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL || u->removal.n <= LIST_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct delete_undo *u = (void *)undo->data;
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    return removal_prepare(host, &a->paths, false, &u->removal, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct delete_undo *u = (void *)undo->data;
    (void)args;
    return removal_take(host, undo, &u->removal, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    *ret_active = removal_holds(host, undo, &u->removal);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    removal_evidence(host, undo, &u->removal, ret);
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    return u == NULL ? -1 : removal_restore(host, undo, &u->removal, ret, err);
}

const struct fault fault_file_delete = {
    .name = "file.delete",
    .summary = "Deletes files, as a wrong rm would, and puts them back.",
    .doc =
        "Each file is moved into a hidden quarantine beside it, a directory with all that lies in "
        "it. Who has it open goes on with it, as after rm. The restore moves the same inode back, "
        "with owner, mode, times and attributes. A file that others made in its place meanwhile "
        "stays, and the report says where the deleted one lies. Services are not touched: "
        "environment.delete also stops and starts them.",
    .example = "- fault: file.delete\n"
               "  hosts: n1\n"
               "  paths: [/etc/nginx/nginx.conf]\n"
               "  for: 5s\n",
    .footprint = "what `paths` names, a hidden directory beside each, their directories' mtime",
    .touches = TOUCHES_FILES | TOUCHES_TREES,
    .act = ACT_REMOVE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_FOWNER),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    FAULT_PARAMS(struct args, params),
    .supported = hostfs_supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
