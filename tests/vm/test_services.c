/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults on services where systemd manages them: redis from Debian's package, as its unit. Each
 * fault is put on by a process that is sealed as the agent is, and taken off by another one, from
 * the undo record alone. */
#include "agents/faults/catalogue.h"
#include "agents/host/cgroup.h"
#include "agents/seal.h"
#include "base/clock.h"
#include "this_host.h"
#include "vm/guest.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNIT    "redis-server.service"
#define MASK    "/run/systemd/system/" UNIT
#define DROP_IN MASK ".d/blackstart.conf"

/* Shared with the processes that act. */
static struct shared {
    struct undo undo;
    struct evidence evidence;
    struct revert_report report;
    struct err err;
    bool active;
    int done;
} * s;

static const struct fault *row;
static struct fault_host host;
static void *args;
static pid_t agent;

static void rest(int ms)
{
    const struct timespec t = clock_timespec(ms * NS_PER_MS);
    (void)nanosleep(&t, NULL);
}

static void set_up(void)
{
    CU_ASSERT_TRUE_FATAL(this_host(&host, "vm", "guest"));
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(s, MAP_FAILED);
}

static bool redis_is(bool up)
{
    for (int tries = 0; tries < 300; tries++, rest(100))
        if ((guest_run("redis-cli ping 2>/dev/null | grep -q PONG") == 0) == up)
            return true;
    return false;
}

static bool redis_stays_down(void)
{
    for (int tries = 0; tries < 4; tries++, rest(250))
        if (guest_run("redis-cli ping >/dev/null 2>&1") == 0)
            return false;
    return true;
}

static void set(const char *name, const char *text)
{
    struct err err;
    const struct param *p = param_find(row->params, row->n_params, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL_FATAL(param_parse(p, text, args, &err), 0);
}

static void begin(const char *fault, const char *param)
{
    struct err err;
    row = catalogue_find(&fault_catalogue, fault);
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    free(args);
    args = calloc(1, row->args_size);
    CU_ASSERT_EQUAL_FATAL(params_default(row->params, row->n_params, args, row->args_size, &err),
                          0);
    set(param, "redis-server");
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->undo.run, sizeof(s->undo.run), "vm");
    (void)snprintf(s->undo.injection, sizeof(s->undo.injection), "i1");
    (void)snprintf(s->undo.fault, sizeof(s->undo.fault), "%s", fault);
    s->undo.lease_ns = boottime() + 300 * NS_PER_SEC;
    CU_ASSERT_EQUAL_FATAL(
        guest_run("systemctl reset-failed " UNIT " 2>/dev/null; systemctl start " UNIT), 0);
    CU_ASSERT_TRUE_FATAL(redis_is(true));
}

static int act(void)
{
    if (seal_privileged(row->caps, &s->err) != 0 || row->supported(&host, &s->err) != 0 ||
        row->prepare(&host, args, &s->undo, &s->err) != 0 ||
        row->apply(&host, args, &s->undo, &s->err) != 0 ||
        row->verify(&host, &s->undo, &s->active, &s->err) != 0)
        return 1;
    return row->evidence(&host, &s->undo, &s->evidence, &s->err) != 0;
}

/* Stays, as an agent does, until it is killed. */
static bool put_on(void)
{
    agent = fork();
    if (agent == 0) {
        s->done = act() == 0 ? 1 : 2;
        for (;;) {
            rest(50);
            (void)row->evidence(&host, &s->undo, &s->evidence, &s->err);
        }
    }
    for (int tries = 0; tries < 600 && s->done == 0; tries++)
        rest(100);
    if (s->done != 1)
        (void)printf("\n    %s: %s\n", row->name, s->err.msg);
    return s->done == 1;
}

static void end_agent(void)
{
    if (agent > 0 && kill(agent, SIGKILL) == 0)
        (void)waitpid(agent, NULL, 0);
    agent = 0;
}

static void take_off(const char *word)
{
    int status = -1;
    end_agent();
    pid_t other = fork();
    if (other == 0) {
        if (seal_privileged(row->caps, &s->err) != 0)
            _exit(2);
        /* As often as the guardian tries: systemd may be at its unit files for long. */
        for (int tries = 0; tries < 3; tries++, rest(200))
            if (row->revert(&host, &s->undo, &s->report, &s->err) == 0)
                _exit(0);
        _exit(1);
    }
    (void)waitpid(other, &status, 0);
    if (status != 0 || strstr(s->report.what, word) == NULL)
        (void)printf("\n    %s: %s (%s)\n", row->name, s->report.what, s->err.msg);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_FALSE(s->report.foreign);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->report.what, word));
}

