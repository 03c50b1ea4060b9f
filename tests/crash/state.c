/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a lab host looks like, as text (rig.h). */
#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "crash/rig.h"
#include "groups.h"
#include "tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

enum { QUIET_TRIES = 50, QUIET_PAUSE_MS = 100 };

/* Below a directory of settings: what each says, on a line with its name. */
static void add_settings(struct buf *out, int above, const char *name)
{
    struct dirent **list = NULL;
    CLEANUP_FD int dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int n = dir < 0 ? -1 : scandirat(dir, ".", &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *entry = list[i]->d_name;
        char text[4096];
        if (list[i]->d_type == DT_DIR && entry[0] != '.') {
            buf_printf(out, "%s:\n", entry);
            add_settings(out, dir, entry);
        } else if (list[i]->d_type == DT_REG) {
            CLEANUP_FD int fd = openat(dir, entry, O_RDONLY | O_CLOEXEC);
            ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
            text[len > 0 ? len : 0] = '\0';
            if (len > 0)
                buf_printf(out, "%s=%s", entry, text);
        }
        free(list[i]);
    }
    free(list);
}

static _Noreturn void show_network(const struct rig *r, const char *script, int to)
{
    char sh[] = "sh", c[] = "-c";
    char *const argv[] = {sh, c, (char *)(uintptr_t)script, NULL};
    CLEANUP_BUF struct buf settings = BUF_INIT(RIG_STATE_MAX);
    if (setns(r->net_fd, CLONE_NEWNET) != 0 || dup2(to, 1) != 1 || dup2(to, 2) != 2)
        _exit(127);
    add_settings(&settings, AT_FDCWD, "/proc/sys/net");
    if (write(1, buf_text(&settings), settings.len) == (ssize_t)settings.len)
        (void)execvp("sh", argv);
    _exit(127);
}

/* In the host's network namespace, by the tools that an operator would use. Counters and ages are
 * the only things left out. */
static int add_network(const struct rig *r, struct buf *out, struct err *err)
{
    static const char script[] =
        "nft -s list ruleset && { printf 'link\\naddr\\nroute show table all\\nrule\\n' | ip -d -o "
        "-batch - && printf 'route show table all\\nrule\\n' | ip -6 -batch - && tc qdisc show; "
        "} | sed 's/ state [A-Z]*//;s/valid_lft.*//;s/ expires "
        "[0-9]*sec//'";
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "pipe");
    pid_t pid = fork();
    if (pid == 0)
        show_network(r, script, pair[1]);
    (void)close(pair[1]);
    int rc = buf_read_fd(out, pair[0], err);
    int status = 0;
    (void)close(pair[0]);
    (void)waitpid(pid, &status, 0);
    if (rc == 0 && status != 0)
        return make_error(err, ERR_SYSTEM, 0, "nft or ip failed: %.200s", buf_text(out));
    return rc;
}

/* The page that a service and the agent share lives on, with its counts and a disarmed rule's
 * owner: what must be as before is that nothing is armed in it. */
static void blank_pages(char *text)
{
    for (char *at = text; (at = strstr(at, ".page mode=")) != NULL; at++)
        memset(at, '*', strcspn(at, "\n"));
}

