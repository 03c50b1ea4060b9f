/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PostgreSQL's data directory and nginx's whole environment are deleted under load, on one host by
 * environment.delete, on the other by rm -rf: clients see the same. What comes back is compared by
 * tar and find, which know nothing of us.
 */
#include "agents/faults/catalogue.h"
#include "lab/lab_check.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PG_BIN   "/usr/lib/postgresql/15/bin/"
#define PSQL     PG_BIN "psql -h /tmp -At -d postgres -c "

/* Content, mode, owner, time, links and attributes of all in a directory, as one number. */
#define TAR                                                                                        \
    "tar --sort=name --format=posix --pax-option=delete=atime,delete=ctime --xattrs "              \
    "--xattrs-include='*' --acls -cf - $(ls -A | LC_ALL=C sort) | sha256sum"
#define FIND "find . -mindepth 1 -printf '%P %y %m %U %G %s %T@ %l\\n' | LC_ALL=C sort | sha256sum"

static const char *const names[] = {"n1", "n2"};
static const struct lab_host_spec hosts[] = {{.name = "n1"}, {.name = "n2"}};
static const char *const packages[] = {"nginx", "postgresql-15"};
static const char *const pg_data[] = {"/var/lib/pg"};
static const char *const pg_command[] = {
    "sh", "-c",
    "[ -d /var/lib/pg/data ] || " PG_BIN
    "initdb -D /var/lib/pg/data -A trust >/var/lib/pg/initdb.log 2>&1; exec " PG_BIN
    "postgres -D /var/lib/pg/data -k /tmp -c autovacuum=off"};
static const char *const pg_ready[] = {PG_BIN "pg_isready", "-q", "-h", "/tmp"};
static const char *const nginx_command[] = {"nginx", "-g", "daemon off;"};
static const struct lab_file_spec nginx_files[] = {
    {.path = "/etc/nginx/nginx.conf",
     .content = "user www-data;\nworker_processes 2;\npid /run/nginx.pid;\nerror_log stderr;\n"
                "events {}\nhttp { access_log off; server { listen 80; root /srv/www; } }\n"},
    {.path = "/srv/www/index.html", .content = "hello\n"},
};
/* Clients of both, for as long as it takes. */
static const char *const load_command[] = {
    "bash", "-c",
    "while :; do " PSQL "'insert into t default values' >/dev/null 2>&1; "
    "(exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3) "
    ">/dev/null 2>&1; sleep 0.02; done"};

#define SERVICE(label, ...)                                                                        \
    {                                                                                              \
        .name = label, .hosts = names, .n_hosts = 2, .stop_signal = SIGINT,                        \
        .stop_timeout = {5 * NS_PER_SEC}, .ready_timeout = {60 * NS_PER_SEC}, .start = true,       \
        __VA_ARGS__                                                                                \
    }
static const struct lab_service_spec services[] = {
    SERVICE("postgres", .command = pg_command, .n_command = COUNT(pg_command), .user = "postgres",
            .data = pg_data, .n_data = 1, .ready = READY_EXEC, .ready_command = pg_ready,
            .n_ready_command = COUNT(pg_ready)),
    SERVICE("nginx", .command = nginx_command, .n_command = COUNT(nginx_command),
            .files = nginx_files, .n_files = COUNT(nginx_files), .ready = READY_HTTP,
            .ready_what = "http://${host}/"),
    SERVICE("load", .command = load_command, .n_command = COUNT(load_command), .user = "postgres"),
};

static struct lab *lab;
static struct undo *undo; /* shared with those who stand as agents */

static int64_t boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static int open_host(struct fault_host *host)
{
    const struct lab_host_info *n1 = lab_find(lab, "n1");
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)n1->init_pid);
    CLEANUP_FD int net = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)n1->init_pid);
    if (net < 0 || setns(net, CLONE_NEWNET) != 0 || stat(path, &st) != 0)
        return -1;
    *host = (struct fault_host){.root = open(n1->root, O_PATH | O_DIRECTORY | O_CLOEXEC),
                                .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                                .pid_ns = st.st_ino,
                                .lab = true,
                                .now = boottime};
    (void)snprintf(host->run, sizeof(host->run), "test");
    return host->root < 0 || host->proc < 0 ? -1 : 0;
}

