/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units whose programs no library reaches, with the drop-in that `blackstart-agent trap` prints: a
 * static program that systemd shuts in, and etcd as Debian's package starts it. Faults are put on
 * and taken off by a process that is sealed as the agent is. */
#include "agents/faults/catalogue.h"
#include "agents/seal.h"
#include "base/clock.h"
#include "this_host.h"
#include "vm/guest.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGENT   BINARY_DIR "/blackstart-agent"
#define VICTIM  BINARY_DIR "/tests/static_victim"
#define UNITS   "/run/systemd/system/"
#define UNIT    "victim8.2"
#define STATE   "/run/" UNIT "/state"
#define TRAPPED "systemctl list-units --all --no-legend 'blackstart-fiu-" UNIT "-*' | grep -q ."

/* Shared with the process that acts. */
static struct shared {
    struct undo undo;
    struct evidence evidence;
    struct revert_report report;
    struct err err;
    bool on, off, reverted;
} * s;

static const struct fault *row;
static struct fault_host host;
static void *args;
static pid_t agent;

static bool comes_to_be(const char *command)
{
    for (int tries = 0; tries < 100; tries++) {
        if (guest_run("%s", command) == 0)
            return true;
        const struct timespec t = clock_timespec(100 * NS_PER_MS);
        (void)nanosleep(&t, NULL);
    }
    (void)printf("\n    never: %s\n", command);
    return false;
}

static bool waits_for(const bool *what)
{
    for (int tries = 0; tries < 600 && !*what; tries++) {
        const struct timespec t = clock_timespec(50 * NS_PER_MS);
        (void)nanosleep(&t, NULL);
    }
    return *what;
}

static bool state_becomes(const char *word)
{
    char command[128];
    (void)snprintf(command, sizeof(command), "grep -q '^%s *$' " STATE, word);
    return comes_to_be(command);
}

static void set(const char *name, const char *text)
{
    struct err err;
    const struct param *p = param_find(row->params, row->n_params, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL_FATAL(param_parse(p, text, args, &err), 0);
}

static void begin(const char *fault, const char *unit, const char *path)
{
    struct err err;
    row = catalogue_find(&fault_catalogue, fault);
    free(args);
    args = calloc(1, row->args_size);
    CU_ASSERT_EQUAL_FATAL(params_default(row->params, row->n_params, args, row->args_size, &err),
                          0);
    memset(s, 0, sizeof(*s));
    (void)snprintf(s->undo.run, sizeof(s->undo.run), "vm");
    (void)snprintf(s->undo.injection, sizeof(s->undo.injection), "i1");
    (void)snprintf(s->undo.fault, sizeof(s->undo.fault), "%s", fault);
    s->undo.lease_ns = boottime() + 300 * NS_PER_SEC;
    set("service", unit);
    set("points", "posix.fdatasync");
    set("path", path);
}

static void act(void)
{
    bool active = false;
    if (seal_privileged(row->caps, &s->err) != 0 || row->supported(&host, &s->err) != 0 ||
        row->prepare(&host, args, &s->undo, &s->err) != 0 ||
        row->apply(&host, args, &s->undo, &s->err) != 0 ||
        row->verify(&host, &s->undo, &active, &s->err) != 0)
        _exit(1);
    s->on = active;
    (void)waits_for(&s->off);
    if (row->evidence(&host, &s->undo, &s->evidence, &s->err) == 0 &&
        row->revert(&host, &s->undo, &s->report, &s->err) == 0)
        s->reverted = true;
    _exit(0);
}

static bool put_on(void)
{
    agent = fork();
    if (agent == 0)
        act();
    for (int status; !s->on;)
        if (waitpid(agent, &status, WNOHANG) == agent)
            return false;
    return true;
}

static void take_off(void)
{
    s->off = true;
    (void)waitpid(agent, NULL, 0);
    CU_ASSERT_TRUE(s->reverted);
    CU_ASSERT_TRUE(s->evidence.proven);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->evidence.what, "trapped in the kernel"));
    (void)printf("\n    note: %s\n    ", s->evidence.what);
}

static void put_drop_in(const char *unit)
{
    CU_ASSERT_EQUAL_FATAL(guest_run("mkdir -p " UNITS "%s.service.d && " AGENT
                                    " trap %s >/tmp/drop-in && cat /tmp/drop-in && "
                                    "cp /tmp/drop-in " UNITS "%s.service.d/blackstart.conf && "
                                    "systemctl daemon-reload && systemctl restart %s",
                                    unit, unit, unit, unit),
                          0);
}

