/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may become the library that all units share: the real one, and what people give by mistake.
 */
#include "agents/fiu/library.h"
#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "check.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned char image[4 << 20];
static size_t size;

static void image_load(void)
{
    CLEANUP_FD int fd = open(BINARY_DIR "/" FIU_LIBRARY, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, image, sizeof(image));
    CU_ASSERT_FATAL(n > (ssize_t)sizeof(Elf64_Ehdr) && n < (ssize_t)sizeof(image));
    size = (size_t)n;
}

static void expect(int fd, const char *name, const char *words)
{
    struct err err = {0};
    int rc = library_check(fd, name, &err);
    if (words == NULL) {
        CU_ASSERT_EQUAL(rc, 0);
        return;
    }
    if (rc == 0 || strstr(err.msg, words) == NULL || strstr(err.msg, name) == NULL)
        (void)printf("\n    %s: %d: %s\n", name, rc, err.msg);
    CU_ASSERT_NOT_EQUAL(rc, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, name));
}

static void expect_file(const char *path, const char *words)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    expect(fd, path, words);
}

static void expect_image(size_t len, const char *words)
{
    CLEANUP_FD int fd = memfd_create("library", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, image, len) == (ssize_t)len);
    expect(fd, "given", words);
}

static void test_files(void)
{
    expect_file(BINARY_DIR "/" FIU_LIBRARY, NULL);
    expect_file("/etc/passwd", "is no ELF file");
    expect_file("/dev/zero", "is no regular file");
    expect_file("/", "is no regular file");
    expect_file("/proc/self/exe", "has no symbol " LIBRARY_MARK);
    Dl_info other;
    CU_ASSERT_NOT_EQUAL_FATAL(dladdr((void *)(uintptr_t)&printf, &other), 0);
    expect_file(other.dli_fname, "has no symbol " LIBRARY_MARK);
}

static void test_heads(void)
{
    Elf64_Ehdr *head = (Elf64_Ehdr *)image;
    image_load();
    expect_image(size, NULL);
    expect_image(0, "is no ELF file");
    expect_image(sizeof(*head) - 1, "is no ELF file");
    head->e_machine ^= 1;
    expect_image(size, "of another machine");
    image_load();
    head->e_ident[EI_CLASS] = ELFCLASS32;
    expect_image(size, "of another machine");
    image_load();
    head->e_type = ET_EXEC;
    expect_image(size, "is no shared library");
}

/* A copy that was not finished. */
static void test_cut(void)
{
    image_load();
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image;
    size_t sections = head->e_shoff;
    expect_image(size - 1, "is cut short");
    expect_image(sections, "is cut short");
    expect_image(sections / 2, "is cut short");
    expect_image(sizeof(*head), "is cut short");
}

static const Elf64_Shdr *section_find(unsigned type)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image;
    const Elf64_Shdr *all = (const Elf64_Shdr *)(image + head->e_shoff);
    for (unsigned i = 0; i < head->e_shnum; i++)
        if (all[i].sh_type == type)
            return &all[i];
    return NULL;
}

/* Where our symbol says that the version lies: in a library the first segments lie where the file
 * has them. */
static Elf64_Sym *mark_find(void)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image;
    const Elf64_Shdr *table = section_find(SHT_DYNSYM);
    CU_ASSERT_PTR_NOT_NULL_FATAL(table);
    if (table == NULL)
        return NULL;
    const Elf64_Shdr *names = (const Elf64_Shdr *)(image + head->e_shoff) + table->sh_link;
    Elf64_Sym *symbols = (Elf64_Sym *)(image + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof(*symbols); i++)
        if (strcmp((const char *)image + names->sh_offset + symbols[i].st_name, LIBRARY_MARK) == 0)
            return &symbols[i];
    CU_FAIL_FATAL("the library has no mark");
    return NULL;
}

static void test_versions(void)
{
    image_load();
    uint32_t version = FIU_PAGE_VERSION + 1;
    memcpy(image + mark_find()->st_value, &version, sizeof(version));
    expect_image(size, "follows pages of version 3, and this agent writes version 2");
    image_load();
    mark_find()->st_shndx = SHN_UNDEF; /* it only uses one */
    expect_image(size, "has no symbol " LIBRARY_MARK);
    image_load();
    mark_find()->st_value = UINT64_MAX - 1;
    expect_image(size, "is cut short");
}

/* Whatever the headers say: told, never believed. */
static void test_nonsense(void)
{
    struct err err;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        image_load();
        for (int i = 0; i < 1 + rand() % 8; i++) {
            size_t part = (size_t)rand() % 3, at = (size_t)rand();
            const Elf64_Ehdr *head = (const Elf64_Ehdr *)image;
            size_t sections = head->e_shoff < size ? head->e_shoff : 0;
            at = part == 0   ? at % sizeof(*head)
                 : part == 1 ? sections + at % (size - sections)
                             : at % size;
            image[at] = (unsigned char)rand();
        }
        CLEANUP_FD int fd = memfd_create("library", MFD_CLOEXEC);
        CU_ASSERT_FATAL(fd >= 0 && write(fd, image, size) == (ssize_t)size);
        int rc = library_check(fd, "given", &err);
        CU_ASSERT_TRUE(rc == 0 || err.msg[0] != '\0');
    }
}

static const struct check_test tests[] = {
    {"files", test_files},       {"heads", test_heads},       {"cut short", test_cut},
    {"versions", test_versions}, {"nonsense", test_nonsense},
};

CHECK_MAIN("the preload library's file", tests)
