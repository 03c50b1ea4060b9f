/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/cleanup.h"
#include "scenario/inventory.h"
#include "scenario/scenario_read.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ARENA_MAX = 256 << 20 };

int scenario_read_file(const char *file, struct buf *text, struct err *err)
{
    /* A fifo or a terminal would make us wait for what never comes. */
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return make_error(err, ERR_INPUT, errno, "%s", file);
    if (!S_ISREG(st.st_mode))
        return make_error(err, ERR_INPUT, 0, "%s: not a file", file);
    if (buf_read_fd(text, fd, err) == 0)
        return 0;
    if (err->code == ERR_LIMIT)
        return make_error(err, ERR_INPUT, 0, "%s: larger than 1 MiB", file);
    err->code = ERR_INPUT;
    return wrap_error(err, "%s", file);
}

/* The keys that a lab file may have beside `lab`. */
static bool is_lab_file(const struct node *root)
{
    return node_get(root, "lab") != NULL && node_get(root, "probes") == NULL &&
           node_get(root, "steps") == NULL && node_get(root, "targets") == NULL;
}

/* And an inventory: nothing but hosts. */
static bool is_inventory_file(const struct node *root)
{
    return node_get(root, "hosts") != NULL && node_get(root, "inventory") == NULL &&
           node_get(root, "lab") == NULL && node_get(root, "probes") == NULL &&
           node_get(root, "steps") == NULL && node_get(root, "targets") == NULL;
}

static void read_inventory_file(struct reader *r, const struct node *root)
{
    struct inventory *inventory = reader_alloc(r, 1, sizeof(*inventory));
    if (inventory == NULL)
        return;
    inventory->file = r->s->file;
    read_section(r, &section_inventory, root, inventory);
    r->s->inventory = inventory;
}

/* Without a name of its own it is called as its file is. */
static void name_by_file(struct reader *r)
{
    const char *slash = strrchr(r->source->file, '/');
    const char *base = slash != NULL ? slash + 1 : r->source->file;
    struct name name = {"scenario"};
    struct name stem = {""};
    struct err err;
    const struct param p = {.name = "name", .type = PARAM_NAME};
    (void)snprintf(stem.s, sizeof(stem.s), "%.*s", (int)strcspn(base, "."), base);
    if (param_parse(&p, stem.s, &name, &err) != 0)
        (void)snprintf(name.s, sizeof(name.s), "scenario");
    r->s->name = reader_strdup(r, name.s);
}

/* Which variant, the variables' values, and the tree of that variant, with them. */
static void prepare(struct reader *r, struct node *root, const struct scenario_set *sets,
                    size_t n_sets)
{
    variants_read(r, root, is_lab_file(root));
    variants_choose(r, sets, n_sets);
    vars_want(r, sets, n_sets);
    vars_read(r, node_get(root, "vars"));
    variants_compose(r, root);
    vars_expand(r, root);
}

static void read_document(struct reader *r, bool only_lab, const struct scenario_set *sets,
                          size_t n_sets)
{
    struct node *root = yamltree_parse(r->source, r->arena, r->problems);
    if (root == NULL)
        return;
    if (root->kind != NODE_MAP) {
        reader_problem(r, root->pos, "begin with \"version: 1\"", "a scenario is a map, not %s",
                       node_kind_word(root));
        return;
    }
    r->root = root;
    prepare(r, root, sets, n_sets);
    name_by_file(r);
    bool lab_file = is_lab_file(root);
    if (only_lab && !lab_file) {
        /* Of a scenario only the lab counts; the rest may be wrong, or need faults. */
        const struct key lab = {.name = "lab"};
        const struct node *node = node_get(root, lab.name);
        if (node != NULL)
            read_lab(r, &lab, node, r->s);
    } else if (is_inventory_file(root)) {
        read_inventory_file(r, root);
    } else {
        read_section(r, lab_file ? &section_lab_file : &section_scenario, root, r->s);
    }
    vars_unused(r);
    if (r->s->n_steps != 0 && r->problems->n == 0)
        scenario_check(r);
    if (r->problems->n == 0)
        vantages_expand(r);
}

static bool hash(const char *text, size_t len, char *out)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(text, len, sum, &n, EVP_sha256(), NULL) != 1)
        return false;
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", sum[i]);
    return true;
}

