/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"

#include "agents/faults/line.h"
#include "agents/faults/network_queue.h"
#include "agents/netlink/link.h"
#include "agents/netlink/nft.h"
#include "agents/netlink/qdisc.h"
#include "agents/netlink/queue.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    UNDO_VERSION = 1,
    TABLE_STEPS = 4096,
    DRAIN_MS = 700, /* what takes longer than that to come out of a line is lost */
    DRAIN_PAUSE_MS = 5,
    FRAME_BYTES = 2048 /* one packet must always fit into what may wait */
};
struct shape_undo {
    uint32_t version;
    uint32_t mechanism, work, out;
    uint32_t peers; /* addresses, 0: everyone */
    uint32_t link_index;
    char link[IFNAMSIZ]; /* empty: none is needed */
    struct proc_id bearer;
    struct nft_devices devices;
};

_Static_assert(sizeof(struct shape_undo) <= UNDO_DATA_MAX, "fits into an undo record");

static const struct {
    enum nft_verdict verdict;
    enum nft_order order;
    const char *qdisc; /* on a link of ours; NULL: without */
    const char *how;   /* figures: of the runs of bench_delay that tests/README.md tells of */
} mechanisms[] = {
    [NETWORK_BY_NETEM] = {NFT_FORWARD, NFT_LINES, "netem",
                          "by netem, on an interface of the agent's own; measured by bench_delay "
                          "in an emulated machine, where the packet queue was late by 3.8 to 9.4 "
                          "ms: late by 1.3 to 2.0 ms on the median"},
    [NETWORK_BY_TBF] = {NFT_FORWARD, NFT_LINES, "tbf",
                        "by TBF, on an interface of the agent's own"},
    [NETWORK_BY_QUEUE] =
        {NFT_QUEUE, NFT_FIRST, NULL,
         "by a packet queue, for what is received; measured by bench_delay on two "
         "busy processors: late by 0.2 to 0.9 ms on the median, by up to 12 ms for "
         "99 %; each run's evidence says how late it was there"},
    [NETWORK_BY_COPY] = {NFT_DUPLICATE, NFT_COPIES, NULL,
                         "by nf_tables (dup), for what is sent, and only by netem for what "
                         "is received; measured by bench_delay on two busy processors: 0.01 ms "
                         "more on a round trip's median; of 20,000 datagrams 19.99 % came twice "
                         "at a share of 20 %"},
};

static const struct shape_undo *undo_read(const struct undo *undo, struct err *err)
{
    return undo_record(undo, UNDO_VERSION, sizeof(struct shape_undo), err);
}

/* ---- which mechanism ---- */

static int line_supported(struct fault_host *host, const char *qdisc, struct err *err)
{
    bool there;
    if (nft_supported(host->nft, true, NFT_FORWARD, err) < 0 || link_line_supported(err) < 0 ||
        qdisc_supported(qdisc, &there, err) < 0)
        return -1;
    return there ? 0 : make_error(err, ERR_UNSUPPORTED, 0, "this kernel has no sch_%s", qdisc);
}

static int one_supported(struct fault_host *host, enum network_mechanism mechanism, struct err *err)
{
    if (mechanisms[mechanism].qdisc != NULL)
        return line_supported(host, mechanisms[mechanism].qdisc, err);
    if (mechanism == NETWORK_BY_QUEUE)
        return network_queue_supported(host, true, err);
    return nft_supported(host->nft, true, mechanisms[mechanism].verdict, err);
}

/* In order of preference. A packet queue holds what is received only: at a sender held packets stay
 * charged to the socket that sent them, which throttles it. A copy is made of what is sent only. */
