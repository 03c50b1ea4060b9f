/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab of real programs that were started with the preload library, and this process standing
 * where the host's agent would: in the host's network namespace, outside its others. The rows' own
 * functions are called, in the order in which an agent calls them.
 */
#ifndef BLACKSTART_TESTS_LAB_FIU_RIG_H
#define BLACKSTART_TESTS_LAB_FIU_RIG_H

#include "agents/faults/catalogue.h"
#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hostctl.h"
#include "check.h"
#include "services.h"
#include "this_host.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char state_dir[64];
static struct err err;
static struct lab *lab;
static const struct fault *row;
static struct fault_host host;
static struct undo undo;
static struct hostctl_request request;
static struct hostctl_reply reply;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            printf("\n    %s: %s\n", #call, err.msg);                                              \
            CU_FAIL_FATAL(#call);                                                                  \
        }                                                                                          \
    } while (0)

/* A shell command in the host; its exit status, its output in reply.data. */
static inline int shell(const char *user, const char *command)
{
    CLEANUP_FD int fd = -1;
    OK(hostctl_connect(&fd, &err));
    memset(&request, 0, sizeof(request));
    request.op = HOSTCTL_RUN;
    request.timeout_ns = 20 * NS_PER_SEC;
    (void)snprintf(request.user, sizeof(request.user), "%s", user);
    request.len =
        (uint32_t)snprintf(request.data, sizeof(request.data), "sh%c-c%c%s", 0, 0, command) + 1;
    OK(hostctl_call(fd, &request, &reply, &err));
    reply.data[reply.len < HOSTCTL_DATA_MAX ? reply.len : HOSTCTL_DATA_MAX - 1] = '\0';
    return WIFEXITED(reply.status) ? WEXITSTATUS(reply.status) : -1;
}

static inline bool says(const char *user, const char *command, const char *expected)
{
    (void)shell(user, command);
    bool found = strstr(reply.data, expected) != NULL;
    if (!found)
        printf("\n    %s\n    said: %s\n", command, reply.data);
    return found;
}

static inline bool says_within(const char *command, const char *expected, int ms)
{
    for (int i = 0; i < ms / 100; i++) {
        (void)shell("", command);
        if (strstr(reply.data, expected) != NULL)
            return true;
        (void)usleep(100000);
    }
    return says("", command, expected);
}

/* Parameters as a scenario gives them: pairs of name and value, up to NULL. */
static inline int prepare(const char *kind, const char *const (*given)[2], int64_t lease_ns)
{
    static unsigned count;
    row = catalogue_find(&fault_catalogue, kind);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CLEANUP_FREE void *args = malloc(row->args_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    OK(params_default(row->params, row->n_params, args, row->args_size, &err));
    for (; (*given)[0] != NULL; given++)
        OK(param_parse(param_find(row->params, row->n_params, (*given)[0]), (*given)[1], args,
                       &err));
    OK(params_check(row->params, row->n_params, args, &err));
    if (row->check != NULL)
        OK(row->check(args, &err));
    OK(row->supported(&host, &err));
    memset(&undo, 0, sizeof(undo));
    (void)snprintf(undo.run, sizeof(undo.run), "test");
    (void)snprintf(undo.injection, sizeof(undo.injection), "i%u", ++count);
    undo.lease_ns = boottime() + lease_ns;
    return row->prepare(&host, args, &undo, &err);
}

static inline void inject(const char *kind, const char *const (*given)[2], int64_t lease_ns)
{
    bool active = false;
    OK(prepare(kind, given, lease_ns));
    OK(row->apply(&host, NULL, &undo, &err));
    OK(row->verify(&host, &undo, &active, &err));
    CU_ASSERT_TRUE(active);
}

#define GIVEN(...) ((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})
enum { LEASE_S = 30 };
#define INJECT(kind, ...) inject(kind, GIVEN(__VA_ARGS__), LEASE_S *NS_PER_SEC)

static inline struct evidence evidence(void)
{
    struct evidence e;
    memset(&e, 0, sizeof(e));
    OK(row->evidence(&host, &undo, &e, &err));
    printf("%s; ", e.what);
    return e;
}

static inline void revert(void)
{
    struct revert_report report;
    bool active = true;
    OK(row->revert(&host, &undo, &report, &err));
    CU_ASSERT_FALSE(report.foreign);
    OK(row->revert(&host, &undo, &report, &err)); /* again: nothing more happens */
    OK(row->verify(&host, &undo, &active, &err));
    CU_ASSERT_FALSE(active);
}

/* From here on this process stands where the host's agent would. */
static inline int stand_as_agent(void)
{
    const struct lab_host_info *n1 = lab_find(lab, "n1");
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)n1->init_pid);
    CLEANUP_FD int net = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)n1->init_pid);
    if (net < 0 || setns(net, CLONE_NEWNET) != 0 || stat(path, &st) != 0)
        return -1;
    host = (struct fault_host){.root = open(n1->root, O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .pid_ns = st.st_ino,
                               .lab = true,
                               .now = boottime};
    (void)snprintf(host.run, sizeof(host.run), "test");
    (void)snprintf(host.name, sizeof(host.name), "n1");
    return host.root < 0 || host.proc < 0 ? -1 : 0;
}

/* All of a program's main: brings the lab up, with these services in it. */
static inline int rig_main(const char *name, const struct lab_service_spec *list, size_t n_list,
                           const struct check_test *tests, size_t n_tests)
{
    const struct lab_spec spec = {.name = "fiu",
                                  .hosts = one_host,
                                  .n_hosts = 1,
                                  .services = list,
                                  .n_services = n_list,
                                  .packages = service_packages,
                                  .n_packages = COUNT(service_packages)};
    char id[32];
    (void)snprintf(id, sizeof(id), "t%d-fiu", (int)getpid());
    (void)snprintf(state_dir, sizeof(state_dir), "/var/tmp/blackstart-test/%s", id);
    const struct lab_options options = {
        .id = id, .state_dir = state_dir, .preload = BINARY_DIR "/" FIU_LIBRARY};
    int status = 2;
    if (lab_up(&spec, &options, &lab, &err) == 0 && lab_start_services(lab, &err) == 0 &&
        stand_as_agent() == 0)
        status = check_main(name, tests, n_tests);
    else
        printf("the lab did not come up: %s\n", err.msg);
    lab_free(lab);
    return status;
}

#endif
