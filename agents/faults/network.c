/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"

#include "agents/netlink/link.h"
#include "agents/netlink/nft.h"
#include "agents/netlink/sockdiag.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    UNDO_VERSION = 2,
    /* A process that is being killed closes its sockets, and thereby drops its table, within
     * milliseconds. */
    OWNER_GONE_TRIES = 100,
    OWNER_GONE_PAUSE_NS = 5 * 1000 * 1000
};

struct network_undo {
    uint32_t version;
    uint32_t in, out;
    uint32_t peers; /* addresses, 0: everyone */
    uint32_t sink_index;
    char sink[IFNAMSIZ]; /* empty: none is needed */
    struct nft_devices devices;
    uint32_t destroyed; /* connections; noted by apply */
};

_Static_assert(sizeof(struct network_undo) <= UNDO_DATA_MAX, "fits into an undo record");

static struct network_undo *undo_data(struct undo *undo)
{
    return (struct network_undo *)undo->data;
}

uint32_t *network_destroyed(struct undo *undo)
{
    return &undo_data(undo)->destroyed;
}

static const struct network_undo *undo_read(const struct undo *undo, struct err *err)
{
    return undo_record(undo, UNDO_VERSION, sizeof(struct network_undo), err);
}

int network_need_session(const struct fault_host *host, struct err *err)
{
    if (host->nft != NULL)
        return 0;
    return make_error(err, ERR_UNSUPPORTED, 0, "no netfilter socket: the agent could not open one");
}

/* As the kernel's rules name it; 0: both. */
static uint8_t family_number(int family)
{
    static const uint8_t numbers[] = {[NETWORK_ANY] = 0, [NETWORK_IPV4] = 4, [NETWORK_IPV6] = 6};
    return numbers[family];
}

int network_destroy(const struct network_traffic *args, uint32_t *ret_n, struct err *err)
{
    const struct sockdiag_choice choice = {
        .peers = &args->peers, .ports = &args->ports, .family = family_number(args->family)};
    uint32_t n = 0;
    int rc = sockdiag_destroy(&choice, &n, err);
    *ret_n += n;
    return rc;
}

int network_supported(struct fault_host *host, bool draw, struct err *err)
{
    return network_need_session(host, err) < 0 ? -1 : nft_supported(host->nft, draw, NFT_DROP, err);
}

int network_prepare(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct network_traffic *args = data;
    struct network_undo *u = undo_data(undo);
    if (network_need_session(host, err) < 0 || network_check(args, err) < 0)
        return -1;
    memset(u, 0, sizeof(*u));
    u->version = UNDO_VERSION;
    u->in = args->direction != NETWORK_OUT;
    u->out = args->direction != NETWORK_IN;
    u->peers = args->peers.n;
    if (u->out)
        fault_mark(u->sink, undo->run, undo->injection);
    undo->size = sizeof(*u);
    return network_devices(&u->devices, err);
}

int network_devices(struct nft_devices *ret, struct err *err)
{
    if (link_carriers(ret, err) < 0)
        return -1;
    if (ret->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "this host has no network interface that is up");
    return 0;
}

/* Rounded up: the kernel must not end before the deadline that the agent keeps as well. */
static int lease_left(const struct fault_host *host, int64_t lease_ns, int64_t *ret_ms,
                      struct err *err)
{
    int64_t left = lease_ns - host->now();
    if (left <= 0)
        return make_error(err, ERR_LAPSED, 0, "the lease has run out");
    *ret_ms = (left + NS_PER_MS - 1) / NS_PER_MS;
    return 0;
}

int network_injection(struct fault_host *host, const struct network_traffic *args,
                      const struct undo *undo, const struct nft_devices *devices,
                      struct nft_injection *ret, struct err *err)
{
    int64_t lease_ms = 0;
    if (lease_left(host, undo->lease_ns, &lease_ms, err) < 0)
        return -1;
    *ret = (struct nft_injection){.id = undo->injection,
                                  .devices = devices,
                                  .peers = &args->peers,
                                  .ports = &args->ports,
                                  .protocol = (enum nft_protocol)args->protocol,
                                  .family = family_number(args->family),
                                  .lease_ms = lease_ms};
    return 0;
}

int network_apply(struct fault_host *host, const struct network_traffic *args, uint32_t share_ppm,
                  struct undo *undo, struct err *err)
{
    return network_apply_action(host, args, share_ppm, (struct nft_action){.verdict = NFT_DROP},
                                undo, err);
}

int network_apply_action(struct fault_host *host, const struct network_traffic *args,
                         uint32_t share_ppm, struct nft_action on_in, struct undo *undo,
                         struct err *err)
{
    struct network_undo *u = undo_data(undo);
    struct nft_injection in;
    if (network_need_session(host, err) < 0 ||
        network_injection(host, args, undo, &u->devices, &in, err) < 0)
        return -1;
    if (u->out && link_sink_add(u->sink, undo->run, &u->sink_index, err) < 0)
        return -1;
    in.in = u->in;
    in.out = u->out;
    in.share = share_ppm;
    in.on_in = on_in;
    in.on_out = (struct nft_action){.verdict = NFT_FORWARD, .link = u->sink_index};
    return nft_inject(host->nft, &in, err);
}

