/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan, for people and for machines. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "engine/plan_parts.h"

#include <string.h>

enum { PLAN_TEXT_MAX = 1024 * 1024 };

/* The name of the host with this address; NULL when it is nobody's. */
static const char *host_of(const struct plan *plan, const char *addr)
{
    size_t len = strcspn(addr, "/");
    for (size_t h = 0; h < plan->n_hosts; h++)
        for (size_t a = 0; a < plan->hosts[h].n_addrs; a++) {
            char text[64];
            (void)addr_print(&plan->hosts[h].addrs[a], text, sizeof(text));
            if (strcspn(text, "/") == len && strncmp(text, addr, len) == 0)
                return plan->hosts[h].name;
        }
    return NULL;
}

/* Does it stand in the scenario as it is? */
static bool is_written(const struct selector *peers, const char *addr)
{
    const struct selector *one;
    char text[64];
    for (size_t k = 0; (one = selector_addr(peers, k)) != NULL; k++)
        if (strcmp(addr_print(&one->addr, text, sizeof(text)), addr) == 0)
            return true;
    return false;
}

/* The arguments with hosts' names where their addresses stand, one behind the other. */
static json_t *named_args(const struct plan *plan, const struct scenario_step *s, const void *args)
{
    const struct fault *fault = s->fault;
    json_t *object = params_encode(fault->params, fault->n_params, args);
    for (size_t p = 0; p < fault->n_params; p++) {
        if (fault->params[p].type != PARAM_HOSTS)
            continue;
        json_t *names = json_array(), *addr;
        const char *last = NULL;
        size_t i;
        json_array_foreach(json_object_get(object, fault->params[p].name), i, addr)
        {
            const char *text = json_string_value(addr);
            bool written = text == NULL || is_written(s->peers, text);
            const char *name = written ? NULL : host_of(plan, text);
            if (name == NULL || name != last)
                (void)json_array_append_new(names, json_string(name != NULL ? name : text));
            last = name;
        }
        (void)json_object_set_new(object, fault->params[p].name, names);
    }
    return object;
}

/* Nobody can say before the run which hosts a share will be. */
static bool is_drawn(const struct plan *plan, const struct scenario_step *s)
{
    return !plan->scenario->seed_given &&
           (selector_share(s->hosts) != NULL || selector_share(s->peers) != NULL ||
            waves_given(&s->waves) || s->flap.jitter.ppm != 0);
}

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

static json_t *fault_json(const struct plan *plan, size_t step, struct err *err)
{
    const struct scenario_step *s = plan->steps[step].step;
    struct plan_injections injections = {0};
    struct role_holder roles[PLAN_ROLES_MAX];
    size_t n_roles = 0;
    if (plan_expand_assumed(plan, step, &injections, roles, &n_roles, err) < 0) {
        (void)wrap_error(err, "step %u", plan->steps[step].number);
        return NULL;
    }
    json_t *list = json_array(), *assumed = json_object();
    for (size_t i = 0; i < injections.n; i++) {
        json_t *one = json_pack("{s:s}", "host", plan->hosts[injections.list[i].host].name);
        (void)json_object_set_new(one, "args", named_args(plan, s, injections.list[i].args));
        if (injections.list[i].wave != 0)
            (void)json_object_set_new(one, "wave", json_integer(injections.list[i].wave));
        (void)json_array_append_new(list, one);
    }
    for (size_t i = 0; i < n_roles; i++)
        (void)json_object_set_new(assumed, roles[i].role,
                                  roles[i].host != NULL ? json_string(roles[i].host) : json_null());
    plan_injections_free(&injections);
    json_t *fault = json_pack("{s:s, s:o, s:s, s:b, s:b, s:o, s:o}", "fault", s->fault->name,
                              "for_s", s->length.ns != 0 ? seconds(s->length.ns) : json_null(),
                              "lifetime", lifetime_word(s->fault->lifetime), "can_be_undone",
                              s->fault->lifetime != LIFETIME_INSTANT, "drawn_at_run_time",
                              is_drawn(plan, s), "asked_at_run_time", assumed, "injections", list);
    if (fault != NULL)
        plan_json_unfold(plan, step, fault);
    return fault;
}

