/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults on processes share: which processes are meant, as parameters and as a struct that
 * the args struct of each kind starts with; the lab services that die with them; and the whole of a
 * fault that is one signal (kill, crash). How processes are found is proc.h's.
 */
#ifndef BLACKSTART_FAULTS_PROCESS_H
#define BLACKSTART_FAULTS_PROCESS_H

#include "agents/host/proc.h"
#include "agents/host/service.h"
#include "base/param.h"

struct process_choice {
    struct name service, unit;
    struct path pid_file;
    struct name process;
    struct path cgroup;
    bool tree;
    int which; /* enum proc_which */
    struct ratio share;
    int64_t seed;
};

extern const char *const process_which[]; /* the words of enum proc_which */

#define PROCESS_CHOICE                                                                             \
    P(struct process_choice, PARAM_NAME, service,                                                  \
      .doc = "The lab's service whose main process is meant."),                                    \
        P(struct process_choice, PARAM_NAME, unit,                                                 \
          .doc =                                                                                   \
              "The systemd unit, or the lab's service, all of whose processes are meant: those "   \
              "in its cgroup. A name that ends in no type of unit, such as `.scope`, gets "        \
              "`.service`."),                                                                      \
        P(struct process_choice, PARAM_PATH, pid_file,                                             \
          .doc = "A file in the host that holds the process id."),                                 \
        P(struct process_choice, PARAM_NAME, process,                                              \
          .doc = "All processes with this name (as ps shows it, or the executable's base name)."), \
        P(struct process_choice, PARAM_PATH, cgroup,                                               \
          .doc = "All processes in this cgroup and beneath it, as /proc/PID/cgroup names it."),    \
        P(struct process_choice, PARAM_ENUM, which, .def = "all", .choices = process_which,        \
          .doc = "Of those: all of them, one, or a share."),                                       \
        P(struct process_choice, PARAM_RATIO, share, .min = 1, .max = 1000000,                     \
          .doc = "With `which: share`: how many of them, rounded up."),                            \
        P(struct process_choice, PARAM_INT, seed, .def = "1", .min = 1, .max = 1000000000,         \
          .doc = "Which are drawn: the same seed takes the same ones, counted in the order in "    \
                 "which they were started."),                                                      \
        P(struct process_choice, PARAM_BOOL, tree, .def = "false",                                 \
          .doc = "Also all that descend from them.")

/* Points into the choice. */
struct proc_query process_query(const struct process_choice *c);
int process_check(const struct process_choice *c, struct err *err) MUST_CHECK;
/* The kinds that need a pidfd, and nothing else that a kernel may lack. */
int process_pidfd_supported(struct fault_host *host, struct err *err) MUST_CHECK;

/* The services that a fault ends, which healing starts: a lab's whose main process is among those
 * chosen, and of a real host the unit that was named. */
enum { PROCESS_SERVICES_MAX = 4 };
struct process_services {
    uint32_t n, reserved;
    struct name v[PROCESS_SERVICES_MAX];
};
int process_note_services(const struct fault_host *host, const struct process_choice *whom,
                          const struct proc_set *procs, struct process_services *ret,
                          struct err *err) MUST_CHECK;
/* Says for each who brought it back. */
int process_heal_services(const struct fault_host *host, const struct process_services *services,
                          struct revert_report *ret, struct err *err) MUST_CHECK;

/* One signal to each, and its end seen through a pidfd. */
struct process_signal_args {
    struct process_choice whom;
    int signal;
};
/* That it is none that ends nobody, and the choice. */
int process_signal_check(const void *args, struct err *err);
int process_signal_prepare(struct fault_host *host, const void *args, struct undo *undo,
                           struct err *err);
int process_signal_apply(struct fault_host *host, const void *args, struct undo *undo,
                         struct err *err);
int process_signal_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                          struct err *err);
int process_signal_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                            struct err *err);
int process_signal_revert(struct fault_host *host, const struct undo *undo,
                          struct revert_report *ret, struct err *err);

#endif
