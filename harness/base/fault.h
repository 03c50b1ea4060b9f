/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault contract: what every kind of harm says of itself, and what it can do.
 *
 * One kind is one file in agents/faults/ exporting one const row, and one line in faults.def. Order
 * of calls on an injection: supported, prepare, apply, verify, evidence..., renew..., revert.
 * Prepare changes nothing on the host; the undo record it filled is on disk before apply is called.
 * Revert takes only the undo record: it is idempotent, allowed in every state (also after a prepare
 * without apply, also half applied), narrow, conditional (what is not as we left it is foreign:
 * report, leave it), reads back what it did, uses no malloc and no coordinator. All of them run on
 * the privileged side, except check and expand, which are pure.
 */
#ifndef BLACKSTART_BASE_FAULT_H
#define BLACKSTART_BASE_FAULT_H

#include "base/digest.h"
#include "base/err.h"
#include "base/param.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNDO_DATA_MAX = 12288,
    EVIDENCE_MAX = 12,
    RUN_ID_MAX = 24, /* [a-z0-9-], unique to the run: part of the name of all that we make */
    INJECTION_ID_MAX = 32
};

enum lifetime {
    LIFETIME_KERNEL,   /* ends in the kernel when its lease runs out or the agent dies */
    LIFETIME_VICTIM,   /* ends inside the victim, at a deadline in a shared page */
    LIFETIME_GUARDIAN, /* ended by the guardian when the agent dies or its lease passes */
    LIFETIME_INSTANT   /* cannot be taken back (process.kill) */
};

enum evidence_class {
    EVIDENCE_COUNTER, /* must grow while active under traffic */
    EVIDENCE_STATE,   /* read back */
    EVIDENCE_EVENT    /* was seen: an exit status through a pidfd */
};

/* Where a fault acts: what may differ while it is active, and nothing else. Files are those that
 * its path parameters name, and what lies beside them under a name of ours. */
enum {
    TOUCHES_KERNEL = 1, /* network objects */
    TOUCHES_FILES = 2,
    TOUCHES_PROCESSES = 4,
    TOUCHES_PAGE = 8,    /* the page shared with a preloaded service */
    TOUCHES_TREES = 16,  /* with FILES: they are moved whole, away and back; who had one open may
                            have written to it meanwhile */
    TOUCHES_SPACE = 32,  /* how much is free on a file system of the host's own */
    TOUCHES_MOUNTS = 64, /* how a file system of the host's own is mounted */
    TOUCHES_GROUPS = 128 /* limits and members of a service's own control group */
};

/* What a person or a program needs of a host's kernel to do the same to the files that the row's
 * `path` or `paths` names. */
enum fault_act {
    ACT_NONE,    /* nobody can be asked: the row takes no identity */
    ACT_REMOVE,  /* take them away, trees with all that is in them */
    ACT_REPLACE, /* write them, or put others into their place */
    ACT_WRITE,   /* write them as they are */
    ACT_MODE     /* change who may use them: an owner's right */
};

/* How an injection ended; the words stand in the journal. */
enum ended_by {
    ENDED_NOT,
    ENDED_COMMAND,
    ENDED_LEASE,
    ENDED_GUARDIAN,
    ENDED_REPLAY,
    ENDED_VICTIM,
    ENDED_INSTANT
};

struct nft_session;
struct undo;

/*
 * The host as a fault sees it. Descriptors belong to the agent. In a lab the agent stands outside
 * the host's mount and pid namespaces and inside its network namespace.
 */
struct fault_host {
    char run[RUN_ID_MAX + 1];
    char name[NAME_MAX_LEN + 1];
    int root; /* O_PATH descriptor of the host's root directory; openat2 with RESOLVE_IN_ROOT
                 beneath it */
    int proc; /* O_PATH descriptor of a /proc in which the host's processes can be seen */
    uint64_t
        pid_ns; /* inode of the host's pid namespace: processes in any other are never touched */
    bool lab;   /* a lab host, whose init answers hostctl (base/hostctl.h) on an abstract socket */
    int64_t (*now)(void); /* CLOCK_BOOTTIME, ns: what leases are written in */
    /* May be NULL. Called where a fault's services stand still: after it has told them to end and
     * before it changes a file; and when the files are back and before it starts them. */
    void (*files_quiet)(const struct fault_host *host, const struct undo *undo);
    void *quiet_ctx;
    struct nft_session
        *nft; /* the one netfilter socket, owner of our table; NULL in guardian and coordinator */
};

/* What revert needs, and all that it needs. Fixed size, no pointers; stored in the undo log with a
 * checksum. */
struct undo {
    char run[RUN_ID_MAX + 1];
    char injection[INJECTION_ID_MAX + 1];
    char fault[NAME_MAX_LEN + 1];
    int64_t lease_ns; /* CLOCK_BOOTTIME deadline; renewals are kept in memory and by the guardian */
    uint32_t size;    /* bytes used of data */
    _Alignas(8) unsigned char data[UNDO_DATA_MAX]; /* the fault's own struct, which starts with a
                                                      format version */
};

