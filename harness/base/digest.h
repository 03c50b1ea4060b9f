/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FNV-1a, 64 bits: finds accidents (another build's catalogue, a torn undo record, a changed dump),
 * not forgeries; whatever must withstand an attacker
 * (scenario and sample hashes) is SHA-256 in the coordinator.
 */
#ifndef BLACKSTART_BASE_DIGEST_H
#define BLACKSTART_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_TEXT = 17 };

#define DIGEST_START UINT64_C(0xcbf29ce484222325)

void digest_add(uint64_t *d, const void *data, size_t len);
/* A text with its final NUL, so that "ab","c" and "a","bc" differ. */
void digest_text(uint64_t *d, const char *text);
/* 16 hexadecimal digits. */
void digest_print(uint64_t d, char ret[DIGEST_TEXT]);

#endif
