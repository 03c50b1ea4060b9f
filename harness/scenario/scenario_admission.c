/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fault step asks before it goes out: `check`, a command, and `approval`, a person. */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(86400000000000)

static const char *const answers[] = {"yes", "no", "none", NULL};
static const char *const otherwises[] = {"refuse", "proceed", NULL};

bool step_asks(const struct scenario_step *s)
{
    return s->check.n_command != 0 || s->approval.by != NULL || s->as != NULL;
}

static bool answers_in_time(const struct scenario_approval *a)
{
    return a->answer != ANSWER_NONE && (a->within.ns == 0 || a->after.ns <= a->within.ns);
}

int64_t approval_wait_ns(const struct scenario_approval *a)
{
    if (a->by == NULL)
        return 0;
    return answers_in_time(a) ? a->after.ns : a->within.ns;
}

bool approval_given(const struct scenario_approval *a)
{
    return answers_in_time(a) ? a->answer == ANSWER_YES : a->proceed != 0;
}

static void finish_check(struct reader *r, const struct node *node, void *at)
{
    (void)at;
    if (r->s->lab == NULL)
        reader_problem(r, node->pos, "on a real host, use what its own policy lists",
                       "check: commands run in labs only");
}

static const struct key check_keys[] = {
    {.name = "run",
     .type = KEY_COMMAND,
     AT_LIST(struct scenario_command_check, command),
     .required = true,
     .doc = "The command, run on the first of the step's hosts. A status other than 0 refuses the "
            "step. One that cannot be run, or does not end, is an error."},
    {.name = "user",
     .type = KEY_NAME,
     AT(struct scenario_command_check, user),
     .def = "root",
     .doc = "Who runs it."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_command_check, within),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "30s",
     .doc = "After this long it is killed, and the run ends with an error."},
};
const struct section section_check = {
    .name = "check",
    KEYS(check_keys),
    .finish = finish_check,
    .doc = "A validation before anything goes out, as a pipeline does it. A step that is refused "
           "is a result: nothing was injected, and the targets are judged from that moment on.",
    .example = "check: {run: [nginx, -t, -c, /opt/push/nginx.conf], within: 10s}\n"};

static void finish_approval(struct reader *r, const struct node *node, void *at)
{
    const struct scenario_approval *a = at;
    const struct node *answer = node_get(node, "answer"), *after = node_get(node, "after");
    bool none = a->answer == ANSWER_NONE;
    if (answer == NULL || answer->kind != NODE_SCALAR)
        return;
    if (none && after != NULL)
        reader_problem(r, after->pos, "say `within`, how long is waited",
                       "approval: nobody answers, so that there is no \"after\"");
    if (none && node_get(node, "within") == NULL)
        reader_problem(r, answer->pos, "within: 1m",
                       "approval: nobody answers, and there is no \"within\" to end the wait");
    if (!none && after == NULL)
        reader_problem(r, answer->pos, "after: 30s",
                       "approval: \"after\" is missing, how long until the answer");
    if (node_get(node, "otherwise") != NULL && node_get(node, "within") == NULL)
        reader_problem(r, node_get(node, "otherwise")->pos, "within: 1m",
                       "approval: \"otherwise\" needs a \"within\" that can pass");
}

/* In YAML 1.1 the first two are true and false. */
static json_t *schema_answer(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s, s, b, b]}", "enum", answers[0], answers[1], answers[2], 1, 0);
}

static void read_answer(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    const struct key as_enum = {.name = key->name,
                                .type = KEY_PARAM,
                                .param = PARAM_ENUM,
                                AT(struct scenario_approval, answer),
                                .choices = answers};
    read_key(r, &as_enum, node, at);
}

static const struct key approval_keys[] = {
    {.name = "by",
     .type = KEY_TEXT,
     AT(struct scenario_approval, by),
     .required = true,
     .doc = "Who is asked."},
    {.name = "after",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_approval, after),
     .max = LENGTH_MAX,
     .doc = "How long it takes until the answer comes."},
    {.name = "answer",
     .type = KEY_CUSTOM,
     .read = read_answer,
     .schema = schema_answer,
     .required = true,
     .shape = "yes, no or none",
     .doc = "What the answer is; `none`: nobody answers."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_approval, within),
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "How long an answer is waited for; an answer that comes later is none."},
    {.name = "otherwise",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     AT(struct scenario_approval, proceed),
     .choices = otherwises,
     .def = "refuse",
     .doc = "What happens when none has come by then."},
};
const struct section section_approval = {
    .name = "approval",
    KEYS(approval_keys),
    .finish = finish_approval,
    .doc = "A model of a person who is asked: the scenario states the answer and how long it "
           "takes, nobody is asked in truth. The report says so. Once the answer is yes, roles "
           "are asked again.",
    .example = "approval: {by: senior, after: 30s, answer: yes, within: 5m, otherwise: refuse}\n"};

static const struct key identity_keys[] = {
    {.name = "user",
     .type = KEY_NAME,
     AT(struct scenario_identity, user),
     .def = "the identity's name",
     .doc = "The hosts' user; a lab makes one that is missing."},
    {.name = "groups",
     .type = KEY_NAMES,
     AT_LIST(struct scenario_identity, groups),
     .max = 8,
     .doc = "Groups beside those that the hosts' own files give the user."},
};
const struct section section_identity = {
    .name = "identity",
    .size = sizeof(struct scenario_identity),
    NAMED_IN(struct scenario_identity),
    POS_IN(struct scenario_identity),
    KEYS(identity_keys),
    .may_be_empty = true,
    .variants = true,
    .doc = "Who acts in a step that says `as`. Each host's own kernel is asked, before anything is "
           "changed on any of them, whether it would let this user do the same; if not, the step "
           "is refused, which is a result.",
    .example = "identities:\n  agent: {user: deployer}\n  operator: {user: root}\n"};

void read_as(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    const char *words[SCENARIO_ITEMS_MAX];
    (void)key;
    for (size_t i = 0; i < r->s->n_identities; i++)
        words[i] = r->s->identities[i].name;
    const char *name = read_reference(r, "identity", node, words, r->s->n_identities);
    for (size_t i = 0; name != NULL && i < r->s->n_identities; i++)
        if (words[i] == name)
            ((struct scenario_step *)at)->as = &r->s->identities[i];
}

void finish_as(struct reader *r, const struct node *node, const struct scenario_step *s)
{
    if (s->as != NULL && s->fault->act == ACT_NONE)
        reader_problem(r, node_get(node, "as")->pos, NULL,
                       "as: %s takes no identity: only faults on files by `path` or `paths` do",
                       s->fault->name);
}

void identities_make_users(struct reader *r)
{
    struct lab_spec *lab = r->s->lab != NULL ? reader_alloc(r, 1, sizeof(*lab)) : NULL;
    const char **names = reader_alloc(r, r->s->n_identities + 1, sizeof(*names));
    if (lab == NULL || names == NULL || r->s->n_identities == 0)
        return;
    *lab = *r->s->lab;
    for (size_t i = 0; i < r->s->n_identities; i++)
        names[i] = scenario_identity_user(&r->s->identities[i]);
    lab->users = names;
    lab->n_users = r->s->n_identities;
    r->s->lab = lab;
}
