/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bad copy of an X.509 certificate: expired, not yet valid, or for another name; all else as in
 * the certificate that is there (subject, key, extensions, issuer), so that the service's private
 * key still fits it. Works on PEM texts in memory, by libcrypto; knows no file.
 */
#ifndef BLACKSTART_FAULTS_CERTIFICATE_H
#define BLACKSTART_FAULTS_CERTIFICATE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum certificate_how { CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_WRONG_NAME };

struct certificate_order {
    enum certificate_how how;
    int64_t now, by;  /* seconds; how long ago it ended, or until it begins */
    const char *name; /* wrong name: the subject's, and its only alternative name */
    const char *key; /* PEM: the private key that signed it, its own or its issuer's; NULL: one made
                        for this, whose signature nobody trusts */
    size_t key_len;
};

/* Where the first certificate lies in a PEM text, which may hold a chain and keys too. */
int certificate_find(const char *text, size_t len, size_t *ret_at, size_t *ret_len,
                     struct err *err) MUST_CHECK;

/* Appends the bad copy of the PEM certificate. ERR_INPUT: it cannot be read, or the key is not the
 * one that signed it. */
int certificate_spoil(const char *pem, size_t len, const struct certificate_order *order,
                      struct buf *out, struct err *err) MUST_CHECK;

#endif
