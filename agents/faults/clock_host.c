/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CLOCK_REALTIME minus CLOCK_BOOTTIME changes by steps alone: the kernel lets both run at one rate,
 * which an NTP daemon may move, and adds a suspend to both. So it tells exactly whether the clock
 * stands as we left it, and a step by the same amount the other way keeps what was slewed
 * meanwhile.
 */
#include "agents/faults/clock_host.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum {
    RECORD_VERSION = 0x10001, /* apart from those of the family of the preload library */
    READ_TRIES = 16,
    TOLERANCE_NS = 400000, /* less than half of the smallest step */
    MARK_SIZE = RUN_ID_MAX + INJECTION_ID_MAX + 8
};

struct record {
    uint32_t version;
    int32_t status;    /* what a step takes from the kernel's NTP state: STA_UNSYNC, */
    int64_t max_error; /* and both errors */
    int64_t est_error;
    int64_t before_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
    int64_t step_us;
};
_Static_assert(sizeof(struct record) <= UNDO_DATA_MAX, "fits the undo record");

/* The mark's first byte: how far we were. Written before and after each step, since where the
 * clock stands does not tell a step of ours from one of somebody else's. */
enum phase {
    PHASE_NONE = 0,
    PHASE_FORTH = 'f',
    PHASE_THERE = 't',
    PHASE_BACK = 'b',
    PHASE_OTHERS = 'o' /* another injection's mark */
};

enum place { PLACE_BEFORE, PLACE_STEPPED, PLACE_ELSEWHERE };

/* The pair of readings that lies closest together. */
static int64_t read_offset(void)
{
    int64_t best = INT64_MAX, offset = 0;
    for (int i = 0; i < READ_TRIES; i++) {
        int64_t first = clock_system(CLOCK_BOOTTIME);
        int64_t real = clock_system(CLOCK_REALTIME);
        int64_t last = clock_system(CLOCK_BOOTTIME);
        if (last - first >= best)
            continue;
        best = last - first;
        offset = real - first - best / 2;
    }
    return offset;
}

static int64_t step_ns(const struct record *r)
{
    return r->step_us * 1000;
}

static enum place find_place(const struct record *r, int64_t *ret_off)
{
    int64_t off = read_offset() - r->before_ns;
    *ret_off = off;
    if (llabs(off) < TOLERANCE_NS)
        return PLACE_BEFORE;
    return llabs(off - step_ns(r)) < TOLERANCE_NS ? PLACE_STEPPED : PLACE_ELSEWHERE;
}

/* In microseconds: a step in nanoseconds would leave STA_NANO set, and with it other units for
 * whoever disciplines the clock. */
static int step(int64_t us, struct err *err)
{
    int64_t seconds = us / 1000000, rest = us % 1000000;
    struct timex t = {.modes = ADJ_SETOFFSET};
    t.time.tv_sec = rest < 0 ? seconds - 1 : seconds;
    t.time.tv_usec = rest < 0 ? rest + 1000000 : rest;
    if (clock_adjtime(CLOCK_REALTIME, &t) >= 0)
        return 0;
    return make_error(err, ERR_SYSTEM, errno, "%s",
                      errno == EPERM ? "step the host's clock (it takes CAP_SYS_TIME)"
                                     : "step the host's clock");
}

/* A step leaves the clock unsynchronized, which also keeps the kernel from writing the wrong time
 * to the machine's hardware clock. Nobody has synchronized it since: it is again as good as it
 * was. */
static void restore_sync(const struct record *r)
{
    struct timex t = {.modes = 0};
    if ((r->status & STA_UNSYNC) != 0 || clock_adjtime(CLOCK_REALTIME, &t) < 0 ||
        (t.status & STA_UNSYNC) == 0)
        return;
    t.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
    t.status = r->status;
    t.maxerror = (long)r->max_error;
    t.esterror = (long)r->est_error;
    (void)clock_adjtime(CLOCK_REALTIME, &t);
}

static size_t mark_text(const struct undo *undo, char phase, char out[MARK_SIZE])
{
    int n = snprintf(out, MARK_SIZE, "%c %s %s\n", phase, undo->run, undo->injection);
    return n > 0 && n < MARK_SIZE ? (size_t)n : 0;
}

