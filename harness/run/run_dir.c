/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run_dir.h"

#include "journal/journal.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUNS RUN_DIR_RUNS

/* mkdir -p */
static int make_dirs(const char *path, struct err *err)
{
    char part[PATH_MAX];
    if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
        return make_error(err, ERR_INPUT, 0, "%.60s...: the path is too long", path);
    for (char *slash = part; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return make_error(err, ERR_SYSTEM, errno, "make the directory %s", part);
        if (slash != NULL)
            *slash = '/';
    }
    return 0;
}

static int make_default(const char *scenario, char ret[PATH_MAX], struct err *err)
{
    char stamp[32] = "", name[80];
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    (void)snprintf(name, sizeof(name), "%s-%.40s", stamp, scenario);
    if (make_dirs(RUNS, err) < 0)
        return wrap_error(err, "without --out the reports go below the working directory");
    /* Two runs may begin in the same second. */
    for (int n = 1; n < 100; n++) {
        if (n > 1)
            (void)snprintf(name, sizeof(name), "%s-%.40s-%d", stamp, scenario, n);
        (void)snprintf(ret, PATH_MAX, RUNS "/%s", name);
        if (mkdir(ret, 0755) == 0) {
            char temporary[48];
            (void)snprintf(temporary, sizeof(temporary), RUNS "/.latest.%ld", (long)getpid());
            if (symlink(name, temporary) == 0 && rename(temporary, RUNS "/latest") < 0)
                (void)unlink(temporary);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return make_error(err, ERR_SYSTEM, errno, "make the directory %s", ret);
}

int run_dir_make(const char *out, const char *scenario, char ret[PATH_MAX], struct err *err)
{
    if (out == NULL)
        return make_default(scenario, ret, err);
    if (out[0] == '\0')
        return make_error(err, ERR_USAGE, 0, "--out needs a directory's name");
    if (make_dirs(out, err) < 0)
        return -1;
    struct stat st;
    if (stat(out, &st) == 0 && !S_ISDIR(st.st_mode))
        return make_error(err, ERR_USAGE, 0, "--out %s is not a directory", out);
    if (access(out, W_OK) < 0)
        return make_error(err, ERR_SYSTEM, errno, "--out %s: cannot write there", out);
    char journal[PATH_MAX];
    (void)snprintf(ret, PATH_MAX, "%s", out);
    if ((size_t)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, out) < sizeof(journal) &&
        access(journal, F_OK) == 0)
        return make_error(err, ERR_USAGE, 0, "%s holds another run already; give --out a new place",
                          out);
    return 0;
}

static uid_t give_uid;
static gid_t give_gid;

static int give(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    /* What cannot be given stays as it is: the run is not worse for it. */
    int rc = lchown(path, give_uid, give_gid);
    (void)rc;
    return 0;
}

static bool read_id(const char *name, unsigned *ret)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || *text == '\0')
        return false;
    unsigned long n = strtoul(text, &end, 10);
    *ret = (unsigned)n;
    return *end == '\0' && n <= INT32_MAX;
}

static bool find_caller(void)
{
    return geteuid() == 0 && read_id("SUDO_UID", &give_uid) && read_id("SUDO_GID", &give_gid);
}

void run_dir_give(const char *path)
{
    if (find_caller())
        (void)give(path, NULL, 0, NULL);
}

void run_dir_give_back(const char *out, const char *dir)
{
    if (!find_caller())
        return;
    (void)nftw(dir, give, 16, FTW_PHYS);
    if (out == NULL) {
        (void)give(RUNS, NULL, 0, NULL);
        (void)give(RUNS "/latest", NULL, 0, NULL);
    }
}
