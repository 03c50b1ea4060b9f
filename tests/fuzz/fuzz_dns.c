/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a name server answers to a probe. The first byte is the length of the question's name, then
 * the name and the message, whose number is always the right one. */
#include "prober/dns_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_query query;
    struct err err;
    char name[256] = "";
    size_t n = size > 0 ? data[0] : 0;
    if (n + 1 > size)
        return 0;
    memcpy(name, data + 1, n);
    if (dns_query_make(name, 1, true, &query, &err) != 0)
        return 0;
    CLEANUP_BUF struct buf body = BUF_INIT(65536);
    struct dns_reply reply;
    size_t len = size - 1 - n;
    if (len >= 2)
        dns_query_number(&query, (uint16_t)(data[1 + n] << 8 | data[2 + n]));
    /* A copy, so that a byte read behind its end is seen. */
    unsigned char *message = malloc(len + 1);
    if (message == NULL)
        abort();
    memcpy(message, data + 1 + n, len);
    if (dns_read(&query, message, len, &reply, &body) == DNS_ANSWER && body.failed)
        abort();
    free(message);
    return 0;
}
