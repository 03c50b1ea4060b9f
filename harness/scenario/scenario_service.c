/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE_MAX = 07777 };

static void read_mode(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    uint32_t mode = 0;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    const char *s = node->text;
    for (; *s >= '0' && *s <= '7' && mode <= FILE_MODE_MAX; s++)
        mode = mode * 8 + (uint32_t)(*s - '0');
    if (*s != '\0' || node->text[0] != '0' || mode == 0 || mode > FILE_MODE_MAX)
        reader_problem(r, node->pos, NULL, "%s: expected an octal mode such as 0644, found \"%s\"",
                       key->name, node->text);
    *(uint32_t *)at = mode;
}

static json_t *schema_mode(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s]}", "type", "string", "integer");
}

/* Relative to the file that names it, so that a scenario and its files travel together. What a
 * journal holds may be read again where they are not. */
static void finish_file(struct reader *r, const struct node *node, void *at)
{
    struct lab_file_spec *file = at;
    if (file->from == NULL)
        return;
    file->from = reader_path(r, file->from);
    if (r->other == NULL && access(file->from, R_OK) != 0)
        reader_problem(r, node_get(node, "from")->pos, NULL, "from: %s: %s", file->from,
                       strerror(errno));
}

static const struct key file_keys[] = {
    {.name = "content",
     .type = KEY_TEXT,
     AT(struct lab_file_spec, content),
     .group = 1,
     .doc = "The file's text."},
    {.name = "from",
     .type = KEY_TEXT,
     AT(struct lab_file_spec, from),
     .group = 1,
     .doc = "A file or directory of this machine that is copied; relative to the scenario's own."},
    {.name = "mode",
     .type = KEY_CUSTOM,
     AT(struct lab_file_spec, mode),
     .read = read_mode,
     .schema = schema_mode,
     .shape = "octal",
     .doc = "Permissions, such as 0600.",
     .def = "0644, or as they are"},
    {.name = "owner",
     .type = KEY_NAME,
     AT(struct lab_file_spec, owner),
     .doc = "The user whom it belongs to; without it, the service's."},
};
static const struct section section_file = {
    .name = "file",
    .size = sizeof(struct lab_file_spec),
    KEYS(file_keys),
    .shorthand = "content",
    .one_of = true,
    .has_name = true,
    .name_at = offsetof(struct lab_file_spec, path),
    .name_type = PARAM_PATH,
    .finish = finish_file,
    .doc = "A file that a service needs. A text alone is its content.",
    .example = "files:\n  /etc/app.conf: |\n    listen 8080\n  /opt/app: {from: \"${build}\"}\n",
};

static void finish_ready(struct reader *r, const struct node *node, void *at)
{
    static const struct {
        const char *key;
        enum ready_kind kind;
    } kinds[] = {
        {"tcp", READY_TCP}, {"http", READY_HTTP}, {"log", READY_LOG}, {"exec", READY_EXEC}};
    struct lab_service_spec *s = at;
    (void)r;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (node_get(node, kinds[i].key) != NULL)
            s->ready = kinds[i].kind;
}

static const struct key ready_keys[] = {
    {.name = "tcp",
     .type = KEY_TEXT,
     AT(struct lab_service_spec, ready_what),
     .group = 1,
     .doc = "A port (of the host itself) or address:port that takes a connection."},
    {.name = "http",
     .type = KEY_TEXT,
     AT(struct lab_service_spec, ready_what),
     .group = 1,
     .doc = "A URL that answers with a status of 200 to 399."},
    {.name = "exec",
     .type = KEY_COMMAND,
     .offset = offsetof(struct lab_service_spec, ready_command),
     .count = offsetof(struct lab_service_spec, n_ready_command),
     .group = 1,
     .doc = "A command in the host that ends with status 0."},
    {.name = "log",
     .type = KEY_TEXT,
     AT(struct lab_service_spec, ready_what),
     .group = 1,
     .doc = "A text that appears in the service's log."},
    {.name = "timeout",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct lab_service_spec, ready_timeout),
     .min = 1000000,
     .max = INT64_C(600000000000),
     .def = "30s",
     .doc = "After this long the lab gives up."},
};
static const struct section section_ready = {
    .name = "ready",
    KEYS(ready_keys),
    .one_of = true,
    .finish = finish_ready,
    .doc = "When a service counts as started. Without it, as soon as it runs.",
    .example = "ready: {http: \"http://${host}:8080/health\", timeout: 20s}\n",
};

