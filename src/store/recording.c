/* What recording.h says of encoding. */
#include "store/recording.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define CHUNK 4096 /* bytes of input for which room is made at once */
#define GROWTH 6   /* a control byte becomes \u00XX */

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

static void begin_header(struct buffer *out, int cols, int rows, int64_t started_ms, const char *command)
{
    buffer_printf(out, "{\"version\":2,\"width\":%d,\"height\":%d,\"timestamp\":%lld", cols, rows,
                  (long long)(started_ms / 1000));
    if (command == NULL)
        return;
    buffer_append_string(out, ",\"command\":");
    json_append_quoted(out, command, strlen(command));
}

static void end_header(struct buffer *out)
{
    buffer_append_string(out, ",\"env\":{\"TERM\":\"xterm-256color\"}}\n");
}

void recording_encode_header(struct buffer *out, int cols, int rows, int64_t started_ms, const char *command,
                             const char *title)
{
    begin_header(out, cols, rows, started_ms, command);
    if (title != NULL) {
        buffer_append_string(out, ",\"title\":");
        json_append_quoted(out, title, strlen(title));
    }
    end_header(out);
}

void recording_encode_copied_header(struct buffer *out, int cols, int rows, int64_t started_s,
                                    const char *title, const char *term)
{
    buffer_printf(out, "{\"version\":2,\"width\":%d,\"height\":%d", cols, rows);
    if (started_s > 0)
        buffer_printf(out, ",\"timestamp\":%lld", (long long)started_s);
    if (title != NULL) {
        buffer_append_string(out, ",\"title\":");
        json_append_quoted(out, title, strlen(title));
    }
    if (term != NULL) {
        buffer_append_string(out, ",\"env\":{\"TERM\":");
        json_append_quoted(out, term, strlen(term));
        buffer_append_char(out, '}');
    }
    buffer_append_string(out, "}\n");
}

/* Seconds with six decimals, without the locale's decimal comma. */
static void put_seconds(struct buffer *out, int64_t ns)
{
    uint64_t microseconds = ns < 0 ? 0 : (uint64_t)ns / 1000;
    uint64_t fraction = microseconds % 1000000;
    char tail[] = ".000000";

    for (int i = 6; i > 0; i--, fraction /= 10)
        tail[i] = (char)('0' + fraction % 10);
    buffer_append_number(out, microseconds / 1000000);
    buffer_append(out, tail, sizeof tail - 1);
}

/* `[seconds,"type",` */
static void begin_event(struct buffer *out, int64_t at_ns, char type)
{
    char middle[] = ",\"?\",";

    middle[2] = type;
    buffer_append_char(out, '[');
    put_seconds(out, at_ns);
    buffer_append(out, middle, sizeof middle - 1);
}

/* High bits mark bytes that JSON must not hold as they are, or behind one: the lowest mark is exact. */
static uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ ONES * '"', backslash = word ^ ONES * '\\';

    return (((word - ONES * 0x20) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash)) &
           HIGHS;
}

/* How many bytes come before the first that JSON must not hold as it is. */
static size_t plain_length(const char *from, size_t length)
{
    size_t at = 0;

    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, from + at, sizeof word);
        if (special_bytes(word) != 0)
            break;
    }
    for (; at < length; at++) {
        unsigned char byte = (unsigned char)from[at];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            break;
    }
    return at;
}

/* Copies plain ASCII and returns how many bytes. May write up to 7 bytes further. */
static size_t copy_plain(char *to, const char *from, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(uint64_t)) {
        uint64_t word, special;
        memcpy(&word, from + at, sizeof word);
        memcpy(to + at, &word, sizeof word);
        special = special_bytes(word) | (word & HIGHS);
        if (special != 0)
            break;
        at += sizeof word;
    }
    for (; at < length; at++) {
        unsigned char byte = (unsigned char)from[at];
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
            break;
        to[at] = (char)byte;
    }
    return at;
}

