#include "replay/player.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "replay/tty.h"

#define MS INT64_C(1000000)     /* in nanoseconds */
#define FRAME_NS (16 * MS)      /* at most 60 frames a second */
#define PLAY_SLICE_NS (20 * MS) /* of playing that has fallen behind, between two looks at the keys */
#define JOB_SLICE_NS (30 * MS)
#define SURVEY_SLICE_NS (10 * MS) /* while nothing else is to be done */
#define SURVEY_SIDE_NS (3 * MS)   /* beside playing */
#define MORE_NS (250 * MS)        /* between two looks whether the recording has grown */
#define GROWING_NS (5000 * MS)    /* after that a file is taken as finished */
#define TICK_S 0.1                /* the clock is drawn so often */
#define ELAPSED_MAX_S 0.5         /* a process that stood still does not catch up */
#define HOLD_NS (1000 * MS)       /* so long a frame that is being drawn is waited for */
#define ESCAPE_MS 25
#define NAME_MAX_BYTES 100

/* ---- playing ---- */

static void arrive_at_end(struct player *player)
{
    player->ended = true;
    player->playback.position = track_seconds(player->track);
    if (player->playback.playing)
        player->following = true;
    if (player->survey.complete && player->survey.torn && !player->alive)
        player_notice(player, "the recording ends in the middle of a line");
}

/* What could not be read. */
static void tell_failure(struct player *player, const struct error *error)
{
    player->gone = source_gone(&player->options->source);
    if (!player->gone)
        player_notice(player, "%s", error->text);
}

/* Applies what is due after `elapsed` seconds. */
static void play(struct player *player, double elapsed, int64_t deadline_ns, struct error *error)
{
    struct playback *playback = &player->playback;
    const struct recording_event *event;
    double next;

    do {
        int got = track_next(player->track, &event, &next, error);
        if (got == 2)
            continue;
        if (got <= 0) {
            if (got < 0)
                tell_failure(player, error);
            arrive_at_end(player);
            return;
        }
        if (player->following)
            playback->position = next;
        elapsed = playback_advance(playback, elapsed, track_seconds(player->track), next);
        if (playback->position < next)
            return;
        track_apply(player->track, NULL, NULL);
        player->found = false;
    } while (clock_monotonic_ns() < deadline_ns);
}

static void tick(struct player *player, struct error *error)
{
    int64_t now = clock_monotonic_ns();
    double elapsed = (double)(now - player->ticked_ns) / 1e9;

    player->ticked_ns = now;
    if (player->job.kind == JOB_NONE && player->playback.playing && !player->ended)
        play(player, elapsed > ELAPSED_MAX_S ? ELAPSED_MAX_S : elapsed, now + PLAY_SLICE_NS, error);
}

/* ---- what is under way ---- */

static void finish_job(struct player *player, bool to_time, double seconds)
{
    const struct recording_event *event;
    double next;

    player->playback.position = track_seconds(player->track);
    if (to_time && seconds > player->playback.position)
        player->playback.position = seconds;
    if (player->job_pauses)
        player->playback.playing = false;
    if (track_next(player->track, &event, &next, NULL) == 0)
        arrive_at_end(player);
}

static void work(struct player *player)
{
    struct error error = {0};
    bool to_time = player->job.kind == JOB_GO && player->job.event == UINT64_MAX;
    double seconds = player->job.seconds;
    enum job_result result;

    result = job_step(&player->job, player->track, clock_monotonic_ns() + JOB_SLICE_NS, &error);
    if (result == JOB_BUSY)
        return;
    finish_job(player, to_time && seconds < PLAYBACK_TIME_MAX, seconds);
    if (result == JOB_FAILED)
        tell_failure(player, &error);
    else if (result == JOB_MISSING)
        player_notice(player, "\"%s\" does not appear %s this", player->pattern,
                      player->searched > 0 ? "after" : "before");
    player->found = player->searching && result == JOB_DONE;
}

/* ---- what is still written ---- */

static void look_for_more(struct player *player, struct error *error)
{
    int64_t now = clock_monotonic_ns();
    bool grown;

    if (now - player->looked_ns < MORE_NS || player->job.kind != JOB_NONE)
        return;
    player->looked_ns = now;
    player->gone = player->gone || source_gone(&player->options->source);
    if (player->gone) {
        player->playback.playing = player->following = player->alive = false;
        return;
    }
    grown = survey_more(&player->survey);
    if (grown && player->options->source.file != NULL)
        player->grown_ns = now;
    player->alive = source_alive(&player->options->source) ||
                    (player->grown_ns != 0 && now - player->grown_ns < GROWING_NS);
    if (player->ended && track_more(player->track, error) == 0) {
        const struct recording_event *event;
        double next;
        player->ended = track_next(player->track, &event, &next, error) == 0;
    }
}

/* Once, after what the beginning says. */
static void tell_left_out(struct player *player)
{
    char text[SOURCE_LEFT_OUT_SIZE];

    if (player->told_left_out || !player->survey.complete || player->survey.left_out == 0 ||
        clock_monotonic_ns() < player->notice_until_ns)
        return;
    player->told_left_out = true;
    source_say_left_out(player->survey.left_out, text);
    player_notice(player, "%s", text);
}

/* ---- waiting ---- */

