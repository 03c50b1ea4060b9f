/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of all fault kinds, made from faults.def. Agent and coordinator link the same table and
 * compare its digest in hello, so that an agent of another build is found before anything is
 * injected. Knows nothing of hosts.
 */
#ifndef BLACKSTART_FAULTS_CATALOGUE_H
#define BLACKSTART_FAULTS_CATALOGUE_H

#include "base/fault.h"

extern const struct catalogue fault_catalogue;

#endif
