/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's configuration file as the privileged side reads it for an edit by key. The first byte
 * says the format and how many keys follow, one a line; the file is what stands behind them. What
 * is found lies inside the file, and replacing it leaves every other byte.
 */
#include "agents/faults/config_edit.h"
#include "agents/faults/config_key.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take_key(const uint8_t **data, size_t *size, struct names *key)
{
    static const struct param p = {.name = "key", .type = PARAM_NAMES};
    struct err err;
    char word[NAME_MAX_LEN + 1];
    const uint8_t *end = memchr(*data, '\n', *size);
    size_t len = end != NULL ? (size_t)(end - *data) : 0;
    if (end == NULL || len >= sizeof(word))
        return false;
    memcpy(word, *data, len);
    word[len] = '\0';
    *data += len + 1;
    *size -= len + 1;
    return param_parse(&p, word, key, &err) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct names key;
    static const struct text text = {.len = 1, .s = "x"};
    struct config_span span = {0};
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    if (size == 0)
        return 0;
    bool json = data[0] % 2 == 0;
    int n = data[0] / 2 % 4 + 1;
    data++;
    size--;
    memset(&key, 0, sizeof(key));
    for (int i = 0; i < n; i++)
        if (!take_key(&data, &size, &key))
            return 0;
    const char *file = (const char *)data;
    int rc = json ? config_json_find(file, size, &key, &span, &err)
                  : config_yaml_find(file, size, &key, &span, &err);
    if (rc != 0)
        return 0;
    if (span.start > span.end || span.end > size)
        abort();
    if (config_edit_span(file, size, span.start, span.end, &text, &out, &err) != 0 ||
        out.len != size - (span.end - span.start) + 1 ||
        memcmp(buf_text(&out), file, span.start) != 0 ||
        memcmp(buf_text(&out) + span.start + 1, file + span.end, size - span.end) != 0)
        abort();
    return 0;
}
