/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edits that config.push makes in a file's text. Pure: bytes in, bytes out; a file's content is
 * the host's and may be anything.
 */
#ifndef BLACKSTART_AGENTS_FAULTS_CONFIG_EDIT_H
#define BLACKSTART_AGENTS_FAULTS_CONFIG_EDIT_H

#include "base/buf.h"
#include "base/param.h"

enum config_encoding {
    CONFIG_KEPT,
    CONFIG_UTF16,  /* little-endian with a byte order mark */
    CONFIG_LATIN1, /* what it has no letter for becomes a question mark */
    CONFIG_BOM,
    CONFIG_CRLF
};

/* All append the edited text to out; ERR_LIMIT when out is full. */

/* Every occurrence of find. ERR_NOT_FOUND when there is none. */
int config_edit(const char *text, size_t len, const struct text *find, const struct text *replace,
                struct buf *out, struct err *err) MUST_CHECK;

/* Line `line` (from 1) becomes replace; without one it is removed with its end. ERR_NOT_FOUND when
 * the text is shorter. */
int config_edit_line(const char *text, size_t len, int64_t line, const struct text *replace,
                     struct buf *out, struct err *err) MUST_CHECK;

/* The span from start to end becomes replace. */
int config_edit_span(const char *text, size_t len, size_t start, size_t end,
                     const struct text *replace, struct buf *out, struct err *err) MUST_CHECK;

/* ERR_INPUT when a text to be written in another encoding is not UTF-8. */
int config_encode(const char *text, size_t len, enum config_encoding encoding, struct buf *out,
                  struct err *err) MUST_CHECK;

#endif