int network_rules_active(struct fault_host *host, const struct undo *undo, uint32_t peers,
                         bool *ret, struct err *err)
{
    struct nft_reading r;
    struct err why;
    *ret = false;
    if (network_need_session(host, err) < 0)
        return -1;
    if (nft_read(host->nft, undo->injection, true, &r, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return 0;
        *err = why;
        return -1;
    }
    *ret = r.rules != 0 && r.lease_left_ms > 0 && (peers == 0 || r.peers != 0);
    return 0;
}

int network_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                   struct err *err)
{
    const struct network_undo *u = undo_read(undo, err);
    bool rules, sink = true;
    *ret_active = false;
    if (u == NULL || network_rules_active(host, undo, u->peers, &rules, err) < 0)
        return -1;
    if (rules && u->out && link_sink_ready(u->sink, u->sink_index, &sink, err) < 0)
        return -1;
    *ret_active = rules && sink;
    return 0;
}

static void put_destroyed(const struct network_undo *u, struct evidence *e)
{
    size_t len = strlen(e->what);
    e->items[e->n++] = (struct evidence_item){"destroyed", u->destroyed};
    (void)snprintf(e->what + len, sizeof(e->what) - len, ", %u connections destroyed",
                   u->destroyed);
}

int network_count(struct fault_host *host, const struct undo *undo, const char *done,
                  struct evidence *ret, struct err *err)
{
    const struct network_undo *u = undo_read(undo, err);
    struct nft_reading r;
    if (u == NULL || network_need_session(host, err) < 0 ||
        nft_read(host->nft, undo->injection, false, &r, err) < 0)
        return -1;
    *ret = (struct evidence){.n = 2, .proven = r.packets != 0};
    ret->items[0].value = r.packets;
    ret->items[1].value = r.bytes;
    (void)snprintf(ret->items[0].name, sizeof(ret->items[0].name), "%s", done);
    (void)snprintf(ret->items[1].name, sizeof(ret->items[1].name), "%s_bytes", done);
    char whom[48] = "everyone";
    if (u->peers != 0)
        (void)snprintf(whom, sizeof(whom), "%u address%s", u->peers, u->peers == 1 ? "" : "es");
    (void)snprintf(ret->what, sizeof(ret->what), "%llu packets (%llu bytes) %s %s %s",
                   (unsigned long long)r.packets, (unsigned long long)r.bytes,
                   u->in ? (u->out ? "from and to" : "from") : "to", whom, done);
    if (u->destroyed != 0)
        put_destroyed(u, ret);
    return 0;
}

int network_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                     struct err *err)
{
    return network_count(host, undo, "dropped", ret, err);
}

int network_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                  struct err *err)
{
    int64_t lease_ms = 0;
    if (network_need_session(host, err) < 0 || lease_left(host, lease_ns, &lease_ms, err) < 0)
        return -1;
    return nft_renew(host->nft, undo->injection, lease_ms, err);
}

/* The table lives exactly as long as its owner's socket: without a session of ours that made it,
 * all there is to do is to see that it has gone. */
static int wait_owner_gone(const struct undo *undo, struct revert_report *ret, struct err *err)
{
    static const struct timespec pause = {.tv_nsec = OWNER_GONE_PAUSE_NS};
    uint32_t owner = 0;
    for (int i = 0; i < OWNER_GONE_TRIES; i++) {
        bool there;
        if (nft_find(undo->run, undo->injection, &there, &owner, err) < 0)
            return -1;
        if (!there)
            return 0;
        (void)nanosleep(&pause, NULL);
    }
    (void)snprintf(ret->manual, sizeof(ret->manual),
                   "end the process that holds the socket with port %u (its pid, most often): "
                   "kill %u; tables blackstart-%s go with it: nft list tables",
                   owner, owner, undo->run);
    return make_error(err, ERR_DIRTY, 0, "table blackstart-%s is held by another process",
                      undo->run);
}

int network_disarm(struct fault_host *host, const struct undo *undo, struct err *err)
{
    if (host->nft == NULL || !nft_holds(host->nft, undo->run))
        return 0;
    return nft_disarm(host->nft, undo->injection, err);
}

int network_remove_rules(struct fault_host *host, const struct undo *undo,
                         struct revert_report *ret, struct err *err)
{
    if (host->nft == NULL || !nft_holds(host->nft, undo->run))
        return wait_owner_gone(undo, ret, err);
    if (nft_withdraw(host->nft, undo->injection, err) == 0)
        return 0;
    (void)snprintf(ret->manual, sizeof(ret->manual),
                   "stop the agent: its tables blackstart-%s go with it (nft list tables)",
                   undo->run);
    return -1;
}

/* The rules first: a rule that forwards to a link which has gone would go on dropping. */
int network_remove_link(const struct undo *undo, const char *link, struct revert_report *ret,
                        struct err *err)
{
    if (link[0] != '\0' && link_sink_delete(link, undo->run, &ret->foreign, err) < 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "ip link delete %s", link);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "rules of %s removed%s%s", undo->injection,
                   link[0] != '\0' ? ", link removed: " : "", link);
    if (ret->foreign)
        (void)snprintf(ret->what, sizeof(ret->what), "link %s is not ours any more: left alone",
                       link);
    return 0;
}

int network_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                   struct err *err)
{
    const struct network_undo *u = undo_read(undo, err);
    *ret = (struct revert_report){0};
    if (u == NULL || network_remove_rules(host, undo, ret, err) < 0)
        return -1;
    return network_remove_link(undo, u->sink, ret, err);
}
