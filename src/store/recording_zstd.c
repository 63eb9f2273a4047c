/* zstd (RFC 8878): frames one after another. One that says its size can be passed over without unpacking it, and one that is
 * damaged is left out. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "store/recording_source.h"
#include "store/recording_unpack.h"
#include "store/zstd_frame.h"

#define IN_SIZE (256 * 1024)
#define CHUNK (256 * 1024) /* of a frame that is not unpacked as a whole */
#define WHOLE_MAX                                                                                            \
    (8u * 1024 * 1024)     /* a frame up to this is unpacked, and checked, before any of it is given */
#define WINDOW_LOG_MAX 27  /* what may be held to unpack: 128 MiB */
#define FRAMES_MAX 1000000 /* that are walked over to learn the length */
/* Damaged frames that are passed over: in a file made for it each would take as long as the whole. */
#define DAMAGED_MAX 100

struct zstd {
    struct raw_file *raw;
    ZSTD_DCtx *context;
    struct buffer in; /* packed bytes from `in_at` on; raw->at is what follows them */
    size_t in_at;
    struct buffer out;
    size_t out_at;
    uint64_t out_offset; /* of the first byte in `out` */
    struct {
        bool open;
        uint64_t start;  /* in the file */
        uint64_t offset; /* unpacked */
        uint64_t size;   /* unpacked; ZSTD_FRAME_UNKNOWN */
    } frame;
    unsigned damaged;
    bool ended, torn;
};

