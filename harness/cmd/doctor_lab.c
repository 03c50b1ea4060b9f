/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/hostctl.h"
#include "cmd/doctor.h"
#include "lab/cgroup.h"
#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define HOST "n1"

static const int64_t answer_limit_ns = 10 * NS_PER_SEC;
static const char quickstart_fault[] = "network.partition";

struct examined {
    struct lab *lab;
    int64_t up_ns;
    char id[32], state_dir[PATH_MAX / 2];
};

/* With a service that has the preload library, where that was built, so that what needs one can be
 * asked. */
static int raise_lab(struct examined *x, const char *exe_dir, struct err *err)
{
    static const struct lab_host_spec host = {.name = HOST};
    static const char *const names[] = {HOST};
    static const char *const command[] = {"sleep", "1000"};
    static const struct lab_service_spec service = {.name = "patient",
                                                    .hosts = names,
                                                    .n_hosts = 1,
                                                    .command = command,
                                                    .n_command = 2,
                                                    .preload = true,
                                                    .start = true};
    static struct lab_spec spec = {
        .name = "doctor", .hosts = &host, .n_hosts = 1, .services = &service};
    char library[PATH_MAX + 64];
    (void)snprintf(library, sizeof(library), "%s/" FIU_LIBRARY, exe_dir);
    spec.n_services = access(library, R_OK) == 0;
    char base[PATH_MAX / 2 - 64];
    size_t swept;
    if (lab_base_dir(base, sizeof(base), err) != 0 || lab_sweep(base, &swept, err) != 0)
        return -1;
    (void)snprintf(x->id, sizeof(x->id), "doctor-%d", (int)getpid());
    (void)snprintf(x->state_dir, sizeof(x->state_dir), "%s/%s", base, x->id);
    const struct lab_options options = {.id = x->id, .state_dir = x->state_dir};
    if (lab_up(&spec, &options, &x->lab, err) != 0)
        return -1;
    x->up_ns = clock_system(CLOCK_MONOTONIC);
    return lab_start_services(x->lab, err);
}

