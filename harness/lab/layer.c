/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/layer.h"
#include "lab/place.h"

#include "base/cleanup.h"
#include "lab/lab_internal.h"
#include "lab/layertool.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum {
    PACKAGES_MAX = 256,
    OUTPUT_MAX = 4 * 1024 * 1024,
    WORDS_MAX = PACKAGES_MAX + 24,
    SAID_MAX = 400
};

#define DPKG_STATUS "/var/lib/dpkg/status"

struct layer {
    const struct lab *lab;
    const struct lab_spec *spec;
    char cache[PATH_MAX - 400]; /* room for names beneath it */
    struct layer_package list[PACKAGES_MAX];
    size_t n;
    bool own_lists; /* the machine's package lists know nothing of it: ours, in the cache */
};

int layer_cache_dir(char *out, size_t size, struct err *err)
{
    static const struct place place = {.what = "packages for labs",
                                       .root = "/var/cache/blackstart",
                                       .xdg = "XDG_CACHE_HOME",
                                       .beneath_xdg = "blackstart",
                                       .beneath_home = ".cache/blackstart"};
    return place_find(&place, out, size, err);
}

int layer_parse_plan(const char *plan, struct layer_package *list, size_t max, size_t *ret_n,
                     struct err *err)
{
    size_t n = 0;
    for (const char *at = plan; *at != '\0';) {
        const size_t len = strcspn(at, "\n");
        char name[96], version[96];
        /* "Inst NAME [OLD] (VERSION ...": an upgrade names the old version too */
        if (sscanf(at, "Inst %95[^ \n] (%95[^ )\n]", name, version) == 2 ||
            sscanf(at, "Inst %95[^ \n] [%*[^]\n]] (%95[^ )\n]", name, version) == 2) {
            if (n == max)
                return make_error(err, ERR_LIMIT, 0, "a layer holds at most %zu packages", max);
            (void)snprintf(list[n++].text, sizeof(list[0].text), "%s=%s", name, version);
        }
        at += len + (at[len] == '\n');
    }
    *ret_n = n;
    return 0;
}

/* FNV-1a: names in a cache of our own, not a defence. */
static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (h ^ '\n') * UINT64_C(1099511628211);
}

/* What was asked for, and what was on the machine then: the layer found for it is remembered under
 * this name, so that a warm start runs no tool. */
static void request_name(const struct layer *l, char *out, size_t size)
{
    struct stat st = {0};
    char status[64];
    (void)stat(DPKG_STATUS, &st);
    (void)snprintf(status, sizeof(status), "%lld.%09ld %lld", (long long)st.st_mtim.tv_sec,
                   st.st_mtim.tv_nsec, (long long)st.st_size);
    uint64_t h = hash_text(UINT64_C(14695981039346656037), status);
    for (size_t i = 0; i < l->spec->n_packages; i++)
        h = hash_text(h, l->spec->packages[i]);
    (void)snprintf(out, size, "%s/asked/%016llx", l->cache, (unsigned long long)h);
}

static void layer_name(const struct layer *l, char *out, size_t size)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < l->n; i++)
        h = hash_text(h, l->list[i].text);
    (void)snprintf(out, size, "%s/layers/%.64s-%016llx", l->cache, l->spec->packages[0],
                   (unsigned long long)h);
}

/* apt-get with our own places for everything that it writes. */
static size_t apt_words(const struct layer *l, char options[4][PATH_MAX], const char **words)
{
    size_t n = 0;
    words[n++] = "apt-get";
    words[n++] = "-q";
    words[n++] = "-o";
    words[n++] = "APT::Sandbox::User=";
    words[n++] = "-o";
    (void)snprintf(options[0], PATH_MAX, "Dir::Cache=%s/apt", l->cache);
    words[n++] = options[0];
    words[n++] = "-o";
    words[n++] = "Debug::NoLocking=1";
    if (l->own_lists) {
        (void)snprintf(options[1], PATH_MAX, "Dir::State::lists=%s/apt/lists", l->cache);
        words[n++] = "-o";
        words[n++] = options[1];
    }
    return n;
}

static int simulate(struct layer *l, struct err *err)
{
    char options[4][PATH_MAX];
    const char *words[WORDS_MAX];
    size_t n = apt_words(l, options, words);
    words[n++] = "--simulate";
    words[n++] = "--no-install-recommends";
    words[n++] = "install";
    for (size_t i = 0; i < l->spec->n_packages; i++)
        words[n++] = l->spec->packages[i];
    words[n] = NULL;
    struct buf out CLEANUP(buf_free) = BUF_INIT(OUTPUT_MAX);
    if (layertool_run("/", words, &out, err) != 0)
        return -1;
    return layer_parse_plan(buf_text(&out), l->list, PACKAGES_MAX, &l->n, err);
}

