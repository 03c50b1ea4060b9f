/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long packets are held, in which order they come out, what is said of their lateness. */
#include "agents/faults/shape.h"
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 200000, TABLE = 4096 };

static const int64_t ms = 1000000;

static double draws[DRAWS];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In milliseconds, sorted. */
static void draw_all(struct shape_delay d, double *ret_mean, double *ret_deviation)
{
    uint64_t state = 42;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        draws[i] = (double)shape_draw(&d, &state) / (double)ms;
        sum += draws[i];
    }
    *ret_mean = sum / DRAWS;
    for (size_t i = 0; i < DRAWS; i++)
        squares += (draws[i] - *ret_mean) * (draws[i] - *ret_mean);
    *ret_deviation = sqrt(squares / DRAWS);
    qsort(draws, DRAWS, sizeof(draws[0]), compare);
}

static double part(double p)
{
    return draws[(size_t)(p * DRAWS)];
}

static void test_without_jitter(void)
{
    struct shape_delay d = {.delay_ns = 7 * ms, .distribution = SHAPE_NORMAL};
    uint64_t state = 1;
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(shape_draw(&d, &state), 7 * ms);
}

static void test_uniform(void)
{
    double mean, deviation;
    draw_all((struct shape_delay){100 * ms, 20 * ms, SHAPE_UNIFORM}, &mean, &deviation);
    CU_ASSERT_DOUBLE_EQUAL(mean, 100, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(deviation, 20 / sqrt(3), 0.1);
    CU_ASSERT_TRUE(draws[0] >= 80 && draws[DRAWS - 1] <= 120);
    CU_ASSERT_DOUBLE_EQUAL(part(0.25), 90, 0.3);
}

static void test_normal(void)
{
    double mean, deviation;
    draw_all((struct shape_delay){100 * ms, 20 * ms, SHAPE_NORMAL}, &mean, &deviation);
    CU_ASSERT_DOUBLE_EQUAL(mean, 100, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(deviation, 20, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(part(0.5), 100, 0.3);
    CU_ASSERT_DOUBLE_EQUAL(part(0.975), 100 + 1.95996 * 20, 0.6);
    CU_ASSERT_DOUBLE_EQUAL(part(0.001), 100 - 3.09023 * 20, 2);
}

static void test_pareto(void)
{
    double mean, deviation;
    draw_all((struct shape_delay){100 * ms, 20 * ms, SHAPE_PARETO}, &mean, &deviation);
    CU_ASSERT_DOUBLE_EQUAL(mean, 100, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(deviation, 20, 3); /* its fourth moment has no end */
    CU_ASSERT_TRUE(draws[0] >= 100 - 0.5774 * 20);
    CU_ASSERT_TRUE(part(0.5) < 96);
    CU_ASSERT_DOUBLE_EQUAL(part(0.999), 100 + 9.815 * 20, 20);
}

static void test_never_negative(void)
{
    double mean, deviation;
    draw_all((struct shape_delay){10 * ms, 50 * ms, SHAPE_NORMAL}, &mean, &deviation);
    CU_ASSERT_EQUAL(draws[0], 0);
    CU_ASSERT_TRUE(mean > 10);
}

static void test_table(void)
{
    static int16_t table[TABLE];
    const size_t middle = TABLE / 2;
    shape_table(SHAPE_NORMAL, table, TABLE);
    CU_ASSERT_DOUBLE_EQUAL(table[middle], 0, 4);
    CU_ASSERT_DOUBLE_EQUAL(table[(size_t)(0.8413 * TABLE)], 8192, 20);
    shape_table(SHAPE_PARETO, table, TABLE);
    CU_ASSERT_EQUAL(table[TABLE - 1], INT16_MAX);
    for (size_t i = 1; i < TABLE; i++)
        CU_ASSERT_TRUE_FATAL(table[i] >= table[i - 1]);
}

static void test_heap(void)
{
    enum { N = 5000 };
    static struct shape_item items[N];
    struct shape_heap h = {.items = items, .max = N};
    uint64_t state = 7;
    CU_ASSERT_PTR_NULL(shape_first(&h));
    shape_pop(&h);
    for (uint32_t i = 0; i < N; i++)
        CU_ASSERT_TRUE_FATAL(
            shape_push(&h, (struct shape_item){(int64_t)(shape_random(&state) % 900), i}));
    CU_ASSERT_FALSE(shape_push(&h, (struct shape_item){1, 1}));
    struct shape_item before = {-1, 0};
    for (int i = 0; i < N; i++) {
        struct shape_item now = *shape_first(&h);
        CU_ASSERT_TRUE_FATAL(now.due > before.due || (now.due == before.due && now.id > before.id));
        before = now;
        shape_pop(&h);
        /* What comes in between finds its place. */
        if (i % 3 == 0 && i < N / 2)
            (void)shape_push(&h, (struct shape_item){now.due + 1000, (uint32_t)(N + i)});
    }
    CU_ASSERT_EQUAL(h.n, N / 6 + 1);
}

static void test_numbers_wrap(void)
{
    struct shape_item items[2];
    struct shape_heap h = {.items = items, .max = 2};
    CU_ASSERT_TRUE(shape_push(&h, (struct shape_item){5, 1}));
    CU_ASSERT_TRUE(shape_push(&h, (struct shape_item){5, UINT32_MAX}));
    CU_ASSERT_EQUAL(shape_first(&h)->id, UINT32_MAX);
}

static void test_lateness(void)
{
    static struct shape_lateness l;
    CU_ASSERT_EQUAL(shape_late_us(&l, 0.5), 0);
    for (int64_t us = 1; us <= 1000; us++)
        shape_late(&l, us * 1000);
    CU_ASSERT_TRUE(shape_late_us(&l, 0.5) >= 500 && shape_late_us(&l, 0.5) <= 625);
    CU_ASSERT_TRUE(shape_late_us(&l, 0.99) >= 990 && shape_late_us(&l, 0.99) <= 1240);
    shape_late(&l, INT64_MAX);
    shape_late(&l, -5);
    CU_ASSERT_TRUE(shape_late_us(&l, 1) > 1000000);
    CU_ASSERT_EQUAL(shape_late_us(&l, 0.0001), 0);
}

static int flipped(const unsigned char *a, const unsigned char *b, size_t len)
{
    int n = 0;
    for (size_t i = 0; i < len; i++)
        n += __builtin_popcount((unsigned)(a[i] ^ b[i]));
    return n;
}

static void test_corrupt(void)
{
    unsigned char sound[64] = {0x45}, packet[64];
    uint64_t state = 3;
    bool hit[44] = {false};
    for (int i = 0; i < 2000; i++) {
        memcpy(packet, sound, sizeof(packet));
        CU_ASSERT_TRUE(shape_corrupt(packet, sizeof(packet), &state));
        CU_ASSERT_EQUAL(flipped(sound, packet, 20), 0);
        CU_ASSERT_EQUAL(flipped(sound, packet, sizeof(packet)), 1);
        for (size_t k = 0; k < 44; k++)
            hit[k] = hit[k] || packet[20 + k] != 0;
    }
    for (size_t k = 0; k < 44; k++)
        CU_ASSERT_TRUE(hit[k]);
    sound[0] = packet[0] = 0x60;
    CU_ASSERT_FALSE(shape_corrupt(packet, 40, &state));
    CU_ASSERT_TRUE(shape_corrupt(packet, 41, &state));
    CU_ASSERT_FALSE(shape_corrupt(packet, 0, &state));
    packet[0] = 0x4f; /* options that the packet is too short for */
    CU_ASSERT_FALSE(shape_corrupt(packet, 60, &state));
}

static const struct check_test tests[] = {
    {"without jitter", test_without_jitter},
    {"uniform", test_uniform},
    {"normal", test_normal},
    {"pareto", test_pareto},
    {"never negative", test_never_negative},
    {"netem's table", test_table},
    {"the heap", test_heap},
    {"numbers of packets wrap", test_numbers_wrap},
    {"lateness", test_lateness},
    {"a flipped bit", test_corrupt},
};

CHECK_MAIN("faults/shape", tests)
