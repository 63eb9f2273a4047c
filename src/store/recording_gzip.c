/* gzip (RFC 1952), several members one after another. What follows damage cannot be read. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "store/recording_source.h"
#include "store/recording_unpack.h"

#define IN_SIZE 65536
#define ROOM_MAX (1024 * 1024)
#define WINDOW_OF_GZIP (15 + 16)

struct gzip {
    struct raw_file *raw;
    z_stream stream;
    uint64_t at;
    bool ready, between, ended, torn;
    unsigned char in[IN_SIZE];
};

static void *create(struct raw_file *raw)
{
    struct gzip *gzip = xcalloc(1, sizeof *gzip);

    gzip->raw = raw;
    gzip->ready = inflateInit2(&gzip->stream, WINDOW_OF_GZIP) == Z_OK;
    return gzip;
}

static void destroy(void *state)
{
    struct gzip *gzip = state;

    if (gzip->ready)
        (void)inflateEnd(&gzip->stream);
    free(gzip);
}

/* Reads more packed bytes behind those that are left. 1, 0 at the end, -1. */
static int fill(struct gzip *gzip, struct error *error)
{
    ssize_t got;

    if (gzip->stream.avail_in > 0)
        memmove(gzip->in, gzip->stream.next_in, gzip->stream.avail_in);
    got = raw_file_read(gzip->raw, (char *)gzip->in + gzip->stream.avail_in,
                        sizeof gzip->in - gzip->stream.avail_in, error);
    gzip->stream.next_in = gzip->in;
    if (got > 0)
        gzip->stream.avail_in += (unsigned)got;
    return got < 0 ? -1 : got > 0;
}

/* At the end of a member: whether another one follows. 1, 0, -1. */
static int next_member(struct gzip *gzip, struct error *error)
{
    int got = 1;

    while (gzip->stream.avail_in < 2 && got > 0)
        got = fill(gzip, error);
    if (got < 0)
        return -1;
    gzip->between = false;
    return gzip->stream.avail_in >= 2 && memcmp(gzip->stream.next_in, "\x1F\x8B", 2) == 0 &&
           inflateReset(&gzip->stream) == Z_OK;
}

static ssize_t end(struct gzip *gzip, bool torn, ssize_t result)
{
    gzip->ended = true;
    gzip->torn = torn;
    return result;
}

static ssize_t unpack(void *state, char *to, size_t room, struct error *error)
{
    struct gzip *gzip = state;

    if (!gzip->ready)
        return error_set(error, "cannot unpack the file: out of memory");
    room = room < ROOM_MAX ? room : ROOM_MAX;
    while (!gzip->ended) {
        int got = gzip->between ? next_member(gzip, error) : 1, result;
        size_t put;
        if (got < 0)
            return -1;
        if (got == 0)
            return end(gzip, false, 0);
        if (gzip->stream.avail_in == 0 && (got = fill(gzip, error)) <= 0)
            return got < 0 ? -1 : end(gzip, true, 0);
        gzip->stream.next_out = (unsigned char *)to;
        gzip->stream.avail_out = (unsigned)room;
        result = inflate(&gzip->stream, Z_NO_FLUSH);
        put = room - gzip->stream.avail_out;
        gzip->at += put;
        gzip->between = result == Z_STREAM_END;
        if (put > 0)
            return (ssize_t)put;
        if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
            return end(gzip, true, RECORDING_SOURCE_GAP);
    }
    return 0;
}

static uint64_t at(const void *state)
{
    return ((const struct gzip *)state)->at;
}

static int skip(void *state, uint64_t offset, struct error *error)
{
    (void)state;
    (void)offset;
    (void)error;
    return 0;
}

static uint64_t length(const void *state)
{
    (void)state;
    return 0;
}

static bool torn(const void *state)
{
    return ((const struct gzip *)state)->torn;
}

const struct unpack_kind unpack_gzip = {"gzip", {'\x1F', '\x8B'}, 2,   create, destroy, unpack, at,
                                        skip,   length,           torn};
