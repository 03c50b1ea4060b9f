/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/service.h"
#include "base/clock.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

static const int64_t MASK_WAIT_NS = 1 * NS_PER_SEC;
static const int64_t STOP_WAIT_NS = 4 * NS_PER_SEC;

struct args {
    struct service_args which;
    bool stop;
};

static const struct param params[] = {
    SERVICE_CHOICE,
    P(struct args, PARAM_BOOL, stop, .def = "false",
      .doc = "Also stop it. Without, one that runs goes on until something else ends it."),
};

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    if (service_prepare(host, &a->which, a->stop, undo, err) != 0)
        return -1;
    ((struct service_undo *)(void *)undo->data)->stop = a->stop;
    return 0;
}

/* Masked first: what is stopped after that stays down. */
static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct service_undo *u = (void *)undo->data;
    u->told = 1;
    if (service_order(host, HOSTCTL_MASK, u->service.s, MASK_WAIT_NS, err) != 0)
        return -1;
    return a->stop ? service_order(host, HOSTCTL_STOP, u->service.s, STOP_WAIT_NS, err) : 0;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    struct hostctl_look look;
    if (u == NULL || service_look(host, u->service.s, &look, err) != 0)
        return -1;
    *ret_active = look.masked != 0;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    struct hostctl_look look;
    if (u == NULL || service_look(host, u->service.s, &look, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"masked", look.masked != 0};
    ret->items[1] = (struct evidence_item){"running", look.pid > 0};
    ret->proven = look.masked != 0;
    (void)snprintf(ret->what, sizeof(ret->what), "%s %s be started, and %s", u->service.s,
                   look.masked != 0 ? "cannot" : "can", look.pid > 0 ? "runs" : "does not run");
    return 0;
}

/* Only a mask that is there is taken away, and only a service that ran before is started: by us
 * when it ended under the mask. */
static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    struct hostctl_look look;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL || service_look(host, u->service.s, &look, err) != 0)
        return -1;
    bool was_masked = look.masked != 0;
    if (was_masked && (service_order(host, HOSTCTL_UNMASK, u->service.s, MASK_WAIT_NS, err) != 0 ||
                       service_look(host, u->service.s, &look, err) != 0))
        return -1;
    if (look.masked != 0)
        return make_error(err, ERR_DIRTY, 0, "service %s is still masked", u->service.s);
    if (u->was_up != 0 && (was_masked || u->told != 0) &&
        service_bring_back(host, u->service.s, u->stop != 0, ret, err) != 0)
        return -1;
    if (ret->what[0] == '\0')
        (void)snprintf(ret->what, sizeof(ret->what), "%s can be started again", u->service.s);
    return 0;
}

const struct fault fault_service_mask = {
    .name = "service.mask",
    .summary = "Keeps a service from being started.",
    .doc = "While the fault is on, nobody can start the service: not an operator, not its restart "
           "policy, not a dependency. One that runs goes on; once it ends, it stays down. In a lab "
           "the host's init refuses; on a real host systemd gets a runtime mask, which a reboot "
           "ends too (a unit file in /etc/systemd/system, which such a mask does not reach, is "
           "refused). At the end of the fault a service that ran before and does no longer is "
           "started.",
    .example = "- fault: service.mask\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the service and its processes; on a real host a link in /run/systemd/system",
    .touches = TOUCHES_PROCESSES,
    .caps = UINT64_C(1) << CAP_SYS_PTRACE,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = SERVICE_BOUND_MS(3) + 25000, /* systemd reads all its unit files again */
    FAULT_PARAMS(struct args, params),
    .supported = service_supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
