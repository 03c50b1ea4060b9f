/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults on services share: the one service that is meant, and the head of their undo
 * records, which says how it stood before. Who manages it, a lab's init or systemd, is
 * agents/host/service.h's.
 */
#ifndef BLACKSTART_FAULTS_SERVICE_H
#define BLACKSTART_FAULTS_SERVICE_H

#include "agents/host/proc.h"
#include "agents/host/service.h"
#include "base/param.h"

struct service_args {
    struct name service;
};

#define SERVICE_CHOICE                                                                             \
    P(struct service_args, PARAM_NAME, service, .required = true,                                  \
      .doc = "The lab's service; on a real host systemd's unit, `.service` behind a name that "    \
             "ends in no type of unit, such as `.socket`.")

struct service_undo {
    uint32_t version;
    uint32_t was_up;
    struct name service;
    struct proc_id main; /* its main process at the time of prepare; pid 0: none */
    uint32_t told;       /* noted by apply */
    uint32_t stop;       /* service.mask: it is stopped too */
};

/* Fills the record. ERR_NOT_FOUND when there is none of that name, or, with must_run, when it does
 * not run; ERR_REFUSED when it is masked, by others or by another fault. */
int service_prepare(const struct fault_host *host, const struct service_args *args, bool must_run,
                    struct undo *undo, struct err *err) MUST_CHECK;
/* NULL with err when it is damaged. */
const struct service_undo *service_record(const struct undo *undo, struct err *err);

#endif
