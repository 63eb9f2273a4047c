#include "host/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "host/host.h"

#define STYLE_BYTES 96u /* about what a style takes in a frame */
#define RUN_BYTES 16u
#define CELL_BYTES 3u
#define LINK_MAX 2048

/* ---- styles ---- */

static bool style_known(const struct screen *screen, uint32_t style)
{
    return style == 0 ||
           (style / 8 < screen->styles_size && (screen->styles[style / 8] >> (style % 8) & 1) != 0);
}

static void style_learn(struct screen *screen, uint32_t style)
{
    size_t needed = style / 8 + 1;

    if (needed > screen->styles_size) {
        size_t size = needed + needed / 2 + 16;
        screen->styles = xreallocarray(screen->styles, size, 1);
        memset(screen->styles + screen->styles_size, 0, size - screen->styles_size);
        screen->styles_size = size;
    }
    screen->styles[style / 8] |= (unsigned char)(1 << (style % 8));
}

static void write_style(struct frame_writer *writer, const struct terminal *terminal, uint32_t number)
{
    struct style style = terminal_style(terminal, number);
    const char *link = style.link == 0 ? NULL : terminal_link(terminal, style.link);
    struct frame_style out = {.id = number,
                              .foreground = style.foreground,
                              .background = style.background,
                              .underline_color = style.underline_color,
                              .attributes = style.attributes,
                              .underline = style.underline,
                              .link = link != NULL && strlen(link) <= LINK_MAX ? link : NULL};

    frame_style(writer, &out);
}

/* Sends the styles of a row that the client has not yet. */
static void write_styles(struct frame_writer *writer, struct screen *screen, const struct terminal *terminal,
                         int y)
{
    const struct cell *cells = terminal_row(terminal, y);
    uint32_t last = 0;

    for (int x = 0, cols = terminal_cols(terminal); x < cols; x++) {
        uint32_t style = cells[x].style;
        if (style == last || style_known(screen, style))
            continue;
        last = style;
        style_learn(screen, style);
        write_style(writer, terminal, style);
    }
}

/* About how many bytes a row will take, new styles included. */
static size_t row_bytes(const struct screen *screen, const struct terminal *terminal, int y)
{
    const struct cell *cells = terminal_row(terminal, y);
    int cols = terminal_cols(terminal);
    size_t bytes = (size_t)cols * CELL_BYTES;
    uint32_t last = 0;

    for (int x = 0; x < cols; x++) {
        if (cells[x].style != last)
            bytes += style_known(screen, cells[x].style) ? RUN_BYTES : RUN_BYTES + STYLE_BYTES;
        last = cells[x].style;
    }
    return bytes;
}

/* ---- one frame ---- */

struct plan {
    const struct terminal *terminal;
    struct frame_head head;
    bool whole;
    uint64_t since;
    bool scrolled;
    struct terminal_scroll scroll;
    int changed; /* rows */
};

static bool row_wanted(const struct plan *plan, int y)
{
    return plan->whole || terminal_row_changed(plan->terminal, y, plan->since);
}

static struct frame_modes modes_of(const struct terminal *terminal)
{
    struct terminal_modes modes = terminal_modes(terminal);
    struct frame_modes out;

    /* Compared as bytes. */
    memset(&out, 0, sizeof out);
    out.alternate_screen = modes.alternate_screen;
    out.application_cursor = modes.input.application_cursor;
    out.application_keypad = modes.input.application_keypad;
    out.bracketed_paste = modes.input.bracketed_paste;
    out.focus_events = modes.input.focus_events;
    out.modify_other_keys = modes.input.modify_other_keys;
    out.kitty_flags = modes.input.kitty_flags;
    out.mouse_mode = (int)modes.input.mouse_mode;
    out.mouse_encoding = (int)modes.input.mouse_encoding;
    return out;
}

static void write_tail(struct frame_writer *writer, struct screen *screen, const struct plan *plan)
{
    struct terminal_cursor at = terminal_cursor(plan->terminal);
    struct frame_cursor cursor = {
        .x = at.x, .y = at.y, .visible = at.visible, .blink = at.blink, .shape = at.shape};
    struct frame_modes modes = modes_of(plan->terminal);
    const char *title = terminal_title(plan->terminal);

    frame_cursor(writer, &cursor);
    if (plan->whole || memcmp(&modes, &screen->modes, sizeof modes) != 0)
        frame_modes(writer, &modes);
    if (screen->title == NULL || strcmp(title, screen->title) != 0) {
        frame_title(writer, title);
        free(screen->title);
        screen->title = xstrdup(title);
    }
    screen->modes = modes;
}

