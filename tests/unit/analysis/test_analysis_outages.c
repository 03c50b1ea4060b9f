/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timelines in virtual time. A line is one probe asked every 100 ms, a character a slot: `.` good
 * (5 ms), `x` refused, `t` timed out after 1 s, `s` too slow (60 ms), `-` not sent by the prober,
 * ` ` no record at all, `l` good but sent 40 ms late, `G` good but 150 ms late, `B` bad and 150 ms
 * late. Several lines are several endpoints.
 */
#include "analysis/analysis_parts.h"
#include "base/buf.h"
#include "check.h"

#include <stdio.h>

enum { MS = 1000000, EVERY = 100, SLOTS_MAX = 64, ENDPOINTS_MAX = 3 };

static struct sample sample_of(char c, uint32_t slot, uint16_t endpoint)
{
    static const struct {
        char c;
        int late, took;
        enum sample_result result;
    } kinds[] = {
        {'.', 0, 5, SAMPLE_GOOD},   {'x', 0, 1, SAMPLE_REFUSED}, {'t', 0, 1000, SAMPLE_TIMEOUT},
        {'s', 0, 60, SAMPLE_SLOW},  {'-', 120, 0, SAMPLE_GAP},   {'l', 40, 5, SAMPLE_GOOD},
        {'G', 150, 5, SAMPLE_GOOD}, {'B', 150, 1, SAMPLE_RESET}, {'m', 0, 30, SAMPLE_RESET},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].c == c) {
            /* Endpoints of one slot go out a millisecond after each other. */
            int64_t due = (int64_t)slot * EVERY * MS;
            int64_t sent = due + (int64_t)(kinds[i].late + endpoint) * MS;
            return (struct sample){.due_ns = due,
                                   .sent_ns = sent,
                                   .done_ns = sent + (int64_t)kinds[i].took * MS,
                                   .slot = slot,
                                   .endpoint = endpoint,
                                   .result = (uint16_t)kinds[i].result,
                                   .send_ns = c == 'm' ? 20 * MS : 0};
        }
    CU_FAIL_FATAL("no such character in a timeline");
    return (struct sample){.slot = 0};
}

struct line {
    enum endpoints_rule rule;
    int stable; /* ms */
    const char *lines[ENDPOINTS_MAX];
    const char *outages; /* onset; recovery; what else */
};

static size_t samples_of(const struct line *l, struct sample *ret, size_t *ret_endpoints)
{
    size_t n = 0, len = strlen(l->lines[0]), endpoints = 0;
    while (endpoints < ENDPOINTS_MAX && l->lines[endpoints] != NULL)
        endpoints++;
    for (uint32_t slot = 0; slot < len; slot++)
        for (size_t e = 0; e < endpoints; e++)
            if (l->lines[e][slot] != ' ')
                ret[n++] = sample_of(l->lines[e][slot], slot, (uint16_t)e);
    *ret_endpoints = endpoints;
    return n;
}

static void outage_print(struct buf *b, const struct analysis_outage *o)
{
    buf_printf(b, "%s(%d,%d] ", b->len != 0 ? "; " : "", (int)(o->onset.lo / MS),
               (int)(o->onset.hi / MS));
    if (o->recovered)
        buf_printf(b, "(%d,%d]", (int)(o->recovery.lo / MS), (int)(o->recovery.hi / MS));
    else
        buf_printf(b, "(%d,never]", (int)(o->recovery.lo / MS));
    if (o->dips > 1)
        buf_printf(b, " dips %u", o->dips);
    if (o->gap_at_edge)
        buf_puts(b, " gap");
    if (o->bad_ns.hi == SPAN_OPEN)
        buf_printf(b, " bad %d..", (int)(o->bad_ns.lo / MS));
    else
        buf_printf(b, " bad %d..%d", (int)(o->bad_ns.lo / MS), (int)(o->bad_ns.hi / MS));
}

