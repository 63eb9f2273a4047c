/* An asciicast v2, which asciinema plays, of any recording. */
#include "replay/export_cast.h"

#include <stdio.h>

#include "store/recording.h"

void export_cast_header(struct buffer *out, const struct timeline_facts *facts)
{
    if (facts->foreign)
        recording_encode_copied_header(out, facts->cols, facts->rows, facts->started_s, facts->title,
                                       facts->term);
    else
        recording_encode_header(out, facts->cols, facts->rows, facts->started_s * 1000, NULL, facts->name);
}

/* A further attempt begins on a terminal as it is when it is switched on. */
static void encode_attempt(struct buffer *out, const struct timeline_event *event, bool several)
{
    static const char reset[] = "\033c";
    char label[32];

    if (event->at_ns > 0) {
        recording_encode_resize(out, event->at_ns, event->cols, event->rows);
        (void)recording_encode_output(out, event->at_ns, reset, sizeof reset - 1, 1);
    }
    if (!several)
        return;
    (void)snprintf(label, sizeof label, "attempt %u", event->attempt);
    recording_encode_marker(out, event->at_ns, label);
}

void export_cast_event(struct buffer *out, const struct timeline_facts *facts,
                       const struct timeline_event *event)
{
    switch (event->type) {
    case 'a':
        encode_attempt(out, event, facts->attempts > 1);
        break;
    case 'o':
        (void)recording_encode_output(out, event->at_ns, event->text, event->length, 1);
        break;
    case 'i':
        recording_encode_input(out, event->at_ns, event->text, event->length);
        break;
    case 'r':
        recording_encode_resize(out, event->at_ns, event->cols, event->rows);
        break;
    default:
        recording_encode_marker(out, event->at_ns, event->text);
        break;
    }
}

static int write_cast(struct timeline *timeline, struct export_file *file, struct error *error)
{
    const struct timeline_facts *facts = timeline_facts(timeline);
    struct timeline_event event;
    struct buffer line;
    int got, result;

    buffer_init(&line);
    export_cast_header(&line, facts);
    result = export_file_write(file, line.bytes, line.length, error);
    while (result == 0 && (got = timeline_next(timeline, &event, error)) != 0) {
        buffer_clear(&line);
        if (got == 1)
            export_cast_event(&line, facts, &event);
        result = got < 0 ? -1 : export_file_write(file, line.bytes, line.length, error);
    }
    buffer_finish(&line);
    return result;
}

const struct export_format export_cast = {.name = "cast", .suffixes = ".cast", .write = write_cast};
