/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block gives back what was put into it, whatever that is; and notices what was done to it. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jitter.h"
#include "check.h"
#include "draw.h"
#include "journal/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t below(uint64_t n)
{
    return draw_bits() % n;
}

/* Of any length, the extremes among them. */
static uint64_t draw_wide(void)
{
    uint64_t v = draw_bits() >> below(64);
    switch (below(8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return (uint64_t)INT64_MAX + below(2);
    default:
        return v;
    }
}

/* Nothing fits together but the order of the slots. */
static void samples_wild(struct sample *s, size_t n)
{
    uint32_t slot = below(2) != 0 ? 0 : (uint32_t)draw_wide();
    for (size_t i = 0; i < n; i++) {
        uint64_t on = draw_wide() >> 32;
        slot = below(3) == 0 && UINT32_MAX - slot >= on ? slot + (uint32_t)on : slot;
        s[i] = (struct sample){.due_ns = (int64_t)draw_wide(),
                               .sent_ns = (int64_t)draw_wide(),
                               .done_ns = (int64_t)draw_wide(),
                               .slot = slot,
                               .probe = 7,
                               .endpoint = (uint16_t)draw_wide(),
                               .result = (uint16_t)draw_wide(),
                               .status = (uint16_t)draw_wide(),
                               .bytes = (uint32_t)draw_wide(),
                               .trial = 3,
                               .send_ns = (uint32_t)draw_wide()};
    }
}

/* As a prober makes them: three endpoints, some of them slow, some late. */
static void samples_sound(struct sample *s, size_t n, const struct block_schedule *schedule)
{
    uint32_t slot = (uint32_t)below(1000);
    int64_t base = (int64_t)below(UINT64_C(1) << 45), sent = 0;
    for (size_t i = 0; i < n; i++) {
        slot += i % 3 == 0 && i != 0 ? 1 + (uint32_t)(below(50) == 0) : 0;
        int64_t due = base + slot * schedule->every_ns +
                      jitter_slot(schedule->seed, 7, slot, schedule->every_ns);
        sent = (i % 3 == 0 ? due + 50 * NS_PER_US : sent) + (int64_t)below(60 * NS_PER_US);
        uint32_t send = (uint32_t)(20 * NS_PER_US + (int64_t)below(40 * NS_PER_US));
        int64_t took = below(100) == 0 ? NS_PER_SEC + (int64_t)below(NS_PER_SEC)
                                       : send + (int64_t)below(400 * NS_PER_US);
        s[i] = (struct sample){.due_ns = due,
                               .sent_ns = sent,
                               .done_ns = sent + took,
                               .slot = slot,
                               .probe = 7,
                               .endpoint = (uint16_t)(i % 3),
                               .result = took > NS_PER_SEC ? SAMPLE_TIMEOUT : SAMPLE_GOOD,
                               .status = took > NS_PER_SEC ? 0 : 200,
                               .bytes = took > NS_PER_SEC ? 0 : 112,
                               .trial = 3,
                               .send_ns = send};
        sent += send;
    }
}

static void block_make(const struct sample *s, size_t n, const struct block_schedule *schedule,
                       bool pack, struct buf *ret)
{
    struct err err = {.msg = ""};
    CU_ASSERT_EQUAL_FATAL(block_write(s, n, schedule, pack, ret, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
}

static bool is_read_back(const struct buf *block, const struct sample *s, size_t n)
{
    struct block_head head;
    struct err err = {.msg = ""};
    CLEANUP_FREE struct sample *got = calloc(n, sizeof(*got));
    bool same = got != NULL && block_head_read(block->data, &head, &err) == 0 &&
                head.payload + (size_t)BLOCK_HEAD == block->len && head.n == n &&
                head.first == s[0].slot && head.last == s[n - 1].slot &&
                block_check(&head, block->data, block->data + BLOCK_HEAD) &&
                block_read(&head, block->data + BLOCK_HEAD, got, &err) == 0 &&
                memcmp(got, s, n * sizeof(*s)) == 0;
    if (!same)
        printf("note: %zu samples: %s\n", n, err.msg);
    return same;
}

static void test_what_is_written_is_read(void)
{
    enum { MANY = 400 };
    static struct sample s[BLOCK_SAMPLES_MAX];
    draw_state = UINT64_C(20261);
    for (size_t i = 0; i < MANY; i++) {
        CLEANUP_BUF struct buf b = BUF_INIT(4 << 20);
        size_t n = i == 0 ? BLOCK_SAMPLES_MAX : 1 + below(i);
        struct block_schedule schedule = {.seed = draw_bits(),
                                          .every_ns = (int64_t)below(NS_PER_SEC) + 10};
        if (i % 2 == 0)
            samples_wild(s, n);
        else
            samples_sound(s, n, &schedule);
        if (i % 3 == 0)
            schedule.every_ns = i % 2 == 0 ? 0 : (int64_t)draw_wide();
        if (i % 4 == 1)
            for (size_t k = 0; k < n; k++)
                CU_ASSERT_TRUE(sample_round(&s[k]));
        block_make(s, n, &schedule, i % 5 != 0, &b);
        CU_ASSERT_TRUE(is_read_back(&b, s, n));
    }
}

static void test_rounding_only_widens(void)
{
    draw_state = UINT64_C(20262);
    for (size_t i = 0; i < 20000; i++) {
        int64_t due = (int64_t)(draw_bits() >> (12 + below(50)));
        int64_t sent = due + (int64_t)(draw_bits() >> (12 + below(50)));
        struct sample was = {.due_ns = due,
                             .sent_ns = sent,
                             .done_ns = sent + (int64_t)(draw_bits() >> (12 + below(50))),
                             .send_ns = (uint32_t)(draw_bits() >> (32 + below(30)))};
        struct sample s = was, again;
        CU_ASSERT_TRUE_FATAL(sample_round(&s));
        int64_t took = was.done_ns - was.sent_ns, send = was.send_ns;
        int64_t most_done = SAMPLE_STEP_NS + (took + SAMPLE_STEP_NS) / 1024;
        int64_t most_send = SAMPLE_STEP_NS + (send + SAMPLE_STEP_NS) / 1024;
        CU_ASSERT_TRUE(s.due_ns == due && s.sent_ns >= due);
        CU_ASSERT_TRUE(s.sent_ns <= sent && s.sent_ns > sent - SAMPLE_STEP_NS);
        CU_ASSERT_TRUE(s.done_ns >= was.done_ns && s.done_ns <= was.done_ns + most_done);
        CU_ASSERT_TRUE(s.sent_ns + s.send_ns >= sent + send || s.send_ns == UINT32_MAX);
        CU_ASSERT_TRUE(s.sent_ns + s.send_ns <= sent + send + most_send);
        again = s;
        CU_ASSERT_TRUE(sample_round(&again) && memcmp(&again, &s, sizeof(s)) == 0);
    }
    struct sample backwards = {.due_ns = 5, .sent_ns = 4, .done_ns = 9}, same = backwards;
    CU_ASSERT_FALSE(sample_round(&same));
    CU_ASSERT_EQUAL(memcmp(&same, &backwards, sizeof(same)), 0);
}

static void test_every_flipped_bit_is_noticed(void)
{
    struct sample s[40];
    const struct block_schedule schedule = {.seed = 5, .every_ns = NS_PER_MS};
    struct err err;
    draw_state = UINT64_C(20263);
    samples_sound(s, 40, &schedule);
    for (int pack = 0; pack <= 1; pack++) {
        CLEANUP_BUF struct buf b = BUF_INIT(1 << 16);
        block_make(s, 40, &schedule, pack != 0, &b);
        for (size_t bit = 0; bit < 8 * b.len; bit++) {
            struct block_head head;
            b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
            bool sound = block_head_read(b.data, &head, &err) == 0 &&
                         head.payload + (size_t)BLOCK_HEAD == b.len &&
                         block_check(&head, b.data, b.data + BLOCK_HEAD);
            CU_ASSERT_FALSE(sound);
            b.data[bit / 8] = (char)(b.data[bit / 8] ^ 1 << bit % 8);
        }
        CU_ASSERT_TRUE(is_read_back(&b, s, 40));
    }
}

/* With a check sum that is right, as only somebody who means it writes them. */
static void test_a_block_that_lies_is_refused(void)
{
    struct sample s[40], got[40];
    const struct block_schedule schedule = {.seed = 5, .every_ns = NS_PER_MS};
    struct err err;
    draw_state = UINT64_C(20264);
    samples_sound(s, 40, &schedule);
    CLEANUP_BUF struct buf b = BUF_INIT(1 << 16);
    block_make(s, 40, &schedule, false, &b);
    struct block_head head, lie;
    const char *payload = b.data + BLOCK_HEAD;
    CU_ASSERT_EQUAL_FATAL(block_head_read(b.data, &head, &err), 0);
    CU_ASSERT_EQUAL(block_read(&head, payload, got, &err), 0);
    for (uint32_t less = 1; less <= head.payload - head.packed; less++) {
        lie = head;
        lie.payload -= less;
        CU_ASSERT_EQUAL(block_read(&lie, payload, got, &err), -1);
    }
    for (uint32_t other = 0; other < head.columns; other++) {
        lie = head;
        lie.packed = lie.columns = other;
        CU_ASSERT_EQUAL(block_read(&lie, payload, got, &err), -1);
        lie.columns = head.columns; /* as if packed, which it is not */
        CU_ASSERT_EQUAL(block_read(&lie, payload, got, &err), -1);
    }
    lie = head;
    lie.last--;
    CU_ASSERT_EQUAL(block_read(&lie, payload, got, &err), -1);
    lie = head;
    lie.last++;
    CU_ASSERT_EQUAL(block_read(&lie, payload, got, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
}

/* The noise of lateness, send and latency is what a file consists of. */
static void test_a_sample_takes_less_than_four_bytes(void)
{
    static struct sample s[BLOCK_SAMPLES_MAX];
    const struct block_schedule schedule = {.seed = 5, .every_ns = 10 * NS_PER_MS}, unknown = {0};
    CLEANUP_BUF struct buf planned = BUF_INIT(4 << 20), unplanned = BUF_INIT(4 << 20),
                           whole = BUF_INIT(4 << 20);
    draw_state = UINT64_C(20265);
    samples_sound(s, BLOCK_SAMPLES_MAX, &schedule);
    block_make(s, BLOCK_SAMPLES_MAX, &schedule, true, &whole);
    for (size_t i = 0; i < BLOCK_SAMPLES_MAX; i++)
        CU_ASSERT_TRUE(sample_round(&s[i]));
    block_make(s, BLOCK_SAMPLES_MAX, &schedule, true, &planned);
    block_make(s, BLOCK_SAMPLES_MAX, &unknown, true, &unplanned);
    printf("\nfigure: %.2f bytes a sample; %.2f without the schedule, %.2f with whole nanoseconds, "
           "%zu as a record\n",
           (double)planned.len / BLOCK_SAMPLES_MAX, (double)unplanned.len / BLOCK_SAMPLES_MAX,
           (double)whole.len / BLOCK_SAMPLES_MAX, sizeof(struct sample));
    CU_ASSERT_TRUE(planned.len < (size_t)4 * BLOCK_SAMPLES_MAX);
}

static const struct check_test tests[] = {
    {"what is written is read", test_what_is_written_is_read},
    {"rounding only widens", test_rounding_only_widens},
    {"every flipped bit is noticed", test_every_flipped_bit_is_noticed},
    {"a block that lies is refused", test_a_block_that_lies_is_refused},
    {"a sample takes less than four bytes", test_a_sample_takes_less_than_four_bytes},
};

CHECK_MAIN("block", tests)
