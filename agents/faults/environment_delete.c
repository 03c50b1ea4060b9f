/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/exchange.h"
#include "agents/faults/hosts_entries.h"
#include "agents/faults/removal.h"
#include "agents/host/service.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1, SERVICES_MAX = 8 };
static const int64_t STOP_WAIT_NS = 4 * NS_PER_SEC;

struct args {
    struct paths paths;
    struct names services, forget;
    bool stop, if_there;
    int recreate;
    struct path template;
    int recovery;
};

#define HOSTS_FILE "/etc/hosts"
enum { RECREATE_NOTHING, RECREATE_EMPTY, RECREATE_TEMPLATE };
static const char *const recreates[] = {"nothing", "empty", "template", NULL};
enum { RECOVERY_NOBODY, RECOVERY_RUNBOOK, RECOVERY_AUTOMATION };
static const char *const recoveries[] = {"nobody", "runbook", "automation", NULL};

static const struct param params[] = {
    P(struct args, PARAM_PATHS, paths, .required = true,
      .doc = "Directories (or files) of the host to delete."),
    P(struct args, PARAM_NAMES, services,
      .doc = "The lab's services that belong to them, started again at the restore if they died; "
             "not given: all that run."),
    P(struct args, PARAM_BOOL, stop, .def = "false",
      .doc = "Stop the named services first, as a tool that removes an environment does."),
    P(struct args, PARAM_NAMES, forget, .file = HOSTS_FILE,
      .doc = "Names of hosts whose lines in /etc/hosts go too: the network's entries."),
    P(struct args, PARAM_BOOL, if_there, .def = "false",
      .doc = "Of several hosts each has its own part: a path, a service or a line of /etc/hosts "
             "that a host does not have is left out; one of the paths it must have."),
    P(struct args, PARAM_ENUM, recreate, .choices = recreates, .def = "nothing",
      .doc = "What the tool makes in each path's place: nothing, an empty one, or what a template "
             "has. At the end it is removed, and what was written into it meanwhile is told."),
    P(struct args, PARAM_PATH, template,
      .doc = "recreate: template: a directory of the host that is laid out like its root; a path "
             "that it does not have becomes empty."),
    P(struct args, PARAM_ENUM, recovery, .choices = recoveries, .def = "nobody",
      .doc = "Who makes the paths anew while it is on: a runbook (a step `run`), or automation in "
             "the system itself. In labs; what they made, and what they wrote into /etc/hosts with "
             "`forget`, is removed when the originals come back, instead of being left as others' "
             "work."),
};