int plan_json(const struct plan *plan, json_t **ret, struct err *err)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct plan_step *p = &plan->steps[i];
        json_t *one =
            json_pack("{s:i, s:i, s:s, s:b, s:o, s:o}", "step", (int)p->number, "depth",
                      (int)p->depth, "what", p->what, "planned", p->step->planned, "at_least_s",
                      seconds(p->at_least_ns), "at_most_s", seconds(p->at_most_ns));
        if (p->step->kind == STEP_FAULT) {
            json_t *fault = fault_json(plan, i, err);
            if (fault == NULL) {
                json_decref(one);
                json_decref(steps);
                return -1;
            }
            (void)json_object_update(one, fault);
            json_decref(fault);
        }
        plan_json_asks(p->step, one);
        (void)json_array_append_new(steps, one);
    }
    json_t *hosts = json_array();
    for (size_t i = 0; i < plan->n_hosts; i++)
        (void)json_array_append_new(hosts, json_string(plan->hosts[i].name));
    const struct scenario *s = plan->scenario;
    *ret = json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "scenario", s->name,
                     "scenario_sha256", s->sha256, "hosts", hosts, "seed",
                     s->seed_given ? json_integer((json_int_t)plan->seed) : json_null(), "trials",
                     (int)s->trials, "steps", steps, "least_s", seconds(plan->least_ns), "most_s",
                     seconds(plan->most_ns), "ledgers", plan_json_ledgers(s), "deadline_s",
                     seconds(s->deadline.ns));
    return *ret != NULL ? 0 : make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
}

static void print_duration(struct buf *out, int64_t ns)
{
    char text[64];
    buf_puts(out, duration_print((struct duration){ns}, text, sizeof(text)));
}

/* Services, or signals behind them; how many. */
static size_t print_probes(const struct scenario *s, bool signals, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_probes; i++)
        if (s->probes[i].signal == signals)
            buf_printf(out, "%s%s", n++ != 0 || signals ? ", " : "",
                       scenario_probe_label(&s->probes[i]));
    return n;
}

static void print_head(const struct plan *plan, struct buf *out)
{
    const struct scenario *s = plan->scenario;
    buf_printf(out, "%s", s->name);
    if (s->description != NULL)
        buf_printf(out, ": %s", s->description);
    buf_printf(out, "\n\nhosts       ");
    for (size_t i = 0; i < plan->n_hosts; i++)
        buf_printf(out, "%s%s", i != 0 ? ", " : "", plan->hosts[i].name);
    if (s->seed_given)
        buf_printf(out, "\nseed        %llu", (unsigned long long)plan->seed);
    else
        buf_puts(out, "\nseed        drawn at each run, and journalled");
    if (s->sequential.at_most != 0)
        buf_printf(
            out, "\ntrials      until the plan has decided: %u straight passes accept, %u at most",
            scenario_sequential_least(&s->sequential), s->trials);
    else
        buf_printf(out, "\ntrials      %u", s->trials);
    buf_puts(out, s->trials > 1 ? ", and a fault-free one first" : "");
    buf_puts(out, "\nfirst       ");
    if (print_probes(s, false, out) > 0)
        buf_puts(out, " must be good");
    if (print_probes(s, true, out) > 0)
        buf_puts(out, " silent");
    buf_puts(out, " for ");
    print_duration(out, s->steady_for.ns);
    buf_puts(out, " within ");
    print_duration(out, s->steady_within.ns);
    buf_puts(out, ", else nothing is injected");
    plan_print_ledgers(s, out);
    plan_print_ends(s, out);
    buf_puts(out, "\n\n");
}

static void print_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        buf_puts(out, json_string_value(value));
    } else if (json_is_array(value)) {
        const json_t *item;
        size_t i;
        json_array_foreach(value, i, item)
        {
            if (i != 0)
                buf_puts(out, ",");
            print_value(out, item);
        }
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        buf_puts(out, text != NULL ? text : "");
        free(text);
    }
}

static void print_injection(struct buf *out, const char *indent, const json_t *one)
{
    const json_t *wave = json_object_get(one, "wave");
    buf_printf(out, "%s  ", indent);
    if (wave != NULL)
        buf_printf(out, "wave %" JSON_INTEGER_FORMAT "  ", json_integer_value(wave));
    buf_printf(out, "%-10s", json_string_value(json_object_get(one, "host")));
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(one, "args"), key, value)
    {
        if (json_is_array(value) && json_array_size(value) == 0)
            continue;
        struct buf text = BUF_INIT(PLAN_TEXT_MAX);
        print_value(&text, value);
        bool plain = strpbrk(buf_text(&text), "\n") == NULL && text.len < 60;
        if (plain && text.len != 0)
            buf_printf(out, " %s=%s", key, buf_text(&text));
        else if (text.len != 0)
            buf_printf(out, " %s=(%zu bytes)", key, text.len);
        buf_free(&text);
    }
    buf_puts(out, "\n");
}

static size_t count(const bool *chosen, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += chosen[i];
    return total;
}

