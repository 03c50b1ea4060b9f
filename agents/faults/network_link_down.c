/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"
#include "agents/netlink/link.h"
#include "agents/netlink/linkstate.h"
#include "agents/netlink/sockdiag.h"

#include <stdio.h>
#include <string.h>

enum { UNDO_VERSION = 1, BOUND_MS = 3000, SSH_PORT = 22, CLIENTS_MAX = 64 };

struct args {
    struct name interface;
};

struct link_undo {
    uint32_t version;
    uint32_t index;
    char name[IFNAMSIZ];
    struct linkstate state;
};

_Static_assert(sizeof(struct link_undo) <= UNDO_DATA_MAX, "fits into an undo record");

static const struct param params[] = {
    P(struct args, PARAM_NAME, interface, .required = true,
      .doc = "The network interface, as ip link names it: eth0 in a lab."),
};

static int supported(struct fault_host *host, struct err *err)
{
    struct link_look look;
    (void)host;
    return link_look("lo", &look, err);
}

/* On a real host somebody has to go on speaking with the agent, most often by ssh. */
static int check_control(const struct fault_host *host, const struct link_undo *u, struct err *err)
{
    struct addr clients[CLIENTS_MAX];
    uint32_t n;
    if (host->lab)
        return 0;
    if (u->state.gateways != 0)
        return make_error(err, ERR_REFUSED, 0,
                          "%s has this host's default route: what controls the agent may come "
                          "through it",
                          u->name);
    if (sockdiag_clients(SSH_PORT, clients, CLIENTS_MAX, &n, err) < 0)
        return -1;
    for (uint32_t i = 0; i < n && i < CLIENTS_MAX; i++) {
        uint32_t index;
        char text[64];
        if (link_towards(&clients[i], &index, err) < 0)
            return -1;
        if (index == u->index)
            return make_error(err, ERR_REFUSED, 0,
                              "an ssh connection with %s goes through %s, perhaps the one that "
                              "controls the agent",
                              addr_print(&clients[i], text, sizeof(text)), u->name);
    }
    return 0;
}

static int find_link(const char *name, struct link_look *ret, struct err *err)
{
    if (strlen(name) >= IFNAMSIZ)
        return make_error(err, ERR_INPUT, 0, "interface: %s is no interface's name", name);
    if (link_look(name, ret, err) < 0)
        return -1;
    if (ret->index == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "this host has no interface %s: see ip link",
                          name);
    if (ret->loopback || ret->ours)
        return make_error(err, ERR_REFUSED, 0, "%s is %s", name,
                          ret->ours ? "an interface of ours" : "the loopback interface");
    if (!ret->up)
        return make_error(err, ERR_REFUSED, 0, "%s is down already", name);
    return 0;
}

static int prepare(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct args *args = data;
    struct link_undo *u = (struct link_undo *)undo->data;
    struct link_look look = {0};
    if (find_link(args->interface.s, &look, err) < 0)
        return -1;
    memset(u, 0, sizeof(*u));
    u->version = UNDO_VERSION;
    u->index = look.index;
    memcpy(u->name, args->interface.s, strlen(args->interface.s)); /* it fits: find_link() */
    undo->size = sizeof(*u);
    if (linkstate_save(look.index, &u->state, err) < 0)
        return wrap_error(err, "%s", u->name);
    return check_control(host, u, err);
}

static int apply(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct link_undo *u = (const struct link_undo *)undo->data;
    (void)host, (void)data;
    return link_set(u->index, false, err);
}

static const struct link_undo *undo_read(const struct undo *undo, struct err *err)
{
    return undo_record(undo, UNDO_VERSION, sizeof(struct link_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct link_undo *u = undo_read(undo, err);
    struct link_look look;
    (void)host;
    if (u == NULL || link_look(u->name, &look, err) < 0)
        return -1;
    *ret_active = look.index == u->index && !look.up;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct link_undo *u = undo_read(undo, err);
    bool down;
    if (u == NULL || verify(host, undo, &down, err) < 0)
        return -1;
    *ret = (struct evidence){.n = 1, .proven = down};
    ret->items[0] = (struct evidence_item){"down", down};
    (void)snprintf(ret->what, sizeof(ret->what),
                   "%s is %s; to come back with it: %u IPv6 addresses and %u routes", u->name,
                   down ? "down" : "up", u->state.addrs, u->state.routes);
    return 0;
}

static int put_back(const struct link_undo *u, bool is_up, uint32_t *ret_n, struct err *err)
{
    if (!is_up && link_set(u->index, true, err) < 0)
        return -1;
    return linkstate_restore(&u->state, ret_n, err);
}

/* Another link under that name, or none, is not ours to change. */
static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct link_undo *u = undo_read(undo, err);
    struct link_look look;
    uint32_t n = 0;
    (void)host;
    *ret = (struct revert_report){0};
    if (u == NULL || link_look(u->name, &look, err) < 0)
        return -1;
    if (look.index != u->index) {
        ret->foreign = true;
        (void)snprintf(ret->what, sizeof(ret->what), "interface %s is not the one it was", u->name);
        return 0;
    }
    if (put_back(u, look.up, &n, err) < 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual),
                       "ip link set %s up, then its %u IPv6 addresses and %u routes", u->name,
                       u->state.addrs, u->state.routes);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "%s is up, %u addresses and routes put back",
                   u->name, n);
    return 0;
}

const struct fault fault_network_link_down = {
    .name = "network.link_down",
    .summary = "Take a network interface down.",
    .doc = "Sets one interface of the host down, as `ip link set down` does: no packet comes in or "
           "goes out, and programs see that its routes are gone. What the kernel forgets with it, "
           "IPv6 addresses and routes of either family that somebody has set, is remembered and "
           "put back; addresses and routes that come from router advertisements come again by "
           "themselves. Refused are the loopback interface, one with routes through nexthop "
           "objects, and, but in a lab, the one that has the default route or an ssh connection, "
           "since what controls the agent may come through it. A link knows no peers, ports, "
           "protocols or directions: all that would pass is lost; for a part of it there is "
           "network.partition.",
    .example = "- fault: network.link_down\n"
               "  hosts: n1\n"
               "  interface: eth0\n"
               "  for: 5s\n",
    .footprint = "the interface, its addresses and routes",
    .touches = TOUCHES_KERNEL,
    .caps = UINT64_C(1) << CAP_NET_ADMIN,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = BOUND_MS,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