static int delete_all(const struct fault *row, struct fault_host *host)
{
    static const char *const given[][2] = {{"paths", "/var/lib/pg/data"},
                                           {"paths", "/etc/nginx"},
                                           {"paths", "/srv/www"},
                                           {"services", "nginx"}};
    struct evidence e;
    CLEANUP_FREE void *args = calloc(1, row->args_size);
    if (args == NULL || params_default(row->params, row->n_params, args, row->args_size, &err) != 0)
        return -1;
    for (size_t i = 0; i < COUNT(given); i++)
        if (param_parse(param_find(row->params, row->n_params, given[i][0]), given[i][1], args,
                        &err) != 0)
            return -1;
    (void)snprintf(undo->run, sizeof(undo->run), "test");
    (void)snprintf(undo->injection, sizeof(undo->injection), "i1");
    if (row->check(args, &err) != 0 || row->prepare(host, args, undo, &err) != 0)
        return -1;
    int64_t begin = boottime();
    if (row->apply(host, args, undo, &err) != 0)
        return -1;
    double ms = (double)(boottime() - begin) / 1e6;
    if (row->evidence(host, undo, &e, &err) != 0 || !e.proven)
        return -1;
    printf("\n    figure: PostgreSQL and nginx deleted in %.1f ms: %s\n    ", ms, e.what);
    return 0;
}

static int restore_all(const struct fault *row, struct fault_host *host)
{
    struct revert_report report;
    int64_t begin = boottime();
    if (row->revert(host, undo, &report, &err) != 0 || report.foreign)
        return -1;
    printf("\n    figure: restored in %.1f ms, nginx started again: %s\n    ",
           (double)(boottime() - begin) / 1e6, report.what);
    return 0;
}

/* Each stands where the host's agent would, in a process of its own: the second as one that was
 * started after the first had died. */
