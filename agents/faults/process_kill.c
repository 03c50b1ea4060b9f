/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"

#include <linux/capability.h>

static const struct param params[] = {
    PROCESS_CHOICE,
    P(struct process_signal_args, PARAM_SIGNAL, signal, .def = "KILL",
      .doc = "The signal; one that ends the process."),
};

const struct fault fault_process_kill = {
    .name = "process.kill",
    .summary = "Ends a process with a signal.",
    .doc = "Sends a signal (KILL unless said otherwise) through a pidfd, to exactly the processes "
           "that were found when the fault was prepared: by service, unit, pid file, name or "
           "cgroup. The end of the process is seen through the same descriptor. It cannot be taken "
           "back: healing starts a lab's service, or the `unit` of a real host, if its own restart "
           "policy has not done so. The host's init and the agent cannot be chosen.",
    .example = "- fault: process.kill\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the processes that the parameters name",
    .touches = TOUCHES_PROCESSES,
    .caps = (UINT64_C(1) << CAP_KILL) | (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_INSTANT,
    .evidence_class = EVIDENCE_EVENT,
    .bound_ms = SERVICE_BOUND_MS(PROCESS_SERVICES_MAX),
    FAULT_PARAMS(struct process_signal_args, params),
    .supported = process_pidfd_supported,
    .check = process_signal_check,
    .prepare = process_signal_prepare,
    .apply = process_signal_apply,
    .verify = process_signal_verify,
    .evidence = process_signal_evidence,
    .revert = process_signal_revert,
};
