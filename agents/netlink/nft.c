/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nft.h"

#include "agents/netlink/nftread.h"
#include "agents/netlink/nftrule.h"
#include "agents/netlink/nfttraffic.h"
#include "base/cleanup.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct held {
    char id[INJECTION_ID_MAX + 1];
    uint32_t parts;
    uint8_t table;
    bool queue;
    struct nft_traffic *line; /* what it takes; NULL: it is none */
};

/* One for each family: a table holds chains of one family, and sets are not shared by tables. */
enum { TABLES = 2, LOOPBACK_INDEX = 1 };
static const struct {
    uint8_t family;
    const char *word;
} tables[TABLES] = {{NFPROTO_NETDEV, "netdev"}, {NFPROTO_INET, "inet"}};

struct nft_session {
    struct mnl_socket *sock;
    uint32_t seq;
    char table[NFT_TABLE_LEN];
    bool there[TABLES];
    enum nft_queue_form form;
    enum nft_verdict reject; /* NFT_DROP: not looked for */
    char *data;              /* NFTBATCH_BYTES: revert needs no malloc */
    uint32_t n;
    struct held held[NFT_INJECTIONS_MAX];
};

int nft_open(const char *run, struct nft_session **ret, struct err *err)
{
    struct nft_session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "open nf_tables");
    (void)snprintf(s->table, sizeof(s->table), "blackstart-%s", run);
    s->seq = 1;
    s->data = malloc(NFTBATCH_BYTES);
    s->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (s->data == NULL || s->sock == NULL || mnl_socket_bind(s->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
        int sys = errno;
        nft_close(s);
        return make_error(err, sys == EPROTONOSUPPORT ? ERR_UNSUPPORTED : ERR_SYSTEM, sys,
                          "open a netfilter socket");
    }
    /* An error then repeats the header of the message only, not 60 kB of elements. */
    int on = 1;
    (void)mnl_socket_setsockopt(s->sock, NETLINK_CAP_ACK, &on, sizeof(on));
    /* The largest batch is longer than the usual send buffer; without the capability the small
     * ones still go. */
    int bytes = NFTBATCH_BYTES;
    (void)setsockopt(mnl_socket_get_fd(s->sock), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    *ret = s;
    return 0;
}

void nft_close(struct nft_session *s)
{
    if (s == NULL)
        return;
    if (s->sock != NULL)
        (void)mnl_socket_close(s->sock);
    for (uint32_t i = 0; i < s->n; i++)
        free(s->held[i].line);
    free(s->data);
    free(s);
}

const char *nft_table(const struct nft_session *s)
{
    return s->table;
}

bool nft_holds(const struct nft_session *s, const char *run)
{
    return strcmp(s->table + sizeof("blackstart-") - 1, run) == 0 && s->n != 0;
}

bool nft_has_lines(const struct nft_session *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->held[i].line != NULL)
            return true;
    return false;
}

int nft_check_line(const struct nft_session *s, const struct nft_injection *in, struct err *err)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->held[i].line != NULL && nfttraffic_meets(s->held[i].line, in))
            return make_error(err, ERR_REFUSED, 0,
                              "a packet passes one line only, and %s has one for the same traffic: "
                              "end that first, or choose other peers or ports; a delay of what is "
                              "received finds another way when the rate is there before it",
                              s->held[i].id);
    return 0;
}

static struct held *find_held(struct nft_session *s, const char *id)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (strcmp(s->held[i].id, id) == 0)
            return &s->held[i];
    return NULL;
}

static uint8_t table_of(const struct nft_injection *in)
{
    return nftrule_family(in) == NFPROTO_NETDEV ? 0 : 1;
}

static const char *family_word(uint8_t family)
{
    return family == NFPROTO_NETDEV ? tables[0].word : tables[1].word;
}

static void begin(struct nft_session *s, struct nftbatch *b, uint8_t table)
{
    nftbatch_begin(b, s->data, NFTBATCH_BYTES, s->seq, tables[table].family, s->table);
}

static struct nftread reader(struct nft_session *s, uint8_t table)
{
    return (struct nftread){.fd = mnl_socket_get_fd(s->sock),
                            .seq = &s->seq,
                            .family = tables[table].family,
                            .table = s->table};
}

