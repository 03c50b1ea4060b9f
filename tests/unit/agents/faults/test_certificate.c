/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client's library says of a certificate that was spoiled. */
#include "agents/faults/certificate.h"
#include "base/cleanup.h"
#include "check.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { PEM_MAX = 8192, NOW = 1800000000, YEAR = 365 * 86400 };

static EVP_PKEY *ca_key, *site_key;
static X509 *ca;
static char site[PEM_MAX], ca_key_pem[PEM_MAX], site_key_pem[PEM_MAX];

static void take(BIO *bio, char out[PEM_MAX])
{
    int n = BIO_read(bio, out, PEM_MAX - 1);
    CU_ASSERT_TRUE_FATAL(n > 0);
    out[n] = '\0';
    (void)BIO_free(bio);
}

static X509 *make(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *with)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_NAME_new();
    (void)X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"org", -1,
                                     -1, 0);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                     -1, 0);
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    (void)ASN1_TIME_set(X509_getm_notBefore(x), NOW - YEAR);
    (void)ASN1_TIME_set(X509_getm_notAfter(x), NOW + YEAR);
    (void)X509_set_subject_name(x, subject);
    (void)X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    (void)X509_set_pubkey(x, key);
    X509_EXTENSION *ext =
        issuer != NULL
            ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:site,IP:10.0.0.1")
            : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    (void)X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    X509_NAME_free(subject);
    CU_ASSERT_TRUE_FATAL(X509_sign(x, with, EVP_sha256()) > 0);
    return x;
}

static void print_key(EVP_PKEY *key, char out[PEM_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    take(bio, out);
}

static void make_all(void)
{
    if (ca != NULL)
        return;
    ca_key = EVP_EC_gen("P-256");
    site_key = EVP_EC_gen("P-256");
    ca = make("authority", ca_key, NULL, ca_key);
    X509 *x = make("site", site_key, ca, ca_key);
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_X509(bio, x);
    take(bio, site);
    X509_free(x);
    print_key(ca_key, ca_key_pem);
    print_key(site_key, site_key_pem);
}

static X509 *read_pem(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    (void)BIO_free(bio);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    return x;
}

/* What a client that trusts the authority finds wrong with it at that time. */
static int verdict(X509 *x, const char *host)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    (void)X509_STORE_add_cert(store, ca);
    (void)X509_STORE_CTX_init(ctx, store, x, NULL);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), NOW);
    (void)X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), host, 0);
    int rc = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return rc;
}

static int spoil(enum certificate_how how, const char *key, int64_t by, int *ret_verdict,
                 struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PEM_MAX);
    const struct certificate_order order = {.how = how,
                                            .now = NOW,
                                            .by = by,
                                            .name = "wrong.invalid",
                                            .key = key,
                                            .key_len = key != NULL ? strlen(key) : 0};
    if (certificate_spoil(site, strlen(site), &order, &out, err) != 0)
        return -1;
    X509 *was = read_pem(site), *is = read_pem(buf_text(&out));
    *ret_verdict = verdict(is, "site");
    CU_ASSERT_EQUAL(X509_NAME_cmp(X509_get_issuer_name(was), X509_get_issuer_name(is)), 0);
    CU_ASSERT_EQUAL(X509_check_private_key(is, site_key), 1);
    CU_ASSERT_NOT_EQUAL(ASN1_INTEGER_cmp(X509_get0_serialNumber(was), X509_get0_serialNumber(is)),
                        0);
    if (how != CERTIFICATE_WRONG_NAME) {
        CU_ASSERT_EQUAL(X509_NAME_cmp(X509_get_subject_name(was), X509_get_subject_name(is)), 0);
        CU_ASSERT_EQUAL(X509_check_ip_asc(is, "10.0.0.1", 0), 1);
    } else {
        CU_ASSERT_EQUAL(X509_check_host(is, "wrong.invalid", 0, 0, NULL), 1);
        CU_ASSERT_EQUAL(X509_check_ip_asc(is, "10.0.0.1", 0), 0);
    }
    X509_free(was);
    X509_free(is);
    return 0;
}

static void expect(enum certificate_how how, const char *key, int64_t by, int want)
{
    struct err err = {.msg = ""};
    int is = -1;
    CU_ASSERT_EQUAL(spoil(how, key, by, &is, &err), 0);
    if (is != want)
        printf("\n  %s, wanted %s %s\n", X509_verify_cert_error_string(is),
               X509_verify_cert_error_string(want), err.msg);
    CU_ASSERT_EQUAL(is, want);
}

static void test_what_clients_say(void)
{
    make_all();
    X509 *x = read_pem(site);
    CU_ASSERT_EQUAL(verdict(x, "site"), X509_V_OK);
    X509_free(x);
    expect(CERTIFICATE_EXPIRED, ca_key_pem, 86400, X509_V_ERR_CERT_HAS_EXPIRED);
    expect(CERTIFICATE_EXPIRED, ca_key_pem, 1, X509_V_ERR_CERT_HAS_EXPIRED);
    expect(CERTIFICATE_EXPIRED, ca_key_pem, 2 * YEAR, X509_V_ERR_CERT_HAS_EXPIRED);
    expect(CERTIFICATE_NOT_YET_VALID, ca_key_pem, 3600, X509_V_ERR_CERT_NOT_YET_VALID);
    expect(CERTIFICATE_NOT_YET_VALID, ca_key_pem, 2 * YEAR, X509_V_ERR_CERT_NOT_YET_VALID);
    expect(CERTIFICATE_WRONG_NAME, ca_key_pem, 1, X509_V_ERR_HOSTNAME_MISMATCH);
}

static void test_a_key_of_nobody(void)
{
    make_all();
    expect(CERTIFICATE_EXPIRED, NULL, 86400, X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

static void test_what_cannot_be_used(void)
{
    struct err err;
    int ignored;
    size_t at, len;
    make_all();
    CU_ASSERT_EQUAL(spoil(CERTIFICATE_EXPIRED, site_key_pem, 1, &ignored, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not the one that signed"));
    CU_ASSERT_EQUAL(spoil(CERTIFICATE_EXPIRED, site, 1, &ignored, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cannot be read"));
    CU_ASSERT_EQUAL(certificate_find("none", 4, &at, &len, &err), -1);
    CU_ASSERT_EQUAL(certificate_find("-----BEGIN CERTIFICATE-----", 27, &at, &len, &err), -1);
}

static void test_a_chain(void)
{
    char text[2 * PEM_MAX + 64];
    struct err err;
    size_t at, len;
    make_all();
    (void)snprintf(text, sizeof(text), "# first\n%s%s", site, site);
    CU_ASSERT_EQUAL(certificate_find(text, strlen(text), &at, &len, &err), 0);
    CU_ASSERT_EQUAL(at, 8);
    CU_ASSERT_EQUAL(len, strlen(site));
}

static const struct check_test tests[] = {
    {"what clients say", test_what_clients_say},
    {"a key of nobody", test_a_key_of_nobody},
    {"what cannot be used", test_what_cannot_be_used},
    {"a chain", test_a_chain},
};

int main(void)
{
    int rc = check_main("certificate", tests, sizeof(tests) / sizeof(tests[0]));
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(site_key);
    return rc;
}
