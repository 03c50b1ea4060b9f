/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(struct buf *out, const char *text)
{
    for (size_t len = strlen(text); len > 0;) {
        unsigned char in[3] = {0, 0, 0};
        size_t n = len < 3 ? len : 3;
        memcpy(in, text, n);
        char four[5] = {digits[in[0] >> 2], digits[(in[0] & 3) << 4 | in[1] >> 4],
                        (char)(n > 1 ? digits[(in[1] & 15) << 2 | in[2] >> 6] : '='),
                        (char)(n > 2 ? digits[in[2] & 63] : '='), '\0'};
        buf_puts(out, four);
        text += n;
        len -= n;
    }
}

size_t template_base64_decode(const char *text, char *out, size_t size)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (; *text != '\0' && n < size; text++) {
        const char *at = strchr(digits, *text);
        if (at == NULL)
            break;
        bits = bits << 6 | (uint32_t)(at - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have & 255);
        }
    }
    return n;
}

/* What stands for one word; false: it is none of ours. */
static bool word_put(const char *word, size_t len, uint64_t id, const char *collection,
                     struct buf *out)
{
    char text[LEDGER_COLLECTION_MAX + 32];
    size_t plain = len >= 2 && memcmp(word + len - 2, "64", 2) == 0 ? len - 2 : len;
    if (plain == 2 && memcmp(word, "id", 2) == 0)
        (void)snprintf(text, sizeof(text), "%" PRIu64, id);
    else if (plain == 3 && memcmp(word, "key", 3) == 0)
        (void)snprintf(text, sizeof(text), "%s/%" PRIu64, collection, id);
    else if (plain == 6 && memcmp(word, "prefix", 6) == 0)
        (void)snprintf(text, sizeof(text), "%s/", collection);
    else if (plain == 3 && memcmp(word, "end", 3) == 0)
        (void)snprintf(text, sizeof(text), "%s0", collection); /* '0' comes right behind '/' */
    else
        return false;
    if (plain != len)
        put_base64(out, text);
    else
        buf_puts(out, text);
    return true;
}

static size_t host_put(const char *text, const struct named_host *host, struct buf *out)
{
    static const char *const names[] = {"${host}", "${host.ip}", "${host.ip6}"};
    const char *const values[] = {host->name, named_host_address(host), host->ip6};
    for (size_t i = 0; i < 3; i++)
        if (strncmp(text, names[i], strlen(names[i])) == 0) {
            buf_puts(out, values[i]);
            return strlen(names[i]);
        }
    return 0;
}

int template_expand(const char *text, uint64_t id, const struct ledger_place *p,
                    const struct named_host *host, struct buf *out, struct err *err)
{
    while (*text != '\0') {
        size_t taken = *text == '$' && host != NULL ? host_put(text, host, out) : 0;
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        if (taken == 0 && end != NULL &&
            word_put(text + 1, (size_t)(end - text) - 1, id, p->collection, out))
            taken = (size_t)(end - text) + 1;
        if (taken == 0) {
            buf_add(out, text, 1);
            taken = 1;
        }
        text += taken;
    }
    if (!buf_ok(out))
        return make_error(err, ERR_LIMIT, 0, "longer than it may be, with all words put in");
    return 0;
}

bool template_has_id(const char *text)
{
    return strstr(text, "{id}") != NULL || strstr(text, "{key}") != NULL ||
           strstr(text, "{id64}") != NULL || strstr(text, "{key64}") != NULL;
}
