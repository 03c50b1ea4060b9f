/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's clock is stepped, by the fault that does so and by others, while faults are on:
 * neither their end nor what is measured may move with it, and it is stepped back exactly. */
#include "agents/faults/catalogue.h"
#include "agents/faults/clock_host.h"
#include "agents/guardian.h"
#include "agents/seal.h"
#include "lab/netfault.h"
#include "vm/guest.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <time.h>

#define NEARLY    (2 * NS_PER_MS)
#define STATE_DIR "/run/test-clock"

/* Shared with the processes that act. */
static struct shared {
    struct undo undo;
    struct evidence evidence;
    struct revert_report report;
    struct err err;
    bool active, done, tried;
} * s;

static const struct fault *row;
static struct fault_host host;
static void *args;

/* Of the readings that were least interrupted. */
static int64_t offset(void)
{
    int64_t best = INT64_MAX, ret = 0;
    for (int i = 0; i < 100; i++) {
        int64_t first = netfault_now(), real = clock_system(CLOCK_REALTIME);
        int64_t took = netfault_now() - first;
        if (took >= best)
            continue;
        best = took;
        ret = real - first - took / 2;
    }
    return ret;
}

static bool is_near(int64_t a, int64_t b)
{
    bool near = llabs(a - b) < NEARLY;
    if (!near)
        (void)printf("\n    %lld ns apart\n    ", (long long)(a - b));
    return near;
}

/* Somebody else's hand. */
static void step_by(int64_t ns)
{
    struct timex t = {.modes = ADJ_SETOFFSET};
    int64_t us = ns / 1000, rest = us % 1000000;
    t.time.tv_sec = us / 1000000 - (rest < 0);
    t.time.tv_usec = rest < 0 ? rest + 1000000 : rest;
    CU_ASSERT_TRUE_FATAL(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
}

static void set(const char *name, const char *text)
{
    CU_ASSERT_EQUAL_FATAL(
        param_parse(param_find(row->params, row->n_params, name), text, args, &err), 0);
}

static void begin(const char *by, const char *direction)
{
    free(args);
    args = calloc(1, row->args_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(args);
    CU_ASSERT_EQUAL_FATAL(params_default(row->params, row->n_params, args, row->args_size, &err),
                          0);
    set("by", by);
    set("direction", direction);
    CU_ASSERT_EQUAL_FATAL(params_check(row->params, row->n_params, args, &err), 0);
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->undo.run, sizeof(s->undo.run), "vm");
    (void)snprintf(s->undo.injection, sizeof(s->undo.injection), "i1");
    (void)snprintf(s->undo.fault, sizeof(s->undo.fault), "%s", row->name);
    s->undo.lease_ns = netfault_now() + 300 * NS_PER_SEC;
}

static void set_up(void)
{
    row = catalogue_find(&fault_catalogue, "clock.skew");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    host = (struct fault_host){.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .now = netfault_now,
                               .run = "vm",
                               .name = "guest"};
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(s, MAP_FAILED);
}

static int act(void)
{
    if (seal_privileged(row->caps, &s->err) != 0 || row->supported(&host, &s->err) != 0 ||
        row->check(args, &s->err) != 0 || row->prepare(&host, args, &s->undo, &s->err) != 0 ||
        row->apply(&host, args, &s->undo, &s->err) != 0 ||
        row->verify(&host, &s->undo, &s->active, &s->err) != 0)
        return 1;
    return row->evidence(&host, &s->undo, &s->evidence, &s->err);
}

/* By a process that is sealed as the agent is, and dies without a word. */
static bool put_on(void)
{
    int status;
    pid_t agent = fork();
    if (agent == 0) {
        s->done = act() == 0;
        (void)kill(getpid(), SIGKILL);
    }
    (void)waitpid(agent, &status, 0);
    if (!s->done)
        (void)printf("\n    %s\n    ", s->err.msg);
    return s->done;
}

/* By another such process, from the undo record alone. */
static void take_off(bool is_foreign, const char *word)
{
    int status = -1;
    pid_t other = fork();
    if (other == 0)
        _exit(seal_privileged(row->caps, &s->err) != 0 ||
              row->revert(&host, &s->undo, &s->report, &s->err) != 0);
    (void)waitpid(other, &status, 0);
    (void)printf("\n    note: %s%s\n    ", s->report.what, status != 0 ? s->err.msg : "");
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(s->report.foreign, is_foreign);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->report.what, word));
    CU_ASSERT_NOT_EQUAL(access(CLOCK_HOST_MARK, F_OK), 0);
}

