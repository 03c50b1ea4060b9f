/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block: its head, and in its payload the columns, and behind them the bits. A column has one
 * number of each sample, in the samples' order: what mostly repeats as variable-length integers,
 * which zlib makes next to nothing of; of what is noise (lateness, time to send, latency) the
 * number of binary digits, a byte each, while the digits themselves go into the bits as they are,
 * since no compressor makes noise smaller.
 */
#include "journal/block_parts.h"

#include "base/cleanup.h"
#include "base/jitter.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

_Static_assert(BLOCK_SAMPLES_MAX == 16384 && BLOCK_HEAD == 64, "docs/journal.md says so");

static const char mark[4] = "BLK2";
enum { FLAG_ROUNDED = 1 };

/* Little-endian, without holes. */
struct head_bytes {
    char mark[4];
    uint32_t check, payload, trial, n, first, last, packed, columns;
    uint16_t probe, flags;
    uint64_t seed, every_ns;
    uint64_t unused;
};
_Static_assert(sizeof(struct head_bytes) == BLOCK_HEAD &&
                   offsetof(struct head_bytes, check) == BLOCK_SUM_AT,
               "the block's head");

/* The check sum covers all that follows it. */
enum { CHECKED_FROM = BLOCK_SUM_AT + 4 };

uint32_t block_sum(const struct block_head *head, const void *bytes, const void *payload)
{
    uLong sum = crc32(0, (const Bytef *)bytes + CHECKED_FROM, BLOCK_HEAD - CHECKED_FROM);
    return (uint32_t)crc32(sum, payload, head->payload);
}

static void head_write(const struct block_head *h, struct head_bytes *ret)
{
    *ret = (struct head_bytes){.payload = htole32(h->payload),
                               .trial = htole32(h->trial),
                               .n = htole32(h->n),
                               .first = htole32(h->first),
                               .last = htole32(h->last),
                               .packed = htole32(h->packed),
                               .columns = htole32(h->columns),
                               .probe = htole16(h->probe),
                               .flags = htole16(h->rounded ? FLAG_ROUNDED : 0),
                               .seed = htole64(h->schedule.seed),
                               .every_ns = htole64((uint64_t)h->schedule.every_ns)};
    memcpy(ret->mark, mark, sizeof(mark));
}

int block_head_read(const void *bytes, struct block_head *ret, struct err *err)
{
    struct head_bytes b;
    memcpy(&b, bytes, sizeof(b));
    *ret = (struct block_head){
        .payload = le32toh(b.payload),
        .check = le32toh(b.check),
        .trial = le32toh(b.trial),
        .n = le32toh(b.n),
        .first = le32toh(b.first),
        .last = le32toh(b.last),
        .packed = le32toh(b.packed),
        .columns = le32toh(b.columns),
        .probe = le16toh(b.probe),
        .rounded = (le16toh(b.flags) & FLAG_ROUNDED) != 0,
        .schedule = {.seed = le64toh(b.seed), .every_ns = (int64_t)le64toh(b.every_ns)}};
    if (memcmp(b.mark, mark, sizeof(mark)) != 0)
        return make_error(err, ERR_INPUT, 0, "no block of samples begins here");
    if ((le16toh(b.flags) & ~FLAG_ROUNDED) != 0)
        return make_error(err, ERR_UNSUPPORTED, 0, "a block of a newer kind");
    if (ret->n == 0 || ret->n > BLOCK_SAMPLES_MAX || ret->first > ret->last ||
        ret->columns > ret->n * BLOCK_COLUMNS_MAX || ret->packed > ret->columns ||
        ret->payload < ret->packed || ret->payload - ret->packed > ret->n * BLOCK_BITS_MAX + 8)
        return make_error(err, ERR_INPUT, 0, "a block of sizes that cannot be");
    return 0;
}

bool block_check(const struct block_head *head, const void *bytes, const void *payload)
{
    return block_sum(head, bytes, payload) == head->check;
}

static uint64_t zigzag(uint64_t v)
{
    return (v << 1) ^ (0 - (v >> 63));
}