static void *create(struct raw_file *raw)
{
    struct zstd *zstd = xcalloc(1, sizeof *zstd);

    zstd->raw = raw;
    zstd->context = ZSTD_createDCtx();
    if (zstd->context == NULL)
        abort();
    (void)ZSTD_DCtx_setParameter(zstd->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return zstd;
}

static void destroy(void *state)
{
    struct zstd *zstd = state;

    (void)ZSTD_freeDCtx(zstd->context);
    buffer_finish(&zstd->in);
    buffer_finish(&zstd->out);
    free(zstd);
}

/* ---- packed bytes ---- */

/* How many are held, after trying to have `wanted`. */
static ssize_t hold(struct zstd *zstd, size_t wanted, struct error *error)
{
    ssize_t got = 1;

    while (got > 0 && zstd->in.length - zstd->in_at < wanted) {
        buffer_consume(&zstd->in, zstd->in_at);
        zstd->in_at = 0;
        got = raw_file_read(zstd->raw, buffer_reserve(&zstd->in, IN_SIZE), IN_SIZE, error);
        if (got > 0)
            zstd->in.length += (size_t)got;
    }
    return got < 0 ? -1 : (ssize_t)(zstd->in.length - zstd->in_at);
}

static uint64_t file_position(const struct zstd *zstd)
{
    return zstd->raw->at - (zstd->in.length - zstd->in_at);
}

static void move_to(struct zstd *zstd, uint64_t position)
{
    zstd->in.length = zstd->in_at = 0;
    zstd->raw->at = position;
    zstd->frame.open = false;
}

/* ---- frames ---- */

/* Leaves the open frame out, and finds where to go on. */
static ssize_t pass_over(struct zstd *zstd)
{
    uint64_t position;

    (void)ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
    if (zstd->frame.size != ZSTD_FRAME_UNKNOWN)
        zstd->out_offset = zstd->frame.offset + zstd->frame.size;
    zstd->out.length = zstd->out_at = 0;
    if (zstd->raw->seekable && ++zstd->damaged <= DAMAGED_MAX) {
        position = zstd_frame_after_damage(zstd->raw->descriptor, zstd->frame.start);
        zstd->ended = position >= zstd->raw->size;
        move_to(zstd, position);
    } else {
        zstd->ended = true;
    }
    zstd->torn = zstd->ended;
    return RECORDING_SOURCE_GAP;
}

/* Opens the frame that begins here. 1, 0 at the end of the file, -1, or a gap. */
static ssize_t open_frame(struct zstd *zstd, struct error *error)
{
    struct zstd_frame frame;
    ssize_t held = hold(zstd, ZSTD_FRAME_HEADER_MAX, error);

    if (held <= 0)
        return held;
    zstd->frame.start = file_position(zstd);
    zstd->frame.offset = zstd->out_offset;
    zstd->frame.size = ZSTD_FRAME_UNKNOWN;
    if (!zstd_frame_scan(zstd->in.bytes + zstd->in_at, (size_t)held, &frame)) {
        if (held >= ZSTD_FRAME_HEADER_MAX)
            return pass_over(zstd);
        zstd->torn = true;
        return 0;
    }
    zstd->frame.size = frame.size;
    zstd->frame.open = true;
    return 1;
}

/* Unpacks the open frame, or a chunk of it, into `out`. 0, -1 or a gap. */
static ssize_t unpack_frame(struct zstd *zstd, struct error *error)
{
    bool whole = zstd->frame.size <= WHOLE_MAX;
    size_t room = whole ? (size_t)zstd->frame.size : CHUNK, left = 1;
    ZSTD_outBuffer out = {.dst = buffer_reserve(&zstd->out, room), .size = room};

    while (left != 0 && (whole || out.pos < out.size)) {
        ssize_t held = hold(zstd, 1, error);
        ZSTD_inBuffer in = {.src = zstd->in.bytes + zstd->in_at, .size = held > 0 ? (size_t)held : 0};
        size_t before = out.pos;
        if (held < 0)
            return -1;
        left = ZSTD_decompressStream(zstd->context, &out, &in);
        zstd->in_at += in.pos;
        if (ZSTD_isError(left) || (held > 0 && in.pos == 0 && out.pos == before))
            return pass_over(zstd);
        if (held == 0 && out.pos == before) {
            zstd->ended = zstd->torn = true;
            break;
        }
    }
    zstd->frame.open = left != 0;
    zstd->out.length = out.pos;
    return 0;
}

/* ---- the functions of a kind ---- */

static uint64_t at(const void *state)
{
    const struct zstd *zstd = state;

    return zstd->out_offset + zstd->out_at;
}

static ssize_t unpack(void *state, char *to, size_t room, struct error *error)
{
    struct zstd *zstd = state;
    size_t left;

    while (zstd->out_at == zstd->out.length) {
        ssize_t got = 1;
        zstd->out_offset += zstd->out.length;
        zstd->out.length = zstd->out_at = 0;
        if (zstd->ended)
            return 0;
        if (!zstd->frame.open)
            got = open_frame(zstd, error);
        if (got == 1)
            got = unpack_frame(zstd, error);
        else if (got == 0)
            zstd->ended = true;
        if (got < 0)
            return got;
    }
    left = zstd->out.length - zstd->out_at;
    room = room < left ? room : left;
    memcpy(to, zstd->out.bytes + zstd->out_at, room);
    zstd->out_at += room;
    return (ssize_t)room;
}

static int skip(void *state, uint64_t offset, struct error *error)
{
    struct zstd *zstd = state;
    uint64_t position, start = zstd->out_offset + zstd->out.length;
    struct zstd_frame frame;

    (void)error;
    if (!zstd->raw->seekable || zstd->frame.open || offset < start)
        return 0;
    position = file_position(zstd);
    while (zstd_frame_read(zstd->raw->descriptor, position, &frame) && frame.size != ZSTD_FRAME_UNKNOWN &&
           frame.size <= offset - start && frame.end > position) {
        start += frame.size;
        position = frame.end;
    }
    zstd->out.length = zstd->out_at = 0;
    zstd->out_offset = start;
    move_to(zstd, position);
    return 0;
}

static uint64_t length(const void *state)
{
    const struct zstd *zstd = state;
    uint64_t position = 0, sum = 0;
    struct zstd_frame frame;

    if (!zstd->raw->seekable)
        return 0;
    for (int i = 0; i < FRAMES_MAX && zstd_frame_read(zstd->raw->descriptor, position, &frame); i++) {
        if (frame.size == ZSTD_FRAME_UNKNOWN || frame.size > INT64_MAX - sum)
            return 0;
        sum += frame.size;
        position = frame.end;
    }
    return sum;
}

static bool torn(const void *state)
{
    return ((const struct zstd *)state)->torn;
}

const struct unpack_kind unpack_zstd = {
    "zstd", {'\x28', '\xB5', '\x2F', '\xFD'}, 4, create, destroy, unpack, at, skip, length, torn};
