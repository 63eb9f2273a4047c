/* The two requests of the hot path: acknowledgement of a frame, and typed bytes. */
#include <string.h>

#include "base/json.h"
#include "rpc/frame.h"

static const char ack_before[] = "{\"jsonrpc\":\"2.0\",\"method\":\"screen.ack\",\"params\":{\"frame\":";
static const char ack_after[] = "}}";
static const char input_before[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"session.input\",\"params\":{\"data\":\"";
static const char input_after[] = "\"}}";

void frame_write_ack(struct buffer *out, uint64_t frame)
{
    buffer_append(out, ack_before, sizeof ack_before - 1);
    buffer_append_number(out, frame);
    buffer_append(out, ack_after, sizeof ack_after - 1);
    buffer_append_char(out, '\n');
}

void frame_write_input(struct buffer *out, const void *bytes, size_t length)
{
    buffer_append(out, input_before, sizeof input_before - 1);
    base64_append(out, bytes, length);
    buffer_append(out, input_after, sizeof input_after - 1);
    buffer_append_char(out, '\n');
}

/* What stands between the two, or NULL when the line has another shape. */
static const char *between(const char *line, size_t length, const char *before, const char *after,
                           size_t *middle)
{
    size_t head = strlen(before), tail = strlen(after);

    if (length < head + tail || memcmp(line, before, head) != 0 ||
        memcmp(line + length - tail, after, tail) != 0)
        return NULL;
    *middle = length - head - tail;
    return line + head;
}

bool frame_read_ack(const char *line, size_t length, uint64_t *frame)
{
    size_t digits;
    const char *text = between(line, length, ack_before, ack_after, &digits);
    uint64_t value = 0;

    if (text == NULL || digits == 0 || digits > 18)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *frame = value;
    return true;
}

bool frame_read_input(const char *line, size_t length, struct buffer *out)
{
    size_t characters;
    const char *text = between(line, length, input_before, input_after, &characters);
    long decoded;

    if (text == NULL)
        return false;
    decoded = base64_decode(text, characters, buffer_reserve(out, characters / 4 * 3));
    if (decoded < 0)
        return false;
    out->length += (size_t)decoded;
    out->bytes[out->length] = '\0';
    return true;
}