static int mark_refuse(struct err *err)
{
    return make_error(err, ERR_REFUSED, 0,
                      "%s says who has set this host's clock already: end that first, or, if its "
                      "agent is dead, run blackstart-agent undo --all",
                      CLOCK_HOST_MARK);
}

/* Never seen half written: it gets its name when it is whole. */
static int mark_make(const struct fault_host *host, const struct undo *undo, struct err *err)
{
    char text[MARK_SIZE], path[64];
    size_t n = mark_text(undo, PHASE_FORTH, text);
    CLEANUP_FD int fd = openat(host->root, "run", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n)
        return make_error(err, ERR_SYSTEM, errno, "make %s", CLOCK_HOST_MARK);
    (void)snprintf(path, sizeof(path), "self/fd/%d", fd);
    if (linkat(host->proc, path, host->root, &CLOCK_HOST_MARK[1], AT_SYMLINK_FOLLOW) == 0)
        return 0;
    return errno == EEXIST ? mark_refuse(err)
                           : make_error(err, ERR_SYSTEM, errno, "make %s", CLOCK_HOST_MARK);
}

/* Its descriptor is to be closed by the caller. */
static enum phase mark_read(const struct fault_host *host, const struct undo *undo, int *ret_fd)
{
    char ours[MARK_SIZE], text[MARK_SIZE] = "";
    size_t n = mark_text(undo, PHASE_FORTH, ours);
    CLEANUP_FD int fd =
        openat(host->root, &CLOCK_HOST_MARK[1], O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
    if (fd < 0)
        return PHASE_NONE;
    *ret_fd = steal_fd(&fd);
    if (got < 0 || (size_t)got != n || memcmp(&text[1], &ours[1], n - 1) != 0)
        return PHASE_OTHERS;
    return text[0] == PHASE_THERE || text[0] == PHASE_BACK ? (enum phase)text[0] : PHASE_FORTH;
}

static int mark_set(int fd, enum phase phase, struct err *err)
{
    const char byte = (char)phase;
    return pwrite(fd, &byte, 1, 0) == 1
               ? 0
               : make_error(err, ERR_SYSTEM, errno, "write %s", CLOCK_HOST_MARK);
}

bool clock_host_has(const struct undo *undo)
{
    uint32_t version;
    memcpy(&version, undo->data, sizeof(version));
    return version == RECORD_VERSION;
}

int clock_host_prepare(struct fault_host *host, int64_t by_ns, struct undo *undo, struct err *err)
{
    struct record *r = (struct record *)undo->data;
    struct timex t = {.modes = 0};
    if (host->lab)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "the clock of a lab host is the machine's, shared by all hosts and by "
                          "what measures them: name the `service` whose clock it shall be");
    if (faccessat(host->root, &CLOCK_HOST_MARK[1], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return mark_refuse(err);
    if (clock_adjtime(CLOCK_REALTIME, &t) < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the state of the host's clock");
    *r = (struct record){.version = RECORD_VERSION,
                         .status = t.status,
                         .max_error = t.maxerror,
                         .est_error = t.esterror,
                         .before_ns = read_offset(),
                         .step_us = by_ns / 1000};
    undo->size = sizeof(*r);
    if (r->before_ns + step_ns(r) < 0)
        return make_error(err, ERR_INPUT, 0,
                          "the kernel sets no clock so far back that the machine would have been "
                          "started before 1970");
    return 0;
}

int clock_host_apply(struct fault_host *host, struct undo *undo, struct err *err)
{
    const struct record *r = (const struct record *)undo->data;
    CLEANUP_FD int mark = -1;
    if (mark_make(host, undo, err) != 0 || step(r->step_us, err) != 0)
        return -1;
    if (mark_read(host, undo, &mark) != PHASE_FORTH || mark < 0)
        return make_error(err, ERR_FOREIGN, 0, "somebody else has changed %s", CLOCK_HOST_MARK);
    return mark_set(mark, PHASE_THERE, err);
}

int clock_host_verify(const struct undo *undo, bool *ret_active, struct err *err)
{
    const struct record *r = undo_record(undo, RECORD_VERSION, sizeof(*r), err);
    int64_t off;
    if (r == NULL)
        return -1;
    *ret_active = find_place(r, &off) == PLACE_STEPPED;
    return 0;
}

static void say_off(int64_t off_ns, const char *before, const char *after, char *out, size_t size)
{
    uint64_t us = (uint64_t)llabs(off_ns) / 1000;
    (void)snprintf(out, size, "%s%" PRIu64 ".%06" PRIu64 " s %s%s", before, us / 1000000,
                   us % 1000000, off_ns < 0 ? "behind" : "ahead of", after);
}

int clock_host_evidence(const struct undo *undo, struct evidence *ret, struct err *err)
{
    const struct record *r = undo_record(undo, RECORD_VERSION, sizeof(*r), err);
    int64_t off;
    if (r == NULL)
        return -1;
    bool stepped = find_place(r, &off) == PLACE_STEPPED;
    if (stepped)
        off = step_ns(r); /* without the error of the readings */
    *ret = (struct evidence){.n = 1, .proven = stepped, .is_state = true};
    ret->items[0] = (struct evidence_item){"shift_us", (uint64_t)llabs(off) / 1000};
    say_off(off, "the host's clock is ", " where it was", ret->what, sizeof(ret->what));
    return 0;
}

static int step_back(const struct record *r, int mark, struct revert_report *ret, struct err *err)
{
    int64_t off = 0;
    if ((mark < 0 || mark_set(mark, PHASE_BACK, err) == 0) && step(-r->step_us, err) == 0) {
        restore_sync(r);
        if (find_place(r, &off) == PLACE_BEFORE) {
            say_off(step_ns(r), "the host's clock, ", " the truth, was set back", ret->what,
                    sizeof(ret->what));
            return 0;
        }
        (void)make_error(err, ERR_DIRTY, 0, "the host's clock does not stand where it did before");
    }
    int64_t us = llabs(r->step_us);
    (void)snprintf(ret->manual, sizeof(ret->manual),
                   "date -s '%" PRId64 ".%06" PRId64 " seconds%s'", us / 1000000, us % 1000000,
                   r->step_us > 0 ? " ago" : "");
    return -1;
}

/* The clock is not as our step left it. */
static void say_left(enum phase phase, enum place place, int64_t off, struct revert_report *ret)
{
    bool ours = phase != PHASE_NONE && phase != PHASE_OTHERS;
    ret->foreign = ours && (phase == PHASE_THERE || place == PLACE_ELSEWHERE);
    if (!ret->foreign)
        (void)snprintf(ret->what, sizeof(ret->what), "the host's clock %s",
                       place == PLACE_BEFORE ? "stands as before"
                                             : "is not as we set it: nothing is to be set back");
    else if (place == PLACE_BEFORE)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "somebody else has set the host's clock right meanwhile");
    else
        say_off(off, "somebody else has set the host's clock meanwhile, ",
                " where it was: it is left so", ret->what, sizeof(ret->what));
}

int clock_host_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                      struct err *err)
{
    const struct record *r = undo_record(undo, RECORD_VERSION, sizeof(*r), err);
    CLEANUP_FD int mark = -1;
    int64_t off = 0;
    memset(ret, 0, sizeof(*ret));
    if (r == NULL)
        return -1;
    enum phase phase = mark_read(host, undo, &mark);
    enum place place = find_place(r, &off);
    if (place == PLACE_STEPPED && phase != PHASE_OTHERS) {
        if (step_back(r, mark, ret, err) != 0)
            return -1;
    } else {
        if (phase == PHASE_BACK && place == PLACE_BEFORE)
            restore_sync(r);
        say_left(phase, place, off, ret);
    }
    if (phase == PHASE_NONE || phase == PHASE_OTHERS ||
        unlinkat(host->root, &CLOCK_HOST_MARK[1], 0) == 0 || errno == ENOENT)
        return 0;
    (void)snprintf(ret->manual, sizeof(ret->manual), "rm %s", CLOCK_HOST_MARK);
    return make_error(err, ERR_SYSTEM, errno, "remove %s", CLOCK_HOST_MARK);
}
