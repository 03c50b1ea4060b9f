/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/method.h"
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <string.h>
#include <sys/utsname.h>

static int read_name(const json_t *params, const char *key, char *to, size_t size, struct err *err)
{
    const json_t *value = json_object_get(params, key);
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) >= size)
        return make_error(err, ERR_INPUT, 0, "'%s' must be text of 1 to %zu characters", key,
                          size - 1);
    memcpy(to, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int read_ms(const json_t *params, const char *key, bool required, int64_t *to,
                   struct err *err)
{
    const json_t *value = json_object_get(params, key);
    if (value == NULL && !required)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > INT64_C(1000) * 3600 * 24 * 365)
        return make_error(err, ERR_INPUT, 0, "'%s' must be a number of milliseconds", key);
    *to = (int64_t)json_integer_value(value) * NS_PER_MS;
    return 0;
}

static int read_hello(const json_t *params, struct method_call *ret, struct err *err)
{
    struct agent_request *r = &ret->request;
    char theirs[DIGEST_TEXT], ours[DIGEST_TEXT];
    if (!json_is_integer(json_object_get(params, "protocol")) ||
        json_integer_value(json_object_get(params, "protocol")) != 1)
        return make_error(err, ERR_UNSUPPORTED, 0, "this agent speaks protocol 1 only");
    if (read_name(params, "run", r->run, sizeof(r->run), err) != 0 ||
        read_name(params, "host", r->host, sizeof(r->host), err) != 0 ||
        read_name(params, "catalogue", theirs, sizeof(theirs), err) != 0)
        return -1;
    catalogue_digest(&fault_catalogue, ours);
    if (strcmp(ours, theirs) != 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "the agent's catalogue %s is not yours, %s: take both programs from one "
                          "build",
                          ours, theirs);
    return read_ms(params, "lease_ms", true, &r->lease_ns, err);
}

static int read_nothing(const json_t *params, struct method_call *ret, struct err *err)
{
    (void)params;
    (void)ret;
    (void)err;
    return 0;
}

static int read_injection(const json_t *params, struct method_call *ret, struct err *err)
{
    return read_name(params, "injection", ret->request.injection, sizeof(ret->request.injection),
                     err);
}

/* {"user": "deployer", "groups": ["web"]} */
static int read_identity(const json_t *as, struct agent_request *r, struct err *err)
{
    const json_t *groups = json_object_get(as, "groups");
    if (as == NULL)
        return 0;
    if (!json_is_object(as) || read_name(as, "user", r->as, sizeof(r->as), err) != 0)
        return make_error(err, ERR_INPUT, 0, "'as' must have a user");
    if (groups != NULL && (!json_is_array(groups) || json_array_size(groups) > AGENT_GROUPS_MAX))
        return make_error(err, ERR_INPUT, 0, "'groups' must be a list of at most %d",
                          (int)AGENT_GROUPS_MAX);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *one = json_array_get(groups, i);
        if (!json_is_string(one) || json_string_length(one) > NAME_MAX_LEN)
            return make_error(err, ERR_INPUT, 0, "a group must be a name");
        memcpy(r->groups[r->n_groups++], json_string_value(one), json_string_length(one) + 1);
    }
    return 0;
}

