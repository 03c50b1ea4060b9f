/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of real hosts beside a scenario; what is taken can be given to ssh and to the kernel. */
#include "agents/faults/catalogue.h"
#include "scenario/inventory.h"
#include "scenario/scenario.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char scenario[] = "version: 1\n"
                               "inventory: hosts.yaml\n"
                               "probes:\n"
                               "  up: {kind: tcp, hosts: web, port: 80, every: 50ms}\n"
                               "steps:\n"
                               "  - fault: process.kill\n"
                               "    on: web\n"
                               "    match: {name: nginx}\n"
                               "targets:\n"
                               "  - recovery_time: {of: up, from: fault, at_most: 5s}\n";

static void check_host(const struct inventory_host *host)
{
    if (host->name == NULL || host->name[0] == '\0' || host->connect == NULL ||
        host->connect[0] == '-' || strpbrk(host->connect, " \t\n'\"\\$`") != NULL ||
        host->n_addresses == 0 || host->n_addresses > 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario *s = NULL;
    struct problems problems = {0};
    struct err err;
    int failed = scenario_parse_whole("/nonexistent/fuzz.yaml", scenario, sizeof(scenario) - 1,
                                      (const char *)data, size, &fault_catalogue, NULL, 0, &s,
                                      &problems, &err);
    if ((failed == 0) != (s != NULL) || (failed != 0 && problems.n == 0))
        abort();
    for (size_t i = 0; i < problems.n; i++)
        if (problems.list[i].text[0] == '\0' || problems.list[i].message[0] == '\0')
            abort();
    for (size_t i = 0; s != NULL && s->inventory != NULL && i < s->inventory->n_hosts; i++)
        check_host(&s->inventory->hosts[i]);
    problems_free(&problems);
    scenario_free(s);
    return 0;
}
