/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent answers to `clean` about files: reverts that are broken on purpose, and services
 * that go on writing. */
#include "agents/answer.h"
#include "lab/host/environment.h"

static struct fault broken;
static void (*damage)(void); /* what the broken revert does besides */
static const struct fault *const rows[] = {&broken};
static const struct catalogue catalogue = {.faults = rows, .n = 1};

static struct agent {
    struct policy policy;
    struct undo_log log;
    struct guardian guardian;
    struct injector injector;
    struct answerer answerer;
    char state[64];
    int dir;
} agent;
static struct answer answer;

static int revert_badly(struct fault_host *host, const struct undo *record,
                        struct revert_report *ret, struct err *err)
{
    int rc = row->revert(host, record, ret, err);
    if (damage != NULL)
        damage();
    return rc;
}

static void say_nothing(const struct injection *injection)
{
    (void)injection;
}

static void ask(enum agent_op op, const char *injection, const void *body, size_t size)
{
    struct agent_request r = {
        .op = (uint32_t)op, .body = (uint32_t)size, .lease_ns = 60 * NS_PER_SEC, .for_ns = 0};
    (void)snprintf(r.run, sizeof(r.run), "%s", rig.host.run);
    (void)snprintf(r.host, sizeof(r.host), "n1");
    (void)snprintf(r.injection, sizeof(r.injection), "%s", injection);
    (void)snprintf(r.fault, sizeof(r.fault), "%s", row->name);
    answer_request(&agent.answerer, &r, body, &answer);
    if (answer.reply.code != 0)
        printf("\n    %s\n", answer.reply.msg);
    CU_ASSERT_EQUAL_FATAL(answer.reply.code, 0);
}

static void agent_start(const char *fault)
{
    struct err err;
    begin(fault);
    broken = *row;
    broken.revert = revert_badly;
    damage = NULL;
    memset(&agent, 0, sizeof(agent));
    (void)snprintf(agent.state, sizeof(agent.state), "/tmp/blackstart-state-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(agent.state));
    agent.dir = open(agent.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct undo_owner owner = {.host = "n1"};
    CHECK_OK(undo_open(&agent.log, agent.dir, &owner, false, &err), err);
    policy_load(&agent.policy, true, NULL);
    const struct guardian_duty duty = {.catalogue = &catalogue,
                                       .host = &rig.host,
                                       .log = &agent.log,
                                       .caps = policy_caps(&agent.policy, &catalogue),
                                       .link = -1,
                                       .close_fds = {-1, -1, -1}};
    CHECK_OK(guardian_start(&agent.guardian, &duty, &err), err);
    rig.host.files_quiet = inject_files_quiet;
    rig.host.quiet_ctx = &agent.injector;
    agent.injector.host = &rig.host;
    agent.injector.catalogue = &catalogue;
    agent.injector.policy = &agent.policy;
    agent.injector.log = &agent.log;
    agent.injector.guardian = &agent.guardian;
    agent.injector.notice = say_nothing;
    agent.answerer.injector = &agent.injector;
    ask(OP_HELLO, "", NULL, 0);
    ask(OP_BASELINE, "", NULL, 0);
}

static void agent_stop(void)
{
    CU_ASSERT_EQUAL(inject_revert_all(&agent.injector, ENDED_COMMAND), 0);
    guardian_kill(&agent.guardian); /* one that is released waits for this process to end */
    undo_close(&agent.log);
    touched_log_clear(&agent.injector.files);
    buf_free(&agent.answerer.baseline);
    (void)close(agent.dir);
    CU_ASSERT_EQUAL(rmdir(agent.state), 0);
    end();
}

static void inject(const char *id)
{
    ask(OP_PREPARE, id, args, row->args_size);
    ask(OP_APPLY, id, NULL, 0);
}

static bool is_clean(void)
{
    static const struct paths all;
    ask(OP_CLEAN, "", &all, sizeof(all));
    return answer.reply.clean != 0;
}

/* A line with both words, among the differences or among what is only listed. */
static bool tells(bool listed, const char *name, const char *what)
{
    for (uint32_t i = 0; i < answer.reply.n_items; i++) {
        const struct agent_item *item = &answer.items[i];
        if ((item->foreign != 0) == listed && strstr(item->text, name) != NULL &&
            strstr(item->text, what) != NULL)
            return true;
    }
    for (uint32_t i = 0; i < answer.reply.n_items; i++)
        printf("\n    %s: %s", answer.items[i].foreign != 0 ? "listed" : "differs",
               answer.items[i].text);
    return false;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

#define CONF "/etc/app/app.conf"
#define DEEP "/etc/app/conf.d/deep/x"

static void damage_mode(void)
{
    CU_ASSERT_EQUAL(chmod(in_host(CONF), 0644), 0);
}
static void damage_owner(void)
{
    CU_ASSERT_EQUAL(chown(in_host(CONF), 0, 0), 0);
}
static void damage_mtime(void)
{
    old_times(in_host(CONF));
}
static void damage_attributes(void)
{
    CU_ASSERT_EQUAL(removexattr(in_host(CONF), "trusted.kept"), 0);
}
static void damage_content(void)
{
    struct stat st;
    CU_ASSERT_EQUAL(stat(in_host(CONF), &st), 0);
    append(in_host(CONF), "more\n");
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, in_host(CONF),
                              (struct timespec[2]){{.tv_nsec = UTIME_OMIT}, st.st_mtim}, 0),
                    0);
}
static void damage_gone(void)
{
    CU_ASSERT_EQUAL(unlink(in_host(CONF)), 0);
}
static void damage_parent(void)
{
    make_file(in_host("/etc/app/.blackstart-left"), "", 0600);
}
static void damage_deep_mode(void)
{
    CU_ASSERT_EQUAL(chmod(in_host(DEEP), 0600), 0);
}
static void damage_replaced(void)
{
    make_file(in_host("/srv/other"), "other", 0640);
    CU_ASSERT_EQUAL(rename(in_host("/srv/other"), in_host(CONF)), 0);
    append(in_host(CONF), "now\n");
}
static void damage_top_mtime(void)
{
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, in_host("/etc/app"), NULL, 0), 0);
}

