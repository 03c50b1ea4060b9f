/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/history_parts.h"
#include "journal/journal.h"

#include <errno.h>
#include <string.h>

enum member_type { MEMBER_TEXT, MEMBER_INT, MEMBER_BOOL, MEMBER_OBJECT, MEMBER_LIST };

static const struct member {
    const char *name;
    enum member_type type;
    size_t offset;
} members[] = {
#define TEXT(field)                                                                                \
    {                                                                                              \
#field, MEMBER_TEXT, offsetof(struct history_line, field)                                  \
    }
#define INT(field)                                                                                 \
    {                                                                                              \
#field, MEMBER_INT, offsetof(struct history_line, field)                                   \
    }
#define BOOL(field)                                                                                \
    {                                                                                              \
#field, MEMBER_BOOL, offsetof(struct history_line, field)                                  \
    }
#define JSON(field, type)                                                                          \
    {                                                                                              \
#field, type, offsetof(struct history_line, field)                                         \
    }
    TEXT(ev),
    TEXT(injection),
    TEXT(fault),
    TEXT(host),
    TEXT(why),
    TEXT(what),
    TEXT(error),
    TEXT(ended_by),
    TEXT(restored_by),
    TEXT(role),
    TEXT(when),
    TEXT(probe),
    TEXT(vantage),
    TEXT(state),
    TEXT(outcome),
    TEXT(file),
    TEXT(text),
    TEXT(sha256),
    TEXT(run),
    TEXT(wall),
    TEXT(version),
    TEXT(kernel),
    TEXT(machine),
    TEXT(scenario),
    TEXT(class),
    INT(t),
    INT(trial),
    INT(trials),
    INT(group),
    INT(step),
    INT(wave),
    INT(phase),
    INT(for_ns),
    INT(asked_ns),
    INT(active_ns),
    INT(done_ns),
    INT(until_ns),
    INT(late),
    INT(gaps),
    INT(sent),
    INT(cpu_ns),
    INT(count),
    INT(seed),
    INT(format),
    BOOL(ok),
    BOOL(held),
    BOOL(fault_free),
    BOOL(proven),
    BOOL(foreign),
    BOOL(clean),
    BOOL(aborted),
    BOOL(recovery),
    BOOL(no_fault),
    BOOL(refused),
    JSON(args, MEMBER_OBJECT),
    JSON(items, MEMBER_OBJECT),
    JSON(null, MEMBER_OBJECT),
    JSON(served, MEMBER_LIST),
    JSON(begin, MEMBER_OBJECT),
    JSON(end, MEMBER_OBJECT),
    JSON(clock, MEMBER_OBJECT),
    JSON(hosts, MEMBER_LIST),
    JSON(list, MEMBER_LIST),
    JSON(addrs, MEMBER_LIST),
    JSON(labels, MEMBER_LIST),
    JSON(differences, MEMBER_LIST),
    JSON(left, MEMBER_LIST),
    JSON(listed, MEMBER_LIST),
    JSON(lapsed, MEMBER_LIST),
    JSON(sequential, MEMBER_OBJECT),
#undef TEXT
#undef INT
#undef BOOL
#undef JSON
};

static bool member_set(const struct member *m, const json_t *v, struct history_line *line)
{
    void *place = (char *)line + m->offset;
    switch (m->type) {
    case MEMBER_TEXT:
        *(const char **)place = json_string_value(v);
        return json_is_string(v);
    case MEMBER_INT:
        *(int64_t *)place = json_integer_value(v);
        return json_is_integer(v);
    case MEMBER_BOOL:
        *(int *)place = json_is_true(v);
        return json_is_boolean(v);
    case MEMBER_OBJECT:
        *(const json_t **)place = v;
        return json_is_object(v);
    case MEMBER_LIST:
        *(const json_t **)place = v;
        return json_is_array(v);
    }
    return false;
}

static void line_blank(struct history_line *line)
{
    memset(line, 0, sizeof(*line));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        void *place = (char *)line + members[i].offset;
        if (members[i].type == MEMBER_INT)
            *(int64_t *)place = HISTORY_UNKNOWN;
        if (members[i].type == MEMBER_BOOL)
            *(int *)place = -1;
    }
}

int history_line_read(const json_t *object, size_t number, struct history_line *ret,
                      struct err *err)
{
    static const char *const words[] = {"text", "an integer", "true or false", "an object",
                                        "a list"};
    line_blank(ret);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct member *m = &members[i];
        const json_t *v = json_object_get(object, m->name);
        if (v == NULL || json_is_null(v))
            continue;
        if (!member_set(m, v, ret))
            return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":%zu: %s must be %s", number,
                              m->name, words[m->type]);
        if (m->type == MEMBER_INT && m->offset != offsetof(struct history_line, seed) &&
            (*(int64_t *)((char *)ret + m->offset) < -1 ||
             *(int64_t *)((char *)ret + m->offset) > HISTORY_TIME_MAX))
            return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":%zu: %s is out of bounds", number,
                              m->name);
    }
    if (ret->t < 0 || ret->ev == NULL)
        return make_error(err, ERR_INPUT, 0, JOURNAL_FILE ":%zu: needs `t` and `ev`", number);
    return 0;
}
