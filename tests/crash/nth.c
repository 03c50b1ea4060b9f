/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nth K all|change PROGRAM ARGUMENT...: runs the program until its K-th system call; change: of a
 * row of calls that change nothing only the first and the last count. */
#include "crash/injector.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    injector_exec((unsigned)strtoul(argv[1], NULL, 10), strcmp(argv[2], "change") == 0, argv + 3);
}
