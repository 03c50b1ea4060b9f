/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes as the prober holds them: made from what the control stream said, started, stopped. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "prober/loop_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Puts ${host}, ${host.ip} and ${host.ip6} into one text. */
static int text_replace(struct text *text, const struct prober_target *t, struct err *err)
{
    static const char *const names[] = {"${host}", "${host.ip}", "${host.ip6}"};
    const char *const values[] = {t->name, t->ip[0] != '\0' ? t->ip : t->ip6, t->ip6};
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX_LEN);
    for (const char *p = text->s; *p != '\0';) {
        size_t i = 0;
        while (i < 3 && strncmp(p, names[i], strlen(names[i])) != 0)
            i++;
        if (i < 3)
            buf_puts(&out, values[i]);
        else
            buf_add(&out, p, 1);
        p += i < 3 ? strlen(names[i]) : 1;
    }
    if (!buf_ok(&out))
        return make_error(err, ERR_LIMIT, 0, "a text of more than %d bytes", TEXT_MAX_LEN);
    text->len = (uint32_t)out.len;
    memcpy(text->s, buf_text(&out), out.len + 1);
    return 0;
}

/* A copy of args with the texts of this endpoint in it; NULL on failure. */
static void *args_replace(const struct probe_kind *kind, const void *args,
                          const struct prober_target *t, struct err *err)
{
    CLEANUP_FREE char *own = malloc(kind->args_size + 1);
    if (own == NULL) {
        (void)make_error(err, ERR_SYSTEM, ENOMEM, "probe");
        return NULL;
    }
    memcpy(own, args, kind->args_size);
    for (size_t i = 0; i < kind->n_params; i++)
        if (kind->params[i].type == PARAM_TEXT &&
            text_replace((struct text *)(void *)(own + kind->params[i].offset), t, err) != 0)
            return NULL;
    return steal_ptr(&own);
}

static int target_open(struct prober *p, struct prober_target *t, const void *args, struct err *err)
{
    CLEANUP_FREE void *own = args_replace(t->probe->kind, args, t, err);
    return own != NULL ? t->probe->kind->ops->open(p, t, own, err) : -1;
}

const char *probe_kind_check(const struct probe_kind *kind, const void *args,
                             const struct probe_expect *expect, bool fresh, struct err *err)
{
    static const struct prober_target example = {
        .name = "host", .ip = "192.0.2.1", .ip6 = "2001:db8::1"};
    if (!kind->rcodes && (expect->has_rcode || expect->address != NULL)) {
        (void)make_error(err, ERR_INPUT, 0, "rcode and address are what dns probes expect");
        return "expect";
    }
    CLEANUP_FREE void *own = kind->check != NULL ? args_replace(kind, args, &example, err) : NULL;
    return own != NULL ? kind->check(own, expect, fresh, err) : NULL;
}

const char *const prober_families[] = {"any", "ipv4", "ipv6", NULL};

const char *prober_address(const struct prober_target *t, int family, struct err *err)
{
    if (family != FAMILY_IPV6 && t->ip[0] != '\0')
        return t->ip;
    if (family != FAMILY_IPV4 && t->ip6[0] != '\0')
        return t->ip6;
    (void)make_error(err, ERR_INPUT, 0, "has no %s address",
                     family == FAMILY_ANY    ? "known"
                     : family == FAMILY_IPV4 ? "IPv4"
                                             : "IPv6");
    return NULL;
}

int prober_socket_address(const char *ip, uint16_t port, struct sockaddr_storage *ret,
                          socklen_t *ret_len, struct err *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *ret_len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *ret_len = sizeof(*v6);
    } else {
        return make_error(err, ERR_INPUT, 0, "%s is not an address", ip);
    }
    return 0;
}

