/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations that fail in netside and privside, in every phase of every fault; BLACKSTART_FULL=yes
 * tries each of them, else a sample. SWEEP_FAULT=name: only that one. */
#include "check.h"
#include "crash/allocations.h"
#include "crash/errors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHORT_SECONDS = 14, FULL_SECONDS = 6600 };

static volatile struct allocations *page;

static bool begin(const struct errors_harm *harm, pid_t victim, unsigned k)
{
    page->calls = page->hits = 0;
    page->who[0] = '\0';
    page->k = k;
    page->lasts = harm->lasts;
    page->pid = (int32_t)victim;
    return true;
}

static bool end(const struct errors_harm *harm, char what[ERRORS_WHAT_MAX])
{
    (void)harm;
    page->pid = 0;
    for (size_t i = 0; i < ERRORS_WHAT_MAX; i++)
        what[i] = page->who[i];
    return page->hits > 0;
}

static bool open_page(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = ftruncate(fd, sizeof(*page)) == 0;
    void *at = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (!ok || at == MAP_FAILED)
        return false;
    page = at;
    return true;
}

/* Where the page and the words are that make an agent use it. */
struct place {
    char path[80], assignment[160];
    const char *wrap[4];
};

static void place_open(struct place *p)
{
    (void)mkdir("/var/tmp/blackstart-test", 0700);
    (void)snprintf(p->path, sizeof(p->path), "/var/tmp/blackstart-test/%d.allocations",
                   (int)getpid());
    (void)snprintf(p->assignment, sizeof(p->assignment), ALLOCATIONS_PAGE "=%s", p->path);
    p->wrap[0] = "/usr/bin/env";
    p->wrap[1] = "LD_PRELOAD=" BINARY_DIR "/tests/libcrash_allocations.so";
    p->wrap[2] = p->assignment;
    p->wrap[3] = NULL;
    CU_ASSERT_FATAL(open_page(p->path));
}

static void place_close(const struct place *p)
{
    (void)munmap((void *)(uintptr_t)page, sizeof(*page));
    (void)unlink(p->path);
}

static void sweep_victim(enum sweep_victim victim, const char *word, unsigned reach)
{
    struct place place;
    place_open(&place);
    const struct errors_plan plan = {
        .word = word,
        .last_phase = PHASE_REVERT,
        .seconds = SHORT_SECONDS / 2,
        .full_seconds = FULL_SECONDS / 2,
        .reach = reach,
        .wrap = place.wrap,
        .harms =
            (const struct errors_harm[]){{"no memory", 0, false, false, victim, begin, end, NULL},
                                         {"no memory", 0, true, false, victim, begin, end, NULL}},
        .n_harms = 2};
    errors_sweep(&plan);
    place_close(&place);
}

static void test_privside(void)
{
    sweep_victim(SWEEP_PRIVSIDE, "allocations of privside", 8);
}

static void test_netside(void)
{
    sweep_victim(SWEEP_NETSIDE, "allocations of netside", 96);
}

/* The library that reads JSON writes behind its buffers when one cannot grow: the name of that kind
 * is as long as its first one, with the quotes. */
static void test_found(void)
{
    struct place place;
    static const struct errors_spot spots[] = {
        {"network.reject",
         PHASE_PREPARE,
         20,
         26,
         {"no memory", 0, false, false, SWEEP_NETSIDE, begin, end, NULL}}};
    place_open(&place);
    errors_try(place.wrap, spots, sizeof(spots) / sizeof(spots[0]));
    place_close(&place);
}

static const struct check_test tests[] = {
    {"points found once", test_found},
    {"allocations of privside", test_privside},
    {"allocations of netside", test_netside},
};

CHECK_MAIN("crash/allocations", tests)
