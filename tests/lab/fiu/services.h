/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Four real programs on one host, all started with the library; the one that it cannot reach comes
 * last. */
#ifndef BLACKSTART_TESTS_LAB_FIU_SERVICES_H
#define BLACKSTART_TESTS_LAB_FIU_SERVICES_H

#include "base/clock.h"
#include "lab/lab.h"

#include <signal.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PG_BIN   "/usr/lib/postgresql/15/bin/"

static const char *const on_n1[] = {"n1"};
static const struct lab_host_spec one_host[] = {{.name = "n1"}};
static const char *const service_packages[] = {"redis-server", "redis-tools",   "nginx",
                                               "sqlite3",      "postgresql-15", "etcd-server"};

static const char *const redis_data[] = {"/var/lib/redis"};
static const char *const redis_command[] = {"redis-server",     "--dir",     "/var/lib/redis",
                                            "--appendonly",     "yes",       "--appendfsync",
                                            "everysec",         "--save",    "",
                                            "--bind",           "127.0.0.1", "${host.ip}",
                                            "--protected-mode", "no"};

static const char *const nginx_command[] = {"nginx", "-c", "/etc/nginx/test.conf", "-g",
                                            "daemon off;"};
static const struct lab_file_spec nginx_files[] = {
    {.path = "/etc/nginx/test.conf",
     .content = "user www-data;\nworker_processes 2;\npid /run/nginx.pid;\nerror_log stderr;\n"
                "events {}\nhttp { access_log off; server { listen 8080; root /srv/www;\n"
                "location /up/ { proxy_pass http://127.0.0.1:8081/; } }\n"
                "server { listen 8081; root /srv/www; } }\n"},
    {.path = "/srv/www/index.html", .content = "hello\n"},
};

static const char *const postgres_data[] = {"/var/lib/pg"};
static const char *const postgres_command[] = {
    "sh", "-c",
    PG_BIN "initdb -D /var/lib/pg/data -A trust >/var/lib/pg/initdb.log 2>&1 && exec " PG_BIN
           "postgres -D /var/lib/pg/data -k /tmp -c wal_level=minimal -c max_wal_senders=0 "
           "-c autovacuum=off"}; /* writes its log of changes only when it is told to */

static const char *const postgres_ready[] = {PG_BIN "pg_isready", "-q", "-h", "/tmp"};

static const char *const etcd_data[] = {"/var/lib/etcd"};
/* Behind a shell, which the library does reach. */
static const char *const etcd_command[] = {"sh", "-c",
                                           "etcd --data-dir=/var/lib/etcd --logger=zap; exit $?"};

static const struct lab_service_spec services[] = {
    {.name = "redis",
     .hosts = on_n1,
     .n_hosts = 1,
     .command = redis_command,
     .n_command = COUNT(redis_command),
     .user = "redis",
     .data = redis_data,
     .n_data = 1,
     .ready = READY_TCP,
     .ready_what = "${host}:6379",
     .ready_timeout = {30 * NS_PER_SEC},
     .stop_signal = SIGTERM,
     .stop_timeout = {5 * NS_PER_SEC},
     .preload = true,
     .start = true},
    {.name = "nginx",
     .hosts = on_n1,
     .n_hosts = 1,
     .command = nginx_command,
     .n_command = COUNT(nginx_command),
     .files = nginx_files,
     .n_files = COUNT(nginx_files),
     .ready = READY_HTTP,
     .ready_what = "http://${host}:8080/",
     .ready_timeout = {30 * NS_PER_SEC},
     .stop_signal = SIGTERM,
     .stop_timeout = {5 * NS_PER_SEC},
     .preload = true,
     .start = true},
    {.name = "postgres",
     .hosts = on_n1,
     .n_hosts = 1,
     .command = postgres_command,
     .n_command = COUNT(postgres_command),
     .user = "postgres",
     .data = postgres_data,
     .n_data = 1,
     .ready = READY_EXEC, /* it listens before it lets anyone in */
     .ready_command = postgres_ready,
     .n_ready_command = COUNT(postgres_ready),
     .ready_timeout = {60 * NS_PER_SEC},
     .stop_signal = SIGINT,
     .stop_timeout = {5 * NS_PER_SEC},
     .preload = true,
     .start = true},
    {.name = "etcd",
     .hosts = on_n1,
     .n_hosts = 1,
     .command = etcd_command,
     .n_command = COUNT(etcd_command),
     .user = "etcd",
     .data = etcd_data,
     .n_data = 1,
     .ready = READY_TCP,
     .ready_what = "127.0.0.1:2379",
     .ready_timeout = {30 * NS_PER_SEC},
     .stop_signal = SIGTERM,
     .stop_timeout = {5 * NS_PER_SEC},
     .preload = true,
     .start = true},
};

#endif
