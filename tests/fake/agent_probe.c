#include "tests/fake/agent_probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fake/agent_terminal.h"

static long number(int argc, char **argv, int index, long otherwise)
{
    return index < argc ? strtol(argv[index], NULL, 10) : otherwise;
}

static void rest_ms(long milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

/* Until a signal that ends it, or the end of input. */
static int wait_for_end(void)
{
    char bytes[64];

    out_flush();
    while (!terminal_ended()) {
        if (terminal_read(bytes, sizeof bytes, -1) < 0)
            break;
        (void)terminal_resized();
    }
    return 0;
}

/* lines N [RATE]: N numbered lines, RATE a second (0: as fast as it goes), then "end of lines", then waits. */
static int lines(int argc, char **argv)
{
    long count = number(argc, argv, 1, 100), rate = number(argc, argv, 2, 0);
    long long start = clock_ms();

    for (long i = 1; i <= count; i++) {
        out_format("line %08ld of the sequence\n", i);
        if (rate > 0) {
            out_flush();
            while (clock_ms() - start < i * 1000 / rate)
                rest_ms(1000 / rate > 0 ? 1000 / rate : 1);
        }
    }
    out_text("end of lines\n");
    return wait_for_end();
}

static int flood(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (unsigned long i = 0; !terminal_ended(); i++)
        out_format("%10lu the quick brown fox jumps over the lazy dog \033[3%lumin colour\033[m\n", i, i % 8);
    return 0;
}

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        (void)pause();
}

static int ignore_signals(int argc, char **argv)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN);
    out_format("ignoring signals, pid %d\n", (int)getpid());
    out_flush();
    wait_for_ever();
}

/* Leaves a process that has its own session, its own process group and another parent, and ignores HUP and TERM. */
static int daemonise(int argc, char **argv)
{
    int ends[2];
    pid_t daemon_pid = 0;

    (void)argc;
    (void)argv;
    if (pipe(ends) != 0)
        return 1;
    if (fork() == 0) {
        (void)setsid();
        daemon_pid = fork();
        if (daemon_pid == 0) {
            (void)signal(SIGHUP, SIG_IGN);
            (void)signal(SIGTERM, SIG_IGN);
            daemon_pid = getpid();
            (void)!write(ends[1], &daemon_pid, sizeof daemon_pid);
            (void)close(ends[0]);
            (void)close(ends[1]);
            wait_for_ever();
        }
        _exit(0);
    }
    (void)!read(ends[0], &daemon_pid, sizeof daemon_pid);
    out_format("daemon pid %d\n", (int)daemon_pid);
    return wait_for_end();
}

/* exit CODE [TEXT] */
static int leave(int argc, char **argv)
{
    long code = number(argc, argv, 1, 0);

    out_format("%s\n", argc > 2 ? argv[2] : "leaving");
    return (int)code;
}

static int winch(int argc, char **argv)
{
    char bytes[64];
    int columns, rows;

    (void)argc;
    (void)argv;
    terminal_raw();
    do {
        terminal_size(&columns, &rows);
        out_format("size %dx%d\n", columns, rows);
        out_flush();
        while (!terminal_ended() && !terminal_resized()) {
            long length = terminal_read(bytes, sizeof bytes, -1);
            if (length < 0 || (length > 0 && memchr(bytes, 4, (size_t)length) != NULL))
                return 0;
        }
    } while (!terminal_ended());
    return 0;
}

static void print_escaped(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == 033)
            out_text("ESC ");
        else if (byte > 0x20 && byte < 0x7f)
            out_bytes(bytes + i, 1);
        else
            out_format("<%02x>", byte);
    }
}

/* raw-keys [SEQUENCE…]: sends CSI SEQUENCE for each ("?1006h"), then prints what it reads in hex until Ctrl-D. */
static int raw_keys(int argc, char **argv)
{
    char bytes[4096];

    terminal_raw();
    for (int i = 1; i < argc; i++)
        out_format("\033[%s", argv[i]);
    out_text("ready\n");
    out_flush();
    while (!terminal_ended()) {
        long length = terminal_read(bytes, sizeof bytes, -1);
        if (length < 0 || (length == 1 && bytes[0] == 4))
            return 0;
        if (length == 0) {
            (void)terminal_resized();
            continue;
        }
        out_text("got");
        for (long i = 0; i < length; i++)
            out_format(" %02x", (unsigned char)bytes[i]);
        out_text("\n");
        out_flush();
    }
    return 0;
}

/* Asks the terminal what programs ask terminals, and prints the answers. */
static int query(int argc, char **argv)
{
    static const struct {
        const char *name, *bytes;
    } queries[] = {
        {"DA1", "\033[c"},
        {"DA2", "\033[>c"},
        {"DSR", "\033[5n"},
        {"CPR", "\033[6n"},
        {"XTVERSION", "\033[>q"},
        {"kitty", "\033[?u"},
        {"2026", "\033[?2026$p"},
        {"2004", "\033[?2004$p"},
        {"fg", "\033]10;?\033\\"},
        {"bg", "\033]11;?\033\\"},
        {"color 1", "\033]4;1;?\033\\"},
        {"size", "\033[18t"},
        {"7501", "\033]7501;?\033\\"},
    };
    char bytes[512];

    (void)argc;
    (void)argv;
    terminal_raw();
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        long length;
        out_text(queries[i].bytes);
        out_flush();
        length = terminal_read(bytes, sizeof bytes, 1000);
        out_format("%s: ", queries[i].name);
        print_escaped(bytes, length > 0 ? (size_t)length : 0);
        out_text(length > 0 ? "\n" : "no answer\n");
        out_flush();
    }
    out_text("end of queries\n");
    return wait_for_end();
}

const struct probe probes[] = {
    {"lines", "N [RATE]", "prints N numbered lines, RATE a second", lines},
    {"flood", "", "prints without end", flood},
    {"ignore-signals", "", "ignores every signal that can be ignored", ignore_signals},
    {"daemonise", "", "leaves a process in the background", daemonise},
    {"exit", "CODE [TEXT]", "prints TEXT and ends with CODE", leave},
    {"winch", "", "prints its size, again when it changes", winch},
    {"raw-keys", "[SEQUENCE…]", "prints the bytes it gets in hex", raw_keys},
    {"query", "", "asks the terminal and prints the answers", query},
    {NULL, NULL, NULL, NULL},
};
