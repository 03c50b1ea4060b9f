/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcrypto, loaded when the first certificate is made: linked, it costs an agent's three processes
 * 1 MiB that most of them never use (relocations, bench_agent). What certificate.c calls goes
 * through one struct of pointers that have the functions' own types and names.
 */
#ifndef BLACKSTART_FAULTS_CRYPTO_H
#define BLACKSTART_FAULTS_CRYPTO_H

#include "base/err.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* clang-format off */
#define CRYPTO_FUNCTIONS(F) \
    F(ASN1_IA5STRING_free) F(ASN1_IA5STRING_new) F(ASN1_STRING_set) F(ASN1_TIME_set) F(BIO_ctrl) \
    F(BIO_free) F(BIO_new) F(BIO_new_mem_buf) F(BIO_s_mem) F(BN_bin2bn) F(BN_free) \
    F(BN_to_ASN1_INTEGER) F(ERR_clear_error) F(ERR_error_string_n) F(ERR_get_error) \
    F(EVP_PKEY_Q_keygen) F(EVP_PKEY_free) F(EVP_PKEY_get_base_id) F(EVP_sha256) \
    F(GENERAL_NAMES_free) F(GENERAL_NAMES_new) F(GENERAL_NAME_free) F(GENERAL_NAME_new) \
    F(GENERAL_NAME_set0_value) F(OPENSSL_init_crypto) F(OPENSSL_sk_push) \
    F(PEM_read_bio_PrivateKey) F(PEM_read_bio_X509) F(PEM_write_bio_X509) F(RAND_bytes) \
    F(X509_NAME_ENTRY_free) F(X509_NAME_add_entry_by_txt) F(X509_NAME_delete_entry) \
    F(X509_NAME_dup) F(X509_NAME_free) F(X509_NAME_get_index_by_NID) F(X509_add1_ext_i2d) \
    F(X509_cmp_time) F(X509_free) F(X509_get0_notAfter) F(X509_get0_notBefore) \
    F(X509_get_serialNumber) F(X509_get_subject_name) F(X509_getm_notAfter) \
    F(X509_getm_notBefore) F(X509_set_subject_name) F(X509_sign) F(X509_verify)
/* clang-format on */

struct crypto {
#define F(function) __typeof__(function) *function;
    CRYPTO_FUNCTIONS(F)
#undef F
};

/* NULL with ERR_UNSUPPORTED when the library is missing or another one. It stays loaded. */
const struct crypto *crypto_load(struct err *err);

#endif