static int probe_fill(struct prober *p, struct prober_probe *probe,
                      const struct prober_probe_spec *spec, struct err *err)
{
    *probe = (struct prober_probe){.kind = spec->kind,
                                   .index = spec->index,
                                   .every_ns = spec->every_ns,
                                   .timeout_ns = spec->timeout_ns,
                                   .latency_ns = spec->latency_ns,
                                   .fresh = spec->fresh,
                                   .status_lo = spec->status_lo,
                                   .status_hi = spec->status_hi};
    probe->targets = calloc(spec->n_targets, sizeof(*probe->targets));
    if (probe->targets == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    if (prober_expect_open(probe, spec, err) != 0 ||
        (spec->served != NULL && prober_served_new(probe, spec, err) != 0))
        return -1;
    for (size_t i = 0; i < spec->n_targets; i++) {
        struct prober_target *t = &probe->targets[i];
        *t = spec->targets[i];
        t->probe = probe;
        t->index = (uint16_t)i;
        t->state = NULL;
        t->readings = (struct prober_readings){.list = NULL};
        probe->n_targets++;
        if (target_open(p, t, spec->args, err) != 0)
            return wrap_error(err, "%s", t->name);
    }
    return 0;
}

int prober_add(struct prober *p, const struct prober_probe_spec *spec, struct err *err)
{
    if (p->n_probes == PROBER_PROBES_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d probes", PROBER_PROBES_MAX);
    if (spec->n_targets == 0 || spec->n_targets > PROBER_TARGETS_MAX)
        return make_error(err, ERR_INPUT, 0, "a probe of %zu endpoints", spec->n_targets);
    if (spec->every_ns < NS_PER_US * 10 || spec->timeout_ns <= 0)
        return make_error(err, ERR_INPUT, 0, "a probe needs an interval and a time-out");
    struct prober_probe *probe = malloc(sizeof(*probe));
    if (probe == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    if (probe_fill(p, probe, spec, err) != 0) {
        prober_probe_free(p, probe);
        return -1;
    }
    p->probes[p->n_probes++] = probe;
    return 0;
}

void prober_probe_free(struct prober *p, struct prober_probe *probe)
{
    prober_attempts_cancel(p, probe);
    for (size_t i = 0; i < probe->n_targets; i++)
        if (probe->targets[i].state != NULL)
            probe->kind->ops->close(&probe->targets[i]);
    prober_expect_close(probe);
    for (size_t i = 0; probe->targets != NULL && i < probe->n_targets; i++)
        free(probe->targets[i].readings.list);
    prober_served_free(probe->served);
    free(probe->targets);
    free(probe->asked);
    free(probe);
}

void prober_configure(struct prober *p, int64_t epoch_ns, uint64_t seed)
{
    p->epoch_ns = epoch_ns;
    p->seed = seed;
}

int prober_start(struct prober *p, uint32_t trial, struct err *err)
{
    if (p->running || p->stopped != NULL)
        return make_error(err, ERR_PROTOCOL, 0, "a trial is under way");
    p->trial = trial;
    p->running = true;
    p->counts = (struct prober_counts){.begin = machine_read()};
    prober_null_begin(p);
    p->cpu_from = clock_system(CLOCK_PROCESS_CPUTIME_ID);
    prober_served_begin(p);
    prober_schedule_start(p, prober_now());
    return 0;
}

int prober_stop(struct prober *p, void (*done)(void *ctx, const struct prober_counts *counts),
                void *ctx, struct err *err)
{
    if (!p->running)
        return make_error(err, ERR_PROTOCOL, 0, "no trial is under way");
    /* What was due until now goes out, or is a gap. */
    int64_t now = prober_now();
    prober_schedule_run(p, now);
    p->running = false;
    p->counts.until_ns = now - p->epoch_ns;
    p->stopped = done;
    p->stopped_ctx = ctx;
    return 0;
}

enum sample_result prober_result_of(int sys)
{
    switch (sys) {
    case ECONNREFUSED:
        return SAMPLE_REFUSED;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
        return SAMPLE_RESET;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
        return SAMPLE_UNREACHABLE;
    case ETIMEDOUT:
        return SAMPLE_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: /* our ports have run out */
        return SAMPLE_GAP;
    default:
        return SAMPLE_ERROR;
    }
}
