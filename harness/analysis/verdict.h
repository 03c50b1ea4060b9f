/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How an interval is judged, and which of several verdicts counts. Pure arithmetic on what it is
 * given: it knows neither samples nor journals.
 */
#ifndef BLACKSTART_VERDICT_H
#define BLACKSTART_VERDICT_H

#include <stdbool.h>

/* In order of weight: a run's verdict is its worst. */
enum verdict {
    VERDICT_NOT_JUDGED, /* a dry trial has no fault to judge by */
    VERDICT_PASS,
    VERDICT_INCONCLUSIVE,
    VERDICT_INVALID,
    VERDICT_FAIL
};

const char *verdict_word(enum verdict v);

static inline enum verdict verdict_worse(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

/* The truth lies between lower and upper (INFINITY: open): pass if all of it meets the limit, fail
 * if all of it misses it. Exactly at the limit meets it. */
enum verdict verdict_at_most(double lower, double upper, double limit);
enum verdict verdict_at_least(double lower, double upper, double limit);

/* 0 pass, 1 fail, 3 inconclusive or invalid; 4, a host left dirty, always wins. */
int verdict_exit(enum verdict v, bool dirty);

#endif
