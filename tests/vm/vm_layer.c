/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the path of the layer with the packages that are named, made when it is not there yet: a
 * guest has no network, so what its labs ask for must be in the cache before it boots. */
#include "lab/layer.h"

#include <limits.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    struct err err;
    const struct lab_spec spec = {.name = "vm",
                                  .packages = (const char *const *)(argv + 1),
                                  .n_packages = (size_t)(argc - 1)};
    if (layer_open(&spec, NULL, NULL, path, sizeof(path), &err) != 0) {
        (void)fprintf(stderr, "vm: %s\n", err.msg);
        return 3;
    }
    (void)puts(path);
    return 0;
}
