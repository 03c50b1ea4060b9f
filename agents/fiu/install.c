/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/install.h"

#include "agents/fiu/victim.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_NAME ".new"

/* The programs map it, under whatever user; or a supervisor alone, which is root. */
enum { PRELOADED_MODE = 0666, TRAPPED_MODE = 0600 };

/* A fresh file beside its place, which is taken in one step when it is whole. */
static int file_make(int dir, mode_t mode, int *ret_fd, struct err *err)
{
    (void)unlinkat(dir, NEW_NAME, 0);
    CLEANUP_FD int fd =
        openat(dir, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fchmod(fd, mode) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a file in %s", FIU_PAGE_DIR);
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int file_place(int dir, const char *name, struct err *err)
{
    return renameat(dir, NEW_NAME, dir, name) != 0
               ? make_error(err, ERR_SYSTEM, errno, "make %s/%s", FIU_PAGE_DIR, name)
               : 0;
}

/* A fresh copy would take the place of one that other units have been let see as a file. */
static bool library_is_there(int dir, int library, off_t size)
{
    char ours[4096], theirs[4096];
    struct stat st;
    CLEANUP_FD int fd = openat(dir, FIU_LIBRARY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_mode != (S_IFREG | 0755) || st.st_size != size)
        return false;
    for (off_t at = 0; at < size;) {
        ssize_t n = pread(library, ours, sizeof(ours), at);
        if (n <= 0 || pread(fd, theirs, sizeof(theirs), at) != n ||
            memcmp(ours, theirs, (size_t)n) != 0)
            return false;
        at += n;
    }
    return true;
}

static int library_make(int dir, int library, struct err *err)
{
    struct stat st;
    off_t at = 0;
    CLEANUP_FD int fd = -1;
    if (fstat(library, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat the preload library");
    if (library_is_there(dir, library, st.st_size))
        return 0;
    if (file_make(dir, 0755, &fd, err) != 0)
        return -1;
    while (at < st.st_size)
        if (sendfile(fd, library, &at, (size_t)(st.st_size - at)) <= 0)
            return make_error(err, ERR_SYSTEM, errno, "copy the preload library");
    return file_place(dir, FIU_LIBRARY, err);
}

static int page_make(int dir, const char *service, mode_t mode, struct err *err)
{
    static union {
        struct fiu_page page;
        char bytes[FIU_PAGE_SIZE];
    } fresh;
    char name[320];
    CLEANUP_FD int fd = -1;
    (void)snprintf(name, sizeof(name), "%s.page", service);
    fiu_page_init(&fresh.page);
    if (file_make(dir, mode, &fd, err) != 0)
        return -1;
    if (write(fd, &fresh, sizeof(fresh)) != (ssize_t)sizeof(fresh))
        return make_error(err, ERR_SYSTEM, errno, "write %s/%s", FIU_PAGE_DIR, name);
    return file_place(dir, name, err);
}

/* Of a service whose calls were trapped before: the library in its processes follows the page. */
static int page_give(int page, struct err *err)
{
    static const uint64_t none;
    uint64_t points = 0;
    bool alive = false;
    if (victim_trapped(page, &points, &alive, err) != 0)
        return -1;
    if (fchmod(page, PRELOADED_MODE) != 0 ||
        (points != 0 && !alive &&
         pwrite(page, &none, sizeof(none), offsetof(struct fiu_page, trapped)) != sizeof(none)))
        return make_error(err, ERR_SYSTEM, errno, "change the page of a service");
    return 0;
}

int install_service(int root, const char *service, int library, bool *ret_kept, struct err *err)
{
    struct err why;
    if (mkdirat(root, &FIU_PAGE_DIR[1], 0755) != 0 && errno != EEXIST)
        return make_error(err, ERR_SYSTEM, errno, "make %s", FIU_PAGE_DIR);
    CLEANUP_FD int dir =
        openat(root, &FIU_PAGE_DIR[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fchmod(dir, 0755) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", FIU_PAGE_DIR);
    if (library >= 0 && library_make(dir, library, err) != 0)
        return -1;
    CLEANUP_FD int page = -1;
    *ret_kept = victim_open(root, service, &page, &why) == 0;
    if (!*ret_kept)
        return page_make(dir, service, library >= 0 ? PRELOADED_MODE : TRAPPED_MODE, err);
    return library >= 0 ? page_give(page, err) : 0;
}
