/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/cgroup.h"

#include "agents/host/proc.h"
#include "agents/host/unit_name.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *v1, *v2;           /* its names */
    const char *file_v1, *file_v2; /* a group that has the file has the controller */
    const char *property;          /* what makes systemd give it to a unit */
} controllers[] = {
    [CGROUP_CPU] = {"cpu", "cpu", "cpu.cfs_quota_us", "cpu.max", "CPUWeight=100"},
    [CGROUP_MEMORY] = {"memory", "memory", "memory.limit_in_bytes", "memory.max",
                       "MemoryAccounting=yes"},
    [CGROUP_IO] = {"blkio", "io", "blkio.throttle.write_bps_device", "io.max", "IOAccounting=yes"},
    [CGROUP_PIDS] = {"pids", "pids", "pids.max", "pids.max", "TasksAccounting=yes"},
};

static const char *const roots_v2[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
enum { N_ROOTS_V2 = sizeof(roots_v2) / sizeof(roots_v2[0]), TEXT_MAX = 8192 };

static int read_file(int dir, const char *file, char *out, size_t size)
{
    CLEANUP_FD int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = '\0';
    return n < 0 ? -1 : 0;
}

/* Does the file, a line of words, name the controller? */
static bool names(int dir, const char *file, const char *controller)
{
    char text[512];
    if (read_file(dir, file, text, sizeof(text)) != 0)
        return false;
    for (char *save = NULL, *at = strtok_r(text, " \n", &save); at != NULL;
         at = strtok_r(NULL, " \n", &save))
        if (strcmp(at, controller) == 0)
            return true;
    return false;
}

/* A group right below the root in which services have theirs: a lab's, or a slice of systemd's. */
static bool is_holder(const char *name, bool lab)
{
    static const char ours[] = "blackstart-", slice[] = ".slice";
    size_t n = strlen(name), of = sizeof(slice) - 1;
    if (lab)
        return strncmp(name, ours, sizeof(ours) - 1) == 0;
    return n > of && strcmp(name + n - of, slice) == 0;
}

enum cgroup_reach cgroup_reach(const char *root, enum cgroup_controller controller, bool lab)
{
    const char *word = controllers[controller].v2;
    CLEANUP_DIR DIR *dir = opendir(root);
    bool holders = false;
    if (dir == NULL || !names(dirfd(dir), "cgroup.controllers", word) ||
        faccessat(dirfd(dir), "cgroup.procs", W_OK, 0) != 0)
        return CGROUP_ABSENT;
    if (!names(dirfd(dir), "cgroup.subtree_control", word))
        return CGROUP_KEPT_BY_ROOT;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char file[sizeof(e->d_name) + sizeof("/cgroup.subtree_control")];
        if (!is_holder(e->d_name, lab))
            continue;
        (void)snprintf(file, sizeof(file), "%s/cgroup.subtree_control", e->d_name);
        if (names(dirfd(dir), file, word))
            return CGROUP_REACHES;
        holders = true;
    }
    return holders ? CGROUP_KEPT_BELOW : CGROUP_REACHES;
}

static int explain_reach(const char *root, enum cgroup_controller controller, bool lab,
                         struct err *err)
{
    const char *word = controllers[controller].v2;
    if (lab)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "control groups of services have no %s controller here, and the lab "
                          "could not change that: as root, `echo +%s "
                          ">%s/cgroup.subtree_control` shows why",
                          word, word, root);
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "control groups of units have no %s controller here (cgroup.subtree_control "
                      "does not name it): systemctl set-property --runtime UNIT %s",
                      word, controllers[controller].property);
}

int cgroup_supported(const struct fault_host *host, enum cgroup_controller controller,
                     struct err *err)
{
    char path[64];
    enum cgroup_reach reach = CGROUP_ABSENT;
    size_t root = 0;
    for (size_t i = 0; i < N_ROOTS_V2 && reach == CGROUP_ABSENT; i++)
        reach = cgroup_reach(roots_v2[root = i], controller, host->lab);
    if (reach == CGROUP_REACHES)
        return 0;
    if (reach != CGROUP_ABSENT)
        return explain_reach(roots_v2[root], controller, host->lab, err);
    (void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs",
                   controllers[controller].v1);
    if (access(path, W_OK) == 0)
        return 0;
    bool pure = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "no control group with the %s controller can be changed here: it takes "
                      "root, and /sys/fs/cgroup mounted for writing",
                      pure ? controllers[controller].v2 : controllers[controller].v1);
}

/* Does the list "a,b,c" hold the word? */
static bool has_word(const char *list, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list, *end = list + len; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if ((size_t)(stop - at) == n && memcmp(at, word, n) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

/* Where the directory `part` of the path ends; 0: there is none. */
static size_t find_part(const char *path, size_t len, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; i < len; i++)
        if (path[i] == '/' && len - i - 1 >= n && memcmp(path + i + 1, part, n) == 0 &&
            (i + 1 + n == len || path[i + 1 + n] == '/'))
            return i + 1 + n;
    return 0;
}

bool cgroup_parse_path(const char *text, const char *controller, const char *part, char *out,
                       size_t size)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        const char *list = memchr(line, ':', (size_t)(end - line));
        const char *path = list != NULL ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
        if (path != NULL) {
            size_t n = (size_t)(path - ++list), len = (size_t)(end - ++path);
            bool is_it = controller == NULL ? n == 0 : has_word(list, n, controller);
            size_t cut = is_it ? find_part(path, len, part) : 0;
            if (cut > 0 && cut < size) {
                memcpy(out, path, cut);
                out[cut] = '\0';
                return true;
            }
        }
        line = *end == '\n' ? end + 1 : end;
    }
    return false;
}

