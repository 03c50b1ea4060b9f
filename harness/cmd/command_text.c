/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>

static const struct command_option help_row = {
    .name = "help", .letter = 'h', .doc = "Print this text."};

static const struct command_option *option_at(const struct command *c, size_t i)
{
    return i < c->n_options ? &c->options[i] : &help_row;
}

/* "  -o, --out DIR" into out. */
static void option_head(const struct command_option *o, char *out, size_t size)
{
    char letter[8] = "    ";
    if (o->letter != 0)
        (void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    (void)snprintf(out, size, "  %s--%s%s%s", letter, o->name, o->argument != NULL ? " " : "",
                   o->argument != NULL ? o->argument : "");
}

/* The sentence, and behind it the words of the table that the option's value comes from. */
static void option_doc(const struct command_option *o, struct buf *out)
{
    buf_puts(out, o->doc);
    if (o->words == NULL)
        return;
    buf_puts(out, " One of: ");
    o->words(out);
    buf_puts(out, ".");
}

/* Each line of text behind `lead`. */
static void put_lines(struct buf *out, const char *lead, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        buf_printf(out, "%s%.*s\n", lead, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static size_t heads_width(const struct command *c)
{
    size_t width = 0;
    char head[96];
    for (size_t i = 0; i <= c->n_options; i++) {
        option_head(option_at(c, i), head, sizeof(head));
        if (strlen(head) > width)
            width = strlen(head);
    }
    return width;
}

void command_print_help(const struct command *c, size_t columns, struct buf *out)
{
    buf_printf(out, "Usage: blackstart %s%s%s\n\n%s\n", c->name, c->usage[0] != '\0' ? " " : "",
               c->usage, c->summary);
    if (c->doc != NULL) {
        buf_puts(out, "\n");
        buf_wrap(out, c->doc, 0, 0, columns);
    }
    buf_puts(out, "\nOptions:\n");
    size_t width = heads_width(c);
    for (size_t i = 0; i <= c->n_options; i++) {
        char head[96];
        CLEANUP_BUF struct buf doc = BUF_INIT(4096);
        option_head(option_at(c, i), head, sizeof(head));
        option_doc(option_at(c, i), &doc);
        buf_printf(out, "%-*s  ", (int)width, head);
        buf_wrap(out, buf_text(&doc), width + 2, width + 2, columns);
    }
    buf_puts(out, "\nExample:\n");
    put_lines(out, "  ", c->example);
}

void command_list_print_help(const struct command_list *list, struct buf *out)
{
    buf_puts(out, "Usage: blackstart COMMAND [OPTIONS] ...\n\n"
                  "Breaks hosts on purpose and measures how long a system takes to come back.\n\n"
                  "Commands:\n");
    size_t width = 0;
    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->commands[i]->name) > width)
            width = strlen(list->commands[i]->name);
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "  %-*s  %s\n", (int)width, list->commands[i]->name,
                   list->commands[i]->summary);
    buf_puts(out, "\n\"blackstart COMMAND --help\" has the options and an example of each.\n"
                  "Exit status: 0 pass, 1 a target was missed, 2 bad input, 3 inconclusive,\n"
                  "invalid or something in the way, 4 a host was left dirty. With --json, what is\n"
                  "wrong is the one document on the standard output: verdict null, exit, error,\n"
                  "problems.\n");
}

/* roff takes a dot or quote at a line's start, and every backslash, for its own. */
static void man_text(struct buf *out, const char *text)
{
    bool start = true;
    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\''))
            buf_puts(out, "\\&");
        if (*text == '\\')
            buf_puts(out, "\\e");
        else if (*text == '-')
            buf_puts(out, "\\-");
        else
            buf_add(out, text, 1);
        start = *text == '\n';
    }
}

static void man_option(const struct command_option *o, struct buf *out)
{
    buf_puts(out, ".TP\n.B ");
    if (o->letter != 0)
        buf_printf(out, "\\-%c, ", o->letter);
    buf_puts(out, "\\-\\-");
    man_text(out, o->name);
    buf_printf(out, "%s%s\n", o->argument != NULL ? " " : "",
               o->argument != NULL ? o->argument : "");
    CLEANUP_BUF struct buf doc = BUF_INIT(4096);
    option_doc(o, &doc);
    man_text(out, buf_text(&doc));
    buf_puts(out, "\n");
}

static void man_command(const struct command *c, struct buf *out)
{
    buf_printf(out, ".SS blackstart %s ", c->name);
    man_text(out, c->usage);
    buf_puts(out, "\n");
    man_text(out, c->summary);
    buf_puts(out, "\n");
    if (c->doc != NULL) {
        buf_puts(out, ".PP\n");
        man_text(out, c->doc);
        buf_puts(out, "\n");
    }
    for (size_t i = 0; i <= c->n_options; i++)
        man_option(option_at(c, i), out);
    buf_puts(out, ".PP\nExample:\n.PP\n.nf\n");
    man_text(out, c->example);
    buf_puts(out, "\n.fi\n");
}

void command_list_print_man(const struct command_list *list, struct buf *out)
{
    buf_puts(out, ".TH BLACKSTART 1 \"\" \"blackstart " BLACKSTART_VERSION "\"\n"
                  ".SH NAME\nblackstart \\- break hosts on purpose and measure the recovery\n"
                  ".SH SYNOPSIS\n.B blackstart\n.I COMMAND\n[OPTIONS] ...\n.SH COMMANDS\n");
    for (size_t i = 0; i < list->n; i++)
        man_command(list->commands[i], out);
    buf_puts(out, ".SH EXIT STATUS\n0 pass, 1 a target was missed, 2 bad input, 3 inconclusive, "
                  "invalid or something in the way, 4 a host was left dirty.\n");
}

static void completion_case(const struct command *c, struct buf *out)
{
    buf_printf(out, "        %s) options=\"", c->name);
    for (size_t i = 0; i <= c->n_options; i++)
        buf_printf(out, "%s--%s", i != 0 ? " " : "", option_at(c, i)->name);
    buf_puts(out, "\" words=\"");
    if (c->complete != NULL)
        c->complete(out);
    buf_puts(out, "\" ;;\n");
}

int command_list_print_completion(const struct command_list *list, const char *shell,
                                  struct buf *out, struct err *err)
{
    if (strcmp(shell, "bash") != 0)
        return make_error(err, ERR_USAGE, 0, "there is completion for bash, not for \"%s\"", shell);
    buf_puts(out, "_blackstart() {\n"
                  "    local word=${COMP_WORDS[COMP_CWORD]} words= options=\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s%s", i != 0 ? " " : "", list->commands[i]->name);
    buf_puts(out, "\"\n    else\n        case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < list->n; i++)
        completion_case(list->commands[i], out);
    buf_puts(out, "        esac\n"
                  "        [ \"$COMP_CWORD\" -eq 2 ] || words=\n"
                  "        case $word in -*) words=$options ;; esac\n"
                  "    fi\n"
                  "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                  "}\n"
                  "complete -o default -F _blackstart blackstart\n");
    return 0;
}
