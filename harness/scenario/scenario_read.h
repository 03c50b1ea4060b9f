/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario language as tables: a section is a map with known keys, and reading, "did you mean",
 * the JSON Schema and the reference page derive from its rows. Only scenario_*.c and inventory.c
 * use it. Readers never stop at the first mistake: they report it and go on, so that all mistakes
 * of a file come at once.
 */
#ifndef BLACKSTART_SCENARIO_READ_H
#define BLACKSTART_SCENARIO_READ_H

#include "scenario/scenario.h"
#include "scenario/selector.h"
#include "scenario/yamltree.h"

#include <jansson.h>

enum {
    READER_TITLE = 100,
    SCENARIO_HOSTS_MAX = 64,
    SCENARIO_ITEMS_MAX = 256,
    SCENARIO_TEXT_MAX = 65536
};

/* What a selector may name in a place. */
enum select_scope {
    SCOPE_STATIC, /* names, labels, all, all_but: known before anything runs */
    SCOPE_ROLES,  /* roles and shares too */
    SCOPE_FAULT,  /* as SCOPE_ROLES, but not the client */
    SCOPE_PEERS   /* as SCOPE_ROLES, and addresses and networks of no host */
};

struct reader {
    struct scenario *s;
    struct arena *arena; /* the scenario's */
    const struct source *source;
    struct problems *problems;
    const struct catalogue *faults;
    const struct source *other;        /* stands for the scenario's other file; NULL: it is read */
    const struct selector_host *hosts; /* of the lab or the inventory, client among them */
    size_t n_hosts;
    /* Of the lab or inventory not all could be read: what is not known may be right, and is not
     * told. */
    bool hosts_unsure, labels_unsure, services_unsure;
    const struct node *root; /* of the file that is being read */
    struct var_wanted {      /* values for variables: the variant's, then --set's */
        const char *name, *value;
        struct pos pos;
        bool used, variant; /* variant: of one, here or another */
    } * wanted;
    size_t n_wanted;
    bool no_memory;
};

enum key_type {
    KEY_PARAM,    /* a scalar of one of param.h's fixed-size types, into its own struct */
    KEY_COUNT,    /* uint32_t */
    KEY_TEXT,     /* const char * */
    KEY_NAME,     /* const char *, as PARAM_NAME */
    KEY_PATH,     /* const char *, as PARAM_PATH */
    KEY_TEXTS,    /* const char *const * and a count; one alone may stand without a list */
    KEY_NAMES,    /* the same, of names */
    KEY_PATHS,    /* the same, of absolute paths */
    KEY_COMMAND,  /* the same: a list, or a text that is split at spaces */
    KEY_SELECTOR, /* const struct selector * */
    KEY_SECTION,  /* a map with known keys, into the struct at offset */
    KEY_MAP,      /* name -> section: const struct * and a count */
    KEY_LIST,     /* list of sections: const struct * and a count */
    KEY_KIND,     /* a row of `kinds`: a pointer to it; a section's first key */
    KEY_CUSTOM    /* read */
};

struct section;

struct key {
    const char *name;
    enum key_type type;
    size_t offset, count; /* of the value and, for what has one, of its count (size_t) */
    bool required;
    unsigned group; /* keys of one group exclude each other; 0: none */
    const char *doc, *def;
    enum param_type param;
    int64_t min, max;
    const char *const *choices;
    enum select_scope scope;
    const struct section *section;
    const struct kinds *kinds;
    void (*read)(struct reader *r, const struct key *key, const struct node *node, void *at);
    json_t *(*schema)(const struct key *key);
    const char *shape; /* CUSTOM: how the value is written, for the reference page */
};

struct section {
    const char *name; /* "probe": for messages, the schema's definition and the reference page */
    const char *doc, *example;
    size_t size; /* of the struct of an item of a KEY_MAP or KEY_LIST */
    const struct key *keys;
    size_t n_keys;
    const char *shorthand;  /* a scalar or list alone means {shorthand: it} */
    bool one_of;            /* one key of group 1 must be there */
    bool may_be_empty;      /* `n1:` alone means {} */
    bool variants;          /* an item may say `only` (scenario_variant.c) */
    size_t name_at, pos_at; /* MAP: where the name goes (const char *); where the position goes */
    bool has_name, has_pos;
    enum param_type name_type; /* PARAM_PATH, or else PARAM_NAME */
    /* Parameters that stand beside the table's keys, by the fault that the map names; false: it is
     * not known, so any key may be right. Where the first key is a KEY_KIND nothing is needed. */
    bool (*extras)(const struct reader *r, const struct node *node, const struct param **ret,
                   size_t *ret_n);
    /* Where it is not known: whether any has such a parameter. */
    bool (*any_extra)(const struct reader *r, const char *name);
    /* After the keys: what one row alone cannot say. */
    void (*finish)(struct reader *r, const struct node *node, void *at);
};

