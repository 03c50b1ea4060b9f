/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario as it was written: hosts, probes, steps, targets, guards. Pure data in one arena;
 * names are checked against each other, selectors are not yet resolved (plan.h does that, roles at
 * run time). It must not know how anything is done.
 */
#ifndef BLACKSTART_SCENARIO_H
#define BLACKSTART_SCENARIO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/param.h"
#include "lab/spec.h"
#include "ledger/ledger.h"
#include "load/load.h"
#include "prober/probe.h"
#include "scenario/problem.h"

#include <stdbool.h>
#include <stdint.h>

struct scenario_var {
    const char *name, *value;
    bool set; /* by --set */
    struct pos pos;
};

/* The real outage that is reproduced. */
struct scenario_outage {
    const char *title;        /* NULL: none is */
    const char *date;         /* NULL: not given */
    int class, fidelity;      /* enum indices: the words below */
    struct duration duration; /* there; 0: not given */
    const char *scale, *keeps, *leaves_out;
    const char *const *sources;
    size_t n_sources;
};
const char *scenario_outage_class(const struct scenario_outage *o);
const char *scenario_outage_fidelity(const struct scenario_outage *o);

enum { SCENARIO_VARIANTS_MAX = 16 };
enum variant_expect { EXPECT_PASS, EXPECT_FAIL };
/* One of several systems that the same is done to. */
struct scenario_variant {
    const char *name, *description; /* description NULL: none */
    int expect;                     /* enum variant_expect */
    const struct scenario_var *set;
    size_t n_set;
    struct pos pos;
};
const char *scenario_expect_word(enum variant_expect e);

/* hosts: n1 | [n1, n2] | all | {label: L} | {role: R} | {share: 30%, of: SELECTOR} | {all_but:
 * SELECTOR} | [SELECTOR, ...]; as peers also 10.0.0.0/8 */
enum selector_kind {
    SELECT_NAMES,
    SELECT_ALL,
    SELECT_LABEL,
    SELECT_ROLE,
    SELECT_SHARE,
    SELECT_ALL_BUT,
    SELECT_LIST,
    SELECT_ADDR
};
enum { SELECTOR_LIST_MAX = 256 };
struct selector {
    enum selector_kind kind;
    const char *const *names;
    size_t n_names;
    const char *word;             /* label or role */
    struct ratio share;           /* rounded up, seeded choice */
    const struct selector *of;    /* SHARE, ALL_BUT; for SHARE NULL means all */
    const struct selector *parts; /* LIST: those that are not all names; none is a LIST */
    size_t n_parts;
    struct addr addr; /* ADDR: of no host; by itself or in a list alone */
    bool wrong;       /* it was reported, and means nothing: a scenario that was read has none */
    struct pos pos;
};

struct scenario_served;

/* A role is found by asking: the probe kind's attempt at each host; good = the host has the role.
 * One host must. */
struct scenario_probe {
    const char *name;
    const struct probe_kind *kind;
    const void *args;              /* kind->args_size bytes */
    const struct selector *hosts;  /* endpoints, in the order of the lab */
    enum endpoints_rule endpoints; /* required when there is more than one host; roles: not used */
    const char *role;              /* ENDPOINTS_ROLE */
    struct duration every, timeout;
    bool fresh; /* connection: fresh (default) | kept */
    struct probe_expect expect;
    const char *from; /* vantage host; default "client" */
    /* One probe looked at from several hosts is several of these, one behind the other, alike but
     * for `from`: the first is what guards, gates and waits look at. */
    const char *label;           /* for people: "write", or "write at n1"; NULL: the name */
    const char *const *vantages; /* all of them; NULL where there is one */
    size_t vantage, n_vantages;  /* which of them this is */
    enum impact { IMPACT_ALLOWED, IMPACT_EXPECTED, IMPACT_NONE } impact;
    uint32_t weight;                      /* in the blast radius; default 1 */
    const struct scenario_served *served; /* NULL: the service is not asked what it counts */
    bool signal; /* no service: good means that the system's own alert or failover signal is
                    there. Silent in the steady state. */
    struct pos pos;
};

/* How a service is asked how many requests it has seen. */
struct scenario_served {
    struct scenario_probe ask; /* kind, args, timeout, fresh, expect.number; the first */
    struct ratio at_most;      /* of these the probe may be, in one trial */
};