/* How many of whom a share is; a role's holder is not known either. */
static void print_drawn(const struct plan *plan, const struct scenario_step *s, const char *indent,
                        struct buf *out)
{
    static const struct selector all = {.kind = SELECT_ALL};
    const struct selector *share = selector_share(s->hosts);
    const struct selector *of = share != NULL && share->of != NULL ? share->of : &all;
    bool some[PLAN_HOSTS_MAX] = {false}, from[PLAN_HOSTS_MAX] = {false};
    buf_printf(out, "%s  ", indent);
    if (share != NULL && selector_role(of, 0) == NULL && plan_chosen_by(plan, share, some) &&
        plan_chosen_by(plan, of, from)) {
        buf_printf(out, "%zu of ", count(some, plan->n_hosts));
        for (size_t h = 0; h < plan->n_hosts; h++)
            if (from[h])
                buf_printf(out, "%s, ", plan->hosts[h].name);
    }
    buf_puts(out, "drawn at run time (--seed N shows what a seed draws); for example:\n");
}

/* What acts once is never "on": its length only says when it counts as over. */
static void print_instant(const struct scenario_step *s, const char *indent, struct buf *out)
{
    const struct fault *f = s->fault;
    if (s->length.ns != 0) {
        buf_printf(out, "%s  acts once, and counts as over ", indent);
        print_duration(out, s->length.ns);
        bool ends = param_find(f->params, f->n_params, "service") != NULL;
        buf_puts(out, ends ? " later: what it ended is started then, if it has not come back\n"
                           : " later\n");
    }
    buf_printf(out, "%s  CANNOT BE UNDONE\n", indent);
}

static int print_fault(const struct plan *plan, size_t step, const char *indent, struct buf *out,
                       struct err *err)
{
    const struct scenario_step *s = plan->steps[step].step;
    json_t *fault = fault_json(plan, step, err);
    if (fault == NULL)
        return -1;
    const char *role;
    json_t *host, *one;
    json_object_foreach(json_object_get(fault, "asked_at_run_time"), role, host)
    {
        const char *name = json_string_value(host);
        buf_printf(out, "%s  who the %s is, is asked at run time; if it is %s:\n", indent, role,
                   name != NULL ? name : "(nobody)");
    }
    size_t i;
    if (is_drawn(plan, s))
        print_drawn(plan, s, indent, out);
    json_array_foreach(json_object_get(fault, "injections"), i, one)
        print_injection(out, indent, one);
    plan_print_unfold(plan, step, indent, out);
    json_decref(fault);
    if (s->load != NULL)
        buf_printf(out, "%s  ends with the load's process at the latest\n", indent);
    else if (s->fault->lifetime == LIFETIME_INSTANT)
        print_instant(s, indent, out);
    else
        buf_printf(out, "%s  put back by command; should that not come, by the %s\n", indent,
                   lifetime_word(s->fault->lifetime));
    return 0;
}

static void print_when(struct buf *out, const struct plan_step *p)
{
    buf_puts(out, "+");
    print_duration(out, p->at_least_ns);
    if (p->at_most_ns != p->at_least_ns) {
        buf_puts(out, "..");
        print_duration(out, p->at_most_ns);
    }
}

static void print_foot(const struct plan *plan, struct buf *out)
{
    buf_puts(out, "\ncannot be undone:");
    bool any = false;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *s = plan->steps[i].step;
        bool instant = s->kind == STEP_FAULT && s->fault->lifetime == LIFETIME_INSTANT;
        bool commands = s->kind == STEP_RUN || s->kind == STEP_RUNBOOK;
        if (!instant && !commands)
            continue;
        any = true;
        buf_printf(out, "\n  step %u, %s", plan->steps[i].number,
                   instant               ? s->fault->name
                   : s->kind == STEP_RUN ? "what its command does"
                                         : "what its commands do");
    }
    buf_puts(out, any ? "\n" : " nothing\n");
    buf_puts(out, "total time: ");
    print_duration(out, plan->least_ns);
    buf_puts(out, " at least, ");
    print_duration(out, plan->most_ns);
    buf_puts(out, " at most, beside the lab's own start\n");
}

int plan_print(const struct plan *plan, char **ret, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PLAN_TEXT_MAX);
    print_head(plan, &out);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct plan_step *p = &plan->steps[i];
        char indent[72];
        (void)snprintf(indent, sizeof(indent), "%*s", (int)(p->depth < 16 ? 4 * p->depth : 64), "");
        buf_printf(&out, "%s%u. ", indent, p->number);
        print_when(&out, p);
        buf_printf(&out, "  %s%s\n", p->what, p->step->planned ? " (planned)" : "");
        plan_print_asks(p->step, indent, &out);
        if (p->step->kind == STEP_FAULT && print_fault(plan, i, indent, &out, err) < 0)
            return -1;
    }
    print_foot(plan, &out);
    *ret = buf_steal(&out);
    return *ret != NULL ? 0 : make_error(err, ERR_LIMIT, 0, "the plan is too long to print");
}
