#include "term/emulator.h"

#include <string.h>

#include "base/utf8.h"

/*
 * The states are those of the VT500 parser (ECMA-48 with 7-bit controls only; the bytes 0x80 to 0x9F belong to UTF-8).
 * CAN and SUB end any sequence, ESC begins another.
 */

static void csi_begin(struct filter *filter)
{
    struct csi *csi = &filter->csi;

    filter->state = FILTER_CSI;
    csi->params[0] = CSI_MISSING;
    csi->sub = 0;
    csi->count = 0;
    csi->leader = csi->intermediate = 0;
    csi->invalid = false;
}

static void csi_separate(struct csi *csi, bool colon)
{
    if (csi->count + 1 >= CSI_PARAMS_MAX) {
        csi->count = CSI_PARAMS_MAX;
        return;
    }
    csi->params[++csi->count] = CSI_MISSING;
    if (colon)
        csi->sub |= (uint64_t)1 << csi->count;
}

static void csi_digit(struct csi *csi, char byte)
{
    int *param;

    if (csi->count >= CSI_PARAMS_MAX)
        return;
    if (csi->intermediate != 0)
        csi->invalid = true;
    param = &csi->params[csi->count];
    *param = (*param == CSI_MISSING ? 0 : *param * 10) + (byte - '0');
    if (*param > CSI_PARAM_MAX)
        *param = CSI_PARAM_MAX;
}

static void csi_byte(struct terminal *terminal, char byte)
{
    struct filter *filter = &terminal->filter;
    struct csi *csi = &filter->csi;

    if (byte >= '0' && byte <= '9') {
        csi_digit(csi, byte);
    } else if (byte == ';' || byte == ':') {
        csi_separate(csi, byte == ':');
    } else if (byte >= '<' && byte <= '?') {
        csi->invalid |= csi->leader != 0 || csi->count > 0 || csi->params[0] != CSI_MISSING;
        csi->leader = byte;
    } else if (byte >= ' ' && byte <= '/') {
        csi->invalid |= csi->intermediate != 0;
        csi->intermediate = byte;
    } else if (byte >= '@' && byte <= '~') {
        filter->state = FILTER_GROUND;
        if (csi->count < CSI_PARAMS_MAX)
            csi->count++;
        csi->final = byte;
        if (!csi->invalid)
            csi_dispatch(terminal, csi);
    } else {
        csi->invalid = true;
    }
}

static void string_begin(struct filter *filter, char kind)
{
    filter->state = FILTER_STRING;
    filter->string_kind = kind;
    filter->string_overflow = false;
    buffer_clear(&filter->string);
}

static void string_end(struct terminal *terminal, bool bell)
{
    struct filter *filter = &terminal->filter;
    const char *text;

    filter->state = FILTER_GROUND;
    buffer_append(&filter->string, "", 0);
    text = filter->string.bytes;
    if (!filter->string_overflow) {
        if (filter->string_kind == ']')
            osc_dispatch(terminal, text, filter->string.length, bell);
        else if (filter->string_kind == 'P')
            dcs_dispatch(terminal, text, filter->string.length);
    }
    if (filter->string.capacity > 4096)
        buffer_finish(&filter->string);
}

static void string_append(struct filter *filter, const char *bytes, size_t length)
{
    if (filter->string_kind != ']' && filter->string_kind != 'P')
        return;
    if (filter->string.length + length > STRING_BYTES_MAX) {
        filter->string_overflow = true;
        buffer_clear(&filter->string);
    }
    if (!filter->string_overflow)
        buffer_append(&filter->string, bytes, length);
}

static void escape_byte(struct terminal *terminal, char byte)
{
    struct filter *filter = &terminal->filter;

    if (filter->state == FILTER_ESCAPE && byte == '[') {
        csi_begin(filter);
    } else if (filter->state == FILTER_ESCAPE && byte != 0 && strchr("]PX^_", byte) != NULL) {
        string_begin(filter, byte);
    } else if (byte >= ' ' && byte <= '/') {
        filter->escape_intermediate = filter->state == FILTER_ESCAPE ? byte : '?';
        filter->state = FILTER_ESCAPE_INTERMEDIATE;
    } else {
        char intermediate = filter->state == FILTER_ESCAPE ? 0 : filter->escape_intermediate;
        filter->state = FILTER_GROUND;
        if (byte >= '0' && byte <= '~')
            csi_escape(terminal, intermediate, byte);
    }
}

