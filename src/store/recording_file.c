#include "store/recording_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/json_scan.h"

#define HEADER_MAX (1024 * 1024)
#define WHOLE_MAX (64 * 1024 * 1024) /* of a version 1, which is one JSON object */
#define BLOCK 65536

/* ---- the header ---- */

/* Reads on until `text` has a whole line or more than `most` bytes, or the file ends. 0; 1: there is damage before that; -1. */
static int read_head(struct recording_file *file, struct buffer *text, size_t most, bool line,
                     struct error *error)
{
    while (text->length <= most) {
        ssize_t got = recording_source_read(file->source, buffer_reserve(text, BLOCK), BLOCK, error);
        if (got == RECORDING_SOURCE_GAP) {
            (void)error_set(error,
                            "not a recording that can be read: the compressed file (%s) is cut off or "
                            "damaged where the recording begins",
                            recording_source_packing(file->source));
            return 1;
        }
        if (got < 0)
            return -1;
        text->bytes[text->length + (size_t)got] = '\0';
        text->length += (size_t)got;
        if (got == 0 || (line && memchr(text->bytes + text->length - got, '\n', (size_t)got) != NULL))
            break;
    }
    return 0;
}

static int refuse(const struct recording_file *file, int version, struct error *error)
{
    const struct buffer *text = &file->whole;
    const char *start = text->bytes + strspn(text->bytes, " \t\r\n"),
               *packing = recording_source_packing(file->source);

    if (packing != NULL && recording_source_torn(file->source))
        return error_set(error,
                         "not a recording that can be read: the compressed file (%s) is cut off or damaged",
                         packing);

    if (text->length == 0)
        return error_set(error, "not a recording: the file is empty");
    if (version > 3)
        return error_set(
            error, "an asciicast of version %d; versions 1 to 3 can be read: `asciinema convert` makes one",
            version);
    if (strncmp(text->bytes, "Script started on ", 18) == 0)
        return error_set(error, "not a recording but a typescript of script(1); print it with `cat` or "
                                "`scriptreplay`");
    if (*start == '{' && memchr(start, '\n', strlen(start)) == NULL && start[strcspn(start, "}")] == '\0')
        return error_set(error, "not a recording, or one that is cut off in its first line");
    if (*start == '{')
        return error_set(error, "not a recording: it is JSON, and not the header of an asciicast");
    return error_set(error, "not a recording: the first line is not the header of an asciicast; "
                            "`ganger replay SESSION` finds a session's own");
}

/* A version 1: the rest of the file is read, and scanned anew. */
static int read_whole(struct recording_file *file, struct error *error)
{
    struct buffer *text = &file->whole;

    if (read_head(file, text, WHOLE_MAX, false, error) != 0)
        return -1;
    if (text->length > WHOLE_MAX)
        return error_set(
            error,
            "not a recording that can be read: its first line, or an asciicast of version 1, is longer "
            "than 64 MiB; `asciinema convert` makes a version 2");
    recording_header_finish(&file->header);
    (void)recording_header_scan(&file->header, text->bytes);
    if (file->header.version != 1 || file->header.events == NULL)
        return refuse(file, 0, error);
    file->next = file->header.events;
    if (!json_scan_char(&file->next, '['))
        return refuse(file, 0, error);
    return 0;
}

/* Scans the first line, leaving it as it is. Returns the version, 0 when it is no header. */
static int scan_first_line(struct recording_file *file, const struct buffer *text, size_t length)
{
    struct buffer line = {0};
    int version;

    buffer_append(&line, text->bytes, length);
    if (!recording_header_scan(&file->header, line.bytes)) {
        recording_header_finish(&file->header);
    }
    file->header.events = NULL;
    version = file->header.version;
    buffer_finish(&line);
    return version;
}

static int read_header(struct recording_file *file, bool lenient, struct error *error)
{
    struct buffer *text = &file->whole;
    const char *found;
    size_t length, space;
    int version = 0, got = read_head(file, text, HEADER_MAX, true, error);

    if (got == 1 && lenient) {
        file->gap = true;
        file->header.version = 0;
        text->length = 0;
        return 0;
    }
    if (got != 0)
        return -1;
    if (strncmp(text->bytes, "\xEF\xBB\xBF", 3) == 0)
        memset(text->bytes, ' ', 3);
    space = strspn(text->bytes, " \t\r\n");
    found = memchr(text->bytes, '\n', text->length);
    length = found == NULL ? text->length : (size_t)(found - text->bytes);
    if (text->bytes[space] == '{')
        version = scan_first_line(file, text, length);
    file->body = found == NULL ? text->length : length + 1;
    if (version == 2 || version == 3)
        return 0;
    if (lenient) {
        file->header.version = 0;
        file->body = 0; /* it may be an event */
        return 0;
    }
    if (text->bytes[space] != '{' || version > 3)
        return refuse(file, version, error);
    return read_whole(file, error);
}

/* ---- opening ---- */

static ssize_t read_source(void *argument, char *to, size_t room, struct error *error)
{
    struct recording_file *file = argument;
    ssize_t got = recording_source_read(file->source, to, room, error);

    file->gap = got == RECORDING_SOURCE_GAP;
    return file->gap ? 0 : got;
}