static const struct key reload_keys[] = {
    {.name = "signal",
     .type = KEY_PARAM,
     .param = PARAM_SIGNAL,
     AT(struct lab_service_spec, reload_signal),
     .group = 1,
     .doc = "A signal to the main process."},
    {.name = "command",
     .type = KEY_COMMAND,
     .offset = offsetof(struct lab_service_spec, reload_command),
     .count = offsetof(struct lab_service_spec, n_reload_command),
     .group = 1,
     .doc = "A command in the host."},
};
static const struct section section_reload = {
    .name = "reload",
    KEYS(reload_keys),
    .one_of = true,
    .shorthand = "signal",
    .doc =
        "How the service is made to read its configuration again. A signal's name alone will do.",
    .example = "reload: HUP\n",
};

static const struct key stop_keys[] = {
    {.name = "signal",
     .type = KEY_PARAM,
     .param = PARAM_SIGNAL,
     AT(struct lab_service_spec, stop_signal),
     .def = "TERM",
     .doc = "What asks it to stop."},
    {.name = "timeout",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct lab_service_spec, stop_timeout),
     .max = INT64_C(600000000000),
     .def = "5s",
     .doc = "After this long it is killed."},
};
static const struct section section_stop = {
    .name = "stop",
    KEYS(stop_keys),
    .shorthand = "signal",
    .doc = "How the service is stopped.",
    .example = "stop: {signal: QUIT, timeout: 10s}\n",
};

static const struct key limit_keys[] = {
    {.name = "memory",
     .type = KEY_PARAM,
     .param = PARAM_BYTES,
     AT(struct lab_service_spec, memory),
     .min = 1 << 20,
     .doc = "Memory of the service as a whole."},
    {.name = "cpu",
     .type = KEY_PARAM,
     .param = PARAM_RATIO,
     AT(struct lab_service_spec, cpu),
     .min = 10000,
     .max = 1000000,
     .doc = "The share of one processor that the service has at most, in each tenth of a second."},
    {.name = "open_files",
     .type = KEY_COUNT,
     AT(struct lab_service_spec, open_files),
     .min = 8,
     .max = 1048576,
     .doc = "Open files of each process."},
    {.name = "processes",
     .type = KEY_COUNT,
     AT(struct lab_service_spec, processes),
     .min = 1,
     .max = 4194304,
     .doc = "Processes and threads of the service."},
};
static const struct section section_limits = {
    .name = "limits",
    KEYS(limit_keys),
    .doc = "What the service may use.",
    .example = "limits: {memory: 256MiB, open_files: 1024}\n",
};

static const char *const faults_words[] = {"none", "preload", "seccomp", "auto", NULL};
static const char *const trap_words[] = {"rare", "writes", "all", NULL};
static const char *const restart_words[] = {"never", "on-failure", "always", NULL};

static void read_env(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct lab_service_spec *s = at;
    if (reader_want(r, key, node, NODE_MAP) == NULL || node->n > SCENARIO_ITEMS_MAX)
        return;
    const char **list = reader_alloc(r, node->n, sizeof(*list));
    for (size_t i = 0; list != NULL && i < node->n; i++) {
        const struct node_item *item = &node->items[i];
        if (strchr(item->key, '=') != NULL)
            reader_problem(r, item->key_pos, NULL, "env: a name without \"=\" is needed");
        if (item->value->kind != NODE_SCALAR) {
            (void)reader_want(r, key, item->value, NODE_SCALAR);
            continue;
        }
        size_t size = strlen(item->key) + strlen(item->value->text) + 2;
        char *pair = reader_alloc(r, size, 1);
        if (pair != NULL)
            (void)snprintf(pair, size, "%s=%s", item->key, item->value->text);
        list[s->n_env++] = pair;
    }
    s->env = list;
}

