/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/program.h"

#include "agents/fiu/page.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEADERS_MAX = 256, NOTES_MAX = 4096, NAMES_MAX = 65536 };

static bool read_at(int fd, uint64_t at, void *ret, size_t size)
{
    return at <= INT64_MAX && pread(fd, ret, size, (off_t)at) == (ssize_t)size;
}

/* A note of the vendor "Go": the build id that its linker writes. */
static bool notes_of_go(int fd, uint64_t at, uint64_t size)
{
    unsigned char notes[NOTES_MAX];
    size_t len = size < sizeof(notes) ? (size_t)size : sizeof(notes);
    if (!read_at(fd, at, notes, len))
        return false;
    size_t pos = 0;
    while (len - pos >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, notes + pos, sizeof(note));
        pos += sizeof(note);
        if (note.n_namesz == 3 && len - pos >= 3 && memcmp(notes + pos, "Go", 3) == 0)
            return true;
        uint64_t skip = (((uint64_t)note.n_namesz + 3) & ~UINT64_C(3)) +
                        (((uint64_t)note.n_descsz + 3) & ~UINT64_C(3));
        if (skip > len - pos)
            return false;
        pos += (size_t)skip;
    }
    return false;
}

static void segments_read(int fd, const Elf64_Ehdr *head, struct program *ret)
{
    for (unsigned i = 0; i < head->e_phnum && i < HEADERS_MAX; i++) {
        Elf64_Phdr segment;
        if (!read_at(fd, head->e_phoff + (uint64_t)i * sizeof(segment), &segment, sizeof(segment)))
            return;
        if (segment.p_type == PT_INTERP)
            ret->dynamic = true;
        if (segment.p_type == PT_NOTE && notes_of_go(fd, segment.p_offset, segment.p_filesz))
            ret->go = true;
    }
}

/* A section named .go.buildinfo stays in a binary whose build id was left out. */
static void sections_read(int fd, const Elf64_Ehdr *head, struct program *ret)
{
    static const char wanted[] = ".go.buildinfo";
    Elf64_Shdr names;
    if (head->e_shentsize != sizeof(names) || head->e_shstrndx >= head->e_shnum ||
        !read_at(fd, head->e_shoff + (uint64_t)head->e_shstrndx * sizeof(names), &names,
                 sizeof(names)) ||
        names.sh_size > NAMES_MAX)
        return;
    for (unsigned i = 0; i < head->e_shnum && i < HEADERS_MAX; i++) {
        Elf64_Shdr section;
        char name[sizeof(wanted)];
        if (!read_at(fd, head->e_shoff + (uint64_t)i * sizeof(section), &section, sizeof(section)))
            return;
        if ((uint64_t)section.sh_name + sizeof(name) <= names.sh_size &&
            read_at(fd, names.sh_offset + section.sh_name, name, sizeof(name)) &&
            memcmp(name, wanted, sizeof(name)) == 0)
            ret->go = true;
    }
}

int program_read(int fd, struct program *ret, struct err *err)
{
    Elf64_Ehdr head;
    memset(&head, 0, sizeof(head));
    *ret = (struct program){.elf = false};
    if (pread(fd, &head, sizeof(head), 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the program");
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_phentsize != sizeof(Elf64_Phdr))
        return 0;
    ret->elf = true;
    segments_read(fd, &head, ret);
    sections_read(fd, &head, ret);
    return 0;
}

int program_reachable(const struct program *program, const char *service, struct err *err)
{
    if (!program->elf)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: cannot reach this program: it is no 64-bit ELF executable", service);
    if (program->go)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: cannot reach this program: it makes its system calls itself "
                          "(it is built by Go), past every library; " PROGRAM_MEND,
                          service);
    if (!program->dynamic)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s: cannot reach this program: it is statically linked, and loads no "
                          "library; " PROGRAM_MEND,
                          service);
    return 0;
}

bool program_maps_page(int proc, pid_t pid, const char *service)
{
    char path[32], line[512], wanted[128];
    (void)snprintf(path, sizeof(path), "%d/maps", (int)pid);
    /* Seen from outside, the path starts at the root of its mount: /run may be one of its own. */
    int len = snprintf(wanted, sizeof(wanted), "%s/%s.page", strrchr(FIU_PAGE_DIR, '/'), service);
    CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    CLEANUP_FILE FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
    if (f == NULL || len < 0 || (size_t)len >= sizeof(wanted))
        return false;
    (void)steal_fd(&fd);
    while (fgets(line, sizeof(line), f) != NULL) {
        size_t n = strcspn(line, "\n");
        line[n] = '\0';
        if (n >= (size_t)len && strcmp(line + n - (size_t)len, wanted) == 0)
            return true;
    }
    return false;
}

bool program_uses_ring(int proc, pid_t pid)
{
    static const char wanted[] = "anon_inode:[io_uring]";
    char path[32], link[sizeof(wanted)];
    (void)snprintf(path, sizeof(path), "%d/fd", (int)pid);
    CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL)
        return false;
    (void)steal_fd(&fd);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link));
        if (n == (ssize_t)sizeof(wanted) - 1 && memcmp(link, wanted, (size_t)n) == 0)
            return true;
    }
    return false;
}