static void add_page(const struct rig *r, struct buf *out)
{
    static struct fiu_page page;
    unsigned rules = 0;
    CLEANUP_FD int fd =
        openat(r->root_fd, "run/blackstart-fiu/redis.page", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok = fd >= 0 && pread(fd, &page, sizeof(page), 0) == (ssize_t)sizeof(page);
    for (size_t i = 0; ok && i < FIU_RULES_MAX; i++) {
        struct fiu_rule rule;
        rules += fiu_rule_load(&page.slots[i], &rule) && rule.points != 0;
    }
    buf_printf(out, "page valid=%d armed=%llx rules=%u\n", ok && fiu_page_valid(&page),
               (unsigned long long)page.armed, rules);
}

/* Names, in order, as one word: what a directory that hides the machine's own no longer shows. */
static void add_names(struct buf *out, int root, const char *path)
{
    struct dirent **list = NULL;
    uint64_t digest = DIGEST_START;
    int n = scandirat(root, path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        digest_add(&digest, list[i]->d_name, strlen(list[i]->d_name) + 1);
        free(list[i]);
    }
    free(list);
    buf_printf(out, "%s names=%016llx\n", path, (unsigned long long)digest);
}

/* As the host sees it; nothing when it is as on the machine, of which a copy is no change. */
static void add_merged(const struct rig *r, struct buf *out, const char *path, bool is_dir)
{
    CLEANUP_BUF struct buf here = BUF_INIT(1 << 16);
    CLEANUP_BUF struct buf there = BUF_INIT(1 << 16);
    tree_add_entry(&here, r->root_fd, path, path, 0);
    tree_add_entry(&there, r->machine_fd, path, path, 0);
    if (is_dir) {
        add_names(&here, r->root_fd, path);
        add_names(&there, r->machine_fd, path);
    }
    if (strcmp(buf_text(&here), buf_text(&there)) != 0)
        buf_printf(out, "%s%s", here.len == 0 ? "gone " : "", here.len == 0 ? path : here.data);
    if (here.len == 0)
        buf_puts(out, "\n");
}

/* Whatever was changed in the host's files lies in its own layer: that is all that need be read. */
static void add_layer(const struct rig *r, struct buf *out, int upper, const char *above)
{
    static const char *const written[] = {"var/lib/web", "var/lib/redis"}; /* by the services */
    struct dirent **list = NULL;
    CLEANUP_FD int fd = openat(upper, *above == '\0' ? "." : above,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int n = fd < 0 ? -1 : scandirat(fd, ".", &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        int len = snprintf(path, sizeof(path), "%s%s%s", above, *above == '\0' ? "" : "/",
                           list[i]->d_name);
        bool is_dir = list[i]->d_type == DT_DIR,
             skip = strcmp(list[i]->d_name, ".") == 0 || strcmp(list[i]->d_name, "..") == 0 ||
                    strcmp(path, written[0]) == 0 || strcmp(path, written[1]) == 0;
        free(list[i]);
        if (skip)
            continue;
        out->failed = out->failed || (size_t)len >= sizeof(path);
        add_merged(r, out, path, is_dir);
        if (is_dir)
            add_layer(r, out, upper, path);
    }
    free(list);
}

static void add_files(const struct rig *r, struct buf *out)
{
    static const char *const own[] = {"run", "tmp", "dev/shm"}; /* file systems of the host's */
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        tree_add(out, r->root_fd, own[i], own[i], 0, NULL);
    add_layer(r, out, r->upper_fd, "");
    if (out->data != NULL)
        blank_pages(out->data);
    add_page(r, out);
    struct stat st;
    if (fstatat(r->root_fd, ".", &st, 0) == 0)
        buf_printf(out, "/ mtime=%lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static bool read_proc(const char *pid, const char *name, char *text, size_t size)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool is_in(const char *pid, const char *kind, ino_t ino)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, kind);
    return stat(path, &st) == 0 && st.st_ino == ino;
}

static ino_t host_namespace(const struct rig *r, const char *kind)
{
    char path[64];
    struct stat st = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)r->init, kind);
    (void)stat(path, &st);
    return st.st_ino;
}

static int find_line(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    while (at != NULL && isspace((unsigned char)at[strlen(key)]) == 0)
        at = strstr(at + 1, key);
    return at == NULL ? -1 : (int)(at - text);
}

static void for_processes(const struct rig *r, const char *kind, struct buf *out,
                          void (*fn)(struct buf *out, const char *pid))
{
    ino_t ino = host_namespace(r, kind);
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;)
        if (isdigit((unsigned char)e->d_name[0]) && is_in(e->d_name, kind, ino))
            fn(out, e->d_name);
}

/* What a file of /proc says, as one word. */
static void add_digest(struct buf *out, const char *pid, const char *name)
{
    char text[8192];
    uint64_t digest = DIGEST_START;
    if (read_proc(pid, name, text, sizeof(text)))
        digest_add(&digest, text, strlen(text));
    buf_printf(out, " %s=%016llx", name, (unsigned long long)digest);
}

