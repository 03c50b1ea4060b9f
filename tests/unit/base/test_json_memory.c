/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json_memory.h"
#include "check.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The sanitizer's own allocator would end the process in its place. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static int child(int out, size_t size)
{
    json_malloc_t get;
    json_free_t put;
    (void)dup2(out, STDERR_FILENO);
    json_memory_or_end("blackstart-x");
    json_get_alloc_funcs(&get, &put);
    put(get(size));
    json_t *read = json_loads("[\"network.reject\"]", 0, NULL);
    return json_array_size(read) == 1 ? 7 : 8;
}

static void expect(size_t size, int status, const char *said)
{
    int ends[2], ended;
    char text[200] = "";
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(ends[1], size));
    (void)close(ends[1]);
    size_t n = 0;
    for (ssize_t more = 1; more > 0; n += more > 0 ? (size_t)more : 0)
        more = read(ends[0], text + n, sizeof(text) - 1 - n);
    (void)close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(pid, &ended, 0), pid);
    CU_ASSERT(WIFEXITED(ended));
    CU_ASSERT_EQUAL(WEXITSTATUS(ended), status);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, said));
}

static void test_refused(void)
{
    static const volatile size_t too_much = SIZE_MAX / 4;
    expect(too_much, 3, "blackstart-x: no memory is left: the process ends\n");
    expect(100, 7, "");
}

static const struct check_test tests[] = {
    {"refused memory ends the process", test_refused},
};

CHECK_MAIN("json_memory", tests)
