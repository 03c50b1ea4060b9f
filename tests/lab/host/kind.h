/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One fault on processes of a small host (rig.h), as its tests go through it: begin with its kind
 * and one parameter, put it on, take it off, end.
 */
#ifndef BLACKSTART_TESTS_LAB_HOST_KIND_H
#define BLACKSTART_TESTS_LAB_HOST_KIND_H

#include "agents/faults/catalogue.h"
#include "agents/host/proc.h"
#include "lab/host/rig.h"

static struct rig rig;
static struct undo undo;
static void *args;
static const struct fault *row;

static inline void begin(const char *fault, const char *param, const char *value)
{
    struct err err;
    rig_start(&rig);
    row = catalogue_find(&fault_catalogue, fault);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    args = calloc(1, row->args_size);
    CHECK_OK(params_default(row->params, row->n_params, args, row->args_size, &err), err);
    rig_set(row, args, param, value);
    rig_undo(&rig, row, "i1", 60 * NS_PER_SEC, &undo);
}

static inline void end(void)
{
    free(args);
    rig_stop(&rig);
}

static inline void put_on(void)
{
    struct err err;
    bool active;
    CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
    CHECK_OK(row->apply(&rig.host, args, &undo, &err), err);
    CHECK_OK(row->verify(&rig.host, &undo, &active, &err), err);
    CU_ASSERT_TRUE(active);
}

static inline struct revert_report take_off(void)
{
    struct err err;
    struct revert_report report;
    CHECK_OK(row->revert(&rig.host, &undo, &report, &err), err);
    return report;
}

static inline uint64_t count_of(const char *name)
{
    struct err err;
    struct evidence evidence;
    CHECK_OK(row->evidence(&rig.host, &undo, &evidence, &err), err);
    for (uint32_t i = 0; i < evidence.n; i++)
        if (strcmp(evidence.items[i].name, name) == 0)
            return evidence.items[i].value;
    CU_FAIL("no such item");
    return 0;
}

/* The agent's pid of the only process of the host with that name. */
static inline int32_t pid_of(const char *name)
{
    struct err err;
    struct proc_set set = {.n = 0};
    CHECK_OK(proc_find_by(&rig.host, name, 0, &set, &err), err);
    CU_ASSERT_EQUAL_FATAL(set.n, 1);
    return set.v[0].pid;
}

static inline void one(struct rig *r)
{
    rig_count(r, 0);
}

#endif
