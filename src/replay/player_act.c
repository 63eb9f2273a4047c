/* What keys do. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "replay/player.h"
#include "replay/tty.h"

#define NOTICE_NS 4000000000
#define MARKER_SLACK_S 1.0 /* while it plays, going back passes over markers as near as this */

void player_notice(struct player *player, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(player->notice, sizeof player->notice, format, arguments);
    va_end(arguments);
    player->notice[sizeof player->notice - 1 - utf8_incomplete_tail(player->notice, strlen(player->notice))] =
        '\0';
    player->notice_until_ns = clock_monotonic_ns() + NOTICE_NS;
    player->notice_last = false;
}

/* ---- going somewhere ---- */

static void leave(struct player *player, bool pause)
{
    if (player->job.kind == JOB_NONE)
        player->job_since_ns = clock_monotonic_ns();
    player->ended = player->following = false;
    player->job_pauses = pause;
    player->searching = false;
    player->notice_until_ns = 0;
}

void player_go_time(struct player *player, double seconds)
{
    double total = survey_total(&player->survey, player->playback.position);

    if (player->survey.complete && seconds > total)
        seconds = total;
    leave(player, false);
    job_go_time(&player->job, seconds < 0 ? 0 : seconds);
}

static void go_event(struct player *player, uint64_t event, bool pause)
{
    leave(player, pause);
    job_go_event(&player->job, event);
}

/* Where a further step begins: where a seek that is under way leads. */
static double here(const struct player *player)
{
    if (player->job.kind == JOB_GO && player->job.event == UINT64_MAX)
        return player->job.seconds;
    return player->job.kind == JOB_NONE ? player->playback.position : track_seconds(player->track);
}

static void go_marker(struct player *player, int argument)
{
    int direction = argument < 0 ? -1 : 1;
    enum marker_kind kind = (enum marker_kind)(argument < 0 ? -1 - argument : argument);
    double slack = player->playback.playing && !player->ended ? MARKER_SLACK_S * player->playback.speed : 0;
    const struct marker *marker = markers_find(&player->survey.markers, kind, track_event(player->track),
                                               here(player), direction, slack);

    if (marker != NULL)
        go_event(player, marker->event + 1, false);
    else
        player_notice(player, "no %s %s%s", marker_kind_name(kind),
                      direction < 0 ? "before this" : "after this",
                      player->survey.complete ? "" : " so far: the recording is still read");
}

static void go_end(struct player *player)
{
    go_event(player, UINT64_MAX, false);
    player->playback.playing = true;
}

static void step(struct player *player, int direction)
{
    uint64_t event = track_event(player->track);

    player->playback.playing = false;
    if (direction > 0)
        go_event(player, event + 1, true);
    else if (event > 0)
        go_event(player, event - 1, true);
}

static void play(struct player *player)
{
    if (player->ended && !(player->following && player->alive)) {
        player_go_time(player, 0);
        player->playback.playing = true;
        return;
    }
    player->playback.playing = !player->playback.playing;
    if (!player->playback.playing)
        player->following = false;
}

/* ---- searching ---- */

static void search(struct player *player, int direction)
{
    if (player->pattern == NULL) {
        player_notice(player, "nothing was searched for yet: / asks");
        return;
    }
    leave(player, true);
    search_finish(&player->shown);
    search_init(&player->shown, player->pattern);
    player->found = false;
    player->searching = true;
    player->searched = direction;
    job_search(&player->job, player->track, player->pattern, direction);
}

static void cancel(struct player *player)
{
    if (player->help > 0) {
        player->help = 0;
    } else if (player->job.kind != JOB_NONE) {
        job_cancel(&player->job);
        player->searching = false;
        player_notice(player, "given up");
    } else {
        player->found = false;
        player->notice_until_ns = 0;
    }
}

/* ---- asking ---- */

static void ask(struct player *player, enum asking asking)
{
    player->asking = asking;
    buffer_clear(&player->answer);
}

static void answered(struct player *player)
{
    enum asking asked = player->asking;
    const char *answer = player->answer.length == 0 ? "" : player->answer.bytes;
    double seconds;

    player->asking = ASKING_NOTHING;
    if (asked == ASKING_TIME) {
        if (*answer == '\0')
            return;
        if (playback_parse_time(answer, here(player), survey_total(&player->survey, here(player)), &seconds) <
            0)
            player_notice(player, "%s is no time: 1:02:03, 90, 40%% or +30", answer);
        else
            player_go_time(player, seconds);
        return;
    }
    player->direction = asked == ASKING_SEARCH ? 1 : -1;
    if (*answer != '\0') {
        free(player->pattern);
        player->pattern = xstrdup(answer);
    }
    search(player, player->direction);
}

static void append_code(struct player *player, uint32_t code)
{
    char bytes[4];
    int length = utf8_encode(code, bytes);

    if (code >= 0x20 && player->answer.length + (size_t)length <= PLAYER_ANSWER_MAX)
        buffer_append(&player->answer, bytes, (size_t)length);
}

