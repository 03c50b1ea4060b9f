/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/journal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct journal {
    const struct clock *clock;
    int dir, fd;
    size_t written;
    bool broken;
    /* the sample file being written */
    int samples_fd;
    char samples_name[32];
    uint32_t samples_trial, n_files;
    uint64_t samples_count, samples_total;
    EVP_MD_CTX *hash;
};

/* Behind it, the records; host byte order, which the mark tells. */
struct samples_head {
    char magic[8];
    uint32_t record, order;
};

static int write_all(int fd, const void *data, size_t len, struct err *err)
{
    const char *p = data;
    while (len != 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "write to the journal");
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The kernel keeps it for as long as this process lives, and for none of its children. Where a file
 * system has no locks, a run that goes on looks like one that died. */
static void mark_open(int fd)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc = fcntl(fd, F_SETLK, &lock);
    (void)rc;
}

bool journal_is_open(const char *dir)
{
    char path[PATH_MAX];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    (void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, dir);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int journal_create(const char *dir, const struct clock *clock, struct journal **ret,
                   struct err *err)
{
    CLEANUP_JOURNAL struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    j->clock = clock;
    j->fd = j->samples_fd = -1;
    j->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", dir);
    j->fd = openat(j->dir, JOURNAL_FILE, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (j->fd < 0 && errno == EEXIST)
        return make_error(err, ERR_INPUT, 0, "%s holds a run already; choose another directory",
                          dir);
    if (j->fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create %s/%s", dir, JOURNAL_FILE);
    mark_open(j->fd);
    j->hash = EVP_MD_CTX_new();
    if (j->hash == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    *ret = steal_ptr(&j);
    return 0;
}

static int append_line(struct journal *j, const json_t *line, struct err *err)
{
    CLEANUP_FREE char *text = json_dumps(line, JSON_COMPACT);
    if (text == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal line");
    size_t len = strlen(text);
    if (len >= JOURNAL_LINE_MAX || len >= JOURNAL_MAX - j->written)
        return make_error(err, ERR_LIMIT, 0, "the journal would pass its maximum");
    text[len] = '\n'; /* in the place of the NUL: one write for the whole line */
    if (write_all(j->fd, text, len + 1, err) != 0) {
        j->broken = true;
        return -1;
    }
    j->written += len + 1;
    return 0;
}

int journal_append_at(struct journal *j, int64_t t_ns, const char *ev, json_t *members,
                      struct err *err)
{
    json_t *line = json_pack("{s:I, s:s}", "t", (json_int_t)t_ns, "ev", ev);
    int r = -1;
    if (members == NULL)
        (void)make_error(err, ERR_INPUT, 0, "the members of %s cannot be written as JSON", ev);
    else if (line == NULL || json_object_update_missing(line, members) != 0)
        (void)make_error(err, ERR_SYSTEM, ENOMEM, "journal line");
    else if (j->broken)
        (void)make_error(err, ERR_SYSTEM, 0, "an earlier write to the journal failed");
    else
        r = append_line(j, line, err);
    json_decref(line);
    json_decref(members);
    return r;
}

int journal_append(struct journal *j, const char *ev, json_t *members, struct err *err)
{
    return journal_append_at(j, clock_now(j->clock), ev, members, err);
}

static int samples_put(struct journal *j, const void *data, size_t len, struct err *err)
{
    if (EVP_DigestUpdate(j->hash, data, len) != 1)
        return make_error(err, ERR_SYSTEM, 0, "sha256 of %s failed", j->samples_name);
    if (write_all(j->samples_fd, data, len, err) != 0)
        return wrap_error(err, "%s", j->samples_name);
    return 0;
}

static int samples_begin(struct journal *j, uint32_t trial, struct err *err)
{
    (void)snprintf(j->samples_name, sizeof(j->samples_name), JOURNAL_SAMPLES_NAME, j->n_files);
    j->samples_fd =
        openat(j->dir, j->samples_name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (j->samples_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create %s", j->samples_name);
    j->n_files++;
    j->samples_trial = trial;
    j->samples_count = 0;
    if (EVP_DigestInit_ex(j->hash, EVP_sha256(), NULL) != 1)
        return make_error(err, ERR_SYSTEM, 0, "sha256 cannot be had");
    struct samples_head head = {
        .magic = "BSTSAMP1", .record = sizeof(struct sample), .order = 0x01020304};
    return samples_put(j, &head, sizeof(head), err);
}

int journal_samples_add(struct journal *j, uint32_t trial, const struct sample *samples, size_t n,
                        struct err *err)
{
    const size_t per_file = (JOURNAL_SAMPLE_FILE_MAX - 16) / sizeof(*samples);
    if (n > JOURNAL_SAMPLES_MAX - j->samples_total)
        return make_error(err, ERR_LIMIT, 0, "more than %d samples in one run",
                          JOURNAL_SAMPLES_MAX);
    if (j->samples_fd >= 0 && j->samples_trial != trial && journal_samples_end(j, err) != 0)
        return -1;
    while (n != 0) {
        if (j->samples_fd >= 0 && j->samples_count == per_file && journal_samples_end(j, err) != 0)
            return -1;
        if (j->samples_fd < 0 && samples_begin(j, trial, err) != 0)
            return -1;
        size_t room = per_file - j->samples_count, now = n < room ? n : room;
        if (samples_put(j, samples, now * sizeof(*samples), err) != 0)
            return -1;
        j->samples_count += now;
        j->samples_total += now;
        samples += now;
        n -= now;
    }
    return 0;
}

static void hex(const unsigned char *in, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[in[i] >> 4];
        *out++ = digits[in[i] & 15];
    }
    *out = '\0';
}

int journal_samples_end(struct journal *j, struct err *err)
{
    if (j->samples_fd < 0)
        return 0;
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1];
    if (EVP_DigestFinal_ex(j->hash, sum, &len) != 1)
        return make_error(err, ERR_SYSTEM, 0, "sha256 of %s failed", j->samples_name);
    hex(sum, len, text);
    if (fdatasync(j->samples_fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write %s to the disk", j->samples_name);
    int fd = steal_fd(&j->samples_fd);
    if (close(fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "close %s", j->samples_name);
    return journal_append(j, "samples",
                          json_pack("{s:s, s:s, s:I, s:I}", "file", j->samples_name, "sha256", text,
                                    "count", (json_int_t)j->samples_count, "trial",
                                    (json_int_t)j->samples_trial),
                          err);
}

int journal_sync(struct journal *j, struct err *err)
{
    if (fdatasync(j->fd) != 0 || (j->samples_fd >= 0 && fdatasync(j->samples_fd) != 0))
        return make_error(err, ERR_SYSTEM, errno, "write the journal to the disk");
    return 0;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    cleanup_fd_at(&j->samples_fd);
    cleanup_fd_at(&j->fd);
    cleanup_fd_at(&j->dir);
    EVP_MD_CTX_free(j->hash);
    free(j);
}

void journal_close_at(struct journal **j)
{
    journal_close(*j);
}
