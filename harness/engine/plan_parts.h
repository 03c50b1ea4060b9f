/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the plan's own files share: drawings from the seed, and how a step unfolds. */
#ifndef BLACKSTART_PLAN_PARTS_H
#define BLACKSTART_PLAN_PARTS_H

#include "base/buf.h"
#include "engine/plan.h"

enum { PLAN_PHASES_MAX = 256 };

/* A drawing of its own for each trial, step and use of the seed (splitmix64). */
uint64_t plan_draw(uint64_t seed, uint64_t trial, uint64_t step, uint64_t use);

/* Draws the order of the hosts and parts them in waves; the list is put in that order. */
void plan_put_waves(const struct scenario_waves *waves, uint64_t seed,
                    struct plan_injections *list);

/* Who of all hosts a selector that needs no role means. */
bool plan_chosen_by(const struct plan *plan, const struct selector *s, bool *chosen);

/* ", in waves of 1", or nothing. */
void plan_name_unfold(const struct scenario_step *s, char *out, size_t size);
void plan_print_unfold(const struct plan *plan, size_t step, const char *indent, struct buf *out);
void plan_json_unfold(const struct plan *plan, size_t step, json_t *fault);

/* plan_asks.c: what a step asks before it goes out, and a runbook's commands. */
void plan_print_asks(const struct scenario_step *s, const char *indent, struct buf *out);
void plan_json_asks(const struct scenario_step *s, json_t *step);

/* plan_print_rest.c: lines of the head, each begun with a newline. */
void plan_print_ledgers(const struct scenario *s, struct buf *out);
void plan_print_ends(const struct scenario *s, struct buf *out);
json_t *plan_json_ledgers(const struct scenario *s);

#endif
