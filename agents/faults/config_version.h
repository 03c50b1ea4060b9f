/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bad version that config.push puts in place: its parameters, and the bytes made of them and of
 * what the file holds now. Pure; knows no file.
 */
#ifndef BLACKSTART_AGENTS_FAULTS_CONFIG_VERSION_H
#define BLACKSTART_AGENTS_FAULTS_CONFIG_VERSION_H

#include "base/buf.h"
#include "base/param.h"

enum { CONFIG_MAX = 1024 * 1024, CONFIG_PARAMS = 13 };

struct config_args {
    struct path path;
    struct text content;
    struct text find;
    struct text replace;
    int64_t line;
    struct names key;
    int format;
    struct ratio keep;
    struct bytes keep_bytes;
    bool empty;
    int encoding;
    int apply;
    struct name service;
};

extern const struct param config_params[CONFIG_PARAMS];

/* fault.h's check. */
int config_check(const void *args, struct err *err) MUST_CHECK;

/* Appends the version to out. ERR_NOT_FOUND: what is to be edited is not in the file. */
int config_version(const struct config_args *a, const char *text, size_t len, struct buf *out,
                   struct err *err) MUST_CHECK;

#endif