static void erase_code(struct player *player)
{
    struct buffer *answer = &player->answer;

    while (answer->length > 0) {
        bool whole = ((unsigned char)answer->bytes[--answer->length] & 0xC0) != 0x80;
        answer->bytes[answer->length] = '\0';
        if (whole)
            return;
    }
    player->asking = ASKING_NOTHING;
}

static void answer_key(struct player *player, struct key key)
{
    bool plain = key.modifiers == 0;

    if (plain && (key.code == KEYCODE_ENTER || key.code == KEYCODE_KEYPAD_ENTER))
        answered(player);
    else if ((plain && key.code == KEYCODE_ESCAPE) ||
             (key.modifiers == KEY_CTRL && (key.code == 'c' || key.code == 'g')))
        player->asking = ASKING_NOTHING;
    else if (plain && key.code == KEYCODE_BACKSPACE)
        erase_code(player);
    else if (key.modifiers == KEY_CTRL && key.code == 'u')
        buffer_clear(&player->answer);
    else if (plain && key.code < KEYCODE_ENTER)
        append_code(player, key.code);
}

void player_paste(struct player *player, const char *text, size_t length)
{
    for (size_t at = 0; player->asking != ASKING_NOTHING && at < length;) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        if (used > 0)
            append_code(player, code);
        at += used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length - at;
    }
}

/* ---- keys ---- */

static void change_speed(struct player *player, int direction)
{
    struct playback *playback = &player->playback;

    playback->speed = direction == 0 ? 1 : playback_speed_step(playback->speed, direction);
}

static void cut_pauses(struct player *player)
{
    struct playback *playback = &player->playback;

    if (playback->idle <= 0)
        playback->idle = PLAY_IDLE_DEFAULT;
    playback->skipping = !playback->skipping;
    if (playback->skipping)
        player_notice(player, "pauses are cut at %g s", playback->idle);
    else
        player_notice(player, "pauses in full");
}

static void pan(struct player *player, enum pan to)
{
    struct terminal *terminal = track_terminal(player->track);
    int right = to == PAN_LEFT ? -1 : to == PAN_RIGHT, down = to == PAN_UP ? -1 : to == PAN_DOWN;
    int cols = terminal_cols(terminal), rows = terminal_rows(terminal);
    struct view *view = &player->view;

    if (!view_pan(view, cols, rows, right, down))
        player_notice(player, "all of it is seen: %dx%d", cols, rows);
    else
        player_notice(player, "columns %d-%d of %d, rows %d-%d of %d, c: follow", view->left + 1,
                      view->left + (view->width < cols ? view->width : cols), cols, view->top + 1,
                      view->top + (view->height < rows ? view->height : rows), rows);
}

static void act(struct player *player, struct bound bound)
{
    switch (bound.action) {
    case ACTION_PLAY:
        play(player);
        break;
    case ACTION_SPEED:
        change_speed(player, bound.argument);
        break;
    case ACTION_SEEK:
        player_go_time(player, here(player) + bound.argument);
        break;
    case ACTION_PERCENT:
        player_go_time(player, survey_total(&player->survey, here(player)) * bound.argument / 100);
        break;
    case ACTION_STEP:
        step(player, bound.argument);
        break;
    case ACTION_START:
        player_go_time(player, 0);
        break;
    case ACTION_END:
        go_end(player);
        break;
    case ACTION_MARKER:
        go_marker(player, bound.argument);
        break;
    case ACTION_AGAIN:
        search(player, bound.argument * player->direction);
        break;
    default:
        break;
    }
}

static void act_on_screen(struct player *player, struct bound bound)
{
    switch (bound.action) {
    case ACTION_SEARCH:
        ask(player, bound.argument > 0 ? ASKING_SEARCH : ASKING_SEARCH_BACK);
        break;
    case ACTION_GO:
        ask(player, ASKING_TIME);
        break;
    case ACTION_IDLE:
        cut_pauses(player);
        break;
    case ACTION_PAN:
        pan(player, (enum pan)bound.argument);
        break;
    case ACTION_FOLLOW:
        player->view.panned = false;
        break;
    case ACTION_HELP:
        player->help = player->help < player_help_pages(player) ? player->help + 1 : 0;
        break;
    case ACTION_REDRAW:
        player_resized(player);
        break;
    case ACTION_STOP:
        tty_stop();
        player_resized(player);
        break;
    case ACTION_CANCEL:
        cancel(player);
        break;
    case ACTION_QUIT:
        player->quit = true;
        break;
    default:
        break;
    }
}

void player_key(struct player *player, struct key key)
{
    struct bound bound;

    if (player->asking != ASKING_NOTHING) {
        answer_key(player, key);
        return;
    }
    bound = keys_bound(key);
    act(player, bound);
    act_on_screen(player, bound);
}
