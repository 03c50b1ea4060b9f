/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/command.h"
#include "scenario/scenario_template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 65536, WORDS_MAX = 128 };

static const struct fault *find_fault(const char *name, struct err *err)
{
    const char *words[WORDS_MAX];
    size_t n = 0;
    const struct fault *fault = catalogue_find(&fault_catalogue, name);
    if (fault != NULL)
        return fault;
    for (; n < fault_catalogue.n && n < WORDS_MAX; n++)
        words[n] = fault_catalogue.faults[n]->name;
    const char *near = nearest_word(name, words, n);
    (void)make_error(err, ERR_USAGE, 0, "there is no fault \"%s\"%s%s%s", name,
                     near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                     near != NULL ? "\"?" : "");
    return NULL;
}

/* The scenario's name: the file's, without its folder and ending. */
static void name_of(const char *file, char *out, size_t size)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    const char *base = slash != NULL ? slash + 1 : file != NULL ? file : "my-scenario";
    size_t len = strspn(base, allowed);
    if (len == 0 || base[0] == '-')
        (void)snprintf(out, size, "my-scenario");
    else
        (void)snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), base);
}

/* "schema.json" when one lies beside the file. */
static const char *schema_beside(const char *file)
{
    char path[4096];
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    int dir = slash != NULL ? (int)(slash - file) + 1 : 0;
    int n = snprintf(path, sizeof(path), "%.*sschema.json", dir, file != NULL ? file : "");
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0 ? "schema.json" : NULL;
}

static int write_file(const char *file, const struct buf *text, struct err *err)
{
    CLEANUP_FD int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return make_error(err, ERR_USAGE, 0, "%s is there already; it is left as it is", file);
    if (fd < 0)
        return make_error(err, ERR_INPUT, errno, "%s", file);
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "write %s", file);
        done += n > 0 ? (size_t)n : 0;
    }
    (void)printf("%s written. Next:\n  blackstart validate %s\n  blackstart run %s\n", file, file,
                 file);
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    char name[NAME_MAX_LEN + 1];
    const char *file = args->n_operands != 0 ? args->operands[0] : NULL;
    const char *wanted = command_value(args, "fault");
    const struct fault *fault = find_fault(wanted != NULL ? wanted : "process.kill", err);
    if (fault == NULL)
        return -1;
    name_of(file, name, sizeof(name));
    if (scenario_template(fault, name, schema_beside(file), &text, err) < 0)
        return -1;
    if (!buf_ok(&text))
        return make_error(err, ERR_LIMIT, 0, "the text is too long");
    if (file != NULL)
        return write_file(file, &text, err);
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static const struct command_option options[] = {
    {.name = "fault",
     .letter = 'f',
     .argument = "NAME",
     .doc = "Build it around this fault (blackstart faults); default process.kill."},
};

const struct command command_new = {
    .name = "new",
    .summary = "Write a commented scenario to start from.",
    .usage = "[--fault NAME] [FILE]",
    .doc =
        "It is the shipped example of the fault, with the lab in it: it can be run as it is.\n"
        "Without FILE it goes to the standard output. A file that is there is never overwritten.",
    .example = "blackstart new --fault network.loss my-loss.yaml",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .run = run,
};
