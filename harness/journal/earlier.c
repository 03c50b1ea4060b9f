/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/earlier.h"

#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

static bool hash(const char *text, size_t len, char ret[EARLIER_SETUP_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(text, len, sum, &n, EVP_sha256(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < n && 2 * i + 2 < EARLIER_SETUP_TEXT; i++) {
        ret[2 * i] = digits[sum[i] >> 4];
        ret[2 * i + 1] = digits[sum[i] & 15];
    }
    ret[EARLIER_SETUP_TEXT - 1] = '\0';
    return true;
}

int earlier_setup(const char *sha256, const char *other, size_t other_len, const json_t *vars,
                  char ret[EARLIER_SETUP_TEXT], struct err *err)
{
    json_t *all = json_pack("{s:s, s:o, s:o}", "sha256", sha256, "other",
                            other != NULL ? json_stringn(other, other_len) : json_null(), "vars",
                            vars != NULL ? json_deep_copy(vars) : json_object());
    CLEANUP_FREE char *text = all != NULL ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(all);
    if (text == NULL || !hash(text, strlen(text), ret))
        return make_error(err, ERR_LIMIT, 0, "out of memory for the scenario's hash");
    return 0;
}

static json_t *figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *target_json(const struct earlier_target *t)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s}", "measure", t->measure,
                     "of", t->of, "from", t->from, "unit", t->unit, "limit", figure(t->limit),
                     "lower", figure(t->lower), "upper", figure(t->upper), "verdict", t->verdict,
                     "detail", t->detail, "side", t->at_least ? "at least" : "at most");
}

static json_t *run_json(const struct earlier_run *r)
{
    json_t *targets = json_array();
    for (size_t i = 0; i < r->n_targets; i++)
        (void)json_array_append_new(targets, target_json(&r->targets[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:o}", "run", r->run, "wall",
                     r->wall, "version", r->version, "verdict", r->verdict, "sha256", r->sha256,
                     "setup", r->setup, "packages", r->packages != NULL ? r->packages : "",
                     "trials", (json_int_t)r->trials, "stopped", r->stopped, "targets", targets);
}

json_t *earlier_to_json(const struct earlier *e)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < e->n; i++)
        (void)json_array_append_new(runs, run_json(&e->runs[i]));
    return json_pack("{s:s, s:o, s:I, s:I}", "setup", e->setup, "runs", runs, "older",
                     (json_int_t)e->older, "stopped", (json_int_t)e->stopped);
}

/* The texts that an object must have, by name. */
static int texts_read(const json_t *o, const char *const *names, const char **const *to, size_t n,
                      struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        *to[i] = json_string_value(json_object_get(o, names[i]));
        if (*to[i] == NULL)
            return make_error(err, ERR_INPUT, 0, "needs `%s`, a text", names[i]);
    }
    return 0;
}

static double number(const json_t *o, const char *name, double otherwise)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : otherwise;
}

static int target_read(const json_t *o, struct earlier_target *ret, struct err *err)
{
    static const char *const names[] = {"measure", "of", "from", "unit", "verdict"};
    const char **const to[] = {&ret->measure, &ret->of, &ret->from, &ret->unit, &ret->verdict};
    const char *detail = json_string_value(json_object_get(o, "detail"));
    const char *side = json_string_value(json_object_get(o, "side"));
    ret->detail = detail != NULL ? detail : "";
    ret->at_least = side != NULL && strcmp(side, "at least") == 0;
    ret->limit = number(o, "limit", NAN);
    ret->lower = number(o, "lower", NAN);
    /* Of an interval that has a lower bound only, the other is open. */
    ret->upper = number(o, "upper", isnan(ret->lower) ? NAN : INFINITY);
    return texts_read(o, names, to, sizeof(names) / sizeof(names[0]), err);
}

static int run_read(const json_t *o, struct arena *arena, struct earlier_run *ret, struct err *err)
{
    static const char *const names[] = {"run", "wall", "version", "verdict", "sha256", "setup"};
    const char **const to[] = {&ret->run,     &ret->wall,   &ret->version,
                               &ret->verdict, &ret->sha256, &ret->setup};
    const json_t *targets = json_object_get(o, "targets");
    size_t n = json_array_size(targets);
    if (texts_read(o, names, to, sizeof(names) / sizeof(names[0]), err) != 0)
        return -1;
    if (!json_is_array(targets) || n > EARLIER_TARGETS_MAX)
        return make_error(err, ERR_INPUT, 0, "needs `targets`, a list of at most %d",
                          EARLIER_TARGETS_MAX);
    const char *packages = json_string_value(json_object_get(o, "packages"));
    ret->packages = packages != NULL ? packages : "";
    ret->trials = json_integer_value(json_object_get(o, "trials"));
    ret->stopped = json_is_true(json_object_get(o, "stopped"));
    ret->targets = arena_array(arena, n + 1, sizeof(*ret->targets));
    if (ret->targets == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu targets", n);
    for (; ret->n_targets < n; ret->n_targets++)
        if (target_read(json_array_get(targets, ret->n_targets), &ret->targets[ret->n_targets],
                        err) != 0)
            return -1;
    return 0;
}

int earlier_from_json(const json_t *members, struct arena *arena, struct earlier *ret,
                      struct err *err)
{
    const json_t *runs = json_object_get(members, "runs");
    struct earlier e = {.known = true,
                        .setup = json_string_value(json_object_get(members, "setup")),
                        .older = json_integer_value(json_object_get(members, "older")),
                        .stopped = json_integer_value(json_object_get(members, "stopped"))};
    size_t n = json_array_size(runs);
    if (e.setup == NULL || !json_is_array(runs) || n > EARLIER_MAX)
        return make_error(err, ERR_INPUT, 0, "needs `setup`, and `runs`, a list of at most %d",
                          EARLIER_MAX);
    e.runs = arena_array(arena, n + 1, sizeof(*e.runs));
    if (e.runs == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu earlier runs", n);
    for (; e.n < n; e.n++)
        if (run_read(json_array_get(runs, e.n), arena, &e.runs[e.n], err) != 0)
            return wrap_error(err, "run %zu", e.n + 1);
    *ret = e;
    return 0;
}
