/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/url.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

void url_free(struct url *u)
{
    curl_free(u->host);
    curl_free(u->port);
}

int url_read(const char *text, struct url *ret, struct err *err)
{
    char *scheme = NULL;
    *ret = (struct url){NULL, NULL};
    CURLU *u = curl_url();
    CURLUcode code = u != NULL ? curl_url_set(u, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    if (code == CURLUE_OK)
        code = curl_url_get(u, CURLUPART_HOST, &ret->host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK)
        code = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
    bool web = scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(u);
    /* http://fd00::1:80/: nobody can tell where the address ends. */
    const char *colon = strchr(text, ':');
    bool bare = colon != NULL && strstr(colon, "::") != NULL && strchr(text, '[') == NULL;
    if (code != CURLUE_OK)
        return make_error(err, ERR_INPUT, 0, "%s is not a URL: %s%s", text, curl_url_strerror(code),
                          bare ? "; an IPv6 address stands in brackets" : "");
    if (!web)
        return make_error(err, ERR_INPUT, 0, "%s is neither http:// nor https://", text);
    return 0;
}
