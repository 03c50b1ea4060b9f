/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_kinds.h"

#include "base/param.h"
#include "cmd/terminal.h"
#include "scenario/kind_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, WORDS_MAX = 128, NAME_COLUMN = 20 };

static const char *name_of(const struct cmd_kinds *kinds, size_t i)
{
    if (kinds->plain == NULL)
        return kinds->name(i);
    return i < kinds->plain->n ? kinds->plain->rows[i]->name : NULL;
}

static const char *summary_of(const struct cmd_kinds *kinds, size_t i)
{
    return kinds->plain != NULL ? kinds->plain->rows[i]->summary : kinds->summary(i);
}

static json_t *json_of(const struct cmd_kinds *kinds, size_t i)
{
    return kinds->plain != NULL ? kind_json(kinds->plain->rows[i]) : kinds->json(i);
}

static void put_text(const struct cmd_kinds *kinds, size_t i, size_t width, struct buf *out)
{
    if (kinds->plain != NULL)
        kind_text(kinds->plain->rows[i], width, out);
    else
        kinds->text(i, width, out);
}

static int find(const struct cmd_kinds *kinds, const char *name, size_t *ret, struct err *err)
{
    const char *words[WORDS_MAX];
    size_t n = 0;
    for (; n < WORDS_MAX && name_of(kinds, n) != NULL; n++) {
        words[n] = name_of(kinds, n);
        if (strcmp(words[n], name) == 0) {
            *ret = n;
            return 0;
        }
    }
    const char *near = nearest_word(name, words, n);
    if (near == NULL)
        return make_error(err, ERR_USAGE, 0, "there is no %s \"%s\"; \"blackstart %ss\" lists them",
                          kinds->word, name, kinds->word);
    return make_error(err, ERR_USAGE, 0, "there is no %s \"%s\"; did you mean \"%s\"?", kinds->word,
                      name, near);
}

static void put_list(const struct cmd_kinds *kinds, size_t width, struct buf *out)
{
    for (size_t i = 0; name_of(kinds, i) != NULL; i++) {
        buf_printf(out, "%-*s ", NAME_COLUMN, name_of(kinds, i));
        buf_wrap(out, summary_of(kinds, i), NAME_COLUMN + 1, NAME_COLUMN + 1, width);
    }
    buf_printf(out, "\n\"blackstart %ss NAME\" has parameters and an example of each.\n",
               kinds->word);
}

static int put_json(const struct cmd_kinds *kinds, size_t first, size_t end, struct buf *out,
                    struct err *err)
{
    json_t *list = json_array();
    for (size_t i = first; i < end && name_of(kinds, i) != NULL; i++)
        (void)json_array_append_new(list, json_of(kinds, i));
    char *text = json_dumps(list, JSON_INDENT(2));
    json_decref(list);
    if (text == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    buf_printf(out, "%s\n", text);
    free(text);
    return 0;
}

int cmd_kinds_run(const struct cmd_kinds *kinds, const struct command_args *args, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    size_t width = (size_t)terminal_width(stdout), only = 0;
    bool one = args->n_operands != 0;
    if (one && find(kinds, args->operands[0], &only, err) != 0)
        return -1;
    if (command_flag(args, "doc") && (one || command_flag(args, "json")))
        return make_error(err, ERR_USAGE, 0, "--doc is the whole page; it stands alone");
    if (command_flag(args, "doc")) {
        kinds->doc(&text);
    } else if (command_flag(args, "json")) {
        if (put_json(kinds, only, one ? only + 1 : SIZE_MAX, &text, err) != 0)
            return -1;
    } else if (one) {
        put_text(kinds, only, width, &text);
    } else {
        put_list(kinds, width, &text);
    }
    if (!buf_ok(&text))
        return make_error(err, ERR_LIMIT, 0, "the text is too long");
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

void cmd_kinds_words(const struct cmd_kinds *kinds, struct buf *out)
{
    for (size_t i = 0; name_of(kinds, i) != NULL; i++)
        buf_printf(out, "%s%s", i != 0 ? " " : "", name_of(kinds, i));
}
