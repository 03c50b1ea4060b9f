/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/file_damage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* splitmix64: the same bits for the same seed, on every machine. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int read_at(int fd, void *to, size_t len, uint64_t at, size_t *ret_len, struct err *err)
{
    for (*ret_len = 0; *ret_len < len;) {
        ssize_t n = pread(fd, (char *)to + *ret_len, len - *ret_len, (off_t)(at + *ret_len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read");
        if (n == 0)
            return 0;
        *ret_len += (size_t)n;
    }
    return 0;
}

static int write_at(int fd, const void *from, size_t len, uint64_t at, struct err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const char *)from + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "write");
        done += (size_t)n;
    }
    return 0;
}

static int read_size(int fd, uint64_t *ret, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat");
    *ret = (uint64_t)st.st_size;
    return 0;
}

/* The byte's flip; a new one when it has none yet. */
static struct damage_flip *find_flip(struct damage *d, uint64_t at)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->was.flips[i].at == at)
            return &d->was.flips[i];
    d->was.flips[d->n] = (struct damage_flip){.at = at};
    return &d->was.flips[d->n++];
}

int damage_draw_flips(int fd, uint64_t from, uint64_t length, uint32_t bits, uint64_t seed,
                      struct damage *ret, struct err *err)
{
    size_t n;
    ret->how = DAMAGE_FLIP;
    ret->n = 0;
    if (read_size(fd, &ret->end, err) != 0)
        return -1;
    if (from >= ret->end)
        return make_error(err, ERR_INPUT, 0, "the file has %llu bytes: nothing lies behind `from`",
                          (unsigned long long)ret->end);
    uint64_t end = length == 0 || length > ret->end - from ? ret->end : from + length;
    uint64_t all = (end - from) * 8;
    if (bits > all)
        bits = (uint32_t)all;
    for (uint32_t i = 0; i < bits;) {
        /* Of a range that is nearly used up, the next free bit. */
        uint64_t bit = draw(&seed) % all;
        for (struct damage_flip *f = find_flip(ret, from + bit / 8); (f->mask & 1U << bit % 8) != 0;
             f = find_flip(ret, from + bit / 8))
            bit = (bit + 1) % all;
        find_flip(ret, from + bit / 8)->mask |= (uint8_t)(1U << bit % 8);
        i++;
    }
    for (uint32_t i = 0; i < ret->n; i++)
        if (read_at(fd, &ret->was.flips[i].was, 1, ret->was.flips[i].at, &n, err) != 0)
            return -1;
    return 0;
}

int damage_read_tail(int fd, enum damage_how how, uint64_t size, struct damage *ret,
                     struct err *err)
{
    static const unsigned char zeros[DAMAGE_TAIL_MAX];
    size_t n;
    ret->how = (int32_t)how;
    if (read_size(fd, &ret->end, err) != 0)
        return -1;
    if (size > ret->end)
        size = ret->end;
    if (size == 0 || size > DAMAGE_TAIL_MAX)
        return make_error(err, ERR_INPUT, 0, "the file is empty: it has no tail");
    ret->n = (uint32_t)size;
    if (read_at(fd, ret->was.tail, size, ret->end - size, &n, err) != 0)
        return -1;
    if (n != size)
        return make_error(err, ERR_FOREIGN, 0, "others shorten the file just now");
    if (how == DAMAGE_ZERO && memcmp(ret->was.tail, zeros, size) == 0)
        return make_error(err, ERR_INPUT, 0, "the file's last %u bytes are zero already", ret->n);
    return 0;
}

int damage_do(int fd, const struct damage *d, struct err *err)
{
    static const unsigned char zeros[DAMAGE_TAIL_MAX];
    if (d->how == DAMAGE_CUT && ftruncate(fd, (off_t)(d->end - d->n)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "cut the tail");
    if (d->how == DAMAGE_ZERO)
        return write_at(fd, zeros, d->n, d->end - d->n, err);
    for (uint32_t i = 0; d->how == DAMAGE_FLIP && i < d->n; i++) {
        const struct damage_flip *f = &d->was.flips[i];
        const uint8_t is = f->was ^ f->mask;
        if (write_at(fd, &is, 1, f->at, err) != 0)
            return -1;
    }
    return 0;
}

static void count_one(struct damage_count *c, uint8_t is, uint8_t was, uint8_t ours)
{
    c->ours += is == ours && ours != was;
    c->original += is == was;
    c->other += is != was && is != ours;
}

static int count_flips(int fd, const struct damage *d, struct damage_count *ret, struct err *err)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct damage_flip *f = &d->was.flips[i];
        uint8_t is = 0;
        size_t n;
        if (read_at(fd, &is, 1, f->at, &n, err) != 0)
            return -1;
        if (n == 1)
            count_one(ret, is, f->was, f->was ^ f->mask);
        else
            ret->other++; /* others cut the file shorter */
    }
    return 0;
}

int damage_count(int fd, const struct damage *d, struct damage_count *ret, struct err *err)
{
    unsigned char now[DAMAGE_TAIL_MAX];
    size_t n;
    uint64_t size = 0;
    *ret = (struct damage_count){0};
    if (d->how == DAMAGE_FLIP)
        return count_flips(fd, d, ret, err);
    if (read_size(fd, &size, err) != 0 || read_at(fd, now, d->n, d->end - d->n, &n, err) != 0)
        return -1;
    for (uint32_t i = 0; i < n; i++)
        count_one(ret, now[i], d->was.tail[i], d->how == DAMAGE_ZERO ? 0 : d->was.tail[i]);
    if (n < d->n && (d->how == DAMAGE_ZERO || size < d->end - d->n))
        ret->other += d->n - (uint32_t)n;
    else
        ret->ours += d->n - (uint32_t)n;
    return 0;
}

static int undo_flips(int fd, const struct damage *d, struct err *err)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct damage_flip *f = &d->was.flips[i];
        uint8_t is = 0;
        size_t n;
        if (read_at(fd, &is, 1, f->at, &n, err) != 0)
            return -1;
        if (n == 1 && is == (f->was ^ f->mask) && write_at(fd, &f->was, 1, f->at, err) != 0)
            return -1;
    }
    return 0;
}

int damage_undo(int fd, const struct damage *d, struct err *err)
{
    unsigned char now[DAMAGE_TAIL_MAX];
    size_t n;
    struct damage_count count;
    if (d->how == DAMAGE_FLIP)
        return undo_flips(fd, d, err);
    if (damage_count(fd, d, &count, err) != 0 ||
        read_at(fd, now, d->n, d->end - d->n, &n, err) != 0)
        return -1;
    if (count.ours == 0 || (d->how == DAMAGE_CUT && count.other > 0))
        return 0; /* what others appended stands where the tail was */
    for (uint32_t i = 0; i < n; i++)
        if (now[i] == 0)
            now[i] = d->was.tail[i];
    if (d->how == DAMAGE_CUT)
        memcpy(now + n, d->was.tail + n, d->n - n);
    return write_at(fd, now, d->how == DAMAGE_CUT ? d->n : n, d->end - d->n, err);
}

bool damage_is_sound(const struct damage *d)
{
    if (d->how == DAMAGE_FLIP)
        return d->n <= DAMAGE_BITS_MAX;
    return (d->how == DAMAGE_CUT || d->how == DAMAGE_ZERO) && d->n <= DAMAGE_TAIL_MAX &&
           d->n <= d->end;
}
