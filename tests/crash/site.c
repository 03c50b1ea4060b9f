/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/site.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SITES_MAX = 4096, STACK_WORDS = 512, FRAMES_MAX = 12, CALL_BYTES = 7, PAGE = 4096 };

/* The program's own code, as it lies in the victim. */
struct text {
    uint64_t from, to;
};

static bool is_exec_of(const char *line, const char *program, struct text *ret)
{
    unsigned long from, to;
    char rights[8], path[PATH_MAX];
    if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %4095s", &from, &to, rights, path) != 4)
        return false;
    *ret = (struct text){from, to};
    return strcmp(rights, "r-xp") == 0 && strcmp(path, program) == 0;
}

static struct text find_text(pid_t victim)
{
    char path[64], program[PATH_MAX], line[PATH_MAX + 128];
    struct text text = {0, 0};
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)victim);
    ssize_t n = readlink(path, program, sizeof(program) - 1);
    program[n > 0 ? n : 0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)victim);
    FILE *maps = fopen(path, "re");
    bool found = false;
    while (maps != NULL && !found && fgets(line, sizeof(line), maps) != NULL)
        found = is_exec_of(line, program, &text);
    if (maps != NULL)
        (void)fclose(maps);
    return found ? text : (struct text){0, 0};
}

static size_t read_memory(pid_t victim, uint64_t at, void *out, size_t size)
{
    struct iovec here = {out, size}, there = {(void *)(uintptr_t)at, size};
    ssize_t n = process_vm_readv(victim, &here, 1, &there, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

/* Behind `call rel32` (e8) or `call r/m64` (ff /2, of two to seven bytes). */
static bool follows_call(pid_t victim, uint64_t at)
{
    unsigned char b[CALL_BYTES];
    if (read_memory(victim, at - CALL_BYTES, b, sizeof(b)) != sizeof(b))
        return false;
    if (b[CALL_BYTES - 5] == 0xe8)
        return true;
    for (int i = 0; i < CALL_BYTES - 1; i++)
        if (b[i] == 0xff && (b[i + 1] >> 3 & 7) == 2)
            return true;
    return false;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        hash = (hash ^ (word >> 8 * i & 0xff)) * UINT64_C(1099511628211);
    return hash;
}

/* The stack's end may lie on the next page, and what is not there fails a whole read. */
static size_t read_stack(pid_t victim, uint64_t at, uint64_t stack[STACK_WORDS])
{
    size_t whole = STACK_WORDS * sizeof(*stack), first = PAGE - at % PAGE;
    if (first > whole)
        first = whole;
    size_t n = read_memory(victim, at, stack, first);
    if (n == first && first < whole)
        n += read_memory(victim, at + n, (char *)stack + n, whole - first);
    return n / sizeof(*stack);
}

static uint64_t find_site(pid_t victim, const struct __ptrace_syscall_info *info)
{
    static struct text text;
    static uint64_t stack[STACK_WORDS];
    uint64_t hash = mix(UINT64_C(14695981039346656037), info->entry.nr);
    if (text.to == 0)
        text = find_text(victim);
    size_t n = read_stack(victim, info->stack_pointer, stack);
    for (size_t i = 0, frames = 0; i < n && frames < FRAMES_MAX; i++) {
        if (stack[i] < text.from + CALL_BYTES || stack[i] >= text.to ||
            !follows_call(victim, stack[i]))
            continue;
        hash = mix(hash, stack[i] - text.from);
        frames++;
    }
    return hash;
}

bool site_counts(pid_t victim, const struct __ptrace_syscall_info *info)
{
    static struct {
        uint64_t site;
        unsigned calls;
    } sites[SITES_MAX];
    uint64_t site = find_site(victim, info);
    for (size_t i = 0; i < SITES_MAX; i++) {
        if (sites[i].calls != 0 && sites[i].site != site)
            continue;
        sites[i].site = site;
        unsigned calls = ++sites[i].calls;
        return (calls & (calls - 1)) == 0;
    }
    return true; /* so many sites: each call counts */
}
