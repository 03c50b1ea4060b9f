/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can the library reach a service's programs? Asked of its running processes, before a fault. */
#include "agents/faults/fiu.h"
#include "agents/fiu/program.h"
#include "agents/fiu/trap.h"
#include "agents/host/proc.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int32_t parent_of(const struct fault_host *host, int32_t pid)
{
    char path[32], text[512];
    struct proc_stat stat = {.parent = 0};
    struct err ignored;
    (void)snprintf(path, sizeof(path), "%d/stat", (int)pid);
    CLEANUP_FD int fd = openat(host->proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    return n > 0 && proc_parse_stat(text, (size_t)n, &stat, &ignored) == 0 ? stat.parent : 0;
}

/* A shell, an init or a supervisor that started the program proper does not stand for it. */
static bool has_child(const struct proc_set *procs, const int32_t *parents, int32_t pid)
{
    for (uint32_t i = 0; i < procs->n; i++)
        if (parents[i] == pid)
            return true;
    return false;
}

/* 0 also when it has ended meanwhile. */
static int process_check(const struct fault_host *host, const struct proc_id *id,
                         const char *service, bool *ret_mapped, struct err *err)
{
    char path[32];
    struct program program;
    (void)snprintf(path, sizeof(path), "%d/exe", (int)id->pid);
    CLEANUP_FD int exe = openat(host->proc, path, O_RDONLY | O_CLOEXEC);
    /* One that is ending has none, and is for a moment no zombie yet. */
    if (exe < 0 && (errno == ENOENT || proc_has_ended(host, id)))
        return 0;
    if (exe < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the executable of %s (process %d)", service,
                          (int)id->host_pid);
    if (program_read(exe, &program, err) != 0 || program_reachable(&program, service, err) != 0)
        return -1;
    *ret_mapped = program_maps_page(host->proc, id->pid, service);
    return 0;
}

int fiu_reach_trapped(int page, uint64_t points, const char *service, const struct fiu_rule *rule,
                      struct err *err)
{
    bool alive = false;
    uint64_t missing = rule->points & ~points;
    if (victim_trapped(page, &points, &alive, err) != 0)
        return -1;
    if (!alive)
        return make_error(
            err, ERR_UNSUPPORTED, 0,
            "%s: nobody is there to answer its trapped calls: it does not run, or its "
            "supervisor has ended; start the service again",
            service);
    if (missing >> FIU_N_POINTS != 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: cannot reach this program's clock: its calls are trapped in the "
                          "kernel, and reading a clock is none",
                          service);
    uint64_t never = missing & ~TRAP_ALL;
    if (never != 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: calls of %s are not among those that are trapped in the kernel",
                          service, victim_point_names[__builtin_ctzll(never)]);
    const char *word = (missing & FIU_BIT(FIU_READ)) != 0 ? "all" : "writes";
    if (missing != 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: calls of %s are not trapped: write `trap: %s` in the service's part "
                          "of the lab; of a unit, `blackstart-agent trap UNIT %s` says what it "
                          "needs",
                          service, victim_point_names[__builtin_ctzll(missing)], word, word);
    if (rule->n_addrs != 0 || rule->n_ports != 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: `to` and `ports` cannot be told of a trapped call", service);
    return 0;
}

enum look { LOOK_REFUSED = -1, LOOK_REACHED, LOOK_NONE };

/* One look at the service's processes; refused: with err. */
static enum look look_once(const struct fault_host *host, const char *service, struct err *err)
{
    struct proc_set procs = {.n = 0};
    int32_t parents[PROC_SET_MAX] = {0};
    const struct proc_query query = {
        .service = host->lab ? service : NULL, .unit = host->lab ? NULL : service, .tree = true};
    bool reached = false, refused = false;
    if (proc_find(host, &query, &procs, err) != 0)
        return LOOK_REFUSED;
    for (uint32_t i = 0; i < procs.n; i++)
        parents[i] = parent_of(host, procs.v[i].pid);
    for (uint32_t i = 0; i < procs.n; i++) {
        bool mapped = false;
        if (program_uses_ring(host->proc, procs.v[i].pid)) {
            (void)make_error(err, ERR_UNSUPPORTED, 0,
                             "%s: cannot reach this program: its process %d works through "
                             "io_uring, past every library; " PROGRAM_MEND,
                             service, (int)procs.v[i].host_pid);
            return LOOK_REFUSED;
        }
        if (has_child(&procs, parents, procs.v[i].pid))
            continue;
        struct err why;
        int rc = process_check(host, &procs.v[i], service, &mapped, &why);
        reached = reached || mapped;
        if (rc != 0 && !refused)
            *err = why;
        refused = refused || rc != 0;
    }
    return reached ? LOOK_REACHED : refused ? LOOK_REFUSED : LOOK_NONE;
}

int fiu_reach(const struct fault_host *host, const char *service, struct err *err)
{
    enum { LOOKS = 50 };
    static const struct timespec pause = {.tv_nsec = 4 * NS_PER_MS};
    for (int i = 0; i < LOOKS; i++) {
        enum look look = look_once(host, service, err);
        if (look != LOOK_NONE)
            return look == LOOK_REACHED ? 0 : -1;
        /* The children of a script come and go: this one may not have loaded it yet, or be gone. */
        (void)nanosleep(&pause, NULL);
    }
    return make_error(
        err, ERR_UNSUPPORTED, 0,
        "no process of %s has loaded the preload library (a set-user-id program drops "
        "it, so does a cleared environment)",
        service);
}
