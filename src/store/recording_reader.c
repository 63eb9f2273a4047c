/* The reading half of recording.h: the parts of an attempt as one recording, or a single file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/recording.h"
#include "store/recording_file.h"
#include "store/recording_parts.h"

struct recording_reader {
    struct recording_file file; /* the part that is read */
    int cols, rows;
    char *title, *term;
    int64_t started_s;
    /* An attempt's. */
    int session_dir; /* -1: a single file */
    unsigned attempt;
    struct recording_parts parts;
    size_t next_part; /* in `parts` */
    unsigned part;    /* that is read, or was the last; 0: none was */
    uint64_t base;    /* of that part, in the whole recording */
    uint64_t at, from, end;
    double start_s, seconds;
    uint64_t left_out; /* lines of the parts that were read */
    bool told_gap, torn, ended;
    struct recording_event first; /* of which the creation has learned */
    bool has_first;
};

static struct recording_reader *create(int session_dir, unsigned attempt, uint64_t end)
{
    struct recording_reader *reader = xcalloc(1, sizeof *reader);

    *reader = (struct recording_reader){
        .session_dir = session_dir, .attempt = attempt, .end = end, .cols = 80, .rows = 24};
    recording_header_init(&reader->file.header);
    return reader;
}

/* What the header says of the recording; a further part's size is that of its own time. */
static void take_header(struct recording_reader *reader)
{
    struct recording_header *header = &reader->file.header;

    reader->cols = header->cols;
    reader->rows = header->rows;
    if (header->started > 0)
        reader->started_s = header->started - (int64_t)(header->is_part ? header->start_s : 0);
    reader->title = header->title;
    header->title = NULL;
    reader->term = header->term;
    header->term = NULL;
}

struct recording_reader *recording_reader_file(int descriptor, uint64_t offset, uint64_t end,
                                               struct error *error)
{
    struct recording_reader *reader = create(-1, 0, 0);

    if (recording_file_open(&reader->file, descriptor, offset > 0, false, error) < 0 ||
        recording_file_begin(&reader->file, offset, end, error) < 0) {
        recording_reader_destroy(reader);
        return NULL;
    }
    take_header(reader);
    return reader;
}

void recording_reader_destroy(struct recording_reader *reader)
{
    if (reader == NULL)
        return;
    recording_file_close(&reader->file);
    recording_parts_finish(&reader->parts);
    if (reader->session_dir >= 0)
        close(reader->session_dir);
    free(reader->title);
    free(reader->term);
    free(reader);
}

/* ---- parts ---- */

/* Opens part `index` and reads its header, if it has one. 1: opened; 0: it is gone or cannot be unpacked; -1. */
static int open_part(struct recording_reader *reader, size_t index, struct error *error)
{
    unsigned number = reader->parts.numbers[index];
    struct recording_file *file = &reader->file;
    struct error ignored;
    int descriptor;
    bool packed;

    error->code = 0;
    recording_file_close(file);
    descriptor = recording_parts_open(reader->session_dir, reader->attempt, number, &packed, error);
    if (descriptor < 0)
        return error->code == ENOENT ? 0 : -1;
    if (recording_file_open(file, descriptor, true, packed, &ignored) < 0)
        return 0;
    if (number > 1 && !file->header.is_part)
        file->header.version = 0;
    return 1;
}

/* Begins to read the part that is open. */
static int begin_part(struct recording_reader *reader, size_t index, struct error *error)
{
    reader->next_part = index + 1;
    reader->part = reader->parts.numbers[index];
    reader->told_gap = false;
    if (reader->end > 0 && reader->end <= reader->base) {
        reader->next_part = reader->parts.count;
        recording_file_close(&reader->file);
        return 0;
    }
    return recording_file_begin(&reader->file, reader->from > reader->base ? reader->from - reader->base : 0,
                                reader->end > 0 ? reader->end - reader->base : 0, error);
}

/* Where the part that is open begins. Without a header: where the one before ended. */
static void place_part(struct recording_reader *reader, unsigned number)
{
    const struct recording_header *header = &reader->file.header;

    if (number == 1) {
        reader->base = 0;
        reader->start_s = 0;
    } else {
        reader->base = header->is_part ? header->offset : reader->at;
        reader->start_s = header->is_part ? header->start_s : reader->seconds;
    }
}

