/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/ledger.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ledger_ids_add(struct ledger_ids *to, uint64_t id, uint32_t times, struct err *err)
{
    for (; times > 0; times--) {
        if (to->n == LEDGER_IDS_MAX)
            return make_error(err, ERR_LIMIT, 0, "more than %d ids", LEDGER_IDS_MAX);
        if (to->n == to->room) {
            size_t room = to->room != 0 ? 2 * to->room : 1024;
            uint64_t *ids = realloc(to->ids, room * sizeof(*ids));
            if (ids == NULL)
                return make_error(err, ERR_SYSTEM, ENOMEM, "ids");
            to->ids = ids;
            to->room = room;
        }
        to->ids[to->n++] = id;
    }
    return 0;
}

bool ledger_id_parse(const char *text, size_t len, uint64_t *ret)
{
    size_t start = len;
    uint64_t v = 0;
    while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9')
        start--;
    if (start == len || (start != 0 && text[start - 1] != '/' && text[start - 1] != ':'))
        return false;
    for (; start < len; start++) {
        uint64_t digit = (uint64_t)(text[start] - '0');
        if (v > (INT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

int64_t ledger_left(int64_t deadline)
{
    return deadline - clock_system(CLOCK_MONOTONIC);
}

int64_t ledger_share(int64_t deadline, size_t tries)
{
    int64_t left = ledger_left(deadline);
    return left > 0 && tries > 1 ? left / (int64_t)tries : left;
}