/* What the kernel's errno means, for those that a person can do something about. */
static int commit_error(const struct nftbatch *b, uint32_t seq, int sys, struct err *err)
{
    const char *what = nftbatch_what(b, seq);
    if (sys == EPERM)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "nf_tables, %s: the agent needs CAP_NET_ADMIN in the host's network "
                          "namespace, and no other agent may hold table %s %s",
                          what, family_word(b->family), b->table);
    if (sys == EOPNOTSUPP || sys == EAFNOSUPPORT)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "nf_tables, %s: this kernel has no %s family of nf_tables with "
                          "owned tables (Linux 5.12 or later, for egress 5.16, "
                          "CONFIG_NF_TABLES_NETDEV)",
                          what, family_word(b->family));
    return make_error(err, ERR_SYSTEM, sys, "nf_tables, %s in table %s %s", what,
                      family_word(b->family), b->table);
}

/*
 * Answers to a batch are all queued when sendmsg returns: those of the messages that failed, in
 * order, and the acknowledgement of the last one. The first failure is the one that counts: what
 * follows it is often only its consequence.
 */
static int read_answers(struct nft_session *s, const struct nftbatch *b, int *ret_sys,
                        uint32_t *ret_seq, struct err *err)
{
    bool answered = false;
    *ret_sys = 0;
    for (;;) {
        char answer[4096] __attribute__((aligned(8)));
        ssize_t got = recv(mnl_socket_get_fd(s->sock), answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "read nf_tables' answer");
        const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;
        if (!mnl_nlmsg_ok(nlh, (int)got) || nlh->nlmsg_type != NLMSG_ERROR ||
            nlh->nlmsg_seq - b->seq >= b->n)
            continue; /* a left-over of an earlier exchange */
        const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
        answered = true;
        if (e->error != 0 && *ret_sys == 0) {
            *ret_sys = -e->error;
            *ret_seq = nlh->nlmsg_seq;
        }
        if (e->error == 0)
            break; /* the last message's, and the last word: nothing is left to read */
    }
    if (!answered)
        return make_error(err, ERR_SYSTEM, 0, "nf_tables did not answer");
    return 0;
}

/* Sends the batch; the kernel takes all of it or nothing. *ret_sys and *ret_seq: what failed. */
static int transact(struct nft_session *s, struct nftbatch *b, int *ret_sys, uint32_t *ret_seq,
                    struct err *err)
{
    bool fits = nftbatch_end(b);
    s->seq += b->n;
    if (!fits)
        return make_error(err, ERR_LIMIT, 0, "the fault does not fit into one nf_tables batch");
    if (mnl_socket_sendto(s->sock, b->data, b->len) < 0)
        return make_error(err, ERR_SYSTEM, errno, "send to nf_tables");
    return read_answers(s, b, ret_sys, ret_seq, err);
}

static int commit(struct nft_session *s, struct nftbatch *b, struct err *err)
{
    int sys = 0;
    uint32_t seq = 0;
    if (transact(s, b, &sys, &seq, err) < 0)
        return -1;
    return sys == 0 ? 0 : commit_error(b, seq, sys, err);
}

/* In a table of its own, with a chain that no packet meets. */
static int try_injection(struct nft_session *s, bool draw, enum nft_verdict verdict,
                         enum nft_queue_form form, struct err *err)
{
    static const struct nft_devices none = {0};
    static const struct addrs everyone = {0};
    static const struct ports ports = {.n = 1, .r = {{1, 2}}};
    char table[NFT_TABLE_LEN + 8];
    (void)snprintf(table, sizeof(table), "%s-try", s->table);
    const struct nft_action action = {.verdict = verdict, .link = LOOPBACK_INDEX};
    const struct nft_injection in = {.id = "try",
                                     .devices = &none,
                                     .peers = &everyone,
                                     .ports = &ports,
                                     .in = true,
                                     .on_in = action,
                                     .share = draw ? 1 : NFT_ALL_PPM,
                                     .lease_ms = 1000};
    struct nftbatch b;
    nftbatch_begin(&b, s->data, NFTBATCH_BYTES, s->seq, nftrule_family(&in), table);
    nftbatch_add_table(&b);
    nftrule_add(&b, &in, form);
    nftbatch_delete_table(&b);
    return commit(s, &b, err);
}

