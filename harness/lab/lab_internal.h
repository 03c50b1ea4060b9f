/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab as its caller holds it: shared by the files that make up lab.h's functions, and by nobody
 * else.
 */
#ifndef BLACKSTART_LAB_LAB_INTERNAL_H
#define BLACKSTART_LAB_LAB_INTERNAL_H

#include "lab/context.h"

struct lab {
    struct lab_context context;
    void (*progress)(void *ctx, const char *text);
    void *progress_ctx;
    pid_t fabric;
    int control_fd;
    struct lab_host_info hosts[LAB_HOSTS_MAX];
    char roots[LAB_HOSTS_MAX][32];
    bool trapped[LAB_SERVICES_MAX]; /* services whose calls a supervisor answers, on some host */
};

void lab_say(const struct lab *lab, const char *fmt, ...) PRINTF_LIKE(2, 3);
int lab_host_index(const struct lab *lab, const char *name, size_t *ret,
                   struct err *err) MUST_CHECK;

#endif
