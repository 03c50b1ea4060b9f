/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wrapped functions around plain calls on files: streams, descriptors that come and go, libc's
 * syscall(), waiting for descriptors, several messages at once; and the filter by address.
 */
#include "agents/fiu/preload_next.h"
#include "preloaded.h"

#include <arpa/inet.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/syscall.h>

enum { LEASE = 10 };

static void arm_in(uint64_t points)
{
    char prefix[80];
    (void)snprintf(prefix, sizeof(prefix), "%s/in", dir);
    arm(points, EDQUOT, prefix, LEASE * NS_PER_SEC);
}

static FILE *stream_on(const char *name)
{
    FILE *f = fopen(name, "w+e");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    return f;
}

PRINTF_LIKE(2, 3) static int print_to(FILE *f, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vfprintf(f, format, list);
    va_end(list);
    return n;
}

static void test_stream_writes(void)
{
    FILE *f = stream_on("in/stream"), *other = stream_on("out/stream");
    char *memory = NULL;
    size_t size = 0;
    FILE *in_memory = open_memstream(&memory, &size);
    arm_in(FIU_BIT(FIU_STDIO_WRITE));
    CU_ASSERT_EQUAL(fwrite(dir, 1, 4, f), 0);
    CU_ASSERT_EQUAL(errno, EDQUOT);
    CU_ASSERT_NOT_EQUAL(ferror(f), 0);
    CU_ASSERT_EQUAL((fwrite_unlocked)(dir, 1, 4, f), 0);
    FAILS(fputs("x", f));
    FAILS(fputs_unlocked("x", f));
    FAILS(fputc('x', f));
    FAILS(putc('x', f));
    FAILS(fprintf(f, "%d", 1));
    FAILS(print_to(f, "%d", 1));
    FAILS(__fprintf_chk(f, 1, "%d", 1));
    CU_ASSERT_EQUAL(counts().hits, 9);
    WORKS(fputs("x", other));
    WORKS(fprintf(other, "%d", 12));
    WORKS(fputs("kept", in_memory));
    CU_ASSERT_EQUAL(counts().hits, 9);
    disarm();
    WORKS(fputs("after", f));
    (void)fclose(f);
    (void)fclose(other);
    (void)fclose(in_memory);
    CU_ASSERT_STRING_EQUAL(memory, "kept");
    free(memory);
}

static void test_stream_reads(void)
{
    char buf[16], *line = NULL;
    size_t size = 0;
    FILE *f = stream_on("in/stream");
    WORKS(fputs("one\ntwo\n", f));
    rewind(f);
    arm_in(FIU_BIT(FIU_STDIO_READ));
    CU_ASSERT_EQUAL(fread(buf, 1, 4, f), 0);
    CU_ASSERT_EQUAL((fread_unlocked)(buf, 1, 4, f), 0); /* not libc's macro of that name */
    CU_ASSERT_EQUAL(__fread_chk(buf, sizeof(buf), 1, 4, f), 0);
    CU_ASSERT_PTR_NULL(fgets(buf, sizeof(buf), f));
    CU_ASSERT_PTR_NULL(fgets_unlocked(buf, sizeof(buf), f));
    CU_ASSERT_PTR_NULL(__fgets_chk(buf, sizeof(buf), sizeof(buf), f));
    FAILS(fgetc(f));
    FAILS(getc(f));
    FAILS(getline(&line, &size, f));
    FAILS(getdelim(&line, &size, ';', f));
    CU_ASSERT_EQUAL(counts().hits, 10);
    disarm();
    clearerr(f);
    CU_ASSERT_EQUAL(getline(&line, &size, f), 4);
    free(line);
    (void)fclose(f);
}

/* What is closed is closed, whatever was returned: the number is free, and what was written is
 * there. */