static int spawn_agent(struct examined *x, const char *exe_dir, int *ret_fd, struct err *err)
{
    char program[PATH_MAX + 32], state[PATH_MAX];
    (void)snprintf(program, sizeof(program), "%s/blackstart-agent", exe_dir);
    (void)snprintf(state, sizeof(state), "%s/agents", x->state_dir);
    const char *const argv[] = {program, "stdio",      "--run", x->id,       "--host", HOST,
                                "--lab", "--state",    state,   "--root-fd", "@ROOT",  "--proc-fd",
                                "@PROC", "--init-pid", "@INIT", NULL};
    int ends[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a link to an agent");
    int rc = lab_spawn(x->lab, HOST, argv, &ends[1], 1, &pid, err);
    (void)close(ends[1]);
    *ret_fd = ends[0];
    return rc;
}

static int read_answer(int fd, json_t **ret, struct err *err)
{
    struct frame_reader reader CLEANUP(frame_reader_free);
    frame_reader_init(&reader);
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + answer_limit_ns;
    for (*ret = NULL; *ret == NULL;) {
        char data[16384];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t now = clock_system(CLOCK_MONOTONIC);
        if (now >= deadline)
            return make_error(err, ERR_TIMEOUT, 0, "the agent did not answer");
        if (poll(&p, 1, clock_poll_ms(now, deadline, 60000)) <= 0)
            continue;
        ssize_t n = read(fd, data, sizeof(data));
        if (n <= 0)
            return make_error(err, ERR_SYSTEM, 0, "the agent ended");
        if (frame_feed(&reader, data, (size_t)n, err) != 0 || frame_next(&reader, ret, err) != 0)
            return -1;
    }
    return 0;
}

static int say_hello(int fd, const struct examined *x, const struct catalogue *faults, json_t **ret,
                     struct err *err)
{
    char digest[DIGEST_TEXT];
    struct buf out CLEANUP(buf_free) = BUF_INIT(FRAME_MAX);
    catalogue_digest(faults, digest);
    json_t *hello =
        frame_request(1, "hello",
                      json_pack("{s:i, s:s, s:s, s:s, s:i}", "protocol", 1, "run", x->id, "host",
                                HOST, "catalogue", digest, "lease_ms", 10000));
    int rc = frame_put(&out, hello, err);
    json_decref(hello);
    if (rc != 0)
        return -1;
    if (write(fd, out.data, out.len) != (ssize_t)out.len)
        return make_error(err, ERR_SYSTEM, errno, "ask the agent");
    if (read_answer(fd, ret, err) != 0)
        return -1;
    return frame_is_error(*ret, err) ? -1 : 0;
}

static void add_faults(struct doctor *d, const struct catalogue *faults, const json_t *answer)
{
    const json_t *all = json_object_get(json_object_get(answer, "result"), "faults");
    for (size_t i = 0; i < faults->n; i++) {
        const struct fault *f = faults->faults[i];
        const json_t *its = json_object_get(all, f->name);
        const char *why = json_string_value(json_object_get(its, "why"));
        const char *how = json_string_value(json_object_get(its, "how"));
        bool yes = json_is_true(json_object_get(its, "supported"));
        doctor_add(d, "fault", f->name, yes ? DOCTOR_YES : DOCTOR_NO,
                   strcmp(f->name, quickstart_fault) == 0, "%s%s%s",
                   yes           ? f->summary
                   : why != NULL ? why
                                 : "the agent says nothing of it",
                   yes && how != NULL ? " Here " : "", yes && how != NULL ? how : "");
    }
}

static void ask_agent(struct doctor *d, struct examined *x, const struct catalogue *faults,
                      const char *exe_dir)
{
    struct err err;
    json_t *answer = NULL;
    CLEANUP_FD int fd = -1;
    if (spawn_agent(x, exe_dir, &fd, &err) != 0 || say_hello(fd, x, faults, &answer, &err) != 0)
        doctor_add(d, "lab", "agent", DOCTOR_NO, true, "%s", err.msg);
    else
        add_faults(d, faults, answer);
    json_decref(answer);
}

/* Deletion that can be taken back moves directories; not every root directory allows it. */
static void try_rename(struct doctor *d, struct examined *x)
{
    CLEANUP_FD int root = open(lab_host(x->lab, 0)->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0 && renameat(root, "usr/share", root, "usr/blackstart-share") == 0 &&
        renameat(root, "usr/blackstart-share", root, "usr/share") == 0)
        doctor_add(d, "lab", "rename in hosts", DOCTOR_YES, false,
                   "directories of the machine's tree can be moved away and back");
    else
        doctor_add(d, "lab", "rename in hosts", DOCTOR_LIMITED, false,
                   "directories below /usr cannot be moved (%s): there, deletions cannot be taken "
                   "back; /etc and /var can",
                   strerror(errno));
}

/* What the lab did to let services' groups have their controllers, or why it could not. */
static void add_groups(struct doctor *d, const char *root, const struct cgroup_handed *before)
{
    struct cgroup_handed now;
    cgroup_hand_down(root, true, &now);
    if (now.missing[0] != '\0')
        doctor_add(d, "lab", "control groups", DOCTOR_LIMITED, false,
                   "services' groups have no %s: it cannot be added to %s/cgroup.subtree_control "
                   "(%s)%s",
                   now.missing, root, strerror(now.why),
                   now.why == EBUSY ? "; processes live in that group itself, as in a container: "
                                      "move them into one beneath it"
                                    : "");
    else if (before->missing[0] != '\0')
        doctor_add(d, "lab", "control groups", DOCTOR_YES, false,
                   "%s were added to %s/cgroup.subtree_control for services' groups, as every lab "
                   "does, and stay there",
                   before->missing, root);
    else if (now.there[0] != '\0')
        doctor_add(d, "lab", "control groups", DOCTOR_YES, false, "services' groups have %s",
                   now.there);
}

void doctor_examine_lab(const struct catalogue *faults, const char *exe_dir, struct doctor *d)
{
    struct examined x = {.lab = NULL};
    struct err err;
    struct cgroup_handed before;
    const char *v2 =
        access(CGROUP_V2_HYBRID "/cgroup.procs", F_OK) == 0 ? CGROUP_V2_HYBRID : CGROUP_V2;
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    cgroup_hand_down(v2, false, &before);
    if (raise_lab(&x, exe_dir, &err) != 0) {
        doctor_add(d, "lab", "hosts", DOCTOR_NO, true, "%s", err.msg);
        lab_free(x.lab);
        return;
    }
    double ms = (double)(x.up_ns - begin) / 1e6;
    bool ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
    doctor_add(d, "lab", "hosts", ipv6 ? DOCTOR_YES : DOCTOR_LIMITED, true,
               "a lab was up in %.0f ms%s", ms,
               ipv6 ? "" : ", without IPv6, which this kernel lacks");
    try_rename(d, &x);
    if (geteuid() == 0)
        add_groups(d, v2, &before);
    ask_agent(d, &x, faults, exe_dir);
    if (lab_down(x.lab, &err) != 0)
        doctor_add(d, "lab", "end", DOCTOR_NO, true, "%s", err.msg);
    lab_free(x.lab);
}
