/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks every row of the catalogue through the contract (contract.h), then rows broken on purpose,
 * which it must catch. Called again by itself with --drive, inside the lab host.
 * CONTRACT_FAULT=name: only that row, of a family with `network.`, all with "", and no mutants.
 */
#include "agents/faults/catalogue.h"
#include "agents/netlink/nft.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "contract/contract.h"
#include "contract/host.h"
#include "contract/injection.h"
#include "patience.h"
#include "share.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUND_S = 90 };

static struct lab *lab;
static char self[PATH_MAX];

static int64_t boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static const struct mutant *find_mutant(const char *name)
{
    for (size_t i = 0; i < n_mutants; i++)
        if (strcmp(mutants[i].name, name) == 0)
            return &mutants[i];
    return NULL;
}

/* argv: --drive ROW MUTANT ROOT PROC INIT UPPER ADDR ADDR */
static int open_host(char **argv, struct contract *c, struct err *err)
{
    char path[48];
    struct stat st;
    c->host = (struct fault_host){.root = (int)strtol(argv[4], NULL, 10),
                                  .proc = (int)strtol(argv[5], NULL, 10),
                                  .lab = true};
    c->host.now = boottime;
    c->upper = argv[7];
    (void)snprintf(c->host.run, sizeof(c->host.run), "ct-%d", (int)getpid());
    (void)snprintf(c->host.name, sizeof(c->host.name), "n1");
    (void)snprintf(path, sizeof(path), "%s/ns/pid", argv[6]);
    if (fstatat(c->host.proc, path, &st, 0) != 0)
        return make_error(err, ERR_SYSTEM, errno, "the host's init %s", argv[6]);
    c->host.pid_ns = st.st_ino;
    for (int i = 8; i <= 9; i++)
        if (addr_parse(argv[i], &c->peers.a[c->peers.n++], err) != 0)
            return -1;
    return nft_open(c->host.run, &c->host.nft, err);
}

/* Packets that this host has received, but for those from itself. */
static unsigned long long received(void)
{
    unsigned long long packets = 0, bytes, one;
    char line[512], name[32];
    CLEANUP_FILE FILE *f = fopen("/proc/self/net/dev", "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, " %31[^:]: %llu %llu", name, &bytes, &one) == 3 && strcmp(name, "lo") != 0)
            packets += one;
    return packets;
}

/* A link that has just come up carries its first packets late; counters would not grow. */
static int wait_traffic(struct err *err)
{
    for (int tries = 0; tries < patience(100); tries++) {
        unsigned long long before = received();
        injection_rest(100);
        if (received() - before >= 5)
            return 0;
    }
    return make_error(err, ERR_TIMEOUT, 0, "the other host's service sends nothing");
}

static int drive(char **argv)
{
    static struct contract c;
    struct fault broken;
    struct err err;
    const struct fault *sound = catalogue_find(&fault_catalogue, argv[2]);
    const struct mutant *mutant = find_mutant(argv[3]);
    c.row = sound;
    if (sound == NULL || open_host(argv, &c, &err) != 0 || wait_traffic(&err) != 0) {
        (void)dprintf(0, "setup: %s\n", sound == NULL ? "no such row" : err.msg);
        return 1;
    }
    if (mutant != NULL) {
        mutant->make(sound, &broken);
        c.row = &broken;
    }
    bool kept = contract_check(&c);
    (void)dprintf(0, "%s%s", kept ? "kept\n" : "broken\n", buf_text(&c.broken));
    buf_free(&c.broken);
    mutant_sweep(&c, sound);
    nft_close(c.host.nft);
    return 0;
}

static bool run_row(const char *row, const char *mutant, struct buf *out)
{
    char addrs[2][64];
    struct err err;
    const struct lab_host_info *peer = lab_find(lab, "n2");
    for (size_t i = 0; i < 2; i++)
        (void)addr_print(&peer->addrs[i], addrs[i], sizeof(addrs[i]));
    const char *const argv[] = {self,    "--drive",    row,      mutant,   "@ROOT", "@PROC",
                                "@INIT", host_upper(), addrs[0], addrs[1], NULL};
    *out = BUF_INIT(4 * 1024 * 1024);
    if (host_run(lab, argv, patience(ROUND_S) * NS_PER_SEC, out, &err) != 0)
        buf_printf(out, "%s\n", err.msg);
    return strncmp(buf_text(out), "kept\n", 5) == 0;
}

static void test_every_row(void)
{
    const char *asked = getenv("CONTRACT_FAULT");
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        if (!share_has_name(i, fault_catalogue.faults[i]->name, asked))
            continue;
        CLEANUP_BUF struct buf out;
        int64_t start = clock_system(CLOCK_MONOTONIC);
        bool kept = run_row(fault_catalogue.faults[i]->name, "", &out);
        (void)printf("\n    %s %.1f s %s", fault_catalogue.faults[i]->name,
                     (double)(clock_system(CLOCK_MONOTONIC) - start) / 1e9,
                     kept ? "kept" : buf_text(&out));
        CU_ASSERT_TRUE(kept);
    }
    (void)printf("\n    ");
}