static const char *missing_word(bool draw, enum nft_verdict verdict)
{
    static const char *const words[] = {
        [NFT_DROP] = "timed sets or sets of intervals",
        [NFT_FORWARD] = "fwd (CONFIG_NFT_FWD_NETDEV)",
        [NFT_DUPLICATE] = "dup at a device (CONFIG_NFT_DUP_NETDEV)",
        [NFT_QUEUE] = "way to a packet queue (CONFIG_NFT_QUEUE or XT_TARGET_NFQUEUE)",
        [NFT_REJECT] = "reject at a device (CONFIG_NFT_REJECT_NETDEV)",
        [NFT_REJECT_ROUTED] = "reject (CONFIG_NFT_REJECT_INET or _NETDEV)",
    };
    if (draw && verdict == NFT_DROP)
        return "numgen (CONFIG_NFT_NUMGEN), which draws the share";
    return words[verdict];
}

int nft_supported(struct nft_session *s, bool draw, enum nft_verdict verdict, struct err *err)
{
    enum nft_queue_form form = s->form != NFT_QUEUE_UNKNOWN ? s->form : NFT_QUEUE_NATIVE;
    int rc = try_injection(s, draw, verdict, form, err);
    if (rc != 0 && err->sys == ENOENT && verdict == NFT_QUEUE && s->form == NFT_QUEUE_UNKNOWN) {
        form = NFT_QUEUE_TARGET;
        rc = try_injection(s, draw, verdict, form, err);
    }
    if (rc == 0) {
        s->form = verdict == NFT_QUEUE ? form : s->form;
        return 0;
    }
    if (err->sys == ENOENT)
        return make_error(err, ERR_UNSUPPORTED, 0, "this kernel's nf_tables has no %s",
                          missing_word(draw, verdict));
    return -1;
}

int nft_reject_way(struct nft_session *s, enum nft_verdict *ret, struct err *err)
{
    static const enum nft_verdict ways[] = {NFT_REJECT, NFT_REJECT_ROUTED};
    for (size_t i = 0; i < 2 && s->reject == NFT_DROP; i++)
        if (nft_supported(s, false, ways[i], err) == 0)
            s->reject = ways[i];
        else if (err->code != ERR_UNSUPPORTED)
            return -1;
    *ret = s->reject;
    return s->reject == NFT_DROP ? -1 : 0;
}

int nft_inject(struct nft_session *s, const struct nft_injection *in, struct err *err)
{
    if (find_held(s, in->id) != NULL)
        return make_error(err, ERR_REFUSED, 0, "injection %s is there already", in->id);
    if (s->n == NFT_INJECTIONS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d network faults at once on one host",
                          (int)NFT_INJECTIONS_MAX);
    if (in->devices->n == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "this host has no network interface that is up");
    uint8_t table = table_of(in);
    bool queue = in->in && in->on_in.verdict == NFT_QUEUE;
    CLEANUP_FREE struct nft_traffic *line = NULL;
    if (in->order == NFT_LINES && nft_check_line(s, in, err) < 0)
        return -1;
    if (in->order == NFT_LINES && (line = nfttraffic_copy(in)) == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "note what the line takes");
    if (queue && s->form == NFT_QUEUE_UNKNOWN && nft_supported(s, false, NFT_QUEUE, err) < 0)
        return -1;
    struct nftbatch b;
    begin(s, &b, table);
    nftbatch_add_table(&b);
    nftrule_add(&b, in, s->form);
    if (commit(s, &b, err) < 0)
        return -1;
    s->there[table] = true;
    struct held *held = &s->held[s->n++];
    (void)snprintf(held->id, sizeof(held->id), "%s", in->id);
    held->parts = nftrule_parts(in);
    held->table = table;
    held->queue = queue;
    held->line = steal_ptr(&line);
    return 0;
}

int nft_renew(struct nft_session *s, const char *id, int64_t lease_ms, struct err *err)
{
    char name[NFTRULE_NAME_LEN];
    struct nftbatch b;
    const struct held *held = find_held(s, id);
    if (held == NULL)
        return make_error(err, ERR_LAPSED, 0, "injection %s has ended", id);
    nftrule_name(name, id, NFTRULE_LEASE);
    begin(s, &b, held->table);
    nftbatch_delete_lease(&b, name);
    nftbatch_add_lease(&b, name, lease_ms < 1 ? 1 : lease_ms);
    int sys = 0;
    uint32_t seq = 0;
    if (transact(s, &b, &sys, &seq, err) < 0)
        return -1;
    if (sys == ENOENT)
        return make_error(err, ERR_LAPSED, 0, "the lease of %s had run out", id);
    return sys == 0 ? 0 : commit_error(&b, seq, sys, err);
}

