/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.corrupt on real files: what is damaged, what others write meanwhile, and what comes back. */
#include "lab/host/environment.h"

#define CONF "/etc/app/app.conf"

static void corrupt_args(const char *how, const char *name, const char *value)
{
    reset_args("file.corrupt");
    rig_set(row, args, "path", CONF);
    rig_set(row, args, "how", how);
    rig_set(row, args, name, value);
}

static size_t read_conf(char *out, size_t size)
{
    FILE *file = fopen(in_host(CONF), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t n = fread(out, 1, size, file);
    (void)fclose(file);
    return n;
}

static unsigned count_bits(const char *a, const char *b, size_t n)
{
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++)
        bits += (unsigned)__builtin_popcount((unsigned char)(a[i] ^ b[i]));
    return bits;
}

static void test_flip(void)
{
    char was[64], is[64], again[64];
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("flip", "bits", "9");
    rig_set(row, args, "from", "4B");
    rig_set(row, args, "length", "6B");
    put_on();
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n);
    CU_ASSERT_EQUAL(count_bits(was, is, n), 9);
    CU_ASSERT_EQUAL(count_bits(was + 4, is + 4, 6), 9);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    put_on();
    (void)read_conf(again, sizeof(again));
    CU_ASSERT_EQUAL(memcmp(is, again, n), 0); /* the same seed, the same bits */
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_cut(void)
{
    char was[64], is[64];
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("cut", "tail", "5B");
    put_on();
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n - 5);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    corrupt_args("cut", "tail", "8192B"); /* more than there is: all of it */
    put_on();
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void test_zero(void)
{
    static const char zeros[7];
    char was[64], is[64];
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("zero", "tail", "7B");
    put_on();
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n);
    CU_ASSERT_EQUAL(memcmp(is, was, n - 7), 0);
    CU_ASSERT_EQUAL(memcmp(is + n - 7, zeros, 7), 0);
    CU_ASSERT_FALSE(take_off());
    CU_ASSERT_TRUE(is_as_before());
    end();
}

static void write_conf(off_t at, const char *text)
{
    CLEANUP_FD int fd = open(in_host(CONF), O_WRONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
}

/* A byte that others wrote stays; the others go back. */
static void test_others_write_in_it(void)
{
    char was[64], is[64];
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("zero", "tail", "7B");
    put_on();
    write_conf((off_t)n - 3, "X");
    CU_ASSERT_TRUE(take_off());
    was[n - 3] = 'X';
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n);
    CU_ASSERT_EQUAL(memcmp(is, was, n), 0);
    end();
}

static void test_others_append_after_a_cut(void)
{
    char was[64], is[64];
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("cut", "tail", "7B");
    put_on();
    write_conf((off_t)n - 7, "new line");
    CU_ASSERT_TRUE(take_off());
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n + 1);
    CU_ASSERT_EQUAL(memcmp(is + n - 7, "new line", 8), 0);
    end();
}

/* Elsewhere in the file: our bytes go back, theirs and their time stay. */
static void test_others_write_elsewhere(void)
{
    char was[64], is[64];
    struct stat theirs, st;
    begin("file.corrupt");
    size_t n = read_conf(was, sizeof(was));
    corrupt_args("zero", "tail", "4B");
    put_on();
    write_conf(0, "L");
    CU_ASSERT_EQUAL(stat(in_host(CONF), &theirs), 0);
    CU_ASSERT_TRUE(take_off());
    was[0] = 'L';
    CU_ASSERT_EQUAL(read_conf(is, sizeof(is)), n);
    CU_ASSERT_EQUAL(memcmp(is, was, n), 0);
    CU_ASSERT_EQUAL(stat(in_host(CONF), &st), 0);
    CU_ASSERT(st.st_mtim.tv_sec >= theirs.st_mtim.tv_sec);
    end();
}

static void test_refused(void)
{
    begin("file.corrupt");
    corrupt_args("flip", "from", "1MiB");
    refuse(ERR_INPUT, "nothing lies behind");
    corrupt_args("cut", "tail", "1B");
    rig_set(row, args, "path", "/etc/app/.hidden");
    refuse(ERR_INPUT, "empty");
    corrupt_args("flip", "bits", "1");
    rig_set(row, args, "path", "/etc/app");
    refuse(ERR_REFUSED, "regular file");
    end();
}

static void test_overlay(void)
{
    on_overlay(test_flip);
    on_overlay(test_cut);
    on_overlay(test_others_write_in_it);
}

static const struct check_test tests[] = {
    {"bits", test_flip},
    {"a cut tail", test_cut},
    {"a zeroed tail", test_zero},
    {"others write into it", test_others_write_in_it},
    {"others append after a cut", test_others_append_after_a_cut},
    {"others write elsewhere", test_others_write_elsewhere},
    {"refused", test_refused},
    {"on an overlay", test_overlay},
};

int main(void)
{
    return environment_main("lab/host/corrupt", tests, sizeof(tests) / sizeof(tests[0]));
}
