/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commented scenario to start from: the shipped example of one kind of fault, with its lab in it,
 * so that it stands by itself. Knows only the embedded files (scenario_files.h) and where their
 * sections begin.
 */
#ifndef BLACKSTART_SCENARIO_TEMPLATE_H
#define BLACKSTART_SCENARIO_TEMPLATE_H

#include "base/buf.h"
#include "base/fault.h"

/* `schema` is the schema's path as the file's first line should name it; NULL: say how to get one.
 * ERR_NOT_FOUND: nothing is shipped for this kind. */
int scenario_template(const struct fault *fault, const char *name, const char *schema,
                      struct buf *out, struct err *err) MUST_CHECK;

#endif