/* As much as a unit is shut in, and words that a drop-in must not spoil. */
static void set_up(void)
{
    CU_ASSERT_TRUE_FATAL(this_host(&host, "vm", "guest"));
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(s, MAP_FAILED);
    CU_ASSERT_EQUAL_FATAL(
        guest_run(
            "printf '[Service]\\nType=notify\\nUser=redis\\nRuntimeDirectory=" UNIT "\\n"
            "ProtectSystem=strict\\nTemporaryFileSystem=/srv:mode=1777\\nPrivateNetwork=yes\\n"
            "SystemCallFilter=@system-service\\nNoExecPaths=/\\n"
            "ExecPaths=/usr/lib /lib " VICTIM "\\nRestrictAddressFamilies=AF_UNIX\\n"
            "Environment=WHERE=/srv\\n"
            "ExecStart=@" VICTIM " victim %%s/file %%%%t/%%%%N/state\\n' "
            "'${WHERE}' >" UNITS UNIT ".service && systemctl daemon-reload"),
        0);
}

/* What no drop-in is for: said, and of `preload` printed all the same. */
static void test_no_such_unit(void)
{
    static const char *const names[] = {"no-such", "no-such.service", "no.such"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CU_ASSERT_EQUAL(guest_run(AGENT " preload %s 2>/tmp/said | grep -q LD_PRELOAD && "
                                        "grep 'systemd knows no unit no.such.service' /tmp/said",
                                  names[i]),
                        0);
        CU_ASSERT_EQUAL(
            guest_run("rm -r /run/blackstart-fiu; " AGENT " reach %s 2>/tmp/said", names[i]), 3);
        CU_ASSERT_EQUAL(guest_run("cat /tmp/said; grep -q 'no unit no.such.service' /tmp/said && ! "
                                  "grep -q 'lab' /tmp/said"),
                        0);
        CU_ASSERT_EQUAL(guest_run(AGENT " trap %s 2>/tmp/said", names[i]), 3);
        CU_ASSERT_EQUAL(guest_run("grep -q 'no unit no.such.service' /tmp/said"), 0);
    }
    CU_ASSERT_EQUAL(guest_run("[ -z \"$(" AGENT " preload " UNIT " 2>&1 >/dev/null)\" ] && "
                              "rm -r /run/blackstart-fiu"),
                    0);
}

static void test_not_prepared(void)
{
    CU_ASSERT_EQUAL_FATAL(guest_run("systemctl start " UNIT), 0);
    CU_ASSERT_TRUE(state_becomes("now 0"));
    CU_ASSERT_EQUAL(guest_run(AGENT " reach " UNIT ".service 2>/tmp/said"), 3);
    CU_ASSERT_EQUAL(guest_run("cat /tmp/said; grep -q 'blackstart-agent trap " UNIT
                              "`' /tmp/said && ! grep -q lab /tmp/said"),
                    0);
    begin("fiu.fail", UNIT, "/srv/file");
    set("error", "EIO");
    CU_ASSERT_FALSE(put_on());
    CU_ASSERT_PTR_NOT_NULL(strstr(s->err.msg, "blackstart-agent trap"));
}

static void test_static(void)
{
    put_drop_in(UNIT);
    CU_ASSERT_TRUE(state_becomes("now 0"));
    CU_ASSERT_EQUAL(guest_run(AGENT " reach " UNIT), 0);
    CU_ASSERT_EQUAL(
        guest_run("[ $(readlink /proc/$(systemctl show -P MainPID " UNIT ")/exe) = " VICTIM " ]"),
        0);
    CU_ASSERT_EQUAL(guest_run("tr '\\0' ' ' </proc/$(systemctl show -P MainPID " UNIT ")/cmdline | "
                              "grep -qx 'victim /srv/file " STATE " '"),
                    0);
    /* The supervisor is in no group of the unit's. */
    CU_ASSERT_EQUAL(
        guest_run("[ $(wc -l </sys/fs/cgroup/system.slice/" UNIT ".service/cgroup.procs) = 1 ]"),
        0);
    begin("fiu.fail", UNIT, "/srv/file"); /* its own /srv */
    set("error", "EIO");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(state_becomes("now 5"));
    take_off();
    CU_ASSERT_TRUE(state_becomes("now 0"));
    CU_ASSERT_EQUAL(guest_run(AGENT " trap " UNIT ".service | diff - /tmp/drop-in"), 0);
}