static json_t *schema_env(const struct key *key)
{
    (void)key;
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_scalar());
}

/* The hosts' names, in the order of the lab. */
static void read_service_hosts(struct reader *r, const struct key *key, const struct node *node,
                               void *at)
{
    struct lab_service_spec *s = at;
    const struct selector *selector = NULL;
    struct key in_lab = *key;
    bool chosen[SCENARIO_HOSTS_MAX];
    size_t before = r->problems->n, k = 0;
    static const struct selector all = {.kind = SELECT_ALL};
    in_lab.scope = SCOPE_STATIC;
    if (node != NULL)
        read_selector(r, &in_lab, node, &selector);
    else
        selector = &all;
    if (selector == NULL || r->problems->n != before)
        return;
    size_t n = reader_count_hosts(r, selector, chosen);
    if (n == 0 && node != NULL)
        reader_problem(r, node->pos, NULL, "%s: that is no host", key->name);
    const char **names = reader_alloc(r, n, sizeof(*names));
    for (size_t i = 0; names != NULL && i < r->n_hosts && n != 0; i++)
        if (chosen[i])
            names[k++] = r->hosts[i].name;
    s->hosts = names;
    s->n_hosts = k;
}

/* A directory of a service's data becomes its user's alone (mode 0750). These are what the whole
 * host lives on: the kernel's own, those of the base system, and those that all packages share. */
static const char *const whole_system[] = {
    "/bin",     "/boot",      "/dev",       "/dev/shm",   "/etc", "/lib",       "/lib64",
    "/proc",    "/run",       "/sbin",      "/sys",       "/tmp", "/usr",       "/usr/bin",
    "/usr/lib", "/usr/local", "/usr/sbin",  "/usr/share", "/var", "/var/cache", "/var/lib",
    "/var/log", "/var/run",   "/var/spool", "/var/tmp",
};
static const char *const kernels_own[] = {"/proc/", "/sys/"}; /* all beneath, too */

