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