static bool take(struct cgroup *ret, uint32_t version, const char *root, const char *path,
                 const char *file)
{
    struct stat st;
    int n = snprintf(ret->path, sizeof(ret->path), "%s%s", root, path);
    if (n < 0 || (size_t)n >= sizeof(ret->path))
        return false;
    CLEANUP_FD int fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || faccessat(fd, file, W_OK, 0) != 0 || fstat(fd, &st) != 0)
        return false;
    ret->version = version;
    ret->dev = st.st_dev;
    ret->ino = st.st_ino;
    return true;
}

/* Why the service's group in version 2 lacks the controller, and the mend. */
static int explain_group(const struct fault_host *host, const char *service, const char *root,
                         const char *path, enum cgroup_controller controller, struct err *err)
{
    const char *word = controllers[controller].v2, *file = controllers[controller].file_v2;
    char above[CGROUP_PATH_MAX + 64], mend[CGROUP_PATH_MAX + 128];
    bool kept = false;
    /* From the root down, the first that keeps it. */
    for (const char *at = path; at != NULL && !kept; at = strchr(at + 1, '/')) {
        (void)snprintf(above, sizeof(above), "%s%.*s", root, (int)(at - path), path);
        CLEANUP_FD int dir = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        kept = dir < 0 || !names(dir, "cgroup.subtree_control", word);
    }
    if (!kept)
        return make_error(err, ERR_UNSUPPORTED, 0, "%s of the control group of %s is not to write",
                          file, service);
    if (host->lab)
        (void)snprintf(mend, sizeof(mend), "echo +%s >%.300s/cgroup.subtree_control", word, above);
    else
        (void)snprintf(mend, sizeof(mend), "systemctl set-property --runtime %s %s", service,
                       controllers[controller].property);
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "the control group of %s has no %s: %.150s hands no %s down: %s", service,
                      file, above, word, mend);
}

int cgroup_find(const struct fault_host *host, const char *service,
                enum cgroup_controller controller, struct cgroup *ret, struct err *err)
{
    const struct proc_query query = {.unit = service};
    struct proc_set set;
    char file[32], text[TEXT_MAX], part[2 * NAME_MAX_LEN + 16], path[CGROUP_PATH_MAX], root[64];
    const char *v1 = controllers[controller].v1;
    if (proc_find(host, &query, &set, err) != 0)
        return -1;
    if (host->lab)
        (void)snprintf(part, sizeof(part), "%s.%s", host->name, service);
    else
        unit_name_full(part, service);
    (void)snprintf(file, sizeof(file), "%d/cgroup", set.v[0].pid);
    if (read_file(host->proc, file, text, sizeof(text)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "the control group of %s", service);
    memset(ret, 0, sizeof(*ret));
    bool in_v2 = cgroup_parse_path(text, NULL, part, path, sizeof(path));
    for (size_t i = 0; i < N_ROOTS_V2 && in_v2; i++)
        if (take(ret, 2, roots_v2[i], path, controllers[controller].file_v2))
            return 0;
    if (in_v2 && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        return explain_group(host, service, roots_v2[0], path, controller, err);
    (void)snprintf(root, sizeof(root), "/sys/fs/cgroup/%s", v1);
    if (cgroup_parse_path(text, v1, part, path, sizeof(path)) &&
        take(ret, 1, root, path, controllers[controller].file_v1))
        return 0;
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "%s has no control group of its own with the %s controller", service, v1);
}

int cgroup_open(const struct cgroup *group, int *ret_fd, struct err *err)
{
    struct stat st;
    *ret_fd = -1;
    CLEANUP_FD int fd = open(group->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "open %s", group->path);
    if (fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", group->path);
    if (st.st_dev == group->dev && st.st_ino == group->ino)
        *ret_fd = steal_fd(&fd);
    return 0;
}

/* The line that begins with the word and a space; NULL when none does. */
static const char *find_line(const char *text, const char *word)
{
    size_t n = strlen(word);
    while (text != NULL && (strncmp(text, word, n) != 0 || text[n] != ' ')) {
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return text;
}

int cgroup_read(int dir, const char *file, const char *key, const char *none,
                char out[CGROUP_VALUE_MAX], struct err *err)
{
    char text[TEXT_MAX];
    const char *at = text;
    if (read_file(dir, file, text, sizeof(text)) != 0)
        return make_error(err, errno == ENODEV || errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
                          errno, "read %s", file);
    if (key[0] != '\0') {
        at = find_line(text, key);
        at = at != NULL ? at + strlen(key) + 1 : none;
    }
    size_t n = strcspn(at, "\n");
    if (n >= CGROUP_VALUE_MAX)
        return make_error(err, ERR_LIMIT, 0, "%s holds more than is understood", file);
    memcpy(out, at, n);
    out[n] = '\0';
    return 0;
}

int cgroup_write(int dir, const char *file, const char *text, struct err *err)
{
    CLEANUP_FD int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return make_error(err, errno == ENODEV || errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
                          errno, "write `%s` to %s", text, file);
    return 0;
}

uint64_t cgroup_count(int dir, const char *file, const char *field)
{
    char text[TEXT_MAX];
    if (read_file(dir, file, text, sizeof(text)) != 0)
        return 0;
    const char *at = field[0] != '\0' ? find_line(text, field) : text;
    return at != NULL ? strtoull(at + strlen(field), NULL, 10) : 0;
}
