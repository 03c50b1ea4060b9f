/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page that the agent shares with one service's processes (MAP_SHARED, one file per service):
 * the agent writes rules, the preload library in the processes follows them and counts. It must not
 * know who arms a rule or why.
 *
 * Where no library gets (static programs, Go), the service's supervisor (supervisor.h) follows the
 * rules in its place, and counts as the library does.
 *
 * Contract for whoever starts the service (the lab): put the library into the host, create the file
 * FIU_PAGE_DIR/<service>.page (directory 0755, file 0666: processes that the service starts under
 * other users map it too), FIU_PAGE_SIZE bytes, fiu_page_init() on its content, and start the
 * service with LD_PRELOAD=<library> and FIU_ENV_PAGE=<path of the page in the host>. The file is
 * never replaced while a process of the service lives; a restarted service maps the same one. Its
 * processes can scribble on it: the agent believes nothing that it reads back but for counting.
 */
#ifndef BLACKSTART_AGENTS_FIU_PAGE_H
#define BLACKSTART_AGENTS_FIU_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FIU_ENV_PAGE     "BLACKSTART_FIU_PAGE"
#define FIU_PAGE_DIR     "/run/blackstart-fiu"
#define FIU_LIBRARY      "libblackstart-fiu.so"
#define FIU_LIBRARY_PATH FIU_PAGE_DIR "/" FIU_LIBRARY /* where the lab puts it in the host */

enum {
    FIU_PAGE_SIZE = 65536,
    FIU_PAGE_VERSION = 2,
    FIU_PAGE_MAGIC = 0x55494642, /* "BFIU" */
    FIU_RULES_MAX = 16,
    FIU_ADDRS_MAX = 16,
    FIU_PORTS_MAX = 4,
    FIU_PREFIX_MAX = 256 /* with its NUL */
};

/*
 * Name of the point, what it covers (each with its 64-bit and fortified variants, and the same call
 * made by libc's syscall()). A stream's calls count where the program makes them: what stdio writes
 * when it flushes by itself passes no point.
 */
#define FIU_POINTS(X)                                                                              \
    X(OPEN, "posix.open", "open, openat, openat2, creat, fopen, freopen, mkstemp")                 \
    X(READ, "posix.read", "read, pread, readv, preadv")                                            \
    X(WRITE, "posix.write", "write, pwrite, writev, pwritev")                                      \
    X(FSYNC, "posix.fsync", "fsync")                                                               \
    X(FDATASYNC, "posix.fdatasync", "fdatasync")                                                   \
    X(SYNC_RANGE, "posix.sync_file_range", "sync_file_range")                                      \
    X(TRUNCATE, "posix.truncate", "truncate, ftruncate")                                           \
    X(ALLOCATE, "posix.fallocate", "fallocate, posix_fallocate")                                   \
    X(RENAME, "posix.rename", "rename, renameat, renameat2")                                       \
    X(UNLINK, "posix.unlink", "unlink, unlinkat, remove, rmdir")                                   \
    X(MKDIR, "posix.mkdir", "mkdir, mkdirat")                                                      \
    X(CLOSE, "posix.close", "close, which closes and then fails")                                  \
    X(SENDFILE, "posix.sendfile", "sendfile")                                                      \
    X(SOCKET, "posix.socket", "socket")                                                            \
    X(BIND, "posix.bind", "bind")                                                                  \
    X(LISTEN, "posix.listen", "listen")                                                            \
    X(CONNECT, "posix.connect", "connect")                                                         \
    X(ACCEPT, "posix.accept", "accept, accept4")                                                   \
    X(SEND, "posix.send", "send, sendto, sendmsg, sendmmsg")                                       \
    X(RECV, "posix.recv", "recv, recvfrom, recvmsg, recvmmsg")                                     \
    X(POLL, "posix.poll", "poll, ppoll, select, pselect, epoll_wait, epoll_pwait")                 \
    X(STDIO_READ, "stdio.read", "fread, fgets, fgetc, getc, getline, getdelim")                    \
    X(STDIO_WRITE, "stdio.write", "fwrite, fputs, fputc, putc, fprintf, vfprintf")                 \
    X(STDIO_FLUSH, "stdio.flush", "fflush, and fclose, which closes and then fails")

enum fiu_point {
#define FIU_ENUM(id, name, covers) FIU_##id,
    FIU_POINTS(FIU_ENUM)
#undef FIU_ENUM
        FIU_N_POINTS,
    /* Readings of clocks: no points of failure, but armed in the same mask. */
    FIU_REALTIME = FIU_N_POINTS,
    FIU_MONOTONIC,
    FIU_N_BITS
};

#define FIU_BIT(point) (UINT64_C(1) << (point))

enum fiu_action { FIU_FAIL, FIU_DELAY, FIU_SHIFT };

struct fiu_addr {
    uint8_t family, prefix, ip[16]; /* family 4 or 6, prefix in bits */
};

