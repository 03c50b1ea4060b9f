/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/shape.h"

#include <stdio.h>
#include <string.h>

static const char *const outcomes[] = {"ok",       "refused", "timeout", "5xx",
                                       "conflict", "other",   NULL};
const char *const load_failure_words[] = {"refused", "timeout", "5xx", "conflict", "other", NULL};
const char *const load_model_words[] = {"closed", "open", NULL};
const char *const load_arrival_words[] = {"poisson", "even", NULL};
const char *const load_jitter_words[] = {"full", "none", NULL};

const char *load_outcome_word(enum load_outcome o)
{
    return o < LOAD_OUTCOMES ? outcomes[o] : "";
}

#define DAY                 INT64_C(86400000000000)
#define S(kind, field, ...) P(struct load_shape, kind, field, __VA_ARGS__)
#define R(kind, field, ...)                                                                        \
    {                                                                                              \
        .name = "retry_" #field, .type = (kind),                                                   \
        .offset = offsetof(struct load_shape, retry.field), __VA_ARGS__                            \
    }

const struct param load_shape_params[] = {
    S(PARAM_ENUM, model, .def = "closed", .choices = load_model_words, .doc = "Who asks."),
    S(PARAM_INT, users, .def = "1", .min = 1, .max = LOAD_USERS_MAX, .doc = "How many ask."),
    S(PARAM_DURATION, think, .def = "0ms", .max = DAY, .doc = "The pause of a user."),
    S(PARAM_INT, rate, .def = "1", .min = 1, .max = LOAD_RATE_MAX, .doc = "Operations a second."),
    S(PARAM_ENUM, arrivals, .def = "poisson", .choices = load_arrival_words, .doc = "When."),
    S(PARAM_INT, in_flight, .def = "256", .min = 1, .max = LOAD_USERS_MAX, .doc = "At most."),
    S(PARAM_DURATION, timeout, .def = "1s", .min = 1000000, .max = DAY, .doc = "Of an attempt."),
    R(PARAM_INT, limit, .def = "0", .max = LOAD_RETRIES_MAX, .doc = "Attempts beyond the first."),
    R(PARAM_DURATION, backoff, .def = "0ms", .max = DAY, .doc = "Before the second attempt."),
    R(PARAM_INT, factor, .def = "2", .min = 1, .max = 100, .doc = "Of each further wait."),
    R(PARAM_DURATION, at_most, .def = "10s", .max = DAY, .doc = "Of a wait."),
    R(PARAM_ENUM, jitter, .def = "full", .choices = load_jitter_words, .doc = "Of a wait."),
    R(PARAM_INT, on, .def = "30", .max = (1 << LOAD_OUTCOMES) - 1,
      .doc = "Which failures are tried again, a bit each: refused 2, timeout 4, 5xx 8, conflict "
             "16, other 32."),
};
const size_t load_n_shape_params = sizeof(load_shape_params) / sizeof(load_shape_params[0]);

const char *load_shape_print_model(const struct load_shape *s, char *out, size_t size)
{
    char text[64];
    if (s->model == LOAD_OPEN)
        (void)snprintf(
            out, size, "%lld operations a second, %s, at most %lld under way", (long long)s->rate,
            s->arrivals == LOAD_EVEN ? "evenly" : "as a Poisson process", (long long)s->in_flight);
    else if (s->think.ns == 0)
        (void)snprintf(out, size, "%lld user%s without a pause", (long long)s->users,
                       s->users == 1 ? "" : "s");
    else
        (void)snprintf(out, size, "%lld user%s, each about %s after its last answer",
                       (long long)s->users, s->users == 1 ? "" : "s",
                       duration_print(s->think, text, sizeof(text)));
    return out;
}

static void put_retry(const struct load_retry *r, char *out, size_t size)
{
    char wait[64], most[64], factor[64] = "";
    if (r->limit == 0) {
        (void)snprintf(out, size, "no retries");
        return;
    }
    if (r->backoff.ns == 0) {
        (void)snprintf(out, size, "at most %lld retries without a wait", (long long)r->limit);
        return;
    }
    if (r->factor > 1)
        (void)snprintf(factor, sizeof(factor), ", each %lld times as long", (long long)r->factor);
    (void)snprintf(out, size, "at most %lld retries after %s%s%s, at most %s", (long long)r->limit,
                   r->jitter == LOAD_JITTER_FULL ? "up to " : "",
                   duration_print(r->backoff, wait, sizeof(wait)), factor,
                   duration_print(r->at_most, most, sizeof(most)));
}

const char *load_shape_text(const struct load_shape *s, char *out, size_t size)
{
    char model[120], retry[200], timeout[64];
    (void)load_shape_print_model(s, model, sizeof(model));
    put_retry(&s->retry, retry, sizeof(retry));
    (void)snprintf(out, size, "%s; time-out %s; %s", model,
                   duration_print(s->timeout, timeout, sizeof(timeout)), retry);
    return out;
}

const struct fault load_change = {
    .name = "load",
    .summary = "A load asks more, or otherwise.",
    .doc = "",
    .example = "",
    .footprint = "",
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_EVENT,
    .args_size = sizeof(struct load_shape),
    .params = load_shape_params,
    .n_params = sizeof(load_shape_params) / sizeof(load_shape_params[0]),
};