static int fetch_lists(struct layer *l, struct err *err)
{
    char path[PATH_MAX], options[4][PATH_MAX];
    const char *words[WORDS_MAX];
    (void)snprintf(path, sizeof(path), "%s/apt/lists/partial", l->cache);
    if (tree_make(path, false, err) != 0)
        return -1;
    lab_say(l->lab, "fetching package lists (into the cache, not the machine's)");
    l->own_lists = true;
    size_t n = apt_words(l, options, words);
    words[n++] = "update";
    words[n] = NULL;
    struct buf out CLEANUP(buf_free) = BUF_INIT(OUTPUT_MAX);
    return layertool_run("/", words, &out, err);
}

/* A fresh machine has no package lists, or old ones: with our own it is tried once more. */
static int resolve(struct layer *l, struct err *err)
{
    struct err first;
    if (simulate(l, &first) == 0)
        return 0;
    if (fetch_lists(l, err) != 0)
        return wrap_error(err,
                          "%s; package lists could not be fetched either. Is there a network? "
                          "Or put the program into the lab from a path (files: from)",
                          first.msg);
    if (simulate(l, err) != 0)
        return wrap_error(err, "no such packages; look at `packages:` and at the sources of apt");
    return 0;
}

static int download_once(const struct layer *l, const char *dir, struct err *err)
{
    char options[4][PATH_MAX];
    const char *words[WORDS_MAX];
    size_t n = apt_words(l, options, words);
    words[n++] = "download";
    for (size_t i = 0; i < l->n; i++)
        words[n++] = l->list[i].text;
    words[n] = NULL;
    struct buf out CLEANUP(buf_free) = BUF_INIT(OUTPUT_MAX);
    lab_say(l->lab, "downloading %zu package%s", l->n, l->n == 1 ? "" : "s");
    return layertool_run(dir, words, &out, err);
}

/* Lists older than the archive name files that are gone from it: once more with fresh ones. */
static int download(struct layer *l, const char *dir, struct err *err)
{
    struct err ignored;
    if (download_once(l, dir, err) == 0)
        return 0;
    if (!l->own_lists && fetch_lists(l, &ignored) == 0 && simulate(l, &ignored) == 0 &&
        download_once(l, dir, err) == 0)
        return 0;
    return wrap_error(err, "packages could not be fetched (is there a network?)");
}

/* Debian's packages still name /bin, /lib and so on, which are links into /usr on the machine: in
 * the layer they must be links as well, or the layer's /lib would hide the machine's. */
static int make_merged_links(const char *root, struct err *err)
{
    static const char *const names[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char machine[16], target[32], path[PATH_MAX];
        (void)snprintf(machine, sizeof(machine), "/%s", names[i]);
        ssize_t n = readlink(machine, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (place_path(path, err, "%s/usr/%s", root, names[i]) != 0 ||
            tree_make(path, false, err) != 0 || place_path(path, err, "%s/%s", root, names[i]) != 0)
            return -1;
        if (symlink(target, path) != 0)
            return make_error(err, ERR_SYSTEM, errno, "make %s", path);
    }
    return 0;
}

static int unpack_one(const char *dir, const char *deb, const char *root, struct err *err)
{
    char tar[PATH_MAX], file[PATH_MAX];
    if (place_path(file, err, "%s/%s", dir, deb) != 0 ||
        place_path(tar, err, "%s/data.tar", dir) != 0)
        return -1;
    struct buf out CLEANUP(buf_free) = BUF_INIT(OUTPUT_MAX);
    /* Not dpkg -x: it replaces our links by directories. */
    const char *const take[] = {"sh", "-c", "dpkg-deb --fsys-tarfile \"$1\" >\"$2\"", "sh", file,
                                tar,  NULL};
    const char *const put[] = {
        "tar", "-C", root, "-x", "-p", "--no-same-owner", "--keep-directory-symlink",
        "-f",  tar,  NULL};
    if (layertool_run(dir, take, &out, err) != 0 || layertool_run(dir, put, &out, err) != 0)
        return wrap_error(err, "unpack %s", deb);
    (void)unlink(tar);
    return 0;
}

static int unpack_all(const struct layer *l, const char *dir, const char *root, struct err *err)
{
    CLEANUP_DIR DIR *d = opendir(dir);
    if (d == NULL)
        return make_error(err, ERR_SYSTEM, errno, "open %s", dir);
    size_t done = 0;
    const struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 4, ".deb") != 0)
            continue;
        lab_say(l->lab, "unpacking %s", e->d_name);
        if (unpack_one(dir, e->d_name, root, err) != 0)
            return -1;
        done++;
    }
    if (done < l->n)
        return make_error(err, ERR_SYSTEM, 0, "of %zu packages %zu were there to unpack", l->n,
                          done);
    return 0;
}

