/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_template.h"

#include "scenario/scenario_files.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FILE_NAME_MAX = 160 };

#define TARGET(word, name, unit, side, doc) "#   " #name ": " doc "\n"
static const char target_kinds[] = "# The kinds, whose keys \"blackstart schema --doc\" has:\n"
#include "scenario/targets.def"
    ;
#undef TARGET

/* What is said before a section, by the key that begins it. */
static const struct {
    const char *key, *text;
} comments[] = {
    {"vars:", "# ${name} in any value is replaced; --set name=value gives another value.\n"},
    {"lab:",
     "# Hosts made on this machine for the run; the packages are unpacked for them, never\n"
     "# installed. A host \"client\" is always there too: the probes are sent from it, and\n"
     "# no fault may choose it.\n"},
    {"probes:", "# What users would see: sent on a fixed schedule, whatever happens. With more "
                "than one\n# host, \"endpoints: any\" is a client that fails over; \"each\" wants "
                "all of them good.\n"},
    {"roles:", "# Who has a role is asked at run time: the host whose answer is good has it.\n"},
    {"steps:", "# In the order of time. \"blackstart faults NAME\" has all parameters of a "
               "fault.\n"},
    {"symptoms:", "# What the outage showed: a trial that does not show it is invalid.\n"},
    {"targets:", "# What must hold. Times are measured as intervals; only a whole interval passes "
                 "or fails.\n"},
    {"guards:", "# What ends the run at once and takes everything back: a probe that is bad for "
                "too long,\n# or \"blast_radius: 50%\" of the services impacted.\n"},
};

static const struct scenario_file *file_find(const char *path, size_t len)
{
    for (size_t i = 0; i < scenario_n_files; i++)
        if (strlen(scenario_files[i].path) == len && memcmp(scenario_files[i].path, path, len) == 0)
            return &scenario_files[i];
    return NULL;
}

/* network.loss lies in faults/network-loss.yaml. */
static const struct scenario_file *file_of(const struct fault *fault)
{
    char path[FILE_NAME_MAX];
    int n = snprintf(path, sizeof(path), "faults/%s.yaml", fault->name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return NULL;
    for (char *p = path + strlen("faults/"); p < path + n - strlen(".yaml"); p++)
        *p = isalnum((unsigned char)*p) != 0 ? *p : '-';
    return file_find(path, (size_t)n);
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* The line's bytes, its newline among them. */
static size_t line_len(const char *line)
{
    size_t len = strcspn(line, "\n");
    return len + (line[len] == '\n');
}

static bool is_top(const char *line)
{
    return islower((unsigned char)line[0]) != 0;
}

/* The section of a lab file, in the place of its path. */
static int put_lab(const char *line, struct buf *out, struct err *err)
{
    const char *path = line + strlen("lab: ../");
    size_t len = strcspn(path, " \n");
    const struct scenario_file *file = file_find(path, len);
    if (file == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "no lab %.*s is shipped", (int)len, path);
    bool in = false;
    for (const char *p = file->text; *p != '\0'; p += line_len(p)) {
        in = is_top(p) ? begins(p, "lab:") : in;
        if (in)
            buf_add(out, p, line_len(p));
    }
    return 0;
}

static void put_head(const char *schema, struct buf *out)
{
    if (schema != NULL)
        buf_printf(out, "# yaml-language-server: $schema=%s\n", schema);
    else
        buf_puts(out,
                 "# \"blackstart schema > schema.json\" makes the schema for your editor; then "
                 "begin this file with\n# \"# yaml-language-server: $schema=schema.json\".\n");
}

int scenario_template(const struct fault *fault, const char *name, const char *schema,
                      struct buf *out, struct err *err)
{
    const struct scenario_file *file = file_of(fault);
    if (file == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "no example of %s is shipped", fault->name);
    put_head(schema, out);
    for (const char *p = file->text; *p != '\0'; p += line_len(p)) {
        for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++)
            if (begins(p, comments[i].key))
                buf_puts(out, comments[i].text);
        if (begins(p, "targets:"))
            buf_puts(out, target_kinds);
        if (begins(p, "name:"))
            buf_printf(out, "name: %s\n", name);
        else if (begins(p, "lab: ../") && put_lab(p, out, err) < 0)
            return -1;
        else if (!begins(p, "lab: ../") && !begins(p, "# yaml-language-server:"))
            buf_add(out, p, line_len(p));
    }
    return 0;
}
