/* Recordings for tests: an asciicast v2 in a file of its own. */
#ifndef TESTS_UNIT_REPLAY_RECORDED_H
#define TESTS_UNIT_REPLAY_RECORDED_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "replay/source.h"
#include "replay/track.h"
#include "store/recording.h"

struct recorded {
    char path[64];
    struct buffer bytes;
    struct source source;
};

static inline void recorded_begin(struct recorded *recorded, int cols, int rows)
{
    *recorded = (struct recorded){.path = "/tmp/ganger-replay-XXXXXX"};
    buffer_init(&recorded->bytes);
    recording_encode_header(&recorded->bytes, cols, rows, 0, NULL, NULL);
}

static inline void recorded_output(struct recorded *recorded, double seconds, const char *text)
{
    (void)recording_encode_output(&recorded->bytes, (int64_t)(seconds * 1e9), text, strlen(text), 1);
}

static inline void recorded_marker(struct recorded *recorded, double seconds, const char *label)
{
    recording_encode_marker(&recorded->bytes, (int64_t)(seconds * 1e9), label);
}

/* Writes the file, or what was added to it since. */
static inline bool recorded_write(struct recorded *recorded)
{
    struct error error;
    bool first = recorded->source.file == NULL;
    int file = first ? mkstemp(recorded->path) : open(recorded->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool done = file >= 0 &&
                write(file, recorded->bytes.bytes, recorded->bytes.length) == (ssize_t)recorded->bytes.length;

    close(file);
    buffer_clear(&recorded->bytes);
    return done && (!first || source_init_file(&recorded->source, recorded->path, &error) == 0);
}

static inline void recorded_end(struct recorded *recorded)
{
    unlink(recorded->path);
    buffer_finish(&recorded->bytes);
    source_finish(&recorded->source);
}

/* The text of the track's screen, allocated. */
static inline char *recorded_screen(const struct track *track)
{
    struct buffer text;

    buffer_init(&text);
    terminal_text(track_terminal(track), &text);
    return buffer_steal(&text);
}

#endif
