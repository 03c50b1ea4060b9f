/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/param.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *word;
    uint64_t factor;
};

static const struct unit time_units[] = {
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
};
static const struct unit byte_units[] = {
    {"GiB", UINT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", UINT64_C(1) << 20},
    {"MB", 1000000},
    {"KiB", 1024},
    {"KB", 1000},
    {"B", 1},
};
static const struct unit ratio_units[] = {{"%", 10000}};

enum {
    N_TIME = sizeof(time_units) / sizeof(time_units[0]),
    N_BYTES = sizeof(byte_units) / sizeof(byte_units[0]),
    DIGITS_MAX = 18,
    UNIT_MAX = 8
};

/* Appends the digits at *p to *value; false when there is none or they are too many. */
static bool take_digits(const char **p, uint64_t *value, int *count)
{
    const char *start = *p;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (++*count > DIGITS_MAX)
            return false;
        *value = *value * 10 + (uint64_t)(**p - '0');
    }
    return *p != start;
}

static const struct unit *unit_find(const struct unit *units, size_t n, const char *word,
                                    size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(units[i].word) == len && memcmp(units[i].word, word, len) == 0)
            return &units[i];
    return NULL;
}

enum { TOO_LARGE = 1 };

__extension__ typedef unsigned __int128 wide; /* gcc and clang, on every 64-bit machine */

/*
 * Number and unit at *p, times the unit's factor, exactly: what is finer than 1 is an error. *ret
 * is the unit, and NULL when there is none of ours. TOO_LARGE: no number of ours holds it.
 */
static int take_quantity(const char **p, const struct unit *units, size_t n, uint64_t *value,
                         const struct unit **ret)
{
    uint64_t digits = 0;
    int count = 0, fraction = 0;
    *ret = NULL;
    if (!take_digits(p, &digits, &count))
        return count > DIGITS_MAX ? TOO_LARGE : -1;
    if (**p == '.') {
        int whole = count;
        (*p)++;
        if (!take_digits(p, &digits, &count))
            return -1;
        fraction = count - whole;
    }
    size_t len = strcspn(*p, "0123456789.");
    *ret = unit_find(units, n, *p, len);
    if (*ret == NULL)
        return -1;
    *p += len;
    /* Wider than the result: 19.229430649s is 19229430649 * 10^9 before its nine places go. */
    wide product = (wide)digits * (*ret)->factor;
    for (; fraction > 0; fraction--) {
        if (product % 10 != 0)
            return -1;
        product /= 10;
    }
    if (product > UINT64_MAX)
        return TOO_LARGE;
    *value = (uint64_t)product;
    return 0;
}

static bool is_bare_number(const char *text)
{
    size_t len = strspn(text, "0123456789.");
    return len != 0 && text[len] == '\0';
}

int duration_parse(const char *text, struct duration *ret, struct err *err)
{
    uint64_t sum = 0;
    const struct unit *last = NULL;
    const char *p = text;
    if (is_bare_number(text))
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" has no unit: write %.20ss or %.20sms", text,
                          text, text);
    do {
        uint64_t part = 0;
        const struct unit *unit = NULL;
        int rc = take_quantity(&p, time_units, N_TIME, &part, &unit);
        if (rc == TOO_LARGE ||
            (rc == 0 && (__builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)))
            return make_error(err, ERR_LIMIT, 0, "\"%.60s\" is too long: at most 2562047h", text);
        if (rc != 0 || (last != NULL && unit->factor >= last->factor))
            return make_error(err, ERR_INPUT, 0,
                              "\"%.60s\" is not a duration: write 100ms, 8s, 1m30s (units d, h, m, "
                              "s, ms, us, ns)",
                              text);
        last = unit;
    } while (*p != '\0');
    ret->ns = (int64_t)sum;
    return 0;
}

int ratio_parse(const char *text, struct ratio *ret, struct err *err)
{
    uint64_t ppm = 0;
    const struct unit *unit = NULL;
    const char *p = text;
    if (is_bare_number(text))
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" has no unit: write a share as 5%% or 0.1%%",
                          text);
    if (take_quantity(&p, ratio_units, 1, &ppm, &unit) != 0 || *p != '\0')
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" is not a share: write 5%% or 0.1%%", text);
    if (ppm > 1000000)
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" is more than 100%%", text);
    ret->ppm = (uint32_t)ppm;
    return 0;
}

int bytes_parse(const char *text, struct bytes *ret, struct err *err)
{
    uint64_t n = 0;
    const struct unit *unit = NULL;
    const char *p = text;
    if (is_bare_number(text))
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" has no unit: write %.20sB or %.20sMiB",
                          text, text, text);
    if (take_quantity(&p, byte_units, N_BYTES, &n, &unit) != 0 || *p != '\0' || n > INT64_MAX)
        return make_error(err, ERR_INPUT, 0,
                          "\"%.60s\" is not a size: write 512B, 64KiB, 64MiB, 1GiB (or KB, MB, GB)",
                          text);
    ret->n = n;
    return 0;
}

