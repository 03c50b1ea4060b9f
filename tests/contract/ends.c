/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a fault ends without its agent, and what others did meanwhile. */
#include "agents/netlink/dump.h"
#include "agents/netlink/nft.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "contract/injection.h"
#include "patience.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    struct injection injection;
    volatile int done; /* 1: applied, 2: failed */
    char msg[ERR_MSG_MAX];
};

/* An agent of its own, with its own netfilter socket. */
static _Noreturn void run_agent(struct contract *c, struct shared *shared, int64_t lease_ns)
{
    struct err err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (nft_open(c->host.run, &c->host.nft, &err) != 0 ||
        !injection_prepare(c, &shared->injection, lease_ns) ||
        c->row->apply(&c->host, c->args, &shared->injection.undo, &err) != 0) {
        (void)snprintf(shared->msg, sizeof(shared->msg), "%s%s", err.msg, buf_text(&c->broken));
        shared->done = 2;
        _exit(1);
    }
    shared->done = 1;
    for (;;)
        (void)pause();
}

/* An interface of ours, or its queue. */
static bool is_of_own_link(const char *line)
{
    static const char *const starts[] = {"+ link name=bs", "+ qdisc dev=bs", "+ class dev=bs"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* The kernel took the rules with the agent's socket, before any other process of ours did a thing;
 * an interface that carries nothing may wait for the guardian. */
static void check_kernel_ended(struct contract *c, const struct look *before)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(1024 * 1024);
    struct err err;
    for (int tries = 0; tries < patience(100); tries++) {
        CLEANUP_LOOK struct look now = {0};
        bool other = false;
        buf_drop(&diff, diff.len);
        if (look_take(c, &now, &err) != 0)
            break;
        (void)dump_diff(buf_text(&before->kernel), buf_text(&now.kernel), &diff, 50);
        for (const char *at = buf_text(&diff); *at != '\0'; at += at[strcspn(at, "\n")] == '\n') {
            size_t len = strcspn(at, "\n");
            other |= !is_of_own_link(at);
            at += len;
        }
        if (!other)
            return;
        injection_rest(10);
    }
    contract_break(c, "its kernel objects outlive the agent: %s", buf_text(&diff));
}

static void end_by_lifetime(struct contract *c, const struct injection *i,
                            const struct look *before)
{
    struct nft_session *mine = c->host.nft;
    if (c->row->lifetime == LIFETIME_KERNEL)
        check_kernel_ended(c, before);
    while (c->host.now() < i->undo.lease_ns + 50 * NS_PER_MS)
        injection_rest(20);
    if (c->row->lifetime == LIFETIME_VICTIM) {
        if (injection_is_active(c, i))
            contract_break(c, "it outlives its lease");
        return;
    }
    /* As the guardian does: another process, no netfilter socket, only the record. */
    c->host.nft = NULL;
    injection_revert(c, i, &i->undo, "by another process than the one that applied it");
    c->host.nft = mine;
}

void injection_check_lease(struct contract *c, const struct look *before)
{
    char run[sizeof(c->host.run)];
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(run, c->host.run, sizeof(run));
    (void)snprintf(c->host.run, sizeof(c->host.run), "%.20s-2", run);
    c->injections++;
    pid_t agent = fork();
    if (agent == 0)
        run_agent(c, shared, 1500 * NS_PER_MS + 4 * c->look_ns);
    for (int tries = 0; tries < patience(1000) && shared->done == 0; tries++)
        injection_rest(5);
    if (shared->done == 1 && c->row->lifetime != LIFETIME_KERNEL &&
        !injection_is_active(c, &shared->injection))
        contract_break(c, "applied by another process, and not active");
    c->made[c->injections % CONTRACT_MADE] = shared->injection.undo;
    (void)kill(agent, SIGKILL);
    (void)waitpid(agent, NULL, 0);
    if (shared->done != 1)
        contract_break(c, "another process cannot apply it: %s", shared->msg);
    else
        end_by_lifetime(c, &shared->injection, before);
    injection_same_soon(c, before, "after its agent was killed");
    memcpy(c->host.run, run, sizeof(run));
    (void)munmap(shared, sizeof(*shared));
}

static const char *first_path(const struct contract *c)
{
    for (size_t i = 0; i < c->row->n_params; i++) {
        const struct param *p = &c->row->params[i];
        const char *at = (const char *)c->args + p->offset;
        if (p->type == PARAM_PATH && at[0] != '\0')
            return at;
        if (p->type == PARAM_PATHS && ((const struct paths *)(const void *)at)->n > 0)
            return ((const struct paths *)(const void *)at)->v[0].s;
    }
    return NULL;
}

static bool is_junk(const struct contract *c, const char *path)
{
    char text[8] = "";
    CLEANUP_FD int fd = openat(c->host.root, path + 1, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof(text)) == 4 && memcmp(text, "junk", 4) == 0;
}

/* What stood there goes aside, so that it can be put back by hand. */
static void put_junk(const struct contract *c, const char *path)
{
    CLEANUP_FD int fd =
        openat(c->host.root, "etc/.junk", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)!write(fd, "junk", 4);
    (void)renameat(c->host.root, path + 1, c->host.root, "etc/.aside");
    (void)renameat(c->host.root, "etc/.junk", c->host.root, path + 1);
}

/* What a person does who follows the words of the report: the thing made meanwhile goes away, the
 * original comes back: from where the fault keeps it, else it is what was harmed in its place. */
static void mend_by_hand(const struct contract *c, const struct injection *i, const char *path)
{
    char kept[PATH_MAX_LEN + 128];
    int above = (int)(strrchr(path, '/') - path);
    (void)unlinkat(c->host.root, path + 1, 0);
    (void)snprintf(kept, sizeof(kept), "%.*s/.blackstart-%s-%s.file", above - 1, path + 1,
                   i->undo.run, i->undo.injection);
    if (renameat(c->host.root, kept, c->host.root, path + 1) == 0)
        (void)unlinkat(c->host.root, "etc/.aside", 0);
    else
        (void)renameat(c->host.root, "etc/.aside", c->host.root, path + 1);
}

void injection_check_foreign(struct contract *c, const struct look *before)
{
    struct injection i;
    struct revert_report report = {0};
    struct err err;
    struct stat above, etc;
    char dir[PATH_MAX_LEN + 1];
    const char *path = first_path(c);
    if ((c->row->touches & TOUCHES_FILES) == 0 || path == NULL)
        return;
    (void)snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
    if (fstatat(c->host.root, dir + 1, &above, 0) != 0 ||
        fstatat(c->host.root, "etc", &etc, 0) != 0)
        return;
    if (!injection_prepare(c, &i, patience(30) * NS_PER_SEC) || !injection_apply(c, &i, before))
        return;
    put_junk(c, path);
    if (c->row->revert(&c->host, &i.undo, &report, &err) != 0)
        contract_break(c, "revert over a foreign change: %s", err.msg);
    else if (!report.foreign || report.manual[0] == '\0')
        contract_break(c, "a foreign change is not reported, or not where the original lies");
    if (!is_junk(c, path))
        contract_break(c, "a foreign change was overwritten");
    mend_by_hand(c, &i, path);
    if (c->row->revert(&c->host, &i.undo, &report, &err) != 0)
        contract_break(c, "revert after mending by hand: %s", err.msg);
    const struct timespec times[2][2] = {{{.tv_nsec = UTIME_OMIT}, above.st_mtim},
                                         {{.tv_nsec = UTIME_OMIT}, etc.st_mtim}};
    (void)utimensat(c->host.root, dir + 1, times[0], 0);
    (void)utimensat(c->host.root, "etc", times[1], 0);
    injection_same_soon(c, before, "after a foreign change was mended by hand");
}
