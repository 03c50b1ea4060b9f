/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shipped examples, one for each kind of fault, and the labs that they name, as they were when
 * the program was built: so that "blackstart new" needs no file of the machine.
 */
#ifndef BLACKSTART_SCENARIO_FILES_H
#define BLACKSTART_SCENARIO_FILES_H

#include <stddef.h>

extern const struct scenario_file {
    const char *path; /* below scenarios/: "faults/network-loss.yaml" */
    const char *text; /* ends with a zero byte, which is not counted */
    size_t len;
} scenario_files[];
extern const size_t scenario_n_files;

#endif
