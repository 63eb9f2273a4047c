#include "term/emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int csi_value(const struct csi *csi, int i, int otherwise)
{
    return i < csi->count && csi->params[i] != CSI_MISSING ? csi->params[i] : otherwise;
}

int csi_count(const struct csi *csi, int i, int otherwise)
{
    int value = csi_value(csi, i, otherwise);

    return value == 0 ? otherwise : value;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* No count is worth more than the largest screen. */
static int bounded(const struct csi *csi, int i)
{
    return clamp(csi_count(csi, i, 1), 1, TERMINAL_COLS_MAX);
}

/* Rows stop at a margin that the cursor is within (ECMA-48 leaves it open; as xterm does). */
static void move_rows(struct terminal *terminal, const struct csi *csi)
{
    bool up = strchr("AFk", csi->final) != NULL;
    int count = bounded(csi, 0), room;
    char final = csi->final == 'k' ? 'A' : csi->final == 'e' ? 'B' : csi->final;

    if (up)
        room = terminal->y >= terminal->margin_top ? terminal->y - terminal->margin_top : terminal->y;
    else
        room = (terminal->y < terminal->margin_bottom ? terminal->margin_bottom : terminal->rows) - 1 -
               terminal->y;
    count = count < room ? count : room;
    terminal->pending = false;
    if (count > 0)
        screen_controlf(terminal, "\033[%d%c", count, final);
    else if (final == 'E' || final == 'F')
        screen_c0(terminal, '\r');
}

static void move_cursor(struct terminal *terminal, const struct csi *csi)
{
    int first = bounded(csi, 0), second = bounded(csi, 1);

    terminal->pending = false;
    if (csi->final == 'H' || csi->final == 'f')
        screen_controlf(terminal, "\033[%d;%dH", first, second);
    else
        screen_controlf(terminal, "\033[%d%c", first, csi->final);
}

static void edit(struct terminal *terminal, const struct csi *csi)
{
    terminal->deleting = csi->final == 'M';
    if (csi->intermediate == '\'')
        screen_controlf(terminal, "\033[%d'%c", bounded(csi, 0), csi->final);
    else
        screen_controlf(terminal, "\033[%d%c", bounded(csi, 0), csi->final == '^' ? 'T' : csi->final);
    terminal->deleting = false;
    terminal->pending = false;
}

static void erase(struct terminal *terminal, const struct csi *csi)
{
    int what = csi_value(csi, 0, 0);

    if (csi->final == 'J' && what == 3)
        terminal_scrollback_clear(terminal);
    else if (what <= 2)
        screen_controlf(terminal, "\033[%d%c", what, csi->final);
}

static void set_margins(struct terminal *terminal, const struct csi *csi)
{
    int top = clamp(csi_count(csi, 0, 1), 1, terminal->rows) - 1;
    int bottom = clamp(csi_count(csi, 1, terminal->rows), 1, terminal->rows);

    if (top + 1 >= bottom)
        return;
    terminal->margin_top = top;
    terminal->margin_bottom = bottom;
    terminal->pending = false;
    screen_controlf(terminal, "\033[%d;%dr", top + 1, bottom);
}

static void clear_tabs(struct terminal *terminal, const struct csi *csi)
{
    int what = csi_value(csi, 0, 0);

    if (what == 0)
        terminal->tabs[terminal->x >> 3] &= (unsigned char)~(1u << (terminal->x & 7));
    else if (what == 3)
        memset(terminal->tabs, 0, sizeof terminal->tabs);
    else
        return;
    terminal->tabs_default = false;
    screen_controlf(terminal, "\033[%dg", what);
}

static void set_cursor_shape(struct terminal *terminal, const struct csi *csi)
{
    int style = csi_value(csi, 0, 0);

    if (style > 6)
        return;
    terminal->cursor_shape = style <= 2 ? 1 : style <= 4 ? 2 : 3;
    terminal->modes &= ~(uint32_t)MODE_CURSOR_BLINK;
    if (style == 0 || style % 2 == 1)
        terminal->modes |= MODE_CURSOR_BLINK;
    terminal->changed = true;
}

static void soft_reset(struct terminal *terminal)
{
    int x = terminal->x, y = terminal->y;

    modes_soft_reset(terminal);
    screen_control(terminal, "\033[?6l\033[r", 8);
    screen_place(terminal, x, y, false);
}

static void scroll_down(struct terminal *terminal, const struct csi *csi)
{
    /* With more parameters it is xterm's highlight tracking. */
    if (csi->count == 1)
        edit(terminal, csi);
}

static void repeat(struct terminal *terminal, const struct csi *csi)
{
    print_again(terminal, csi_count(csi, 0, 1));
}

static void attributes(struct terminal *terminal, const struct csi *csi)
{
    query_attributes(terminal, csi->leader);
}

static void set_modes(struct terminal *terminal, const struct csi *csi)
{
    modes_set(terminal, csi, csi->final == 'h');
}

static void set_pen(struct terminal *terminal, const struct csi *csi)
{
    pen_sgr(&terminal->pen, csi);
    terminal->pen_stale = true;
}

static void save_cursor(struct terminal *terminal, const struct csi *csi)
{
    (void)csi;
    modes_save_cursor(terminal);
}

static void restore_cursor(struct terminal *terminal, const struct csi *csi)
{
    (void)csi;
    modes_restore_cursor(terminal);
}

static void reset_tabs(struct terminal *terminal, const struct csi *csi)
{
    if (csi_value(csi, 0, 0) != 5)
        return;
    memset(terminal->tabs, 1, sizeof terminal->tabs);
    terminal->tabs_default = true;
    screen_restart_engine(terminal);
}

typedef void (*action)(struct terminal *terminal, const struct csi *csi);

/* By final byte. */
static const action plain[128] = {
    ['A'] = move_rows,    ['B'] = move_rows,      ['E'] = move_rows,   ['F'] = move_rows,
    ['k'] = move_rows,    ['e'] = move_rows,      ['C'] = move_cursor, ['D'] = move_cursor,
    ['G'] = move_cursor,  ['H'] = move_cursor,    ['I'] = move_cursor, ['Z'] = move_cursor,
    ['`'] = move_cursor,  ['a'] = move_cursor,    ['d'] = move_cursor, ['f'] = move_cursor,
    ['j'] = move_cursor,  ['T'] = scroll_down,    ['@'] = edit,        ['L'] = edit,
    ['M'] = edit,         ['P'] = edit,           ['S'] = edit,        ['X'] = edit,
    ['^'] = edit,         ['J'] = erase,          ['K'] = erase,       ['b'] = repeat,
    ['c'] = attributes,   ['g'] = clear_tabs,     ['h'] = set_modes,   ['l'] = set_modes,
    ['m'] = set_pen,      ['n'] = query_status,   ['r'] = set_margins, ['s'] = save_cursor,
    ['t'] = query_window, ['u'] = restore_cursor,
};

/* The same with the leader "?". */
static const action private[128] = {
    ['J'] = erase,     ['K'] = erase,          ['W'] = reset_tabs,     ['h'] = set_modes,
    ['l'] = set_modes, ['m'] = modes_keyboard, ['u'] = modes_keyboard, ['n'] = query_status,
};

static void dispatch(const action actions[128], struct terminal *terminal, const struct csi *csi)
{
    action found = actions[csi->final & 127];

    if (found != NULL)
        found(terminal, csi);
}

static void dispatch_intermediate(struct terminal *terminal, const struct csi *csi)
{
    if (csi->intermediate == '$' && csi->final == 'p' && (csi->leader == 0 || csi->leader == '?'))
        query_mode(terminal, csi);
    else if (csi->leader != 0)
        return;
    else if (csi->intermediate == '!' && csi->final == 'p')
        soft_reset(terminal);
    else if (csi->intermediate == ' ' && csi->final == 'q')
        set_cursor_shape(terminal, csi);
    else if (csi->intermediate == '\'' && (csi->final == '}' || csi->final == '~'))
        edit(terminal, csi);
}

void csi_dispatch(struct terminal *terminal, const struct csi *csi)
{
    if (csi->intermediate != 0)
        dispatch_intermediate(terminal, csi);
    else if (csi->leader == 0)
        dispatch(plain, terminal, csi);
    else if (csi->leader == '?')
        dispatch(private, terminal, csi);
    else if (csi->final == 'c' || csi->final == 'q')
        query_attributes(terminal, csi->final == 'q' ? 'q' : csi->leader);
    else if (csi->final == 'm' || csi->final == 'n' || csi->final == 'u')
        modes_keyboard(terminal, csi);
}

static void hard_reset(struct terminal *terminal)
{
    screen_switch(terminal, false, false);
    modes_reset(terminal);
    terminal->margin_top = 0;
    terminal->margin_bottom = terminal->rows;
    memset(terminal->tabs, 1, sizeof terminal->tabs);
    terminal->tabs_default = true;
    terminal->pending = false;
    terminal->last_code = 0;
    engine_write(terminal->engine, "\033c", 2);
    terminal->x = terminal->engine_x;
    free(terminal->title);
    terminal->title = xstrdup("");
    while (terminal->title_stack.depth > 0)
        free(terminal->title_stack.titles[--terminal->title_stack.depth]);
    buffer_finish(&terminal->notification);
    terminal->changed = true;
    if (terminal->calls.title != NULL)
        terminal->calls.title(terminal->argument, "");
    if (terminal_loud(terminal) && terminal->calls.reset != NULL)
        terminal->calls.reset(terminal->argument);
}

static void set_tab(struct terminal *terminal)
{
    terminal->tabs[terminal->x >> 3] |= (unsigned char)(1u << (terminal->x & 7));
    terminal->tabs_default = false;
    screen_control(terminal, "\033H", 2);
}

static void escape_plain(struct terminal *terminal, char final)
{
    switch (final) {
    case '7':
        modes_save_cursor(terminal);
        break;
    case '8':
        modes_restore_cursor(terminal);
        break;
    case '=':
        terminal->modes |= MODE_APPLICATION_KEYPAD;
        break;
    case '>':
        terminal->modes &= ~(uint32_t)MODE_APPLICATION_KEYPAD;
        break;
    case 'D':
    case 'E':
    case 'M':
        screen_index(terminal, final);
        break;
    case 'H':
        set_tab(terminal);
        break;
    case 'N':
    case 'O':
        terminal->charsets.single = final == 'N' ? 2 : 3;
        break;
    case 'Z':
        query_attributes(terminal, 0);
        break;
    case 'c':
        hard_reset(terminal);
        break;
    case 'n':
    case 'o':
        terminal->charsets.active = final == 'n' ? 2 : 3;
        break;
    default:
        break;
    }
}

void csi_escape(struct terminal *terminal, char intermediate, char final)
{
    static const char designators[] = "()*+";
    const char *which;

    if (intermediate == 0)
        escape_plain(terminal, final);
    else if (intermediate == '#' && final == '8')
        screen_align(terminal);
    else if ((which = strchr(designators, intermediate)) != NULL)
        terminal->charsets.designated[which - designators] = final == '0' || final == 'A' ? final : 'B';
}
