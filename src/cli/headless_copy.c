#include "cli/headless_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file_write.h"
#include "cli/cli.h"
#include "store/recording.h"
#include "store/session_dir.h"

#define BATCH_BYTES (256 * 1024)
#define BATCH_LEAST 1024
#define NS_IN_S 1e9
#define EMPTY_SCREEN "\033c"

/* ---- the file ---- */

int headless_copy_make(const char *path, bool force, struct error *error)
{
    struct stat status;
    int file =
        open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (force ? 0 : O_EXCL), 0600);

    if (file < 0 && errno == EEXIST)
        return error_set(error,
                         stat(path, &status) == 0 && !S_ISREG(status.st_mode)
                             ? "%s is not a file: give another name"
                             : "%s exists: give another name, or --force to replace it",
                         path);
    if (file < 0)
        return error_errno(error, "cannot make %s", path);
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return error_set(error, "%s is not a file: give another name", path);
    }
    close(file);
    return 0;
}

int headless_copy_open(struct headless_copy *copy, const char *path, const char *uuid, struct error *error)
{
    *copy =
        (struct headless_copy){.path = path, .attempt = 1, .batch = BATCH_BYTES, .file = -1, .folder = -1};
    copy->folder = session_dir_open(cli_state_dir(), uuid, error);
    if (copy->folder < 0)
        return -1;
    copy->file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    return copy->file < 0 ? error_errno(error, "cannot write %s", path) : 0;
}

static void close_both(struct headless_copy *copy)
{
    if (copy->file >= 0)
        close(copy->file);
    if (copy->folder >= 0)
        close(copy->folder);
    copy->file = copy->folder = -1;
}

/* Whole lines, or nothing of them. */
static int append(struct headless_copy *copy, const struct buffer *lines)
{
    bool least = copy->batch <= BATCH_LEAST;

    if (file_write(copy->file, lines->bytes, lines->length) == 0) {
        copy->length += (int64_t)lines->length;
        copy->batch = BATCH_BYTES;
        copy->failing = false;
        return 0;
    }
    if (least && !copy->failing)
        (void)cli_errorf("run", "cannot write %s: %s; the run goes on, and the session's folder has it all",
                         copy->path, strerror(errno));
    copy->failing = least;
    copy->batch = least ? copy->batch : copy->batch / 4;
    (void)(ftruncate(copy->file, copy->length) < 0 || lseek(copy->file, copy->length, SEEK_SET) < 0);
    return -1;
}

/* ---- the attempts ---- */

/* The header, before anything else. */
static int begin_file(struct headless_copy *copy, const struct recording_reader *reader)
{
    struct buffer out;
    int cols, rows, result;

    buffer_init(&out);
    recording_reader_size(reader, &cols, &rows);
    copy->first_s = recording_reader_started_s(reader);
    recording_encode_header(&out, cols, rows, copy->first_s * 1000, NULL, recording_reader_title(reader));
    result = append(copy, &out);
    copy->begun = result == 0;
    buffer_finish(&out);
    return result;
}

/* What shows that another attempt begins. */
static void encode_beginning(struct headless_copy *copy, const struct recording_reader *reader,
                             struct buffer *out)
{
    int64_t started_s = recording_reader_started_s(reader), at_ns;
    char label[32];
    int cols, rows;

    recording_reader_size(reader, &cols, &rows);
    copy->base_s = (double)(started_s - copy->first_s);
    if (copy->base_s < copy->last_s)
        copy->base_s = copy->last_s;
    at_ns = (int64_t)(copy->base_s * NS_IN_S);
    (void)snprintf(label, sizeof label, "attempt %u", copy->attempt);
    recording_encode_marker(out, at_ns, label);
    recording_encode_resize(out, at_ns, cols, rows);
    (void)recording_encode_output(out, at_ns, EMPTY_SCREEN, strlen(EMPTY_SCREEN), 1);
}

static void encode(struct headless_copy *copy, const struct recording_event *event, struct buffer *out)
{
    double at = copy->base_s + event->seconds;
    int64_t at_ns;
    int cols, rows;

    copy->last_s = at > copy->last_s ? at : copy->last_s;
    at_ns = (int64_t)(copy->last_s * NS_IN_S);
    if (event->type == 'o')
        (void)recording_encode_output(out, at_ns, event->text, event->length, 1);
    else if (event->type == 'i')
        recording_encode_input(out, at_ns, event->text, event->length);
    else if (event->type == 'm')
        recording_encode_marker(out, at_ns, event->text);
    else if (event->type == 'r' && sscanf(event->text, "%4dx%4d", &cols, &rows) == 2)
        recording_encode_resize(out, at_ns, cols, rows);
}

enum piece { PIECE_FAILED, PIECE_END, PIECE_MORE };

/* The next events of the attempt. */
static enum piece copy_piece(struct headless_copy *copy)
{
    const struct headless_copy before = *copy;
    struct recording_event event;
    struct error error;
    struct recording_reader *reader =
        recording_reader_attempt(copy->folder, copy->attempt, copy->offset, 0, &error);
    struct buffer out;
    int got = 0, result = 0;

    if (reader == NULL)
        return PIECE_END;
    buffer_init(&out);
    while (result == 0 && out.length < copy->batch &&
           (got = recording_reader_next(reader, &event, &error)) > 0) {
        result = copy->begun ? 0 : begin_file(copy, reader);
        if (copy->offset == 0 && copy->attempt > 1)
            encode_beginning(copy, reader, &out);
        encode(copy, &event, &out);
        copy->offset = event.next_offset;
    }
    recording_reader_destroy(reader);
    if (out.length > 0 && result == 0)
        result = append(copy, &out);
    buffer_finish(&out);
    if (result < 0) {
        copy->offset = before.offset;
        copy->base_s = before.base_s;
        copy->last_s = before.last_s;
        return PIECE_FAILED;
    }
    return got > 0 ? PIECE_MORE : PIECE_END;
}

bool headless_copy_step(struct headless_copy *copy, unsigned attempt)
{
    enum piece piece;

    if (copy->file < 0)
        return false;
    piece = copy_piece(copy);
    /* An attempt that another follows has nothing to add. */
    if (piece != PIECE_END || copy->attempt >= attempt)
        return piece == PIECE_MORE || (piece == PIECE_FAILED && !copy->failing);
    copy->attempt++;
    copy->offset = 0;
    return true;
}

int headless_copy_finish(struct headless_copy *copy, unsigned attempt)
{
    int result;

    if (copy->file < 0) {
        close_both(copy);
        return -1;
    }
    while (headless_copy_step(copy, attempt))
        continue;
    result = copy->failing ? -1 : 0;
    if (fsync(copy->file) < 0 && errno != EINVAL && result == 0)
        result = -cli_errorf("run", "%s may be incomplete: %s", copy->path, strerror(errno));
    close_both(copy);
    return result;
}