static uint64_t unzigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

/* When slot `number` would be due, were the first one due at jitter alone. */
static uint64_t planned(const struct block_head *h, uint32_t number)
{
    const struct block_schedule *s = &h->schedule;
    if (s->every_ns <= 0)
        return 0;
    return (uint64_t)number * (uint64_t)s->every_ns +
           (uint64_t)jitter_slot(s->seed, h->probe, number, s->every_ns);
}

uint64_t block_step(const struct block_head *h)
{
    return h->rounded ? SAMPLE_STEP_NS : 1;
}

/* How long the send took, in steps. */
static uint64_t send_steps(const struct block_head *h, const struct sample *s)
{
    uint64_t step = block_step(h), steps = (s->send_ns + step - 1) / step;
    return h->rounded ? sample_round_up(steps, SAMPLE_DIGITS) : steps;
}

/* The endpoints of a slot are sent to one after the other. */
static uint64_t expected_late(const struct block_head *h, const struct sample *before,
                              uint32_t slot)
{
    if (before == NULL || before->slot != slot)
        return 0;
    return ((uint64_t)before->sent_ns - (uint64_t)before->due_ns) / block_step(h) +
           send_steps(h, before);
}

void block_split(const struct block_head *h, const struct sample *s, const struct sample *before,
                 uint64_t ret[BLOCK_NUMBERS])
{
    static const struct sample none;
    const struct sample *b = before != NULL ? before : &none;
    uint64_t due = (uint64_t)s->due_ns - planned(h, s->slot);
    uint64_t due_before = before != NULL ? (uint64_t)b->due_ns - planned(h, b->slot) : 0;
    uint64_t late = ((uint64_t)s->sent_ns - (uint64_t)s->due_ns) / block_step(h);
    ret[NUMBER_SLOT] = s->slot - (before != NULL ? b->slot : h->first);
    ret[NUMBER_ENDPOINT] = zigzag((uint64_t)s->endpoint - b->endpoint);
    ret[NUMBER_DUE] = zigzag(due - due_before);
    ret[NUMBER_RESULT] = s->result;
    ret[NUMBER_STATUS] = zigzag((uint64_t)s->status - b->status);
    ret[NUMBER_BYTES] = zigzag((uint64_t)s->bytes - b->bytes);
    ret[NUMBER_LATE] = zigzag(late - expected_late(h, before, s->slot));
    ret[NUMBER_SEND] = send_steps(h, s);
    ret[NUMBER_LATENCY] = ((uint64_t)s->done_ns - (uint64_t)s->sent_ns) / block_step(h);
}

void block_join(const struct block_head *h, const uint64_t numbers[BLOCK_NUMBERS],
                const struct sample *before, struct sample *ret)
{
    static const struct sample none;
    const struct sample *b = before != NULL ? before : &none;
    uint64_t due_before = before != NULL ? (uint64_t)b->due_ns - planned(h, b->slot) : 0;
    uint32_t slot = (before != NULL ? b->slot : h->first) + (uint32_t)numbers[NUMBER_SLOT];
    uint64_t due = planned(h, slot) + due_before + unzigzag(numbers[NUMBER_DUE]);
    uint64_t late = unzigzag(numbers[NUMBER_LATE]) + expected_late(h, before, slot);
    uint64_t sent = due + late * block_step(h);
    uint64_t send = numbers[NUMBER_SEND] * block_step(h);
    *ret = (struct sample){.due_ns = (int64_t)due,
                           .sent_ns = (int64_t)sent,
                           .done_ns = (int64_t)(sent + numbers[NUMBER_LATENCY] * block_step(h)),
                           .slot = slot,
                           .probe = h->probe,
                           .endpoint = (uint16_t)(b->endpoint + unzigzag(numbers[NUMBER_ENDPOINT])),
                           .result = (uint16_t)numbers[NUMBER_RESULT],
                           .status = (uint16_t)(b->status + unzigzag(numbers[NUMBER_STATUS])),
                           .bytes = (uint32_t)(b->bytes + unzigzag(numbers[NUMBER_BYTES])),
                           .trial = h->trial,
                           .send_ns = send < UINT32_MAX ? (uint32_t)send : UINT32_MAX};
}

