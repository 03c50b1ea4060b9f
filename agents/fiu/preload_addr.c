/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a call speaks to: the address that it names, else the other end of its socket. */
#include "agents/fiu/preload.h"

#include "agents/fiu/preload_raw.h"

#include <netinet/in.h>

static bool named_holds(const struct fiu_rule *rule, const void *to, uint32_t len)
{
    const struct sockaddr *any = to;
    const struct sockaddr_in *in = to;
    const struct sockaddr_in6 *in6 = to;
    if (len >= sizeof(*in) && any->sa_family == AF_INET)
        return fiu_rule_reaches(rule, 4, (const unsigned char *)&in->sin_addr, ntohs(in->sin_port));
    if (len >= sizeof(*in6) && any->sa_family == AF_INET6)
        return fiu_rule_reaches(rule, 6, (const unsigned char *)&in6->sin6_addr,
                                ntohs(in6->sin6_port));
    return false;
}

bool preload_addr_holds(const struct fiu_rule *rule, unsigned slot,
                        const struct preload_subject *subject)
{
    _Alignas(8) unsigned char peer[sizeof(struct sockaddr_storage)] = {0};
    uint32_t len = sizeof(peer);
    if (subject->to != NULL)
        return named_holds(rule, subject->to, subject->to_len);
    if (subject->path != NULL || subject->fd < 0)
        return false;
    uint32_t age = preload_cache_age(subject->fd);
    bool holds = raw_getpeername(subject->fd, peer, &len) == 0 && named_holds(rule, peer, len);
    preload_cache_keep(&(struct preload_kept){
        .owner = rule->owner, .fd = subject->fd, .slot = slot, .age = age, .holds = holds});
    return holds;
}
