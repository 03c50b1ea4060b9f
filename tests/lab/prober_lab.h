/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A prober on a lab's client that asks a real service on the lab's one host, `n1`. */
#ifndef BLACKSTART_TESTS_PROBER_LAB_H
#define BLACKSTART_TESTS_PROBER_LAB_H

#include "lab_etcd.h"
#include "prober_rig.h"

#include <arpa/inet.h>

static struct lab *prober_lab;
static struct prober_endpoint prober_lab_n1;

static inline int prober_lab_spawn(void *ctx, const int *fds, size_t n, pid_t *ret_pid,
                                   struct err *why)
{
    static const char *const argv[] = {BINARY_DIR "/blackstart-prober", NULL};
    (void)ctx;
    return lab_spawn(prober_lab, "client", argv, fds, n, ret_pid, why);
}

static inline void prober_lab_up(const struct lab_service_spec *service, const char *package)
{
    static const struct lab_host_spec hosts[] = {{.name = "n1"}};
    const struct lab_spec spec = {.name = service->name,
                                  .hosts = hosts,
                                  .n_hosts = 1,
                                  .services = service,
                                  .n_services = 1,
                                  .packages = &package,
                                  .n_packages = 1};
    const struct lab_options options = lab_test_options(service->name);
    struct err err = {.msg = ""};
    if (lab_up(&spec, &options, &prober_lab, &err) != 0 ||
        lab_start_services(prober_lab, &err) != 0) {
        printf("\n  %s\n", err.msg);
        CU_FAIL_FATAL("no lab");
    }
    prober_lab_n1 = (struct prober_endpoint){.name = "n1"};
    CU_ASSERT_PTR_NOT_NULL(inet_ntop(AF_INET, lab_find(prober_lab, "n1")->addrs[0].ip,
                                     prober_lab_n1.ip, sizeof(prober_lab_n1.ip)));
    rig_open_by(prober_lab_spawn, NULL);
}

static inline void prober_lab_down(void)
{
    struct err err = {.msg = ""};
    rig_close();
    CU_ASSERT_EQUAL(lab_down(prober_lab, &err), 0);
    lab_free(prober_lab);
    prober_lab = NULL;
}

#endif
