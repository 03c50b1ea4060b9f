/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind of fault, probe or ledger as people and programs read about it: text, JSON and Markdown
 * from its row. Knows rows, not scenarios.
 */
#ifndef BLACKSTART_KIND_TEXT_H
#define BLACKSTART_KIND_TEXT_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/kind.h"

#include <jansson.h>

/* "when the lease ends, by the kernel": what takes the fault back when nobody asks. */
const char *kind_lifetime(enum lifetime lifetime);
const char *kind_evidence(enum evidence_class class);

/* here: whether it works on this machine; NULL: not said. */
void kind_fault_text(const struct fault *fault, const char *here, size_t width, struct buf *out);
/* The reference page of all of them, and its table of contents alone; `page` is where the links
 * lead. */
void kind_faults_doc(const struct catalogue *faults, struct buf *out);
void kind_faults_list(const struct catalogue *faults, const char *page, struct buf *out);
json_t *kind_fault_json(const struct fault *fault);
/* Kinds of probe, of ledger. */
void kind_text(const struct kind *kind, size_t width, struct buf *out);
json_t *kind_json(const struct kind *kind);
void kinds_doc(const struct kinds *kinds, struct buf *out);

/* The example as an item of a list of steps: "- fault: ..." with its lines below it. */
void kind_example_step(const struct fault *fault, const char *indent, struct buf *out);

#endif
