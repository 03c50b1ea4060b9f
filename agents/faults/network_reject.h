/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameters of network.reject, which its row reads and its test gives. */
#ifndef BLACKSTART_FAULTS_NETWORK_REJECT_H
#define BLACKSTART_FAULTS_NETWORK_REJECT_H

#include "agents/faults/network.h"

enum network_answer { NETWORK_ANSWER_RESET, NETWORK_ANSWER_UNREACHABLE };

struct network_reject {
    struct network_traffic traffic;
    int unreachable; /* enum nft_unreachable */
    int answer;      /* enum network_answer */
};

#endif
