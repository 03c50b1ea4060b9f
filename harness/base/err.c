/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum err_code code;
    const char *word;
    int status;
} codes[] = {
#define ERR_ROW(code, word, status) {code, word, status},
    ERR_CODES(ERR_ROW)
#undef ERR_ROW
};

enum { N_CODES = sizeof(codes) / sizeof(codes[0]) };

int make_error(struct err *err, enum err_code code, int sys, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    err->code = code;
    err->sys = sys;
    err->hint = 0;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    if (n < 0)
        err->msg[0] = '\0';
    if (sys != 0) {
        size_t used = strlen(err->msg);
        char text[96];
        /* The GNU strerror_r: it needs neither malloc nor the locale's lock. */
        const char *why = strerror_r(sys, text, sizeof(text));
        (void)snprintf(err->msg + used, sizeof(err->msg) - used, "%s%s", used ? ": " : "", why);
    }
    return -1;
}

int make_error_hint(struct err *err, enum err_code code, const char *hint, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    *err = (struct err){.code = code};
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    size_t used = n >= 0 ? strlen(err->msg) : 0;
    if (used + 2 >= sizeof(err->msg))
        return -1;
    (void)snprintf(err->msg + used, sizeof(err->msg) - used, "; %s", hint);
    err->hint = (unsigned)used + 2;
    return -1;
}

int wrap_error(struct err *err, const char *fmt, ...)
{
    if (err == NULL)
        return -1;
    char head[ERR_MSG_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(head, sizeof(head), fmt, args);
    va_end(args);
    if (n < 0)
        return -1;
    size_t used = strlen(head);
    if (used + 2 >= sizeof(head))
        return -1;
    (void)snprintf(head + used, sizeof(head) - used, ": %.*s", (int)(sizeof(head) - used - 3),
                   err->msg);
    memcpy(err->msg, head, sizeof(head));
    if (err->hint != 0)
        err->hint += (unsigned)used + 2;
    if (err->hint >= strlen(err->msg))
        err->hint = 0;
    return -1;
}

const char *err_word(enum err_code code)
{
    for (size_t i = 0; i < N_CODES; i++)
        if (codes[i].code == code)
            return codes[i].word;
    return "none";
}

enum err_code err_from_word(const char *word)
{
    for (size_t i = 0; word != NULL && i < N_CODES; i++)
        if (strcmp(codes[i].word, word) == 0)
            return codes[i].code;
    return ERR_PROTOCOL;
}

int err_exit_status(enum err_code code)
{
    for (size_t i = 0; i < N_CODES; i++)
        if (codes[i].code == code)
            return codes[i].status;
    return 3;
}
