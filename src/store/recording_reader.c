/* The reading half of recording.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/json_scan.h"
#include "store/line_file.h"
#include "store/recording.h"

#define HEADER_MAX (1024 * 1024)
#define SIZE_MAX_CELLS 1000

struct recording_reader {
    int descriptor;
    struct line_file lines;
    int cols, rows;
};

static int size_member(const json_t *header, const char *key, int fallback)
{
    int64_t value = json_member_integer(header, key, fallback);

    if (value < 1)
        return fallback;
    return value > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : (int)value;
}

static int read_header(struct recording_reader *reader, struct error *error)
{
    struct line_text line;
    int got = line_file_next(&reader->lines, &line, error);
    json_t *header;
    int64_t version;

    if (got < 0)
        return -1;
    header = got == 0 || line.length > HEADER_MAX
                 ? NULL
                 : json_loadb(line.text, line.length, JSON_REJECT_DUPLICATES, NULL);
    version = json_member_integer(header, "version", 0);
    if (version == 2) {
        reader->cols = size_member(header, "width", reader->cols);
        reader->rows = size_member(header, "height", reader->rows);
    }
    json_decref(header);
    if (version == 2)
        return 0;
    if (version == 1 || version == 3)
        return error_set(
            error, "an asciicast of version %d, only version 2 can be played: `asciinema convert` makes one",
            (int)version);
    return error_set(error, "not a recording: the first line is not the header of an asciicast v2");
}

struct recording_reader *recording_reader_create(int descriptor, uint64_t offset, uint64_t end,
                                                 struct error *error)
{
    struct recording_reader *reader = xcalloc(1, sizeof *reader);

    *reader = (struct recording_reader){.descriptor = descriptor, .cols = 80, .rows = 24};
    line_file_init(&reader->lines, descriptor, offset, end);
    if (offset == 0 && read_header(reader, error) < 0) {
        recording_reader_destroy(reader);
        return NULL;
    }
    return reader;
}

void recording_reader_destroy(struct recording_reader *reader)
{
    if (reader == NULL)
        return;
    line_file_finish(&reader->lines);
    close(reader->descriptor);
    free(reader);
}

void recording_reader_size(const struct recording_reader *reader, int *cols, int *rows)
{
    *cols = reader->cols;
    *rows = reader->rows;
}

static bool parse_event(char *text, struct recording_event *event)
{
    char *at = text, *type, *content;
    size_t type_length, length;
    double seconds;

    if (!json_scan_char(&at, '[') || !json_scan_number(&at, &seconds) || !json_scan_char(&at, ',') ||
        !json_scan_string(&at, &type, &type_length) || !json_scan_char(&at, ',') ||
        !json_scan_string(&at, &content, &length) || !json_scan_char(&at, ']'))
        return false;
    if (type_length != 1 || memchr("oimr", type[0], 4) == NULL)
        return false;
    content[length] = '\0';
    event->seconds = seconds < 0 ? 0 : seconds;
    event->type = type[0];
    event->text = content;
    event->length = length;
    return true;
}

int recording_reader_next(struct recording_reader *reader, struct recording_event *event, struct error *error)
{
    struct line_text line;
    int got;

    while ((got = line_file_next(&reader->lines, &line, error)) == 1) {
        if (parse_event(line.text, event)) {
            event->next_offset = line.next_offset;
            return 1;
        }
    }
    return got;
}
