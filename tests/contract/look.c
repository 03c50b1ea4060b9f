/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"
#include "agents/netlink/dump.h"
#include "base/cleanup.h"
#include "contract/contract.h"
#include "groups.h"
#include "tree.h"

#include <errno.h>
#include <sys/statvfs.h>

enum { PROCESSES_MAX = 1024 * 1024, SHOWN_MAX = 12 };

/* Where the examples' paths lie. What changes elsewhere shows in the host's own layer. */
static const char *const tops[] = {"etc", "srv", "home", "run", "tmp"};
/* The page keeps what it counted, and the service writes there; its armed rules are read back by
 * verify. */
static const char *const page_dir = "/run/blackstart-fiu";

void look_files(const struct contract *c, struct buf *out)
{
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/%s", tops[i]);
        tree_add(out, c->host.root, tops[i], path, 0, page_dir);
    }
}

/* What the host's own layer holds; its attributes are the overlay's. */
static void take_upper(const struct contract *c, struct buf *out)
{
    CLEANUP_FD int fd = c->upper == NULL ? -1 : open(c->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        tree_dump(out, fd, TREE_PLAIN);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sort_lines(struct buf *text, struct buf *out)
{
    char *lines[512], *save = NULL;
    size_t n = 0;
    if (text->data == NULL)
        return 0;
    for (char *line = strtok_r(text->data, "\n", &save); line != NULL && n < 512;
         line = strtok_r(NULL, "\n", &save))
        lines[n++] = line;
    qsort(lines, n, sizeof(lines[0]), compare_lines);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s\n", lines[i]);
    return 0;
}

/* Its limits, as a digest. */
static void add_limits(const struct contract *c, int32_t pid, struct buf *out)
{
    char path[48], text[4096];
    uint64_t digest = DIGEST_START;
    ssize_t n = 0;
    (void)snprintf(path, sizeof(path), "%d/limits", pid);
    CLEANUP_FD int fd = openat(c->host.proc, path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
        digest_add(&digest, text, (size_t)n);
    buf_printf(out, " limits=%016llx", (unsigned long long)digest);
}

static void add_process(const struct contract *c, int32_t pid, struct buf *out)
{
    char path[48], comm[64] = "";
    uint32_t all = 0;
    struct stat st;
    struct proc_id id;
    struct err err;
    (void)snprintf(path, sizeof(path), "%d/ns/pid", pid);
    if (fstatat(c->host.proc, path, &st, 0) != 0 || st.st_ino != c->host.pid_ns ||
        proc_identify(c->host.proc, pid, &id, &err) != 0)
        return;
    char state = proc_state(&c->host, &id);
    if (state == 0 || state == 'Z')
        return;
    (void)snprintf(path, sizeof(path), "%d/comm", pid);
    CLEANUP_FD int fd = openat(c->host.proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0)
        return;
    comm[strcspn(comm, "\n")] = '\0';
    char dir[48];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    (void)snprintf(dir, sizeof(dir), "%d/task", pid);
    if (proc_walk_open(&walk, c->host.proc, dir, &err) == 0)
        for (int32_t tid; proc_walk_next(&walk, &tid);)
            all++;
    buf_printf(out, "process %s threads=%u%s%s", comm, all,
               state == 'T' || state == 't' ? " stopped" : "",
               proc_tracer(&c->host, &id) != 0 ? " traced" : "");
    add_limits(c, pid, out);
    buf_puts(out, "\n");
}

static int take_processes(const struct contract *c, struct buf *out, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(PROCESSES_MAX);
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (proc_walk_open(&walk, c->host.proc, ".", err) != 0)
        return -1;
    for (int32_t pid; proc_walk_next(&walk, &pid);)
        add_process(c, pid, &text);
    return sort_lines(&text, out);
}

/* The mounts as the host's init sees them. */
static void take_mounts(const struct contract *c, struct buf *out)
{
    struct err err;
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (proc_walk_open(&walk, c->host.proc, ".", &err) != 0)
        return;
    for (int32_t pid; out->len == 0 && proc_walk_next(&walk, &pid);) {
        char path[48];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%d/ns/pid", pid);
        if (fstatat(c->host.proc, path, &st, 0) != 0 || st.st_ino != c->host.pid_ns)
            continue;
        (void)snprintf(path, sizeof(path), "%d/mountinfo", pid);
        CLEANUP_FD int fd = openat(c->host.proc, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            (void)!buf_read_fd(out, fd, &err);
    }
}

static void take_space(const struct contract *c, struct buf *out)
{
    struct statvfs fs;
    CLEANUP_FD int fd = openat(c->host.root, "srv/disk", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fstatvfs(fd, &fs) == 0)
        buf_printf(out, "/srv/disk blocks=%llu inodes=%llu\n", (unsigned long long)fs.f_bfree,
                   (unsigned long long)fs.f_ffree);
}

/* The host's own layer lies at .../LAB/hosts/n1/upper. */
static void take_groups(const struct contract *c, struct buf *out)
{
    char id[64];
    const char *end = c->upper != NULL ? strstr(c->upper, "/hosts/") : NULL;
    const char *start = end != NULL ? memrchr(c->upper, '/', (size_t)(end - c->upper)) : NULL;
    if (start == NULL)
        return;
    (void)snprintf(id, sizeof(id), "%.*s", (int)(end - start - 1), start + 1);
    groups_add(out, id, c->host.name);
}

int look_take(const struct contract *c, struct look *ret, struct err *err)
{
    *ret = (struct look){BUF_INIT(DUMP_MAX), BUF_INIT(TREE_MAX), BUF_INIT(PROCESSES_MAX),
                         BUF_INIT(TREE_MAX), BUF_INIT(TREE_MAX), BUF_INIT(TREE_MAX),
                         BUF_INIT(TREE_MAX)};
    if (dump_take(&ret->kernel, err) != 0 || take_processes(c, &ret->processes, err) != 0)
        return -1;
    take_mounts(c, &ret->mounts);
    take_space(c, &ret->space);
    take_groups(c, &ret->groups);
    look_files(c, &ret->files);
    take_upper(c, &ret->upper);
    if (ret->files.len == 0 || ret->kernel.len == 0 || ret->processes.len == 0 ||
        ret->mounts.len == 0 || ret->space.len == 0 || ret->groups.len == 0)
        return make_error(err, ERR_SYSTEM, 0, "a look at the host shows nothing");
    return 0;
}

void look_free(struct look *l)
{
    buf_free(&l->kernel);
    buf_free(&l->files);
    buf_free(&l->processes);
    buf_free(&l->upper);
    buf_free(&l->mounts);
    buf_free(&l->space);
    buf_free(&l->groups);
}

static void compare(struct contract *c, const struct buf *before, const struct buf *now,
                    const char *part, const char *when)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(TREE_MAX);
    size_t n = dump_diff(buf_text(before), buf_text(now), &diff, SHOWN_MAX);
    if (n > 0)
        contract_break(c, "%s: %zu lines of the host's %s differ:\n%s", when, n, part,
                       buf_text(&diff));
}

void look_compare(struct contract *c, const struct look *before, const struct look *now,
                  const char *when)
{
    compare(c, &before->kernel, &now->kernel, "kernel objects", when);
    compare(c, &before->files, &now->files, "files", when);
    compare(c, &before->processes, &now->processes, "processes", when);
    compare(c, &before->mounts, &now->mounts, "mounts", when);
    compare(c, &before->space, &now->space, "free space", when);
    compare(c, &before->groups, &now->groups, "control groups", when);
}

/* Is the path the parameter's, beneath it, the directory above, or a name of ours beside it? */
static bool is_near(const char *path, size_t len, const char *named)
{
    size_t n = strlen(named), above = (size_t)(strrchr(named, '/') - named);
    static const char ours[] = "/.blackstart-";
    if (len >= n && memcmp(path, named, n) == 0 && (len == n || path[n] == '/'))
        return true;
    if (len <= above && memcmp(path, named, len) == 0 && (named[len] == '/' || len == above))
        return true; /* an overlay copies the directories above as it copies what lies in them */
    return len > above + sizeof(ours) - 1 && memcmp(path, named, above) == 0 &&
           memcmp(path + above, ours, sizeof(ours) - 1) == 0;
}

static bool is_declared(const struct contract *c, const char *path, size_t len)
{
    static const char *const data[] = {"/var/lib/redis", "/var/lib/web", "/var/lib", "/var"};
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
        if (len >= strlen(data[i]) && memcmp(path, data[i], strlen(data[i])) == 0 && i < 2)
            return true; /* where the services themselves write */
    if ((c->row->touches & TOUCHES_FILES) == 0)
        return false;
    for (size_t i = 0; i < c->row->n_params; i++) {
        const struct param *p = &c->row->params[i];
        const char *at = (const char *)c->args + p->offset;
        if (p->type == PARAM_PATH && at[0] != '\0' && is_near(path, len, at))
            return true;
        const struct paths *paths = (const void *)at;
        for (uint32_t k = 0; p->type == PARAM_PATHS && k < paths->n; k++)
            if (is_near(path, len, paths->v[k].s))
                return true;
    }
    return false;
}

static void compare_paths(struct contract *c, const struct buf *before, const struct buf *now,
                          const char *part)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(TREE_MAX);
    (void)tree_diff(buf_text(before), buf_text(now), &diff);
    for (const char *line = buf_text(&diff); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *path = line + 2;
        size_t n = strcspn(path, " \n");
        if (!is_declared(c, path, n))
            contract_break(c, "while active, beyond its footprint (%s): %.*s", part, (int)len,
                           line);
        line += len + (line[len] == '\n');
    }
}

static void compare_groups(struct contract *c, const struct buf *before, const struct buf *now)
{
    compare(c, before, now, "control groups", "while active");
}

/* How many processes are in a group is no setting of it. */
static void compare_settings(struct contract *c, const struct buf *before, const struct buf *now)
{
    const struct buf *texts[2] = {before, now};
    struct buf settings[2] = {BUF_INIT(TREE_MAX), BUF_INIT(TREE_MAX)};
    for (int i = 0; i < 2; i++)
        for (const char *p = buf_text(texts[i]); *p != '\0';) {
            const char *count = strstr(p, GROUPS_COUNT);
            size_t len = count != NULL ? (size_t)(count - p) : strlen(p);
            buf_add(&settings[i], p, len);
            p += len;
            if (count != NULL) {
                p += strlen(GROUPS_COUNT);
                p += strspn(p, "0123456789");
            }
        }
    compare(c, &settings[0], &settings[1], "control groups", "while active");
    buf_free(&settings[0]);
    buf_free(&settings[1]);
}

void look_compare_footprint(struct contract *c, const struct look *before, const struct look *now)
{
    if ((c->row->touches & TOUCHES_KERNEL) == 0)
        compare(c, &before->kernel, &now->kernel, "kernel objects", "while active");
    if ((c->row->touches & TOUCHES_PROCESSES) == 0)
        compare(c, &before->processes, &now->processes, "processes", "while active");
    if ((c->row->touches & TOUCHES_MOUNTS) == 0)
        compare(c, &before->mounts, &now->mounts, "mounts", "while active");
    if ((c->row->touches & TOUCHES_SPACE) == 0)
        compare(c, &before->space, &now->space, "free space", "while active");
    if ((c->row->touches & TOUCHES_GROUPS) == 0)
        ((c->row->touches & TOUCHES_PROCESSES) != 0 ? compare_settings : compare_groups)(
            c, &before->groups, &now->groups);
    compare_paths(c, &before->files, &now->files, "files");
    compare_paths(c, &before->upper, &now->upper, "upper layer");
}
