/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step asks before it goes out, and what a person does by a runbook. */
#include "engine/plan_parts.h"

static void put_command(struct buf *out, const char *const *command, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i != 0 ? " " : "", command[i]);
}

static const char *print_ns(int64_t ns, char text[64])
{
    return duration_print((struct duration){ns}, text, 64);
}

static void print_approval(const struct scenario_approval *a, const char *indent, struct buf *out)
{
    char wait[64];
    buf_printf(out, "%s  asked first: %s (a model: ", indent, a->by);
    (void)print_ns(approval_wait_ns(a), wait);
    if (a->answer != ANSWER_NONE && approval_wait_ns(a) == a->after.ns)
        buf_printf(out, "%s after %s)\n", a->answer == ANSWER_YES ? "yes" : "no", wait);
    else
        buf_printf(out, "no answer within %s, so that it %s)\n", wait,
                   approval_given(a) ? "proceeds" : "is refused");
}

static void print_tasks(const struct scenario_step *s, const char *indent, struct buf *out)
{
    char takes[64];
    for (size_t i = 0; i < s->n_tasks; i++) {
        buf_printf(out, "%s  %s: after %s, ", indent, s->tasks[i].name,
                   print_ns(s->tasks[i].takes.ns, takes));
        put_command(out, s->tasks[i].command, s->tasks[i].n_command);
        buf_puts(out, "\n");
    }
}

void plan_print_asks(const struct scenario_step *s, const char *indent, struct buf *out)
{
    if (s->check.n_command != 0) {
        buf_printf(out, "%s  checked first: ", indent);
        put_command(out, s->check.command, s->check.n_command);
        buf_puts(out, "\n");
    }
    if (s->approval.by != NULL)
        print_approval(&s->approval, indent, out);
    print_tasks(s, indent, out);
}

static json_t *words(const char *const *command, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_string(command[i]));
    return list;
}

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

void plan_json_asks(const struct scenario_step *s, json_t *step)
{
    if (s->check.n_command != 0)
        (void)json_object_set_new(step, "check", words(s->check.command, s->check.n_command));
    if (s->approval.by != NULL)
        (void)json_object_set_new(step, "approval",
                                  json_pack("{s:s, s:o, s:b}", "by", s->approval.by, "wait_s",
                                            seconds(approval_wait_ns(&s->approval)), "given",
                                            approval_given(&s->approval)));
    json_t *tasks = s->n_tasks != 0 ? json_array() : NULL;
    for (size_t i = 0; i < s->n_tasks; i++)
        (void)json_array_append_new(
            tasks, json_pack("{s:s, s:o, s:o}", "name", s->tasks[i].name, "command",
                             words(s->tasks[i].command, s->tasks[i].n_command), "takes_s",
                             seconds(s->tasks[i].takes.ns)));
    if (tasks != NULL)
        (void)json_object_set_new(step, "runbook", tasks);
}
