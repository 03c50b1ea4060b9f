/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer must be: `expect` of probes and roles. */
#include "prober/dns_message.h"
#include "scenario/scenario_read.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1024, REPEAT_MAX = 1000 };

#define LATENCY_MAX INT64_C(60000000000)

static void read_status(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct probe_expect *e = at;
    char *end = NULL;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    bool digits = isdigit((unsigned char)node->text[0]) != 0;
    unsigned long lo = strtoul(node->text, &end, 10), hi = lo;
    if (digits && *end == '-' && isdigit((unsigned char)end[1]) != 0)
        hi = strtoul(end + 1, &end, 10);
    if (!digits || *end != '\0' || lo > hi || hi > 999)
        reader_problem(r, node->pos, NULL,
                       "%s: expected a status (200) or a range (200-299), found \"%s\"", key->name,
                       node->text);
    e->status_lo = (uint16_t)lo;
    e->status_hi = (uint16_t)hi;
}

static json_t *schema_status(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s], s:s}", "type", "integer", "string", "pattern",
                     "^[0-9]+(-[0-9]+)?$|\\$\\{");
}

static void read_rcode(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    const struct key as_enum = {
        .name = key->name, .type = KEY_PARAM, .param = PARAM_ENUM, .choices = dns_rcodes};
    struct probe_expect *e = at;
    int value = 0;
    read_key(r, &as_enum, node, &value);
    e->has_rcode = true;
    e->status_lo = e->status_hi = (uint16_t)value;
}

static json_t *schema_rcode(const struct key *key)
{
    json_t *words = json_array();
    (void)key;
    for (size_t i = 0; dns_rcodes[i] != NULL; i++)
        (void)json_array_append_new(words, json_string(dns_rcodes[i]));
    return json_pack("{s:[{s:o}, {s:s, s:s}]}", "anyOf", "enum", words, "type", "string", "pattern",
                     "\\$\\{");
}

static void read_address(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    unsigned char ip[16];
    char text[INET6_ADDRSTRLEN];
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    int family = strchr(node->text, ':') != NULL ? AF_INET6 : AF_INET;
    if (inet_pton(family, node->text, ip) != 1)
        reader_problem(r, node->pos, NULL, "%s: expected an IP address, found \"%s\"", key->name,
                       node->text);
    else
        ((struct probe_expect *)at)->address =
            reader_strdup(r, inet_ntop(family, ip, text, sizeof(text)));
}

/* The C library unrolls {m,n}: nested ones would take all memory. */
static bool repeats_too_much(const char *s)
{
    unsigned long product = 1;
    for (s = strchr(s, '{'); s != NULL; s = strchr(s + 1, '{')) {
        char *end = NULL;
        unsigned long lo = strtoul(s + 1, &end, 10);
        unsigned long hi = *end == ',' ? strtoul(end + 1, NULL, 10) : lo;
        product *= lo > hi ? (lo != 0 ? lo : 1) : (hi != 0 ? hi : 1);
        if (product > REPEAT_MAX)
            return true;
    }
    return false;
}

/* The text of a good pattern, or NULL after a report. */
static const char *read_pattern(struct reader *r, const struct key *key, const struct node *node)
{
    regex_t regex;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return NULL;
    if (strlen(node->text) > BODY_MAX || repeats_too_much(node->text)) {
        reader_problem(r, node->pos, NULL,
                       "%s: longer than %d bytes, or repeats more than %d times", key->name,
                       BODY_MAX, REPEAT_MAX);
        return NULL;
    }
    int code = regcomp(&regex, node->text, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
    if (code != 0) {
        char why[100];
        (void)regerror(code, NULL, why, sizeof(why));
        reader_problem(r, node->pos, NULL, "%s: not an extended regular expression: %s", key->name,
                       why);
        return NULL;
    }
    regfree(&regex);
    return node->text;
}

static void read_body(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    ((struct probe_expect *)at)->body = read_pattern(r, key, node);
}

void read_match(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    ((struct probe_number *)at)->match = read_pattern(r, key, node);
}

static bool read_decimal(struct reader *r, const struct key *key, const struct node *node,
                         double *ret)
{
    char *end = NULL;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return false;
    const char *digits = node->text + strspn(node->text, "+-");
    double value = strtod(node->text, &end);
    bool plain = strspn(digits, "0123456789.eE+-") == strlen(digits);
    if (!plain || end == node->text || *end != '\0' || !isfinite(value)) {
        reader_problem(r, node->pos, NULL,
                       "%s: expected a number such as 10000 or 0.5, found \"%s\"", key->name,
                       node->text);
        return false;
    }
    *ret = value;
    return true;
}

static void read_least(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct probe_number *n = at;
    n->has_least = read_decimal(r, key, node, &n->at_least);
}

static void read_most(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct probe_number *n = at;
    n->has_most = read_decimal(r, key, node, &n->at_most);
}

static json_t *schema_decimal(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s], s:s}", "type", "number", "string", "pattern",
                     "^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$|\\$\\{");
}

static void finish_number(struct reader *r, const struct node *node, void *at)
{
    struct probe_number *n = at;
    n->given = true;
    if (n->has_least && n->has_most && n->at_least > n->at_most)
        reader_problem(r, node->pos, NULL, "number: at_least is more than at_most");
}