int recording_file_begin(struct recording_file *file, uint64_t offset, uint64_t end, struct error *error)
{
    struct buffer *text = &file->whole;
    const char *first = text->bytes + file->body;
    size_t length = text->length - (size_t)file->body;

    if (file->header.version == 1)
        return 0;
    if (file->gap) {
        /* No line before the damage: go_on follows. */
        length = 0;
        offset = recording_source_at(file->source);
    } else if (offset <= file->body) {
        offset = file->body;
    } else if (offset < text->length) {
        first += offset - file->body;
        length = text->length - (size_t)offset;
    } else {
        length = 0;
        if (recording_source_skip(file->source, offset, error) < 0)
            return -1;
    }
    line_file_init_source(&file->lines, read_source, file, first, length, offset, end);
    file->lines.ended = file->gap;
    buffer_finish(text);
    return 0;
}

int recording_file_open(struct recording_file *file, int descriptor, bool lenient, bool zstd,
                        struct error *error)
{
    *file = (struct recording_file){.source = recording_source_create(descriptor, zstd, error)};
    recording_header_init(&file->header);
    if (file->source == NULL)
        return -1;
    if (read_header(file, lenient, error) < 0) {
        recording_file_close(file);
        return -1;
    }
    return 0;
}

void recording_file_close(struct recording_file *file)
{
    line_file_finish(&file->lines);
    buffer_finish(&file->whole);
    recording_header_finish(&file->header);
    recording_source_destroy(file->source);
    file->source = NULL;
}

/* ---- events ---- */

/* The text of an event's line, or of one of version 1, which has no type. */
static bool parse_event(char **at, bool typed, struct recording_event *event)
{
    char *type = NULL, *content;
    size_t type_length = 1, length;

    if (!json_scan_char(at, '[') || !json_scan_number(at, &event->seconds) || !json_scan_char(at, ',') ||
        (typed && (!json_scan_string(at, &type, &type_length) || !json_scan_char(at, ','))) ||
        !json_scan_string(at, &content, &length) || !json_scan_char(at, ']'))
        return false;
    content[length] = '\0';
    event->type = typed && type_length == 1 ? type[0] : typed ? '\0' : 'o';
    event->text = content;
    event->length = length;
    return true;
}

/* The time of an event; one that goes back or is none is the last one's. */
static void take_time(struct recording_file *file, struct recording_event *event)
{
    double seconds = file->header.version == 2 || file->header.version == 0 ? event->seconds
                                                                            : file->seconds + event->seconds;

    if (seconds > file->seconds && seconds <= RECORDING_SECONDS_MAX)
        file->seconds = seconds;
    event->seconds = file->seconds;
}

int recording_file_tell_gap(struct recording_file *file, uint64_t next_offset, struct recording_event *event,
                            const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(file->told, sizeof file->told, format, args);
    va_end(args);
    *event = (struct recording_event){.seconds = file->seconds,
                                      .type = 'm',
                                      .text = file->told,
                                      .length = strlen(file->told),
                                      .next_offset = next_offset};
    return 1;
}

static int next_of_whole(struct recording_file *file, struct recording_event *event)
{
    char *start = file->next;

    if (json_scan_char(&file->next, ']') || *file->next == '\0')
        return 0;
    (void)json_scan_char(&file->next, ',');
    if (!parse_event(&file->next, false, event)) {
        file->torn = true;
        file->next = file->whole.bytes + file->whole.length;
        return 0;
    }
    take_time(file, event);
    file->offset = (uint64_t)(start - file->whole.bytes);
    event->next_offset = (uint64_t)(file->next - file->whole.bytes);
    return 1;
}

/* After bytes that could not be unpacked. */
static int go_on(struct recording_file *file, struct recording_event *event)
{
    uint64_t end = file->lines.end, at = recording_source_at(file->source);

    line_file_finish(&file->lines);
    line_file_init_source(&file->lines, read_source, file, "", 0, at, end);
    file->gap = false;
    return recording_file_tell_gap(file, at, event, "gap: the packed recording is damaged here");
}

/* 1 and the event of a line, 0 when it is none. Empty lines and comments (version 3) are nothing that is left out. */
static int take_line(struct recording_file *file, struct line_text *line, struct recording_event *event)
{
    char *at;
    size_t zeros = 0;

    /* A machine that goes down leaves blocks of NUL. */
    while (zeros < line->length && line->text[zeros] == '\0')
        zeros++;
    at = line->text + zeros;
    file->offset = line->offset;
    if (parse_event(&at, true, event)) {
        take_time(file, event);
        event->next_offset = line->next_offset;
        return event->type != '\0' && memchr("oimr", event->type, 4) != NULL;
    }
    if (!line->whole) {
        file->torn = !file->gap;
        return 0;
    }
    if (zeros > 0 || memchr(line->text, '\0', line->length) != NULL)
        return recording_file_tell_gap(file, line->next_offset, event, "gap: %zu bytes that are no recording",
                                       line->length);
    file->left_out += at[strspn(at, " \t\r")] != '\0' && *line->text != '#';
    return 0;
}

int recording_file_next(struct recording_file *file, struct recording_event *event, struct error *error)
{
    struct line_text line;
    int got;

    if (file->header.version == 1)
        return next_of_whole(file, event);
    for (;;) {
        got = line_file_next(&file->lines, &line, error);
        if (got < 0)
            return -1;
        if (got == 0 && file->gap)
            return go_on(file, event);
        if (got == 0) {
            file->torn = file->torn || recording_source_torn(file->source);
            return 0;
        }
        if (take_line(file, &line, event) == 1)
            return 1;
    }
}
