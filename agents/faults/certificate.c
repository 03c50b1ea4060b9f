/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/certificate.h"

#include "agents/faults/crypto.h"
#include "base/cleanup.h"

#include <string.h>

enum { DAY_S = 86400, SERIAL_BYTES = 16 };

static const struct crypto *ssl;

static void free_certificate(X509 **x)
{
    ssl->X509_free(*x);
}
static void free_key(EVP_PKEY **k)
{
    ssl->EVP_PKEY_free(*k);
}
static void free_bio(BIO **b)
{
    (void)ssl->BIO_free(*b);
}

static int crypto_failed(struct err *err, const char *what)
{
    char text[160] = "no more is known";
    unsigned long code = ssl->ERR_get_error();
    if (code != 0)
        ssl->ERR_error_string_n(code, text, sizeof(text));
    ssl->ERR_clear_error();
    return make_error(err, ERR_SYSTEM, 0, "%s: %s", what, text);
}

int certificate_find(const char *text, size_t len, size_t *ret_at, size_t *ret_len, struct err *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";
    const char *from = memmem(text, len, begin, sizeof(begin) - 1);
    size_t at = from != NULL ? (size_t)(from - text) : 0;
    const char *to = from != NULL ? memmem(from, len - at, end, sizeof(end) - 1) : NULL;
    if (to == NULL)
        return make_error(err, ERR_INPUT, 0, "it holds no certificate in PEM");
    *ret_at = at;
    *ret_len = (size_t)(to - from) + sizeof(end) - 1;
    if (at + *ret_len < len && text[at + *ret_len] == '\n')
        (*ret_len)++;
    return 0;
}

static X509 *read_certificate(const char *pem, size_t len)
{
    CLEANUP(free_bio) BIO *in = ssl->BIO_new_mem_buf(pem, (int)len);
    return in != NULL ? ssl->PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
}

/* A key with a pass phrase is an error, not a question at a terminal. */
static int no_phrase(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

static int take_key(X509 *x, const struct certificate_order *order, EVP_PKEY **ret, struct err *err)
{
    if (order->key == NULL) {
        *ret = ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        return *ret != NULL ? 0 : crypto_failed(err, "make a key");
    }
    CLEANUP(free_bio) BIO *in = ssl->BIO_new_mem_buf(order->key, (int)order->key_len);
    *ret = in != NULL ? ssl->PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL) : NULL;
    if (*ret == NULL) {
        ssl->ERR_clear_error();
        return make_error(err, ERR_INPUT, 0,
                          "the key cannot be read: a private key in PEM without a pass phrase is "
                          "needed");
    }
    bool signed_it = ssl->X509_verify(x, *ret) == 1;
    ssl->ERR_clear_error();
    if (!signed_it)
        return make_error(err, ERR_INPUT, 0,
                          "the key is not the one that signed the certificate: name its issuer's, "
                          "or its own if it signed itself");
    return 0;
}

static int set_times(X509 *x, const struct certificate_order *order, struct err *err)
{
    time_t begin = 0, end = 0;
    if (order->how == CERTIFICATE_EXPIRED) {
        time_t gone = (time_t)(order->now - order->by);
        if (ssl->X509_cmp_time(ssl->X509_get0_notBefore(x), &gone) >= 0)
            begin = gone - DAY_S;
        end = gone;
    } else if (order->how == CERTIFICATE_NOT_YET_VALID) {
        time_t first = (time_t)(order->now + order->by);
        begin = first;
        if (ssl->X509_cmp_time(ssl->X509_get0_notAfter(x), &first) <= 0)
            end = first + DAY_S;
    }
    if ((begin != 0 && ssl->ASN1_TIME_set(ssl->X509_getm_notBefore(x), begin) == NULL) ||
        (end != 0 && ssl->ASN1_TIME_set(ssl->X509_getm_notAfter(x), end) == NULL))
        return crypto_failed(err, "set the certificate's times");
    return 0;
}