static int read_prepare(const json_t *params, struct method_call *ret, struct err *err)
{
    struct agent_request *r = &ret->request;
    if (read_injection(params, ret, err) != 0 ||
        read_name(params, "fault", r->fault, sizeof(r->fault), err) != 0 ||
        read_ms(params, "lease_ms", true, &r->lease_ns, err) != 0 ||
        read_ms(params, "for_ms", false, &r->for_ns, err) != 0 ||
        read_identity(json_object_get(params, "as"), r, err) != 0)
        return -1;
    const struct fault *row = catalogue_find(&fault_catalogue, r->fault);
    if (row == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "there is no fault '%s'", r->fault);
    const json_t *args = json_object_get(params, "args");
    if (!json_is_object(args))
        return make_error(err, ERR_INPUT, 0, "'args' must be an object");
    ret->body = calloc(1, row->args_size > 0 ? row->args_size : 1);
    if (ret->body == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for the parameters");
    r->body = (uint32_t)row->args_size;
    return params_decode(row->params, row->n_params, args, ret->body, row->args_size, err);
}

static int read_lease(const json_t *params, struct method_call *ret, struct err *err)
{
    return read_ms(params, "lease_ms", true, &ret->request.lease_ns, err);
}

/* Where the files are that a fault may have touched: the same type as in a fault's table. */
struct clean_args {
    struct paths paths;
};
static const struct param clean_params[] = {
    P(struct clean_args, PARAM_PATHS, paths, .doc = "Files and directories to look at."),
};

static int read_clean(const json_t *params, struct method_call *ret, struct err *err)
{
    ret->request.body = sizeof(struct clean_args);
    ret->body = calloc(1, sizeof(struct clean_args));
    if (ret->body == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for the paths");
    return params_decode(clean_params, 1, params, ret->body, sizeof(struct clean_args), err);
}

static json_t *write_nothing(const struct method_result *result)
{
    (void)result;
    return json_object();
}

static json_t *write_supported(const struct agent_item *item)
{
    bool told = item->text[0] != '\0';
    if (item->yes == 0)
        return json_pack("{s:b,s:s}", "supported", 0, "why", item->text);
    return json_pack("{s:b,s:s*}", "supported", 1, "how", told ? item->text : NULL);
}

static json_t *write_replayed(const struct agent_item *item)
{
    return json_pack("{s:s,s:s,s:b,s:s,s:b,s:s}", "injection", item->name, "fault", item->fault,
                     "reverted", item->yes, "restored_by",
                     restored_by_word((enum restored_by)item->restored_by), "foreign",
                     item->foreign, "what", item->text);
}

static json_t *write_hello(const struct method_result *result)
{
    char digest[DIGEST_TEXT];
    struct utsname machine;
    json_t *faults = json_object(), *replayed = json_array();
    bool ok = true;
    for (uint32_t i = 0; i < result->reply->n_items; i++) {
        const struct agent_item *item = &result->items[i];
        if (i < fault_catalogue.n)
            ok = json_object_set_new(faults, item->name, write_supported(item)) == 0 && ok;
        else
            ok = json_array_append_new(replayed, write_replayed(item)) == 0 && ok;
    }
    catalogue_digest(&fault_catalogue, digest);
    if (!ok || uname(&machine) != 0) {
        json_decref(faults);
        json_decref(replayed);
        return NULL;
    }
    return json_pack("{s:s,s:i,s:s,s:s,s:o,s:o,s:i,s:{s:i,s:i,s:i},s:b}", "version",
                     BLACKSTART_VERSION, "protocol", 1, "catalogue", digest, "kernel",
                     machine.release, "faults", faults, "replayed", replayed, "unreadable",
                     (int)result->reply->unreadable, "pids", "netside", result->netside, "privside",
                     result->reply->privside, "guardian", result->reply->guardian, "own_uid",
                     result->own_uid);
}

static json_t *write_digest(const struct method_result *result)
{
    return json_pack("{s:s}", "digest", result->reply->digest);
}

static json_t *write_active(const struct method_result *result)
{
    return json_pack("{s:b}", "active", result->reply->active);
}

static json_t *write_applied(const struct method_result *result)
{
    return json_pack("{s:b,s:s}", "active", result->reply->active, "what", result->reply->what);
}

static json_t *write_evidence(const struct method_result *result)
{
    const struct agent_reply *reply = result->reply;
    const struct evidence *e = &reply->evidence;
    json_t *items = json_object();
    for (uint32_t i = 0; i < e->n && i < EVIDENCE_MAX; i++)
        if (json_object_set_new(items, e->items[i].name,
                                json_integer((json_int_t)e->items[i].value)) != 0) {
            json_decref(items);
            return NULL;
        }
    return json_pack("{s:o,s:s,s:b,s:s}", "items", items, "class",
                     evidence_class_word((enum evidence_class)reply->evidence_class), "proven",
                     e->proven, "what", e->what);
}

static json_t *write_lines(const struct method_result *result, bool foreign)
{
    json_t *lines = json_array();
    for (uint32_t i = 0; i < result->reply->n_items; i++)
        if ((result->items[i].foreign != 0) == foreign &&
            json_array_append_new(lines, json_string(result->items[i].text)) != 0) {
            json_decref(lines);
            return NULL;
        }
    return lines;
}

static json_t *write_names(const struct method_result *result, const char *key)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < result->reply->n_items; i++) {
        const struct agent_item *item = &result->items[i];
        if (json_array_append_new(names, json_string(item->name)) != 0) {
            json_decref(names);
            return NULL;
        }
    }
    return json_pack("{s:o}", key, names);
}

