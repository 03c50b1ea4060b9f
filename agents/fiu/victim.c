/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/victim.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const victim_point_names[] = {
#define FIU_NAME(id, name, covers) name,
    FIU_POINTS(FIU_NAME)
#undef FIU_NAME
        NULL};

enum fiu_point victim_point(const char *name)
{
    int i = 0;
    while (i < FIU_N_POINTS && strcmp(name, victim_point_names[i]) != 0)
        i++;
    return (enum fiu_point)i;
}

/* A page as it lies in the file, without the slots. */
struct head {
    uint64_t armed;
    uint32_t magic, version, size, rules_max, attached, slots_armed;
};
_Static_assert(offsetof(struct head, magic) == offsetof(struct fiu_page, magic) &&
                   offsetof(struct head, slots_armed) == offsetof(struct fiu_page, slots_armed),
               "the head of a page");

static int page_read(int page, size_t at, void *ret, size_t size, struct err *err)
{
    ssize_t n = pread(page, ret, size, (off_t)at);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the page of a service");
    if ((size_t)n != size)
        return make_error(err, ERR_FOREIGN, 0, "the page of a service was cut short");
    return 0;
}

/* Never beyond the end: a page that was cut short is not made longer again. */
static int page_write(int page, size_t at, const void *data, size_t size, struct err *err)
{
    struct stat st;
    if (fstat(page, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat the page of a service");
    if (st.st_size != FIU_PAGE_SIZE)
        return make_error(err, ERR_FOREIGN, 0, "the page of a service was cut short");
    ssize_t n = pwrite(page, data, size, (off_t)at);
    if (n < 0 || (size_t)n != size)
        return make_error(err, ERR_SYSTEM, n < 0 ? errno : EIO, "write the page of a service");
    return 0;
}

static size_t slot_at(unsigned slot)
{
    return offsetof(struct fiu_page, slots) + slot * sizeof(struct fiu_slot);
}

static size_t copy_at(unsigned slot, uint32_t sequence)
{
    return slot_at(slot) + offsetof(struct fiu_slot, words) +
           (sequence & 1) * sizeof(struct fiu_rule);
}

static int rule_read(int page, unsigned slot, struct fiu_rule *ret, uint32_t *ret_sequence,
                     struct err *err)
{
    if (page_read(page, slot_at(slot) + offsetof(struct fiu_slot, sequence), ret_sequence,
                  sizeof(*ret_sequence), err) != 0)
        return -1;
    return page_read(page, copy_at(slot, *ret_sequence), ret, sizeof(*ret), err);
}

/* The copy that does not hold first, then the count that makes it hold. */
static int rule_write(int page, unsigned slot, const struct fiu_rule *rule, struct err *err)
{
    uint32_t sequence = 0;
    if (page_read(page, slot_at(slot) + offsetof(struct fiu_slot, sequence), &sequence,
                  sizeof(sequence), err) != 0)
        return -1;
    sequence++;
    if (page_write(page, copy_at(slot, sequence), rule, sizeof(*rule), err) != 0)
        return -1;
    return page_write(page, slot_at(slot) + offsetof(struct fiu_slot, sequence), &sequence,
                      sizeof(sequence), err);
}

/* The union of all rules, as the first line of the page. A call that finds only one of the two
 * masks changed does nothing. */
static int mask_write(int page, struct err *err)
{
    uint64_t mask = 0;
    uint32_t slots = 0;
    for (unsigned i = 0; i < FIU_RULES_MAX; i++) {
        struct fiu_rule rule;
        uint32_t sequence;
        if (rule_read(page, i, &rule, &sequence, err) != 0)
            return -1;
        mask |= rule.points;
        slots |= rule.points != 0 ? UINT32_C(1) << i : 0;
    }
    if (page_write(page, offsetof(struct fiu_page, slots_armed), &slots, sizeof(slots), err) != 0)
        return -1;
    return page_write(page, offsetof(struct fiu_page, armed), &mask, sizeof(mask), err);
}

static int page_check(int page, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(page, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size != FIU_PAGE_SIZE)
        return make_error(err, ERR_FOREIGN, 0, "%s is not a page of Blackstart's preload library",
                          path);
    struct head head;
    if (page_read(page, 0, &head, sizeof(head), err) != 0)
        return wrap_error(err, "%s", path);
    if (head.magic != FIU_PAGE_MAGIC || head.size != FIU_PAGE_SIZE ||
        head.rules_max != FIU_RULES_MAX)
        return make_error(err, ERR_FOREIGN, 0, "%s is not a page of Blackstart's preload library",
                          path);
    if (head.version != FIU_PAGE_VERSION)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s has version %u and this agent knows version %d: start the service "
                          "again with this release's library",
                          path, head.version, FIU_PAGE_VERSION);
    return 0;
}

int victim_open(int root, const char *service, int *ret_fd, struct err *err)
{
    char path[320];
    int n = snprintf(path, sizeof(path), FIU_PAGE_DIR "/%s.page", service);
    if (n < 0 || (size_t)n >= sizeof(path))
        return make_error(err, ERR_INPUT, 0, "the name of the service is too long");
    struct open_how how = {.flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    CLEANUP_FD int page = (int)syscall(SYS_openat2, root, path + 1, &how, sizeof(how));
    if (page < 0 && errno == ENOENT)
        return make_error(
            err, ERR_NOT_FOUND, 0,
            "the service %s was not started with the preload library (there is no "
            "%s in the host): write `preload: true` in the service's part of the lab; "
            "of a unit, `blackstart-agent preload %s` says what it needs, or, where no library "
            "reaches it, `blackstart-agent trap %s`",
            service, path, service, service);
    if (page < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s in the host", path);
    if (page_check(page, path, err) != 0)
        return -1;
    *ret_fd = steal_fd(&page);
    return 0;
}

static int slot_find(int page, uint64_t owner, unsigned *ret_slot, struct fiu_rule *ret,
                     struct err *err)
{
    for (unsigned i = 0; i < FIU_RULES_MAX; i++) {
        uint32_t sequence;
        if (rule_read(page, i, ret, &sequence, err) != 0)
            return -1;
        if (ret->owner == owner) {
            *ret_slot = i;
            return 0;
        }
    }
    return make_error(err, ERR_NOT_FOUND, 0, "the rule is not in the service's page");
}

/* The owner's own slot, else one never used, else one whose rule is disarmed. */
static int slot_take(int page, uint64_t owner, unsigned *ret_slot, struct err *err)
{
    unsigned found = FIU_RULES_MAX;
    bool unused = false;
    for (unsigned i = 0; i < FIU_RULES_MAX; i++) {
        struct fiu_rule rule;
        uint32_t sequence;
        if (rule_read(page, i, &rule, &sequence, err) != 0)
            return -1;
        if (rule.owner == owner) {
            found = i;
            break;
        }
        if (rule.points == 0 && (found == FIU_RULES_MAX || (rule.owner == 0 && !unused))) {
            found = i;
            unused = rule.owner == 0;
        }
    }
    if (found == FIU_RULES_MAX)
        return make_error(err, ERR_LIMIT, 0,
                          "the service has %d faults of this kind on it already, which is the most",
                          FIU_RULES_MAX);
    *ret_slot = found;
    return 0;
}

int victim_arm(int page, const struct fiu_rule *rule, struct err *err)
{
    static const uint64_t zeroes[4];
    _Static_assert(offsetof(struct fiu_slot, added_ns) - offsetof(struct fiu_slot, calls) == 24,
                   "four counters in a row");
    unsigned slot = 0;
    if (slot_take(page, rule->owner, &slot, err) != 0)
        return -1;
    if (page_write(page, slot_at(slot) + offsetof(struct fiu_slot, calls), zeroes, sizeof(zeroes),
                   err) != 0 ||
        rule_write(page, slot, rule, err) != 0)
        return -1;
    return mask_write(page, err);
}

int victim_find(int page, uint64_t owner, struct fiu_rule *ret, struct err *err)
{
    unsigned slot = 0;
    return slot_find(page, owner, &slot, ret, err);
}

int victim_renew(int page, uint64_t owner, int64_t deadline, int64_t (*now)(void), struct err *err)
{
    unsigned slot = 0;
    struct fiu_rule rule;
    if (slot_find(page, owner, &slot, &rule, err) != 0)
        return -1;
    int64_t old = rule.deadline;
    if (rule.points == 0 || now() >= old)
        return make_error(err, ERR_LAPSED, 0, "the rule had ended in the service's processes");
    rule.deadline = deadline;
    if (rule_write(page, slot, &rule, err) != 0)
        return -1;
    if (now() < old)
        return 0;
    rule.deadline = old;
    if (rule_write(page, slot, &rule, err) != 0)
        return -1;
    return make_error(err, ERR_LAPSED, 0, "the rule ended while its lease was renewed");
}

int victim_disarm(int page, uint64_t owner, struct err *err)
{
    for (unsigned i = 0; i < FIU_RULES_MAX; i++) {
        struct fiu_rule rule;
        uint32_t sequence;
        if (rule_read(page, i, &rule, &sequence, err) != 0)
            return -1;
        if (rule.owner != owner || rule.points == 0)
            continue;
        rule = (struct fiu_rule){.owner = owner};
        if (rule_write(page, i, &rule, err) != 0 || rule_read(page, i, &rule, &sequence, err) != 0)
            return -1;
        if (rule.points != 0)
            return make_error(err, ERR_DIRTY, 0,
                              "the service's page does not keep what is written");
    }
    return mask_write(page, err);
}

/* The supervisor's lock is the kernel's word that it lives; what the page says of it is not. */
int victim_trapped(int page, uint64_t *ret_points, bool *ret_alive, struct err *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (page_read(page, offsetof(struct fiu_page, trapped), ret_points, sizeof(*ret_points), err) !=
        0)
        return -1;
    if (fcntl(page, F_OFD_GETLK, &lock) != 0)
        return make_error(err, ERR_SYSTEM, errno, "ask for the lock on the page of a service");
    *ret_alive = lock.l_type != F_UNLCK;
    return 0;
}

int victim_counts(int page, uint64_t owner, struct victim_counts *ret, struct err *err)
{
    unsigned slot = 0;
    struct fiu_rule rule;
    uint64_t counters[4], trapped;
    struct head head;
    bool answered;
    if (slot_find(page, owner, &slot, &rule, err) != 0 ||
        page_read(page, slot_at(slot) + offsetof(struct fiu_slot, calls), counters,
                  sizeof(counters), err) != 0 ||
        page_read(page, 0, &head, sizeof(head), err) != 0 ||
        victim_trapped(page, &trapped, &answered, err) != 0)
        return -1;
    *ret = (struct victim_counts){.answered = answered,
                                  .calls = counters[0],
                                  .seen = counters[1],
                                  .hits = counters[2],
                                  .added_ns = counters[3],
                                  .attached = head.attached};
    ret->sane = ret->hits <= ret->seen && ret->seen <= ret->calls;
    return 0;
}

int victim_is_armed(int page, const struct fiu_rule *rule, bool *ret, struct err *err)
{
    struct head head;
    struct fiu_rule found;
    unsigned slot = 0;
    if (page_read(page, 0, &head, sizeof(head), err) != 0 ||
        slot_find(page, rule->owner, &slot, &found, err) != 0)
        return -1;
    *ret = rule->points != 0 && (head.armed & rule->points) == rule->points &&
           (head.slots_armed & UINT32_C(1) << slot) != 0;
    return 0;
}