json_t *schema_match(const struct key *key)
{
    (void)key;
    return schema_scalar();
}

static const struct key number_keys[] = {
    {.name = "match",
     .type = KEY_CUSTOM,
     .read = read_match,
     .schema = schema_match,
     .shape = "extended regular expression",
     .doc = "Where the number stands: the first one in what its first group captures or, without a "
            "group, in what it matches. Without it, the first number of the answer."},
    {.name = "at_least",
     .type = KEY_CUSTOM,
     .read = read_least,
     .schema = schema_decimal,
     .shape = "number",
     .doc = "A smaller one is bad."},
    {.name = "at_most",
     .type = KEY_CUSTOM,
     .read = read_most,
     .schema = schema_decimal,
     .shape = "number",
     .doc = "A larger one is bad."},
};
const struct section section_number = {
    .name = "number",
    KEYS(number_keys),
    .may_be_empty = true,
    .finish = finish_number,
    .doc = "A number that the answer must carry, within bounds: rows of a table, a queue's length. "
           "An answer without one is bad.",
    .example = "expect: {number: {match: 'count=([0-9]+)', at_least: 10000, at_most: 10000}}\n",
};

static void read_counter(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    ((struct probe_rate *)at)->match = read_pattern(r, key, node);
}

static void read_growth(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)read_decimal(r, key, node, &((struct probe_rate *)at)->at_least);
}

static void finish_rate(struct reader *r, const struct node *node, void *at)
{
    struct probe_rate *rate = at;
    rate->given = true;
    if (node_get(node, "at_least") != NULL && rate->at_least <= 0)
        reader_problem(r, node->pos, NULL, "rate: at_least must be more than 0");
}

static const struct key rate_keys[] = {
    {.name = "match",
     .type = KEY_CUSTOM,
     .read = read_counter,
     .schema = schema_match,
     .shape = "extended regular expression",
     .doc = "Where the counter stands, as in number."},
    {.name = "over",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct probe_rate, over),
     .required = true,
     .min = 1000000,
     .max = INT64_C(3600000000000),
     .doc = "The window: at least four intervals of the probe."},
    {.name = "at_least",
     .type = KEY_CUSTOM,
     .required = true,
     .read = read_growth,
     .schema = schema_decimal,
     .shape = "number",
     .doc = "The least growth that is good ..."},
    {.name = "per",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct probe_rate, per),
     .min = 1000000,
     .max = INT64_C(86400000000000),
     .def = "1s",
     .doc = "... in so long."},
};
const struct section section_rate = {
    .name = "rate",
    KEYS(rate_keys),
    .finish = finish_rate,
    .doc = "The growth of a counter that the answers carry, by itself at each endpoint: a business "
           "rate. A slot is bad when the counter grew by less over the window behind it, and until "
           "the window is filled: at first, after a counter became smaller (it began anew), and "
           "after a quarter of the window (at least three intervals) without an answer. What a "
           "slot says is true of some instant in its window, so the bounds of onset and recovery "
           "reach back by so much more, and the certain part of `outage_seconds` is "
           "shorter by so much: what came back for less than the window counts as away.",
    .example = "expect: {rate: {match: '\"ok\":([0-9]+)', over: 10s, at_least: 30, per: 1m}}\n",
};

static const struct key expect_keys[] = {
    {.name = "status",
     .type = KEY_CUSTOM,
     .read = read_status,
     .schema = schema_status,
     .shape = "200 or 200-299",
     .def = "200-299 for http, 0 for exec",
     .group = 2,
     .doc = "The HTTP status, or the exit status of a command."},
    {.name = "rcode",
     .type = KEY_CUSTOM,
     .read = read_rcode,
     .schema = schema_rcode,
     .shape = "NOERROR, NXDOMAIN, SERVFAIL, REFUSED ...",
     .def = "NOERROR",
     .group = 2,
     .doc = "dns: the name server's response code."},
    {.name = "address",
     .type = KEY_CUSTOM,
     .read = read_address,
     .schema = schema_match,
     .shape = "IP address",
     .doc = "dns: an address that must be among the answers."},
    {.name = "body",
     .type = KEY_CUSTOM,
     .read = read_body,
     .schema = schema_match,
     .shape = "extended regular expression",
     .doc = "What must be found in the answer. ^ and $ stand for the ends of a line."},
    {.name = "latency",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct probe_expect, latency),
     .min = 1,
     .max = LATENCY_MAX,
     .doc = "An answer that takes longer is bad. Without it, only the time-out counts."},
    {.name = "number",
     .type = KEY_SECTION,
     AT(struct probe_expect, number),
     .section = &section_number,
     .doc = "A number in the answer, and its bounds."},
    {.name = "rate",
     .type = KEY_SECTION,
     AT(struct probe_expect, rate),
     .section = &section_rate,
     .doc = "The growth of a number in the answers."},
};
const struct section section_expect = {
    .name = "expect",
    KEYS(expect_keys),
    .doc = "What an answer must be to count as good.",
    .example = "expect: {status: 200, body: '\"ok\": *true', latency: 100ms}\n",
};