static int parse(const struct source *in, const struct source *other,
                 const struct catalogue *faults, const struct scenario_set *sets, size_t n_sets,
                 bool only_lab, struct scenario **ret, struct problems *problems, struct err *err)
{
    const char *file = in->file, *text = in->text;
    size_t len = in->len;
    *ret = NULL;
    struct scenario *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    s->arena = ARENA_INIT(ARENA_MAX);
    char *copy = arena_strndup(&s->arena, text, len);
    s->file = arena_strdup(&s->arena, file);
    if (copy == NULL || s->file == NULL) {
        scenario_free(s);
        return make_error(err, ERR_LIMIT, 0, "no memory");
    }
    s->text = copy;
    s->len = len;
    const struct source source = {s->file, s->text, s->len};
    struct reader r = {.s = s,
                       .arena = &s->arena,
                       .source = &source,
                       .problems = problems,
                       .faults = faults,
                       .other = other};
    if (hash(text, len, s->sha256))
        read_document(&r, only_lab, sets, n_sets);
    else
        r.no_memory = true;
    problems_sort(problems);
    if (problems->n == 0 && !r.no_memory) {
        *ret = s;
        return 0;
    }
    scenario_free(s);
    return make_error(err, ERR_INPUT, 0, "%s: %s", file,
                      problems->n != 0 ? problems->list[0].message : "no memory to read it");
}

int scenario_parse(const char *file, const char *text, size_t len, const struct catalogue *faults,
                   const struct scenario_set *sets, size_t n_sets, struct scenario **ret,
                   struct problems *problems, struct err *err)
{
    const struct source in = {file, text, len};
    return parse(&in, NULL, faults, sets, n_sets, false, ret, problems, err);
}

int scenario_parse_whole(const char *file, const char *text, size_t len, const char *other,
                         size_t other_len, const struct catalogue *faults,
                         const struct scenario_set *sets, size_t n_sets, struct scenario **ret,
                         struct problems *problems, struct err *err)
{
    const struct source in = {file, text, len};
    const struct source beside = {file, other != NULL ? other : "", other != NULL ? other_len : 0};
    return parse(&in, &beside, faults, sets, n_sets, false, ret, problems, err);
}

int scenario_load(const char *file, const struct catalogue *faults, const struct scenario_set *sets,
                  size_t n_sets, struct scenario **ret, struct problems *problems, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(YAMLTREE_MAX);
    *ret = NULL;
    if (scenario_read_file(file, &text, err) != 0)
        return -1;
    const struct source in = {file, buf_text(&text), text.len};
    return parse(&in, NULL, faults, sets, n_sets, false, ret, problems, err);
}

int scenario_load_lab(const char *file, const struct scenario_set *sets, size_t n_sets,
                      struct scenario **ret, struct problems *problems, struct err *err)
{
    static const struct catalogue none = {NULL, 0};
    CLEANUP_BUF struct buf text = BUF_INIT(YAMLTREE_MAX);
    *ret = NULL;
    if (scenario_read_file(file, &text, err) != 0)
        return -1;
    const struct source in = {file, buf_text(&text), text.len};
    return parse(&in, NULL, &none, sets, n_sets, true, ret, problems, err);
}

int scenario_variant_names(const char *file, struct arena *arena, const char *const **ret,
                           size_t *ret_n, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(YAMLTREE_MAX);
    struct problems ignored = {0};
    struct scenario s = {.file = file};
    if (scenario_read_file(file, &text, err) != 0)
        return -1;
    const struct source source = {file, buf_text(&text), text.len};
    struct reader r = {.s = &s, .arena = arena, .source = &source, .problems = &ignored};
    const struct node *root = yamltree_parse(&source, arena, &ignored);
    if (root != NULL && root->kind == NODE_MAP)
        variants_read(&r, root, is_lab_file(root));
    const char **names = reader_alloc(&r, s.n_variants + 1, sizeof(*names));
    for (size_t i = 0; names != NULL && i < s.n_variants; i++)
        names[i] = s.variants[i].name;
    problems_free(&ignored);
    if (r.no_memory)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    *ret = names;
    *ret_n = s.n_variants;
    return 0;
}

void scenario_free(struct scenario *s)
{
    if (s == NULL)
        return;
    struct arena arena = s->arena;
    arena_free(&arena);
    free(s);
}
