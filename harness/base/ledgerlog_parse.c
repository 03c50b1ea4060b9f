/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading half: one pass that counts, one that fills arrays of exactly that size. */
#include "base/cleanup.h"
#include "base/ledgerlog.h"

#include <errno.h>
#include <string.h>

#define HEAD     "blackstart-ledger 1 "
#define TIME_MAX (UINT64_C(1) << 53)

enum { ARENA_MAX = 1 << 30 };

struct result {
    uint64_t id;
    int64_t done;
    const char *why;
    enum ledger_result result;
};

struct parser {
    struct ledgerlog *l;
    const char *at, *end; /* of the line */
    size_t number;
    struct ledgerlog_write *writes;
    struct ledgerlog_read *reads;
    struct ledgerlog_range *ranges;
    struct result *results;
    const struct ledgerlog_read **newest; /* that went well, of each view */
    size_t n_writes, n_reads, n_ranges, n_results;
    struct ledgerlog_trial *trial; /* the open one */
    struct ledgerlog_read *read;   /* the open one */
    struct err *err;
};

static int bad(const struct parser *p, const char *what)
{
    return make_error(p->err, ERR_INPUT, 0, "line %zu: %s", p->number, what);
}

static bool digits(struct parser *p, uint64_t max, uint64_t *ret)
{
    const char *start = p->at;
    uint64_t v = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        uint64_t digit = (uint64_t)(*p->at - '0');
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return p->at != start;
}

/* A space and a number. */
static bool number(struct parser *p, uint64_t max, uint64_t *ret)
{
    if (p->at == p->end || *p->at != ' ')
        return false;
    p->at++;
    return digits(p, max, ret);
}

static bool time_of(struct parser *p, int64_t *ret)
{
    uint64_t v = 0;
    bool ok = number(p, TIME_MAX, &v);
    *ret = (int64_t)v;
    return ok;
}

/* The rest of the line behind a space; "" when there is none. NULL: no memory. */
static const char *rest(struct parser *p)
{
    if (p->at < p->end && *p->at == ' ')
        p->at++;
    size_t len = (size_t)(p->end - p->at);
    p->at = p->end;
    return len == 0 ? "" : arena_strndup(&p->l->arena, p->end - len, len);
}