static const struct {
    enum network_work work;
    enum network_mechanism mechanism;
    bool in, out;
} ways[] = {
    {NETWORK_DELAY, NETWORK_BY_NETEM, true, true},
    {NETWORK_DELAY, NETWORK_BY_QUEUE, true, false},
    {NETWORK_CORRUPT, NETWORK_BY_NETEM, true, true},
    {NETWORK_CORRUPT, NETWORK_BY_QUEUE, true, false},
    {NETWORK_DUPLICATE, NETWORK_BY_COPY, false, true},
    {NETWORK_DUPLICATE, NETWORK_BY_NETEM, true, false},
    {NETWORK_RATE, NETWORK_BY_TBF, true, true},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* What a line has taken no other line sees: while one stands, what can be done otherwise is. */
static bool is_avoided(const struct fault_host *host, size_t way)
{
    return ways[way].mechanism == NETWORK_BY_NETEM && ways[way].work != NETWORK_DUPLICATE &&
           nft_has_lines(host->nft);
}

/* 0: none, with err. in, out: what is wanted; neither: any. */
static enum network_mechanism choose(struct fault_host *host, enum network_work work, bool in,
                                     bool out, struct err *err)
{
    bool tried = false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < WAYS; i++) {
            if (ways[i].work != work || (in && !ways[i].in) || (out && !ways[i].out) ||
                is_avoided(host, i) != (pass == 1))
                continue;
            tried = true;
            if (one_supported(host, ways[i].mechanism, err) == 0)
                return ways[i].mechanism;
            if (err->code != ERR_UNSUPPORTED)
                return 0;
        }
    if (!tried)
        (void)make_error(err, ERR_UNSUPPORTED, 0, "there is no way for that direction");
    return 0;
}

int network_shape_supported(struct fault_host *host, enum network_work work, struct err *err)
{
    if (network_need_session(host, err) < 0)
        return -1;
    return choose(host, work, false, false, err) != 0 ? 0 : -1;
}

const char *network_shape_how(struct fault_host *host, enum network_work work)
{
    struct err ignored;
    if (network_need_session(host, &ignored) < 0)
        return NULL;
    enum network_mechanism mechanism = choose(host, work, false, false, &ignored);
    return mechanism != 0 ? mechanisms[mechanism].how : NULL;
}

static int check_line(struct fault_host *host, const struct network_traffic *args,
                      const struct undo *undo, const struct nft_devices *devices, struct err *err)
{
    struct nft_injection in;
    if (network_injection(host, args, undo, devices, &in, err) < 0)
        return -1;
    in.in = args->direction != NETWORK_OUT;
    in.out = args->direction == NETWORK_OUT;
    return nft_check_line(host->nft, &in, err);
}

int network_shape_prepare(struct fault_host *host, const struct network_traffic *args,
                          const struct network_want *want, struct undo *undo, struct err *err)
{
    struct shape_undo *u = (struct shape_undo *)undo->data;
    bool out = args->direction == NETWORK_OUT;
    if (network_need_session(host, err) < 0 || network_check(args, err) < 0)
        return -1;
    memset(u, 0, sizeof(*u));
    u->version = UNDO_VERSION;
    undo->size = sizeof(*u);
    u->work = want->work;
    u->out = out;
    u->peers = args->peers.n;
    u->mechanism = choose(host, want->work, !out, out, err);
    if (u->mechanism == 0)
        return wrap_error(err,
                          "cannot be done to what the host %s (with peers that have an agent, "
                          "or the other direction, it may be)",
                          out ? "sends" : "receives");
    if (mechanisms[u->mechanism].qdisc != NULL)
        fault_mark(u->link, undo->run, undo->injection);
    if (network_devices(&u->devices, err) < 0)
        return -1;
    return mechanisms[u->mechanism].order == NFT_LINES
               ? check_line(host, args, undo, &u->devices, err)
               : 0;
}

/* ---- apply ---- */

static int set_netem(uint32_t index, const struct network_want *want, struct err *err)
{
    int16_t table[TABLE_STEPS];
    const struct shape_delay *d = &want->delay;
    struct qdisc_netem netem = {.delay_ns = d->delay_ns,
                                .jitter_ns = d->jitter_ns,
                                .table = table,
                                .corrupt_ppm = want->work == NETWORK_CORRUPT ? NFT_ALL_PPM : 0,
                                .duplicate_ppm = want->work == NETWORK_DUPLICATE ? NFT_ALL_PPM : 0};
    if (d->jitter_ns != 0 && d->distribution != SHAPE_UNIFORM) {
        shape_table(d->distribution, table, TABLE_STEPS);
        netem.n_table = TABLE_STEPS;
    }
    return qdisc_set_netem(index, &netem, err);
}

