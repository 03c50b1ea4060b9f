/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of network.dns, which its row reads and its test gives. */
#ifndef BLACKSTART_FAULTS_NETWORK_DNS_H
#define BLACKSTART_FAULTS_NETWORK_DNS_H

#include "agents/faults/network.h"

struct network_dns {
    struct network_traffic traffic;
    int mode; /* enum dns_mode */
    struct duration delay;
    struct names names;
    struct text addresses;
};

#endif
