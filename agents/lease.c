/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/lease.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/timerfd.h>
#include <unistd.h>

int lease_check(int64_t lease_ns, int64_t for_ns, struct err *err)
{
    if (lease_ns < LEASE_MIN || lease_ns > LEASE_MAX)
        return make_error(err, ERR_REFUSED, 0,
                          "a lease is between %" PRId64 " ms and %" PRId64 " s, not %" PRId64 " ms",
                          LEASE_MIN / NS_PER_MS, LEASE_MAX / NS_PER_SEC, lease_ns / NS_PER_MS);
    if (for_ns < 0 || for_ns > LEASE_FOR_MAX)
        return make_error(err, ERR_REFUSED, 0, "a fault lasts at most %" PRId64 " h",
                          LEASE_FOR_MAX / NS_PER_SEC / 3600);
    return 0;
}

int64_t lease_deadline(int64_t now, int64_t lease_ns, int64_t for_end)
{
    int64_t by_lease = now + lease_ns;
    if (for_end == LEASE_NEVER || for_end + LEASE_MARGIN > by_lease)
        return by_lease;
    return for_end + LEASE_MARGIN;
}

int lease_timer(int *ret_fd, struct err *err)
{
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "timerfd_create");
    *ret_fd = fd;
    return 0;
}

int lease_arm(int fd, int64_t deadline, struct err *err)
{
    struct itimerspec when = {0};
    if (deadline != LEASE_NEVER)
        /* An instant of zero would disarm. */
        when.it_value = clock_timespec(deadline > 0 ? deadline : 1);
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "timerfd_settime");
    return 0;
}

void lease_rest(int fd)
{
    uint64_t expiries;
    ssize_t n = read(fd, &expiries, sizeof(expiries));
    (void)n;
}
