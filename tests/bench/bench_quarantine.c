/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to delete a tree of 100,000 files below ten directories so that it can be put back,
 * and to put it back: by environment.delete and by file.delete, which move the ten and then the
 * directory that is left empty. Aim: 100 ms each. Beside it, what deleting it for good takes.
 */
#include "agents/faults/catalogue.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOPS = 10, DIRS = 10, ROUNDS = 5, AIM_MS = 100 };

static char top[] = "/var/tmp/blackstart-bench-XXXXXX";

static int64_t now(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_quarantine: %s: %s\n", what, why);
    exit(1);
}

static void make_tree(unsigned each)
{
    char path[256];
    for (unsigned i = 0; i < TOPS * DIRS; i++) {
        (void)snprintf(path, sizeof(path), "%s/data/%u", top, i / DIRS);
        (void)mkdir(path, 0755);
        (void)snprintf(path, sizeof(path), "%s/data/%u/%u", top, i / DIRS, i % DIRS);
        if (mkdir(path, 0755) != 0)
            fail("mkdir", strerror(errno));
        for (unsigned k = 0; k < each; k++) {
            (void)snprintf(path, sizeof(path), "%s/data/%u/%u/%u", top, i / DIRS, i % DIRS, k);
            int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            if (fd < 0)
                fail("create", strerror(errno));
            (void)close(fd);
        }
    }
}

static unsigned files_gone;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)at;
    files_gone += type == FTW_F;
    return remove(path);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median. */
static double say(const char *fault, const char *what, double *ms)
{
    qsort(ms, ROUNDS, sizeof(double), compare);
    (void)printf("%s, %s: %.2f ms (median; %.2f to %.2f); aim %d ms: %s\n", fault, what,
                 ms[ROUNDS / 2], ms[0], ms[ROUNDS - 1], AIM_MS,
                 ms[ROUNDS / 2] <= AIM_MS ? "met" : "missed");
    return ms[ROUNDS / 2];
}

static void measure(const char *fault, struct fault_host *host, double *ret_away, double *ret_back)
{
    static struct undo undo;
    struct err err;
    struct revert_report report;
    struct evidence evidence = {.n = 0};
    const struct fault *row = catalogue_find(&fault_catalogue, fault);
    void *args = calloc(1, row->args_size);
    memset(&undo, 0, sizeof(undo));
    (void)snprintf(undo.run, sizeof(undo.run), "bench");
    (void)snprintf(undo.injection, sizeof(undo.injection), "i1");
    if (args == NULL ||
        params_default(row->params, row->n_params, args, row->args_size, &err) != 0 ||
        param_parse(param_find(row->params, row->n_params, "paths"), "/data", args, &err) != 0 ||
        row->prepare(host, args, &undo, &err) != 0)
        fail("prepare", err.msg);
    int64_t begin = now();
    if (row->apply(host, args, &undo, &err) != 0)
        fail("apply", err.msg);
    int64_t away = now();
    if (faccessat(host->root, "data", F_OK, 0) == 0)
        fail("apply", "the tree is still there");
    if (row->evidence(host, &undo, &evidence, &err) != 0 || !evidence.proven ||
        evidence.items[2].value != TOPS)
        fail("evidence", "not each directory was moved");
    int64_t again = now();
    if (row->revert(host, &undo, &report, &err) != 0 || report.foreign)
        fail("revert", err.msg);
    *ret_back = (double)(now() - again) / 1e6;
    *ret_away = (double)(away - begin) / 1e6;
    free(args);
}

static bool bench(const char *fault, struct fault_host *host, double *ret_away)
{
    double away[ROUNDS], back[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        measure(fault, host, &away[i], &back[i]);
    *ret_away = say(fault, "into quarantine", away);
    return say(fault, "back", back) <= AIM_MS && *ret_away <= AIM_MS;
}

int main(int argc, char **argv)
{
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    unsigned each = brief ? 200 : 1000;
    char path[sizeof(top) + 8];
    if (mkdtemp(top) == NULL)
        fail(top, strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/data", top);
    if (mkdir(path, 0755) != 0)
        fail(path, strerror(errno));
    make_tree(each);
    struct fault_host host = {.root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC),
                              .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                              .now = now};
    (void)printf("%u files below %d directories\n", TOPS * DIRS * each, TOPS);
    double took = 0;
    bool met = bench("environment.delete", &host, &took);
    met = bench("file.delete", &host, &took) && met;
    int64_t begin = now();
    (void)close(host.root);
    (void)close(host.proc);
    if (nftw(top, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0)
        fail("remove", strerror(errno));
    double gone = (double)(now() - begin) / 1e6;
    (void)printf("deleted for good: %.0f ms, %.0f times as long\n", gone, gone / took);
    if (files_gone != TOPS * DIRS * each)
        fail("restored", "not each file was there again");
    return brief || met ? 0 : 1;
}
