/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/ledger.h"
#include "prober/probe.h"
#include "scenario/kind_text.h"
#include "scenario/scenario_read.h"

#include <stdio.h>

enum { STEPS_MAX = 16 };

static const char intro[] =
    "# The scenario language\n\n"
    "<!-- Made by `blackstart schema --doc > docs/scenario.md`; a test compares. -->\n\n"
    "A scenario is one YAML file: where (a lab), what is measured (probes), what is done (steps), "
    "what must hold (targets). `scenarios/quickstart.yaml` is one to read first; "
    "`blackstart new FILE` writes one to start from; `blackstart validate FILE` finds all mistakes "
    "at once:\n\n"
    "```\n"
    "scenario.yaml:31:5: there is no key of target \"recovry_time\"\n"
    "   31 |   - recovry_time: {probe: read, within: 5s}\n"
    "      |     ^\n"
    "        did you mean \"recovery_time\"?\n"
    "```\n\n"
    "For completion and checks while you type, put this into the first line, with "
    "`scenarios/schema.json` or the output of `blackstart schema` beside it:\n\n"
    "```yaml\n# yaml-language-server: $schema=schema.json\n```\n\n"
    "## Values\n\n"
    "| value | written as |\n| --- | --- |\n"
    "| duration | `100ms`, `8s`, `1m30s`, `1.5s`; units `d h m s ms us ns`; a bare number is an "
    "error "
    "|\n"
    "| share | `5%`, `99.9%` |\n"
    "| size | `64MiB`, `1GiB`, `512B`, `10MB` |\n"
    "| true, false | these two words; `yes` and `on` are errors that say so |\n"
    "| port | `2379`, `8000-8999`, or a list of them |\n"
    "| command | a list `[nginx, -g, daemon off;]`, or a text that is split at spaces (quotes keep "
    "words together); no shell is used, so `|`, `>` and `&` are errors that say so |\n"
    "| list | where a list is expected, one item may stand alone |\n\n"
    "No aliases, anchors, tags, duplicate keys or null; one document of at most 1 MiB.\n\n"
    "## Variables\n\n"
    "`vars:` declares them with their defaults; `${name}` in any value is replaced before the "
    "value "
    "is understood, and `--set name=value` on the command line gives another. Between `{ }` or "
    "`[ ]` the value must be quoted: `{within: \"${limit}\"}`. `$${` stands for the two characters "
    "themselves. `${host}`, `${host.ip}`, `${host.ip6}` (of the host in question) and "
    "`${hosts.LABEL}` (the names of all hosts with that label, with commas between) are put in at "
    "run time.\n\n"
    "## Choosing hosts\n\n"
    "| written | means |\n| --- | --- |\n"
    "| `n1` or `[n1, n2]` | these |\n"
    "| `all` | all but `client` |\n"
    "| `{label: member}` | all that have the label |\n"
    "| `{role: leader}` | the one that has the role when the step begins; if it moves while the "
    "fault is applied, the trial is invalid |\n"
    "| `{all_but: HOSTS}` | all others |\n"
    "| `{share: 30%, of: HOSTS}` | so many of them, rounded up, drawn from the seed; without `of`, "
    "of all |\n"
    "| `[n3, {role: leader}, {label: cache}]` | all of these |\n\n"
    "`peers` of a network fault and `to` of `fiu.*` also take what is no host of the lab or "
    "inventory, an address or a network of IPv4 or IPv6, alone or in a list: `peers: 10.0.0.0/8`, "
    "`peers: [{label: member}, 10.1.2.3, fd00::/8]`. It counts as a peer without an agent, so that "
    "all is done at the step's own hosts, even where a host of the lab has that address. An IPv6 "
    "address that begins or ends with a colon is quoted: `\"::1\"`, `\"fd00::\"`.\n\n"
    "Only its own name reaches the host `client`, on which the measurement stands; a fault may "
    "not choose it.\n\n";

