/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs a preloaded library can reach: real executables, and headers made here. */
#include "agents/fiu/program.h"
#include "base/cleanup.h"
#include "check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An executable of one note and, if wanted, an interpreter: as a linker lays it out. */
struct image {
    Elf64_Ehdr head;
    Elf64_Phdr segments[2];
    Elf64_Nhdr note;
    char vendor[8];
    char id[8];
};

static struct image image_make(const char *vendor, bool dynamic)
{
    struct image i = {.head = {.e_phoff = offsetof(struct image, segments),
                               .e_phentsize = sizeof(Elf64_Phdr),
                               .e_phnum = 2,
                               .e_shentsize = sizeof(Elf64_Shdr)},
                      .note = {.n_namesz = (Elf64_Word)strlen(vendor) + 1, .n_descsz = 8}};
    memcpy(i.head.e_ident, ELFMAG, SELFMAG);
    i.head.e_ident[EI_CLASS] = ELFCLASS64;
    i.segments[0] = (Elf64_Phdr){.p_type = PT_NOTE,
                                 .p_offset = offsetof(struct image, note),
                                 .p_filesz = sizeof(struct image) - offsetof(struct image, note)};
    i.segments[1].p_type = dynamic ? PT_INTERP : PT_LOAD;
    (void)snprintf(i.vendor, sizeof(i.vendor), "%s", vendor);
    return i;
}

static struct program read_bytes(const void *bytes, size_t len)
{
    struct err err;
    struct program program;
    CLEANUP_FD int fd = memfd_create("program", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    CU_ASSERT_EQUAL(program_read(fd, &program, &err), 0);
    return program;
}

static void test_real(void)
{
    struct err err;
    struct program program;
    CLEANUP_FD int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(program_read(self, &program, &err), 0);
    CU_ASSERT_TRUE(program.elf && program.dynamic && !program.go);
    CU_ASSERT_EQUAL(program_reachable(&program, "self", &err), 0);
}

static void test_made(void)
{
    struct image plain = image_make("GNU", true), fixed = image_make("GNU", false);
    struct image go = image_make("Go", true), fixed_go = image_make("Go", false);
    struct program p = read_bytes(&plain, sizeof(plain));
    CU_ASSERT_TRUE(p.elf && p.dynamic && !p.go);
    p = read_bytes(&fixed, sizeof(fixed));
    CU_ASSERT_TRUE(p.elf && !p.dynamic && !p.go);
    p = read_bytes(&go, sizeof(go));
    CU_ASSERT_TRUE(p.elf && p.dynamic && p.go);
    p = read_bytes(&fixed_go, sizeof(fixed_go));
    CU_ASSERT_TRUE(p.elf && !p.dynamic && p.go);
}

static void test_words(void)
{
    struct err err;
    struct program script = {.elf = false}, fixed = {.elf = true};
    struct program go = {.elf = true, .dynamic = true, .go = true};
    CU_ASSERT_NOT_EQUAL(program_reachable(&script, "app", &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_NOT_EQUAL(program_reachable(&fixed, "app", &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "statically linked"));
    CU_ASSERT_NOT_EQUAL(program_reachable(&go, "etcd", &err), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.msg, "etcd: cannot reach this program: it makes its system calls itself"));
}

/* Every cut and every flipped byte of a header ends without a read out of bounds (sanitizers see
 * it). */
static void test_broken(void)
{
    struct image good = image_make("Go", true);
    for (size_t len = 0; len < sizeof(good); len++) {
        struct program p = read_bytes(&good, len);
        CU_ASSERT_TRUE(p.elf || !p.dynamic);
    }
    for (size_t i = 0; i < sizeof(good); i++) {
        struct image bad = good;
        ((unsigned char *)&bad)[i] ^= 0xff;
        struct program p = read_bytes(&bad, sizeof(bad));
        CU_ASSERT_TRUE(p.elf || !p.go);
    }
    CU_ASSERT_FALSE(read_bytes("#!/bin/sh\n", 10).elf);
}

/* Our own process, before and after it has one; a kernel may have them switched off. */
static void test_ring(void)
{
    struct io_uring_params params = {.flags = 0};
    CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_FALSE(program_uses_ring(proc, getpid()));
    CU_ASSERT_FALSE(program_uses_ring(proc, 0));
    CLEANUP_FD int ring = (int)syscall(SYS_io_uring_setup, 2, &params);
    if (ring < 0)
        printf("this kernel gives no io_uring: %s; ", strerror(errno));
    CU_ASSERT_EQUAL(program_uses_ring(proc, getpid()), ring >= 0);
}

static const struct check_test tests[] = {
    {"real", test_real},     {"made", test_made}, {"words", test_words},
    {"broken", test_broken}, {"ring", test_ring},
};
CHECK_MAIN("fiu program", tests)
