#include "replay/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The alternate screen, no wrapping, no cursor. */
static const char enter[] = "\033[?1049h\033[?7l\033[?25l\033[0m\033[2J\033[H";
static const char leave[] = "\033[?2026l\033[0m\033[?7h\033[?1049l\033[?25h";

static struct {
    int input, pipe[2];
    struct termios saved;
    volatile sig_atomic_t taken, ended, resized, continued, stop;
} tty = {.input = -1, .pipe = {-1, -1}};

/* ---- giving back: only what a signal handler may call ---- */

static void give_back(void)
{
    ssize_t written;

    if (!tty.taken)
        return;
    tty.taken = 0;
    written = write(STDOUT_FILENO, leave, sizeof leave - 1);
    (void)written;
    (void)tcsetattr(tty.input, TCSADRAIN, &tty.saved);
}

static void on_crash(int number)
{
    give_back();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void on_signal(int number)
{
    int kept = errno;
    ssize_t written;

    if (number == SIGWINCH)
        tty.resized = 1;
    else if (number == SIGCONT)
        tty.continued = 1;
    else if (number == SIGTSTP)
        tty.stop = 1;
    else
        tty.ended = number;
    written = write(tty.pipe[1], "", 1);
    (void)written;
    errno = kept;
}

static void catch_signals(void)
{
    static const int caught[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP};
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXFSZ, SIGXCPU};
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        (void)sigaction(caught[i], &action, NULL);
    action.sa_handler = on_crash;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        (void)sigaction(crashes[i], &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- taking ---- */

static int take(struct error *error)
{
    struct termios raw = tty.saved;

    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tty.taken = 1;
    if (tcsetattr(tty.input, TCSADRAIN, &raw) < 0) {
        tty.taken = 0;
        return error_errno(error, "cannot prepare the terminal");
    }
    return tty_write(enter, sizeof enter - 1) < 0 ? error_errno(error, "cannot write to the terminal") : 0;
}

int tty_open(struct error *error)
{
    tty.input = isatty(STDIN_FILENO) ? STDIN_FILENO : open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty.input < 0)
        return error_errno(error, "there is no terminal that keys come from (--raw prints without one)");
    if (tcgetattr(tty.input, &tty.saved) < 0)
        return error_errno(error, "cannot ask the terminal");
    if (pipe2(tty.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_errno(error, "cannot make a pipe");
    catch_signals();
    (void)atexit(tty_close);
    return take(error);
}

void tty_close(void)
{
    give_back();
}

int tty_input(void)
{
    return tty.input;
}

int tty_wakeup(void)
{
    return tty.pipe[0];
}

struct tty_signals tty_signals(void)
{
    struct tty_signals signals = {.ended = tty.ended};
    char bytes[64];

    while (read(tty.pipe[0], bytes, sizeof bytes) > 0)
        ;
    signals.resized = tty.resized;
    signals.continued = tty.continued;
    signals.stop = tty.stop;
    tty.resized = tty.continued = tty.stop = 0;
    if (signals.continued && tty.taken) /* whoever stopped it may have left the terminal in any state */
        (void)take(NULL);
    return signals;
}

void tty_stop(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, kept;

    give_back();
    (void)sigemptyset(&standard.sa_mask);
    (void)sigaction(SIGTSTP, &standard, &kept);
    (void)kill(0, SIGTSTP);
    (void)sigaction(SIGTSTP, &kept, NULL);
    (void)take(NULL);
}

void tty_die(int number)
{
    give_back();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    _exit(128 + number);
}

void tty_size(int *cols, int *rows)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    *cols = size.ws_col;
    *rows = size.ws_row;
}

/* ---- writing ---- */

int tty_write(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = tty.ended ? -1 : write(STDOUT_FILENO, bytes, length);
        if (written < 0 && tty.ended)
            return -1;
        if (written < 0 && errno == EAGAIN) { /* somebody made it so */
            struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&room, 1, 1000);
            continue;
        }
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}
