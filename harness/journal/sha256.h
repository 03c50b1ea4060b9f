/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 over bytes as they come: what names a sample file in the journal. */
#ifndef BLACKSTART_JOURNAL_SHA256_H
#define BLACKSTART_JOURNAL_SHA256_H

#include "base/err.h"

#include <stddef.h>

enum { SHA256_TEXT = 65 };

struct sha256;
int sha256_begin(struct sha256 **ret, struct err *err) MUST_CHECK;
int sha256_add(struct sha256 *s, const void *data, size_t len, struct err *err) MUST_CHECK;
/* 64 hexadecimal digits; nothing can be added after it. */
int sha256_end(struct sha256 *s, char ret[SHA256_TEXT], struct err *err) MUST_CHECK;
void sha256_free(struct sha256 *s); /* NULL is allowed */
void sha256_free_at(struct sha256 **s);
#define CLEANUP_SHA256 __attribute__((cleanup(sha256_free_at)))

#endif
