/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void digest_add(uint64_t *d, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t h = *d;
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    *d = h;
}

void digest_text(uint64_t *d, const char *text)
{
    digest_add(d, text, strlen(text) + 1);
}

void digest_print(uint64_t d, char ret[DIGEST_TEXT])
{
    (void)snprintf(ret, DIGEST_TEXT, "%016" PRIx64, d);
}
