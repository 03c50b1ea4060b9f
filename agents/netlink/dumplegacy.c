/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/dumplegacy.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

/* The two families have the same calls with structures that differ in the address part only. */
static const struct legacy {
    const char *word, *names; /* the file lists only tables that exist: asking by name makes one */
    int domain, level, info, entries;
    size_t entry_size, next_at, counters_at, get_size;
} legacies[] = {
    {"iptables", "/proc/self/net/ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO,
     IPT_SO_GET_ENTRIES, sizeof(struct ipt_entry), offsetof(struct ipt_entry, next_offset),
     offsetof(struct ipt_entry, counters), sizeof(struct ipt_get_entries)},
    {"ip6tables", "/proc/self/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO,
     IP6T_SO_GET_ENTRIES, sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, next_offset),
     offsetof(struct ip6t_entry, counters), sizeof(struct ip6t_get_entries)},
};

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "one struct for both");

static uint64_t hash(const unsigned char *data, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ data[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* A line for each rule, in order, as a digest of all but its counters. */
static void print_entries(struct buf *lines, const struct legacy *l, const char *table,
                          unsigned char *blob, size_t size)
{
    unsigned n = 0;
    for (size_t at = 0; size - at >= l->entry_size; n++) {
        uint16_t next;
        memcpy(&next, blob + at + l->next_at, sizeof(next));
        if (next < l->entry_size || next > size - at)
            return;
        memset(blob + at + l->counters_at, 0, sizeof(struct xt_counters));
        buf_printf(lines, "%s rule %04u table=%s digest=%016llx\n", l->word, n, table,
                   (unsigned long long)hash(blob + at, next));
        at += next;
    }
}

static int take_table(struct buf *lines, const struct legacy *l, int fd, const char *table,
                      struct err *err)
{
    struct ipt_getinfo info = {.valid_hooks = 0};
    socklen_t len = sizeof(info);
    size_t name_len = strnlen(table, sizeof(info.name) - 1);
    memcpy(info.name, table, name_len);
    if (getsockopt(fd, l->level, l->info, &info, &len) < 0) {
        if (errno != EPERM)
            return make_error(err, ERR_SYSTEM, errno, "read %s table %s", l->word, table);
        buf_printf(lines, "%s table=%s cannot be read without CAP_NET_ADMIN\n", l->word, table);
        return 0;
    }
    size_t size = l->get_size + info.size;
    CLEANUP_FREE unsigned char *blob = calloc(1, size);
    if (blob == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "read %s table %s", l->word, table);
    memcpy(blob, table, name_len);
    memcpy(blob + offsetof(struct ipt_get_entries, size), &info.size, sizeof(info.size));
    len = (socklen_t)size;
    if (getsockopt(fd, l->level, l->entries, blob, &len) < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the rules of %s table %s", l->word, table);
    print_entries(lines, l, table, blob + l->get_size, info.size);
    return 0;
}

static int take_family(struct buf *lines, const struct legacy *l, struct err *err)
{
    CLEANUP_FILE FILE *names = fopen(l->names, "re");
    if (names == NULL)
        return 0; /* no legacy tables in this kernel */
    char table[XT_TABLE_MAXNAMELEN + 1];
    CLEANUP_FD int fd = socket(l->domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (fd >= 0 && fgets(table, sizeof(table), names) != NULL) {
        table[strcspn(table, "\n")] = '\0';
        if (take_table(lines, l, fd, table, err) < 0)
            return -1;
    }
    return 0;
}

int dumplegacy_take(struct buf *lines, struct err *err)
{
    for (size_t i = 0; i < sizeof(legacies) / sizeof(legacies[0]); i++)
        if (take_family(lines, &legacies[i], err) < 0)
            return -1;
    return 0;
}
