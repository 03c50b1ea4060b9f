/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of parameter types behind param.h: one row a type, with what can be done to a value of
 * it. Only param*.c use it.
 */
#ifndef BLACKSTART_BASE_PARAM_TYPE_H
#define BLACKSTART_BASE_PARAM_TYPE_H

#include "base/param.h"

struct param_type_row {
    size_t size;         /* of the value in the args struct */
    const char *expects; /* how it is written */
    bool list;           /* items are written on their own, and appended */
    bool empty_is_none;  /* all zero bytes are no value: a required one must not be so */
    int64_t min, max;    /* bounds of param_number */
    /* One scalar into its place; bounds are the caller's. */
    int (*parse)(const struct param *p, const char *text, void *at, struct err *err);
    /* Bytes from anywhere: is this a value that parse could have made? No allocation. */
    int (*check)(const struct param *p, const void *at, struct err *err);
    /* What the bounds hold for: the number itself, the count of a list, the length of a text. NULL:
     * nothing. */
    int64_t (*number)(const void *at);
    /* The i-th item (0 for what is no list) as a person would write it. */
    void (*print)(const struct param *p, const void *at, size_t i, char *out, size_t size);
};

/* NULL for a type that is none of ours. */
const struct param_type_row *param_type_row(enum param_type type);

/* A bound as a person would write it. */
const char *param_bound_print(const struct param *p, int64_t bound, char *out, size_t size);

/* The bounds that hold: the row's, within the type's. */
void param_bounds(const struct param *p, int64_t *ret_min, int64_t *ret_max);

/* All bytes of the value are zero. */
bool param_is_zero(const struct param *p, const void *args);

/* Functions of rows that param_type.c and param_list.c share. */
int param_not_a(struct err *err, const char *text, const char *what);
int64_t param_list_number(const void *at);
int param_name_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_name_check(const struct param *p, const void *at, struct err *err);
void param_name_print(const struct param *p, const void *at, size_t i, char *out, size_t size);
int param_path_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_path_check(const struct param *p, const void *at, struct err *err);
int param_hosts_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_hosts_check(const struct param *p, const void *at, struct err *err);
void param_hosts_print(const struct param *p, const void *at, size_t i, char *out, size_t size);
int param_ports_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_ports_check(const struct param *p, const void *at, struct err *err);
void param_ports_print(const struct param *p, const void *at, size_t i, char *out, size_t size);
int param_names_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_names_check(const struct param *p, const void *at, struct err *err);
void param_names_print(const struct param *p, const void *at, size_t i, char *out, size_t size);
int param_paths_parse(const struct param *p, const char *text, void *at, struct err *err);
int param_paths_check(const struct param *p, const void *at, struct err *err);
void param_paths_print(const struct param *p, const void *at, size_t i, char *out, size_t size);

#endif
