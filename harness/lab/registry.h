/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The labs of this machine as other processes find them: each living lab's state directory holds
 * lab.json, which says who holds it and what its hosts are. Processes are named by pid and start
 * time, never by pid alone.
 */
#ifndef BLACKSTART_LAB_REGISTRY_H
#define BLACKSTART_LAB_REGISTRY_H

#include "lab/lab.h"

#include <jansson.h>

#define REGISTRY_FILE "lab.json"

struct registry_process {
    pid_t pid;
    uint64_t start; /* in clock ticks since boot, as /proc/<pid>/stat has it */
};

/* Of a living process; ERR_NOT_FOUND for none. */
int registry_identify(pid_t pid, struct registry_process *ret, struct err *err) MUST_CHECK;

/* A pidfd, if the process is still the same; ERR_NOT_FOUND otherwise. */
int registry_open(const struct registry_process *process, int *ret_pidfd,
                  struct err *err) MUST_CHECK;

/* By lab_up. */
int registry_write(const struct lab *lab, struct err *err) MUST_CHECK;

/* Adds to lab.json what the lab's holder wants known (steals values of extra). */
int registry_extend(const char *state_dir, json_t *extra, struct err *err) MUST_CHECK;

/* An array of living labs: {"id","name","holder":{"pid","start"},"hosts":[{"name","pid","start",
 * "ip","ip6"}],"services":[...],"state_dir"}. */
int registry_list(const char *base_dir, json_t **ret, struct err *err) MUST_CHECK;

/* The living lab called `name` (id, or the name given to `lab up`); name NULL: the only one. The
 * error names those that there are. Caller decrefs. */
int registry_find(const char *base_dir, const char *name, json_t **ret, struct err *err) MUST_CHECK;

/* The same, but with name NULL the only one that has this host. */
int registry_find_with(const char *base_dir, const char *name, const char *host, json_t **ret,
                       struct err *err) MUST_CHECK;
/* NULL: none of that name. */
const json_t *registry_host(const json_t *lab, const char *name);

int registry_process_from(const json_t *object, struct registry_process *ret,
                          struct err *err) MUST_CHECK;

#endif
