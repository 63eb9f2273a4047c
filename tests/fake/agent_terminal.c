#include "tests/fake/agent_terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct termios saved;
static bool is_raw;
static const char *at_restore;
static volatile sig_atomic_t end_signal, resized;
static char collected[65536];
static size_t collected_length;

static void on_end(int number)
{
    end_signal = number;
}

static void on_resize(int number)
{
    (void)number;
    resized = 1;
}

void terminal_restore(void)
{
    if (at_restore != NULL)
        out_text(at_restore);
    at_restore = NULL;
    out_flush();
    if (is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    is_raw = false;
}

void terminal_on_restore(const char *bytes)
{
    at_restore = bytes;
}

void terminal_raw(void)
{
    static const int ends[] = {SIGTERM, SIGHUP, SIGINT};
    struct sigaction action = {.sa_handler = on_end};
    struct termios raw;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        (void)sigaction(ends[i], &action, NULL);
    action.sa_handler = on_resize;
    (void)sigaction(SIGWINCH, &action, NULL);
    (void)atexit(terminal_restore);
    if (tcgetattr(STDIN_FILENO, &saved) != 0)
        return;
    raw = saved;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST | ONLCR;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_size(int *columns, int *rows)
{
    struct winsize size;

    *columns = 80;
    *rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    }
}

void out_flush(void)
{
    size_t done = 0;

    while (done < collected_length) {
        ssize_t n = write(STDOUT_FILENO, collected + done, collected_length - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR)
            break;
    }
    collected_length = 0;
}

void out_bytes(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t part = sizeof collected - collected_length;
        if (part > length)
            part = length;
        memcpy(collected + collected_length, bytes, part);
        collected_length += part;
        bytes += part;
        length -= part;
        if (collected_length == sizeof collected)
            out_flush();
    }
}

void out_text(const char *text)
{
    out_bytes(text, strlen(text));
}

void out_format(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        out_bytes(text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

long terminal_read(char *bytes, size_t room, int milliseconds)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t length;

    if (end_signal != 0 || resized != 0 || poll(&input, 1, milliseconds) <= 0)
        return 0;
    length = read(STDIN_FILENO, bytes, room);
    if (length < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    return length == 0 ? -1 : length;
}

bool terminal_ended(void)
{
    return end_signal != 0;
}

int terminal_end_signal(void)
{
    return end_signal;
}

bool terminal_resized(void)
{
    bool was = resized != 0;

    resized = 0;
    return was;
}

long long clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
