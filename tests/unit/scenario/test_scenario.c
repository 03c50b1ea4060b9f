/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "check.h"
#include "scenario/inventory.h"
#include "scenario/kind_text.h"
#include "scenario/scenario.h"
#include "scenario/scenario_read.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

static struct problems problems;

/* Prints what is wrong when there is something. */
static struct scenario *parse_as(const char *file, const char *text,
                                 const struct scenario_set *sets, size_t n_sets)
{
    struct scenario *s = NULL;
    struct err err = {0};
    problems_free(&problems);
    int failed = scenario_parse(file, text, strlen(text), &fault_catalogue, sets, n_sets, &s,
                                &problems, &err);
    CU_ASSERT_EQUAL(failed == 0, s != NULL);
    CU_ASSERT_EQUAL(failed == 0, problems.n == 0);
    return s;
}

static struct scenario *parse(const char *text)
{
    return parse_as(SOURCE_DIR "/scenarios/t.yaml", text, NULL, 0);
}

static void show(void)
{
    for (size_t i = 0; i < problems.n; i++)
        (void)printf("%s", problems.list[i].text);
}

static struct scenario *load(const char *file)
{
    struct scenario *s = NULL;
    struct err err = {0};
    problems_free(&problems);
    if (scenario_load(file, &fault_catalogue, NULL, 0, &s, &problems, &err) != 0)
        (void)printf("%s\n", err.msg);
    show();
    return s;
}

static void test_quickstart(void)
{
    struct scenario *s = load(SOURCE_DIR "/scenarios/quickstart.yaml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_STRING_EQUAL(s->name, "quickstart");
    CU_ASSERT_EQUAL(strlen(s->sha256), 64);
    CU_ASSERT_EQUAL(s->lab->n_hosts, 4);
    CU_ASSERT_STRING_EQUAL(s->lab->hosts[3].name, "client");
    CU_ASSERT_STRING_EQUAL(s->lab->name, "etcd3");
    const struct lab_service_spec *etcd = &s->lab->services[0];
    CU_ASSERT_EQUAL(etcd->n_hosts, 3);
    CU_ASSERT_STRING_EQUAL(etcd->command[0], "etcd");
    CU_ASSERT_STRING_EQUAL(etcd->command[1], "--name=${host}");
    CU_ASSERT_EQUAL(etcd->ready, READY_HTTP);
    CU_ASSERT_EQUAL(etcd->ready_timeout.ns, INT64_C(20000000000));
    CU_ASSERT_EQUAL(etcd->restart, RESTART_ON_FAILURE);
    CU_ASSERT_TRUE(etcd->start);
    const struct scenario_probe *p = &s->probes[0];
    CU_ASSERT_EQUAL(p->endpoints, ENDPOINTS_ANY);
    CU_ASSERT_EQUAL(p->every.ns, 100000000);
    CU_ASSERT_EQUAL(p->impact, IMPACT_EXPECTED);
    CU_ASSERT_STRING_EQUAL(p->from, "client");
    CU_ASSERT_TRUE(p->fresh);
    CU_ASSERT_EQUAL(s->steps[0].peers->kind, SELECT_ALL_BUT);
    CU_ASSERT_STRING_EQUAL(s->steps[0].peers->of->word, "leader");
    CU_ASSERT_EQUAL(s->steps[0].length.ns, INT64_C(8000000000));
    CU_ASSERT_TRUE(s->steps[1].good);
    CU_ASSERT_EQUAL(s->targets[0].within.ns, INT64_C(5000000000));
    CU_ASSERT_EQUAL(s->targets[1].kind, TARGET_AVAILABILITY);
    CU_ASSERT_EQUAL(s->guards[0].bad_for.ns, INT64_C(25000000000));
    CU_ASSERT_EQUAL(etcd->stop_signal, 15);
    CU_ASSERT_EQUAL(etcd->stop_timeout.ns, INT64_C(5000000000));
    CU_ASSERT_EQUAL(s->steady_for.ns, INT64_C(2000000000));
    CU_ASSERT_EQUAL(s->stable_for.ns, INT64_C(2000000000));
    CU_ASSERT_EQUAL(s->observe.ns, INT64_C(30000000000));
    CU_ASSERT_EQUAL(s->trials, 1);
    CU_ASSERT_EQUAL(s->deadline.ns, INT64_C(600000000000));
    scenario_free(s);
}

static void test_all_shipped(void)
{
    glob_t found;
    CU_ASSERT_EQUAL_FATAL(glob(SOURCE_DIR "/scenarios/*.yaml", 0, NULL, &found), 0);
    CU_ASSERT_EQUAL_FATAL(glob(SOURCE_DIR "/scenarios/*/*.yaml", GLOB_APPEND, NULL, &found), 0);
    CU_ASSERT_TRUE(found.gl_pathc >= 3);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct scenario *s = load(found.gl_pathv[i]);
        CU_ASSERT_PTR_NOT_NULL(s);
        scenario_free(s);
    }
    globfree(&found);
}

