#include "base/clock.h"
#include "replay/player.h"
#include "replay/tty.h"

#include <stdio.h>

#define PROGRESS_AFTER_NS 200000000 /* a shorter wait is not worth telling */

void player_resized(struct player *player)
{
    int width, height;

    tty_size(&width, &height);
    canvas_reset(&player->canvas, width, height);
    player->view.width = width;
    player->view.height = height > 1 ? height - 1 : 1;
    player->redraw = true;
    player->help = player->help > 1 ? 1 : player->help;
}

/* ---- the recorded screen ---- */

/* Whether row y may differ from what was drawn last. Rows that have only moved are drawn again as well. */
static bool row_differs(const struct player *player, int y, const struct terminal_scroll *moved)
{
    return (y >= moved->top && y < moved->bottom) ||
           terminal_row_changed(track_terminal(player->track), y, player->drawn_version);
}

static void draw_rows(struct player *player, int rows, bool all)
{
    struct terminal *terminal = track_terminal(player->track);
    struct terminal_scroll moved = {.n = 0};
    struct row_look look = {.depth = player->depth,
                            .ascii = player->ascii,
                            .left = player->view.left,
                            .width = player->view.width,
                            .search = player->found ? &player->shown : NULL};

    if (!all && !terminal_scrolled(terminal, player->drawn_version, &moved))
        moved = (struct terminal_scroll){.n = 0};
    for (int y = 0; y < rows; y++) {
        int from = player->view.top + y;
        if (!all && from < terminal_rows(terminal) && !row_differs(player, from, &moved))
            continue;
        buffer_clear(&player->row);
        if (from < terminal_rows(terminal))
            row_draw(&player->row, terminal, from, &look);
        else
            buffer_append_string(&player->row, "\033[0m\033[K");
        canvas_row(&player->canvas, y, &player->row);
    }
}

static bool same_view(const struct view *a, const struct view *b)
{
    return a->left == b->left && a->top == b->top && a->width == b->width && a->height == b->height;
}

static void draw_recording(struct player *player, int rows)
{
    struct terminal *terminal = track_terminal(player->track);
    struct terminal_cursor cursor = terminal_cursor(terminal);
    bool all;

    view_follow(&player->view, terminal_cols(terminal), terminal_rows(terminal), cursor.x, cursor.y);
    all = player->redraw || player->drawn_generation != track_generation(player->track) ||
          player->drawn_epoch != terminal_epoch(terminal) || player->drawn_rows != rows ||
          player->drawn_found != player->found || !same_view(&player->drawn_view, &player->view);
    if (!all && player->drawn_version == terminal_version(terminal))
        return;
    draw_rows(player, rows, all);
    player->redraw = false;
    player->drawn_generation = track_generation(player->track);
    player->drawn_epoch = terminal_epoch(terminal);
    player->drawn_version = terminal_version(terminal);
    player->drawn_rows = rows;
    player->drawn_found = player->found;
    player->drawn_view = player->view;
}

/* ---- the status row ---- */

static void job_state(const struct player *player, char *state, size_t size)
{
    const struct job *job = &player->job;
    const char *what = job->kind == JOB_GO ? "seeking" : "searching";
    double total = survey_total(&player->survey, player->playback.position),
           here = track_seconds(player->track);
    double part = total > 0 ? here / total : 0;

    if (job->kind == JOB_GO && job->event == UINT64_MAX && job->seconds < total)
        part = job->seconds > 0 ? here / job->seconds : 1;
    (void)snprintf(state, size, "%s %d%%", what, part < 0 ? 0 : part > 1 ? 100 : (int)(part * 100));
}

static const char *state_of(const struct player *player, char *state, size_t size)
{
    if (player->job.kind != JOB_NONE && clock_monotonic_ns() - player->job_since_ns > PROGRESS_AFTER_NS) {
        job_state(player, state, size);
        return state;
    }
    if (player->gone)
        return "removed";
    if (player->following && player->alive)
        return "live";
    if (player->ended && (player->playback.playing || player->following))
        return "end";
    return player->playback.playing ? "playing" : "paused";
}

static const char *question(enum asking asking)
{
    switch (asking) {
    case ASKING_TIME:
        return "to (h:mm:ss, 40%, +30): ";
    case ASKING_SEARCH:
        return "search: ";
    case ASKING_SEARCH_BACK:
        return "search back: ";
    case ASKING_NOTHING:
        break;
    }
    return NULL;
}

/* Returns the column of the cursor, or -1. */
static int draw_status(struct player *player)
{
    char state[48];
    struct status_look look = {.depth = player->depth, .ascii = player->ascii, .width = player->canvas.width};
    double position = player->job.kind == JOB_NONE ? player->playback.position : track_seconds(player->track);
    struct status status = {
        .state = state_of(player, state, sizeof state),
        .calm = player->playback.playing,
        .position = position,
        .total = survey_total(&player->survey, position),
        .total_known = player->survey.complete,
        .speed = player->playback.speed,
        .skipping = player->playback.skipping,
        .markers = &player->survey.markers,
        .event = track_event(player->track),
        .notice = player->gone                                     ? "this session was removed"
                  : clock_monotonic_ns() < player->notice_until_ns ? player->notice
                                                                   : NULL,
        .notice_last = player->notice_last && !player->gone,
        .prompt = question(player->asking),
        .answer = player->answer.length == 0 ? "" : player->answer.bytes,
    };
    int cursor;

    buffer_clear(&player->row);
    cursor = status_draw(&player->row, &status, &look);
    canvas_row(&player->canvas, player->canvas.height - 1, &player->row);
    return cursor;
}

/* ---- help ---- */

/* Rows of it that fit over the recording. */
static int help_room(const struct player *player)
{
    int rows = status_help_rows(player->canvas.width), most = player->canvas.height - 1;

    return rows < most ? rows : most;
}

int player_help_pages(const struct player *player)
{
    int room = help_room(player);

    return room < 1 ? 0 : (status_help_rows(player->canvas.width) + room - 1) / room;
}

static void draw_help(struct player *player, int from, int rows)
{
    struct status_look look = {.depth = player->depth, .ascii = player->ascii, .width = player->canvas.width};

    for (int row = 0; row < rows; row++) {
        buffer_clear(&player->row);
        status_help_row(&player->row, (player->help - 1) * rows + row, &look);
        canvas_row(&player->canvas, from + row, &player->row);
    }
}

/* ---- all of it ---- */

static void place_cursor(struct player *player, int asked, int rows)
{
    struct terminal_cursor cursor = terminal_cursor(track_terminal(player->track));
    int x = cursor.x - player->view.left, y = cursor.y - player->view.top;

    if (asked >= 0)
        canvas_cursor(&player->canvas, asked, player->canvas.height - 1);
    else if (cursor.visible && x >= 0 && y >= 0 && x < player->view.width && y < rows)
        canvas_cursor(&player->canvas, x, y);
    else
        canvas_cursor(&player->canvas, -1, 0);
}

int player_draw(struct player *player)
{
    int rows = player->canvas.height - 1;
    int help = player->help > 0 ? help_room(player) : 0;
    const struct buffer *frame;

    player->view.height = rows > 1 ? rows : 1;
    if (player->job.kind == JOB_NONE ||
        player->redraw) /* else it goes through screens that nobody asked for */
        draw_recording(player, rows - help);
    draw_help(player, rows - help, help);
    place_cursor(player, draw_status(player), rows - help);
    frame = canvas_frame(&player->canvas);
    player->drawn_ns = clock_monotonic_ns();
    return frame->length == 0 ? 0 : tty_write(frame->bytes, frame->length);
}