static char *put_escape(char *to, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";

    *to++ = '\\';
    switch (byte) {
    case '\n':
        *to++ = 'n';
        return to;
    case '\r':
        *to++ = 'r';
        return to;
    case '\t':
        *to++ = 't';
        return to;
    case '"':
    case '\\':
        *to++ = (char)byte;
        return to;
    default:
        memcpy(to, "u00", 3);
        to[3] = hex[byte >> 4];
        to[4] = hex[byte & 15];
        return to + 5;
    }
}

/* Copies one code point, or a replacement for the bytes that are none. Returns how many bytes it took. */
static size_t put_code_point(char **to, const char *from, size_t length)
{
    uint32_t code;
    int used = utf8_decode(from, length, &code);
    size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;

    if (used > 0) {
        memcpy(*to, from, taken);
        *to += taken;
    } else {
        memcpy(*to, "\xEF\xBF\xBD", 3);
        *to += 3;
    }
    return taken;
}

/* Copies text without escapes, what is no UTF-8 in it replaced. The last code point may go on behind `length`, up to `end`. */
static size_t put_text_run(char **to, const char *from, size_t length, size_t end)
{
    size_t whole = length - utf8_incomplete_tail(from, length), at = 0;

    if (whole > 0 && utf8_valid(from, whole)) {
        memcpy(*to, from, whole);
        *to += whole;
        return whole;
    }
    while (at < length)
        at += put_code_point(to, from + at, end - at);
    return at;
}

/* Escapes from `bytes` until CHUNK or more of them are done; a code point is never cut. Returns how many. */
static size_t put_chunk(struct buffer *out, const char *bytes, size_t length)
{
    size_t stop = length < CHUNK ? length : CHUNK, at = 0;
    char *start = buffer_reserve(out, (CHUNK + 4) * GROWTH + 8), *to = start;

    while (at < stop) {
        unsigned char byte = (unsigned char)bytes[at];
        if (byte >= 0x80) {
            size_t plain = plain_length(bytes + at, stop - at);
            at += put_text_run(&to, bytes + at, plain, length - at);
        } else if (byte < 0x20 || byte == '"' || byte == '\\') {
            to = put_escape(to, byte);
            at++;
        } else {
            size_t plain = copy_plain(to, bytes + at, stop - at);
            to += plain;
            at += plain;
        }
    }
    out->length += (size_t)(to - start);
    return at;
}

static void put_text(struct buffer *out, const char *text, size_t length)
{
    buffer_append_char(out, '"');
    for (size_t at = 0; at < length;)
        at += put_chunk(out, text + at, length - at);
    buffer_append(out, "\"]\n", 3);
}

size_t recording_encode_output(struct buffer *out, int64_t at_ns, const char *bytes, size_t length, int last)
{
    size_t taken = last ? length : length - utf8_incomplete_tail(bytes, length);

    if (taken == 0)
        return 0;
    begin_event(out, at_ns, 'o');
    put_text(out, bytes, taken);
    return taken;
}

void recording_encode_resize(struct buffer *out, int64_t at_ns, int cols, int rows)
{
    begin_event(out, at_ns, 'r');
    buffer_printf(out, "\"%dx%d\"]\n", cols, rows);
}

void recording_encode_marker(struct buffer *out, int64_t at_ns, const char *label)
{
    begin_event(out, at_ns, 'm');
    put_text(out, label, strlen(label));
}

void recording_encode_input(struct buffer *out, int64_t at_ns, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    begin_event(out, at_ns, 'i');
    put_text(out, bytes, length);
}

void recording_encode_part(struct buffer *out, unsigned part, uint64_t offset, int64_t start_ns, int cols,
                           int rows, int64_t now_ms, const char *command, const char *screen,
                           size_t screen_length)
{
    begin_header(out, cols, rows, now_ms, command);
    buffer_printf(out, ",\"ganger\":{\"part\":%u,\"offset\":%llu,\"start_s\":", part,
                  (unsigned long long)offset);
    put_seconds(out, start_ns);
    buffer_append_string(out, screen == NULL ? "}" : ",\"screen\":true}");
    end_header(out);
    if (screen == NULL)
        return;
    begin_event(out, 0, 'o');
    put_text(out, screen, screen_length);
}
