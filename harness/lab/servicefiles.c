/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/servicefiles.h"

#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "lab/servicefaults.h"
#include "lab/subst.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int open_source(struct lab_context *lab, const struct lab_file_spec *file, struct err *err)
{
    if (lab->n_sources == LAB_FILES_MAX)
        return make_error(err, ERR_LIMIT, 0, "a lab copies at most %d files of the machine",
                          LAB_FILES_MAX);
    int fd = open(file->from, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_INPUT, errno, "open %s, which the lab is to copy to %s",
                          file->from, file->path);
    lab->sources[lab->n_sources++] = (struct context_source){.file = file, .fd = fd};
    return 0;
}

int servicefiles_open(struct lab_context *lab, struct err *err)
{
    lab->preload_fd = -1;
    for (size_t i = 0; i < lab->spec->n_services; i++) {
        const struct lab_service_spec *s = &lab->spec->services[i];
        for (size_t k = 0; k < s->n_files; k++)
            if (s->files[k].from != NULL && open_source(lab, &s->files[k], err) != 0)
                return wrap_error(err, "service %s", s->name);
        enum lab_faults faults = servicefaults_asked(s);
        if (faults == LAB_FAULTS_NONE || faults == LAB_FAULTS_SECCOMP || lab->preload_fd >= 0)
            continue;
        lab->preload_fd = open(lab->preload, O_RDONLY | O_CLOEXEC);
        if (lab->preload_fd < 0)
            return make_error(err, ERR_INPUT, errno,
                              "service %s asks for the preload library: open %s", s->name,
                              lab->preload);
    }
    return 0;
}

static int source_fd(const struct lab_context *lab, const struct lab_file_spec *file)
{
    for (size_t i = 0; i < lab->n_sources; i++)
        if (lab->sources[i].file == file)
            return lab->sources[i].fd;
    return -1;
}

static int own(const struct lab_context *lab, const char *path, const struct user *user,
               struct err *err)
{
    if (lab->rootless && !lab->id_range)
        return 0; /* there is one owner only */
    if (lchown(path, user->uid, user->gid) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give %s to user %s", path, user->name);
    return 0;
}

static int make_data(const struct lab_context *lab, size_t host, const char *text,
                     const struct user *user, struct err *err)
{
    CLEANUP_FREE char *path = NULL;
    if (subst_text(lab, host, text, &path, err) != 0 || tree_make(path, true, err) != 0)
        return -1;
    struct stat st;
    if (mkdir(path, 0750) != 0) {
        if (errno != EEXIST || stat(path, &st) != 0)
            return make_error(err, ERR_SYSTEM, errno, "make %s", path);
        if (!S_ISDIR(st.st_mode))
            return make_error(err, ERR_INPUT, 0, "%s is not a directory", path);
        if (chmod(path, 0750) != 0)
            return make_error(err, ERR_SYSTEM, errno, "set the mode of %s", path);
    }
    return own(lab, path, user, err);
}

/* Whole at once: another service may be reading what is there. */
static int make_content(const struct lab_context *lab, size_t host,
                        const struct lab_file_spec *file, const char *path, const struct user *user,
                        struct err *err)
{
    CLEANUP_FREE char *content = NULL;
    char fresh[PATH_MAX];
    int n = snprintf(fresh, sizeof(fresh), "%s.blackstart-new", path);
    if (n < 0 || (size_t)n >= sizeof(fresh))
        return make_error(err, ERR_LIMIT, 0, "the path %s is too long", path);
    if (subst_text(lab, host, file->content != NULL ? file->content : "", &content, err) != 0)
        return -1;
    (void)unlink(fresh);
    int rc = tree_write(fresh, content, strlen(content), file->mode != 0 ? file->mode : 0644, err);
    if (rc == 0)
        rc = own(lab, fresh, user, err);
    if (rc == 0 && rename(fresh, path) != 0)
        rc = make_error(err, ERR_SYSTEM, errno, "make %s", path);
    if (rc != 0)
        (void)unlink(fresh);
    return rc;
}

static int make_file(const struct lab_context *lab, size_t host, const struct lab_file_spec *file,
                     const struct user *user, struct err *err)
{
    CLEANUP_FREE char *path = NULL;
    if (file->owner != NULL)
        user = users_find(&lab->users, file->owner);
    if (user == NULL)
        return make_error(err, ERR_INPUT, 0, "there is no user %s", file->owner);
    if (subst_text(lab, host, file->path, &path, err) != 0 || tree_make(path, true, err) != 0)
        return -1;
    if (file->from == NULL)
        return make_content(lab, host, file, path, user, err);
    bool one_id = lab->rootless && !lab->id_range;
    const struct tree_copy how = {.uid = one_id ? (uid_t)-1 : user->uid,
                                  .gid = one_id ? (gid_t)-1 : user->gid,
                                  .mode = file->mode};
    return tree_copy(source_fd(lab, file), path, &how, err);
}

/* The page is open to every user: the program that maps it need not be root. */
static int make_page(const struct lab_context *lab, const struct lab_service_spec *spec,
                     struct err *err)
{
    static const struct tree_copy how = {.uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0755};
    static union {
        struct fiu_page page;
        char bytes[FIU_PAGE_SIZE];
    } fresh;
    char path[sizeof(FIU_PAGE_DIR) + NAME_MAX_LEN + 8];
    (void)snprintf(path, sizeof(path), FIU_PAGE_DIR "/%s.page", spec->name);
    if (tree_make(path, true, err) != 0)
        return -1;
    if (lab->preload_fd >= 0 && access(FIU_LIBRARY_PATH, F_OK) != 0 &&
        tree_copy(lab->preload_fd, FIU_LIBRARY_PATH, &how, err) != 0)
        return -1;
    fiu_page_init(&fresh.page);
    return tree_write(path, &fresh, sizeof(fresh), 0666, err);
}

int servicefiles_make(const struct lab_context *lab, size_t host,
                      const struct lab_service_spec *spec, const struct user *user, struct err *err)
{
    for (size_t i = 0; i < spec->n_data; i++)
        if (make_data(lab, host, spec->data[i], user, err) != 0)
            return -1;
    for (size_t i = 0; i < spec->n_files; i++)
        if (make_file(lab, host, &spec->files[i], user, err) != 0)
            return -1;
    return servicefaults_asked(spec) != LAB_FAULTS_NONE ? make_page(lab, spec, err) : 0;
}