static const struct {
    const char *fault;
    void (*damage)(void);
    const char *name, *what;
} damages[] = {
    {"config.push", damage_mode, CONF ":", "mode 0644, was 0640"},
    {"config.push", damage_owner, CONF ":", "owner 0:0, was 33:44"},
    {"config.push", damage_mtime, CONF ":", "mtime 1500000001.987654321"},
    {"config.push", damage_attributes, CONF ":", "extended attributes differ"},
    {"config.push", damage_content, CONF ":", "content differs"},
    {"config.push", damage_gone, CONF ":", "gone"},
    {"config.push", damage_parent, CONF ", the directory above:", "mtime"},
    {"environment.delete", damage_parent, "/etc/app/.blackstart-left:", "new"},
    {"environment.delete", damage_deep_mode, DEEP ":", "mode 0600, was 4755"},
    {"environment.delete", damage_gone, CONF ":", "gone"},
    {"environment.delete", damage_replaced, CONF ":", "content differs"},
    {"environment.delete", damage_mtime, CONF ":", "mtime"},
    {"environment.delete", damage_top_mtime, "/etc/app: ", "mtime"},
};

static void set_args(const char *fault)
{
    if (strcmp(fault, "config.push") == 0)
        edit_args();
    else
        delete_args();
}

static void test_broken_reverts(void)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        agent_start(damages[i].fault);
        set_args(damages[i].fault);
        inject("sound");
        ask(OP_REVERT, "sound", NULL, 0);
        CU_ASSERT_TRUE(is_clean());
        CU_ASSERT_EQUAL(answer.reply.n_items, 0);
        damage = damages[i].damage;
        inject("broken");
        ask(OP_REVERT, "broken", NULL, 0);
        CU_ASSERT_FALSE(is_clean());
        CU_ASSERT_TRUE(tells(false, damages[i].name, damages[i].what));
        CU_ASSERT_FALSE(is_clean()); /* asking does not mend it */
        agent_stop();
    }
}

static void damage_hosts_file(void)
{
    append(in_host("/etc/hosts"), "10.0.0.9 nobody\n");
}

