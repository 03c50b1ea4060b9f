/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario; each problem that is reported has a message and a place in the text. */
#include "agents/faults/catalogue.h"
#include "scenario/scenario.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct scenario_set set = {"limit", "3s"};
    struct scenario *s = NULL;
    struct problems problems = {0};
    struct err err;
    int failed = scenario_parse("/nonexistent/fuzz.yaml", (const char *)data, size,
                                &fault_catalogue, &set, size % 2, &s, &problems, &err);
    if ((failed == 0) != (s != NULL) || (failed != 0 && problems.n == 0))
        abort();
    for (size_t i = 0; i < problems.n; i++)
        if (problems.list[i].text[0] == '\0' || problems.list[i].message[0] == '\0' ||
            problems.list[i].pos.line > size + 1)
            abort();
    problems_free(&problems);
    scenario_free(s);
    return 0;
}
