/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw bytes as the args struct of a fault, as an unprivileged process could hand them over: the
 * first byte chooses the row. What passes the check can be encoded and read again.
 */
#include "agents/faults/catalogue.h"
#include "base/param.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(max_align_t) unsigned char args[ARGS_MAX], again[ARGS_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    if (size == 0)
        return 0;
    const struct fault *f = fault_catalogue.faults[data[0] % fault_catalogue.n];
    size_t n = size - 1 < f->args_size ? size - 1 : f->args_size;
    if (f->args_size > ARGS_MAX ||
        params_default(f->params, f->n_params, args, f->args_size, &err) != 0)
        abort();
    memcpy(args, data + 1, n);
    if (params_check(f->params, f->n_params, args, &err) != 0)
        return 0;
    json_t *object = params_encode(f->params, f->n_params, args);
    if (object == NULL ||
        params_decode(f->params, f->n_params, object, again, f->args_size, &err) != 0)
        abort();
    json_decref(object);
    return 0;
}
