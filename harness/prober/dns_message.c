/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/dns_message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

enum {
    HEADER = 12,
    LABEL_MAX = 63,
    JUMPS_MAX = 64,
    NAME_TEXT_MAX = 4 * DNS_WIRE_NAME_MAX + 1,
    CLASS_IN = 1,
    FLAG_ANSWER = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION = 0x0100
};

#define DNS_TYPES(X)                                                                               \
    X(A, 1)                                                                                        \
    X(AAAA, 28) X(CNAME, 5) X(MX, 15) X(NS, 2) X(PTR, 12) X(SOA, 6) X(SRV, 33) X(TXT, 16)

enum {
#define TYPE(word, number) TYPE_##word = (number),
    DNS_TYPES(TYPE)
#undef TYPE
};
const char *const dns_types[] = {
#define TYPE(word, number) #word,
    DNS_TYPES(TYPE)
#undef TYPE
        NULL};
const uint16_t dns_type_numbers[] = {
#define TYPE(word, number) (number),
    DNS_TYPES(TYPE)
#undef TYPE
};

const char *const dns_rcodes[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                  "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                  "NXRRSET", "NOTAUTH", "NOTZONE",  NULL};

static uint16_t get16(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

/* Labels behind one another; 0: it is no name. */
static size_t name_put(const char *name, unsigned char out[DNS_WIRE_NAME_MAX])
{
    size_t n = 0;
    if (strcmp(name, ".") == 0)
        name = "";
    while (*name != '\0') {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > LABEL_MAX || n + 1 + label + 1 > DNS_WIRE_NAME_MAX)
            return 0;
        out[n++] = (unsigned char)label;
        memcpy(out + n, name, label);
        n += label;
        name += label + (name[label] == '.');
    }
    out[n] = 0;
    return n + 1;
}

int dns_query_make(const char *name, uint16_t type, bool recursion, struct dns_query *ret,
                   struct err *err)
{
    memset(ret, 0, sizeof(*ret));
    size_t n = *name != '\0' ? name_put(name, ret->bytes + HEADER) : 0;
    if (n == 0)
        return make_error(err, ERR_INPUT, 0,
                          "\"%.300s\" is not a name of labels of at most %d characters, at most "
                          "%d in all",
                          name, LABEL_MAX, DNS_WIRE_NAME_MAX - 2);
    put16(ret->bytes + 2, recursion ? FLAG_RECURSION : 0);
    put16(ret->bytes + 4, 1); /* one question */
    put16(ret->bytes + HEADER + n, type);
    put16(ret->bytes + HEADER + n + 2, CLASS_IN);
    ret->len = HEADER + n + 4;
    return 0;
}

void dns_query_number(struct dns_query *q, uint16_t id)
{
    put16(q->bytes, id);
}

/* A message, and how far it was read; at is len + 1 once something was wrong. */
struct reader {
    const unsigned char *p;
    size_t len, at;
};

static bool reader_ok(const struct reader *r)
{
    return r->at <= r->len;
}

static void reader_fail(struct reader *r)
{
    r->at = r->len + 1;
}

/* n bytes; NULL when they are not there. */
static const unsigned char *take(struct reader *r, size_t n)
{
    if (!reader_ok(r) || n > r->len - r->at) {
        reader_fail(r);
        return NULL;
    }
    const unsigned char *at = r->p + r->at;
    r->at += n;
    return at;
}

static uint16_t take16(struct reader *r)
{
    const unsigned char *at = take(r, 2);
    return at != NULL ? get16(at) : 0;
}

static uint32_t take32(struct reader *r)
{
    const unsigned char *at = take(r, 4);
    return at != NULL ? get32(at) : 0;
}

static void put_char(struct buf *out, unsigned char c, const char *special)
{
    if (c < 0x21 + (special[0] == '"' ? -1 : 0) || c > 0x7e)
        buf_printf(out, "\\%03u", c);
    else if (strchr(special, c) != NULL)
        buf_printf(out, "\\%c", c);
    else
        buf_printf(out, "%c", c);
}

/* Where the pointer whose first byte was taken leads: to before `limit`, or the message is broken.
 */
static bool take_pointer(struct reader *r, unsigned high, size_t limit, size_t *ret)
{
    const unsigned char *low = take(r, 1);
    *ret = low != NULL ? (size_t)((high & 0x3f) << 8 | *low) : limit;
    if (*ret >= limit)
        reader_fail(r);
    return *ret < limit;
}

static bool take_label(struct reader *r, unsigned n, struct buf *out)
{
    const unsigned char *label = n <= LABEL_MAX ? take(r, n) : NULL;
    if (label == NULL) {
        reader_fail(r);
        return false;
    }
    if (out->len != 0)
        buf_puts(out, ".");
    for (unsigned i = 0; i < n; i++)
        put_char(out, (unsigned char)tolower(label[i]), ".\\");
    return true;
}

/* A name as text. Each pointer leads to an earlier place than the last, so that it ends. */
static void take_name(struct reader *r, struct buf *out)
{
    size_t limit = r->at, behind = 0, total = 0, jumps = 0;
    const unsigned char *n;
    while ((n = take(r, 1)) != NULL && *n != 0) {
        if (*n < 0xc0) {
            total += *n + 1U;
            if (total >= DNS_WIRE_NAME_MAX || !take_label(r, *n, out))
                break;
            continue;
        }
        if (!take_pointer(r, *n, limit, &limit) || ++jumps > JUMPS_MAX)
            break;
        behind = behind != 0 ? behind : r->at;
        r->at = limit;
    }
    if (n == NULL || *n != 0)
        reader_fail(r);
    if (out->len == 0)
        buf_puts(out, ".");
    if (behind != 0 && reader_ok(r))
        r->at = behind;
}

static void put_name(struct reader *r, struct buf *body)
{
    CLEANUP_BUF struct buf name = BUF_INIT(NAME_TEXT_MAX);
    take_name(r, &name);
    buf_puts(body, buf_text(&name));
}

static void put_address(struct reader *r, int family, struct buf *body)
{
    char text[INET6_ADDRSTRLEN] = "";
    const unsigned char *at = take(r, family == AF_INET ? 4 : 16);
    if (at != NULL)
        buf_puts(body, inet_ntop(family, at, text, sizeof(text)));
}

static void put_texts(struct reader *r, size_t end, struct buf *body)
{
    for (bool first = true; reader_ok(r) && r->at < end; first = false) {
        const unsigned char *n = take(r, 1);
        const unsigned char *text = n != NULL ? take(r, *n) : NULL;
        buf_puts(body, first ? "\"" : " \"");
        for (unsigned i = 0; text != NULL && i < *n; i++)
            put_char(body, text[i], "\"\\");
        buf_puts(body, "\"");
    }
}

static void put_soa(struct reader *r, struct buf *body)
{
    put_name(r, body);
    buf_puts(body, " ");
    put_name(r, body);
    for (int i = 0; i < 5; i++)
        buf_printf(body, " %u", take32(r));
}

/* As RFC 3597 writes what it does not know. */
static void put_unknown(struct reader *r, size_t n, struct buf *body)
{
    const unsigned char *at = take(r, n);
    buf_printf(body, "\\# %zu", n);
    for (size_t i = 0; at != NULL && i < n; i++)
        buf_printf(body, "%s%02x", i == 0 ? " " : "", at[i]);
}

static void put_data(struct reader *r, uint16_t type, size_t n, struct buf *body)
{
    switch (type) {
    case TYPE_A:
        put_address(r, AF_INET, body);
        break;
    case TYPE_AAAA:
        put_address(r, AF_INET6, body);
        break;
    case TYPE_CNAME:
    case TYPE_NS:
    case TYPE_PTR:
        put_name(r, body);
        break;
    case TYPE_SRV:
        buf_printf(body, "%u ", take16(r));
        buf_printf(body, "%u ", take16(r));
        /* fall through */
    case TYPE_MX:
        buf_printf(body, "%u ", take16(r));
        put_name(r, body);
        break;
    case TYPE_TXT:
        put_texts(r, r->at + n, body);
        break;
    case TYPE_SOA:
        put_soa(r, body);
        break;
    default:
        put_unknown(r, n, body);
        break;
    }
}

static void put_type(uint16_t type, struct buf *body)
{
    for (size_t i = 0; dns_types[i] != NULL; i++)
        if (dns_type_numbers[i] == type) {
            buf_printf(body, " %s ", dns_types[i]);
            return;
        }
    buf_printf(body, " TYPE%u ", type);
}

static void put_record(struct reader *r, struct buf *body)
{
    CLEANUP_BUF struct buf line = BUF_INIT(4 * DNS_MESSAGE_MAX + 2 * NAME_TEXT_MAX);
    put_name(r, &line);
    uint16_t type = take16(r), class = take16(r);
    uint32_t ttl = take32(r);
    size_t n = take16(r);
    if (!reader_ok(r) || n > r->len - r->at) {
        reader_fail(r);
        return;
    }
    size_t end = r->at + n;
    buf_printf(&line, " %u", ttl);
    put_type(type, &line);
    if (class == CLASS_IN)
        put_data(r, type, n, &line);
    else
        put_unknown(r, n, &line);
    buf_puts(&line, "\n");
    if (!reader_ok(r) || r->at != end || !buf_ok(&line))
        reader_fail(r);
    else if (line.len <= body->max - body->len)
        buf_add(body, line.data, line.len);
}

/* Is it the question that was asked? Letters may come back in another case. */
static bool is_question(struct reader *r, const struct dns_query *q)
{
    struct reader asked = {.p = q->bytes, .len = q->len, .at = HEADER};
    CLEANUP_BUF struct buf mine = BUF_INIT(NAME_TEXT_MAX);
    CLEANUP_BUF struct buf its = BUF_INIT(NAME_TEXT_MAX);
    take_name(&asked, &mine);
    take_name(r, &its);
    uint32_t wanted = take32(&asked), found = take32(r);
    return reader_ok(r) && found == wanted && strcmp(buf_text(&mine), buf_text(&its)) == 0;
}

enum dns_reading dns_read(const struct dns_query *q, const unsigned char *message, size_t len,
                          struct dns_reply *ret, struct buf *body)
{
    struct reader r = {.p = message, .len = len, .at = HEADER};
    if (len < HEADER || memcmp(message, q->bytes, 2) != 0)
        return DNS_OTHER;
    unsigned flags = get16(message + 2), questions = get16(message + 4);
    unsigned answers = get16(message + 6);
    /* A server that did not understand the question need not repeat it. */
    bool bare = questions == 0 && answers == 0 && (flags & 0xf) != 0;
    if ((flags & FLAG_ANSWER) == 0 || (flags & 0x7800) != 0 ||
        (!bare && (questions != 1 || !is_question(&r, q))))
        return DNS_OTHER;
    bool truncated = (flags & FLAG_TRUNCATED) != 0;
    for (unsigned i = 0; i < answers && !truncated && reader_ok(&r); i++)
        put_record(&r, body);
    if (!reader_ok(&r))
        return DNS_BROKEN;
    *ret = (struct dns_reply){.rcode = (uint8_t)(flags & 0xf), .truncated = truncated};
    return DNS_ANSWER;
}