/* Finds and opens the last part that begins at `offset` or before. 1, 0 when it cannot be read, -1. */
static int find_offset(struct recording_reader *reader, uint64_t offset, struct error *error)
{
    size_t low = 0, high = reader->parts.count;
    int got;

    reader->from = reader->at = offset;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const struct recording_header *header = &reader->file.header;
        got = open_part(reader, middle, error);
        if (got < 0)
            return -1;
        if (got == 1 && header->is_part && header->offset <= offset)
            low = middle;
        else
            high = middle;
    }
    got = open_part(reader, low, error);
    if (got == 1) {
        place_part(reader, reader->parts.numbers[low]);
        return begin_part(reader, low, error) < 0 ? -1 : 1;
    }
    reader->next_part = low;
    reader->part = reader->parts.numbers[low] - 1;
    recording_file_close(&reader->file);
    return got;
}

static void tell_missing(struct recording_reader *reader, unsigned next, struct recording_event *event)
{
    unsigned first = reader->part + 1, last = next - 1;
    unsigned long long bytes = reader->base > reader->at ? reader->base - reader->at : 0;

    if (first < last)
        (void)recording_file_tell_gap(&reader->file, reader->base, event,
                                      "gap: parts %u to %u are missing or damaged, %llu bytes", first, last,
                                      bytes);
    else if (first == last)
        (void)recording_file_tell_gap(&reader->file, reader->base, event,
                                      "gap: part %u is missing or damaged, %llu bytes", first, bytes);
    else
        (void)recording_file_tell_gap(&reader->file, reader->base, event, "gap: %llu bytes are missing",
                                      bytes);
    event->seconds = reader->start_s > reader->seconds ? reader->start_s : reader->seconds;
}

/* Begins the next part that can be read. 1; 2: `event` tells what is missing before it; 0: there is none; -1. */
static int next_part(struct recording_reader *reader, struct recording_event *event, struct error *error)
{
    int got = 0;

    while (got == 0 && reader->next_part < reader->parts.count)
        got = open_part(reader, reader->next_part++, error);
    if (got == 1) {
        unsigned number = reader->parts.numbers[reader->next_part - 1];
        bool missing;
        place_part(reader, number);
        if (reader->end > 0 && reader->base >= reader->end) {
            reader->next_part = reader->parts.count;
            recording_file_close(&reader->file);
            return 0;
        }
        missing = number > reader->part + 1 || (reader->base > reader->at && !reader->told_gap);
        if (missing)
            tell_missing(reader, number, event);
        if (begin_part(reader, reader->next_part - 1, error) < 0)
            return -1;
        return missing ? 2 : 1;
    }
    return got;
}

/* After the last part: what was there and could not be read is told once. */
static int tell_end(struct recording_reader *reader, struct recording_event *event)
{
    unsigned last = reader->parts.count > 0 ? reader->parts.numbers[reader->parts.count - 1] : 0;

    if (reader->ended || reader->part >= last || reader->end > 0)
        return 0;
    reader->ended = true;
    reader->base = reader->at;
    tell_missing(reader, last + 1, event);
    return 1;
}

struct recording_reader *recording_reader_attempt(int session_dir, unsigned attempt, uint64_t offset,
                                                  uint64_t end, struct error *error)
{
    int folder = fcntl(session_dir, F_DUPFD_CLOEXEC, 0), got = -1;
    struct recording_reader *reader = create(folder, attempt, end);
    struct error own;

    error = error == NULL ? &own : error;
    if (folder < 0) {
        error_errno(error, "cannot use the session's folder");
    } else if (recording_parts_list(&reader->parts, folder, attempt, error) == 0) {
        if (reader->parts.count == 0) {
            error_set(error, "there is no recording of attempt %u", attempt);
            error->code = ENOENT;
        } else {
            got = offset > 0 ? find_offset(reader, offset, error) : 0;
            if (got == 0)
                got = next_part(reader, &reader->first, error);
        }
    }
    if (got < 0) {
        recording_reader_destroy(reader);
        return NULL;
    }
    reader->has_first = got == 2;
    take_header(reader);
    return reader;
}