static bool is_whole_system(const char *path)
{
    for (size_t i = 0; i < sizeof(whole_system) / sizeof(whole_system[0]); i++)
        if (strcmp(path, whole_system[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(kernels_own) / sizeof(kernels_own[0]); i++)
        if (strncmp(path, kernels_own[i], strlen(kernels_own[i])) == 0)
            return true;
    return false;
}

static void check_data(struct reader *r, const struct node *node, const struct lab_service_spec *s)
{
    char hint[100];
    (void)snprintf(hint, sizeof(hint), "a directory of its own, such as /var/lib/%.40s", s->name);
    for (size_t i = 0; i < s->n_data; i++)
        if (s->data[i] != NULL && is_whole_system(s->data[i]))
            reader_problem(r, node->kind == NODE_LIST ? node->items[i].value->pos : node->pos, hint,
                           "data: %s is what the whole host lives on, and would become the "
                           "service's alone",
                           s->data[i]);
}

static void finish_service(struct reader *r, const struct node *node, void *at)
{
    const struct key hosts = {.name = "hosts"};
    const struct node *data = node_get(node, "data");
    if (data != NULL)
        check_data(r, data, at);
    if (node_get(node, "hosts") == NULL)
        read_service_hosts(r, &hosts, NULL, at);
}

static const struct key service_keys[] = {
    {.name = "hosts",
     .type = KEY_CUSTOM,
     .read = read_service_hosts,
     .schema = schema_selector,
     .shape = "hosts",
     .def = "all",
     .doc = "Where it runs: a name, a list of names, {label: L}, {all_but: HOSTS} or all."},
    {.name = "command",
     .type = KEY_COMMAND,
     AT_LIST(struct lab_service_spec, command),
     .required = true,
     .doc = "The program and its arguments; it stays in the foreground. A text is split at spaces; "
            "no shell is used. ${host}, ${host.ip}, ${host.ip6} and ${hosts.LABEL} are put in when "
            "it is started."},
    {.name = "user",
     .type = KEY_NAME,
     AT(struct lab_service_spec, user),
     .def = "root",
     .doc = "Who runs it; made in the host when there is no such user."},
    {.name = "env",
     .type = KEY_CUSTOM,
     .read = read_env,
     .schema = schema_env,
     .shape = "map of texts",
     .doc = "Environment: NAME: value."},
    {.name = "files",
     .type = KEY_MAP,
     AT_LIST(struct lab_service_spec, files),
     .section = &section_file,
     .max = 64,
     .doc = "Files that it needs, by their path in the host."},
    {.name = "data",
     .type = KEY_PATHS,
     AT_LIST(struct lab_service_spec, data),
     .doc = "Directories that are made for it, empty, owned by its user and closed to others; "
            "those of the whole host (/etc, /var, /var/lib, /proc ...) are refused."},
    {.name = "workdir",
     .type = KEY_PATH,
     AT(struct lab_service_spec, workdir),
     .def = "/",
     .doc = "Its working directory."},
    {.name = "ready",
     .type = KEY_SECTION,
     .section = &section_ready,
     .doc = "When it counts as started."},
    {.name = "after",
     .type = KEY_NAMES,
     AT_LIST(struct lab_service_spec, after),
     .doc = "Services that must be ready first, on any host."},
    {.name = "reload",
     .type = KEY_SECTION,
     .section = &section_reload,
     .doc = "How it reads its configuration again."},
    {.name = "stop", .type = KEY_SECTION, .section = &section_stop, .doc = "How it is stopped."},
    {.name = "restart",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = restart_words,
     AT(struct lab_service_spec, restart),
     .def = "never",
     .doc = "Whether the host's init starts it again when it ends."},
    {.name = "restart_delay",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct lab_service_spec, restart_delay),
     .def = "100ms",
     .max = INT64_C(3600000000000),
     .doc = "How long it waits before that."},
    {.name = "limits", .type = KEY_SECTION, .section = &section_limits, .doc = "What it may use."},
    {.name = "log",
     .type = KEY_PATH,
     AT(struct lab_service_spec, log),
     .doc = "Its log file in the host. Without it, what it prints is its log."},
    {.name = "preload",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct lab_service_spec, preload),
     .def = "false",
     .doc = "The same as `faults: preload`."},
    {.name = "faults",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = faults_words,
     AT(struct lab_service_spec, faults),
     .def = "none",
     .doc =
         "How faults on its calls get at them: preload, a library that is loaded into it, and that "
         "faults on its clock need too; "
         "seccomp, for programs that load none or go past it (static ones, Go, io_uring, which "
         "is kept from them): the kernel stops their calls on files until a supervisor has "
         "answered; auto, seccomp if the program in `command` is static or built by Go, else "
         "preload."},
    {.name = "trap",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = trap_words,
     AT(struct lab_service_spec, trap),
     .def = "rare",
     .doc = "With seccomp, which calls are stopped, all through its life: rare, all on files but "
            "reads and writes; writes, these too; all. Each stopped call costs some tens of "
            "microseconds, those on sockets and pipes too."},
    {.name = "start",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct lab_service_spec, start),
     .def = "true",
     .doc = "Start it with the lab."},
};
const struct section section_service = {
    .name = "service",
    .size = sizeof(struct lab_service_spec),
    KEYS(service_keys),
    .variants = true,
    NAMED_IN(struct lab_service_spec),
    .finish = finish_service,
    .doc = "A program that runs on hosts of the lab: a Debian package's, or your own.",
    .example = "services:\n  app:\n    hosts: {label: web}\n"
               "    files: {/opt/app: {from: \"${build}\"}}\n"
               "    command: [/opt/app, --listen=:8080]\n"
               "    ready: {tcp: 8080}\n    restart: on-failure\n",
};
