/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/kind_text.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

enum { FACT_COLUMN = 14 };

const char *kind_lifetime(enum lifetime lifetime)
{
    static const char *const texts[] = {
        [LIFETIME_KERNEL] = "ends in the kernel when its lease runs out or its agent dies",
        [LIFETIME_VICTIM] = "ends inside the process that it hits, at a deadline",
        [LIFETIME_GUARDIAN] = "is ended by the agent's guardian when the agent dies",
        [LIFETIME_INSTANT] = "happens at once and cannot be taken back",
    };
    return texts[lifetime];
}

const char *kind_evidence(enum evidence_class class)
{
    static const char *const texts[] = {
        [EVIDENCE_COUNTER] = "a counter that must grow while it is active",
        [EVIDENCE_STATE] = "a state that is read back",
        [EVIDENCE_EVENT] = "an event that was seen",
    };
    return texts[class];
}

static void put_lines(struct buf *out, const char *first, const char *lead, const char *text)
{
    for (bool begin = true; *text != '\0'; begin = false) {
        size_t len = strcspn(text, "\n");
        buf_printf(out, "%s%.*s\n", begin ? first : lead, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* Rows write their example as a step's map, or as the list's item. */
void kind_example_step(const struct fault *fault, const char *indent, struct buf *out)
{
    char first[40], lead[40];
    const char *dash = strncmp(fault->example, "- ", 2) == 0 ? "" : "- ";
    (void)snprintf(first, sizeof(first), "%s%s", indent, dash);
    (void)snprintf(lead, sizeof(lead), "%s%s", indent, dash[0] != '\0' ? "  " : "");
    put_lines(out, first, lead, fault->example);
}

static const char *default_of(const struct param *p)
{
    return p->required ? "required" : p->def != NULL ? p->def : "";
}

static void put_params(const struct param *params, size_t n, size_t width, struct buf *out)
{
    char expects[200];
    if (n == 0)
        return;
    buf_puts(out, "\nParameters:\n");
    for (size_t i = 0; i < n; i++) {
        const struct param *p = &params[i];
        buf_printf(out, "  %s: %s", p->name, param_expects(p, expects, sizeof(expects)));
        if (p->required)
            buf_puts(out, " (required)");
        else if (p->def != NULL)
            buf_printf(out, " (default %s)", p->def);
        buf_puts(out, "\n");
        buf_puts(out, "      ");
        buf_wrap(out, p->doc, 6, 6, width);
    }
}

/* By number, as <linux/capability.h> has them. */
static void put_caps(uint64_t caps, struct buf *out)
{
    static const char *const names[] = {
        [CAP_CHOWN] = "CAP_CHOWN",
        [CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
        [CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
        [CAP_FOWNER] = "CAP_FOWNER",
        [CAP_FSETID] = "CAP_FSETID",
        [CAP_KILL] = "CAP_KILL",
        [CAP_SETGID] = "CAP_SETGID",
        [CAP_SETUID] = "CAP_SETUID",
        [CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
        [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
        [CAP_NET_ADMIN] = "CAP_NET_ADMIN",
        [CAP_NET_RAW] = "CAP_NET_RAW",
        [CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
        [CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
        [CAP_SYS_NICE] = "CAP_SYS_NICE",
        [CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
        [CAP_SYS_TIME] = "CAP_SYS_TIME",
        [CAP_SETFCAP] = "CAP_SETFCAP",
    };
    const char *between = "";
    for (unsigned i = 0; i < 64; i++) {
        if ((caps >> i & 1) == 0)
            continue;
        const char *name = i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
        if (name != NULL)
            buf_printf(out, "%s%s", between, name);
        else
            buf_printf(out, "%scapability %u", between, i);
        between = ", ";
    }
    if (between[0] == '\0')
        buf_puts(out, "none");
}

static void put_fact(struct buf *out, const char *head, const char *text, size_t width)
{
    buf_printf(out, "%-14s", head);
    buf_wrap(out, text, FACT_COLUMN, FACT_COLUMN, width);
}

void kind_fault_text(const struct fault *fault, const char *here, size_t width, struct buf *out)
{
    CLEANUP_BUF struct buf caps = BUF_INIT(4096);
    put_caps(fault->caps, &caps);
    buf_printf(out, "%s: %s\n\n", fault->name, fault->summary);
    buf_wrap(out, fault->doc, 0, 0, width);
    put_params(fault->params, fault->n_params, width, out);
    buf_puts(out, "\n");
    put_fact(out, "Lifetime:", kind_lifetime(fault->lifetime), width);
    put_fact(out, "Evidence:", kind_evidence(fault->evidence_class), width);
    put_fact(out, "Footprint:", fault->footprint != NULL ? fault->footprint : "none", width);
    put_fact(out, "Capabilities:", buf_text(&caps), width);
    if (here != NULL)
        put_fact(out, "Works here:", here, width);
    buf_puts(out, "\nExample:\n");
    kind_example_step(fault, "  ", out);
}

static void doc_params(const struct param *params, size_t n, struct buf *out)
{
    char expects[200];
    if (n == 0)
        return;
    buf_puts(out, "| parameter | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "| `%s` | %s | %s | %s |\n", params[i].name,
                   param_expects(&params[i], expects, sizeof(expects)), default_of(&params[i]),
                   params[i].doc);
    buf_puts(out, "\n");
}

/* Markdown takes <run> for a tag. */
static void put_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_printf(out, "%s%c", *text == '<' ? "\\" : "", *text);
}

static void fault_doc(const struct fault *fault, struct buf *out)
{
    buf_printf(out, "## %s\n\n%s\n\n%s\n\n", fault->name, fault->summary, fault->doc);
    doc_params(fault->params, fault->n_params, out);
    buf_printf(out, "- Lifetime: %s.\n- Evidence: %s (`%s`).\n- Footprint: ",
               kind_lifetime(fault->lifetime), kind_evidence(fault->evidence_class),
               evidence_class_word(fault->evidence_class));
    put_escaped(out, fault->footprint != NULL ? fault->footprint : "none");
    buf_puts(out, ".\n- Capabilities: ");
    put_caps(fault->caps, out);
    buf_puts(out, ".\n\n```yaml\nsteps:\n");
    kind_example_step(fault, "  ", out);
    buf_puts(out, "```\n\n");
}

void kind_faults_doc(const struct catalogue *faults, struct buf *out)
{
    buf_puts(out,
             "# The faults\n\n"
             "<!-- Made by `blackstart faults --doc > docs/faults.md`; a test compares. -->\n\n"
             "What each kind does, its parameters, how it ends when nobody ends it, what "
             "proves it, what may differ on the host while it is active, and what the agent "
             "needs for it. `blackstart faults KIND` says the same of one, and whether it "
             "works on this machine; [the scenario language](scenario.md) says how a step "
             "names hosts and values.\n\n"
             "This version injects into hosts of labs only. What is said of real hosts is built "
             "and tried in a guest of its own, but an agent outside a lab refuses every fault "
             "until it can read a policy.\n\n");
    kind_faults_list(faults, "", out);
    for (size_t i = 0; i < faults->n; i++)
        fault_doc(faults->faults[i], out);
}

void kind_faults_list(const struct catalogue *faults, const char *page, struct buf *out)
{
    buf_puts(out, "| kind | what | ends by itself | evidence |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < faults->n; i++) {
        const struct fault *f = faults->faults[i];
        buf_printf(out, "| [`%s`](%s#", f->name, page);
        for (const char *p = f->name; *p != '\0'; p++) /* as an anchor leaves out dots */
            if (*p != '.')
                buf_add(out, p, 1);
        buf_printf(out, ") | %s | %s | %s |\n", f->summary, lifetime_word(f->lifetime),
                   evidence_class_word(f->evidence_class));
    }
    buf_puts(out, "\n");
}

static json_t *params_json(const struct param *params, size_t n)
{
    json_t *list = json_array();
    char expects[200];
    for (size_t i = 0; i < n; i++) {
        const struct param *p = &params[i];
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:s*, s:s, s:o}", "name", p->name, "value",
                            param_expects(p, expects, sizeof(expects)), "required", p->required,
                            "default", p->def, "doc", p->doc, "schema", param_schema(p)));
    }
    return list;
}

json_t *kind_fault_json(const struct fault *fault)
{
    CLEANUP_BUF struct buf caps = BUF_INIT(4096);
    put_caps(fault->caps, &caps);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:o}", "name", fault->name,
                     "summary", fault->summary, "doc", fault->doc, "example", fault->example,
                     "lifetime", lifetime_word(fault->lifetime), "evidence",
                     evidence_class_word(fault->evidence_class), "footprint", fault->footprint,
                     "capabilities", buf_text(&caps), "params",
                     params_json(fault->params, fault->n_params));
}

void kind_text(const struct kind *kind, size_t width, struct buf *out)
{
    buf_printf(out, "%s: %s\n\n", kind->name, kind->summary);
    buf_wrap(out, kind->doc, 0, 0, width);
    put_params(kind->params, kind->n_params, width, out);
    if (kind->lab_only)
        buf_puts(out, "\nIn labs only.\n");
    buf_puts(out, "\nExample:\n");
    put_lines(out, "  ", "  ", kind->example);
}

static void kind_doc(const struct kind *kind, const char *title, struct buf *out)
{
    buf_printf(out, "### %s%s\n\n%s %s%s\n\n", title, kind->name, kind->summary, kind->doc,
               kind->lab_only ? " In labs only." : "");
    doc_params(kind->params, kind->n_params, out);
    buf_puts(out, "```yaml\n");
    put_lines(out, "", "", kind->example);
    buf_puts(out, "```\n\n");
}

void kinds_doc(const struct kinds *kinds, struct buf *out)
{
    for (size_t i = 0; i < kinds->n; i++)
        kind_doc(kinds->rows[i], kinds->title, out);
}

json_t *kind_json(const struct kind *kind)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", kind->name, "summary", kind->summary,
                     "doc", kind->doc, "example", kind->example, "lab_only", kind->lab_only,
                     "params", params_json(kind->params, kind->n_params));
}