#define LAB    "version: 1\nlab: {hosts: [n1, n2], services: {web: {command: nginx}}}\n"
#define PROBE  "probes: {p: {kind: tcp, port: 80, hosts: n1}}\n"
#define TARGET "targets: [{blast_radius: {at_most: 50%}}]\n"

static void test_every_kind_of_step(void)
{
    struct scenario *s = parse(
        LAB PROBE TARGET
        "roles: {boss: {kind: tcp, port: 81}}\n"
        "steps:\n"
        "  - {fault: process.pause, name: stop, hosts: {share: 30%, of: {label: a}}, service: web, "
        "for: 5s, wait_end: true}\n"
        "  - wait: 1m30s\n"
        "  - wait_until: {role: boss, is: changed, within: 3s}\n"
        "  - run: sh -c 'echo \"a b\"'\n"
        "    hosts: n1\n"
        "    recovery: true\n"
        "  - parallel:\n"
        "      - {wait: 1s}\n"
        "      - [{heal: stop}, {heal: all}]\n");
    CU_ASSERT_PTR_NULL(s); /* no host has the label a */
    CU_ASSERT_EQUAL(problems.n, 1);
    s = parse(LAB PROBE TARGET
              "roles: {boss: {kind: tcp, port: 81}}\n"
              "steps:\n"
              "  - {fault: process.pause, name: stop, hosts: {share: 30%, of: [n1, n2]}, service: "
              "web, for: 5s, wait_end: true}\n"
              "  - wait: 1m30s\n"
              "  - wait_until: {role: boss, is: changed, within: 3s}\n"
              "  - run: sh -c 'echo \"a b\"'\n"
              "    hosts: n1\n"
              "    recovery: true\n"
              "  - parallel:\n"
              "      - {wait: 1s}\n"
              "      - [{heal: stop}, {heal: all}]\n");
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(s->n_steps, 5);
    CU_ASSERT_EQUAL(s->steps[0].hosts->share.ppm, 300000);
    CU_ASSERT_EQUAL(s->steps[0].hosts->of->n_names, 2);
    CU_ASSERT_TRUE(s->steps[0].wait_end);
    CU_ASSERT_EQUAL(s->steps[1].length.ns, INT64_C(90000000000));
    CU_ASSERT_STRING_EQUAL(s->steps[2].role, "boss");
    CU_ASSERT_EQUAL(s->steps[3].n_command, 3);
    CU_ASSERT_STRING_EQUAL(s->steps[3].command[2], "echo \"a b\"");
    CU_ASSERT_TRUE(s->steps[3].recovery);
    CU_ASSERT_EQUAL(s->steps[4].n_branches, 2);
    CU_ASSERT_EQUAL(s->steps[4].branches[1].n, 2);
    CU_ASSERT_STRING_EQUAL(s->steps[4].branches[1].steps[0].name, "stop");
    CU_ASSERT_PTR_NULL(s->steps[4].branches[1].steps[1].name);
    scenario_free(s);
}