static int poll_time(struct player *player)
{
    const struct recording_event *event;
    double next, wait = TICK_S;

    if (player->job.kind != JOB_NONE || player->survey.reader != NULL)
        return 0;
    if (!player->playback.playing || player->ended)
        return (int)((player->draw_waits ? FRAME_NS : MORE_NS) / MS);
    if (player->draw_waits)
        wait = (double)FRAME_NS / 1e9;
    if (track_next(player->track, &event, &next, NULL) == 1) {
        double due = playback_wait(&player->playback, track_seconds(player->track), next);
        wait = due < wait ? due : wait;
    }
    return (int)(wait * 1000) + 1;
}

static void take_events(struct player *player, struct tokenizer *tokenizer)
{
    struct input_event event;

    while ((event = tokenizer_next(tokenizer)).type != INPUT_NONE) {
        if (player->job.kind != JOB_NONE &&
            !player->job.begun) /* a key counts from where the one before it led */
            work(player);
        if (event.type == INPUT_KEY)
            player_key(player, event.key);
        else if (event.type == INPUT_PASTE)
            player_paste(player, event.text, event.length);
    }
}

/* Bytes that the user typed; -1: the terminal is gone. */
static int read_keys(struct player *player, struct tokenizer *tokenizer)
{
    char bytes[256];
    ssize_t got = read(tty_input(), bytes, sizeof bytes);

    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        return -1;
    if (got > 0)
        tokenizer_feed(tokenizer, bytes, (size_t)got);
    take_events(player, tokenizer);
    return 0;
}

static int wait_for_input(struct player *player, struct tokenizer *tokenizer)
{
    struct pollfd polled[2] = {{.fd = tty_input(), .events = POLLIN}, {.fd = tty_wakeup(), .events = POLLIN}};
    bool escape = tokenizer_pending_escape(tokenizer);
    int timeout = poll_time(player);

    if (escape && (timeout > ESCAPE_MS || timeout == 0))
        timeout = ESCAPE_MS;
    if (poll(polled, 2, timeout) < 0)
        return errno == EINTR ? 0 : -1;
    if (polled[0].revents != 0)
        return read_keys(player, tokenizer);
    if (escape) { /* nothing follows: it is a key */
        tokenizer_flush(tokenizer);
        take_events(player, tokenizer);
    }
    return 0;
}

/* ---- the loop ---- */

static bool held_back(const struct player *player)
{
    return player->playback.playing && player->job.kind == JOB_NONE && !player->ended &&
           terminal_modes(track_terminal(player->track)).synchronized;
}

static int draw(struct player *player)
{
    int64_t since = clock_monotonic_ns() - player->drawn_ns;

    player->draw_waits = since < (held_back(player) ? HOLD_NS : FRAME_NS);
    return player->draw_waits ? 0 : player_draw(player);
}

static void heed_signals(struct player *player)
{
    struct tty_signals signals = tty_signals();

    if (signals.stop)
        tty_stop();
    if (signals.stop || signals.resized || signals.continued)
        player_resized(player);
    player->quit = player->quit || signals.ended != 0;
}

static int loop(struct player *player, struct tokenizer *tokenizer, struct error *error)
{
    int result = 0;

    while (!player->quit && result == 0) {
        heed_signals(player);
        if (player->job.kind != JOB_NONE)
            work(player);
        tick(player, error);
        look_for_more(player, error);
        (void)survey_step(&player->survey, clock_monotonic_ns() +
                                               (player->playback.playing ? SURVEY_SIDE_NS : SURVEY_SLICE_NS));
        tell_left_out(player);
        result = draw(player);
        if (result == 0)
            result = wait_for_input(player, tokenizer);
    }
    return result;
}

/* ---- beginning and end ---- */

static int open_player(struct player *player, struct error *error)
{
    const struct play_options *options = player->options;
    struct track_options track = {.cols = options->cols, .rows = options->rows};

    if (survey_init(&player->survey, &options->source, error) < 0)
        return -1;
    player->track = track_create(&options->source, &track, error);
    if (player->track == NULL)
        return -1;
    player->playback = (struct playback){.speed = options->speed,
                                         .idle = options->idle,
                                         .skipping = options->idle > 0,
                                         .playing = options->at < 0};
    player->depth = color_depth(getenv("NO_COLOR"), getenv("COLORTERM"), getenv("TERM"));
    player->ascii = setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    player->alive = source_alive(&options->source);
    return 0;
}

static void close_player(struct player *player)
{
    job_finish(&player->job);
    search_finish(&player->shown);
    survey_finish(&player->survey);
    track_destroy(player->track);
    canvas_finish(&player->canvas);
    buffer_finish(&player->answer);
    buffer_finish(&player->row);
    free(player->pattern);
}

static void begin(struct player *player)
{
    char *name = marker_clean(player->options->name, strlen(player->options->name), NAME_MAX_BYTES);
    const char *title = player->survey.title;

    player_resized(player);
    player->ticked_ns = clock_monotonic_ns();
    if (player->options->at >= 0) {
        player_go_time(player, player->options->at);
        player->job_pauses = true;
    }
    if (title != NULL && *title != '\0')
        player_notice(player, "%s - %s - ? shows the keys", name, title);
    else
        player_notice(player, "%s - ? shows the keys", name);
    player->notice_last = true;
    free(name);
}

int play_terminal(const struct play_options *options, struct error *error)
{
    struct player player = {.options = options, .direction = 1};
    struct tokenizer *tokenizer;
    int result = open_player(&player, error), ended;

    if (result == 0)
        result = tty_open(error);
    if (result == 0) {
        tokenizer = tokenizer_create();
        begin(&player);
        (void)loop(&player, tokenizer, error);
        tokenizer_destroy(tokenizer);
        ended = tty_signals().ended;
        tty_close();
        if (ended != 0)
            tty_die(ended);
    }
    close_player(&player);
    return result;
}