static bool is_active(void)
{
    bool active = false;
    CU_ASSERT_EQUAL(row->verify(&host, &s->undo, &active, &err), 0);
    CU_ASSERT_EQUAL(row->evidence(&host, &s->undo, &s->evidence, &err), 0);
    CU_ASSERT_EQUAL(s->evidence.proven, active);
    CU_ASSERT_TRUE(s->evidence.is_state);
    return active;
}

static void check_step(const char *by, const char *direction, int64_t ns)
{
    int64_t before = offset(), since = clock_system(CLOCK_MONOTONIC_RAW), boot = netfault_now();
    begin(by, direction);
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(s->evidence.proven);
    CU_ASSERT_EQUAL(s->evidence.items[0].value, (uint64_t)llabs(ns) / 1000);
    CU_ASSERT_TRUE(is_near(offset(), before + ns));
    CU_ASSERT_TRUE(is_active());
    take_off(false, "was set back");
    CU_ASSERT_TRUE(is_near(offset(), before));
    CU_ASSERT_FALSE(is_active());
    take_off(false, "stands as before");
    CU_ASSERT_TRUE(is_near(offset(), before));
    /* Leases' clock has gone on as if nothing had been: an hour would be seen. */
    int64_t strayed = (netfault_now() - boot) - (clock_system(CLOCK_MONOTONIC_RAW) - since);
    CU_ASSERT_TRUE(llabs(strayed) < 60 * NS_PER_SEC);
}

static void test_stepped_and_back(void)
{
    check_step("1h", "forward", 3600 * NS_PER_SEC);
    check_step("36h30m", "backward", -131400 * NS_PER_SEC);
    check_step("50ms", "backward", -50 * NS_PER_MS);
    check_step("8000h", "forward", INT64_C(8000) * 3600 * NS_PER_SEC);
}

/* Killed at the places between which the record and the mark have to be enough. */
static void test_killed_in_between(void)
{
    int64_t before = offset();
    begin("1h", "forward");
    CU_ASSERT_EQUAL_FATAL(row->prepare(&host, args, &s->undo, &err), 0);
    take_off(false, "stands as before");
    CU_ASSERT_EQUAL(guest_run("printf 'f vm i1\\n' >" CLOCK_HOST_MARK), 0);
    take_off(false, "stands as before"); /* before the step */
    step_by(3600 * NS_PER_SEC + 5 * NS_PER_MS);
    CU_ASSERT_EQUAL(guest_run("rm -f " CLOCK_HOST_MARK), 0);
    CU_ASSERT_FALSE(is_active());
    take_off(false, "nothing is to be");
    step_by(before - offset());
    begin("1h", "forward");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_EQUAL(guest_run("printf f | dd of=" CLOCK_HOST_MARK " conv=notrunc status=none"), 0);
    take_off(false, "was set back"); /* after the step */
    begin("1h", "forward");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_EQUAL(guest_run("rm " CLOCK_HOST_MARK), 0);
    take_off(false, "was set back"); /* nobody's, but the clock stands as we left it */
    CU_ASSERT_EQUAL(guest_run("printf 'b vm i1\\n' >" CLOCK_HOST_MARK), 0);
    take_off(false, "stands as before"); /* after the step back */
    CU_ASSERT_TRUE(is_near(offset(), before));
}

