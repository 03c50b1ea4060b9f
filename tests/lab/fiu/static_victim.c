/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that no library reaches, linked statically: opens FILE, writes to it and flushes it,
 * again and again, and puts how that ended, an errno or 0, into STATE. It tells systemd that it is
 * ready. On TERM it flushes once more, writes "end" and the errno into STATE and exits with
 * status 42.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_term(int number)
{
    ended = number;
}

static void tell_ready(void)
{
    static const char ready[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (path == NULL || fd < 0)
        return;
    int len = snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    (void)sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL, (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len));
    (void)close(fd);
}

static int flush(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int error = fd >= 0 && pwrite(fd, "x", 1, 0) == 1 && fdatasync(fd) == 0 ? 0 : errno;
    if (fd >= 0)
        (void)close(fd);
    return error;
}

static void say(int state, const char *word, int error)
{
    char line[32];
    int n = snprintf(line, sizeof(line), "%s %-5d\n", word, error);
    (void)!pwrite(state, line, (size_t)n, 0);
}

int main(int argc, char **argv)
{
    const struct sigaction act = {.sa_handler = on_term};
    const struct timespec pause = {.tv_nsec = 10000000};
    int state = argc == 3 ? open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (state < 0 || sigaction(SIGTERM, &act, NULL) != 0)
        return 1;
    tell_ready();
    while (ended == 0) {
        say(state, "now", flush(argv[1]));
        (void)nanosleep(&pause, NULL);
    }
    say(state, "end", flush(argv[1]));
    return 42;
}
