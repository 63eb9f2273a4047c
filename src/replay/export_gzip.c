#include "replay/export_gzip.h"

#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

#define PIECE ((size_t)64 * 1024)
#define GZIP_WRAPPER 16 /* added to the window's bits: zlib.h, deflateInit2 */

struct gzip {
    z_stream stream;
};

struct gzip *gzip_create(void)
{
    struct gzip *gzip = xcalloc(1, sizeof *gzip);

    /* It fails for want of memory only. */
    if (deflateInit2(&gzip->stream, 6, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    return gzip;
}

void gzip_destroy(struct gzip *gzip)
{
    if (gzip == NULL)
        return;
    (void)deflateEnd(&gzip->stream);
    free(gzip);
}

static void compress_piece(struct gzip *gzip, int flush, struct buffer *out)
{
    do {
        gzip->stream.next_out = (unsigned char *)buffer_reserve(out, PIECE);
        gzip->stream.avail_out = (unsigned)PIECE;
        (void)deflate(&gzip->stream, flush);
        out->length += PIECE - gzip->stream.avail_out;
    } while (gzip->stream.avail_out == 0);
}

void gzip_add(struct gzip *gzip, const void *bytes, size_t length, int last, struct buffer *out)
{
    const unsigned char *from = bytes;

    while (length > 0) {
        size_t taken = length < PIECE ? length : PIECE;
        gzip->stream.next_in = from;
        gzip->stream.avail_in = (unsigned)taken;
        compress_piece(gzip, Z_NO_FLUSH, out);
        from += taken;
        length -= taken;
    }
    if (last) {
        gzip->stream.avail_in = 0;
        compress_piece(gzip, Z_FINISH, out);
    }
}