static int replace_alternatives(X509 *x, const char *name)
{
    GENERAL_NAMES *names = ssl->GENERAL_NAMES_new();
    GENERAL_NAME *one = ssl->GENERAL_NAME_new();
    ASN1_IA5STRING *text = ssl->ASN1_IA5STRING_new();
    if (names == NULL || one == NULL || text == NULL || !ssl->ASN1_STRING_set(text, name, -1) ||
        !ssl->OPENSSL_sk_push(ossl_check_GENERAL_NAME_sk_type(names),
                              ossl_check_GENERAL_NAME_type(one))) {
        ssl->GENERAL_NAMES_free(names);
        ssl->GENERAL_NAME_free(one);
        ssl->ASN1_IA5STRING_free(text);
        return 0;
    }
    ssl->GENERAL_NAME_set0_value(one, GEN_DNS, text);
    int ok = ssl->X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
    ssl->GENERAL_NAMES_free(names);
    return ok;
}

/* Only the common name: organisation and place stay. */
static int set_name(X509 *x, const char *name, struct err *err)
{
    X509_NAME *subject = ssl->X509_NAME_dup(ssl->X509_get_subject_name(x));
    int at = subject != NULL ? ssl->X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    if (at >= 0)
        ssl->X509_NAME_ENTRY_free(ssl->X509_NAME_delete_entry(subject, at));
    int ok = subject != NULL &&
             ssl->X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                             (const unsigned char *)name, -1, -1, 0) == 1 &&
             ssl->X509_set_subject_name(x, subject) == 1 && replace_alternatives(x, name) == 1;
    ssl->X509_NAME_free(subject);
    return ok ? 0 : crypto_failed(err, "set the certificate's name");
}

static int set_serial(X509 *x)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number = NULL;
    if (ssl->RAND_bytes(bytes, sizeof(bytes)) != 1)
        return 0;
    bytes[0] &= 0x7f;
    bytes[0] |= 0x40;
    number = ssl->BN_bin2bn(bytes, sizeof(bytes), NULL);
    int ok =
        number != NULL && ssl->BN_to_ASN1_INTEGER(number, ssl->X509_get_serialNumber(x)) != NULL;
    ssl->BN_free(number);
    return ok;
}

/* Keys of the Edwards curves bring their own digest. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
    int id = ssl->EVP_PKEY_get_base_id(key);
    return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? NULL : ssl->EVP_sha256();
}

static int print(X509 *x, struct buf *out, struct err *err)
{
    char *text = NULL;
    CLEANUP(free_bio) BIO *to = ssl->BIO_new(ssl->BIO_s_mem());
    if (to == NULL || ssl->PEM_write_bio_X509(to, x) != 1)
        return crypto_failed(err, "write the certificate");
    long n = ssl->BIO_ctrl(to, BIO_CTRL_INFO, 0, (char *)&text);
    buf_add(out, text, (size_t)n);
    return buf_ok(out) ? 0 : make_error(err, ERR_LIMIT, 0, "the certificate is too large");
}

int certificate_spoil(const char *pem, size_t len, const struct certificate_order *order,
                      struct buf *out, struct err *err)
{
    ssl = crypto_load(err);
    if (ssl == NULL)
        return -1;
    /* No configuration of the agent's machine may lead to other code. */
    (void)ssl->OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    CLEANUP(free_certificate) X509 *x = read_certificate(pem, len);
    CLEANUP(free_key) EVP_PKEY *key = NULL;
    if (x == NULL) {
        ssl->ERR_clear_error();
        return make_error(err, ERR_INPUT, 0, "its certificate cannot be read");
    }
    if (take_key(x, order, &key, err) != 0)
        return -1;
    if (set_serial(x) != 1)
        return crypto_failed(err, "make a serial number");
    int rc = order->how == CERTIFICATE_WRONG_NAME ? set_name(x, order->name, err)
                                                  : set_times(x, order, err);
    if (rc != 0)
        return -1;
    if (ssl->X509_sign(x, key, digest_for(key)) == 0)
        return crypto_failed(err, "sign the certificate");
    return print(x, out, err);
}