/* What a list holds, and what is a host although it looks like an address. */
static void test_peers(void)
{
    struct scenario *s =
        parse("version: 1\nlab: {hosts: {n1: {labels: [web]}, 10.0.0.9: {}}, services: {web: "
              "{command: nginx, faults: auto}}}\n" PROBE "roles: {boss: {kind: tcp, port: 81}}\n"
              "steps:\n"
              "  - {fault: network.partition, hosts: n1, peers: 10.0.0.9, for: 1s}\n"
              "  - {fault: network.partition, hosts: n1, peers: 10.0.0.0/8, for: 1s}\n"
              "  - {fault: network.loss, hosts: [n1, {role: boss}], share: 5%, for: 1s, peers: "
              "[10.0.0.9, all, {label: web}, {role: boss}, 0.0.0.0/0, fd00::/8, \"::2\"]}\n"
              "  - {fault: fiu.fail, hosts: n1, service: web, points: posix.connect, error: EIO, "
              "for: 1s, "
              "to: [127.0.0.0/8, n1]}\n" TARGET);
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->steps[0].peers->kind, SELECT_NAMES);
    CU_ASSERT_EQUAL(s->steps[1].peers->kind, SELECT_ADDR);
    CU_ASSERT_EQUAL(s->steps[1].peers->addr.prefix, 8);
    CU_ASSERT_EQUAL(s->steps[1].peers->addr.ip[0], 10);
    static const enum selector_kind kinds[] = {SELECT_NAMES, SELECT_ALL,  SELECT_LABEL, SELECT_ROLE,
                                               SELECT_ADDR,  SELECT_ADDR, SELECT_ADDR};
    const struct selector *list = s->steps[2].peers;
    CU_ASSERT_EQUAL(list->kind, SELECT_LIST);
    CU_ASSERT_EQUAL_FATAL(list->n_parts, sizeof(kinds) / sizeof(kinds[0]));
    for (size_t i = 0; i < list->n_parts; i++)
        CU_ASSERT_EQUAL(list->parts[i].kind, kinds[i]);
    CU_ASSERT_EQUAL(list->parts[6].addr.family, 6);
    CU_ASSERT_EQUAL(s->steps[2].hosts->kind, SELECT_LIST);
    CU_ASSERT_EQUAL(s->steps[3].peers->parts[0].addr.ip[0], 127);
    CU_ASSERT_EQUAL(((const struct addrs *)s->steps[1].args)->n, 0);
    scenario_free(s);
}

static void test_variables(void)
{
    static const char text[] = LAB PROBE "vars: {t: 2s, where: n2}\n"
                                         "steps: [{wait: \"${t}\"}, {run: [echo, \"$${x} ${host} "
                                         "$5\"], hosts: \"${where}\"}]\n" TARGET;
    struct scenario *s = parse(text);
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->steps[0].length.ns, INT64_C(2000000000));
    CU_ASSERT_STRING_EQUAL(s->steps[1].command[1], "${x} ${host} $5");
    CU_ASSERT_STRING_EQUAL(s->steps[1].hosts->names[0], "n2");
    scenario_free(s);
    const struct scenario_set sets[] = {{"t", "7s"}, {"where", "n1"}};
    s = parse_as("t.yaml", text, sets, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->steps[0].length.ns, INT64_C(7000000000));
    CU_ASSERT_STRING_EQUAL(s->steps[1].hosts->names[0], "n1");
    CU_ASSERT_TRUE(s->vars[0].set);
    scenario_free(s);
}

