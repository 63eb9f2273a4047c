#include "replay/track.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "replay/places.h"
#include "replay/playback.h"

#define SPACING ((size_t)2 << 20)
#define MEMORY ((size_t)64 << 20)
#define EVENT_COST 64                   /* what an event without output counts */
#define RESIZE_COST ((size_t)256 << 10) /* what a resize counts: all of the screen is made anew */
#define SKIP_AT_ONCE 4096               /* events */
#define SCROLLBACK_LINES 1000           /* enough for any resize, and for what one piece scrolls */

struct track {
    const struct source *source;
    struct recording_reader *reader;
    struct terminal *terminal;
    unsigned generation;
    int cols, rows;   /* at the beginning */
    bool fixed;       /* the size is the caller's */
    struct place now; /* without a screen */
    uint64_t skip;    /* events that the reader has yet to pass to be at `now` */
    bool peeked;
    struct recording_event next;
    double next_seconds;
    uint64_t stamp; /* of the source, when the reader was made */
    struct places places;
};

static struct terminal_options terminal_options(const struct track *track)
{
    static const struct terminal_calls none = {.reply = NULL};

    return (struct terminal_options){.cols = track->cols,
                                     .rows = track->rows,
                                     .scrollback_lines = SCROLLBACK_LINES,
                                     .quiet = true,
                                     .calls = &none};
}

static int open_at(struct track *track, const struct place *place, struct error *error)
{
    uint64_t stamp = source_stamp(track->source);
    bool seekable = track->source->seekable;
    struct recording_reader *reader = source_open(track->source, seekable ? place->offset : 0, error);

    if (reader == NULL)
        return -1;
    recording_reader_destroy(track->reader);
    track->reader = reader;
    track->stamp = stamp;
    track->skip = seekable ? 0 : place->event;
    track->peeked = false;
    return 0;
}

struct track *track_create(const struct source *source, const struct track_options *options,
                           struct error *error)
{
    struct track *track = xcalloc(1, sizeof *track);
    struct terminal_options terminal;

    track->source = source;
    places_init(&track->places, options->memory == 0 ? MEMORY : options->memory,
                options->spacing == 0 ? SPACING : options->spacing);
    if (open_at(track, &track->now, error) < 0) {
        free(track);
        return NULL;
    }
    recording_reader_size(track->reader, &track->cols, &track->rows);
    track->fixed = options->cols > 0;
    if (track->fixed) {
        track->cols = options->cols;
        track->rows = options->rows;
    }
    terminal = terminal_options(track);
    track->terminal = terminal_create(&terminal);
    return track;
}

void track_destroy(struct track *track)
{
    if (track == NULL)
        return;
    recording_reader_destroy(track->reader);
    terminal_destroy(track->terminal);
    places_finish(&track->places);
    free(track);
}

struct terminal *track_terminal(const struct track *track)
{
    return track->terminal;
}

unsigned track_generation(const struct track *track)
{
    return track->generation;
}

uint64_t track_event(const struct track *track)
{
    return track->now.event;
}

double track_seconds(const struct track *track)
{
    return track->now.seconds;
}

/* ---- forward ---- */

/* Passes what was applied before. 1 when there is no more of it, 0 at the end, 2 when there is, -1. */
static int skip(struct track *track, struct error *error)
{
    struct recording_event event;
    int got = 1;

    for (int i = 0; track->skip > 0 && i < SKIP_AT_ONCE && got == 1; i++) {
        got = recording_reader_next(track->reader, &event, error);
        track->skip -= got == 1;
    }
    return got != 1 ? got : track->skip > 0 ? 2 : 1;
}

int track_next(struct track *track, const struct recording_event **event, double *seconds,
               struct error *error)
{
    if (!track->peeked) {
        int got = track->skip > 0 ? skip(track, error) : 1;
        if (got == 1)
            got = recording_reader_next(track->reader, &track->next, error);
        if (got != 1)
            return got;
        track->peeked = true;
        track->next_seconds = playback_monotonic(track->now.seconds, track->next.seconds);
    }
    *event = &track->next;
    *seconds = track->next_seconds;
    return 1;
}

static void write_output(struct track *track, void (*piece)(void *argument), void *argument)
{
    const char *text = track->next.text;
    size_t left = track->next.length;

    while (piece != NULL && left > TRACK_PIECE_LINES) {
        terminal_write(track->terminal, text, TRACK_PIECE_LINES);
        text += TRACK_PIECE_LINES;
        left -= TRACK_PIECE_LINES;
        piece(argument);
    }
    terminal_write(track->terminal, text, left);
    if (piece != NULL)
        piece(argument);
}

static void resize(struct track *track)
{
    int cols, rows;

    if (!track->fixed && sscanf(track->next.text, "%9dx%9d", &cols, &rows) == 2 && cols > 0 && rows > 0)
        terminal_resize(track->terminal, cols, rows);
}

static void remember(struct track *track)
{
    struct place place = track->now;

    buffer_init(&place.screen);
    terminal_save(track->terminal, &place.screen);
    places_add(&track->places, &place);
}

void track_apply(struct track *track, void (*piece)(void *argument), void *argument)
{
    if (track->next.type == 'o')
        write_output(track, piece, argument);
    else if (track->next.type == 'r')
        resize(track);
    track->peeked = false;
    track->now.event++;
    track->now.offset = track->next.next_offset;
    track->now.seconds = track->next_seconds;
    track->now.written += track->next.length + (track->next.type == 'r' ? RESIZE_COST : EVENT_COST);
    if (places_due(&track->places, track->now.written) && terminal_at_ground(track->terminal))
        remember(track);
}

/* ---- backward, and further ---- */

static int restore(struct track *track, const struct place *place, struct error *error)
{
    struct terminal_options options = terminal_options(track);
    struct terminal *terminal =
        place->screen.length == 0 ? terminal_create(&options)
                                  : terminal_load(&options, place->screen.bytes, place->screen.length, error);

    if (terminal == NULL || open_at(track, place, error) < 0) {
        terminal_destroy(terminal);
        return -1;
    }
    terminal_destroy(track->terminal);
    track->terminal = terminal;
    track->generation++;
    track->now = *place;
    buffer_init(&track->now.screen);
    return 0;
}

int track_back(struct track *track, uint64_t event, double seconds, struct error *error)
{
    static const struct place beginning = {.event = 0};
    const struct place *place = places_find(&track->places, event, seconds);
    bool beyond = track->now.event > event || track->now.seconds > seconds;

    if (place == NULL)
        place = &beginning;
    if (!beyond && place->event <= track->now.event)
        return 0;
    return restore(track, place, error);
}

int track_more(struct track *track, struct error *error)
{
    if (source_stamp(track->source) == track->stamp)
        return 0;
    return open_at(track, &track->now, error);
}

size_t track_checkpoints(const struct track *track, size_t *bytes)
{
    *bytes = track->places.bytes;
    return track->places.count;
}
