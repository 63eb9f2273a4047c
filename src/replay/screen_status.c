#include "replay/screen_status.h"

#include <string.h>

#include "base/utf8.h"
#include "replay/keys.h"
#include "replay/playback.h"
#include "term/width.h"

#define BAR_MIN 8
#define LABEL_MIN 12
#define CLOCK_WIDTH 26 /* at most */

enum { RED = 1, YELLOW = 3, BLUE = 4, MAGENTA = 5, CYAN = 6 };

struct line {
    struct buffer *out;
    const struct status_look *look;
    int used;
};

static void style(struct line *line, uint32_t color, unsigned attributes)
{
    struct style style = style_plain;

    style.foreground = color;
    style.attributes = (uint16_t)attributes;
    style_sgr(line->out, &style, line->look->depth);
}

/* Clean text, as much of it as there is room for in `most` columns. */
static void put(struct line *line, const char *text, int most)
{
    int room = line->look->width - line->used, used = 0;
    size_t length = width_cut(text, strlen(text), most < room ? most : room, &used);

    for (size_t at = 0; at < length; at++) {
        bool plain = (unsigned char)text[at] < 0x80;
        if (plain || !line->look->ascii)
            buffer_append_char(line->out, text[at]);
        else if (((unsigned char)text[at] & 0xC0) != 0x80)
            buffer_append_char(line->out, '?');
    }
    line->used += used;
}

/* ---- the bar ---- */

static uint32_t color_of(enum marker_kind kind)
{
    static const uint32_t colors[] = {
        [MARKER_ANY] = COLOR_DEFAULT, [MARKER_PHASE] = COLOR_DEFAULT, [MARKER_PROMPT] = CYAN,
        [MARKER_ERROR] = RED,         [MARKER_LIMIT] = MAGENTA,       [MARKER_APPROVAL] = YELLOW,
        [MARKER_GAP] = RED,           [MARKER_OTHER] = BLUE};

    return colors[kind];
}

/* Which of two marks in one column is shown. */
static int rank_of(enum marker_kind kind)
{
    static const int ranks[] = {
        [MARKER_ANY] = 0,   [MARKER_PHASE] = 0, [MARKER_PROMPT] = 2,   [MARKER_ERROR] = 5,
        [MARKER_LIMIT] = 4, [MARKER_GAP] = 5,   [MARKER_APPROVAL] = 3, [MARKER_OTHER] = 1};

    return ranks[kind];
}

static void gather_marks(const struct status *status, enum marker_kind *marks, int width)
{
    memset(marks, 0, (size_t)width * sizeof *marks);
    for (size_t i = 0; i < status->markers->count; i++) {
        const struct marker *marker = &status->markers->entries[i];
        int at = (int)(marker->seconds / status->total * (width - 1) + 0.5);
        if (at >= 0 && at < width && rank_of(marker->kind) > rank_of(marks[at]))
            marks[at] = marker->kind;
    }
}

#define BAR_MAX 200

static void put_bar(struct line *line, const struct status *status, int width)
{
    enum marker_kind marks[BAR_MAX] = {0};
    int played;

    width = width > BAR_MAX ? BAR_MAX : width;
    played = status->total > 0 ? (int)(status->position / status->total * (width - 1) + 0.5) : 0;
    if (status->total > 0)
        gather_marks(status, marks, width);
    for (int x = 0; x < width; x++) {
        bool ascii = line->look->ascii;
        style(line, color_of(marks[x]), x <= played ? STYLE_BOLD : marks[x] != 0 ? 0 : STYLE_DIM);
        if (x == played)
            put(line, ascii ? "O" : "●", 1);
        else if (marks[x] != 0)
            put(line, ascii ? "|" : "┃", 1);
        else
            put(line, x < played ? (ascii ? "=" : "━") : (ascii ? "-" : "─"), 1);
    }
}

/* ---- the row ---- */

static void put_clock(struct line *line, const struct status *status)
{
    char position[PLAYBACK_TIME_SIZE], total[PLAYBACK_TIME_SIZE], speed[PLAYBACK_SPEED_SIZE];

    playback_format_time(status->position, position);
    playback_format_time(status->total, total);
    playback_format_speed(status->speed, speed);
    style(line, COLOR_DEFAULT, 0);
    put(line, " ", 1);
    put(line, position, 12);
    style(line, COLOR_DEFAULT, STYLE_DIM);
    put(line, status->total_known ? "/" : "/~", 2);
    put(line, total, 12);
    put(line, " ", 1);
    put(line, speed, 8);
    put(line, status->skipping ? "" : " full", 5);
    put(line, " ", 1);
}