/* What the agent asks for. Plain data; multiple of eight bytes, since it is copied by words. */
struct fiu_rule {
    uint64_t points;     /* bit mask of enum fiu_point; 0: nothing is armed here */
    int64_t deadline;    /* CLOCK_BOOTTIME, ns; the rule is dead from then on */
    uint64_t owner;      /* whose it is: from run and injection; stays when it is disarmed */
    uint64_t budget;     /* at most so many hits in all processes together; 0: no limit */
    uint64_t every;      /* only each so-manyth call; 0 and 1: each */
    uint64_t seed;       /* which calls are hit is a function of seed and number of the call */
    int64_t delay_ns;    /* FIU_DELAY: how long a call waits, */
    int64_t jitter_ns;   /* give or take so much */
    int64_t offset_ns;   /* FIU_SHIFT: what is added to a reading, */
    int64_t rate_ppm;    /* and in addition millionths of the time */
    int64_t since;       /* from here on (CLOCK_BOOTTIME, ns) */
    uint32_t ppm;        /* share of calls that are hit, in millionths */
    int32_t error;       /* FIU_FAIL: errno */
    uint32_t action;     /* enum fiu_action */
    uint32_t n_addrs;    /* 0: no filter; else only calls to these, */
    uint32_t n_ports;    /* and if there are any, to these ports */
    uint32_t prefix_len; /* 0: no filter */
    struct fiu_addr addrs[FIU_ADDRS_MAX];
    struct fiu_ports {
        uint16_t lo, hi;
    } ports[FIU_PORTS_MAX];
    char prefix[FIU_PREFIX_MAX]; /* a path as the victim sees it: itself and all beneath it */
};

enum { FIU_RULE_WORDS = sizeof(struct fiu_rule) / sizeof(uint64_t), FIU_LOAD_TRIES = 16 };

/*
 * Two copies of the rule: the last bit of `sequence` says which one holds. The writer fills the
 * other one and then counts up, so that a reader never waits and never sees half a rule, not even
 * when the writer dies in the middle. (The agent writes with pwrite, since a mapping of a file that
 * the victim can truncate would kill it; so no field may need more than one byte to change whole.)
 */
struct fiu_slot {
    _Atomic uint32_t sequence;
    uint32_t pad;
    _Atomic uint64_t calls;    /* of the rule's points while it was alive */
    _Atomic uint64_t seen;     /* of these: beneath the prefix, to the addresses */
    _Atomic uint64_t hits;     /* of these: failed, delayed or shifted by us */
    _Atomic uint64_t added_ns; /* FIU_DELAY: all waiting, measured; FIU_SHIFT: the last shift */
    _Atomic uint64_t words[2][FIU_RULE_WORDS]; /* struct fiu_rule */
};

/* The first line is all that a call reads when nothing is armed. */
struct fiu_page {
    _Atomic uint64_t armed; /* bit mask of points that have a rule */
    uint32_t magic, version;
    uint32_t size, rules_max;
    _Atomic uint32_t attached;    /* programs that have loaded the library with this page */
    _Atomic uint32_t slots_armed; /* bit mask of slots that have a rule */
    /* Of a service whose calls are trapped (supervisor.h): the points that are; 0: it is preloaded.
     * While its supervisor lives, it holds a lock on the file. */
    _Atomic uint64_t trapped;
    unsigned char pad[24];
    struct fiu_slot slots[FIU_RULES_MAX];
};

_Static_assert(sizeof(struct fiu_rule) % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(offsetof(struct fiu_rule, points) == 0, "fiu_slot_has reads the first word");
_Static_assert(offsetof(struct fiu_rule, owner) == 2 * sizeof(uint64_t), "fiu_slot_owner reads it");
_Static_assert(FIU_RULES_MAX <= 32, "a mask of 32 bits");
_Static_assert(sizeof(struct fiu_page) <= FIU_PAGE_SIZE, "the page has a fixed size");
_Static_assert((int)FIU_N_BITS <= 64, "a mask of 64 bits");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes: no hidden lock");

/* On FIU_PAGE_SIZE zeroed bytes, before any process of the service is started. */
static inline void fiu_page_init(struct fiu_page *page)
{
    page->version = FIU_PAGE_VERSION;
    page->size = FIU_PAGE_SIZE;
    page->rules_max = FIU_RULES_MAX;
    page->magic = FIU_PAGE_MAGIC;
}

static inline bool fiu_page_valid(const struct fiu_page *page)
{
    return page->magic == FIU_PAGE_MAGIC && page->version == FIU_PAGE_VERSION &&
           page->size == FIU_PAGE_SIZE && page->rules_max == FIU_RULES_MAX;
}

/* Bit mask of the slots to look at. */
static inline uint32_t fiu_page_slots(const struct fiu_page *page)
{
    return atomic_load_explicit(&page->slots_armed, memory_order_relaxed) &
           ((UINT32_C(1) << FIU_RULES_MAX) - 1);
}

/* False when the rule changed under our hands each time: taken as not armed. Never waits. */
static inline bool fiu_rule_load(const struct fiu_slot *slot, struct fiu_rule *ret)
{
    for (int tries = 0; tries < FIU_LOAD_TRIES; tries++) {
        uint64_t words[FIU_RULE_WORDS];
        uint32_t before = atomic_load_explicit(&slot->sequence, memory_order_acquire);
        for (size_t i = 0; i < FIU_RULE_WORDS; i++)
            words[i] = atomic_load_explicit(&slot->words[before & 1][i], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&slot->sequence, memory_order_relaxed) == before) {
            memcpy(ret, words, sizeof(*ret));
            return true;
        }
    }
    return false;
}

/* Is this point in the rule that holds now? Cheap, and only a hint. */
static inline bool fiu_slot_has(const struct fiu_slot *slot, enum fiu_point point)
{
    uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
    uint64_t points = atomic_load_explicit(&slot->words[sequence & 1][0], memory_order_relaxed);
    return (points & FIU_BIT(point)) != 0;
}

static inline bool fiu_slot_is_armed(const struct fiu_slot *slot)
{
    uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
    return atomic_load_explicit(&slot->words[sequence & 1][0], memory_order_relaxed) != 0;
}

/* Whose rule holds now. As cheap, and only a hint too. */
static inline uint64_t fiu_slot_owner(const struct fiu_slot *slot)
{
    uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
    return atomic_load_explicit(&slot->words[sequence & 1][2], memory_order_relaxed);
}

#endif