/* Writes the frame in parts of about FRAME_SPLIT bytes. */
static void write_frame(struct screen *screen, struct plan *plan, struct buffer *out)
{
    struct frame_writer writer;
    int rows = terminal_rows(plan->terminal), y = 0;
    bool first = true;

    do {
        size_t bytes = 0;
        int end = y, begin = y;
        for (; end < rows && (bytes < FRAME_SPLIT || end == begin); end++)
            bytes += row_wanted(plan, end) ? row_bytes(screen, plan->terminal, end) : 0;
        plan->head.more = end < rows;
        frame_begin(&writer, out, &plan->head);
        for (int row = begin; row < end; row++) {
            if (row_wanted(plan, row))
                write_styles(&writer, screen, plan->terminal, row);
        }
        if (first && plan->scrolled)
            frame_scroll(&writer, plan->scroll.top, plan->scroll.bottom, plan->scroll.n);
        for (; y < end; y++) {
            if (!row_wanted(plan, y))
                continue;
            frame_line_begin(&writer, y);
            frames_row(&writer, plan->terminal, y);
            frame_line_end(&writer, terminal_row_wrapped(plan->terminal, y));
        }
        if (!plan->head.more)
            write_tail(&writer, screen, plan);
        (void)frame_end(&writer);
        first = false;
    } while (y < rows);
}

static void make_plan(const struct host *host, const struct screen *screen, struct plan *plan)
{
    const struct terminal *terminal = host->attempt.terminal;
    int rows = terminal_rows(terminal);

    *plan = (struct plan){
        .terminal = terminal,
        .head = {.attempt = host->attempt.number, .cols = terminal_cols(terminal), .rows = rows},
        .since = screen->version};
    plan->whole = screen->whole || screen->attempt != host->attempt.number ||
                  screen->cols != plan->head.cols || screen->rows != rows ||
                  screen->epoch != terminal_epoch(terminal);
    plan->scrolled = !plan->whole && terminal_scrolled(terminal, screen->version, &plan->scroll);
    for (int y = 0; y < rows; y++)
        plan->changed += row_wanted(plan, y);
}

static void forget(struct screen *screen)
{
    if (screen->styles != NULL)
        memset(screen->styles, 0, screen->styles_size);
    free(screen->title);
    screen->title = NULL;
}

static void send_frame(struct host *host, struct connection *client, struct plan *plan, int64_t now)
{
    struct screen *screen = &client->screen;

    plan->head.base = plan->whole ? 0 : screen->policy.sent;
    plan->head.frame = frame_policy_send(&screen->policy, plan->changed, now);
    if (plan->whole)
        forget(screen);
    write_frame(screen, plan, &client->out);
    screen->whole = false;
    screen->version = terminal_version(plan->terminal);
    screen->epoch = terminal_epoch(plan->terminal);
    screen->attempt = host->attempt.number;
    screen->cols = plan->head.cols;
    screen->rows = plan->head.rows;
    connection_flush(client);
}

static void offer(struct host *host, struct connection *client)
{
    struct screen *screen = &client->screen;
    int64_t when, now = host_now_ns();
    struct plan plan;

    if (!screen->whole && screen->attempt == host->attempt.number &&
        screen->version == terminal_version(host->attempt.terminal))
        return;
    make_plan(host, screen, &plan);
    switch (frame_policy_decide(&screen->policy, plan.changed, now, &when)) {
    case FRAME_SEND:
        send_frame(host, client, &plan, now);
        break;
    case FRAME_WAIT_TIME:
        host_timer(screen->timer, when - now);
        break;
    case FRAME_WAIT_ACK:
        break;
    }
}

void frames_update(struct host *host)
{
    struct connection *client;
    int64_t when, now;
    bool held;

    if (host->attempt.terminal == NULL || host->clients.screens == 0)
        return;
    now = host_now_ns();
    held = frame_policy_hold(&host->frames.held_since, terminal_modes(host->attempt.terminal).synchronized,
                             now, &when);
    if (held)
        host_timer(host->frames.hold, when - now);
    LIST_FOREACH(client, &host->clients.list, entries)
    {
        if (client->screen.on && !client->gone && (!held || client->screen.whole))
            offer(host, client);
    }
}

static void hold_over(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    frames_update(argument);
}

void frames_init(struct host *host)
{
    host->frames.hold = evtimer_new(host->loop, hold_over, host);
}

void frames_finish(struct host *host)
{
    event_free(host->frames.hold);
}

void screen_start(struct screen *screen)
{
    screen->on = screen->whole = true;
    screen->policy = (struct frame_policy){.sent = screen->policy.sent, .acked = screen->policy.sent};
}

void screen_finish(struct screen *screen)
{
    free(screen->styles);
    free(screen->title);
    if (screen->timer != NULL)
        event_free(screen->timer);
    *screen = (struct screen){0};
}

void frames_snapshot(struct host *host, struct buffer *out)
{
    struct screen screen = {.whole = true};
    struct plan plan;
    struct frame_writer writer;

    make_plan(host, &screen, &plan);
    frame_begin(&writer, out, &plan.head);
    for (int y = 0; y < plan.head.rows; y++)
        write_styles(&writer, &screen, plan.terminal, y);
    for (int y = 0; y < plan.head.rows; y++) {
        frame_line_begin(&writer, y);
        frames_row(&writer, plan.terminal, y);
        frame_line_end(&writer, terminal_row_wrapped(plan.terminal, y));
    }
    write_tail(&writer, &screen, &plan);
    (void)frame_end(&writer);
    screen_finish(&screen);
}
