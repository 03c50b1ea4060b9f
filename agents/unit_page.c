/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/unit_page.h"

#include "agents/fiu/program.h"
#include "agents/fiu/victim.h"
#include "agents/host/unit_name.h"
#include "agents/unit_parts.h"
#include "agents/wire.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A file that root alone can open: whoever could lock the directory could keep units from starting.
 */
#define LOCK_FILE FIU_PAGE_DIR "/.lock"

int unit_page_lock(struct err *err)
{
    if (mkdir(FIU_PAGE_DIR, 0755) != 0 && errno != EEXIST)
        return make_error(err, ERR_SYSTEM, errno, "make %s", FIU_PAGE_DIR);
    CLEANUP_FD int fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        return make_error(err, ERR_SYSTEM, errno, "lock %s", LOCK_FILE);
    return steal_fd(&fd);
}

/* Who waits sends us away, since we are not of the unit; a full queue is somebody's, too. */
bool unit_is_awaited(const char *unit)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof(to.sun_path), UNIT_SOCKET, unit);
    CLEANUP_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return sock >= 0 &&
           (connect(sock, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EAGAIN);
}

/* When that cannot be seen, yes. */
static bool is_mapped(const char *unit)
{
    CLEANUP_DIR DIR *proc = opendir("/proc");
    if (proc == NULL)
        return true;
    for (const struct dirent *e; (e = readdir(proc)) != NULL;)
        if (strspn(e->d_name, "0123456789") == strlen(e->d_name) &&
            program_maps_page(dirfd(proc), (pid_t)strtol(e->d_name, NULL, 10), unit))
            return true;
    return false;
}

static bool has_fault(int page)
{
    uint32_t slots = 1;
    return pread(page, &slots, sizeof(slots), offsetof(struct fiu_page, slots_armed)) !=
               (ssize_t)sizeof(slots) ||
           slots != 0;
}

/* Supervisors lock the page that they live on. */
static bool is_idle(int page)
{
    struct stat st;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fstat(page, &st) == 0 && (st.st_mode & 07777) == 0600 && !has_fault(page) &&
           fcntl(page, F_OFD_SETLK, &lock) == 0;
}

bool unit_page_drop(const char *unit)
{
    struct err ignored;
    char path[320];
    CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int page = -1;
    (void)snprintf(path, sizeof(path), FIU_PAGE_DIR "/%s.page", unit);
    return root >= 0 && victim_open(root, unit, &page, &ignored) == 0 && is_idle(page) &&
           !unit_is_awaited(unit) && !is_mapped(unit) && unlink(path) == 0;
}

/* The unit of a file's name with this end, as the agent itself would call it. */
static bool name_unit(const char *file, const char *end, char ret[UNIT_NAME_SIZE])
{
    size_t n = strlen(file), tail = strlen(end);
    if (n <= tail || n - tail >= UNIT_NAME_SIZE || strcmp(file + n - tail, end) != 0)
        return false;
    n -= tail;
    memcpy(ret, file, n);
    ret[n] = '\0';
    return wire_is_name(ret, UNIT_NAME_SIZE);
}

static void sweep_unit(const char *unit, void (*say)(const char *text))
{
    char text[512], sock[320];
    (void)snprintf(sock, sizeof(sock), UNIT_SOCKET, unit);
    if (unit_page_drop(unit)) {
        (void)unlink(sock); /* at which nobody waits */
        (void)snprintf(text, sizeof(text),
                       "page " FIU_PAGE_DIR "/%s.page of no supervisor: removed", unit);
        say(text);
    } else if (!unit_is_awaited(unit) && !is_mapped(unit)) {
        (void)snprintf(text, sizeof(text),
                       "page " FIU_PAGE_DIR "/%s.page is left: no process has it mapped, but its "
                       "unit may be prepared for its next start",
                       unit);
        say(text);
    }
}

/* A supervisor that was killed before it had made its page leaves its socket alone. */
static void sweep_socket(const char *unit, void (*say)(const char *text))
{
    char text[512], sock[320];
    struct stat st;
    (void)snprintf(sock, sizeof(sock), UNIT_SOCKET, unit);
    if (lstat(sock, &st) != 0 || !S_ISSOCK(st.st_mode) || unit_is_awaited(unit) ||
        unlink(sock) != 0)
        return;
    (void)snprintf(text, sizeof(text), "socket %s, at which nobody waits: removed", sock);
    say(text);
}

int unit_page_sweep(void (*say)(const char *text), struct err *err)
{
    char unit[UNIT_NAME_SIZE];
    CLEANUP_DIR DIR *dir = opendir(FIU_PAGE_DIR);
    if (dir == NULL && errno == ENOENT)
        return 0;
    if (dir == NULL)
        return make_error(err, ERR_SYSTEM, errno, "read %s", FIU_PAGE_DIR);
    CLEANUP_FD int lock = unit_page_lock(err);
    if (lock < 0)
        return -1;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (name_unit(e->d_name, ".page", unit))
            sweep_unit(unit, say);
        else if (name_unit(e->d_name, ".sock", unit))
            sweep_socket(unit, say);
    return 0;
}
