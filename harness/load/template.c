/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "load/load.h"

#include <string.h>

/* What stands in braces at s; how much of s it takes, 0: it is none of ours. */
static size_t expand_one(const char *s, uint64_t id, size_t user, const struct named_host *host,
                         struct buf *out)
{
    const struct {
        const char *word, *value;
    } texts[] = {{"${host}", host->name}, {"${host.ip}", host->ip}, {"${host.ip6}", host->ip6}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strncmp(s, texts[i].word, strlen(texts[i].word)) == 0) {
            buf_puts(out, texts[i].value);
            return strlen(texts[i].word);
        }
    if (strncmp(s, "{id}", 4) == 0) {
        buf_printf(out, "%llu", (unsigned long long)id);
        return 4;
    }
    if (strncmp(s, "{user}", 6) == 0) {
        buf_printf(out, "%zu", user + 1);
        return 6;
    }
    return 0;
}

void load_template(const char *text, uint64_t id, size_t user, const struct named_host *host,
                   struct buf *out)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "${");
        buf_add(out, text, plain);
        text += plain;
        size_t taken = *text != '\0' ? expand_one(text, id, user, host, out) : 0;
        if (taken == 0 && *text != '\0')
            buf_add(out, text++, 1);
        text += taken;
    }
}
