/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a coordinator sends, as the prober reads it: in a network namespace of its own, where nobody
 * answers a probe and no host's init runs a command.
 */
#include "prober/control.h"
#include "prober/loop.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        (void)fputs("fuzz_prober: needs a network namespace of its own\n", stderr);
        exit(1);
    }
    return 0;
}

/* The prober ends by itself when it has read everything: the stream has ended. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2], sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct prober *p = NULL;
    struct control *c = NULL;
    struct err err;
    if (sink < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    /* What a socket does not hold at once is cut off. */
    (void)!write(pair[0], data, size);
    (void)shutdown(pair[0], SHUT_WR);
    if (prober_new(sink, &p, &err) != 0 || control_open(p, pair[1], &c, &err) != 0 ||
        prober_run(p, &err) != 0)
        abort();
    control_close(c);
    prober_free(p);
    (void)close(sink);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return 0;
}
