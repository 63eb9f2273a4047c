#include "tui/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "tui/curses.h"

/* Kitty keyboard and version before DA1, so that the answer to DA1 tells that the others will not come. */
#define QUERIES "\033[?u\033]10;?\033\\\033]11;?\033\\\033[?2026$p\033[c"
#define ENABLE "\033[?2004h\033[?1004h\033[?1002h\033[?1006h"
#define KITTY_ON "\033[>1u"
#define MODIFY_ON "\033[>4;2m"
#define RESTORE                                                                                              \
    "\033[?2026l\033[<u\033[>4m\033[?1003l\033[?1002l\033[?1006l\033[?1004l\033[?2004l\033[0 q\033[?25h"

static struct {
    bool open, lent;
    SCREEN *screen;
    struct termios saved;
    bool synchronized, kitty, keyboard_settled;
    bool mouse_moves;
    int cursor_shape, cursor_visible;
    uint32_t foreground, background; /* 0xRRGGBB */
    bool foreground_known, background_known, background_news;
    struct buffer written; /* one write(2) for what does not go through curses */
} outer;

/* ---- crashes ---- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};
static struct sigaction crash_before[sizeof crashes / sizeof crashes[0]];

/* Leaving the alternate screen by hand: curses must not be entered from a signal handler. */
static void restore_now(int signal_number)
{
    static const char bytes[] = RESTORE "\033(B\033[m\033[?1049l\r\n";

    if (outer.open) {
        ssize_t ignored = write(STDOUT_FILENO, bytes, sizeof bytes - 1);
        (void)ignored;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &outer.saved);
        outer.open = false;
    }
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        if (crashes[i] == signal_number)
            (void)sigaction(signal_number, &crash_before[i], NULL);
    }
    (void)raise(signal_number);
}

static void catch_crashes(void)
{
    struct sigaction action = {.sa_handler = restore_now};

    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaction(crashes[i], &action, &crash_before[i]);
}

static void release_crashes(void)
{
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaction(crashes[i], &crash_before[i], NULL);
}

/* ---- set-up ---- */

static void send(const char *text)
{
    size_t length = strlen(text), sent = 0;

    if (outer.lent)
        return;
    while (sent < length) {
        ssize_t wrote = write(STDOUT_FILENO, text + sent, length - sent);
        if (wrote < 0 && errno != EINTR)
            return;
        sent += wrote > 0 ? (size_t)wrote : 0;
    }
}

static int check(struct error *error)
{
    const char *term = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(error, "the dashboard needs a terminal; without one, `ganger run --record` runs "
                                "headless and `ganger ls` lists the sessions");
    if (term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
        return error_set(error,
                         "the dashboard cannot drive this terminal (TERM is %s): set TERM, or use `ganger "
                         "run --record`, which runs headless",
                         term == NULL || term[0] == '\0' ? "not set" : term);
    return 0;
}

static void set_locale(void)
{
    if (setlocale(LC_ALL, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    /* Numbers in JSON and sequences have a point. */
    (void)setlocale(LC_NUMERIC, "C");
}

static bool true_colour(void)
{
    const char *value = getenv("COLORTERM"), *no_colour = getenv("NO_COLOR");

    if (no_colour != NULL && no_colour[0] != '\0')
        return false;
    return value != NULL && (strcmp(value, "truecolor") == 0 || strcmp(value, "24bit") == 0);
}

/* Our own terminfo entry; the environment is for agents too, so it is left as it was. */
static SCREEN *open_direct(void)
{
    char *folder = true_colour() ? path_installed("terminfo", NULL) : NULL;
    const char *before = getenv("TERMINFO");
    char *kept = before != NULL ? xstrdup(before) : NULL;
    SCREEN *screen = NULL;

    if (folder != NULL && setenv("TERMINFO", folder, 1) == 0) {
        screen = newterm("ganger-direct", stdout, stdin);
        if (kept != NULL)
            (void)setenv("TERMINFO", kept, 1);
        else
            (void)unsetenv("TERMINFO");
    }
    free(kept);
    free(folder);
    return screen;
}

int outer_open(struct error *error)
{
    if (check(error) < 0)
        return -1;
    if (tcgetattr(STDIN_FILENO, &outer.saved) < 0)
        return error_errno(error, "cannot read the terminal's settings");
    set_locale();
    /* The size is asked of the terminal alone. */
    (void)unsetenv("LINES");
    (void)unsetenv("COLUMNS");
    outer.screen = open_direct();
    if (outer.screen == NULL)
        outer.screen = newterm(NULL, stdout, stdin);
    if (outer.screen == NULL) {
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &outer.saved);
        return error_set(error,
                         "the dashboard cannot drive this terminal (TERM is %s, which terminfo does not "
                         "know): set TERM, or use `ganger run --record`, which runs headless",
                         getenv("TERM"));
    }
    outer.open = true;
    catch_crashes();
    (void)raw();
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    outer.cursor_visible = 0;
    (void)fcntl(STDIN_FILENO, F_SETFD, 0);
    (void)refresh();
    send(ENABLE QUERIES);
    return 0;
}

void outer_close(void)
{
    if (!outer.open)
        return;
    outer.lent = false;
    send(RESTORE);
    (void)endwin();
    release_crashes();
    outer.open = false;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &outer.saved);
    delscreen(outer.screen);
    outer.screen = NULL;
    buffer_finish(&outer.written);
}

void outer_lend(void)
{
    (void)curs_set(1);
    send(RESTORE);
    (void)endwin();
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &outer.saved);
    outer.lent = true;
}