static void test_services(void)
{
    struct scenario *s = parse("version: 1\n"
                               "lab:\n"
                               "  hosts: {n1: {labels: [a, b], disk: 64MiB}, n2: {disk: {size: "
                               "1GiB, path: /var/x}}, n3: }\n"
                               "  services:\n"
                               "    app:\n"
                               "      hosts: {all_but: n3}\n"
                               "      command: /opt/app --name '${host} x'\n"
                               "      env: {A: 1, B: \"\"}\n"
                               "      files:\n"
                               "        /etc/app: {content: x, mode: 0600, owner: app}\n"
                               "        /opt/app: {from: own-program}\n"
                               "      data: /var/lib/app\n"
                               "      ready: {exec: [true, x], timeout: 3s}\n"
                               "      reload: HUP\n"
                               "      stop: {signal: QUIT}\n"
                               "      limits: {memory: 64MiB, open_files: 64}\n"
                               "      after: db\n"
                               "    db: {command: [db], start: false, hosts: n3}\n" PROBE
                               "steps: [{wait: 1s}]\n" TARGET);
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    const struct lab_host_spec *hosts = s->lab->hosts;
    CU_ASSERT_EQUAL(hosts[0].disk.n, 64u << 20);
    CU_ASSERT_STRING_EQUAL(hosts[0].disk_path, "/data");
    CU_ASSERT_STRING_EQUAL(hosts[1].disk_path, "/var/x");
    CU_ASSERT_EQUAL(hosts[2].n_labels, 0);
    const struct lab_service_spec *app = &s->lab->services[0];
    CU_ASSERT_EQUAL(app->n_hosts, 2);
    CU_ASSERT_EQUAL(app->n_command, 3);
    CU_ASSERT_STRING_EQUAL(app->command[2], "${host} x");
    CU_ASSERT_STRING_EQUAL(app->env[1], "B=");
    CU_ASSERT_EQUAL(app->files[0].mode, 0600);
    CU_ASSERT_STRING_EQUAL(app->files[1].from, SOURCE_DIR "/scenarios/own-program");
    CU_ASSERT_STRING_EQUAL(app->data[0], "/var/lib/app");
    CU_ASSERT_EQUAL(app->ready, READY_EXEC);
    CU_ASSERT_EQUAL(app->n_ready_command, 2);
    CU_ASSERT_EQUAL(app->reload_signal, 1);
    CU_ASSERT_EQUAL(app->stop_signal, 3);
    CU_ASSERT_EQUAL(app->memory.n, 64u << 20);
    CU_ASSERT_STRING_EQUAL(app->after[0], "db");
    CU_ASSERT_FALSE(s->lab->services[1].start);
    scenario_free(s);
}

static void test_inventory(void)
{
    struct scenario *s = parse_as(
        SOURCE_DIR "/tests/unit/scenario/t.yaml",
        "version: 1\ninventory: inventory.yaml\n" PROBE
        "steps: [{fault: network.partition, hosts: {label: web}, peers: n2, for: 1s}]\n" TARGET,
        NULL, 0);
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_PTR_NULL(s->lab);
    CU_ASSERT_EQUAL(s->inventory->n_hosts, 2);
    CU_ASSERT_EQUAL(s->inventory->hosts[0].addrs[1].family, 6);
    CU_ASSERT_STRING_EQUAL(s->inventory->hosts[1].connect, "admin@n2.example.org:2222");
    scenario_free(s);
}

