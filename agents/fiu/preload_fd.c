/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrappers of calls that make or end descriptors: what is kept of a number has to go with it. */
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_next.h"

#include <errno.h>

/* The descriptor is closed whatever is returned, as with every error but EBADF on Linux. */
int close(int fd)
{
    if (!preload_any_armed())
        return NEXT(close)(fd);
    bool fails = preload_fails_fd(FIU_CLOSE, fd);
    int error = errno;
    int rc = NEXT(close)(fd);
    (void)preload_opened(fd);
    if (!fails || rc != 0)
        return rc;
    errno = error;
    return -1;
}

int dup(int fd)
{
    return preload_opened(NEXT(dup)(fd));
}

int dup2(int fd, int to)
{
    return preload_opened(NEXT(dup2)(fd, to));
}

int dup3(int fd, int to, int flags)
{
    return preload_opened(NEXT(dup3)(fd, to, flags));
}

int close_range(unsigned first, unsigned last, int flags)
{
    int rc = NEXT(close_range)(first, last, flags);
    if (preload_any_armed())
        preload_cache_forget_all();
    return rc;
}

/* The name is not known before it is made; its directory is. */
#define WRAP_MKSTEMP(name, params, args)                                                           \
    int name params                                                                                \
    {                                                                                              \
        return preload_fails_path(FIU_OPEN, AT_FDCWD, path, false)                                 \
                   ? -1                                                                            \
                   : preload_opened(NEXT(name) args);                                              \
    }
WRAP_MKSTEMP(mkstemp, (char *path), (path))
WRAP_MKSTEMP(mkstemp64, (char *path), (path))
WRAP_MKSTEMP(mkostemp, (char *path, int flags), (path, flags))
WRAP_MKSTEMP(mkostemp64, (char *path, int flags), (path, flags))
WRAP_MKSTEMP(mkstemps, (char *path, int n), (path, n))
WRAP_MKSTEMP(mkstemps64, (char *path, int n), (path, n))
WRAP_MKSTEMP(mkostemps, (char *path, int n, int flags), (path, n, flags))
WRAP_MKSTEMP(mkostemps64, (char *path, int n, int flags), (path, n, flags))