void outer_take_back(void)
{
    outer.lent = false;
    (void)refresh(); /* the modes and the screen of before endwin */
    (void)curs_set(0);
    outer.cursor_visible = 0;
    outer.cursor_shape = -1;
    send(ENABLE);
    if (outer.keyboard_settled)
        send(outer.kitty ? KITTY_ON : MODIFY_ON);
    if (outer.mouse_moves)
        send("\033[?1003h");
    outer_resized();
    outer_redraw();
}

/* ---- size ---- */

int outer_cols(void)
{
    return COLS;
}

int outer_rows(void)
{
    return LINES;
}

void outer_resized(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    (void)resizeterm(size.ws_row, size.ws_col);
    outer_redraw();
}

/* ---- answers ---- */

static bool starts_with(const char *text, size_t length, const char *start)
{
    return length >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* "rgb:RRRR/GGGG/BBBB", each of one to four digits. */
static int parse_colour(const char *text, uint32_t *rgb)
{
    unsigned value[3];
    int digits[4];

    if (sscanf(text, "rgb:%4x%n/%4x%n/%4x%n", &value[0], &digits[0], &value[1], &digits[1], &value[2],
               &digits[2]) != 3)
        return -1;
    digits[2] -= digits[1] + 1;
    digits[1] -= digits[0] + 1;
    digits[0] -= 4;
    for (int i = 0; i < 3; i++)
        value[i] = value[i] * 255 / ((1u << (4 * digits[i])) - 1);
    *rgb = value[0] << 16 | value[1] << 8 | value[2];
    return 0;
}

bool outer_reply(const char *text, size_t length)
{
    char copy[64];
    bool kitty;

    (void)snprintf(copy, sizeof copy, "%.*s", (int)(length < 60 ? length : 60), text);
    if (starts_with(text, length, "\033]11;")) {
        outer.background_news = outer.background_known = parse_colour(copy + 5, &outer.background) == 0;
    } else if (starts_with(text, length, "\033]10;")) {
        outer.foreground_known = parse_colour(copy + 5, &outer.foreground) == 0;
    } else if (starts_with(text, length, "\033[?2026;")) {
        outer.synchronized = copy[8] == '1' || copy[8] == '2';
    } else if (starts_with(text, length, "\033[?") && text[length - 1] == 'u') {
        outer.kitty = true;
    } else if (starts_with(text, length, "\033[?") && text[length - 1] == 'c' && !outer.keyboard_settled) {
        outer.keyboard_settled = true;
        kitty = outer.kitty;
        send(kitty ? KITTY_ON : MODIFY_ON);
        return kitty;
    }
    return false;
}

bool outer_background(uint32_t *rgb)
{
    bool news = outer.background_news;

    *rgb = outer.background;
    outer.background_news = false;
    return news;
}

bool outer_colours(uint32_t *foreground, uint32_t *background)
{
    *foreground = outer.foreground;
    *background = outer.background;
    return outer.foreground_known && outer.background_known;
}

/* ---- output ---- */

void outer_show(int x, int y, int shape, bool blink)
{
    int visible = x >= 0;
    char sequence[16];

    if (outer.synchronized)
        send("\033[?2026h");
    if (visible)
        (void)move(y, x);
    if (visible != outer.cursor_visible && !visible)
        (void)curs_set(0);
    (void)refresh();
    if (visible != outer.cursor_visible && visible)
        (void)curs_set(1);
    outer.cursor_visible = visible;
    if (visible) {
        int style = shape == 0 ? 0 : shape * 2 - (blink ? 1 : 0);
        if (style != outer.cursor_shape) {
            (void)snprintf(sequence, sizeof sequence, "\033[%d q", style);
            send(sequence);
        }
        outer.cursor_shape = style;
    }
    (void)fflush(stdout);
    if (outer.synchronized)
        send("\033[?2026l");
}

void outer_redraw(void)
{
    (void)clearok(curscr, TRUE);
}

void outer_mouse_moves(bool wanted)
{
    if (wanted == outer.mouse_moves)
        return;
    outer.mouse_moves = wanted;
    send(wanted ? "\033[?1003h" : "\033[?1003l\033[?1002h");
}

void outer_bell(void)
{
    send("\a");
}

void outer_copy(const char *text, size_t length)
{
    struct buffer *out = &outer.written;

    buffer_clear(out);
    buffer_append_string(out, "\033]52;c;");
    base64_append(out, text, length);
    buffer_append_string(out, "\033\\");
    send(out->bytes);
}