static const char *value_of(const struct key *key, char *out, size_t size)
{
    static const char *const words[] = {
        [KEY_TEXT] = "a text",           [KEY_NAME] = "a name",
        [KEY_PATH] = "an absolute path", [KEY_TEXTS] = "a list of texts",
        [KEY_NAMES] = "a list of names", [KEY_PATHS] = "a list of absolute paths",
        [KEY_COMMAND] = "a command",     [KEY_SELECTOR] = "hosts",
    };
    const struct param p = {.name = key->name,
                            .type = key->type == KEY_COUNT ? PARAM_INT : key->param,
                            .min = key->min,
                            .max = key->max,
                            .choices = key->choices};
    switch (key->type) {
    case KEY_PARAM:
    case KEY_COUNT:
        return param_expects(&p, out, size);
    case KEY_SECTION:
        (void)snprintf(out, size, "[%s](#%s)", key->section->name, key->section->name);
        return out;
    case KEY_MAP:
    case KEY_LIST:
        (void)snprintf(out, size, "%s [%s](#%s)", key->type == KEY_MAP ? "name:" : "list of",
                       key->section->name, key->section->name);
        return out;
    case KEY_KIND:
        return kinds_words(key->kinds, out, size);
    case KEY_CUSTOM:
        return key->shape != NULL ? key->shape : "";
    default:
        return words[key->type];
    }
}

static void put_section(const struct section *section, const char *title, struct buf *out)
{
    char value[200];
    buf_printf(out, "%s%s\n\n%s\n\n", title, section->name, section->doc);
    buf_puts(out, "| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < section->n_keys + section->variants; i++) {
        const struct key *key = i < section->n_keys ? &section->keys[i] : &variants_only;
        const char *def = key->required ? "required" : key->def != NULL ? key->def : "";
        buf_printf(out, "| `%s` | %s | %s | %s |\n", key->name, value_of(key, value, sizeof(value)),
                   def, key->doc);
    }
    buf_puts(out, "\n");
    if (section->example != NULL)
        buf_printf(out, "```yaml\n%s```\n\n", section->example);
}

/* A section, then those that its keys lead to. */
static void put_tree(const struct section *section, struct buf *out)
{
    put_section(section, "### ", out);
    for (size_t i = 0; i < section->n_keys; i++)
        if (section->keys[i].section != NULL)
            put_tree(section->keys[i].section, out);
}

static void put_steps(struct buf *out)
{
    const struct section *sections[STEPS_MAX];
    size_t n = step_sections(sections, STEPS_MAX);
    buf_puts(out, "## Steps\n\nSteps are done in the order of the list. A fault step ends when the "
                  "fault is active: the next step runs while it holds, unless it says `wait_end: "
                  "true`.\n\n");
    for (size_t i = 0; i < n; i++)
        put_tree(sections[i], out);
    put_section(&section_identity, "### ", out);
}

void scenario_doc(const struct catalogue *faults, struct buf *out)
{
    buf_puts(out, intro);
    buf_puts(out, "## The file\n\n");
    put_section(&section_scenario, "### ", out);
    for (size_t i = 0; i < section_scenario.n_keys; i++)
        if (section_scenario.keys[i].type == KEY_SECTION)
            put_tree(section_scenario.keys[i].section, out);
    put_tree(&section_variant, out);
    buf_puts(out,
             "## Labs\n\nA lab stands in the scenario, or in a file of its own that several "
             "scenarios name (`lab: labs/etcd3.yaml`). To try your own program, let a variable "
             "hold the path of its build and copy it in with `files:`.\n\n");
    put_tree(&section_lab, out);
    put_tree(lab_section_host(), out);
    put_section(&section_lab_file, "### ", out);
    buf_puts(out, "## Measuring\n\n");
    put_tree(&section_probe, out);
    put_section(&section_role, "### ", out);
    put_section(&section_ledger, "### ", out);
    put_section(&section_load, "### ", out);
    put_steps(out);
    buf_puts(out, "## Judging\n\n");
    put_tree(&section_target, out);
    put_section(&section_symptom, "### ", out);
    put_tree(&section_guard, out);
    buf_puts(out, "## Real hosts\n\n");
    put_tree(&section_inventory, out);
    buf_puts(out, "## Kinds of probe\n\n");
    kinds_doc(&probe_kinds, out);
    buf_puts(out, "## Kinds of ledger\n\n");
    kinds_doc(&ledger_kinds, out);
    buf_puts(out, "## Kinds of load\n\n");
    kinds_doc(&load_kinds, out);
    buf_puts(out, "## Faults\n\n");
    kind_faults_list(faults, "faults.md", out);
}