int nft_read(struct nft_session *s, const char *id, bool count_peers, struct nft_reading *ret,
             struct err *err)
{
    const struct held *held = find_held(s, id);
    if (held == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "injection %s is not in table %s", id, s->table);
    struct nftread r = reader(s, held->table);
    *ret = (struct nft_reading){0};
    static const enum nftrule_part chains[] = {NFTRULE_IN, NFTRULE_OUT};
    static const enum nftrule_part sets[] = {NFTRULE_PEERS4, NFTRULE_PEERS6};
    char name[NFTRULE_NAME_LEN];
    for (size_t i = 0; i < 2; i++)
        if (held->parts & (1u << chains[i]) &&
            nftread_counters(&r, nftrule_name(name, id, chains[i]), ret, err) < 0)
            return -1;
    for (size_t i = 0; count_peers && i < 2; i++)
        if (held->parts & (1u << sets[i]) &&
            nftread_elements(&r, nftrule_name(name, id, sets[i]), &ret->peers, NULL, err) < 0)
            return -1;
    return nftread_elements(&r, nftrule_name(name, id, NFTRULE_LEASE), NULL, &ret->lease_left_ms,
                            err);
}

/* As a batch that may find nothing. */
static int take_away(struct nft_session *s, struct nftbatch *b, struct err *err)
{
    int sys = 0;
    uint32_t seq = 0;
    if (transact(s, b, &sys, &seq, err) < 0)
        return -1;
    return sys == 0 || sys == ENOENT ? 0 : commit_error(b, seq, sys, err);
}

int nft_disarm(struct nft_session *s, const char *id, struct err *err)
{
    char name[NFTRULE_NAME_LEN];
    struct nftbatch b;
    const struct held *held = find_held(s, id);
    if (held == NULL)
        return 0;
    begin(s, &b, held->table);
    nftbatch_delete_lease(&b, nftrule_name(name, id, NFTRULE_LEASE));
    return take_away(s, &b, err);
}

/* What the others hold: the tables in which something of theirs stands, and whether any has a
 * queue. */
static bool look_at_others(const struct nft_session *s, const struct held *held, bool used[TABLES])
{
    bool queue = false;
    for (uint32_t i = 0; i < s->n; i++) {
        if (&s->held[i] == held)
            continue;
        used[s->held[i].table] = true;
        queue = queue || s->held[i].queue;
    }
    return queue;
}

int nft_withdraw(struct nft_session *s, const char *id, struct err *err)
{
    struct held *held = find_held(s, id);
    if (held == NULL)
        return 0;
    bool used[TABLES] = {false};
    bool queue = look_at_others(s, held, used);
    struct nftbatch b;
    begin(s, &b, held->table);
    if (queue || used[held->table])
        nftrule_delete(&b, id, held->parts, queue);
    for (size_t i = 0; i < TABLES; i++) {
        b.family = tables[i].family;
        if (s->there[i] && !used[i] && !queue)
            nftbatch_delete_table(&b);
    }
    if (take_away(s, &b, err) < 0)
        return -1;
    for (size_t i = 0; i < TABLES; i++)
        s->there[i] = s->there[i] && (used[i] || queue);
    free(held->line);
    *held = s->held[--s->n];
    return 0;
}

int nft_find(const char *run, const char *id, bool *ret_there, uint32_t *ret_owner, struct err *err)
{
    static const enum nftrule_part chains[] = {NFTRULE_IN, NFTRULE_OUT};
    char table[NFT_TABLE_LEN], name[NFTRULE_NAME_LEN];
    (void)snprintf(table, sizeof(table), "blackstart-%s", run);
    CLEANUP_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open a netfilter socket");
    uint32_t seq = 1;
    struct nftread r = {.fd = fd, .seq = &seq, .table = table};
    bool there = false;
    *ret_there = false;
    for (size_t i = 0; i < 2 * TABLES && !there; i++) {
        r.family = tables[i / 2].family;
        if (nftread_chain(&r, nftrule_name(name, id, chains[i % 2]), &there, err) < 0)
            return -1;
    }
    if (!there)
        return 0;
    /* The table may go between the two questions. */
    return nftread_table(&r, ret_there, ret_owner, err);
}