static void check_line(const struct line *l)
{
    static const struct slot_role roles[] = {{0, 0}, {(int64_t)550 * MS, 1}};
    struct sample samples[SLOTS_MAX * ENDPOINTS_MAX];
    struct slot slots[SLOTS_MAX * ENDPOINTS_MAX];
    size_t endpoints;
    size_t n = samples_of(l, samples, &endpoints);
    struct slot_rule rule = {.rule = l->rule,
                             .n_endpoints = endpoints,
                             .every = (int64_t)EVERY * MS,
                             .roles = roles,
                             .n_roles = l->rule == ENDPOINTS_ROLE ? 2 : 0};
    struct slot_range r = {.slots = slots,
                           .n = analysis_slots(&rule, samples, n, slots),
                           .every = rule.every,
                           .stable_for = (int64_t)l->stable * MS};
    CLEANUP_BUF struct buf b = BUF_INIT(4096);
    struct analysis_outage o;
    for (size_t at = 0; analysis_outage_next(&r, &at, 0, &o);)
        outage_print(&b, &o);
    if (strcmp(buf_text(&b), l->outages) != 0) {
        printf("\n  %s\n  wanted: %s\n  got:    %s\n", l->lines[0], l->outages, buf_text(&b));
        CU_FAIL("another outage");
    }
}

