/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in result.json, as tables: a field that json*.c writes has a row here, from which the
 * schema derives; a test compares both.
 */
#ifndef BLACKSTART_REPORTS_RESULT_FIELDS_H
#define BLACKSTART_REPORTS_RESULT_FIELDS_H

#include <stddef.h>

enum field_type {
    FIELD_TEXT,
    FIELD_REAL,
    FIELD_COUNT,
    FIELD_BOOL,
    FIELD_VERDICT,
    FIELD_TEXTS,    /* a list of texts */
    FIELD_OBJECT,   /* whatever is in it */
    FIELD_COUNTS,   /* names and whole numbers */
    FIELD_SECTION,  /* an object of the section */
    FIELD_SECTIONS, /* a list of them */
};

struct section;
struct field {
    const char *name;
    enum field_type type;
    int how; /* NULLABLE, OPTIONAL, FULL_ONLY: not in the compact form */
    const char *doc;
    const struct section *section;
};
enum { NULLABLE = 1, OPTIONAL = 2, FULL_ONLY = 4 };

struct section {
    const char *doc;
    const struct field *fields;
    size_t n;
};

struct result_definition {
    const char *name;
    const struct section *section;
};
extern const struct section result_section;
extern const struct result_definition result_definitions[];
extern const size_t result_n_definitions;

#endif