static void test_stop(void)
{
    begin("service.stop", "service");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(s->evidence.proven);
    CU_ASSERT_TRUE(redis_stays_down());
    take_off("was started by blackstart");
    CU_ASSERT_TRUE(redis_is(true));
    take_off("runs already");
    begin("service.stop", "service");
    CU_ASSERT_EQUAL(guest_run("systemctl stop " UNIT), 0);
    CU_ASSERT_FALSE(put_on());
    CU_ASSERT_PTR_NOT_NULL(strstr(s->err.msg, "is not running"));
    end_agent();
}

static void test_restart(void)
{
    begin("service.restart", "service");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(s->evidence.proven);
    CU_ASSERT_TRUE(redis_is(true));
    take_off("runs");
}

/* Masked while it runs, then killed: Restart=always, in vain. */
static void test_mask(void)
{
    begin("service.mask", "service");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(redis_is(true));
    CU_ASSERT_EQUAL(guest_run("[ -L " MASK " ]"), 0); /* in /run, which a reboot empties */
    CU_ASSERT_EQUAL(guest_run("systemctl kill -s KILL " UNIT), 0);
    CU_ASSERT_TRUE(redis_is(false));
    CU_ASSERT_TRUE(redis_stays_down());
    CU_ASSERT_NOT_EQUAL(guest_run("systemctl start " UNIT " 2>/dev/null"), 0);
    take_off("was started by blackstart");
    CU_ASSERT_TRUE(redis_is(true));
    CU_ASSERT_NOT_EQUAL(guest_run("[ -L " MASK " ]"), 0);
    take_off("can be started again");
    /* An agent that was killed before systemd had read the link it had made. */
    begin("service.mask", "service");
    CU_ASSERT_EQUAL_FATAL(row->prepare(&host, args, &s->undo, &s->err), 0);
    CU_ASSERT_EQUAL(guest_run("ln -s /dev/null " MASK), 0);
    take_off("can be started again");
    CU_ASSERT_NOT_EQUAL(guest_run("[ -L " MASK " ]"), 0);
    begin("service.mask", "service");
    set("stop", "true");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(redis_stays_down());
    take_off("was started by blackstart");
    CU_ASSERT_TRUE(redis_is(true));
}

/* Where a runtime mask would do nothing, none is set. */
static void test_local_unit(void)
{
    begin("service.mask", "service");
    CU_ASSERT_EQUAL_FATAL(guest_run("printf '[Service]\\nExecStart=/bin/sleep 1000\\n' "
                                    ">/etc/systemd/system/local.service; "
                                    "systemctl daemon-reload; systemctl start local"),
                          0);
    set("service", "local");
    CU_ASSERT_FALSE(put_on());
    CU_ASSERT_PTR_NOT_NULL(strstr(s->err.msg, "no runtime mask reaches it"));
    take_off("can be started again");
    CU_ASSERT_EQUAL(guest_run("systemctl is-active -q local; [ ! -e /run/systemd/system/local"
                              ".service ]"),
                    0);
    set("service", "no-such");
    memset(&s->undo.data, 0, sizeof(s->undo.data));
    s->done = 0;
    CU_ASSERT_FALSE(put_on());
    CU_ASSERT_PTR_NOT_NULL(strstr(s->err.msg, "knows no unit no-such.service"));
    end_agent();
    CU_ASSERT_EQUAL(guest_run("systemctl stop local"), 0);
}

static void test_unit_killed(void)
{
    begin("process.kill", "unit");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(redis_is(true)); /* its own Restart= */
    take_off("came back by its restart policy");
}

/* systemd gives up after five starts in ten seconds. */
static void test_unit_killed_until_given_up(void)
{
    begin("process.kill_again", "unit");
    CU_ASSERT_TRUE_FATAL(put_on());
    bool failed = false;
    for (int tries = 0; tries < 600 && !failed; tries++, rest(100))
        failed = guest_run("systemctl is-failed -q " UNIT) == 0;
    CU_ASSERT_TRUE(failed);
    CU_ASSERT_TRUE(s->evidence.items[0].value >= 2);
    (void)printf("\n    note: %llu kills until systemd gave up\n    ",
                 (unsigned long long)s->evidence.items[0].value);
    take_off("was started by blackstart");
    CU_ASSERT_TRUE(redis_is(true));
}

static bool redis_says(const char *to, const char *word)
{
    return guest_run("redis-cli %s 2>&1 | grep -q '%s'", to, word) == 0;
}

static bool redis_comes_to_say(const char *to, const char *word)
{
    for (int tries = 0; tries < 300; tries++, rest(100))
        if (redis_says(to, word))
            return true;
    return false;
}

static bool is_proven(void)
{
    for (int tries = 0; tries < 300 && !s->evidence.proven; tries++)
        rest(100);
    return s->evidence.proven;
}

/* With what `blackstart-agent preload` says, and with `more` as the unit's own file; /run is as
 * after a boot. */