/* Acknowledged writes that are read back after the recovery. */
struct scenario_ledger {
    const char *name;
    const struct ledger_kind *kind;
    const void *args;             /* kind->args_size bytes */
    const struct selector *hosts; /* in the order of the lab */
    struct duration every, timeout;
    struct duration read_within; /* reading back goes on until it is steady, at most so long */
    struct duration risk;        /* how long before a fault a write is at risk already */
    const char *from;            /* vantage host that writes; default "client" */
    const char *const *vantages; /* where all is read back, `from` first; NULL: there alone */
    size_t n_vantages;
    int views; /* enum index: each, client */
    struct pos pos;
};
static inline size_t scenario_ledger_vantages(const struct scenario_ledger *l)
{
    return l->vantages != NULL ? l->n_vantages : 1;
}
static inline const char *scenario_ledger_vantage(const struct scenario_ledger *l, size_t k)
{
    return l->vantages != NULL ? l->vantages[k] : l->from;
}
enum { LEDGER_VIEWS_EACH, LEDGER_VIEWS_CLIENT };

/* Users of the system, by a stated model. */
struct scenario_load {
    const char *name;
    const struct load_kind *kind;
    const void *args;             /* kind->args_size bytes */
    const struct selector *hosts; /* in the order of the lab */
    struct load_shape shape;
    int fresh;        /* enum index: kept, fresh */
    int64_t port;     /* of its counters, on its host's loopback */
    const char *from; /* vantage host; default "client" */
    struct pos pos;
};

/* A fault step done host by host; given when size is. */
struct scenario_waves {
    uint32_t size;        /* hosts of one wave; 0: the share */
    struct ratio share;   /* of the step's hosts, at least one */
    struct duration bake; /* from a wave that is on to the next */
    const char *probe;    /* the gate; NULL: none, the bake alone */
    bool good;            /* what it must be at the end of the bake ... */
    struct duration last; /* ... and for how long; 0: the whole bake */
    int heal;             /* enum index: stop, heal */
};

/* A fault step done on and off; given when `on` is. */
struct scenario_flap {
    struct duration on, off;
    struct ratio jitter; /* of each phase's length, both ways */
};

static inline bool waves_given(const struct scenario_waves *w)
{
    return w->size != 0 || w->share.ppm != 0;
}

/* What a fault step asks before it goes out, in this order: a command, a person, and each host's
 * own kernel. A refusal is a result: nothing was injected. */
/* A validation on the step's first host; given when n_command is not 0. */
struct scenario_command_check {
    const char *const *command;
    size_t n_command;
    const char *user;
    struct duration within;
};

/* A model of a person; given when `by` is not NULL. */
enum approval_answer { ANSWER_YES, ANSWER_NO, ANSWER_NONE };
struct scenario_approval {
    const char *by;
    struct duration after;  /* how long until the answer */
    struct duration within; /* how long it is waited for; 0: until it comes */
    int answer;             /* enum approval_answer */
    int proceed;            /* enum index, where none came in time: refuse, proceed */
};

/* One command of a person's. */
struct scenario_task {
    const char *name;
    const char *const *command;
    size_t n_command;
    const struct selector *hosts; /* NULL: the step's */
    struct duration takes;        /* what the person needs before it is typed */
    struct duration within;
};

/* Who acts: a user of the hosts. */
struct scenario_identity {
    const char *name;
    const char *user; /* NULL: the same */
    const char *const *groups;
    size_t n_groups;
    struct pos pos;
};
static inline const char *scenario_identity_user(const struct scenario_identity *i)
{
    return i->user != NULL ? i->user : i->name;
}

enum step_kind {
    STEP_FAULT,
    STEP_WAIT,
    STEP_WAIT_UNTIL,
    STEP_RUN,
    STEP_RUNBOOK,
    STEP_PARALLEL,
    STEP_HEAL
};

