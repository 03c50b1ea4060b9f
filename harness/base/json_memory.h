/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a program when libjansson is refused memory. Version 2.14 does not look at what
 * growing its buffer came to while it reads a string (lex_save() and lex_scan_string() in its
 * load.c): the closing quote is lost, and it copies on behind the end of both buffers. So no
 * refusal may reach it.
 */
#ifndef BLACKSTART_BASE_JSON_MEMORY_H
#define BLACKSTART_BASE_JSON_MEMORY_H

/* From now on an allocation that libjansson is refused ends the process, with exit status 3 and a
 * line on stderr that begins with `program`, which stays the caller's. What it held ends as when it
 * is killed. To be called at the beginning of main(), before any JSON. */
void json_memory_or_end(const char *program);

#endif
