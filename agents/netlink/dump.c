/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/dump.h"

#include "agents/netlink/dumplegacy.h"
#include "agents/netlink/dumpnft.h"
#include "agents/netlink/dumproute.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Of this namespace, and such as faults, hosts' tuning and chaos tools change. */
static const char *const sysctls[] = {
    "core/somaxconn",
    "ipv4/conf/all/accept_local",
    "ipv4/conf/all/arp_ignore",
    "ipv4/conf/all/forwarding",
    "ipv4/conf/all/route_localnet",
    "ipv4/conf/all/rp_filter",
    "ipv4/conf/default/forwarding",
    "ipv4/conf/default/rp_filter",
    "ipv4/icmp_echo_ignore_all",
    "ipv4/ip_default_ttl",
    "ipv4/ip_forward",
    "ipv4/ip_local_port_range",
    "ipv4/ip_local_reserved_ports",
    "ipv4/ip_nonlocal_bind",
    "ipv4/ip_unprivileged_port_start",
    "ipv4/tcp_congestion_control",
    "ipv4/tcp_ecn",
    "ipv4/tcp_fin_timeout",
    "ipv4/tcp_keepalive_intvl",
    "ipv4/tcp_keepalive_probes",
    "ipv4/tcp_keepalive_time",
    "ipv4/tcp_max_syn_backlog",
    "ipv4/tcp_retries1",
    "ipv4/tcp_retries2",
    "ipv4/tcp_rmem",
    "ipv4/tcp_sack",
    "ipv4/tcp_syn_retries",
    "ipv4/tcp_synack_retries",
    "ipv4/tcp_syncookies",
    "ipv4/tcp_timestamps",
    "ipv4/tcp_tw_reuse",
    "ipv4/tcp_wmem",
    "ipv6/conf/all/disable_ipv6",
    "ipv6/conf/all/forwarding",
    "ipv6/conf/default/disable_ipv6",
    "ipv6/conf/default/forwarding",
};

/* What lies in /proc/sys/net is that of the namespace of the process that opens it. */
static void take_sysctls(struct buf *lines)
{
    for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
        char path[128], value[256];
        (void)snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctls[i]);
        CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, value, sizeof(value) - 1) : -1;
        if (n < 0)
            continue; /* this kernel, or this namespace, does not have it */
        value[strnlen(value, (size_t)n)] = '\0';
        value[strcspn(value, "\n")] = '\0';
        buf_printf(lines, "sysctl net/%s=%s\n", sysctls[i], value);
    }
}

struct line {
    const char *text;
    size_t len;
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->text, y->text, len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Splits text into lines, in ascending order; NULL when there is no memory or no line. */
static struct line *split_sorted(const char *text, size_t *ret_n)
{
    size_t n = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        n++;
    *ret_n = n;
    struct line *lines = n != 0 ? malloc(n * sizeof(*lines)) : NULL;
    if (lines == NULL)
        return NULL;
    const char *p = text;
    for (size_t i = 0; i < n; i++) {
        lines[i] = (struct line){p, strcspn(p, "\n")};
        p += lines[i].len + 1;
    }
    qsort(lines, n, sizeof(*lines), compare_lines);
    return lines;
}

int dump_take(struct buf *out, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(DUMP_MAX);
    if (dumproute_take(&text, err) < 0 || dumpnft_take(&text, err) < 0 ||
        dumplegacy_take(&text, err) < 0)
        return -1;
    take_sysctls(&text);
    if (!buf_ok(&text))
        return make_error(err, ERR_LIMIT, 0, "this host has more than %d bytes of kernel objects",
                          (int)DUMP_MAX);
    size_t n;
    CLEANUP_FREE struct line *lines = split_sorted(buf_text(&text), &n);
    if (lines == NULL && n != 0)
        return make_error(err, ERR_SYSTEM, ENOMEM, "sort the dump");
    for (size_t i = 0; i < n; i++) {
        buf_add(out, lines[i].text, lines[i].len);
        buf_puts(out, "\n");
    }
    if (!buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "the dump does not fit");
    return 0;
}

static void report(struct buf *out, char sign, const struct line *line, size_t *n, size_t max)
{
    enum { SHOWN = 400 };
    if ((*n)++ >= max)
        return;
    int len = line->len > SHOWN ? SHOWN : (int)line->len;
    buf_printf(out, "%c %.*s%s\n", sign, len, line->text, line->len > SHOWN ? "..." : "");
}

size_t dump_diff(const char *before, const char *after, struct buf *out, size_t max)
{
    size_t n_old, n_new, i = 0, k = 0, n = 0;
    CLEANUP_FREE struct line *old = split_sorted(before, &n_old);
    CLEANUP_FREE struct line *new = split_sorted(after, &n_new);
    if ((old == NULL && n_old != 0) || (new == NULL &&n_new != 0)) {
        buf_puts(out, "? no memory to compare\n");
        return 1;
    }
    while (i < n_old || k < n_new) {
        int order = i == n_old ? 1 : k == n_new ? -1 : compare_lines(&old[i], &new[k]);
        if (order < 0)
            report(out, '-', &old[i++], &n, max);
        else if (order > 0)
            report(out, '+', &new[k++], &n, max);
        else
            i++, k++;
    }
    if (n > max)
        buf_printf(out, "... and %zu more\n", n - max);
    return n;
}
