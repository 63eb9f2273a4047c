#include "host/usage_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/memory.h"

#define PIECE ((size_t)1024 * 1024)
#define WINDOW_LOG_MAX 27 /* 128 MB */

struct lines {
    struct buffer rest; /* of a line whose end was not read */
    bool dropping;      /* a line that is too long, to its end */
    int64_t whole;      /* bytes of lines that have ended */
    usage_line_taker *take;
    void *argument;
    bool enough;
};

static void keep_rest(struct lines *lines, const char *bytes, size_t length)
{
    if (lines->dropping)
        return;
    if (lines->rest.length + length > USAGE_LINE_MAX) {
        buffer_finish(&lines->rest);
        buffer_init(&lines->rest);
        lines->dropping = true;
        return;
    }
    buffer_append(&lines->rest, bytes, length);
}

static void take(struct lines *lines, const char *line, size_t length)
{
    if (!lines->enough && length > 0)
        lines->enough = !lines->take(lines->argument, line, length);
}

static void end_rest(struct lines *lines, const char *bytes, size_t length)
{
    keep_rest(lines, bytes, length);
    if (!lines->dropping)
        take(lines, lines->rest.bytes, lines->rest.length);
    lines->dropping = false;
    buffer_clear(&lines->rest);
}

/* `from`: where these bytes are in the file. */
static void feed(struct lines *lines, const char *bytes, size_t length, int64_t from)
{
    const char *at = bytes, *end = bytes + length, *newline;

    while (!lines->enough && at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (lines->rest.length > 0 || lines->dropping)
            end_rest(lines, at, (size_t)(newline - at));
        else
            take(lines, at, (size_t)(newline - at));
        at = newline + 1;
        lines->whole = from + (at - bytes);
    }
    if (!lines->enough && at < end)
        keep_rest(lines, at, (size_t)(end - at));
}

static ssize_t read_piece(int file, char *piece, int64_t offset)
{
    ssize_t got;

    do
        got = pread(file, piece, PIECE, offset);
    while (got < 0 && errno == EINTR);
    return got;
}

static int64_t read_plain(int file, struct lines *lines, int64_t offset)
{
    char *piece = xmalloc(PIECE);
    ssize_t got = 0;

    lines->whole = offset;
    while (!lines->enough && (got = read_piece(file, piece, offset)) > 0) {
        feed(lines, piece, (size_t)got, offset);
        offset += got;
    }
    free(piece);
    return got < 0 ? -1 : lines->whole;
}

/* One piece of the compressed file. False when it is damaged. */
static bool decompress(ZSTD_DStream *stream, struct lines *lines, ZSTD_inBuffer *in, char *out)
{
    bool full = true;

    while (in->pos < in->size || full) {
        ZSTD_outBuffer made = {out, PIECE, 0};
        if (ZSTD_isError(ZSTD_decompressStream(stream, &made, in)))
            return false;
        feed(lines, out, made.pos, 0);
        full = made.pos == made.size;
    }
    return true;
}

static int64_t read_compressed(int file, struct lines *lines)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    char *piece = xmalloc(PIECE), *out = xmalloc(PIECE);
    int64_t offset = 0;
    ssize_t got = 0;
    bool sound = stream != NULL;

    if (sound)
        (void)ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    while (sound && !lines->enough && (got = read_piece(file, piece, offset)) > 0) {
        ZSTD_inBuffer in = {piece, (size_t)got, 0};
        sound = decompress(stream, lines, &in, out);
        offset += got;
    }
    (void)ZSTD_freeDStream(stream);
    free(piece);
    free(out);
    return sound && got == 0 ? offset : -1;
}

int64_t usage_lines_read(int file, bool compressed, int64_t offset, usage_line_taker *taker, void *argument)
{
    struct lines lines = {.take = taker, .argument = argument};
    int64_t end;

    buffer_init(&lines.rest);
    end = compressed ? read_compressed(file, &lines) : read_plain(file, &lines, offset);
    /* A compressed file is whole, its last line too. */
    if (compressed && end >= 0 && lines.rest.length > 0)
        end_rest(&lines, "", 0);
    buffer_finish(&lines.rest);
    return end;
}
