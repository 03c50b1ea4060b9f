/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/sample.h"

static const char *const words[] = {
#define SAMPLE_WORD(id, word) [id] = word,
    SAMPLE_RESULTS(SAMPLE_WORD)
#undef SAMPLE_WORD
};

const char *sample_result_word(unsigned result)
{
    return result < sizeof(words) / sizeof(words[0]) ? words[result] : "unknown";
}

int sample_compare(const struct sample *a, const struct sample *b)
{
    if (a->trial != b->trial)
        return a->trial < b->trial ? -1 : 1;
    if (a->probe != b->probe)
        return a->probe < b->probe ? -1 : 1;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return a->endpoint < b->endpoint ? -1 : a->endpoint > b->endpoint;
}

uint64_t sample_round_up(uint64_t v, unsigned digits)
{
    unsigned length = v != 0 ? 64 - (unsigned)__builtin_clzll(v) : 0;
    if (length <= digits)
        return v;
    uint64_t below = (UINT64_C(1) << (length - digits)) - 1;
    return (v + below) & ~below;
}

/* The time from `from` to `to`, which is not before it. */
static int64_t took(int64_t from, int64_t to)
{
    uint64_t steps = ((uint64_t)(to - from) + SAMPLE_STEP_NS - 1) / SAMPLE_STEP_NS;
    return (int64_t)sample_round_up(steps, SAMPLE_DIGITS) * SAMPLE_STEP_NS;
}

bool sample_round(struct sample *s)
{
    /* A bound that leaves room for the sums. */
    if (s->due_ns < 0 || s->sent_ns < s->due_ns || s->done_ns < s->sent_ns ||
        s->done_ns > INT64_MAX / 4)
        return false;
    int64_t sent = s->sent_ns - (s->sent_ns - s->due_ns) % SAMPLE_STEP_NS;
    int64_t send = took(sent, s->sent_ns + s->send_ns);
    s->done_ns = sent + took(sent, s->done_ns);
    s->sent_ns = sent;
    /* The greatest means "so long or longer" and stays what it is. */
    s->send_ns = send < UINT32_MAX ? (uint32_t)send : UINT32_MAX;
    return true;
}
