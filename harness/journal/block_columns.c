/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of a block's samples as columns and bits. */
#include "base/cleanup.h"
#include "journal/block_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE = NUMBER_LATE, VARINT_MAX = 10 };

/* Digits of a number that are written: the leading one is known. */
static unsigned digits_written(const struct block_head *h, unsigned number, unsigned digits)
{
    unsigned most = h->rounded && number != NUMBER_LATE ? SAMPLE_DIGITS : 64;
    unsigned kept = digits < most ? digits : most;
    return kept > 1 ? kept - 1 : 0;
}

struct bit_writer {
    struct buf *out;
    uint64_t held;
    unsigned n;
};

static void bits_put(struct bit_writer *w, uint64_t v, unsigned n)
{
    for (; n != 0; n -= n < 32 ? n : 32, v >>= 32) {
        unsigned now = n < 32 ? n : 32;
        w->held |= (v & ((UINT64_C(1) << now) - 1)) << w->n;
        w->n += now;
        for (; w->n >= 8; w->n -= 8, w->held >>= 8) {
            unsigned char byte = (unsigned char)w->held;
            buf_add(w->out, &byte, 1);
        }
    }
}

static void bits_end(struct bit_writer *w)
{
    bits_put(w, 0, (8 - w->n) % 8);
}

static unsigned char *varint_put(unsigned char *to, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *to++ = (unsigned char)(v | 128);
    *to++ = (unsigned char)v;
    return to;
}

static unsigned length_of(uint64_t v)
{
    return v != 0 ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static void noise_put(const struct block_head *h, unsigned number, uint64_t v,
                      struct bit_writer *bits)
{
    unsigned digits = length_of(v), written = digits_written(h, number, digits);
    if (written != 0)
        bits_put(bits, v >> (digits - 1 - written), written);
}

int block_columns_write(const struct block_head *h, const struct sample *samples,
                        struct buf *columns, struct buf *bits, struct err *err)
{
    CLEANUP_FREE uint64_t(*numbers)[BLOCK_NUMBERS] = calloc(h->n, sizeof(*numbers));
    CLEANUP_FREE unsigned char *column = malloc((size_t)h->n * VARINT_MAX);
    if (numbers == NULL || column == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "block of %u samples", h->n);
    struct bit_writer w = {.out = bits};
    for (size_t i = 0; i < h->n; i++) {
        block_split(h, &samples[i], i != 0 ? &samples[i - 1] : NULL, numbers[i]);
        for (unsigned k = NOISE; k < BLOCK_NUMBERS; k++)
            noise_put(h, k, numbers[i][k], &w);
    }
    bits_end(&w);
    for (unsigned k = 0; k < BLOCK_NUMBERS; k++) {
        unsigned char *to = column;
        for (size_t i = 0; i < h->n; i++)
            to = varint_put(to, k < NOISE ? numbers[i][k] : length_of(numbers[i][k]));
        buf_add(columns, column, (size_t)(to - column));
    }
    return 0;
}

/* Where a reader stands in one column. */
struct cursor {
    const unsigned char *at, *end;
};

static int varint_take(struct cursor *c, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->at == c->end)
            return -1;
        unsigned char byte = *c->at++;
        v |= (uint64_t)(byte & 127) << shift;
        if ((byte & 128) == 0) {
            *ret = v;
            return 0;
        }
    }
    return -1;
}

/* Past n integers. */
static int column_skip(struct cursor *c, uint32_t n)
{
    for (; n != 0; n--) {
        while (c->at != c->end && (*c->at & 128) != 0)
            c->at++;
        if (c->at == c->end)
            return -1;
        c->at++;
    }
    return 0;
}

struct bit_reader {
    const unsigned char *at, *end;
    uint64_t held;
    unsigned n;
};

static int bits_take(struct bit_reader *r, unsigned n, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned done = 0; done < n;) {
        unsigned now = n - done < 32 ? n - done : 32;
        for (; r->n < now; r->n += 8) {
            if (r->at == r->end)
                return -1;
            r->held |= (uint64_t)*r->at++ << r->n;
        }
        v |= (r->held & ((UINT64_C(1) << now) - 1)) << done;
        r->held >>= now;
        r->n -= now;
        done += now;
    }
    *ret = v;
    return 0;
}

static int noise_take(const struct block_head *h, unsigned number, struct bit_reader *bits,
                      uint64_t *v)
{
    if (*v > 64)
        return -1;
    unsigned digits = (unsigned)*v, written = digits_written(h, number, digits);
    uint64_t low = 0;
    if (digits == 0)
        return 0;
    if (bits_take(bits, written, &low) != 0)
        return -1;
    *v = ((UINT64_C(1) << written) | low) << (digits - 1 - written);
    return 0;
}

int block_columns_read(const struct block_head *h, const unsigned char *columns,
                       const unsigned char *bits, size_t n_bits, struct sample *ret)
{
    struct cursor cursors[BLOCK_NUMBERS];
    struct cursor all = {columns, columns + h->columns};
    for (unsigned k = 0; k < BLOCK_NUMBERS; k++) {
        cursors[k] = all;
        if (column_skip(&all, h->n) != 0)
            return -1;
        cursors[k].end = all.at;
    }
    if (all.at != all.end)
        return -1;
    struct bit_reader r = {.at = bits, .end = bits + n_bits};
    uint32_t slot = h->first;
    for (uint32_t i = 0; i < h->n; slot = ret[i++].slot) {
        uint64_t numbers[BLOCK_NUMBERS];
        for (unsigned k = 0; k < BLOCK_NUMBERS; k++)
            if (varint_take(&cursors[k], &numbers[k]) != 0 ||
                (k >= NOISE && noise_take(h, k, &r, &numbers[k]) != 0))
                return -1;
        if (numbers[NUMBER_SLOT] > h->last - slot)
            return -1;
        block_join(h, numbers, i != 0 ? &ret[i - 1] : NULL, &ret[i]);
    }
    return 0;
}
