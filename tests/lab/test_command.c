/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `blackstart lab` as a person uses it, by its built program and a lab file. */
#include "lab_check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define DIR     "/var/tmp/blackstart-test-command"
#define PROGRAM BINARY_DIR "/blackstart "

static char output[16384];

/* Exit status; what it printed, both streams, in output. */
static int shell(const char *command)
{
    char text[1024];
    (void)snprintf(text, sizeof(text), "cd " DIR " && { %s; } 2>&1", command);
    return machine_run(text, output, sizeof(output));
}

static void write_lab(void)
{
    CU_ASSERT_EQUAL(machine_run("rm -rf " DIR " && mkdir -p " DIR, NULL, 0), 0);
    FILE *f = fopen(DIR "/mine.yaml", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fputs(
        "version: 1\nname: mine\n"
        "lab:\n  hosts:\n    a: {labels: [x]}\n    b:\n"
        "  services:\n    sleeper:\n      hosts: {label: x}\n      command: [sleep, '1000']\n",
        f);
    (void)fclose(f);
}

/* Names of this process's own: other labs may be up on the machine. */
#define NAME "test-command"
#define LAB  PROGRAM "lab --name " NAME " "

static void test_up_exec_ps_down(void)
{
    write_lab();
    CU_ASSERT_EQUAL(shell(LAB "up mine.yaml"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "lab " NAME " is up"));
    CU_ASSERT_EQUAL(shell(LAB "exec a -- sh -c 'hostname; exit 7'"), 7);
    CU_ASSERT_STRING_EQUAL(output, "a\n");
    CU_ASSERT_EQUAL(shell("echo 'hostname; echo $0' | " LAB "exec b"), 0);
    CU_ASSERT_STRING_EQUAL(output, "b\nbash\n");
    CU_ASSERT_EQUAL(shell(LAB "exec a -- sh -c 'kill -9 $$'"), 137);
    CU_ASSERT_EQUAL(shell(LAB "exec --user nobody a -- id -un"), 0);
    CU_ASSERT_STRING_EQUAL(output, "nobody\n");
    CU_ASSERT_EQUAL(shell(LAB "exec a -- cat /proc/1/comm /proc/sys/kernel/hostname"), 0);
    CU_ASSERT_STRING_EQUAL(output, "blackstart-init\na\n");
    CU_ASSERT_EQUAL(shell(PROGRAM "lab ps"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "lab " NAME));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "sleeper:ready"));
    CU_ASSERT_EQUAL(shell(LAB "up mine.yaml"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "is up already"));
    CU_ASSERT_EQUAL(shell(LAB "exec c -- true"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "the lab has no host \"c\""));
    CU_ASSERT_EQUAL(shell(LAB "down"), 0);
    CU_ASSERT_EQUAL(shell(LAB "exec a -- true"), 3);
    CU_ASSERT_EQUAL(shell(PROGRAM "lab ps | grep " NAME), 1);
}

/* Until the lab is not listed any more, nor its directory there. */
static void wait_gone(void)
{
    CU_ASSERT_EQUAL(shell("for i in $(seq 200); do { " PROGRAM
                          "lab ps; ls /var/lib/blackstart/labs; } | grep -q " NAME
                          " || exit 0; sleep 0.05; done; exit 1"),
                    0);
}

#define HOLDER "$(" PROGRAM "lab ps | sed -n 's/^lab " NAME ", held by process //p')"

/* What a person or the machine does to the holder's processes ends the lab or lets it end. */
static void test_holder_in_trouble(void)
{
    write_lab();
    CU_ASSERT_EQUAL(shell(LAB "up mine.yaml && kill -STOP " HOLDER), 0);
    CU_ASSERT_EQUAL(shell(LAB "down"), 0);
    CU_ASSERT_EQUAL(shell(LAB "up mine.yaml && pkill -KILL -P " HOLDER), 0);
    wait_gone();
    /* Its hosts may still be ending when the next one comes. */
    CU_ASSERT_EQUAL(shell(LAB "up mine.yaml && kill -KILL " HOLDER), 0);
    CU_ASSERT_EQUAL(
        shell("while " PROGRAM "lab ps | grep -q " NAME "; do :; done; " LAB "up mine.yaml"), 0);
    CU_ASSERT_EQUAL(shell(LAB "down"), 0);
}

/* One of two that come up at once under one name says that the other is there. */
static void test_two_of_a_name(void)
{
    write_lab();
    CU_ASSERT_EQUAL(
        shell(LAB "up mine.yaml & " LAB "up mine.yaml; s=$?; wait $!; test $((s + $?)) = 3"), 0);
    CU_ASSERT(strstr(output, "another lab of this name") != NULL ||
              strstr(output, "is up already") != NULL);
    CU_ASSERT_EQUAL(shell(LAB "down"), 0);
}

static void test_the_time_limit(void)
{
    write_lab();
    CU_ASSERT_EQUAL(shell(LAB "up --for 2s mine.yaml"), 0);
    CU_ASSERT_EQUAL(shell(LAB "exec a -- true"), 0);
    wait_gone();
    CU_ASSERT_EQUAL(shell(LAB "exec a -- true"), 3);
    CU_ASSERT_EQUAL(shell(LAB "up --for 5 mine.yaml"), 2);
}

/* A service that never gets ready fails the command and leaves nothing. */
static void test_failure(void)
{
    write_lab();
    CU_ASSERT_EQUAL(
        shell("echo '      ready: {tcp: 9, timeout: 300ms}' >>mine.yaml; " LAB "up mine.yaml"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "service sleeper on host a"));
    CU_ASSERT_EQUAL(shell(PROGRAM "lab ps | grep " NAME), 1);
    CU_ASSERT_EQUAL(shell(PROGRAM "lab up no-such-file.yaml"), 2);
    CU_ASSERT_EQUAL(shell(PROGRAM "lab sideways"), 2);
    CU_ASSERT_EQUAL(machine_run("rm -rf " DIR, NULL, 0), 0);
}

static const struct check_test tests[] = {
    {"up, exec, ps, down", test_up_exec_ps_down},
    {"the time limit", test_the_time_limit},
    {"holder in trouble", test_holder_in_trouble},
    {"two of a name", test_two_of_a_name},
    {"failure", test_failure},
};

CHECK_MAIN("lab/command", tests)