static void test_closings(void)
{
    char text[8] = "";
    FILE *f = stream_on("in/closed");
    int fd = open("in/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int other = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    WORKS(fputs("data", f));
    arm_in(FIU_BIT(FIU_STDIO_FLUSH) | FIU_BIT(FIU_CLOSE));
    FAILS(fflush(f));
    FAILS(fflush_unlocked(f));
    FAILS(fclose(f));
    FAILS(close(fd));
    WORKS(close(other));
    CU_ASSERT_EQUAL(counts().hits, 4);
    disarm();
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
    fd = open("in/closed", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(read(fd, text, sizeof(text)), 4);
    (void)close(fd);
}

static void test_new_files(void)
{
    char inside[] = "in/XXXXXX", outside[] = "out/XXXXXX", tail[] = "in/XXXXXX.txt";
    arm_in(FIU_BIT(FIU_OPEN) | FIU_BIT(FIU_UNLINK));
    FAILS(mkstemp(inside));
    FAILS(mkstemp64(inside));
    FAILS(mkostemp(inside, O_CLOEXEC));
    FAILS(mkostemp64(inside, O_CLOEXEC));
    FAILS(mkstemps(tail, 4));
    FAILS(mkstemps64(tail, 4));
    FAILS(mkostemps(tail, 4, O_CLOEXEC));
    FAILS(mkostemps64(tail, 4, O_CLOEXEC));
    FAILS(rmdir("in/nothing"));
    CU_ASSERT_EQUAL(counts().hits, 9);
    int fd = mkostemp(outside, O_CLOEXEC);
    CU_ASSERT_TRUE(fd >= 0);
    (void)close(fd);
    disarm();
}

/* A rule that is not about a descriptor is not asked again; until it is another file. */
static void test_what_is_kept(void)
{
    int fd = open("out/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int inside = open("in/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    arm_in(FIU_BIT(FIU_WRITE));
    for (int i = 0; i < 5; i++)
        WORKS(write(fd, "x", 1));
    CU_ASSERT_EQUAL(counts().calls, 5);
    CU_ASSERT_EQUAL(counts().seen, 0);
    WORKS(dup2(inside, fd));
    FAILS(write(fd, "x", 1));
    WORKS(close(fd));
    int again = open("out/file", O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL(again, fd);
    WORKS(write(fd, "x", 1));
    WORKS(dup3(inside, fd, O_CLOEXEC));
    FAILS(write(fd, "x", 1));
    WORKS(close_range((unsigned)fd, (unsigned)fd, 0));
    /* libc closes and opens this one without our seeing it; that it came is seen. */
    FILE *f = stream_on("out/file");
    CU_ASSERT_EQUAL(fileno(f), fd);
    WORKS(write(fd, "x", 1));
    WORKS(fclose(f));
    WORKS(dup(inside));
    FAILS(write(fd, "x", 1));
    /* A name moves, and the file with it: seen at once, and by all threads. */
    int moved = open("out/moves", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    WORKS(write(moved, "x", 1));
    WORKS(rename("out/moves", "in/moves"));
    FAILS(write(moved, "x", 1));
    disarm();
    (void)close(fd);
    (void)close(inside);
    (void)close(moved);
}

static void test_by_number(void)
{
    char buf[4];
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    int fd = open("in/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    arm_in(FIU_BIT(FIU_OPEN) | FIU_BIT(FIU_READ) | FIU_BIT(FIU_WRITE) | FIU_BIT(FIU_FSYNC) |
           FIU_BIT(FIU_UNLINK) | FIU_BIT(FIU_RENAME));
    FAILS(syscall(SYS_openat2, AT_FDCWD, "in/file", &how, sizeof(how)));
    FAILS(syscall(SYS_openat, AT_FDCWD, "in/file", O_RDONLY | O_CLOEXEC));
    FAILS(syscall(SYS_read, fd, buf, 1));
    FAILS(syscall(SYS_pwrite64, fd, "x", 1, 0));
    FAILS(syscall(SYS_fsync, fd));
    FAILS(syscall(SYS_unlinkat, AT_FDCWD, "in/file", 0));
    FAILS(syscall(SYS_renameat2, AT_FDCWD, "in/file", AT_FDCWD, "out/gone", 0));
    CU_ASSERT_EQUAL(counts().hits, 7);
    CU_ASSERT_EQUAL(syscall(SYS_getpid), getpid());
    disarm();
    CU_ASSERT_EQUAL(syscall(SYS_pwrite64, fd, "x", 1, 0), 1);
    (void)close(fd);
}

static void test_waiting(void)
{
    const struct timespec t = {.tv_nsec = 1};
    struct timeval tv = {.tv_usec = 1};
    struct epoll_event event;
    struct pollfd none = {.fd = -1};
    int fd = epoll_create1(EPOLL_CLOEXEC);
    arm(FIU_BIT(FIU_POLL), EDQUOT, "", LEASE * NS_PER_SEC);
    FAILS(poll(&none, 1, 0));
    FAILS(ppoll(&none, 1, &t, NULL));
    FAILS(__poll_chk(&none, 1, 0, sizeof(none)));
    FAILS(__ppoll_chk(&none, 1, &t, NULL, sizeof(none)));
    FAILS(select(0, NULL, NULL, NULL, &tv));
    FAILS(pselect(0, NULL, NULL, NULL, &t, NULL));
    FAILS(epoll_wait(fd, &event, 1, 0));
    FAILS(epoll_pwait(fd, &event, 1, 0, NULL));
    FAILS(epoll_pwait2(fd, &event, 1, &t, NULL));
    CU_ASSERT_EQUAL(counts().hits, 9);
    disarm();
    CU_ASSERT_EQUAL(poll(&none, 1, 0), 0);
    (void)close(fd);
}

static struct sockaddr_in socket_bound(int type, int *ret_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    *ret_fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(*ret_fd >= 0 && bind(*ret_fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                    getsockname(*ret_fd, (struct sockaddr *)&at, &len) == 0);
    return at;
}

/* A rule about one port of this host; another port next to it is left alone. */
static void arm_at(uint64_t points, const struct sockaddr_in *at)
{
    uint16_t port = ntohs(at->sin_port);
    struct fiu_rule rule = {.points = points,
                            .error = EDQUOT,
                            .n_addrs = 1,
                            .addrs = {{.family = 4, .prefix = 32, .ip = {127, 0, 0, 1}}},
                            .n_ports = 1,
                            .ports = {{port, port}}};
    arm_rule(rule, "", LEASE * NS_PER_SEC);
}

static void test_datagrams_to(void)
{
    int from, to, other;
    struct sockaddr_in at = socket_bound(SOCK_DGRAM, &to);
    struct sockaddr_in beside = socket_bound(SOCK_DGRAM, &other);
    (void)socket_bound(SOCK_DGRAM, &from);
    struct iovec v = {.iov_base = dir, .iov_len = 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    arm_at(FIU_BIT(FIU_SEND) | FIU_BIT(FIU_RECV) | FIU_BIT(FIU_CONNECT) | FIU_BIT(FIU_WRITE), &at);
    FAILS(sendto(from, "x", 1, 0, (struct sockaddr *)&at, sizeof(at)));
    WORKS(sendto(from, "x", 1, 0, (struct sockaddr *)&beside, sizeof(beside)));
    m.msg_hdr.msg_name = &at;
    m.msg_hdr.msg_namelen = sizeof(at);
    FAILS(sendmsg(from, &m.msg_hdr, 0));
    FAILS(sendmmsg(from, &m, 1, 0));
    m.msg_hdr.msg_name = &beside;
    WORKS(sendmmsg(from, &m, 1, 0));
    FAILS(connect(from, (struct sockaddr *)&at, sizeof(at)));
    FAILS(syscall(SYS_connect, from, &at, sizeof(at)));
    /* Connected to the other one, then to this one: what was kept of the socket is void. */
    WORKS(connect(from, (struct sockaddr *)&beside, sizeof(beside)));
    WORKS(send(from, "x", 1, 0));
    WORKS(write(from, "x", 1));
    CU_ASSERT_EQUAL(counts().hits, 5);
    disarm();
    WORKS(connect(from, (struct sockaddr *)&at, sizeof(at)));
    arm_at(FIU_BIT(FIU_SEND) | FIU_BIT(FIU_RECV) | FIU_BIT(FIU_WRITE), &at);
    FAILS(send(from, "x", 1, 0));
    FAILS(write(from, "x", 1));
    m.msg_hdr.msg_name = NULL;
    m.msg_hdr.msg_namelen = 0;
    FAILS(recvmmsg(from, &m, 1, MSG_DONTWAIT, NULL));
    CU_ASSERT_EQUAL(counts().hits, 3);
    disarm();
    (void)close(from);
    (void)close(to);
    (void)close(other);
}

static const struct check_test tests[] = {
    {"writes of streams", test_stream_writes},
    {"reads of streams", test_stream_reads},
    {"closings", test_closings},
    {"new files", test_new_files},
    {"what is kept", test_what_is_kept},
    {"by number", test_by_number},
    {"waiting", test_waiting},
    {"datagrams to", test_datagrams_to},
};
PRELOADED_MAIN("fiu points", tests)