#define KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

/* Rows: a key whose value lies in `field` of struct `type`. */
#define AT(type, field)      .offset = offsetof(type, field)
#define AT_LIST(type, field) .offset = offsetof(type, field), .count = offsetof(type, n_##field)
#define POS_IN(type)         .has_pos = true, .pos_at = offsetof(type, pos)
#define NAMED_IN(type)       .has_name = true, .name_at = offsetof(type, name)

#define KEY_NAME_OF_STEP                                                                           \
    {                                                                                              \
        .name = "name", .type = KEY_NAME, AT(struct scenario_step, name),                          \
        .doc = "What the report and `heal` call this step."                                        \
    }

#define KEY_PLANNED                                                                                \
    {                                                                                              \
        .name = "planned", .type = KEY_PARAM, .param = PARAM_BOOL,                                 \
        AT(struct scenario_step, planned), .def = "false",                                         \
        .doc = "Announced work, as a switch-over home: an outage that begins in it and has "       \
               "recovered by its end is left out of recovery_time, unless a fault was still on. "  \
               "Planned steps next to each other are one; blackstart plan marks them."             \
    }

void reader_problem(struct reader *r, struct pos pos, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The message of err, its mend as the hint. */
void reader_problem_err(struct reader *r, struct pos pos, const char *key, const struct err *err);
/* "WHAT "word"" (what: "there is no probe"), with the nearest of the words or, when they are few,
 * all of them. */
void reader_unknown(struct reader *r, struct pos pos, const char *what, const char *word,
                    const char *const *words, size_t n);
/* A section as a person knows it: "probe http", "target". Into out[READER_TITLE]. */
const char *reader_title(const struct section *section, const struct node *node, char *out);
/* Zeroed; NULL notes that there is no memory. */
/* A path as the file that is being read means it: relative to its directory. */
const char *reader_path(struct reader *r, const char *path);
void *reader_alloc(struct reader *r, size_t n, size_t size);
char *reader_strdup(struct reader *r, const char *text);

/* NULL after a report when the node is not of this kind. */
const struct node *reader_want(struct reader *r, const struct key *key, const struct node *node,
                               enum node_kind kind);

void read_section(struct reader *r, const struct section *section, const struct node *node,
                  void *at);
void read_key(struct reader *r, const struct key *key, const struct node *node, void *at);
void read_selector(struct reader *r, const struct key *key, const struct node *node,
                   const struct selector **ret);
void read_command(struct reader *r, const struct key *key, const struct node *node,
                  const char *const **ret, size_t *ret_n);
/* The parameters of a kind that stand in a map, into zeroed args; those of PARAM_HOSTS
 * into *hosts. */
struct kind_params {
    const struct param *params;
    size_t n;
    void *args;
    size_t size;
    const struct selector **hosts;
};
void read_params(struct reader *r, const struct node *map, const struct kind_params *kind);
/* scenario_kinds.c: sections whose first key is a KEY_KIND. NULL: that is none. */
const struct kinds *section_kinds(const struct section *section);
/* As the section's `extras` and `any_extra`, from its kinds or from itself; it has either. */
bool section_extras(const struct reader *r, const struct section *section, const struct node *node,
                    const struct param **ret, size_t *ret_n);
bool section_any_extra(const struct reader *r, const struct section *section, const char *name);
void read_kind(struct reader *r, const struct key *key, const struct node *node,
               const struct kind **ret);
/* The parameters of that kind; NULL after a report. */
void *read_kind_args(struct reader *r, const struct node *node, const struct kind *kind);
/* What a kind's check says of the key that is to blame; NULL: nothing. */
void reader_blame(struct reader *r, const struct node *node, const char *name,
                  const struct err *err);
json_t *schema_kind(const struct key *key);
/* "http, tcp or exec". Returns out. */
const char *kinds_words(const struct kinds *kinds, char *out, size_t size);
/* The name of the list's item that has it, or NULL after a report. */
const char *read_reference(struct reader *r, const char *what, const struct node *node,
                           const char *const *words, size_t n);
/* How many hosts a selector means; with a role, as if the first candidate had it. 0 for one that is
 * wrong; `chosen` says nothing then. */
size_t reader_count_hosts(struct reader *r, const struct selector *s, bool *chosen);

/* Replaces ${name} in all scalars of the tree but those below `vars`. */
void vars_expand(struct reader *r, struct node *node);
/* What --set and the variant give to variables, before any is read. */
void vars_want(struct reader *r, const struct scenario_set *sets, size_t n_sets);
/* The variables of the scenario, then those of its lab's file. */
void vars_read(struct reader *r, const struct node *node);
/* Reports values for variables that no file has. */
void vars_unused(struct reader *r);
/* Whether this can be a variable's value; reports why not. */
bool vars_value(struct reader *r, const struct key *key, const struct node *node);

/* scenario_variant.c: the variants, the one that is chosen, and the tree without what is the
 * others'. */
void variants_read(struct reader *r, const struct node *root, bool lab_file);
void variants_choose(struct reader *r, const struct scenario_set *sets, size_t n_sets);
void variants_compose(struct reader *r, struct node *root);
json_t *schema_variants(const struct key *key);
/* The row of `only`, which stands beside the keys of a section with `variants`. */
extern const struct key variants_only;

/* scenario_expect.c: where a number stands, into a struct probe_number. */
void read_match(struct reader *r, const struct key *key, const struct node *node, void *at);
json_t *schema_match(const struct key *key);

/* scenario_vantage.c: a probe's and a ledger's `from`. */
void read_vantages(struct reader *r, const struct key *key, const struct node *node, void *at);
void read_ledger_vantages(struct reader *r, const struct key *key, const struct node *node,
                          void *at);
json_t *schema_vantages(const struct key *key);
/* Probes with several vantages become one for each, and so do the targets on them. When all is
 * read. */
void vantages_expand(struct reader *r);

/* The probe that a node names, or NULL after a report. */
const char *read_probe_name(struct reader *r, const struct node *node);
/* The name of a host that a vantage stands on, or NULL after a report. */
const char *read_vantage_name(struct reader *r, const struct node *node);
/* The same, of a service's probe or of a signal's only. */
const char *read_service_name(struct reader *r, const struct node *node);
const char *read_signal_name(struct reader *r, const struct node *node);
/* scenario_admission.c: `as`; and the identities' users become the lab's. */
void read_as(struct reader *r, const struct key *key, const struct node *node, void *at);
void finish_as(struct reader *r, const struct node *node, const struct scenario_step *s);
void identities_make_users(struct reader *r);
/* What a fault step's `waves` and `flap` cannot say alone; the step's other keys are read. */
void finish_unfold(struct reader *r, const struct node *node, const struct scenario_step *s);

/* What the fault says of the addresses that stand among its peers: each where it stands, then all
 * of them. args is as it was then. */
void finish_peers(struct reader *r, const struct fault *fault, void *args,
                  const struct selector *peers);

/* Sections, in the files of their name. */
extern const struct section section_scenario, section_lab, section_service, section_probe,
    section_role, section_expect, section_number, section_rate, section_target, section_guard,
    section_inventory, section_lab_file, section_waves, section_flap, section_ledger,
    section_trials, section_outage, section_variant, section_symptom, section_load, section_retry,
    section_load_step, section_served;
/* scenario_admission.c, scenario_run.c */
extern const struct section section_check, section_approval, section_identity, section_run,
    section_runbook;
#define TARGET(word, name, unit, side, doc) extern const struct section section_target_##name;
#include "scenario/targets.def"
#undef TARGET
const struct section *lab_section_host(void);
/* A regular file of at most the buffer's maximum. */
int scenario_read_file(const char *file, struct buf *text, struct err *err) MUST_CHECK;
void read_lab(struct reader *r, const struct key *key, const struct node *node, void *at);
void read_steps(struct reader *r, const struct key *key, const struct node *node, void *at);
json_t *schema_reference(const struct key *key);
json_t *schema_steps(const struct key *key);
json_t *schema_branches(const struct key *key);
/* The sections of the kinds of step, the key that tells the kind first. */
size_t step_sections(const struct section **ret, size_t max);
/* Adds which kinds of step have a key that this kind, `section`, has not; false: none has, or that
 * is no kind of step. */
bool step_kinds_with(const struct section *section, const char *key, struct buf *hint);
void scenario_check(struct reader *r);
void loads_check(struct reader *r); /* what one load alone cannot say */

json_t *schema_key(const struct key *key);
json_t *schema_section(const struct section *section);
/* Text or ${variable}. */
json_t *schema_scalar(void);
json_t *schema_selector(const struct key *key);

#endif
