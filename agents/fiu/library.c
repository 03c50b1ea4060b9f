/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/library.h"

#include "agents/fiu/page.h"
#include "base/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ours has 35 sections and some 170 symbols. */
enum { SECTIONS_MAX = 256, SYMBOLS_MAX = 4096, SEGMENTS_MAX = 64 };

struct library {
    int fd;
    const char *path;
    Elf64_Ehdr head;
};

static bool read_at(int fd, uint64_t at, void *ret, size_t size)
{
    return at <= INT64_MAX && pread(fd, ret, size, (off_t)at) == (ssize_t)size;
}

static int cut_short(const struct library *l, struct err *err)
{
    return make_error(err, ERR_INPUT, 0, "%s is cut short, or damaged", l->path);
}

/* This program was made for this machine. */
static int head_check(struct library *l, struct err *err)
{
    Elf64_Ehdr own;
    struct stat st;
    CLEANUP_FD int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fstat(l->fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", l->path);
    if (!S_ISREG(st.st_mode))
        return make_error(err, ERR_INPUT, 0, "%s is no regular file", l->path);
    if (self < 0 || !read_at(self, 0, &own, sizeof(own)))
        return make_error(err, ERR_SYSTEM, errno, "read this program: /proc/self/exe");
    if (!read_at(l->fd, 0, &l->head, sizeof(l->head)) ||
        memcmp(l->head.e_ident, ELFMAG, SELFMAG) != 0)
        return make_error(err, ERR_INPUT, 0, "%s is no ELF file", l->path);
    if (l->head.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        l->head.e_ident[EI_DATA] != own.e_ident[EI_DATA] || l->head.e_machine != own.e_machine)
        return make_error(err, ERR_INPUT, 0, "%s is an ELF file of another machine", l->path);
    if (l->head.e_type != ET_DYN)
        return make_error(err, ERR_INPUT, 0, "%s is no shared library", l->path);
    return 0;
}

static bool section_read(const struct library *l, unsigned i, Elf64_Shdr *ret)
{
    return l->head.e_shentsize == sizeof(*ret) && i < l->head.e_shnum && i < SECTIONS_MAX &&
           l->head.e_shoff <= INT64_MAX &&
           read_at(l->fd, l->head.e_shoff + (uint64_t)i * sizeof(*ret), ret, sizeof(*ret));
}

/* The table of what it exports, and of the names in that. Sections stand last in a file: when all
 * of them can be read, it is whole. */
static bool tables_find(const struct library *l, Elf64_Shdr *ret_symbols, Elf64_Shdr *ret_names)
{
    bool found = false;
    for (unsigned i = 0; i < l->head.e_shnum; i++) {
        Elf64_Shdr section;
        if (!section_read(l, i, &section))
            return false;
        if (section.sh_type != SHT_DYNSYM || found)
            continue;
        *ret_symbols = section;
        found = true;
    }
    return found && ret_symbols->sh_entsize == sizeof(Elf64_Sym) &&
           section_read(l, ret_symbols->sh_link, ret_names);
}

/* 1: there it is; 0: there is none; -1: its tables cannot be read. */
static int mark_find(const struct library *l, Elf64_Sym *ret)
{
    Elf64_Shdr symbols = {0}, names = {0};
    if (!tables_find(l, &symbols, &names) || symbols.sh_offset > INT64_MAX ||
        names.sh_offset > INT64_MAX)
        return -1;
    for (uint64_t i = 0; i < symbols.sh_size / sizeof(*ret) && i < SYMBOLS_MAX; i++) {
        char name[sizeof(LIBRARY_MARK)];
        if (!read_at(l->fd, symbols.sh_offset + i * sizeof(*ret), ret, sizeof(*ret)))
            return -1;
        if (ret->st_shndx != SHN_UNDEF && (uint64_t)ret->st_name + sizeof(name) <= names.sh_size &&
            read_at(l->fd, names.sh_offset + ret->st_name, name, sizeof(name)) &&
            memcmp(name, LIBRARY_MARK, sizeof(name)) == 0)
            return 1;
    }
    return 0;
}

/* What stands at an address once it is loaded. */
static bool address_read(const struct library *l, uint64_t address, void *ret, size_t size)
{
    for (unsigned i = 0; i < l->head.e_phnum && i < SEGMENTS_MAX; i++) {
        Elf64_Phdr s;
        if (l->head.e_phentsize != sizeof(s) || l->head.e_phoff > INT64_MAX ||
            !read_at(l->fd, l->head.e_phoff + (uint64_t)i * sizeof(s), &s, sizeof(s)))
            return false;
        if (s.p_type == PT_LOAD && s.p_offset <= INT64_MAX && address >= s.p_vaddr &&
            address - s.p_vaddr < s.p_filesz && s.p_filesz - (address - s.p_vaddr) >= size)
            return read_at(l->fd, s.p_offset + (address - s.p_vaddr), ret, size);
    }
    return false;
}

int library_check(int fd, const char *path, struct err *err)
{
    struct library l = {.fd = fd, .path = path};
    Elf64_Sym mark;
    uint32_t version = 0;
    if (head_check(&l, err) != 0)
        return -1;
    int found = mark_find(&l, &mark);
    if (found < 0)
        return cut_short(&l, err);
    if (found == 0)
        return make_error(err, ERR_INPUT, 0,
                          "%s is not Blackstart's preload library, or one of an older release: it "
                          "has no symbol " LIBRARY_MARK,
                          path);
    if (!address_read(&l, mark.st_value, &version, sizeof(version)))
        return cut_short(&l, err);
    if (version != FIU_PAGE_VERSION)
        return make_error(err, ERR_INPUT, 0,
                          "%s follows pages of version %u, and this agent writes version %d: they "
                          "are of different releases",
                          path, version, FIU_PAGE_VERSION);
    return 0;
}