static int build(struct layer *l, const char *path, struct err *err)
{
    char dir[PATH_MAX], root[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s/building", l->cache);
    (void)snprintf(root, sizeof(root), "%s/building/root", l->cache);
    if (tree_remove(dir, err) != 0 || tree_make(root, false, err) != 0)
        return -1;
    if (l->n != 0 && (make_merged_links(root, err) != 0 || download(l, dir, err) != 0 ||
                      unpack_all(l, dir, root, err) != 0))
        return -1;
    if (rename(root, path) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        return make_error(err, ERR_SYSTEM, errno, "put the layer in its place");
    return tree_remove(dir, err);
}

static int lock_cache(struct layer *l, int *ret, struct err *err)
{
    char path[PATH_MAX];
    static const char *const dirs[] = {"layers", "asked", "apt/archives/partial"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", l->cache, dirs[i]);
        if (tree_make(path, false, err) != 0)
            return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/lock", l->cache);
    CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        lab_say(l->lab, "waiting for another run that builds the package layer");
        while (flock(fd, LOCK_EX) != 0)
            if (errno != EINTR)
                return make_error(err, ERR_SYSTEM, errno, "lock %s", path);
    }
    *ret = steal_fd(&fd);
    return 0;
}

static bool find_asked(const char *asked, char *out, size_t size)
{
    ssize_t n = readlink(asked, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 && access(out, X_OK) == 0;
}

static const char kept[] = "as unpacked before in";

/* Where the services come from, and that this machine stays as it is: before anything is fetched,
 * or where all is there already. */
static void say_packages(const struct layer *l, const char *what, const char *where)
{
    CLEANUP_BUF struct buf names = BUF_INIT(SAID_MAX);
    for (size_t i = 0; i < l->spec->n_packages; i++)
        buf_printf(&names, "%s%s", i != 0 ? ", " : "", l->spec->packages[i]);
    lab_say(l->lab, "packages for the lab: %s; %s %s, nothing is installed",
            buf_ok(&names) ? buf_text(&names) : "a long list", what, where);
}

static int make_layer(struct layer *l, const char *asked, char *out, size_t size, struct err *err)
{
    CLEANUP_FD int lock = -1;
    if (lock_cache(l, &lock, err) != 0)
        return -1;
    if (find_asked(asked, out, size)) {
        say_packages(l, kept, out);
        return 0;
    }
    say_packages(l, "unpacked into", l->cache);
    if (resolve(l, err) != 0)
        return -1;
    char name[PATH_MAX];
    layer_name(l, name, sizeof(name));
    if (access(name, X_OK) != 0 && build(l, name, err) != 0) {
        struct err ignored;
        char dir[PATH_MAX];
        (void)snprintf(dir, sizeof(dir), "%s/building", l->cache);
        (void)!tree_remove(dir, &ignored);
        return -1;
    }
    (void)unlink(asked);
    if (symlink(name, asked) != 0)
        return make_error(err, ERR_SYSTEM, errno, "remember the layer");
    (void)snprintf(out, size, "%s", name);
    return 0;
}

int layer_open(const struct lab_spec *spec, const char *cache_dir, const struct lab *lab, char *out,
               size_t size, struct err *err)
{
    out[0] = '\0';
    if (spec->n_packages == 0)
        return 0;
    if (spec->n_packages > PACKAGES_MAX)
        return make_error(err, ERR_LIMIT, 0, "a lab names at most %d packages", PACKAGES_MAX);
    struct layer *l = calloc(1, sizeof(*l));
    CLEANUP_FREE void *held = l;
    if (l == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for the package layer");
    l->lab = lab;
    l->spec = spec;
    if (cache_dir != NULL)
        (void)snprintf(l->cache, sizeof(l->cache), "%s", cache_dir);
    else if (layer_cache_dir(l->cache, sizeof(l->cache), err) != 0)
        return -1;
    char asked[PATH_MAX];
    request_name(l, asked, sizeof(asked));
    if (find_asked(asked, out, size)) {
        say_packages(l, kept, out);
        return 0;
    }
    if (make_layer(l, asked, out, size, err) != 0)
        return wrap_error(err, "packages for the lab");
    return 0;
}