/* A file that no path names: the parameter that stands for it does. */
static void test_broken_revert_of_the_hosts_file(void)
{
    agent_start("environment.delete");
    make_file(in_host("/etc/hosts"), "127.0.0.1 localhost\n10.0.0.2 db1\n", 0644);
    delete_args();
    rig_set(row, args, "forget", "db1");
    inject("sound");
    ask(OP_REVERT, "sound", NULL, 0);
    CU_ASSERT_TRUE(is_clean());
    CU_ASSERT_EQUAL(answer.reply.n_items, 0);
    damage = damage_hosts_file;
    inject("broken");
    ask(OP_REVERT, "broken", NULL, 0);
    CU_ASSERT_FALSE(is_clean());
    CU_ASSERT_TRUE(tells(false, "/etc/hosts:", "content differs"));
    agent_stop();
}

/* A log that was open all the time, and a new file once all is back. */
static void test_services_write(void)
{
    agent_start("environment.delete");
    delete_args();
    int open_file = open(in_host(CONF), O_WRONLY | O_APPEND | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(write(open_file, "one\n", 4), 4); /* an overlay copies it up here */
    inject("i1");
    CU_ASSERT_EQUAL(write(open_file, "two\n", 4), 4);
    ask(OP_REVERT, "i1", NULL, 0);
    CU_ASSERT_TRUE(is_clean());
    CU_ASSERT_TRUE(tells(true, CONF ":", "content differs"));
    append(in_host("/etc/app/pid"), "7\n");
    CU_ASSERT_EQUAL(unlink(in_host(DEEP)), 0);
    CU_ASSERT_TRUE(is_clean());
    CU_ASSERT_TRUE(tells(true, "/etc/app/pid:", "new"));
    CU_ASSERT_TRUE(tells(true, DEEP ":", "gone"));
    (void)close(open_file);
    agent_stop();
}

/* What others put in the place is theirs. */
static void test_others_change(void)
{
    agent_start("config.push");
    edit_args();
    inject("i1");
    make_file(in_host(CONF), "by hand", 0600);
    ask(OP_REVERT, "i1", NULL, 0);
    CU_ASSERT_TRUE(answer.reply.foreign);
    CU_ASSERT_TRUE(is_clean());
    CU_ASSERT_TRUE(tells(true, CONF ":", "mode 0600, was 0640"));
    agent_stop();
}

static void test_a_new_baseline_forgets(void)
{
    agent_start("config.push");
    edit_args();
    damage = damage_mode;
    inject("i1");
    ask(OP_REVERT, "i1", NULL, 0);
    CU_ASSERT_FALSE(is_clean());
    ask(OP_BASELINE, "", NULL, 0);
    CU_ASSERT_TRUE(is_clean());
    agent_stop();
}

/* Deeper than is looked at: said, and not taken for a difference. */
static void test_bounds_are_said(void)
{
    char path[512] = "/etc/app/conf.d/deep";
    size_t len = strlen(path);
    agent_start("environment.delete");
    delete_args();
    for (int i = 0; i < FOOTPRINT_DEPTH_MAX; i++) {
        len += (size_t)snprintf(path + len, sizeof(path) - len, "/d");
        make_dir(in_host(path));
    }
    inject("i1");
    ask(OP_REVERT, "i1", NULL, 0);
    CU_ASSERT_TRUE(is_clean());
    CU_ASSERT_TRUE(tells(true, "/etc/app:", "larger than the bounds"));
    agent_stop();
}

static void test_broken_reverts_on_overlay(void)
{
    on_overlay(test_broken_reverts);
}

static void test_services_write_on_overlay(void)
{
    on_overlay(test_services_write);
}

static const struct check_test tests[] = {
    {"a broken revert is not clean", test_broken_reverts},
    {"the same on an overlay", test_broken_reverts_on_overlay},
    {"the hosts file is looked at, too", test_broken_revert_of_the_hosts_file},
    {"what services write is listed", test_services_write},
    {"listed on an overlay", test_services_write_on_overlay},
    {"what others put in the place", test_others_change},
    {"a new baseline", test_a_new_baseline_forgets},
    {"bounds", test_bounds_are_said},
};

int main(void)
{
    /* The dump of kernel objects is of a network that nobody else changes. */
    if (unshare(CLONE_NEWNET) != 0)
        return 2;
    return environment_main("lab/host/clean", tests, sizeof(tests) / sizeof(tests[0]));
}
