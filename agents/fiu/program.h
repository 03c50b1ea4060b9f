/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a preloaded library reach this program? Read from its executable (ELF) and from what is
 * mapped into it, before a fault is tried on it: a fault that cannot fire is refused, not measured.
 */
#ifndef BLACKSTART_AGENTS_FIU_PROGRAM_H
#define BLACKSTART_AGENTS_FIU_PROGRAM_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What mends it. */
#define PROGRAM_MEND                                                                               \
    "write `faults: seccomp` in the service's part of the lab; of a unit, `blackstart-agent trap " \
    "UNIT` says what it needs"

struct program {
    bool elf;
    bool dynamic; /* asks for a dynamic linker, which is what preloads */
    bool go;      /* built by Go: it makes its system calls itself, dynamic or not */
};

/* From an executable's file; reads only its headers and section names. Never fails on bad content.
 */
int program_read(int fd, struct program *ret, struct err *err) MUST_CHECK;

/* ERR_UNSUPPORTED with the reason in words when a preloaded library cannot reach it. */
int program_reachable(const struct program *program, const char *service, struct err *err);

/* Has this process (as proc numbers it) the page of the service mapped? */
bool program_maps_page(int proc, pid_t pid, const char *service);

/* Has this process an io_uring, whose calls no library sees? */
bool program_uses_ring(int proc, pid_t pid);

#endif
