/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/dns_message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    UDP_HEADER = 8,
    DNS_HEADER = 12,
    LABEL_MAX = 63,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    NAME_OF_QUESTION = 0xc000 | DNS_HEADER, /* a pointer to it */
    NXDOMAIN = 3
};

static uint16_t get16(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

/* The length of the IP header before a segment of that protocol that is whole in the packet and
 * behind no other header; 0: it is none. *ret_end: the end of what IP says is there. */
static uint32_t find_segment(const unsigned char *p, uint32_t len, uint8_t protocol,
                             uint32_t *ret_end)
{
    if (len >= IPV6_HEADER && p[0] >> 4 == 6) {
        *ret_end = IPV6_HEADER + get16(p + 4);
        return p[6] == protocol && *ret_end <= len ? IPV6_HEADER : 0;
    }
    if (len < IPV4_HEADER || p[0] >> 4 != 4)
        return 0;
    uint32_t header = (p[0] & 15u) * 4u;
    bool fragment = (get16(p + 6) & 0x3fff) != 0;
    *ret_end = get16(p + 2);
    return p[9] == protocol && !fragment && header >= IPV4_HEADER && header <= *ret_end &&
                   *ret_end <= len
               ? header
               : 0;
}

/* The name in the question, which has no pointers. Returns where it ends, 0: it is none. */
static uint32_t read_name(const unsigned char *p, uint32_t at, uint32_t end, char *out)
{
    uint32_t n = 0;
    while (at < end && p[at] != 0) {
        uint32_t label = p[at++];
        if (label > LABEL_MAX || label > end - at || n + label + 1 > DNS_NAME_MAX)
            return 0;
        if (n != 0)
            out[n++] = '.';
        for (uint32_t i = 0; i < label; i++) {
            unsigned char c = p[at++];
            if (c == '.' || c == 0)
                return 0;
            out[n++] = (char)(c < 128 ? tolower(c) : c);
        }
    }
    out[n] = '\0';
    return at < end ? at + 1 : 0;
}

static bool is_from(const unsigned char *header, const struct ports *from)
{
    uint32_t port = get16(header);
    for (uint32_t i = 0; i < from->n; i++)
        if (port >= from->r[i].lo && port <= from->r[i].hi)
            return true;
    return false;
}

bool dns_find(const unsigned char *packet, uint32_t len, const struct ports *from,
              struct dns_answer *ret)
{
    uint32_t end = 0;
    *ret = (struct dns_answer){.ip_len = find_segment(packet, len, IPPROTO_UDP, &end)};
    const unsigned char *udp = packet + ret->ip_len;
    if (ret->ip_len == 0 || end - ret->ip_len < UDP_HEADER + DNS_HEADER || !is_from(udp, from) ||
        get16(udp + 4) != end - ret->ip_len)
        return false;
    const unsigned char *dns = udp + UDP_HEADER;
    bool response = (dns[2] & 0x80) != 0, query = (dns[2] & 0x78) == 0;
    if (!response || !query || get16(dns + 4) != 1)
        return false;
    ret->message = ret->ip_len + UDP_HEADER;
    uint32_t at = read_name(packet, ret->message + DNS_HEADER, end, ret->name);
    if (at == 0 || end - at < 4)
        return false;
    ret->type = get16(packet + at);
    ret->questions = at + 4;
    return true;
}

bool dns_is_stream(const unsigned char *packet, uint32_t len, const struct ports *from)
{
    uint32_t end = 0, header = find_segment(packet, len, IPPROTO_TCP, &end);
    return header != 0 && end - header >= 2 && is_from(packet + header, from);
}

bool dns_is_named(const char *name, const struct names *names)
{
    size_t n = strlen(name);
    for (uint32_t i = 0; i < names->n; i++) {
        const char *top = names->v[i].s;
        size_t len = strlen(top);
        len -= len > 0 && top[len - 1] == '.';
        if (len <= n && strncasecmp(name + n - len, top, len) == 0 &&
            (len == n || name[n - len - 1] == '.'))
            return true;
    }
    return names->n == 0;
}

int dns_addrs_parse(const char *text, struct dns_addrs *ret, struct err *err)
{
    char one[INET6_ADDRSTRLEN];
    *ret = (struct dns_addrs){0};
    for (const char *at = text + strspn(text, ", \n"); *at != '\0'; at += strspn(at, ", \n")) {
        size_t n = strcspn(at, ", \n");
        if (ret->n == DNS_ADDRS_MAX)
            return make_error(err, ERR_LIMIT, 0, "addresses: more than %d", (int)DNS_ADDRS_MAX);
        if (n >= sizeof(one))
            return make_error(err, ERR_INPUT, 0, "addresses: `%.40s` is no IP address", at);
        memcpy(one, at, n);
        one[n] = '\0';
        if (addr_parse(one, &ret->a[ret->n], err) < 0)
            return wrap_error(err, "addresses");
        if (ret->a[ret->n].prefix != (ret->a[ret->n].family == 4 ? 32 : 128))
            return make_error(err, ERR_INPUT, 0, "addresses: %s is a network, not an address", one);
        ret->n++;
        at += n;
    }
    return 0;
}

/* ---- another answer ---- */

static uint32_t put_address(unsigned char *out, uint16_t type, const struct addr *a)
{
    uint32_t len = a->family == 4 ? 4 : 16;
    put16(out, NAME_OF_QUESTION);
    put16(out + 2, type);
    put16(out + 4, CLASS_IN);
    memset(out + 6, 0, 4); /* time to live: no cache keeps it past the fault's end */
    put16(out + 10, len);
    memcpy(out + 12, a->ip, len);
    return 12 + len;
}

static uint32_t sum(const unsigned char *p, uint32_t len, uint32_t start)
{
    for (; len > 1; len -= 2, p += 2)
        start += get16(p);
    return len == 0 ? start : start + (uint32_t)(*p << 8);
}

static uint16_t fold(uint32_t value)
{
    while (value >> 16 != 0)
        value = (value & 0xffff) + (value >> 16);
    return (uint16_t)~value;
}

/* Lengths and checksums of the packet as it is now. */
static void seal(unsigned char *p, uint32_t ip_len, uint32_t len)
{
    unsigned char *udp = p + ip_len;
    uint32_t udp_len = len - ip_len, pseudo = udp_len + IPPROTO_UDP;
    put16(udp + 4, udp_len);
    put16(udp + 6, 0);
    if (p[0] >> 4 == 6) {
        put16(p + 4, udp_len);
        pseudo = sum(p + 8, 32, pseudo);
    } else {
        put16(p + 2, len);
        put16(p + 10, 0);
        put16(p + 10, fold(sum(p, ip_len, 0)));
        pseudo = sum(p + 12, 8, pseudo);
    }
    uint16_t check = fold(sum(udp, udp_len, pseudo));
    put16(udp + 6, check == 0 ? 0xffff : check);
}

uint32_t dns_rewrite(const unsigned char *packet, const struct dns_answer *answer,
                     const struct dns_addrs *addrs, unsigned char out[DNS_OUT_MAX])
{
    uint32_t len = answer->questions, n = 0;
    unsigned char *dns = out + answer->message;
    if (addrs != NULL && answer->type != TYPE_A && answer->type != TYPE_AAAA)
        return 0;
    memcpy(out, packet, len);
    for (uint32_t i = 0; addrs != NULL && i < addrs->n; i++)
        if (addrs->a[i].family == (answer->type == TYPE_A ? 4 : 6)) {
            len += put_address(out + len, answer->type, &addrs->a[i]);
            n++;
        }
    dns[2] &= (unsigned char)~0x02;                                             /* not cut off */
    dns[3] = (unsigned char)((dns[3] & 0xd0) | (addrs == NULL ? NXDOMAIN : 0)); /* not verified */
    put16(dns + 6, n);
    memset(dns + 8, 0, 4); /* no authority, nothing additional: so no cache keeps it either */
    seal(out, answer->ip_len, len);
    return len;
}