static void put_label(struct line *line, const struct status *status)
{
    const struct marker *marker = markers_passed(status->markers, status->event);

    if (status->notice != NULL) {
        style(line, COLOR_DEFAULT, STYLE_BOLD);
        put(line, status->notice, line->look->width);
    } else if (marker != NULL) {
        style(line, color_of(marker->kind), 0);
        put(line, marker->label, line->look->width);
    } else if (line->look->width >= 60) {
        style(line, COLOR_DEFAULT, STYLE_DIM);
        put(line, "? keys", 6);
    }
}

static int put_prompt(struct line *line, const struct status *status)
{
    int width = width_of_text(status->answer, strlen(status->answer)), room;
    const char *answer = status->answer;

    style(line, COLOR_DEFAULT, STYLE_BOLD);
    put(line, status->prompt, line->look->width / 2);
    style(line, COLOR_DEFAULT, 0);
    room = line->look->width - line->used - 1;
    while (width > room && *answer != '\0') { /* its end is what is typed at */
        uint32_t code;
        int used = utf8_decode(answer, strlen(answer), &code);
        answer += used > 0 ? used : 1;
        width = width_of_text(answer, strlen(answer));
    }
    put(line, answer, room);
    return line->used;
}

/* Columns that are left beside the notice. */
static int room_for(const struct line *line, const char *notice)
{
    return line->look->width - line->used - width_of_text(notice, strlen(notice));
}

int status_draw(struct buffer *out, const struct status *status, const struct status_look *look)
{
    struct line line = {.out = out, .look = look};
    int cursor = -1, room;

    if (status->prompt != NULL) {
        cursor = put_prompt(&line, status);
    } else {
        style(&line, COLOR_DEFAULT, status->calm ? STYLE_BOLD : STYLE_REVERSE);
        put(&line, " ", !status->calm);
        put(&line, status->state, 24);
        put(&line, " ", !status->calm);
        if (status->notice == NULL || status->notice_last || room_for(&line, status->notice) >= CLOCK_WIDTH)
            put_clock(&line, status);
        else
            put(&line, " ", 1);
        room = look->width - line.used;
        if (status->notice == NULL && room >= BAR_MIN)
            put_bar(&line, status, room < BAR_MIN + LABEL_MIN + 1 ? room : room / 2);
        if (look->width - line.used > LABEL_MIN || status->notice != NULL) {
            put(&line, status->notice == NULL ? " " : "", 1);
            put_label(&line, status);
        }
    }
    buffer_append_string(out, "\033[0m");
    if (line.used < look->width)
        buffer_append_string(out, "\033[K");
    return cursor;
}

/* ---- help ---- */

#define HELP_KEYS 10 /* columns of the keys in front of what they do */
#define HELP_COLUMN 38

static int help_columns(int width)
{
    int columns = width / HELP_COLUMN;

    return columns < 1 ? 1 : columns > 4 ? 4 : columns;
}

int status_help_rows(int width)
{
    int columns = help_columns(width);

    return ((int)keys_help_count + columns - 1) / columns;
}

/* Blanks up to that column, or the end of the row. */
static void pad(struct line *line, int column)
{
    while (line->used < column && line->used < line->look->width)
        put(line, " ", 1);
}

void status_help_row(struct buffer *out, int row, const struct status_look *look)
{
    struct line line = {.out = out, .look = look};
    int columns = help_columns(look->width), rows = status_help_rows(look->width);

    for (int column = 0; column < columns; column++) {
        size_t i = (size_t)(column * rows + row);
        int from = column * (look->width / columns);
        if (row >= rows || i >= keys_help_count)
            break;
        style(&line, COLOR_DEFAULT, STYLE_REVERSE);
        pad(&line, from + 1);
        put(&line, keys_help[i].keys, HELP_KEYS);
        pad(&line, from + 1 + HELP_KEYS);
        put(&line, keys_help[i].what, look->width / columns - HELP_KEYS - 2);
    }
    style(&line, COLOR_DEFAULT, STYLE_REVERSE);
    pad(&line, look->width);
    buffer_append_string(out, "\033[0m");
}