struct delete_undo {
    uint32_t version;
    uint32_t n_services, stop;
    uint32_t entries; /* lines that go from the hosts file */
    struct removal removal;
    struct exchange hosts_file;
    struct name services[SERVICES_MAX];
};
_Static_assert(sizeof(struct delete_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    if (a->stop && a->services.n == 0)
        return make_error(err, ERR_INPUT, 0, "stop needs services");
    for (uint32_t i = 0; a->forget.n > 0 && i < a->paths.n; i++)
        if (strcmp(a->paths.v[i].s, "/etc") == 0 || strcmp(a->paths.v[i].s, HOSTS_FILE) == 0)
            return make_error(err, ERR_INPUT, 0, "forget: " HOSTS_FILE " lies in %s already",
                              a->paths.v[i].s);
    if ((a->recreate == RECREATE_TEMPLATE) != (a->template.s[0] != '\0'))
        return make_error(err, ERR_INPUT, 0, "recreate: template, and template, go together");
    return removal_check(&a->paths, err);
}

static const struct delete_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct delete_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL)
        return NULL;
    if (u->removal.n <= LIST_MAX && u->n_services <= SERVICES_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static bool is_wanted(const struct args *a, const struct service_info *info)
{
    for (uint32_t i = 0; i < a->services.n; i++)
        if (strcmp(a->services.v[i].s, info->name.s) == 0)
            return true;
    return a->services.n == 0 && service_is_up(info->state);
}

static int note_services(const struct args *a, struct delete_undo *u, struct err *err)
{
    struct service_info list[64];
    uint32_t n;
    if (service_list(list, 64, &n, err) != 0)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        if (is_wanted(a, &list[i])) {
            if (a->services.n > 0 && !service_is_up(list[i].state))
                return make_error(err, ERR_NOT_FOUND, 0, "service %s is not running",
                                  list[i].name.s);
            if (u->n_services >= SERVICES_MAX)
                return make_error(err, ERR_LIMIT, 0, "more than %d services", SERVICES_MAX);
            u->services[u->n_services++] = list[i].name;
        }
    if (u->n_services < a->services.n && !a->if_there)
        return make_error(err, ERR_NOT_FOUND, 0, "this host has not all of the services named");
    return 0;
}

static int make_hosts_file(const struct buf *now, const struct names *forget, struct buf *out,
                           uint32_t *ret_n, struct err *err)
{
    return hosts_entries_drop(buf_text(now), now->len, forget, out, ret_n, err);
}

static int prepare_hosts_file(const struct fault_host *host, const struct args *a,
                              const struct undo *undo, struct delete_undo *u, struct err *err)
{
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(EXCHANGE_MAX);
    if (a->forget.n == 0)
        return 0;
    u->hosts_file =
        (struct exchange){.path = {HOSTS_FILE}, .discards = a->recovery != RECOVERY_NOBODY};
    if (exchange_prepare(host, undo, &u->hosts_file, &now, err) != 0)
        return a->if_there && err->code == ERR_NOT_FOUND ? 0 : -1;
    if (make_hosts_file(&now, &a->forget, &version, &u->entries, err) != 0)
        return -1;
    if (u->entries == 0 && a->if_there)
        return 0;
    if (u->entries == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "forget: " HOSTS_FILE " has none of the names");
    return exchange_promise(host, &u->hosts_file, version.data, version.len, err);
}

/* Behind it, what the directory of the hosts file looks like is our doing once more. */
static int apply_hosts_file(const struct fault_host *host, const struct args *a,
                            const struct undo *undo, struct delete_undo *u, struct err *err)
{
    uint32_t n;
    CLEANUP_BUF struct buf now = BUF_INIT(EXCHANGE_MAX);
    CLEANUP_BUF struct buf version = BUF_INIT(EXCHANGE_MAX);
    if (u->entries == 0)
        return 0;
    if (exchange_read(host, undo, &u->hosts_file, &now, err) != 0 ||
        make_hosts_file(&now, &a->forget, &version, &n, err) != 0 ||
        exchange_put(host, undo, &u->hosts_file, version.data, version.len, err) != 0)
        return -1;
    for (uint32_t i = 0; i < u->removal.n; i++)
        if (hostfs_is_same(&u->removal.paths[i].parent, &u->hosts_file.parent))
            u->removal.paths[i].parent_after = u->hosts_file.parent_after;
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct delete_undo *u = (void *)undo->data;
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->stop = a->stop;
    if (removal_prepare(host, &a->paths, a->if_there, &u->removal, err) != 0)
        return -1;
    if (a->recovery != RECOVERY_NOBODY && !host->lab)
        return make_error(err, ERR_REFUSED, 0,
                          "recovery: what others make on this host is never removed: only in labs");
    if (prepare_hosts_file(host, a, undo, u, err) != 0)
        return -1;
    for (uint32_t i = 0; i < u->removal.n; i++)
        u->removal.paths[i].discards = a->recovery != RECOVERY_NOBODY;
    if (host->lab)
        return note_services(a, u, err);
    if (a->services.n > 0)
        return make_error(err, ERR_UNSUPPORTED, 0, "only a lab's init stops and starts services");
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct delete_undo *u = (void *)undo->data;
    for (uint32_t i = 0; u->stop && i < u->n_services; i++) {
        if (service_order(host, HOSTCTL_STOP, u->services[i].s, STOP_WAIT_NS, err) != 0)
            return -1;
    }
    if (u->stop && host->files_quiet != NULL)
        host->files_quiet(host, undo);
    if (removal_take(host, undo, &u->removal, err) != 0)
        return -1;
    if (a->recreate != RECREATE_NOTHING &&
        removal_recreate(host, undo, &u->removal,
                         a->recreate == RECREATE_TEMPLATE ? a->template.s : NULL, err) != 0)
        return -1;
    return apply_hosts_file(host, a, undo, u, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    bool entries = true;
    if (u->entries > 0 && exchange_verify(host, undo, &u->hosts_file, &entries, err) != 0)
        return -1;
    *ret_active = entries && removal_holds(host, undo, &u->removal);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    removal_evidence(host, undo, &u->removal, ret);
    bool entries = true;
    if (u->entries == 0)
        return 0;
    if (exchange_verify(host, undo, &u->hosts_file, &entries, err) != 0)
        return -1;
    ret->items[ret->n++] = (struct evidence_item){"hosts_lines_gone", entries ? u->entries : 0};
    ret->proven = ret->proven && entries;
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct delete_undo *u = read_undo(undo, err);
    struct err later;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    /* The hosts file first: what it says of its directory's time holds for the paths beside it. */
    int rc = u->entries > 0 ? exchange_revert(host, undo, &u->hosts_file, ret, err) : 0;
    if (removal_restore(host, undo, &u->removal, ret, rc == 0 ? err : &later) != 0)
        rc = -1;
    if (rc == 0 && u->n_services > 0 && host->files_quiet != NULL)
        host->files_quiet(host, undo);
    for (uint32_t i = 0; i < u->n_services; i++)
        if (service_heal(u->services[i].s, u->stop != 0, ret, rc == 0 ? err : &later) != 0)
            rc = -1;
    return rc;
}

const struct fault fault_environment_delete = {
    .name = "environment.delete",
    .summary = "Deletes directories and stops services of a host, as an over-eager tool would.",
    .doc = "The entries of each directory are moved into a hidden quarantine beside it, and the "
           "emptied directory after them, so that whoever still stands in it finds nothing there. "
           "What programs hold open stays open to them, as after rm -r. The restore moves all of "
           "it back, with the same inodes, owners, modes and times, and starts the services that "
           "died. In their place the tool can make empty ones, or others from a template. Mount "
           "points, and directories of an overlay that cannot rename them, are refused.",
    .example = "- fault: environment.delete\n"
               "  hosts: n1\n"
               "  paths: [/etc/nginx]\n"
               "  services: [web]\n"
               "  for: 5s\n",
    .footprint =
        "what `paths` names, a hidden directory beside each, their directories' mtime; with "
        "`forget` /etc/hosts and a hidden file beside it; the services",
    .touches = TOUCHES_FILES | TOUCHES_TREES | TOUCHES_PROCESSES,
    .act = ACT_REMOVE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_FOWNER) |
            (UINT64_C(1) << CAP_CHOWN) | (UINT64_C(1) << CAP_FSETID) |
            (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = SERVICE_BOUND_MS(SERVICES_MAX),
    FAULT_PARAMS(struct args, params),
    .supported = hostfs_supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