/* What stands behind the first word of the answer. */
static const char *reason(const struct buf *out)
{
    const char *line = strchr(buf_text(out), '\n');
    return line != NULL ? line + 1 : buf_text(out);
}

static int first_line(const struct buf *out)
{
    return (int)strcspn(reason(out), "\n");
}

/* In the long form on every row; in the short one each on one row, a different one for each, or on
 * one of each evidence class. */
static bool is_tried(const struct mutant *mutant, const struct fault *row, bool full,
                     unsigned *tried)
{
    unsigned bit = 1U << (mutant->each_class ? row->evidence_class : 0);
    if ((mutant->applies != NULL && !mutant->applies(row)) || (!full && (*tried & bit) != 0))
        return false;
    *tried |= bit;
    return true;
}

static void test_every_mutant(void)
{
    const char *form = getenv("BLACKSTART_FULL");
    bool full = form != NULL && strcmp(form, "yes") == 0;
    unsigned caught = 0, tried = 0;
    if (getenv("CONTRACT_FAULT") != NULL)
        return;
    for (size_t m = 0; m < n_mutants; m++) {
        if (!share_has(m))
            continue;
        unsigned rows = 0;
        for (size_t i = 0, row = m; i < fault_catalogue.n; i++, row++) {
            const struct fault *sound = fault_catalogue.faults[row % fault_catalogue.n];
            if (!is_tried(&mutants[m], sound, full, &rows))
                continue;
            CLEANUP_BUF struct buf out;
            (void)run_row(sound->name, mutants[m].name, &out);
            bool is_caught = mutant_is_caught(&mutants[m], buf_text(&out));
            tried++;
            caught += is_caught;
            (void)printf("\n    %s, %s: %s%.*s", sound->name, mutants[m].name,
                         is_caught ? "caught: " : "NOT CAUGHT: ", first_line(&out), reason(&out));
            CU_ASSERT_TRUE(is_caught);
            CU_ASSERT_EQUAL(strncmp(buf_text(&out), "broken\n", 7), 0);
        }
    }
    (void)printf("\n    figure: %u of %u broken rows caught\n    ", caught, tried);
}

static const struct check_test tests[] = {
    {"every row keeps the contract", test_every_row},
    {"every mutant is caught", test_every_mutant},
};

int main(int argc, char **argv)
{
    struct err err;
    if (argc == 10 && strcmp(argv[1], "--drive") == 0)
        return drive(argv);
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0 || host_up(&lab, &err) != 0) {
        (void)fprintf(stderr, "contract: %s\n", n <= 0 ? "who are we?" : err.msg);
        lab_free(lab);
        return 2;
    }
    int rc = check_main("contract", tests, sizeof(tests) / sizeof(tests[0]));
    lab_free(lab);
    return rc;
}
