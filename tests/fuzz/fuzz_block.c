/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block of a sample file, its check sum left out of account; what can be read is written and read
 * again, and must be the same. */
#include "base/buf.h"
#include "journal/block.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_sorted(const struct sample *s, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (s[i].slot < s[i - 1].slot)
            return false;
    return true;
}

static void write_again(const struct block_head *head, const struct sample *s)
{
    struct buf b = BUF_INIT(BLOCK_HEAD + BLOCK_PAYLOAD_MAX);
    struct block_head again;
    struct err err;
    struct sample *list = calloc(head->n, sizeof(*list));
    if (list == NULL)
        return;
    if (!is_sorted(s, head->n) || s[head->n - 1].slot != head->last ||
        block_write(s, head->n, &head->schedule, head->packed != head->columns, &b, &err) != 0 ||
        block_head_read(b.data, &again, &err) != 0 ||
        !block_check(&again, b.data, b.data + BLOCK_HEAD) ||
        block_read(&again, b.data + BLOCK_HEAD, list, &err) != 0 ||
        memcmp(list, s, head->n * sizeof(*s)) != 0)
        abort();
    buf_free(&b);
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block_head head;
    struct err err;
    if (size < BLOCK_HEAD || block_head_read(data, &head, &err) != 0 ||
        head.payload > BLOCK_PAYLOAD_MAX)
        return 0;
    if (head.payload > size - BLOCK_HEAD)
        return 0;
    struct sample *list = calloc(head.n, sizeof(*list));
    if (list != NULL && block_read(&head, data + BLOCK_HEAD, list, &err) == 0)
        write_again(&head, list);
    free(list);
    return 0;
}
