/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostroot.h"

#include "base/cleanup.h"
#include "lab/tree.h"
#include "lab/userroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

enum {
    TEXT_MAX = 64 * 1024,
    OPTIONS_MAX = 3 * PATH_MAX,
    BYTES_PER_INODE = 16384,
    INODES_MIN = 1024
};

int context_host_path(const struct lab_context *lab, size_t host, const char *leaf, char *out,
                      size_t size, struct err *err)
{
    int n =
        snprintf(out, size, "%s/hosts/%s/%s", lab->state_dir, lab->hosts[host].spec->name, leaf);
    if (n < 0 || (size_t)n >= size)
        return make_error(err, ERR_LIMIT, 0, "the path of the lab's state is too long");
    return 0;
}

static void hosts_file(const struct lab_context *lab, struct buf *out)
{
    buf_puts(out, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for (size_t i = 0; i < lab->n_hosts; i++)
        buf_printf(out, "%s %s\n", lab->hosts[i].ip, lab->hosts[i].spec->name);
    for (size_t i = 0; lab->ipv6 && i < lab->n_hosts; i++)
        buf_printf(out, "%s %s\n", lab->hosts[i].ip6, lab->hosts[i].spec->name);
}

static int put_file(const struct lab_context *lab, size_t host, const char *leaf, const char *text,
                    size_t len, struct err *err)
{
    char path[PATH_MAX];
    if (context_host_path(lab, host, leaf, path, sizeof(path), err) != 0)
        return -1;
    return tree_write(path, text, len, 0644, err);
}

/* Written into the upper directory itself: through the overlay each would cost a copy-up. */
int hostroot_make_dirs(const struct lab_context *lab, size_t host, struct err *err)
{
    static const char *const dirs[] = {"upper/etc", "work", "root", "logs"};
    const char *name = lab->hosts[host].spec->name;
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        if (context_host_path(lab, host, dirs[i], path, sizeof(path), err) != 0 ||
            tree_make(path, false, err) != 0)
            return -1;
    struct buf hosts CLEANUP(buf_free) = BUF_INIT(TEXT_MAX);
    hosts_file(lab, &hosts);
    char line[80];
    int len = snprintf(line, sizeof(line), "%s\n", name);
    static const char resolv[] = "# A lab has no name server: names are in /etc/hosts.\n";
    static const char nsswitch[] = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
                                   "networks: files\nprotocols: files\nservices: files\n"
                                   "ethers: files\nrpc: files\n";
    const struct users *u = &lab->users;
    if (!buf_ok(&hosts))
        return make_error(err, ERR_LIMIT, 0, "too many hosts for one /etc/hosts");
    if (put_file(lab, host, "upper/etc/hosts", buf_text(&hosts), hosts.len, err) != 0 ||
        put_file(lab, host, "upper/etc/hostname", line, (size_t)len, err) != 0 ||
        put_file(lab, host, "upper/etc/resolv.conf", resolv, sizeof(resolv) - 1, err) != 0 ||
        put_file(lab, host, "upper/etc/nsswitch.conf", nsswitch, sizeof(nsswitch) - 1, err) != 0 ||
        put_file(lab, host, "upper/etc/passwd", buf_text(&u->passwd), u->passwd.len, err) != 0 ||
        put_file(lab, host, "upper/etc/group", buf_text(&u->group), u->group.len, err) != 0)
        return wrap_error(err, "host %s", name);
    return 0;
}

static int mount_at(const char *type, const char *at, unsigned long flags, const char *options,
                    struct err *err)
{
    if (mount(type, at, type, flags, options) != 0)
        return make_error(err, ERR_SYSTEM, errno, "mount %s at %s", type, at);
    return 0;
}

/* Two overlays on each other are all that the kernel allows, and a host's root is the second where
 * the machine's (a container's) is one. */
static bool is_on_overlay(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* Where there is no room for an overlay between, a copy in memory serves. */
static int copy_layer(const char *layer, const char *at, struct err *err)
{
    static const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    char inner[PATH_MAX + 8];
    CLEANUP_FD int fd = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the package layer %s", layer);
    if (mount_at("tmpfs", at, MS_NOSUID | MS_NODEV, "mode=755", err) != 0)
        return -1;
    (void)snprintf(inner, sizeof(inner), "%s/root", at);
    return tree_copy(fd, inner, &how, err);
}

int hostroot_mount_layer(struct lab_context *lab, struct err *err)
{
    char at[PATH_MAX], empty[PATH_MAX], options[OPTIONS_MAX];
    if (lab->layer[0] == '\0')
        return 0;
    (void)snprintf(at, sizeof(at), "%s/layer", lab->state_dir);
    (void)snprintf(empty, sizeof(empty), "%s/empty", lab->state_dir);
    if (tree_make(at, false, err) != 0 || tree_make(empty, false, err) != 0)
        return -1;
    (void)snprintf(options, sizeof(options), "lowerdir=%s:%s%s", lab->layer, empty,
                   lab->rootless ? ",userxattr" : "");
    if (!is_on_overlay(lab->layer) && mount("overlay", at, "overlay", MS_RDONLY, options) == 0) {
        (void)snprintf(lab->layer, sizeof(lab->layer), "%s", at);
        return 0;
    }
    if (copy_layer(lab->layer, at, err) != 0)
        return -1;
    (void)snprintf(lab->layer, sizeof(lab->layer), "%s/layer/root", lab->state_dir);
    return 0;
}

void hostroot_unmount_layer(const struct lab_context *lab)
{
    char at[PATH_MAX];
    (void)snprintf(at, sizeof(at), "%s/layer", lab->state_dir);
    (void)umount2(at, MNT_DETACH);
}

/* redirect_dir: without it a rename of a directory of the lower tree gives EXDEV, and a deletion
 * could not be taken back. */
static int mount_overlay(const struct lab_context *lab, size_t host, const char *root,
                         struct err *err)
{
    char upper[PATH_MAX], work[PATH_MAX], options[OPTIONS_MAX];
    if (context_host_path(lab, host, "upper", upper, sizeof(upper), err) != 0 ||
        context_host_path(lab, host, "work", work, sizeof(work), err) != 0)
        return -1;
    int n =
        snprintf(options, sizeof(options), "lowerdir=%s%s/,upperdir=%s,workdir=%s,redirect_dir=on",
                 lab->layer, lab->layer[0] != '\0' ? ":" : "", upper, work);
    if (n < 0 || (size_t)n >= sizeof(options))
        return make_error(err, ERR_LIMIT, 0, "the paths of the lab's state are too long");
    if (is_on_overlay(upper))
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s is on an overlay, which cannot hold what hosts write: mount a volume "
                          "or a tmpfs there",
                          lab->state_dir);
    return mount_at("overlay", root, 0, options, err);
}

struct fresh_mount {
    const char *type, *at;
    unsigned long flags;
    const char *options;
};

/* Relative to the new root. The machine's cgroups and kernel objects can be seen in /sys, not
 * changed. */
static const struct fresh_mount fresh[] = {
    {"proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL},
    {"tmpfs", "dev", MS_NOSUID, "mode=755,size=64k"},
    {"tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755"},
    {"tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
};

static const struct {
    const char *name;
    unsigned major, minor;
} devices[] = {
    {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
    {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static int make_device(size_t i, struct err *err)
{
    dev_t number = makedev(devices[i].major, devices[i].minor);
    const char *name = devices[i].name;
    if (mknod(name, S_IFCHR | 0666, number) == 0 && chmod(name, 0666) == 0)
        return 0;
    /* A user namespace may not make device nodes: borrow the machine's. */
    char from[32];
    (void)snprintf(from, sizeof(from), "/%s", name);
    (void)unlink(name);
    CLEANUP_FD int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || mount(from, name, NULL, MS_BIND, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make /%s", name);
    return 0;
}

static int fill_dev(struct err *err)
{
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (make_device(i, err) != 0)
            return -1;
    static const char *const links[][2] = {
        {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
        {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
        {"pts/ptmx", "dev/ptmx"},
    };
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i][0], links[i][1]) != 0)
            return make_error(err, ERR_SYSTEM, errno, "make /%s", links[i][1]);
    if (mkdir("dev/pts", 0755) != 0 || mkdir("dev/shm", 01777) != 0)
        return make_error(err, ERR_SYSTEM, errno, "fill /dev");
    if (mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620",
                 err) != 0)
        return -1;
    return mount_at("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777", err);
}

/* The machine's kernel settings are not the host's to change, but those of its own network are. */
static int guard_proc(struct err *err)
{
    const unsigned long bind = MS_BIND | MS_REC;
    if (mount("proc/sys", "proc/sys", NULL, bind, NULL) != 0 ||
        mount("proc/sys/net", "proc/sys/net", NULL, bind, NULL) != 0 ||
        mount(NULL, "proc/sys", NULL,
              MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make /proc/sys read-only");
    if (mount("proc/sysrq-trigger", "proc/sysrq-trigger", NULL, MS_BIND, NULL) == 0 &&
        mount(NULL, "proc/sysrq-trigger", NULL,
              MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make /proc/sysrq-trigger read-only");
    return 0;
}

static int mount_disk(const struct lab_host_spec *spec, struct err *err)
{
    if (spec->disk.n == 0)
        return 0;
    const char *path = spec->disk_path != NULL ? spec->disk_path : "/data";
    char options[96];
    /* As many inodes as a file system on a real disk of that size has, so that they can run out. */
    unsigned long long size = spec->disk.n, inodes = size / BYTES_PER_INODE;
    (void)snprintf(options, sizeof(options), "mode=755,size=%llu,nr_inodes=%llu", size,
                   inodes > INODES_MIN ? inodes : INODES_MIN);
    if (tree_make(path, false, err) != 0)
        return -1;
    return mount_at("tmpfs", path, MS_NOSUID | MS_NODEV, options, err);
}

/* A root that is itself no mount point (a chroot) refuses pivot_root; moving the new root over it
 * serves there. */
static int change_root(struct err *err)
{
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        if (umount2(".", MNT_DETACH) != 0)
            return make_error(err, ERR_SYSTEM, errno, "leave the machine's root");
    } else if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0) {
        return make_error(err, ERR_SYSTEM, errno, "enter the host's root");
    }
    if (chdir("/") != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter the host's root");
    return 0;
}

static int mount_fresh(struct err *err)
{
    for (size_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++) {
        if (mkdir(fresh[i].at, 0755) != 0 && errno != EEXIST)
            return make_error(err, ERR_SYSTEM, errno, "make /%s", fresh[i].at);
        if (mount_at(fresh[i].type, fresh[i].at, fresh[i].flags, fresh[i].options, err) != 0)
            return -1;
    }
    return 0;
}

int hostroot_enter(const struct lab_context *lab, size_t host, struct err *err)
{
    char root[PATH_MAX];
    if (context_host_path(lab, host, "root", root, sizeof(root), err) != 0 ||
        (lab->rootless ? userroot_mount(lab, host, root, err)
                       : mount_overlay(lab, host, root, err)) != 0)
        return -1;
    if (chdir(root) != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter %s", root);
    if (mount_fresh(err) != 0 || fill_dev(err) != 0 || guard_proc(err) != 0 ||
        change_root(err) != 0)
        return -1;
    if (mkdir("/run/lock", 01777) != 0 || chmod("/run/lock", 01777) != 0 ||
        mkdir("/run/blackstart", 0755) != 0)
        return make_error(err, ERR_SYSTEM, errno, "fill /run");
    return mount_disk(lab->hosts[host].spec, err);
}