static int set_rate(uint32_t index, const struct network_want *want, struct err *err)
{
    double limit = (double)want->rate * (double)want->backlog_ns / 1e9 + want->burst;
    uint32_t bytes = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
    return qdisc_set_rate(index, want->rate, want->burst, bytes < FRAME_BYTES ? FRAME_BYTES : bytes,
                          err);
}

static int start_line(struct shape_undo *u, const char *run, const struct network_want *want,
                      struct err *err)
{
    if (link_line_add(u->link, run, &u->link_index, err) < 0)
        return -1;
    int rc = u->mechanism == NETWORK_BY_TBF ? set_rate(u->link_index, want, err)
                                            : set_netem(u->link_index, want, err);
    return rc < 0 ? -1 : link_line_up(u->link_index, err);
}

static int start_queue(struct fault_host *host, const struct undo *undo, struct shape_undo *u,
                       const struct network_want *want, uint16_t *ret_number, struct err *err)
{
    struct line_spec line = {.delay = want->delay,
                             .corrupt = want->work == NETWORK_CORRUPT,
                             .seed = (uint64_t)host->now()};
    const struct network_server server = {.body = line_run,
                                          .arg = &line,
                                          .number = &line.number,
                                          .copy = line.corrupt ? QUEUE_PACKET_MAX : 0};
    if (network_queue_start(host, undo, &server, &u->bearer, err) < 0)
        return -1;
    *ret_number = line.number;
    return 0;
}

int network_shape_apply(struct fault_host *host, const struct network_traffic *args,
                        const struct network_want *want, struct undo *undo, struct err *err)
{
    struct shape_undo *u = (struct shape_undo *)undo->data;
    struct nft_injection in;
    uint16_t number = 0;
    if (network_need_session(host, err) < 0 ||
        network_injection(host, args, undo, &u->devices, &in, err) < 0)
        return -1;
    if (u->link[0] != '\0' && start_line(u, undo->run, want, err) < 0)
        return -1;
    if (u->mechanism == NETWORK_BY_QUEUE && start_queue(host, undo, u, want, &number, err) < 0)
        return -1;
    const struct nft_action action = {
        .verdict = mechanisms[u->mechanism].verdict, .link = u->link_index, .queue = number};
    in.order = mechanisms[u->mechanism].order;
    in.share = want->share_ppm;
    in.in = !u->out;
    in.out = u->out;
    in.on_in = in.on_out = action;
    return nft_inject(host->nft, &in, err);
}

/* ---- while it lasts ---- */

static int is_served(struct fault_host *host, const struct shape_undo *u, bool *ret,
                     struct err *err)
{
    *ret = true;
    if (u->mechanism == NETWORK_BY_QUEUE)
        *ret = bearer_lives(host, &u->bearer);
    return u->link[0] != '\0' ? link_line_ready(u->link, u->link_index, ret, err) : 0;
}

int network_shape_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                         struct err *err)
{
    const struct shape_undo *u = undo_read(undo, err);
    bool rules, served;
    *ret_active = false;
    if (u == NULL || network_rules_active(host, undo, u->peers, &rules, err) < 0)
        return -1;
    if (!rules)
        return 0;
    if (is_served(host, u, &served, err) < 0)
        return -1;
    *ret_active = served;
    return 0;
}

int network_shape_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                        struct err *err)
{
    const struct shape_undo *u = undo_read(undo, err);
    if (u == NULL || (u->mechanism == NETWORK_BY_QUEUE &&
                      network_queue_renew(host, undo, &u->bearer, lease_ns, err) < 0))
        return -1;
    return network_renew(host, undo, lease_ns, err);
}

/* ---- evidence ---- */

static void put_item(struct evidence *e, const char *name, uint64_t value)
{
    struct evidence_item *item = &e->items[e->n++];
    (void)snprintf(item->name, sizeof(item->name), "%s", name);
    item->value = value;
}

static const char *const done_words[] = {[NETWORK_DELAY] = "delayed",
                                         [NETWORK_CORRUPT] = "corrupted",
                                         [NETWORK_DUPLICATE] = "duplicated",
                                         [NETWORK_RATE] = "held"};