/* Returns how many bytes belong to the string. */
static size_t string_bytes(struct terminal *terminal, const char *bytes, size_t length)
{
    struct filter *filter = &terminal->filter;
    size_t at = 0;

    if (filter->state == FILTER_STRING_ESCAPE) {
        if (bytes[0] == '\\') {
            string_end(terminal, false);
            return 1;
        }
        filter->state = FILTER_ESCAPE;
        buffer_clear(&filter->string);
        return 0;
    }
    while (at < length && bytes[at] != '\033' && bytes[at] != '\a' && bytes[at] != 0x18 && bytes[at] != 0x1A)
        at++;
    string_append(filter, bytes, at);
    if (at == length)
        return at;
    if (bytes[at] == '\033')
        filter->state = FILTER_STRING_ESCAPE;
    else if (bytes[at] == '\a' && filter->string_kind == ']')
        string_end(terminal, true);
    else if (bytes[at] == '\a')
        string_append(filter, "\a", 1);
    else
        filter->state = FILTER_GROUND;
    return at + 1;
}

/* A byte of a sequence that is no string. */
static void sequence_byte(struct terminal *terminal, char byte)
{
    struct filter *filter = &terminal->filter;
    unsigned char value = (unsigned char)byte;

    if (value == 0x1B)
        filter->state = FILTER_ESCAPE;
    else if (value == 0x18 || value == 0x1A)
        filter->state = FILTER_GROUND;
    else if (value < 0x20)
        screen_c0(terminal, value);
    else if (value == 0x7F)
        return;
    else if (filter->state == FILTER_CSI)
        csi_byte(terminal, byte);
    else
        escape_byte(terminal, byte);
}

static size_t plain_length(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length && (unsigned char)(bytes[at] - 0x20) < 0x5F)
        at++;
    return at;
}

static size_t print_plain(struct terminal *terminal, const char *bytes, size_t length)
{
    size_t count = plain_length(bytes, length);

    if (!charsets_active(&terminal->charsets) && !terminal->cluster_live) {
        print_ascii(terminal, bytes, count);
        return count;
    }
    /* One by one only as long as it matters. */
    print_code(terminal, (unsigned char)bytes[0]);
    return 1;
}

/* Text beyond ASCII; returns how many bytes were used, 0 when more are needed. */
static size_t print_utf8(struct terminal *terminal, const char *bytes, size_t length)
{
    uint32_t code;
    int used = utf8_decode(bytes, length, &code);

    if (used == 0)
        return 0;
    if (used < 0) {
        print_code(terminal, UTF8_REPLACEMENT);
        return (size_t)-used;
    }
    if (code >= 0xA0)
        print_code(terminal, code);
    return (size_t)used;
}

static size_t ground_bytes(struct terminal *terminal, const char *bytes, size_t length)
{
    struct filter *filter = &terminal->filter;
    unsigned char byte = (unsigned char)bytes[0];
    size_t used;

    if (byte >= 0x80) {
        used = print_utf8(terminal, bytes, length);
        if (used == 0) {
            memcpy(filter->partial, bytes, length);
            filter->partial_length = (int)length;
            used = length;
        }
        return used;
    }
    if (byte >= 0x20 && byte < 0x7F)
        return print_plain(terminal, bytes, length);
    if (byte == 0x1B)
        filter->state = FILTER_ESCAPE;
    else if (byte < 0x20)
        screen_c0(terminal, byte);
    return 1;
}

/* Completes the code point that the last write left unfinished; returns how many bytes that took. */
static size_t finish_partial(struct terminal *terminal, const char *bytes, size_t length)
{
    struct filter *filter = &terminal->filter;
    size_t had = (size_t)filter->partial_length, used;
    size_t take = sizeof filter->partial - had < length ? sizeof filter->partial - had : length;

    memcpy(filter->partial + had, bytes, take);
    used = print_utf8(terminal, filter->partial, had + take);
    if (used == 0) {
        filter->partial_length += (int)take;
        return take;
    }
    filter->partial_length = 0;
    /* An invalid sequence may end before the bytes that came now, never before those kept. */
    return used > had ? used - had : 0;
}

void filter_write(struct terminal *terminal, const char *bytes, size_t length)
{
    struct filter *filter = &terminal->filter;
    size_t at = 0;

    if (filter->partial_length > 0 && length > 0)
        at = finish_partial(terminal, bytes, length);
    while (at < length) {
        switch (filter->state) {
        case FILTER_GROUND:
            at += ground_bytes(terminal, bytes + at, length - at);
            break;
        case FILTER_STRING:
        case FILTER_STRING_ESCAPE:
            at += string_bytes(terminal, bytes + at, length - at);
            break;
        default:
            sequence_byte(terminal, bytes[at++]);
            break;
        }
    }
}
