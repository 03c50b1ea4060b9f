/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The specs that the lab's tests share, built by hand: the lab knows nothing of YAML. */
#ifndef BLACKSTART_TESTS_LAB_ETCD_H
#define BLACKSTART_TESTS_LAB_ETCD_H

#include "base/clock.h"
#include "lab/lab.h"
#include "scratch.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const member_labels[] = {"member"};
static const struct lab_host_spec three_hosts[] = {
    {.name = "n1", .labels = member_labels, .n_labels = 1},
    {.name = "n2", .labels = member_labels, .n_labels = 1},
    {.name = "n3", .labels = member_labels, .n_labels = 1},
};
static const char *const three_names[] = {"n1", "n2", "n3"};
static const char *const etcd_packages[] = {"etcd-server"};
static const char *const etcd_data[] = {"/var/lib/etcd"};
static const char *const etcd_command[] = {
    "etcd",
    "--name=${host}",
    "--data-dir=/var/lib/etcd",
    "--listen-peer-urls=http://${host.ip}:2380",
    "--initial-advertise-peer-urls=http://${host}:2380",
    "--listen-client-urls=http://0.0.0.0:2379",
    "--advertise-client-urls=http://${host}:2379",
    "--initial-cluster=n1=http://n1:2380,n2=http://n2:2380,n3=http://n3:2380",
    "--logger=zap",
};

static const struct lab_service_spec etcd_service = {
    .name = "etcd",
    .hosts = three_names,
    .n_hosts = 3,
    .command = etcd_command,
    .n_command = COUNT(etcd_command),
    .user = "etcd",
    .data = etcd_data,
    .n_data = 1,
    .ready = READY_HTTP,
    .ready_what = "http://${host}:2379/health",
    .ready_timeout = {30 * NS_PER_SEC},
    .stop_signal = SIGTERM,
    .stop_timeout = {5 * NS_PER_SEC},
    .restart = RESTART_ON_FAILURE,
    .restart_delay = {100 * NS_PER_MS},
    .start = true,
};

static inline void say_progress(void *ctx, const char *text)
{
    (void)ctx;
    (void)fprintf(stderr, "    %s\n", text);
}

/* A lab in a directory of this process's own. */
static inline struct lab_options lab_test_options(const char *name)
{
    static char state[4][256], ids[4][32];
    static size_t n;
    size_t i = n++ % 4;
    (void)snprintf(ids[i], sizeof(ids[i]), "t%d-%s", (int)getpid(), name);
    scratch_name(state[i], sizeof(state[i]), "/var/tmp", name);
    return (struct lab_options){.id = ids[i], .state_dir = state[i], .progress = say_progress};
}

#endif
