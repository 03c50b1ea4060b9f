/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/cgroup.h"

#include "agents/host/proc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *v1, *file_v1, *file_v2; /* a group that has the file has the controller */
} controllers[] = {
    [CGROUP_CPU] = {"cpu", "cpu.cfs_quota_us", "cpu.max"},
    [CGROUP_MEMORY] = {"memory", "memory.limit_in_bytes", "memory.max"},
    [CGROUP_IO] = {"blkio", "blkio.throttle.write_bps_device", "io.max"},
    [CGROUP_PIDS] = {"pids", "pids.max", "pids.max"},
};

static const char *const roots_v2[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
enum { TEXT_MAX = 8192 };

int cgroup_supported(enum cgroup_controller controller, struct err *err)
{
    char path[64], text[512] = "", word[16];
    for (size_t i = 0; i < sizeof(roots_v2) / sizeof(roots_v2[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/cgroup.controllers", roots_v2[i]);
        CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", roots_v2[i]);
        (void)snprintf(word, sizeof(word), "%s",
                       controller == CGROUP_IO ? "io" : controllers[controller].v1);
        text[n > 0 ? n : 0] = '\0';
        for (char *save = NULL, *at = strtok_r(text, " \n", &save); at != NULL;
             at = strtok_r(NULL, " \n", &save))
            if (strcmp(at, word) == 0 && access(path, W_OK) == 0)
                return 0;
    }
    (void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs",
                   controllers[controller].v1);
    if (access(path, W_OK) == 0)
        return 0;
    return make_error(err, ERR_UNSUPPORTED, 0,
                      "no control group with the %s controller can be changed here: it takes "
                      "root, and /sys/fs/cgroup mounted for writing",
                      controllers[controller].v1);
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
        (void)snprintf(part, sizeof(part), "%s%s", service,
                       strchr(service, '.') != NULL ? "" : ".service");
    (void)snprintf(file, sizeof(file), "%d/cgroup", set.v[0].pid);
    if (read_file(host->proc, file, text, sizeof(text)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "the control group of %s", service);
    memset(ret, 0, sizeof(*ret));
    if (cgroup_parse_path(text, NULL, part, path, sizeof(path)))
        for (size_t i = 0; i < sizeof(roots_v2) / sizeof(roots_v2[0]); i++)
            if (take(ret, 2, roots_v2[i], path, controllers[controller].file_v2))
                return 0;
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