static void put_drop_in(const char *more)
{
    CU_ASSERT_EQUAL_FATAL(guest_run("mkdir -p " MASK ".d && printf '[Service]\n%s' >" MASK
                                    ".d/a.conf && " BINARY_DIR
                                    "/blackstart-agent preload redis-server >" DROP_IN
                                    " && rm -r /run/blackstart-fiu && systemctl daemon-reload && "
                                    "systemctl restart " UNIT,
                                    more),
                          0);
    CU_ASSERT_TRUE_FATAL(redis_is(true));
}

static bool has_run_shut(void)
{
    return guest_run("grep -q ' /run ro,.*noexec' "
                     "/proc/$(systemctl show -P MainPID " UNIT ")/mountinfo") == 0;
}

static void check_unit_with_library(void)
{
    begin("fiu.fail", "service");
    set("points", "posix.fsync");
    set("error", "ENOSPC");
    set("path", "/var/lib/redis");
    CU_ASSERT_TRUE(redis_says("set k before", "OK"));
    CU_ASSERT_TRUE(redis_says("save", "OK"));
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(s->active);
    CU_ASSERT_TRUE(redis_says("save", "ERR"));
    CU_ASSERT_TRUE(is_proven());
    CU_ASSERT_TRUE(redis_says("bgsave", "started"));
    CU_ASSERT_TRUE(redis_comes_to_say("set k during", "MISCONF"));
    (void)printf("\n    note: %s\n    ", s->evidence.what);
    take_off("the rule is out of the page");
    CU_ASSERT_TRUE(redis_says("save", "OK"));
    CU_ASSERT_TRUE(redis_says("set k after", "OK"));
}

/* Debian's unit has ProtectSystem=strict and NoExecPaths=/. Of /run they are true only where
 * nothing has systemd mount the kernel's file systems for the unit, with which comes /run; and what
 * can be written there can be executed, against the manual, unless it is named. */
static void test_unit_with_library(void)
{
    put_drop_in("");
    CU_ASSERT_FALSE(has_run_shut());
    check_unit_with_library();
    put_drop_in("ProtectProc=default\nProtectControlGroups=no\nProtectKernelTunables=no\n"
                "NoExecPaths=-/run/blackstart-fiu\n");
    CU_ASSERT_TRUE(has_run_shut());
    check_unit_with_library();
    CU_ASSERT_EQUAL(
        guest_run("rm -r " MASK ".d && systemctl daemon-reload && systemctl restart " UNIT), 0);
    begin("fiu.fail", "service");
    set("points", "posix.fsync");
    set("error", "ENOSPC");
    CU_ASSERT_FALSE(put_on());
    CU_ASSERT_PTR_NOT_NULL(strstr(s->err.msg, "has loaded the preload library"));
    end_agent();
}

/* By default systemd gives a unit's group neither cpu nor io: the refusal says how it does. */
static void test_controllers_of_a_unit(void)
{
    static const struct {
        enum cgroup_controller controller;
        const char *word, *mend;
    } all[] = {{CGROUP_IO, "no io.max", "set-property --runtime " UNIT " IOAccounting=yes"},
               {CGROUP_CPU, "no cpu.max", "set-property --runtime " UNIT " CPUWeight=100"}};
    struct cgroup group;
    struct err err;
    CU_ASSERT_EQUAL(guest_run("systemctl start " UNIT), 0);
    CU_ASSERT_EQUAL(cgroup_find(&host, UNIT, CGROUP_PIDS, &group, &err), 0);
    CU_ASSERT_NOT_EQUAL(cgroup_supported(&host, CGROUP_IO, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "IOAccounting=yes"));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        CU_ASSERT_NOT_EQUAL(cgroup_find(&host, UNIT, all[i].controller, &group, &err), 0);
        (void)printf("\n    %s", err.msg);
        CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, all[i].word));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, all[i].mend));
        CU_ASSERT_EQUAL(guest_run("systemctl %s", all[i].mend), 0);
        CU_ASSERT_EQUAL(cgroup_supported(&host, all[i].controller, &err), 0);
        CU_ASSERT_EQUAL(cgroup_find(&host, UNIT, all[i].controller, &group, &err), 0);
    }
    (void)printf("\n    ");
    CU_ASSERT_EQUAL(guest_run("systemctl revert " UNIT), 0);
}

static const struct check_test tests[] = {
    {"the host", set_up},
    {"service.stop", test_stop},
    {"service.restart", test_restart},
    {"service.mask", test_mask},
    {"a unit that no mask reaches", test_local_unit},
    {"calls of a unit that systemd shuts in", test_unit_with_library},
    {"a unit's processes killed", test_unit_killed},
    {"a unit's processes killed until systemd gives up", test_unit_killed_until_given_up},
    {"controllers of a unit", test_controllers_of_a_unit},
};

GUEST_MAIN("vm/services", tests)
