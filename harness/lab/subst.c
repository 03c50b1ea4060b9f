/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/subst.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024 * 1024 };

static bool has_label(const struct lab_host_spec *host, const char *label, size_t len)
{
    for (size_t i = 0; i < host->n_labels; i++)
        if (strlen(host->labels[i]) == len && memcmp(host->labels[i], label, len) == 0)
            return true;
    return false;
}

static bool put_label(const struct lab_context *lab, const char *label, size_t len, struct buf *out)
{
    size_t found = 0;
    for (size_t i = 0; i < lab->n_hosts; i++)
        if (has_label(lab->hosts[i].spec, label, len))
            buf_printf(out, "%s%s", found++ != 0 ? "," : "", lab->hosts[i].spec->name);
    return found != 0;
}

/* False when the word is none of ours. */
static bool put_word(const struct lab_context *lab, size_t host, const char *word, size_t len,
                     struct buf *out)
{
    const struct context_host *h = &lab->hosts[host];
    const struct {
        const char *word, *value;
    } words[] = {{"host", h->spec->name}, {"host.ip", h->ip}, {"host.ip6", h->ip6}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) != len || memcmp(words[i].word, word, len) != 0)
            continue;
        buf_puts(out, words[i].value);
        return true;
    }
    static const char list[] = "hosts.";
    const size_t head = sizeof(list) - 1;
    return len > head && memcmp(word, list, head) == 0 &&
           put_label(lab, word + head, len - head, out);
}

int subst_text(const struct lab_context *lab, size_t host, const char *text, char **ret,
               struct err *err)
{
    struct buf out CLEANUP(buf_free) = BUF_INIT(TEXT_MAX);
    buf_puts(&out, "");
    while (*text != '\0') {
        const char *open = strstr(text, "${");
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            buf_puts(&out, text);
            break;
        }
        buf_add(&out, text, (size_t)(open - text));
        if (!put_word(lab, host, open + 2, (size_t)(close - open - 2), &out))
            buf_add(&out, open, (size_t)(close - open) + 1);
        text = close + 1;
    }
    *ret = buf_steal(&out);
    if (*ret == NULL)
        return make_error(err, ERR_LIMIT, 0, "a text of a service is longer than %d bytes",
                          TEXT_MAX);
    return 0;
}

void subst_free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

int subst_list(const struct lab_context *lab, size_t host, const char *const *list, size_t n,
               char ***ret, struct err *err)
{
    char **made = calloc(n + 1, sizeof(char *));
    if (made == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    for (size_t i = 0; i < n; i++)
        if (subst_text(lab, host, list[i], &made[i], err) != 0) {
            subst_free_list(made);
            return -1;
        }
    *ret = made;
    return 0;
}