struct recording_reader *recording_reader_part(int session_dir, unsigned attempt, unsigned part,
                                               struct error *error)
{
    int folder = fcntl(session_dir, F_DUPFD_CLOEXEC, 0), got = -1;
    struct recording_reader *reader = create(folder, attempt, 0);

    reader->parts.numbers = xreallocarray(NULL, 1, sizeof *reader->parts.numbers);
    reader->parts.numbers[reader->parts.count++] = part;
    if (folder < 0)
        error_errno(error, "cannot use the session's folder");
    else
        got = open_part(reader, 0, error);
    if (got == 1) {
        place_part(reader, part);
        if (begin_part(reader, 0, error) == 0) {
            take_header(reader);
            return reader;
        }
    } else if (got == 0 && error->code != ENOENT) {
        error_set(error, "part %u cannot be read", part);
    }
    recording_reader_destroy(reader);
    return NULL;
}

/* ---- events ---- */

/* An event of the part that is read, as one of the whole. */
static void place_event(struct recording_reader *reader, struct recording_event *event)
{
    event->next_offset += reader->base;
    event->seconds += reader->start_s;
    if (event->seconds < reader->seconds)
        event->seconds = reader->seconds;
    reader->seconds = event->seconds;
    reader->told_gap = event->text == reader->file.told;
}

static bool draws_screen(const struct recording_reader *reader, const struct recording_event *event)
{
    const struct recording_file *file = &reader->file;

    return reader->session_dir >= 0 && file->header.screen && event->type == 'o' &&
           file->offset == file->body;
}

int recording_reader_next(struct recording_reader *reader, struct recording_event *event, struct error *error)
{
    struct recording_file *file = &reader->file;
    struct error own;
    int got;

    error = error == NULL ? &own : error;
    if (reader->has_first) {
        *event = reader->first;
        reader->has_first = false;
        return 1;
    }
    for (;;) {
        while (file->source != NULL && (got = recording_file_next(file, event, error)) != 0) {
            if (got < 0)
                return -1;
            if (draws_screen(reader, event))
                continue;
            place_event(reader, event);
            return 1;
        }
        if (reader->session_dir < 0)
            return 0;
        if (file->source != NULL) {
            reader->at = reader->base + file->lines.read_to;
            reader->torn = file->torn;
            reader->left_out += file->left_out;
            recording_file_close(file);
        }
        got = next_part(reader, event, error);
        if (got <= 0)
            return got < 0 ? -1 : tell_end(reader, event);
        if (got == 2)
            return 1;
    }
}

/* ---- what is known of it ---- */

void recording_reader_size(const struct recording_reader *reader, int *cols, int *rows)
{
    *cols = reader->cols;
    *rows = reader->rows;
}

const char *recording_reader_title(const struct recording_reader *reader)
{
    return reader->title;
}

int64_t recording_reader_started_s(const struct recording_reader *reader)
{
    return reader->started_s;
}

uint64_t recording_reader_length(const struct recording_reader *reader)
{
    struct recording_file file;
    uint64_t length = 0;
    struct error ignored;

    if (reader->session_dir < 0)
        return recording_source_length(reader->file.source);
    for (size_t index = reader->parts.count; index-- > 0 && length == 0;) {
        unsigned number = reader->parts.numbers[index];
        bool packed;
        int descriptor =
            recording_parts_open(reader->session_dir, reader->attempt, number, &packed, &ignored);
        if (descriptor < 0 || recording_file_open(&file, descriptor, true, packed, &ignored) < 0)
            continue;
        if (number == 1 || file.header.is_part)
            length = (number == 1 ? 0 : file.header.offset) + recording_source_length(file.source);
        recording_file_close(&file);
    }
    return length;
}

uint64_t recording_reader_left_out(const struct recording_reader *reader)
{
    return reader->left_out + (reader->file.source == NULL ? 0 : reader->file.left_out);
}

const char *recording_reader_term(const struct recording_reader *reader)
{
    return reader->term;
}

bool recording_reader_torn(const struct recording_reader *reader)
{
    return reader->session_dir < 0 ? reader->file.torn : reader->torn;
}