static json_t *write_lapsed(const struct method_result *result)
{
    return write_names(result, "lapsed");
}

static json_t *write_revert(const struct method_result *result)
{
    const struct agent_reply *reply = result->reply;
    json_t *out =
        json_pack("{s:s,s:s,s:b,s:s}", "ended_by", ended_by_word((enum ended_by)reply->ended_by),
                  "restored_by", restored_by_word((enum restored_by)reply->restored_by), "foreign",
                  reply->foreign, "what", reply->what);
    if (reply->has_evidence != 0 &&
        json_object_set_new(out, "evidence", write_evidence(result)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *write_clean(const struct method_result *result)
{
    return json_pack("{s:b,s:s,s:o,s:o}", "clean", result->reply->clean, "digest",
                     result->reply->digest, "differences", write_lines(result, false), "listed",
                     write_lines(result, true));
}

static json_t *write_status(const struct method_result *result)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < result->reply->n_items; i++) {
        const struct agent_item *item = &result->items[i];
        json_t *one = json_pack("{s:s,s:s,s:s,s:I}", "injection", item->name, "fault", item->fault,
                                "state", item->text, "lease_left_ms", (json_int_t)item->number);
        if (json_array_append_new(all, one) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return json_pack("{s:o}", "injections", all);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct method methods[] = {
    {"hello", OP_HELLO, NAMES("protocol", "run", "host", "catalogue", "lease_ms"), read_hello,
     write_hello},
    {"baseline", OP_BASELINE, NAMES(NULL), read_nothing, write_digest},
    {"prepare", OP_PREPARE, NAMES("injection", "fault", "args", "lease_ms", "for_ms", "as"),
     read_prepare, write_nothing},
    {"apply", OP_APPLY, NAMES("injection"), read_injection, write_applied},
    {"verify", OP_VERIFY, NAMES("injection"), read_injection, write_active},
    {"evidence", OP_EVIDENCE, NAMES("injection"), read_injection, write_evidence},
    {"renew", OP_RENEW, NAMES("lease_ms"), read_lease, write_lapsed},
    {"revert", OP_REVERT, NAMES("injection"), read_injection, write_revert},
    {"clean", OP_CLEAN, NAMES("paths"), read_clean, write_clean},
    {"status", OP_STATUS, NAMES(NULL), read_nothing, write_status},
};

const struct method *method_find(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static bool is_known(const struct method *m, const char *key)
{
    for (size_t i = 0; m->params[i] != NULL; i++)
        if (strcmp(m->params[i], key) == 0)
            return true;
    return false;
}

int method_read(const struct method *m, const json_t *params, struct method_call *ret,
                struct err *err)
{
    *ret = (struct method_call){.request.op = (uint32_t)m->op};
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)params, key, value)
    {
        if (!is_known(m, key))
            return make_error(err, ERR_INPUT, 0, "%s has no parameter '%.60s'", m->name, key);
    }
    return m->read(params, ret, err);
}

json_t *method_ended(const struct agent_reply *reply)
{
    return json_pack("{s:s,s:s,s:b,s:s}", "injection", reply->injection, "ended_by",
                     ended_by_word((enum ended_by)reply->ended_by), "foreign", reply->foreign,
                     "what", reply->what);
}
