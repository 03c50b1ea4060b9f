/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/shape.h"

#include <math.h>

enum { IPV6_HEADER = 40 };

uint64_t shape_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double uniform_quantile(double u)
{
    return 2 * u - 1;
}

/* The lower tail of the normal distribution, u up to 0.02425. */
static double normal_tail(double u)
{
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    double q = sqrt(-2 * log(u));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
}

/* Acklam's approximation; its relative error is below 1.2e-9. */
static double normal_quantile(double u)
{
    static const double tail = 0.02425;
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01};
    if (u < tail)
        return normal_tail(u);
    if (u > 1 - tail)
        return -normal_tail(1 - u);
    double q = u - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/* Shape 3, shifted to mean 0 and scaled to deviation 1: of (1 - u)^(-1/3) they are 3/2 and
 * sqrt(3)/2. */
static double pareto_quantile(double u)
{
    return (1 / cbrt(1 - u) - 1.5) / (sqrt(3) / 2);
}

double shape_quantile(enum shape_distribution distribution, double u)
{
    static double (*const quantiles[])(double) = {[SHAPE_UNIFORM] = uniform_quantile,
                                                  [SHAPE_NORMAL] = normal_quantile,
                                                  [SHAPE_PARETO] = pareto_quantile};
    return quantiles[distribution](u);
}

int64_t shape_draw(const struct shape_delay *d, uint64_t *state)
{
    if (d->jitter_ns == 0)
        return d->delay_ns;
    /* 53 bits in the middle of their steps: neither 0 nor 1. */
    double u = ((double)(shape_random(state) >> 11) + 0.5) / 9007199254740992.0;
    double ns = (double)d->delay_ns + (double)d->jitter_ns * shape_quantile(d->distribution, u);
    return ns > 0 ? (int64_t)ns : 0;
}

void shape_table(enum shape_distribution distribution, int16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double q = 8192 * shape_quantile(distribution, ((double)i + 0.5) / (double)n);
        q = q > INT16_MAX ? INT16_MAX : q;
        out[i] = (int16_t)(q < INT16_MIN ? INT16_MIN : q);
    }
}

/* Numbers of packets wrap around. */
static bool is_before(const struct shape_item *a, const struct shape_item *b)
{
    return a->due != b->due ? a->due < b->due : (int32_t)(a->id - b->id) < 0;
}

bool shape_push(struct shape_heap *h, struct shape_item item)
{
    if (h->n == h->max)
        return false;
    size_t at = h->n++;
    for (size_t up = (at - 1) / 2; at > 0 && is_before(&item, &h->items[up]); up = (at - 1) / 2) {
        h->items[at] = h->items[up];
        at = up;
    }
    h->items[at] = item;
    return true;
}

const struct shape_item *shape_first(const struct shape_heap *h)
{
    return h->n == 0 ? NULL : &h->items[0];
}

void shape_pop(struct shape_heap *h)
{
    if (h->n == 0)
        return;
    const struct shape_item last = h->items[--h->n];
    size_t at = 0;
    for (;;) {
        size_t down = 2 * at + 1;
        if (down + 1 < h->n && is_before(&h->items[down + 1], &h->items[down]))
            down++;
        if (down >= h->n || !is_before(&h->items[down], &last))
            break;
        h->items[at] = h->items[down];
        at = down;
    }
    h->items[at] = last;
}

/* Up to 3 us a step for each, then four steps for each doubling. */
static size_t step_of(uint64_t us)
{
    if (us < 4)
        return (size_t)us;
    unsigned e = 63u - (unsigned)__builtin_clzll(us);
    size_t step = 4 * (size_t)(e - 1) + ((us >> (e - 2)) & 3);
    return step < SHAPE_STEPS ? step : SHAPE_STEPS - 1;
}

/* The last value of a step. */
static uint64_t step_end(size_t step)
{
    if (step < 4)
        return step;
    unsigned e = (unsigned)step / 4 + 1;
    return ((uint64_t)(step % 4 + 5) << (e - 2)) - 1;
}

void shape_late(struct shape_lateness *l, int64_t ns)
{
    l->counts[step_of(ns > 0 ? (uint64_t)ns / 1000 : 0)]++;
    l->n++;
}

uint64_t shape_late_us(const struct shape_lateness *l, double part)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < SHAPE_STEPS && l->n != 0; i++) {
        seen += l->counts[i];
        if ((double)seen >= part * (double)l->n)
            return step_end(i);
    }
    return 0;
}

static uint32_t header_len(const unsigned char *packet, uint32_t len)
{
    if (len == 0)
        return 0;
    return packet[0] >> 4 == 6 ? IPV6_HEADER : (packet[0] & 15u) * 4u;
}

bool shape_corrupt(unsigned char *packet, uint32_t len, uint64_t *state)
{
    uint32_t head = header_len(packet, len);
    if (len <= head)
        return false;
    uint64_t bit = shape_random(state) % ((uint64_t)(len - head) * 8);
    packet[head + bit / 8] ^= (unsigned char)(1u << (bit % 8));
    return true;
}