/* The data of a record of that version and size; NULL with ERR_DIRTY when it is of another, as an
 * agent of another version may have left it. */
const void *undo_record(const struct undo *undo, uint32_t version, size_t size, struct err *err);

struct evidence {
    struct evidence_item {
        char name[24];
        uint64_t value;
    } items[EVIDENCE_MAX];
    uint32_t n;
    bool proven;    /* the row's own judgement of the class: the counter is above zero, the state
                       holds, the event was seen */
    bool is_state;  /* this injection's is a state that is read back, whatever the row's class */
    char what[160]; /* one sentence for people: "4,102 packets from n2, n3 dropped" */
};

/* Who brought back what a fault had ended. */
enum restored_by { RESTORED_BY_NOBODY, RESTORED_BY_POLICY, RESTORED_BY_BLACKSTART };

struct revert_report {
    /* of all services the one that speaks most against an automatic recovery: the highest */
    enum restored_by restored_by;
    bool foreign;     /* something was changed by others and left as it is */
    char manual[400]; /* if revert failed: the exact commands that would put the host back */
    char what[160];
};

/* Lent to expand: the hosts of the plan; among the peers also addresses and networks of no host,
 * each under its own text as a name, without an agent. */
struct expand_host {
    const char *name;
    const struct addr *addrs;
    size_t n_addrs;
    bool has_agent;
};
struct expand_in {
    const struct expand_host *hosts;
    size_t n_hosts; /* where the scenario asked for the fault */
    const struct expand_host *peers;
    size_t n_peers;   /* what its PARAM_HOSTS parameter named, if it has one */
    const void *args; /* the row's args, hosts parameter still empty */
    size_t args_size;
};
struct expand_out {
    void *ctx;
    /* Adds one injection; args is copied (args_size bytes). Returns -1 with err when there are too
     * many. */
    int (*add)(void *ctx, const char *host, const void *args, struct err *err);
};

struct fault {
    const char *name;      /* family.kind */
    const char *summary;   /* one line */
    const char *doc;       /* a paragraph: what it does, mechanism, what it leaves alone */
    const char *example;   /* a YAML step, as it would stand in a scenario */
    const char *footprint; /* what may differ while active: "the table netdev blackstart-<run>" */
    unsigned touches;      /* TOUCHES_*: the same for the contract test */
    enum fault_act act;    /* what an identity is asked for */
    uint64_t caps;         /* CAP bits (1 << CAP_NET_ADMIN) that privside needs for it */
    enum lifetime lifetime;
    enum evidence_class evidence_class;
    uint32_t bound_ms; /* how long apply or revert may take before the guardian counts the agent as
                          stuck; 0: 1000 */
    size_t args_size;
    const struct param *params;
    size_t n_params;

    /* 0, or -1 with ERR_UNSUPPORTED and the reason. Changes nothing. */
    int (*supported)(struct fault_host *host, struct err *err);
    /* By what this host would do it, with what is known of that way's own cost: words that stay.
     * NULL where there is one way only; the answer is NULL where supported() fails. */
    const char *(*how)(struct fault_host *host);
    /* Pure; what bounds alone cannot say. May be NULL. In the coordinator the hosts parameter holds
     * nothing, or the addresses that the scenario names, or those that expand has put in. */
    int (*check)(const void *args, struct err *err);
    /* Pure; NULL: one injection on each host, its hosts parameter filled with all peers' addresses.
     */
    int (*expand)(const struct expand_in *in, const struct expand_out *out, struct err *err);
    int (*prepare)(struct fault_host *host, const void *args, struct undo *undo, struct err *err);
    /* May note in undo->data what only apply can know; the agent writes the record again after it.
     */
    int (*apply)(struct fault_host *host, const void *args, struct undo *undo, struct err *err);
    int (*verify)(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err);
    int (*evidence)(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err);
    /* Moves the kernel's or the victim's own deadline; NULL where the guardian alone keeps it.
     * ERR_LAPSED if it had ended. */
    int (*renew)(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err);
    int (*revert)(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err);
};

/* "bs" and twelve hex digits made from run and injection: names what is ours where the kernel
 * allows 15 characters (interfaces, processes). */
enum { FAULT_MARK = 16 };
void fault_mark(char out[FAULT_MARK], const char *run, const char *injection);

/* A row's parameters: their struct and their table. */
#define FAULT_PARAMS(args, table)                                                                  \
    .args_size = sizeof(args), .params = (table), .n_params = sizeof(table) / sizeof((table)[0])

struct catalogue {
    const struct fault *const *faults;
    size_t n;
};

const struct fault *catalogue_find(const struct catalogue *c, const char *name);
/* Over names, parameters and layout: equal in two builds that understand each other's args. */
void catalogue_digest(const struct catalogue *c, char ret[DIGEST_TEXT]);
const char *lifetime_word(enum lifetime lifetime);
const char *evidence_class_word(enum evidence_class class);
const char *ended_by_word(enum ended_by ended);
const char *restored_by_word(enum restored_by by);
/* NOBODY for any other word, and for NULL. */
enum restored_by restored_by_find(const char *word);

#endif