static bool all_rounded(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sample s = samples[i];
        if (!sample_round(&s) || s.sent_ns != samples[i].sent_ns ||
            s.done_ns != samples[i].done_ns || s.send_ns != samples[i].send_ns)
            return false;
    }
    return true;
}

/* The columns are packed where that makes them smaller. */
static int columns_put(struct block_head *h, const struct buf *columns, bool pack, struct buf *out,
                       struct err *err)
{
    h->columns = h->packed = (uint32_t)columns->len;
    uLongf len = compressBound(columns->len);
    CLEANUP_FREE Bytef *packed = pack ? malloc(len) : NULL;
    if (pack && (packed == NULL || compress2(packed, &len, (const Bytef *)buf_text(columns),
                                             columns->len, Z_DEFAULT_COMPRESSION) != Z_OK))
        return make_error(err, ERR_SYSTEM, ENOMEM, "block of %u samples", h->n);
    if (pack && len < columns->len) {
        h->packed = (uint32_t)len;
        buf_add(out, packed, len);
    } else {
        buf_add(out, buf_text(columns), columns->len);
    }
    return 0;
}

int block_write(const struct sample *samples, size_t n, const struct block_schedule *schedule,
                bool pack, struct buf *out, struct err *err)
{
    struct block_head h = {.trial = samples[0].trial,
                           .n = (uint32_t)n,
                           .first = samples[0].slot,
                           .last = samples[n - 1].slot,
                           .probe = samples[0].probe,
                           .rounded = all_rounded(samples, n),
                           .schedule = *schedule};
    CLEANUP_BUF struct buf columns = BUF_INIT(BLOCK_SAMPLES_MAX * BLOCK_COLUMNS_MAX);
    CLEANUP_BUF struct buf bits = BUF_INIT(BLOCK_SAMPLES_MAX * BLOCK_BITS_MAX + 8);
    struct head_bytes bytes = {.n = 0};
    size_t at = out->len;
    if (block_columns_write(&h, samples, &columns, &bits, err) != 0)
        return -1;
    buf_add(out, &bytes, sizeof(bytes));
    if (columns_put(&h, &columns, pack, out, err) != 0)
        return -1;
    buf_add(out, buf_text(&bits), bits.len);
    if (!buf_ok(out) || !buf_ok(&columns) || !buf_ok(&bits))
        return make_error(err, ERR_LIMIT, 0, "a block of %zu samples finds no room", n);
    h.payload = (uint32_t)(out->len - at - BLOCK_HEAD);
    head_write(&h, &bytes);
    bytes.check = htole32(block_sum(&h, &bytes, out->data + at + BLOCK_HEAD));
    memcpy(out->data + at, &bytes, sizeof(bytes));
    return 0;
}

int block_read(const struct block_head *h, const void *payload, struct sample *ret, struct err *err)
{
    const unsigned char *columns = payload;
    CLEANUP_FREE Bytef *unpacked = NULL;
    if (h->packed != h->columns) {
        uLongf len = h->columns;
        unpacked = malloc(len + 1);
        if (unpacked == NULL)
            return make_error(err, ERR_SYSTEM, ENOMEM, "block of %u samples", h->n);
        if (uncompress(unpacked, &len, payload, h->packed) != Z_OK || len != h->columns)
            return make_error(err, ERR_INPUT, 0, "a block of samples cannot be unpacked");
        columns = unpacked;
    }
    if (block_columns_read(h, columns, (const unsigned char *)payload + h->packed,
                           h->payload - h->packed, ret) != 0)
        return make_error(err, ERR_INPUT, 0, "a block of samples is shorter than it says");
    if (ret[h->n - 1].slot != h->last)
        return make_error(err, ERR_INPUT, 0, "a block of samples ends at another slot");
    return 0;
}
