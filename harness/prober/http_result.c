/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/http_result.h"
#include "prober/loop.h"

#include <openssl/x509_vfy.h>

/* What OpenSSL found wrong with it. The name is compared by curl, before it takes over OpenSSL's
 * result, which is that nothing was wrong. */
static enum sample_result certificate_result(CURL *easy)
{
    long why = X509_V_ERR_APPLICATION_VERIFICATION;
    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &why);
    switch (why) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return SAMPLE_WRONG_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return SAMPLE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return SAMPLE_NOT_YET_VALID;
    default:
        return SAMPLE_CERTIFICATE;
    }
}

enum sample_result http_result_of(CURL *easy, CURLcode code)
{
    long sys = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &sys);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return SAMPLE_RESOLVE;
    case CURLE_OPERATION_TIMEDOUT:
        return SAMPLE_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
        return sys != 0 ? prober_result_of((int)sys) : SAMPLE_ERROR;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return SAMPLE_RESET;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return certificate_result(easy);
    case CURLE_OUT_OF_MEMORY:
        return SAMPLE_GAP;
    default:
        return SAMPLE_ERROR;
    }
}