static bool as_agent(int (*what)(const struct fault *, struct fault_host *))
{
    int status = -1;
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct fault_host host;
        int rc = open_host(&host);
        if (rc == 0)
            rc = what(catalogue_find(&fault_catalogue, "environment.delete"), &host);
        if (rc != 0)
            printf("\n    %s\n", err.msg);
        (void)fflush(stdout);
        _exit(rc == 0 ? 0 : 1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* What the command printed in the host. */
static void ask(const char *host, const char *user, const char *command, char *out, size_t size)
{
    (void)run_in(lab, host, user, command);
    (void)snprintf(out, size, "%.500s", lab_reply.data);
}

static void fingerprint(const char *dir, char out[512])
{
    char command[1024];
    (void)snprintf(command, sizeof(command), "cd %s && %s && %s", dir, TAR, FIND);
    ask("n1", "root", command, out, 512);
    CU_ASSERT_TRUE(strlen(out) > 128);
}

static void put_attribute(const char *path)
{
    char full[256];
    (void)snprintf(full, sizeof(full), "%s%s", lab_find(lab, "n1")->root, path);
    CU_ASSERT_EQUAL(setxattr(full, "user.kept", "yes", 3, 0), 0);
}

/* As `out` sees it: the new connection's error, and the page. */
static void ask_clients(const char *host, char out[1024])
{
    char page[512];
    ask(host, "postgres", PSQL "'select 1' 2>&1", out, 512);
    ask(host, "root",
        "exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3",
        page, sizeof(page));
    (void)snprintf(out + strlen(out), 512, "%s", page);
}

static void begin(char nginx[512], char www[512], char tops[512])
{
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(run_in(lab, names[i], "postgres",
                               PSQL "'create table t(a serial)' -c "
                                    "'insert into t select generate_series(1,1000)' -c checkpoint"),
                        0);
    put_attribute("/var/lib/pg/data/PG_VERSION");
    put_attribute("/etc/nginx/nginx.conf");
    pause_ms(500); /* of load */
    fingerprint("/etc/nginx", nginx);
    fingerprint("/srv/www", www);
    ask("n1", "root",
        "stat -c '%n %a %u %g %y %i' /var/lib/pg /var/lib/pg/data /etc/nginx /srv/www "
        "/etc /srv",
        tops, 512);
}

/* Until the last of its processes has ended, nothing is final. */
static void end_postgres(void)
{
    OK(service_do(lab, "n1", HOSTCTL_STOP, "load", 0));
    (void)run_in(lab, "n1", "root",
                 "pkill -KILL postgres; for i in $(seq 100); do pgrep -x postgres "
                 ">/dev/null || break; sleep 0.05; done");
}

static void test_deleted_under_load(void)
{
    char nginx[512], www[512], tops[512], deleted[512], now[1024], other[1024];
    begin(nginx, www, tops);
    CU_ASSERT_TRUE_FATAL(as_agent(delete_all));
    CU_ASSERT_EQUAL(run_in(lab, "n2", "root", "rm -rf /var/lib/pg/data /etc/nginx /srv/www"), 0);
    ask_clients("n1", now);
    ask_clients("n2", other);
    if (strcmp(now, other) != 0)
        printf("\n    after environment.delete: %s\n    after rm -rf: %s\n", now, other);
    CU_ASSERT_STRING_EQUAL(now, other);
    CU_ASSERT_PTR_NOT_NULL(strstr(now, "FATAL"));
    CU_ASSERT_PTR_NOT_NULL(strstr(now, " 404 "));
    end_postgres();
    fingerprint("/var/lib/pg/.blackstart-test-i1.0/entries", deleted);
    CU_ASSERT_TRUE_FATAL(as_agent(restore_all));
    fingerprint("/var/lib/pg/data", now);
    CU_ASSERT_STRING_EQUAL(now, deleted);
    fingerprint("/etc/nginx", now);
    CU_ASSERT_STRING_EQUAL(now, nginx);
    fingerprint("/srv/www", now);
    CU_ASSERT_STRING_EQUAL(now, www);
    ask("n1", "root",
        "stat -c '%n %a %u %g %y %i' /var/lib/pg /var/lib/pg/data /etc/nginx /srv/www "
        "/etc /srv",
        now, 512);
    CU_ASSERT_STRING_EQUAL(now, tops);
    ask("n1", "root", "ls -A /var/lib/pg /etc /srv | grep -c blackstart", now, 512);
    CU_ASSERT_EQUAL(number_in(now), 0);
}

/* What was committed before is there, and the page is served. */
static void test_works_again(void)
{
    char now[1024];
    OK(service_do(lab, "n1", HOSTCTL_START, "postgres", 0));
    for (int i = 0; i < 100; i++) { /* it replays its log first */
        ask("n1", "postgres", PSQL "'select count(*) >= 1000 from t' 2>&1", now, sizeof(now));
        if (strcmp(now, "t\n") == 0)
            break;
        pause_ms(100);
    }
    CU_ASSERT_STRING_EQUAL(now, "t\n");
    if (strcmp(now, "t\n") != 0)
        printf("\n    %s\n", now);
    ask_clients("n1", now);
    CU_ASSERT_PTR_NOT_NULL(strstr(now, " 200 "));
}

static const struct check_test tests[] = {
    {"deleted under load", test_deleted_under_load},
    {"works again", test_works_again},
};

int main(void)
{
    const struct lab_spec spec = {.name = "environment",
                                  .hosts = hosts,
                                  .n_hosts = COUNT(hosts),
                                  .services = services,
                                  .n_services = COUNT(services),
                                  .packages = packages,
                                  .n_packages = COUNT(packages)};
    char id[32], state_dir[64];
    (void)snprintf(id, sizeof(id), "t%d-env", (int)getpid());
    (void)snprintf(state_dir, sizeof(state_dir), "/var/tmp/blackstart-test/%s", id);
    const struct lab_options options = {.id = id, .state_dir = state_dir};
    undo = mmap(NULL, sizeof(*undo), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 2;
    if (undo != MAP_FAILED && lab_up(&spec, &options, &lab, &err) == 0 &&
        lab_start_services(lab, &err) == 0)
        status = check_main("environment of PostgreSQL and nginx", tests, COUNT(tests));
    else
        printf("the lab did not come up: %s\n", err.msg);
    lab_free(lab);
    return status;
}