/* A stop lets the program flush, and end as it does. */
static void test_stop(void)
{
    CU_ASSERT_EQUAL(guest_run("exec 3<" STATE "; systemctl stop " UNIT "; grep -q 'end 0' <&3"), 0);
    CU_ASSERT_EQUAL(guest_run("[ $(systemctl show -P ExecMainStatus " UNIT ") = 42 ]"), 0);
    CU_ASSERT_TRUE(comes_to_be("! " TRAPPED));
    CU_ASSERT_EQUAL(guest_run("systemctl reset-failed " UNIT "; systemctl start " UNIT), 0);
    CU_ASSERT_TRUE(state_becomes("now 0"));
    CU_ASSERT_EQUAL(guest_run(TRAPPED), 0);
}

/* By hand it is not stopped; killed, it is the declared loss, until the unit is started again. */
static void test_supervisor_dies(void)
{
    static const char name[] = "$(systemctl list-units --plain --no-legend "
                               "'blackstart-fiu-" UNIT "-*' | cut -d ' ' -f 1)";
    CU_ASSERT_NOT_EQUAL(guest_run("systemctl stop %s 2>/dev/null", name), 0);
    CU_ASSERT_EQUAL(guest_run("systemctl kill -s KILL %s", name), 0);
    CU_ASSERT_TRUE(state_becomes("now 38"));
    CU_ASSERT_EQUAL(guest_run(AGENT " reach " UNIT), 3);
    CU_ASSERT_EQUAL(guest_run("systemctl restart " UNIT), 0);
    CU_ASSERT_TRUE(state_becomes("now 0"));
    CU_ASSERT_EQUAL(guest_run(AGENT " reach " UNIT), 0);
    CU_ASSERT_EQUAL(guest_run("systemctl stop " UNIT), 0);
}

static bool etcd_answers(void)
{
    return comes_to_be("bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379; "
                       "{ printf \"POST /v3/kv/put HTTP/1.0\\r\\nContent-Length: 29\\r\\n\\r\\n\"; "
                       "echo eyJrZXkiOiJZUT09IiwidmFsdWUiOiJZZz09In0= | base64 -d; } >&3; "
                       "timeout 15 cat <&3 | grep -q revision' 2>/dev/null");
}

/* etcd tells systemd itself that it is ready, and gives up at the first flush that fails. */
static void test_etcd(void)
{
    CU_ASSERT_EQUAL(guest_run("mkdir -p /etc/default && echo GOMAXPROCS=1 >>/etc/default/etcd"), 0);
    put_drop_in("etcd");
    CU_ASSERT_TRUE_FATAL(etcd_answers());
    CU_ASSERT_EQUAL(
        guest_run("readlink /proc/$(systemctl show -P MainPID etcd)/exe | grep -q '/bin/etcd$'"),
        0);
    begin("fiu.delay", "etcd", "/var/lib/etcd");
    set("delay", "300ms");
    CU_ASSERT_TRUE_FATAL(put_on());
    CU_ASSERT_TRUE(etcd_answers());
    take_off();
    begin("fiu.fail", "etcd", "/var/lib/etcd");
    set("error", "EIO");
    CU_ASSERT_TRUE_FATAL(put_on());
    (void)guest_run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379; "
                    "{ printf \"POST /v3/kv/put HTTP/1.0\\r\\nContent-Length: 29\\r\\n\\r\\n\"; "
                    "echo eyJrZXkiOiJZUT09IiwidmFsdWUiOiJZZz09In0= | base64 -d; } >&3'");
    CU_ASSERT_TRUE(comes_to_be("[ $(systemctl show -P ActiveState etcd) = failed ]"));
    CU_ASSERT_EQUAL(guest_run("[ $(systemctl show -P ExecMainStatus etcd) = 1 ]"), 0);
    take_off();
    CU_ASSERT_EQUAL(guest_run("systemctl reset-failed etcd; systemctl start etcd"), 0);
    CU_ASSERT_TRUE(etcd_answers());
    CU_ASSERT_EQUAL(guest_run("systemctl stop etcd"), 0);
}

static const struct check_test tests[] = {
    {"the host", set_up},
    {"no such unit", test_no_such_unit},
    {"a unit that is not prepared", test_not_prepared},
    {"a static program that systemd shuts in", test_static},
    {"a stop", test_stop},
    {"the supervisor dies", test_supervisor_dies},
    {"etcd as Debian starts it", test_etcd},
};

GUEST_MAIN("vm/trapped_unit", tests)