static int compare_writes(const void *left, const void *right)
{
    const struct ledgerlog_write *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int compare_results(const void *left, const void *right)
{
    const struct result *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The results of the trial that ends here join their writes. */
static int trial_close(struct parser *p)
{
    struct ledgerlog_trial *t = p->trial;
    if (t == NULL)
        return 0;
    struct ledgerlog_write *w = &p->writes[p->n_writes - t->n_writes];
    if (t->n_writes != 0)
        qsort(w, t->n_writes, sizeof(*w), compare_writes);
    if (p->n_results != 0)
        qsort(p->results, p->n_results, sizeof(*p->results), compare_results);
    for (size_t i = 1; i < t->n_writes; i++)
        if (w[i].id == w[i - 1].id)
            return bad(p, "a write stands there twice");
    for (size_t i = 0, k = 0; i < p->n_results; i++) {
        const struct result *r = &p->results[i];
        while (k < t->n_writes && w[k].id < r->id)
            k++;
        if (k == t->n_writes || w[k].id != r->id || w[k].result != LEDGER_PENDING)
            return bad(p, "the result of no write, or a second one");
        if (r->done < w[k].sent_ns)
            return bad(p, "a write ended before it was sent");
        w[k].result = (uint8_t)r->result;
        w[k].done_ns = r->done;
        w[k].why = r->why;
    }
    p->n_results = 0;
    p->trial = NULL;
    p->read = NULL;
    return 0;
}

static int on_view(struct parser *p)
{
    uint64_t view = 0;
    if (!number(p, LEDGERLOG_VIEWS_MAX, &view) || view != p->l->n_views)
        return bad(p, "views are numbered in order");
    const char *name = rest(p);
    if (name == NULL)
        return make_error(p->err, ERR_LIMIT, ENOMEM, "ledger");
    p->l->views[p->l->n_views++] = name;
    return 0;
}

static int on_trial(struct parser *p)
{
    uint64_t trial = 0;
    int64_t t = 0;
    if (trial_close(p) != 0)
        return -1;
    if (!number(p, UINT32_MAX - 1, &trial) || !time_of(p, &t))
        return bad(p, "a trial needs its number and a time");
    for (size_t i = 0; i < p->l->n_trials; i++)
        if (p->l->trials[i].trial == trial)
            return bad(p, "a trial begins for the second time");
    p->trial = &p->l->trials[p->l->n_trials++];
    *p->trial = (struct ledgerlog_trial){.trial = (uint32_t)trial,
                                         .began_ns = t,
                                         .until_ns = INT64_MAX,
                                         .writes = &p->writes[p->n_writes],
                                         .reads = &p->reads[p->n_reads]};
    return 0;
}

static int on_intent(struct parser *p)
{
    struct ledgerlog_write w = {.done_ns = INT64_MAX, .why = ""};
    if (!number(p, INT64_MAX, &w.id) || !time_of(p, &w.due_ns) || !time_of(p, &w.sent_ns) ||
        w.sent_ns < w.due_ns)
        return bad(p, "a write needs its number, when it was due and when it was sent");
    p->writes[p->n_writes++] = w;
    p->trial->n_writes++;
    return 0;
}

static int on_result(struct parser *p, enum ledger_result result)
{
    struct result r = {.result = result};
    if (!number(p, INT64_MAX, &r.id) || !time_of(p, &r.done))
        return bad(p, "a result needs the write's number and a time");
    r.why = rest(p);
    if (r.why == NULL)
        return make_error(p->err, ERR_LIMIT, ENOMEM, "ledger");
    p->results[p->n_results++] = r;
    return 0;
}

static int on_gap(struct parser *p)
{
    uint64_t first = 0, n = 0;
    if (!number(p, INT64_MAX, &first) || !number(p, UINT32_MAX, &n))
        return bad(p, "a gap needs its first number and how many");
    p->trial->gaps += n;
    return 0;
}

static int on_until(struct parser *p)
{
    return time_of(p, &p->trial->until_ns) ? 0 : bad(p, "the schedule's end needs a time");
}

static int on_read(struct parser *p)
{
    uint64_t round = 0, view = 0;
    struct ledgerlog_read r = {.done_ns = INT64_MAX, .why = "it did not come to its end"};
    if (!number(p, LEDGERLOG_READS_MAX, &round) || !number(p, UINT32_MAX, &view) ||
        view >= p->l->n_views || !time_of(p, &r.began_ns))
        return bad(p, "a read needs its round, a known view and a time");
    r.round = (uint32_t)round;
    r.view = (uint32_t)view;
    r.ranges = &p->ranges[p->n_ranges];
    p->read = &p->reads[p->n_reads++];
    *p->read = r;
    p->trial->n_reads++;
    return 0;
}

static int on_ids(struct parser *p)
{
    if (p->read == NULL)
        return bad(p, "ids of no read");
    while (p->at < p->end) {
        struct ledgerlog_range r = {.times = 1};
        uint64_t times = 1;
        if (!number(p, INT64_MAX, &r.from))
            return bad(p, "ids are numbers");
        r.to = r.from;
        if (p->at < p->end && *p->at == '-') {
            p->at++;
            if (!digits(p, INT64_MAX, &r.to) || r.to < r.from)
                return bad(p, "a range of ids goes up");
        }
        if (p->at < p->end && *p->at == 'x') {
            p->at++;
            if (!digits(p, UINT32_MAX, &times) || times == 0)
                return bad(p, "how often an id is there is a number");
        }
        r.times = (uint32_t)times;
        if (p->read->n_ranges != 0 && p->ranges[p->n_ranges - 1].to >= r.from)
            return bad(p, "ids are in order");
        p->ranges[p->n_ranges++] = r;
        p->read->n_ranges++;
    }
    return 0;
}

static int on_same(struct parser *p)
{
    if (p->read == NULL || p->read->n_ranges != 0)
        return bad(p, "as before, of no read");
    const struct ledgerlog_read *r = p->newest[p->read->view];
    if (r == NULL || r < p->trial->reads || r->round + 1 != p->read->round)
        return bad(p, "as before, and there is no read before");
    p->read->ranges = r->ranges;
    p->read->n_ranges = r->n_ranges;
    return 0;
}

static int on_read_end(struct parser *p, bool ok)
{
    if (p->read == NULL || !time_of(p, &p->read->done_ns))
        return bad(p, "the end of no read, or without a time");
    p->read->ok = ok;
    p->read->why = rest(p);
    if (p->read->why == NULL)
        return make_error(p->err, ERR_LIMIT, ENOMEM, "ledger");
    if (ok)
        p->newest[p->read->view] = p->read;
    p->read = NULL;
    return 0;
}

static int line_parse(struct parser *p)
{
    char kind = '\0';
    if (p->at < p->end)
        kind = *p->at++;
    if (kind == 'v')
        return on_view(p);
    if (kind == 't')
        return on_trial(p);
    if (p->trial == NULL)
        return bad(p, "stands outside of any trial");
    switch (kind) {
    case 'w':
        return on_intent(p);
    case 'a':
        return on_result(p, LEDGER_OK);
    case 'f':
        return on_result(p, LEDGER_FAIL);
    case 'u':
        return on_result(p, LEDGER_UNKNOWN);
    case 'g':
        return on_gap(p);
    case 's':
        return on_until(p);
    case 'r':
        return on_read(p);
    case 'i':
        return on_ids(p);
    case 'm':
        return on_same(p);
    case 'e':
    case 'x':
        return on_read_end(p, kind == 'e');
    case 'z':
        p->trial->reading_over = true;
        return 0;
    default:
        return bad(p, "a line of no known kind");
    }
}

static int head_parse(struct parser *p)
{
    size_t head = sizeof(HEAD) - 1, len = (size_t)(p->end - p->at);
    if (len < head || memcmp(p->at, HEAD, head) != 0)
        return make_error(p->err, ERR_INPUT, 0, "is not a ledger's file");
    const char *name = p->at + head, *space = memchr(name, ' ', len - head);
    if (space == NULL)
        return bad(p, "needs the ledger's name and where it stands");
    p->l->name = arena_strndup(&p->l->arena, name, (size_t)(space - name));
    p->l->from = arena_strndup(&p->l->arena, space + 1, (size_t)(p->end - space - 1));
    return p->l->name != NULL && p->l->from != NULL
               ? 0
               : make_error(p->err, ERR_LIMIT, ENOMEM, "ledger");
}

struct counts {
    size_t writes, reads, ranges, results, views, trials;
};

static void count_line(struct counts *n, const char *at, const char *end)
{
    switch (at < end ? *at : '\0') {
    case 'w':
        n->writes++;
        break;
    case 'a':
    case 'f':
    case 'u':
        n->results++;
        break;
    case 'r':
        n->reads++;
        break;
    case 'v':
        n->views++;
        break;
    case 't':
        n->trials++;
        break;
    case 'i':
        for (; at < end; at++)
            n->ranges += *at == ' ';
        break;
    default:
        break;
    }
}

static int room_make(struct parser *p, const struct counts *n)
{
    struct arena *a = &p->l->arena;
    if (n->writes > LEDGERLOG_WRITES_MAX || n->results > n->writes ||
        n->reads > LEDGERLOG_READS_MAX || n->ranges > LEDGERLOG_RANGES_MAX ||
        n->views > LEDGERLOG_VIEWS_MAX || n->trials > LEDGERLOG_TRIALS_MAX)
        return make_error(p->err, ERR_LIMIT, 0, "has more lines of one kind than it may");
    p->writes = arena_array(a, n->writes + 1, sizeof(*p->writes));
    p->reads = arena_array(a, n->reads + 1, sizeof(*p->reads));
    p->ranges = arena_array(a, n->ranges + 1, sizeof(*p->ranges));
    p->results = arena_array(a, n->results + 1, sizeof(*p->results));
    p->newest = arena_array(a, n->views + 1, sizeof(void *));
    p->l->views = arena_array(a, n->views + 1, sizeof(*p->l->views));
    p->l->trials = arena_array(a, n->trials + 1, sizeof(*p->l->trials));
    if (p->writes == NULL || p->reads == NULL || p->ranges == NULL || p->results == NULL ||
        p->newest == NULL || p->l->views == NULL || p->l->trials == NULL)
        return make_error(p->err, ERR_LIMIT, ENOMEM, "ledger of %zu writes", n->writes);
    return 0;
}

static int lines_parse(struct parser *p, const char *text, const char *end)
{
    struct counts n = {0, 0, 0, 0, 0, 0};
    for (const char *at = text, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        count_line(&n, at, stop);
    }
    if (room_make(p, &n) != 0)
        return -1;
    for (const char *stop; text < end; text = stop + 1) {
        stop = memchr(text, '\n', (size_t)(end - text));
        p->at = text;
        p->end = stop;
        p->number++;
        if ((p->number == 1 ? head_parse(p) : line_parse(p)) != 0)
            return -1;
        if (p->at != p->end && p->number != 1)
            return bad(p, "more than the line should hold");
    }
    return trial_close(p);
}

int ledgerlog_parse(const char *text, size_t len, struct ledgerlog **ret, struct err *err)
{
    CLEANUP_LEDGERLOG struct ledgerlog *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "ledger");
    l->arena = ARENA_INIT(ARENA_MAX);
    /* A disk that lost power may have given the file its length, and zeros. */
    const char *zero = memchr(text, '\0', len);
    size_t whole = zero != NULL ? (size_t)(zero - text) : len;
    while (whole != 0 && text[whole - 1] != '\n')
        whole--;
    l->torn = whole != len;
    if (whole == 0)
        return make_error(err, ERR_INPUT, 0, "has no whole line");
    struct parser p = {.l = l, .err = err};
    if (lines_parse(&p, text, text + whole) != 0)
        return -1;
    *ret = steal_ptr(&l);
    return 0;
}

void ledgerlog_free(struct ledgerlog *l)
{
    if (l == NULL)
        return;
    struct arena arena = l->arena;
    arena_free(&arena);
    free(l);
}

void ledgerlog_free_at(struct ledgerlog **l)
{
    ledgerlog_free(*l);
}
