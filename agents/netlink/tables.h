/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nf_tables tables of this network namespace that bear our name, and whether a socket owns each
 * of them: an owned one belongs to a living agent, and the kernel takes it away with that. Changes
 * nothing.
 */
#ifndef BLACKSTART_NETLINK_TABLES_H
#define BLACKSTART_NETLINK_TABLES_H

#include "agents/netlink/nft.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { TABLES_MAX = 64 };

struct tables {
    uint32_t n; /* may pass TABLES_MAX: those beyond it are not listed */
    struct {
        const char *family; /* as nft writes it */
        char name[NFT_TABLE_LEN];
        bool owned;
    } list[TABLES_MAX];
};

int tables_take(struct tables *ret, struct err *err) MUST_CHECK;

#endif