static void test_one_endpoint(void)
{
    static const struct line lines[] = {
        {ENDPOINTS_ONE, 300, {"..........."}, ""},
        /* bounds: last good send, first bad send; last bad send, first good completion */
        {ENDPOINTS_ONE, 300, {"...xxxx....."}, "(200,300] (600,705] bad 300..505"},
        {ENDPOINTS_ONE, 300, {"...x....."}, "(200,300] (300,405] bad 0..205"},
        /* a time-out counts from its send: slots sent within its second answer for themselves */
        {ENDPOINTS_ONE, 300, {"...tttt....."}, "(200,300] (600,705] bad 300..505"},
        {ENDPOINTS_ONE, 300, {"...xxxx"}, "(200,300] (600,never] bad 300.."},
        /* good again, but not for long enough to say so: the end of observation is no recovery */
        {ENDPOINTS_ONE, 300, {"...xxxx.."}, "(200,300] (600,never] bad 300..505"},
        {ENDPOINTS_ONE, 300, {"...xxxx..."}, "(200,300] (600,705] bad 300..505"},
        /* flapping: one outage until the streak holds; its dips are counted */
        {ENDPOINTS_ONE, 300, {"...x..x..x....."}, "(200,300] (900,1005] dips 3 bad 0..615"},
        /* two outages, when the streak between them held */
        {ENDPOINTS_ONE,
         300,
         {"...x...x....."},
         "(200,300] (300,405] bad 0..205; (600,700] (700,805] bad 0..205"},
        {ENDPOINTS_ONE, 300, {"...ss....."}, "(200,300] (400,505] bad 100..305"},
        /* bad from the first slot on: nothing bounds the onset */
        {ENDPOINTS_ONE, 300, {"xx....."}, "(0,0] (100,205] gap bad 100..205"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_line(&lines[i]);
}

/* A send that took 20 ms moves the upper bound of the onset, and nothing else. */
static void test_a_slow_send_widens(void)
{
    static const struct line lines[] = {
        {ENDPOINTS_ONE, 300, {"..mmm....."}, "(100,220] (400,505] bad 180..405"},
        {ENDPOINTS_ANY, 300, {"..mmm.....", "..xxx....."}, "(101,220] (400,505] bad 180..404"},
        {ENDPOINTS_EACH, 300, {"..m.......", ".........."}, "(100,220] (200,306] bad 0..206"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_line(&lines[i]);
}

static void test_gaps_widen_and_are_told(void)
{
    static const struct line lines[] = {
        /* a stall of the prober is no outage */
        {ENDPOINTS_ONE, 300, {"....----....."}, ""},
        {ENDPOINTS_ONE, 300, {"....    ....."}, ""},
        {ENDPOINTS_ONE, 300, {"....GGG....."}, ""},
        /* at an edge it widens the bounds, and the outage says so */
        {ENDPOINTS_ONE, 300, {"...-xxx....."}, "(200,400] (600,705] gap bad 200..505"},
        {ENDPOINTS_ONE, 300, {"...xxx--....."}, "(200,300] (500,805] gap bad 200..605"},
        {ENDPOINTS_ONE, 300, {"... xxx....."}, "(200,400] (600,705] gap bad 200..505"},
        {ENDPOINTS_ONE, 300, {"...xxx  ....."}, "(200,300] (500,805] gap bad 200..605"},
        {ENDPOINTS_ONE, 300, {"...xxxGG....."}, "(200,300] (500,805] gap bad 200..605"},
        /* within, it moves nothing */
        {ENDPOINTS_ONE, 300, {"...xx--xx....."}, "(200,300] (800,905] bad 500..705"},
        {ENDPOINTS_ONE, 300, {"...xx....--....."}, "(200,300] (400,505] bad 100..305"},
        /* a failure seen late is still a failure, never good news; its send is not on schedule */
        {ENDPOINTS_ONE, 300, {"....B....."}, "(300,550] (550,605] gap bad 0..305"},
        /* merely late slots are data */
        {ENDPOINTS_ONE, 300, {"..lxxxl....."}, "(240,300] (500,645] bad 200..405"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_line(&lines[i]);
}

static void test_several_endpoints(void)
{
    static const struct line lines[] = {
        /* any: down while all are; proved up by the earliest good answer of a slot */
        {ENDPOINTS_ANY, 300, {"...xxxx.....", "............"}, ""},
        {ENDPOINTS_ANY, 300, {"...xxxx.....", "..xxx......."}, "(200,301] (400,506] bad 99..306"},
        {ENDPOINTS_ANY,
         300,
         {"...x-xx.....", "..x.xxx....."},
         "(301,501] (600,705] gap bad 99..404"},
        /* each: down while one is */
        {ENDPOINTS_EACH, 300, {"...xxxx.....", "............"}, "(200,300] (600,706] bad 300..506"},
        {ENDPOINTS_EACH, 300, {"...xxxx.....", "..xxx......."}, "(100,201] (600,706] bad 399..606"},
        {ENDPOINTS_EACH, 300, {"............", "...-........"}, ""},
        /* role: who has it counts; it moves to the second at 550 ms */
        {ENDPOINTS_ROLE, 300, {"....xxxx....", "............"}, "(300,400] (500,606] bad 100..306"},
        {ENDPOINTS_ROLE, 300, {"............", "....xxxx...."}, "(500,601] (701,806] bad 100..306"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_line(&lines[i]);
}

static void test_counts(void)
{
    static const char text[] = "..xx-l....";
    struct sample samples[SLOTS_MAX];
    struct slot slots[SLOTS_MAX];
    size_t endpoints;
    struct line l = {.lines = {text}};
    size_t n = samples_of(&l, samples, &endpoints);
    struct slot_rule rule = {.n_endpoints = 1, .every = (int64_t)EVERY * MS};
    struct slot_range r = {
        .slots = slots, .n = analysis_slots(&rule, samples, n, slots), .every = rule.every};
    struct slot_count c = analysis_slots_count(&r, 0, SPAN_OPEN, INT64_MIN);
    CU_ASSERT_EQUAL(c.scheduled, 10);
    CU_ASSERT_EQUAL(c.good, 7);
    CU_ASSERT_EQUAL(c.bad, 2);
    CU_ASSERT_EQUAL(c.gaps, 1);
    CU_ASSERT_EQUAL(c.late, 1);
    /* a window is half open */
    c = analysis_slots_count(&r, (int64_t)200 * MS, (int64_t)400 * MS, INT64_MIN);
    CU_ASSERT_EQUAL(c.scheduled, 2);
    CU_ASSERT_EQUAL(c.bad, 2);
    /* what was scheduled and never recorded is missing, not good: slots 10..14 */
    c = analysis_slots_count(&r, 0, SPAN_OPEN, (int64_t)1430 * MS);
    CU_ASSERT_EQUAL(c.gaps, 1 + 5);
    CU_ASSERT_EQUAL(c.scheduled, 15);
}

static const struct check_test tests[] = {
    {"one endpoint", test_one_endpoint},
    {"a slow send widens", test_a_slow_send_widens},
    {"gaps widen and are told", test_gaps_widen_and_are_told},
    {"several endpoints", test_several_endpoints},
    {"counts", test_counts},
};

CHECK_MAIN("analysis outages", tests)