/* Of a scenario only the lab is read: its faults may be unknown to the reader. */
static void test_inventory_alone(void)
{
    struct scenario *s = load(SOURCE_DIR "/tests/unit/scenario/inventory.yaml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->inventory);
    CU_ASSERT_EQUAL(s->inventory->n_hosts, 2);
    CU_ASSERT_EQUAL(s->n_probes, 0);
    scenario_free(s);
}

/* Within quotes a shell's signs are a word's text. */
static void test_quoted_commands(void)
{
    struct scenario *s = parse(LAB PROBE TARGET "steps:\n"
                                                "  - {run: \"sh -c 'echo a; echo b'\", hosts: n1}\n"
                                                "  - {run: 'sh -c \"a | b\" x\\;y', hosts: n1}\n");
    show();
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(s->steps[0].n_command, 3);
    CU_ASSERT_STRING_EQUAL(s->steps[0].command[2], "echo a; echo b");
    CU_ASSERT_EQUAL_FATAL(s->steps[1].n_command, 4);
    CU_ASSERT_STRING_EQUAL(s->steps[1].command[2], "a | b");
    CU_ASSERT_STRING_EQUAL(s->steps[1].command[3], "x;y");
    scenario_free(s);
    CU_ASSERT_PTR_NULL(parse(LAB PROBE TARGET "steps:\n  - {run: \"sh -c 'a' ; b\", hosts: n1}\n"));
}

static void test_lab_alone(void)
{
    static const char *const files[] = {SOURCE_DIR "/scenarios/quickstart.yaml",
                                        SOURCE_DIR "/scenarios/labs/etcd3.yaml"};
    for (size_t i = 0; i < 2; i++) {
        struct scenario *s = NULL;
        struct err err;
        problems_free(&problems);
        CU_ASSERT_EQUAL(scenario_load_lab(files[i], NULL, 0, &s, &problems, &err), 0);
        show();
        CU_ASSERT_PTR_NOT_NULL_FATAL(s);
        CU_ASSERT_EQUAL(s->lab->n_hosts, 4);
        scenario_free(s);
    }
}

static void test_files_that_cannot_be_read(void)
{
    struct scenario *s = NULL;
    struct err err;
    problems_free(&problems);
    CU_ASSERT_EQUAL(
        scenario_load("/nonexistent/x.yaml", &fault_catalogue, NULL, 0, &s, &problems, &err), -1);
    CU_ASSERT_EQUAL(problems.n, 0);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_STRING_EQUAL(err.msg, "/nonexistent/x.yaml: No such file or directory");
    char *big CLEANUP_FREE = malloc(2 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    memset(big, '#', 2 << 20);
    CU_ASSERT_EQUAL(
        scenario_parse("big.yaml", big, 2 << 20, &fault_catalogue, NULL, 0, &s, &problems, &err),
        -1);
    CU_ASSERT_EQUAL_FATAL(problems.n, 1);
    CU_ASSERT_STRING_EQUAL(problems.list[0].text, "big.yaml: larger than 1 MiB\n");
}

/* The word behind `key` in a row's example, or `otherwise`. */
static void word_after(const char *example, const char *key, const char *otherwise, char *out,
                       size_t size)
{
    const char *at = strstr(example, key);
    (void)snprintf(out, size, "%s", otherwise);
    if (at == NULL)
        return;
    at += strlen(key);
    at += strspn(at, " [");
    (void)snprintf(out, size, "%.*s", (int)strcspn(at, " ,]}\n"), at);
}

/* A row's example in a scenario that has the hosts, the service and the role that it names. */
static void put_example(const struct fault *f, struct buf *out)
{
    char service[64], role[64];
    bool many = strstr(f->example, "services:") != NULL;
    word_after(f->example, many ? "services:" : "service:", "web", service, sizeof(service));
    word_after(f->example, "role:", "leader", role, sizeof(role));
    buf_printf(out,
               "version: 1\nlab:\n  hosts: {n1: {labels: [member]}, n2: {labels: [member]}, "
               "n3: {labels: [member]}}\n"
               "  services: {%s: {command: x, preload: true, reload: HUP}}\n",
               service);
    buf_printf(out, "roles: {%s: {kind: tcp, port: 81}}\n", role);
    buf_puts(out, PROBE TARGET "steps:\n");
    kind_example_step(f, "  ", out);
}

/* Every row's example stands in a scenario that validates, and no parameter hides a step's key. */
static void test_examples_of_rows(void)
{
    static const char *const reserved[] = {"fault",    "hosts", "for", "name",
                                           "wait_end", "waves", "flap"};
    for (size_t i = 0; i < fault_catalogue.n; i++) {
        const struct fault *f = fault_catalogue.faults[i];
        CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
        struct err err = {0};
        CU_ASSERT_EQUAL(param_table_check(f->params, f->n_params, f->args_size, &err), 0);
        CU_ASSERT_STRING_EQUAL(err.msg, "");
        for (size_t j = 0; j < sizeof(reserved) / sizeof(reserved[0]); j++)
            CU_ASSERT_PTR_NULL(param_find(f->params, f->n_params, reserved[j]));
        put_example(f, &text);
        struct scenario *s = parse(buf_text(&text));
        show();
        CU_ASSERT_PTR_NOT_NULL(s);
        if (s != NULL)
            CU_ASSERT_PTR_EQUAL(s->steps[0].fault, f);
        scenario_free(s);
    }
}

static void test_examples_of_probes(void)
{
    for (size_t i = 0; i < probe_kinds.n; i++) {
        const struct kind *kind = probe_kinds.rows[i];
        CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
        struct err err = {0};
        CU_ASSERT_EQUAL(param_table_check(kind->params, kind->n_params, kind->args_size, &err), 0);
        buf_puts(&text, "version: 1\n"
                        "lab: {hosts: {n1: {labels: [member]}, db: {labels: [member]}}}\n");
        buf_puts(&text, kind->example);
        buf_puts(&text, "\nsteps: [{wait: 1s}]\n" TARGET);
        struct scenario *s = parse(buf_text(&text));
        show();
        CU_ASSERT_PTR_NOT_NULL(s);
        scenario_free(s);
    }
}

/* It would be read as the probe's own key, and never reach the kind. */
static void test_no_parameter_hides_behind_a_key(void)
{
    for (size_t i = 0; i < probe_kinds.n; i++)
        for (size_t k = 0; k < section_probe.n_keys; k++)
            CU_ASSERT_PTR_NULL(param_find(probe_kinds.rows[i]->params,
                                          probe_kinds.rows[i]->n_params,
                                          section_probe.keys[k].name));
}

static void same_as_file(const char *file, const char *text)
{
    CLEANUP_BUF struct buf want = BUF_INIT(TEXT_MAX);
    struct err err;
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(buf_read_fd(&want, fd, &err), 0);
    bool same = strcmp(buf_text(&want), text) == 0;
    CU_ASSERT_TRUE(same);
    if (!same)
        (void)printf("%s is not current; make it again: ninja -C build generated\n", file);
}

static void test_checked_in_copies(void)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    json_t *schema = scenario_schema(&fault_catalogue);
    char *dump CLEANUP_FREE = json_dumps(schema, JSON_INDENT(1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(dump);
    buf_printf(&text, "%s\n", dump);
    same_as_file(SOURCE_DIR "/scenarios/schema.json", buf_text(&text));
    json_decref(schema);
    buf_free(&text);
    scenario_doc(&fault_catalogue, &text);
    CU_ASSERT_TRUE(buf_ok(&text));
    same_as_file(SOURCE_DIR "/docs/scenario.md", buf_text(&text));
    buf_free(&text);
    kind_faults_doc(&fault_catalogue, &text);
    CU_ASSERT_TRUE(buf_ok(&text));
    same_as_file(SOURCE_DIR "/docs/faults.md", buf_text(&text));
    problems_free(&problems);
}

/* Every capability that a row needs has a name. */
static void test_capabilities_have_names(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    kind_faults_doc(&fault_catalogue, &out);
    CU_ASSERT_TRUE(buf_ok(&out));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "CAP_NET_ADMIN"));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&out), "capability "));
}

static const struct check_test tests[] = {
    {"quickstart", test_quickstart},
    {"all shipped", test_all_shipped},
    {"every kind of step", test_every_kind_of_step},
    {"peers", test_peers},
    {"variables", test_variables},
    {"services", test_services},
    {"inventory", test_inventory},
    {"inventory alone", test_inventory_alone},
    {"quoted commands", test_quoted_commands},
    {"lab alone", test_lab_alone},
    {"files that cannot be read", test_files_that_cannot_be_read},
    {"examples of rows", test_examples_of_rows},
    {"examples of probes", test_examples_of_probes},
    {"no parameter hides behind a key", test_no_parameter_hides_behind_a_key},
    {"checked-in copies", test_checked_in_copies},
    {"capabilities have names", test_capabilities_have_names},
};

CHECK_MAIN("scenario", tests)
