/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrappers of calls on streams. They stand where the program calls stdio; what stdio then asks of
 * the kernel (a full buffer, the flush at exit) goes past every library. A stream without a
 * descriptor (memory) is left alone.
 */
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_next.h"

#include <errno.h>

static bool stream_fails(enum fiu_point point, FILE *f)
{
    if (!preload_is_armed(point) || f == NULL)
        return false;
    int saved = errno;
    int fd = fileno(f);
    errno = saved;
    if (fd < 0 || !preload_fails(point, &(struct preload_subject){.fd = fd}))
        return false;
    flockfile(f);
    f->_flags |= _IO_ERR_SEEN; /* what ferror() tells */
    funlockfile(f);
    return true;
}

#define WRAP_STREAM(point, type, failure, name, params, args)                                      \
    type name params                                                                               \
    {                                                                                              \
        return stream_fails(point, f) ? (failure) : NEXT(name) args;                               \
    }
WRAP_STREAM(FIU_STDIO_READ, size_t, 0, fread, (void *buf, size_t size, size_t n, FILE *f),
            (buf, size, n, f))
WRAP_STREAM(FIU_STDIO_READ, size_t, 0, fread_unlocked, (void *buf, size_t size, size_t n, FILE *f),
            (buf, size, n, f))
WRAP_STREAM(FIU_STDIO_READ, size_t, 0, __fread_chk,
            (void *buf, size_t room, size_t size, size_t n, FILE *f), (buf, room, size, n, f))
WRAP_STREAM(FIU_STDIO_READ, char *, NULL, fgets, (char *buf, int n, FILE *f), (buf, n, f))
WRAP_STREAM(FIU_STDIO_READ, char *, NULL, fgets_unlocked, (char *buf, int n, FILE *f), (buf, n, f))
WRAP_STREAM(FIU_STDIO_READ, char *, NULL, __fgets_chk, (char *buf, size_t room, int n, FILE *f),
            (buf, room, n, f))
WRAP_STREAM(FIU_STDIO_READ, int, EOF, fgetc, (FILE * f), (f))
WRAP_STREAM(FIU_STDIO_READ, int, EOF, getc, (FILE * f), (f))
WRAP_STREAM(FIU_STDIO_READ, ssize_t, -1, getline, (char **line, size_t *n, FILE *f), (line, n, f))
WRAP_STREAM(FIU_STDIO_READ, ssize_t, -1, getdelim, (char **line, size_t *n, int end, FILE *f),
            (line, n, end, f))
WRAP_STREAM(FIU_STDIO_READ, ssize_t, -1, __getdelim, (char **line, size_t *n, int end, FILE *f),
            (line, n, end, f))
WRAP_STREAM(FIU_STDIO_WRITE, size_t, 0, fwrite, (const void *buf, size_t size, size_t n, FILE *f),
            (buf, size, n, f))
WRAP_STREAM(FIU_STDIO_WRITE, size_t, 0, fwrite_unlocked,
            (const void *buf, size_t size, size_t n, FILE *f), (buf, size, n, f))
WRAP_STREAM(FIU_STDIO_WRITE, int, EOF, fputs, (const char *text, FILE *f), (text, f))
WRAP_STREAM(FIU_STDIO_WRITE, int, EOF, fputs_unlocked, (const char *text, FILE *f), (text, f))
WRAP_STREAM(FIU_STDIO_WRITE, int, EOF, fputc, (int c, FILE *f), (c, f))
WRAP_STREAM(FIU_STDIO_WRITE, int, EOF, putc, (int c, FILE *f), (c, f))
WRAP_STREAM(FIU_STDIO_WRITE, int, -1, vfprintf, (FILE * f, const char *format, va_list list),
            (f, format, list))
WRAP_STREAM(FIU_STDIO_WRITE, int, -1, __vfprintf_chk,
            (FILE * f, int flag, const char *format, va_list list), (f, flag, format, list))
WRAP_STREAM(FIU_STDIO_FLUSH, int, EOF, fflush, (FILE * f), (f))
WRAP_STREAM(FIU_STDIO_FLUSH, int, EOF, fflush_unlocked, (FILE * f), (f))

int fprintf(FILE *f, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = stream_fails(FIU_STDIO_WRITE, f) ? -1 : NEXT(vfprintf)(f, format, list);
    va_end(list);
    return n;
}

int __fprintf_chk(FILE *f, int flag, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = stream_fails(FIU_STDIO_WRITE, f) ? -1 : NEXT(__vfprintf_chk)(f, flag, format, list);
    va_end(list);
    return n;
}

/* The stream is closed whatever is returned, and its descriptor with it. */
int fclose(FILE *f)
{
    if (!preload_any_armed())
        return NEXT(fclose)(f);
    bool fails = stream_fails(FIU_STDIO_FLUSH, f);
    int error = errno, fd = fileno(f);
    errno = error;
    int rc = NEXT(fclose)(f);
    (void)preload_opened(fd);
    if (!fails)
        return rc;
    errno = error;
    return EOF;
}