/* Scheduling: the fields of stat that a person sets, behind the name, which may hold anything. */
static void add_priority(struct buf *out, const char *pid)
{
    char text[2048], *save = NULL;
    if (!read_proc(pid, "stat", text, sizeof(text)) || strrchr(text, ')') == NULL)
        return;
    int field = 3;
    for (char *word = strtok_r(strrchr(text, ')') + 1, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save), field++)
        if (field == 19 || field == 40 || field == 41)
            buf_printf(out, " %s=%s", field == 19 ? "nice" : field == 40 ? "rt" : "policy", word);
}

/* Name, whether it is held, by whom, and how it is run: not the pid, which a restart changes. */
static void add_process(struct buf *out, const char *pid)
{
    static const char *const files[] = {"limits", "cgroup", "oom_score_adj", "timerslack_ns"};
    char status[4096];
    if (!read_proc(pid, "status", status, sizeof(status)))
        return;
    const char *cpus = strstr(status, "Cpus_allowed:");
    const char *name = strchr(status, '\t') + 1;
    const char *state = status + find_line(status, "State:") + strlen("State:") + 1;
    const char *tracer = status + find_line(status, "TracerPid:") + strlen("TracerPid:") + 1;
    buf_printf(out, "process %.*s %s tracer=%d %.*s", (int)strcspn(name, "\n"), name,
               strchr("TtZ", *state) != NULL ? "held or dead" : "runs",
               (int)strtol(tracer, NULL, 10), cpus == NULL ? 0 : (int)strcspn(cpus, "\n"), cpus);
    add_priority(out, pid);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        add_digest(out, pid, files[i]);
    buf_puts(out, "\n");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The kernel lists processes by number, of which a restart gives new ones. */
static void add_sorted(struct buf *out, char *text)
{
    char *lines[256] = {NULL};
    size_t n = 0;
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line != NULL && n < 256;
         line = strtok_r(NULL, "\n", &save))
        lines[n++] = line;
    qsort(lines, n, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s\n", lines[i]);
}

/* Mounts' numbers are the kernel's. */
static void add_mounts(const struct rig *r, struct buf *out)
{
    char pid[16], text[16384], *save = NULL;
    (void)snprintf(pid, sizeof(pid), "%d", (int)r->init);
    if (!read_proc(pid, "mountinfo", text, sizeof(text)))
        return;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *root = strchr(line, '/');
        buf_printf(out, "mount %s\n", root != NULL ? root : line);
    }
}

int rig_state(const struct rig *r, struct buf *out, struct err *err)
{
    CLEANUP_BUF struct buf processes = BUF_INIT(1 << 16);
    if (add_network(r, out, err) != 0)
        return -1;
    add_files(r, out);
    add_mounts(r, out);
    groups_add(out, r->id, "n1");
    for_processes(r, "pid", &processes, add_process);
    if (processes.data != NULL)
        add_sorted(out, processes.data);
    return buf_ok(out) ? 0 : make_error(err, ERR_LIMIT, 0, "the host's state is too large");
}

int rig_quiet_state(const struct rig *r, struct buf *out, struct err *err)
{
    if (rig_state(r, out, err) != 0)
        return -1;
    for (int tries = 0; tries < QUIET_TRIES; tries++) {
        struct buf later = BUF_INIT(RIG_STATE_MAX);
        (void)usleep(QUIET_PAUSE_MS * 1000);
        int rc = rig_state(r, &later, err);
        bool same = rc == 0 && strcmp(buf_text(out), buf_text(&later)) == 0;
        buf_free(out);
        *out = later;
        if (rc != 0 || same)
            return rc;
    }
    return make_error(err, ERR_TIMEOUT, 0, "the host does not come to rest");
}

static void add_stray(struct buf *out, const char *pid)
{
    char comm[64];
    if (read_proc(pid, "comm", comm, sizeof(comm)) &&
        (strncmp(comm, "bs", 2) == 0 || strncmp(comm, "blackstart-hold", 15) == 0 ||
         strncmp(comm, "blackstart-agen", 15) == 0))
        buf_printf(out, "+ process %s %s", pid, comm);
}

void rig_strays(const struct rig *r, struct buf *out)
{
    for_processes(r, "net", out, add_stray);
}
