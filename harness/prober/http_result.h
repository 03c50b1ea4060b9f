/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transfer of libcurl's that failed is called. */
#ifndef BLACKSTART_PROBER_HTTP_RESULT_H
#define BLACKSTART_PROBER_HTTP_RESULT_H

#include "base/sample.h"

#include <curl/curl.h>

/* code is not CURLE_OK. */
enum sample_result http_result_of(CURL *easy, CURLcode code);

#endif