struct scenario_step {
    enum step_kind kind;
    const char *name; /* optional; HEAL names a fault step to be ended early, or NULL for all */
    struct pos pos;
    /* FAULT: applied, then the steps go on while it holds; it is reverted `for` after it was active
     */
    const struct fault *fault;
    const void *args;
    const struct selector *hosts;
    const struct selector *peers; /* of the row's PARAM_HOSTS parameter; NULL: not given */
    struct duration length;       /* FAULT: for (0: until the end of the steps); WAIT: how long */
    struct scenario_waves waves;
    struct scenario_flap flap;
    struct scenario_command_check check;
    struct scenario_approval approval;
    /* A step that changes a load is a FAULT whose row is load_change and whose args are a struct
     * load_shape; its injections go to the load's process. NULL: any other fault. */
    const struct scenario_load *load;
    struct load_shape shape;            /* as it was read */
    const struct scenario_identity *as; /* NULL: the agent itself, as root */
    bool wait_end; /* FAULT: the next step starts only when this fault has ended (default false) */
    /* WAIT_UNTIL */
    const char *probe;
    bool good;              /* probe is: good | bad */
    const char *role;       /* or: role has changed since the last fault was applied */
    struct duration within; /* limit; passing it makes the trial inconclusive, with the reason */
    /* RUN */
    const char *const *command;
    size_t n_command;
    const char *user;
    bool recovery; /* done by a person's hand: recovery is marked as not automatic */
    /* RUN, RUNBOOK, WAIT, WAIT_UNTIL: announced work; an outage inside of it is not the fault's */
    bool planned;
    /* RUNBOOK: by `user`, one after the other; recovery is by a person's hand */
    const struct scenario_task *tasks;
    size_t n_tasks;
    /* PARALLEL: branches, each a list of steps */
    const struct scenario_steps {
        const struct scenario_step *steps;
        size_t n;
    } * branches;
    size_t n_branches;
};

/* Is anything asked before it goes out? */
bool step_asks(const struct scenario_step *s);
/* How long the approval is waited for, and whether it is given then. */
int64_t approval_wait_ns(const struct scenario_approval *a);
bool approval_given(const struct scenario_approval *a);
/* What a runbook's person needs altogether, without its commands. */
int64_t runbook_least_ns(const struct scenario_step *s);

#define TARGET(word, name, unit, side, doc) TARGET_##word,
enum target_kind {
#include "scenario/targets.def"
};
#undef TARGET
enum measured_from { FROM_FAULT, FROM_IMPACT, FROM_HEAL };
struct scenario_target {
    enum target_kind kind;
    const char *probe;   /* NULL: the whole system */
    const char *vantage; /* of a probe with several, else NULL: each has a target of its own */
    enum measured_from from;
    const char *ledger;      /* DATA_LOSS, DATA_LOSS_TIME */
    uint32_t at_most;        /* DATA_LOSS */
    struct duration within;  /* the limit of a time */
    struct duration over;    /* window from the fault, where there is one; 0: to the end of
                                observation. The run observes at least as long. */
    struct ratio limit;      /* of a share, a budget */
    struct ratio percentile; /* LATENCY */
    enum during { DURING_WHOLE, DURING_FAULT, DURING_RECOVERY } during; /* LATENCY, AVAILABILITY */
    struct ratio slo;                                                   /* BUDGET */
    struct duration period;                                             /* BUDGET */
    const char *impact_on; /* DETECTION: whose first impact; NULL: of any service */
    enum blast_of { BLAST_SERVICES, BLAST_HOSTS } blast_of;
    struct pos pos;
};

/* What the reproduced outage showed, which a trial must show to be valid. */
struct scenario_symptom {
    const char *shows; /* a sentence */
    bool missed;       /* the target must be missed by its whole interval; else met */
    /* One; of a probe with several vantages, and none named, one for each: met at each of them,
     * or missed at any. */
    const struct scenario_target *targets;
    size_t n_targets;
    struct pos pos;
};

/* Aborts the run and reverts everything. */
struct scenario_guard {
    const char *probe;   /* bad for longer than; NULL: the blast radius */
    const char *vantage; /* NULL: the probe's first */
    struct duration bad_for;
    struct ratio blast; /* more of the services' weight than this was impacted */
    struct pos pos;
};

/* Trials until the plan has decided; given when at_most is not 0. */
struct scenario_sequential {
    struct ratio good, bad;   /* shares of runs that pass: accept the one, reject the other */
    struct ratio alpha, beta; /* how often a good one is rejected, a bad one accepted */
    uint32_t at_most;
    uint32_t undecided; /* trials that may count for neither */
};
/* How many straight passes accept. */
uint32_t scenario_sequential_least(const struct scenario_sequential *plan);
/* What `--sequential` means where the scenario has no plan. */
void scenario_sequential_default(struct scenario_sequential *ret);