static void put_queue(const struct shape_undo *u, const struct undo *undo, struct evidence *e)
{
    const struct bearer_counters *c = bearer_read(undo);
    if (c == NULL)
        return;
    uint64_t done = bearer_value(c, u->work == NETWORK_CORRUPT ? LINE_CORRUPTED : LINE_RELEASED);
    uint64_t median = bearer_value(c, LINE_LATE_MEDIAN), p99 = bearer_value(c, LINE_LATE_P99);
    put_item(e, done_words[u->work], done);
    put_item(e, "passed_unheld", bearer_value(c, LINE_PASSED));
    put_item(e, "late_us_median", median);
    put_item(e, "late_us_p99", p99);
    e->proven = done != 0;
    (void)snprintf(e->what, sizeof(e->what),
                   "%llu received packets %s by a packet queue, half of them at most %llu us %s, "
                   "99 %% %llu us",
                   (unsigned long long)done, done_words[u->work], (unsigned long long)median,
                   u->work == NETWORK_CORRUPT ? "later for it" : "late", (unsigned long long)p99);
}

static void put_rate(const struct shape_undo *u, const struct nft_reading *r,
                     const struct qdisc_reading *q, struct evidence *e)
{
    put_item(e, "held", q->held);
    put_item(e, "dropped", q->dropped);
    e->proven = q->held != 0 || q->dropped != 0;
    (void)snprintf(e->what, sizeof(e->what),
                   "%llu packets (%llu bytes) %s through TBF on %s: %u times one had to wait, "
                   "%u dropped",
                   (unsigned long long)r->packets, (unsigned long long)r->bytes,
                   u->out ? "sent" : "received", u->link, q->held, q->dropped);
}

static void put_kernel(const struct shape_undo *u, const struct nft_reading *r, struct evidence *e)
{
    put_item(e, done_words[u->work], r->packets);
    e->proven = r->packets != 0;
    (void)snprintf(e->what, sizeof(e->what), "%llu packets (%llu bytes) %s %s by %s%s",
                   (unsigned long long)r->packets, (unsigned long long)r->bytes,
                   u->out ? "sent" : "received", done_words[u->work],
                   u->link[0] != '\0' ? "netem on " : "nf_tables", u->link);
}

int network_shape_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                           struct err *err)
{
    const struct shape_undo *u = undo_read(undo, err);
    struct nft_reading r;
    struct qdisc_reading q;
    *ret = (struct evidence){.n = 0};
    if (u == NULL || network_need_session(host, err) < 0 ||
        nft_read(host->nft, undo->injection, false, &r, err) < 0)
        return -1;
    if (u->mechanism == NETWORK_BY_QUEUE) {
        put_queue(u, undo, ret);
        return 0;
    }
    if (u->mechanism != NETWORK_BY_TBF) {
        put_kernel(u, &r, ret);
        return 0;
    }
    if (qdisc_read(u->link_index, "tbf", &q, err) < 0)
        return -1;
    put_rate(u, &r, &q, ret);
    return 0;
}

/* ---- revert ---- */

/* Until what waits in a line has come out by itself; nothing goes in any more. A line that is not
 * there, or not to be read, is not waited for. */
static void drain(const struct shape_undo *u)
{
    static const struct timespec pause = {.tv_nsec = DRAIN_PAUSE_MS * NS_PER_MS};
    const char *qdisc = mechanisms[u->mechanism].qdisc;
    struct qdisc_reading q;
    struct err ignored;
    for (int i = 0; i < DRAIN_MS / DRAIN_PAUSE_MS; i++) {
        if (qdisc == NULL || u->link_index == 0 ||
            qdisc_read(u->link_index, qdisc, &q, &ignored) < 0 || q.waiting == 0)
            return;
        (void)nanosleep(&pause, NULL);
    }
}

int network_shape_revert(struct fault_host *host, const struct undo *undo,
                         struct revert_report *ret, struct err *err)
{
    const struct shape_undo *u = undo_read(undo, err);
    bool queue = u != NULL && u->mechanism == NETWORK_BY_QUEUE;
    *ret = (struct revert_report){0};
    if (u == NULL)
        return -1;
    if (queue && network_queue_end(host, undo, &u->bearer, ret, err) < 0)
        return -1;
    if (network_remove_rules(host, undo, ret, err) < 0)
        return -1;
    drain(u);
    return network_remove_link(undo, u->link, ret, err);
}
