/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fiu.* gets into a service's calls: by the library that is loaded into it, or, for a program
 * that loads none or goes past it, by trapping its calls in the kernel. Chosen before it starts;
 * nothing of rules.
 */
#ifndef BLACKSTART_LAB_SERVICEFAULTS_H
#define BLACKSTART_LAB_SERVICEFAULTS_H

#include "base/err.h"
#include "lab/spec.h"

#include <sys/types.h>

enum lab_faults servicefaults_asked(const struct lab_service_spec *spec);

/* For LAB_FAULTS_AUTO, in the host: what this program needs, found in its executable. What cannot
 * be read, or is a script, is taken for one that the library reaches. */
enum lab_faults servicefaults_choose(const char *program);

/* The points whose calls are trapped; never 0. */
uint64_t servicefaults_points(const struct lab_service_spec *spec);

/* Starts a supervisor on the service's page (agents/fiu/supervisor.h). */
int servicefaults_supervise(const struct lab_service_spec *spec, uint64_t points, pid_t *ret_pid,
                            int *ret_socket, struct err *err) MUST_CHECK;

#endif
