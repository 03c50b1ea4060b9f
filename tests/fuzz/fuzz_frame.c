/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes from a peer, in pieces of several sizes; each frame also as the parameters of every fault:
 * what decodes must check, and come back the same from its own encoding.
 */
#include "agents/faults/catalogue.h"
#include "base/frame.h"
#include "base/param.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(max_align_t) unsigned char first[ARGS_MAX], second[ARGS_MAX];

static void decode(const struct fault *f, const json_t *object)
{
    struct err err;
    if (f->args_size > ARGS_MAX ||
        params_decode(f->params, f->n_params, object, first, f->args_size, &err) != 0)
        return;
    if (params_check(f->params, f->n_params, first, &err) != 0)
        abort();
    if (f->check != NULL && f->check(first, &err) != 0 && err.msg[0] == '\0')
        abort();
    json_t *back = params_encode(f->params, f->n_params, first);
    if (back == NULL ||
        params_decode(f->params, f->n_params, back, second, f->args_size, &err) != 0 ||
        memcmp(first, second, f->args_size) != 0)
        abort();
    json_decref(back);
}

static void read_frames(struct frame_reader *r)
{
    struct err err;
    json_t *frame = NULL;
    while (frame_next(r, &frame, &err) == 0 && frame != NULL) {
        struct err why;
        (void)frame_is_error(frame, &why);
        for (size_t i = 0; i < fault_catalogue.n; i++)
            decode(fault_catalogue.faults[i], frame);
        json_decref(frame);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_reader r;
    struct err err;
    frame_reader_init(&r);
    for (size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 2 + 1) {
        if (piece > size - at)
            piece = size - at;
        if (frame_feed(&r, data + at, piece, &err) != 0)
            break;
        read_frames(&r);
    }
    frame_reader_free(&r);
    return 0;
}
