/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nth K PROGRAM ARGUMENT...: runs the program until its K-th system call. */
#include "crash/injector.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    injector_exec((unsigned)strtoul(argv[1], NULL, 10), argv + 2);
}