struct scenario {
    struct arena arena;
    const char *file, *name, *description;
    char sha256[65]; /* of the file's bytes */
    const char *text;
    size_t len; /* the file as it was read, for the journal */
    const char *other_text;
    size_t other_len; /* the same of the lab's or inventory's own file; NULL: there is none */
    const struct scenario_var *vars;
    size_t n_vars;
    struct scenario_outage outage;
    const struct scenario_variant *variants;
    size_t n_variants;
    const char *variant;        /* which of them this is; NULL: there are none */
    bool variants_mentioned;    /* a lab file by itself: the names that its items mention */
    const struct lab_spec *lab; /* or NULL with inventory set */
    const struct inventory *inventory;
    const struct scenario_probe *probes;
    size_t n_probes;
    const struct scenario_probe *roles;
    size_t n_roles;
    const struct scenario_ledger *ledgers;
    size_t n_ledgers;
    const struct scenario_load *loads;
    size_t n_loads;
    const struct scenario_identity *identities;
    size_t n_identities;
    const struct scenario_step *steps;
    size_t n_steps;
    const struct scenario_symptom *symptoms;
    size_t n_symptoms;
    const struct scenario_target *targets;
    size_t n_targets;
    const struct scenario_guard *guards;
    size_t n_guards;
    uint64_t seed;
    bool seed_given;
    uint32_t trials; /* default 1; of a sequential plan: at most */
    struct scenario_sequential sequential;
    struct duration deadline; /* of the whole run; default 10m */
    struct duration steady_for,
        steady_within; /* baseline: all probes good for (default 2s) within (default 30s) */
    struct duration stable_for; /* recovered: only good slots for (default 2s) */
    struct duration
        observe; /* at most this long after the last heal waiting for recovery; default 30s */
};

/* The probe's name as people are told it, with its vantage where it has several. */
static inline const char *scenario_probe_label(const struct scenario_probe *p)
{
    return p->label != NULL ? p->label : p->name;
}
/* The first probe of that name, or that of one vantage; n_probes: there is none. */
size_t scenario_probe_find(const struct scenario *s, const char *name, const char *vantage);

/* The variant that this is, or NULL. */
const struct scenario_variant *scenario_variant_of(const struct scenario *s);

/* The step of that number: from 1, in the order of the file, branches behind the step that has
 * them. NULL: there is none. */
const struct scenario_step *scenario_step_find(const struct scenario *s, uint32_t number);

/* Without a name, or where there are variants that of `variant`: which of them. */
struct scenario_set {
    const char *name, *value;
};

/*
 * Reads and checks a scenario. 0 and *ret (scenario_free), or -1: *problems holds what is wrong
 * with the file's content, or err what went wrong before (cannot be opened, larger than 1 MiB).
 * A lab file or an inventory by itself is read too: then there are no probes.
 */
int scenario_load(const char *file, const struct catalogue *faults, const struct scenario_set *sets,
                  size_t n_sets, struct scenario **ret, struct problems *problems,
                  struct err *err) MUST_CHECK;
/* The same from memory; `file` is only a name and the base of relative paths. For journals, tests
 * and fuzzers. */
int scenario_parse(const char *file, const char *text, size_t len, const struct catalogue *faults,
                   const struct scenario_set *sets, size_t n_sets, struct scenario **ret,
                   struct problems *problems, struct err *err) MUST_CHECK;
/* The same without any file: `other` is what the scenario's other file held when it was run (NULL:
 * it has none). */
int scenario_parse_whole(const char *file, const char *text, size_t len, const char *other,
                         size_t other_len, const struct catalogue *faults,
                         const struct scenario_set *sets, size_t n_sets, struct scenario **ret,
                         struct problems *problems, struct err *err) MUST_CHECK;
/* The names of a file's variants, in the arena; of a lab file those that it mentions. None when the
 * file has none or cannot be understood. */
int scenario_variant_names(const char *file, struct arena *arena, const char *const **ret,
                           size_t *ret_n, struct err *err) MUST_CHECK;
/* Only the lab of a lab file or of a scenario (`blackstart lab up FILE`). */
int scenario_load_lab(const char *file, const struct scenario_set *sets, size_t n_sets,
                      struct scenario **ret, struct problems *problems, struct err *err) MUST_CHECK;
void scenario_free(struct scenario *s);

/* JSON Schema, draft-07, of the whole language, from the same tables. */
json_t *scenario_schema(const struct catalogue *faults);
/* The reference page of the language, Markdown, from the same tables. */
void scenario_doc(const struct catalogue *faults, struct buf *out);

#endif
