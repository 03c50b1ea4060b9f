/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/process.h"

#include <linux/capability.h>
#include <signal.h>

static const struct param params[] = {
    PROCESS_CHOICE,
    P(struct process_signal_args, PARAM_SIGNAL, signal, .def = "SEGV",
      .doc = "The signal of the crash: one for which the kernel dumps core, as SEGV, BUS, FPE, "
             "ILL, TRAP, SYS, ABRT, QUIT."),
};

static int check(const void *args, struct err *err)
{
    const struct process_signal_args *a = args;
    static const int crashes[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP,
                                  SIGSYS,  SIGABRT, SIGQUIT, SIGXCPU, SIGXFSZ};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        if (a->signal == crashes[i])
            return process_check(&a->whom, err);
    return make_error(err, ERR_INPUT, 0,
                      "signal %d is no crash (SEGV, BUS, FPE, ILL, TRAP, SYS, ABRT, QUIT, XCPU, "
                      "XFSZ); process.kill sends any",
                      a->signal);
}

const struct fault fault_process_crash = {
    .name = "process.crash",
    .summary =
        "Crashes a process: it ends as by a fault of its own, with a core dump where allowed.",
    .doc =
        "Sends a signal that stands for a crash (SEGV unless said otherwise) through a pidfd, to "
        "exactly the processes that were found when the fault was prepared. The process' own "
        "handler for it runs, as in a real crash; core limits and core_pattern are left as "
        "they are, so that the kernel dumps core, or not, as it would have. The end of the "
        "process is seen through the same descriptor: one that handles the signal and goes on "
        "is no crash, and the fault fails. Healing starts a lab's service, or the `unit` of a "
        "real host, if its own restart policy has not done so. The host's init and the agent "
        "cannot be chosen.",
    .example = "- fault: process.crash\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the processes that the parameters name; a core dump, where the host keeps them",
    .touches = TOUCHES_PROCESSES,
    .caps = (UINT64_C(1) << CAP_KILL) | (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_INSTANT,
    .evidence_class = EVIDENCE_EVENT,
    .bound_ms = SERVICE_BOUND_MS(PROCESS_SERVICES_MAX),
    FAULT_PARAMS(struct process_signal_args, params),
    .supported = process_pidfd_supported,
    .check = check,
    .prepare = process_signal_prepare,
    .apply = process_signal_apply,
    .verify = process_signal_verify,
    .evidence = process_signal_evidence,
    .revert = process_signal_revert,
};
