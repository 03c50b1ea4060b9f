/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real three-member etcd cluster in a lab, as a user of lab.h has it. */
#include "lab_check.h"
#include "lab_etcd.h"
#include "patience.h"

static void test_cluster(void)
{
    struct lab_service_spec patient = etcd_service;
    patient.ready_timeout.ns = patience(patient.ready_timeout.ns);
    const struct lab_spec spec = {.name = "etcd3",
                                  .hosts = three_hosts,
                                  .n_hosts = 3,
                                  .services = &patient,
                                  .n_services = 1,
                                  .packages = etcd_packages,
                                  .n_packages = 1};
    const struct lab_options options = lab_test_options("etcd");
    struct lab *lab = NULL;
    OK(lab_up(&spec, &options, &lab, &err));
    CU_ASSERT_EQUAL(lab_n_hosts(lab), 4);
    OK(lab_start_services(lab, &err));

    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(run_in(lab, three_names[i], "", "id -un; hostname; cat /proc/1/comm"), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, three_names[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, "blackstart-init"));
    }
    CU_ASSERT_EQUAL(run_in(lab, "n2", "etcd", "id -un; stat -c %U /var/lib/etcd"), 0);
    CU_ASSERT_STRING_EQUAL(lab_reply.data, "etcd\netcd\n");
    /* From a host that runs none: write through one member, read through another. */
    const char put[] = "exec 3<>/dev/tcp/n1/2379; b='{\"key\":\"aGk=\",\"value\":\"eW8=\"}'; "
                       "printf 'POST /v3/kv/put HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "
                       "${#b} \"$b\" >&3; cat <&3";
    char shell[700];
    (void)snprintf(shell, sizeof(shell), "cat >/tmp/put <<'E'\n%s\nE\nbash /tmp/put", put);
    CU_ASSERT_EQUAL(run_in(lab, "client", "", shell), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, "\"revision\":\"2\""));
    CLEANUP_FREE char *tail = NULL;
    OK(lab_log_tail(lab, "n3", "etcd", 1 << 18, &tail, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(tail, "serving"));
    OK(lab_down(lab, &err));
    lab_free(lab);
    CU_ASSERT_NOT_EQUAL(access(options.state_dir, F_OK), 0);
}

static const struct check_test tests[] = {
    {"cluster", test_cluster},
};

CHECK_MAIN("lab/etcd", tests)