static bool prefix_is_clean(const struct addr *a)
{
    for (unsigned bit = a->prefix; bit < (a->family == 4 ? 32u : 128u); bit++)
        if ((a->ip[bit / 8] & (0x80u >> bit % 8)) != 0)
            return false;
    return true;
}

static void clean_prefix(struct addr *a)
{
    for (unsigned bit = a->prefix; bit < (a->family == 4 ? 32u : 128u); bit++)
        a->ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

int addr_parse(const char *text, struct addr *ret, struct err *err)
{
    struct addr a = {0};
    char ip[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    if (len < sizeof(ip)) {
        memcpy(ip, text, len);
        ip[len] = '\0';
        if (inet_pton(AF_INET, ip, a.ip) == 1)
            a.family = 4;
        else if (inet_pton(AF_INET6, ip, a.ip) == 1)
            a.family = 6;
    }
    if (a.family == 0)
        return make_error(err, ERR_INPUT, 0, "\"%.60s\" is not an IPv4 or IPv6 address", text);
    uint64_t prefix = a.family == 4 ? 32 : 128;
    const uint64_t full = prefix;
    if (text[len] == '/') {
        const char *p = text + len + 1;
        int count = 0;
        prefix = 0;
        if (!take_digits(&p, &prefix, &count) || *p != '\0' || prefix > full)
            return make_error(err, ERR_INPUT, 0, "\"%.60s\" has a prefix that is not 0 to %u", text,
                              (unsigned)full);
    }
    a.prefix = (uint8_t)prefix;
    if (!prefix_is_clean(&a)) {
        char network[INET6_ADDRSTRLEN + 8];
        clean_prefix(&a);
        return make_error_hint(err, ERR_INPUT, addr_print(&a, network, sizeof(network)),
                               "\"%.60s\" has bits set behind its prefix", text);
    }
    *ret = a;
    return 0;
}

bool addr_contains(const struct addr *net, const struct addr *a)
{
    struct addr head = *a, base = *net;
    if (net->family != a->family || net->prefix > a->prefix)
        return false;
    head.prefix = net->prefix;
    clean_prefix(&head);
    clean_prefix(&base);
    return memcmp(head.ip, base.ip, a->family == 4 ? 4 : sizeof(head.ip)) == 0;
}

/* value / factor with as many decimals as it needs, and the unit. */
static size_t print_quantity(uint64_t value, const struct unit *unit, char *out, size_t size)
{
    uint64_t whole = value / unit->factor, rest = value % unit->factor;
    char fraction[24] = "";
    size_t len = 0;
    for (uint64_t f = unit->factor; rest != 0 && len + 2 < sizeof(fraction);) {
        f /= 10;
        if (len == 0)
            fraction[len++] = '.';
        fraction[len++] = (char)('0' + (f != 0 ? rest / f : 0));
        rest = f != 0 ? rest % f : 0;
    }
    fraction[len] = '\0';
    int n = snprintf(out, size, "%llu%s%s", (unsigned long long)whole, fraction, unit->word);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

const char *duration_print(struct duration d, char *out, size_t size)
{
    uint64_t left = d.ns > 0 ? (uint64_t)d.ns : 0;
    size_t used = 0;
    (void)snprintf(out, size, "0s");
    /* Days are read, and printed as hours. */
    for (size_t i = 1; i < 3; i++) {
        uint64_t factor = time_units[i].factor;
        if (factor == 0 || left < factor)
            continue;
        used += print_quantity(left - left % factor, &time_units[i], out + used, size - used);
        left %= factor;
    }
    for (size_t i = 3; i < N_TIME && left != 0; i++)
        if (left >= time_units[i].factor) {
            (void)print_quantity(left, &time_units[i], out + used, size - used);
            break;
        }
    return out;
}

const char *ratio_print(struct ratio r, char *out, size_t size)
{
    (void)print_quantity(r.ppm, &ratio_units[0], out, size);
    return out;
}

const char *bytes_print(struct bytes b, char *out, size_t size)
{
    char text[40];
    (void)snprintf(out, size, "%lluB", (unsigned long long)b.n);
    for (size_t i = 0; i < N_BYTES && b.n != 0; i++) {
        if (b.n % byte_units[i].factor != 0)
            continue;
        size_t len = print_quantity(b.n, &byte_units[i], text, sizeof(text));
        if (len != 0 && len < strlen(out))
            memcpy(out, text, len + 1);
    }
    return out;
}

const char *addr_print(const struct addr *a, char *out, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    if (inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, ip, sizeof(ip)) == NULL)
        ip[0] = '\0';
    unsigned full = a->family == 4 ? 32 : 128;
    if (a->prefix == full)
        (void)snprintf(out, size, "%s", ip);
    else
        (void)snprintf(out, size, "%s/%u", ip, a->prefix);
    return out;
}
