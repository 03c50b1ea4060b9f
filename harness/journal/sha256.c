/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>

static EVP_MD_CTX *context(struct sha256 *s)
{
    return (EVP_MD_CTX *)s;
}

int sha256_begin(struct sha256 **ret, struct err *err)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(c);
        return make_error(err, ERR_SYSTEM, 0, "sha256 cannot be had");
    }
    *ret = (struct sha256 *)c;
    return 0;
}

int sha256_add(struct sha256 *s, const void *data, size_t len, struct err *err)
{
    if (EVP_DigestUpdate(context(s), data, len) != 1)
        return make_error(err, ERR_SYSTEM, 0, "sha256 failed");
    return 0;
}

int sha256_end(struct sha256 *s, char ret[SHA256_TEXT], struct err *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_DigestFinal_ex(context(s), sum, &n) != 1 || n != (SHA256_TEXT - 1) / 2)
        return make_error(err, ERR_SYSTEM, 0, "sha256 failed");
    for (size_t i = 0; i < n; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

void sha256_free(struct sha256 *s)
{
    EVP_MD_CTX_free(context(s));
}

void sha256_free_at(struct sha256 **s)
{
    sha256_free(*s);
}
