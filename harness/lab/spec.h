/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a lab is made of, as read from `lab:` in a scenario or from a file in scenarios/labs/. Plain
 * data, owned by the scenario's arena; ${...} of variables is already put in, ${host}, ${host.ip},
 * ${host.ip6}, ${hosts.LABEL} are put in by the lab when it starts a service.
 */
#ifndef BLACKSTART_LAB_SPEC_H
#define BLACKSTART_LAB_SPEC_H

#include "base/param.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab_host_spec {
    const char *name;
    const char *const *labels;
    size_t n_labels;
    struct bytes disk;     /* 0: no own file system */
    const char *disk_path; /* where it is mounted; default /data */
};

enum ready_kind { READY_NONE, READY_TCP, READY_HTTP, READY_EXEC, READY_LOG };
enum restart_policy { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

/* How fiu.* gets into the calls of a service, and which calls are trapped (agents/fiu/trap.h). */
enum lab_faults { LAB_FAULTS_NONE, LAB_FAULTS_PRELOAD, LAB_FAULTS_SECCOMP, LAB_FAULTS_AUTO };
enum lab_trap { LAB_TRAP_RARE, LAB_TRAP_WRITES, LAB_TRAP_ALL };

struct lab_file_spec {
    const char *path;    /* in the host */
    const char *content; /* or NULL */
    const char *from;    /* a file or directory of the machine, copied; or NULL */
    uint32_t mode;       /* 0: 0644, directories as they are */
    const char *owner;   /* user name; NULL: the service's user */
};

struct lab_service_spec {
    const char *name;
    const char *const *hosts;
    size_t n_hosts; /* resolved: names, in the order of the lab */
    const char *const *command;
    size_t n_command;
    const char *user; /* NULL: root of the host; made in the host if it is not there */
    const char *const *env;
    size_t n_env; /* NAME=value */
    const struct lab_file_spec *files;
    size_t n_files;
    const char *const *data;
    size_t n_data; /* directories, made empty, owned by the user */
    const char *workdir;
    enum ready_kind ready;
    const char *ready_what;
    struct duration ready_timeout;
    const char *const *ready_command;
    size_t n_ready_command; /* READY_EXEC */
    int reload_signal;      /* 0: none */
    const char *const *reload_command;
    size_t n_reload_command;
    int stop_signal;
    struct duration stop_timeout;
    enum restart_policy restart;
    struct duration restart_delay;
    struct bytes memory;
    struct ratio cpu;               /* of one processor; 0: no limit */
    uint32_t open_files, processes; /* limits; 0: none */
    const char *log;                /* file in the host; NULL: what it prints is its log */
    bool preload;                   /* the same as LAB_FAULTS_PRELOAD */
    enum lab_faults faults;
    enum lab_trap trap;
    const char *const *after;
    size_t n_after; /* services that must be ready first, on any host */
    bool start;     /* false: not started with the lab */
};

struct lab_spec {
    const char *name;
    const struct lab_host_spec *hosts;
    size_t n_hosts; /* the host `client` is always there, last if not declared */
    const struct lab_service_spec *services;
    size_t n_services;
    const char *const *packages;
    size_t n_packages; /* Debian packages, unpacked into the lab layer */
    const char *const *users;
    size_t n_users; /* that must be there, beside those of services and files */
};

#endif
