/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic of a line that holds packets: how long each is held, which comes out next, how
 * late it came, which bit is flipped. Pure: no clock, no I/O, no malloc; randomness comes from a
 * seed.
 */
#ifndef BLACKSTART_FAULTS_SHAPE_H
#define BLACKSTART_FAULTS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shape_distribution { SHAPE_UNIFORM, SHAPE_NORMAL, SHAPE_PARETO };

struct shape_delay {
    int64_t delay_ns, jitter_ns;
    enum shape_distribution distribution;
};

/* The next of a row of numbers that look random (SplitMix64). */
uint64_t shape_random(uint64_t *state);

/*
 * Which multiple of the jitter is added to the delay, for the share u (0 to 1, both excluded) of
 * the packets: uniform evenly from -1 to 1; normal with mean 0 and deviation 1; pareto the same,
 * with a long tail of late ones (shape 3: never below -0.58, one in a thousand above 9.8).
 */
double shape_quantile(enum shape_distribution distribution, double u);

/* Never negative. */
int64_t shape_draw(const struct shape_delay *d, uint64_t *state);

/* The quantiles at n equal steps in 1/8192, as netem wants them; beyond what fits, the most. */
void shape_table(enum shape_distribution distribution, int16_t *out, size_t n);

/* Packets by the time at which they are due; of those due together the one that came first. */
struct shape_item {
    int64_t due;
    uint32_t id;
};
struct shape_heap {
    struct shape_item *items;
    size_t n, max;
};
bool shape_push(struct shape_heap *h, struct shape_item item); /* false: it is full */
/* NULL: it is empty. */
const struct shape_item *shape_first(const struct shape_heap *h);
void shape_pop(struct shape_heap *h);

/* How late packets were let out: counts in steps of at most a quarter of the value. */
enum { SHAPE_STEPS = 112 };
struct shape_lateness {
    uint64_t n, counts[SHAPE_STEPS];
};
void shape_late(struct shape_lateness *l, int64_t ns);
/* No more than this many microseconds for that part (0 to 1) of the packets; 0: there are none. */
uint64_t shape_late_us(const struct shape_lateness *l, double part);

/* Flips one bit behind the IP header (version by its first byte), where a checksum covers it.
 * False: there is nothing behind it. */
bool shape_corrupt(unsigned char *packet, uint32_t len, uint64_t *state);

#endif