static void test_foreign(void)
{
    int64_t before = offset();
    begin("1h", "forward");
    CU_ASSERT_TRUE_FATAL(put_on());
    step_by(-3600 * NS_PER_SEC - 3 * NS_PER_MS); /* what an NTP daemon takes for right */
    CU_ASSERT_FALSE(is_active());
    take_off(true, "somebody else has set");
    CU_ASSERT_TRUE(is_near(offset(), before - 3 * NS_PER_MS));
    take_off(false, "nothing is to be");
    before = offset();
    begin("1h", "forward");
    CU_ASSERT_TRUE_FATAL(put_on());
    step_by(-3600 * NS_PER_SEC); /* exactly: it is not taken back once more */
    CU_ASSERT_FALSE(is_active());
    take_off(true, "set the host's clock right");
    CU_ASSERT_TRUE(is_near(offset(), before));
    begin("1h", "backward");
    CU_ASSERT_TRUE_FATAL(put_on());
    step_by(17 * NS_PER_SEC);
    CU_ASSERT_FALSE(is_active());
    take_off(true, "it is left so");
    CU_ASSERT_TRUE(is_near(offset(), before - 3583 * NS_PER_SEC));
    step_by(3583 * NS_PER_SEC);
}

/* As the agent's privileged process does it, which then does nothing more. */
static _Noreturn void privside(void)
{
    struct undo_log log;
    struct guardian guardian;
    const struct undo_owner owner = {.host = "guest"};
    const struct guardian_duty duty = {.catalogue = &fault_catalogue,
                                       .host = &host,
                                       .log = &log,
                                       .caps = row->caps,
                                       .link = -1,
                                       .close_fds = {-1, -1, -1}};
    int dir = open(STATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->done = undo_open(&log, dir, &owner, false, &s->err) == 0 &&
              guardian_start(&guardian, &duty, &s->err) == 0 &&
              seal_privileged(row->caps, &s->err) == 0 &&
              row->prepare(&host, args, &s->undo, &s->err) == 0 &&
              undo_write(&log, 0, &s->undo, false, &s->err) == 0 &&
              guardian_add(&guardian, 0, &s->undo, s->undo.lease_ns, 0, &s->err) == 0 &&
              row->apply(&host, args, &s->undo, &s->err) == 0;
    s->tried = true;
    for (;;)
        (void)pause();
}

static bool ends_within(int64_t before, int64_t limit)
{
    for (int64_t end = netfault_now() + limit; netfault_now() < end; (void)usleep(20000))
        if (llabs(offset() - before) < NEARLY)
            return true;
    return false;
}

static pid_t start_guarded(int64_t before, int64_t lease_ns)
{
    begin("8000h", "forward");
    s->undo.lease_ns = netfault_now() + lease_ns;
    pid_t agent = fork();
    if (agent == 0)
        privside();
    for (int tries = 0; tries < 1000 && !s->tried; tries++)
        (void)usleep(20000);
    (void)printf("%s", s->done ? "" : s->err.msg);
    CU_ASSERT_TRUE(s->done);
    CU_ASSERT_FALSE(llabs(offset() - before) < NEARLY);
    return agent;
}

/* The agent dies; it hangs past its lease, which a step of a year does not bring about. */
static void test_guardian(void)
{
    int64_t before = offset();
    CU_ASSERT_EQUAL_FATAL(guest_run("mkdir -p -m 700 " STATE_DIR), 0);
    pid_t agent = start_guarded(before, 300 * NS_PER_SEC);
    (void)kill(agent, SIGKILL);
    (void)waitpid(agent, NULL, 0);
    CU_ASSERT_TRUE(ends_within(before, 30 * NS_PER_SEC));
    agent = start_guarded(before, 4 * NS_PER_SEC);
    CU_ASSERT_TRUE(ends_within(before, 60 * NS_PER_SEC));
    CU_ASSERT_TRUE(netfault_now() >= s->undo.lease_ns);
    int status = 0;
    (void)waitpid(agent, &status, 0);
    CU_ASSERT_TRUE(WIFSIGNALED(status)); /* by its guardian */
    take_off(false, "stands as before");
}

/* Of two the first could not be told from a stranger's. */
static void test_second(void)
{
    struct undo other = {.run = "vm2", .injection = "i2"};
    int64_t before = offset();
    begin("1h", "forward");
    CU_ASSERT_EQUAL_FATAL(row->prepare(&host, args, &other, &err), 0);
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_NOT_EQUAL(row->apply(&host, args, &other, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, CLOCK_HOST_MARK));
    CU_ASSERT_EQUAL(row->revert(&host, &other, &s->report, &err), 0);
    CU_ASSERT_FALSE(s->report.foreign);
    CU_ASSERT_TRUE(is_active()); /* equal steps of an equal clock: the mark tells them apart */
    CU_ASSERT_NOT_EQUAL(row->prepare(&host, args, &other, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    take_off(false, "was set back");
    CU_ASSERT_TRUE(is_near(offset(), before));
}

static void test_stays_synchronized(void)
{
    struct timex t = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR};
    t.maxerror = 1234;
    t.esterror = 123;
    CU_ASSERT_TRUE_FATAL(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
    begin("1h", "forward");
    CU_ASSERT_TRUE_FATAL(put_on());
    t.modes = 0;
    CU_ASSERT_TRUE(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
    CU_ASSERT_TRUE((t.status & STA_UNSYNC) != 0); /* so that the hardware clock is left alone */
    take_off(false, "was set back");
    t.modes = 0;
    CU_ASSERT_TRUE(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
    CU_ASSERT_EQUAL(t.status, 0);
    CU_ASSERT_TRUE(t.maxerror < 1000000 && t.esterror == 123);
    t.modes = ADJ_STATUS;
    t.status = STA_UNSYNC;
    CU_ASSERT_TRUE(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
}

static void test_refused(void)
{
    int64_t before = offset();
    begin("1h", "forward");
    host.lab = true;
    CU_ASSERT_NOT_EQUAL(row->prepare(&host, args, &s->undo, &err), 0);
    host.lab = false;
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "shared by all hosts"));
    set("monotonic", "true");
    CU_ASSERT_NOT_EQUAL(row->check(args, &err), 0);
    begin("8760h", "backward");
    step_by(-(clock_system(CLOCK_REALTIME) - 30 * 24 * 3600 * NS_PER_SEC));
    CU_ASSERT_NOT_EQUAL(row->prepare(&host, args, &s->undo, &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    step_by(before - offset());
    CU_ASSERT_TRUE(is_near(offset(), before));
}

static int64_t healed_after(int64_t since, int64_t limit_ms)
{
    int64_t ms = 0;
    while (ms <= limit_ms) {
        if (netfault_from_b(NETNS_A_FOR_B) == 1)
            return ms;
        ms = (netfault_now() - since) / NS_PER_MS;
    }
    return -1;
}

static void test_a_lease_ignores_steps(void)
{
    for (int hours = -1; hours <= 1; hours += 2) {
        struct undo undo;
        struct network_traffic traffic = netfault_args(NETNS_B_IP, NULL);
        begin("1h", hours < 0 ? "backward" : "forward");
        CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &traffic, 1500, &undo), 0);
        int64_t applied = netfault_now();
        CU_ASSERT_TRUE(put_on());
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
        CU_ASSERT_TRUE(netfault_active(&undo));
        int64_t ms = healed_after(applied, 10000);
        (void)printf("\n    figure: clock stepped by %+d h: a lease of 1500 ms ended after %lld ms",
                     hours, (long long)ms);
        CU_ASSERT_TRUE(ms >= 1300 && ms < 4000);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
        take_off(false, "was set back");
    }
    (void)printf("\n    ");
}

static const struct check_test tests[] = {
    {"the host", set_up},
    {"a host's clock is stepped and stepped back", test_stepped_and_back},
    {"an agent dies at any step", test_killed_in_between},
    {"somebody else sets the clock meanwhile", test_foreign},
    {"its guardian sets it back", test_guardian},
    {"two on one clock", test_second},
    {"a synchronized clock", test_stays_synchronized},
    {"what is refused", test_refused},
    {"a lease ignores steps of the clock", test_a_lease_ignores_steps},
};

int main(void)
{
    if (!guest_is_here()) {
        (void)fprintf(stderr, "runs only in the guest: tests/vm/boot.sh\n");
        return 2;
    }
    return netfault_main("vm/clock", tests, sizeof(tests) / sizeof(tests[0]));
}
