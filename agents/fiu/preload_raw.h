/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls without libc: what the preload library uses while it decides. They set no errno, are
 * no cancellation points, and no other preloaded library (libfaketime shifts clock_gettime() and
 * even syscall()) stands between. Results as the kernel gives them: -errno on failure.
 */
#ifndef BLACKSTART_AGENTS_FIU_PRELOAD_RAW_H
#define BLACKSTART_AGENTS_FIU_PRELOAD_RAW_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static inline long raw_call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long raw_call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "the preload library has no raw system call for this machine"
#endif

/*
 * The processor's own counter: costs a tenth of a system call. Its rate is anything from one to six
 * counts a nanosecond on x86, so it decides only how long something is kept: 90 to 540 ms.
 */
static inline uint64_t raw_ticks(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
#else
    uint64_t count, rate;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(rate));
    return rate > 0 ? count * (UINT64_C(1) << 31) / rate : 0;
#endif
}
#define RAW_TICKS_KEPT (UINT64_C(1) << 29)

static inline int raw_openat(int dir, const char *path, int flags)
{
    return (int)raw_call(SYS_openat, dir, (long)path, flags, 0, 0, 0);
}

static inline void raw_close(int fd)
{
    (void)raw_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long raw_readlink(const char *path, char *out, size_t size)
{
    return raw_call(SYS_readlinkat, AT_FDCWD, (long)path, (long)out, (long)size, 0, 0);
}

/* glibc's struct stat is the kernel's on 64-bit machines. */
static inline long raw_fstat(int fd, struct stat *st)
{
    return raw_call(SYS_fstat, fd, (long)st, 0, 0, 0, 0);
}

static inline long raw_mmap_shared(int fd, size_t size)
{
    enum { READ_WRITE = 3, SHARED = 1 };
    return raw_call(SYS_mmap, 0, (long)size, READ_WRITE, SHARED, fd, 0);
}

static inline long raw_getpeername(int fd, void *out, uint32_t *len)
{
    return raw_call(SYS_getpeername, fd, (long)out, (long)len, 0, 0, 0);
}

/* Shorter when a signal comes. */
static inline void raw_sleep(int64_t ns)
{
    struct timespec ts = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    (void)raw_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&ts, 0, 0, 0);
}

/* CLOCK_BOOTTIME in nanoseconds. */
static inline int64_t raw_now(void)
{
    struct timespec ts = {0, 0};
    (void)raw_call(SYS_clock_gettime, CLOCK_BOOTTIME, (long)&ts, 0, 0, 0, 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
