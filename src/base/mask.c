#include "base/mask.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

/* A way in which a secret is written. */
struct form {
    char *bytes;
    size_t length;
    bool plain; /* not as in JSON, though that would differ */
};

struct mask {
    struct form *forms;
    size_t count;
    size_t longest;
};

enum kind { TEXT, JSON };

/* ---- the set ---- */

struct mask *mask_create(void)
{
    return xcalloc(1, sizeof(struct mask));
}

void mask_destroy(struct mask *mask)
{
    if (mask == NULL)
        return;
    for (size_t i = 0; i < mask->count; i++) {
        explicit_bzero(mask->forms[i].bytes, mask->forms[i].length);
        free(mask->forms[i].bytes);
    }
    free(mask->forms);
    free(mask);
}

static char *copy_bytes(const char *bytes, size_t length)
{
    char *copy = xmalloc(length + 1);

    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

static bool add_form(struct mask *mask, const char *bytes, size_t length, bool plain)
{
    if (length > MASK_LONGEST)
        return false;
    for (size_t i = 0; i < mask->count; i++) {
        if (mask->forms[i].length == length && memcmp(mask->forms[i].bytes, bytes, length) == 0)
            return false;
    }
    mask->forms = xreallocarray(mask->forms, mask->count + 1, sizeof *mask->forms);
    mask->forms[mask->count++] = (struct form){copy_bytes(bytes, length), length, plain};
    if (length > mask->longest)
        mask->longest = length;
    return true;
}

struct mask *mask_copy(const struct mask *mask)
{
    struct mask *copy = mask == NULL ? NULL : mask_create();

    for (size_t i = 0; copy != NULL && i < mask->count; i++)
        (void)add_form(copy, mask->forms[i].bytes, mask->forms[i].length, mask->forms[i].plain);
    return copy;
}

/* ---- forms ---- */

enum escaping { ESCAPE_LEAST, ESCAPE_SLASHES, ESCAPE_TO_ASCII, ESCAPINGS };

static void escape_unit(struct buffer *out, uint32_t unit)
{
    buffer_printf(out, "\\u%04x", (unsigned)unit);
}

static void escape_wide(struct buffer *out, uint32_t code)
{
    if (code < 0x10000) {
        escape_unit(out, code);
    } else {
        escape_unit(out, 0xD800 + ((code - 0x10000) >> 10));
        escape_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
    }
}

static void escape_ascii(struct buffer *out, char byte, enum escaping how)
{
    static const char short_ones[] = "\bb\ff\nn\rr\tt\"\"\\\\";

    for (const char *at = short_ones; *at != '\0'; at += 2) {
        if (*at == byte) {
            buffer_append_char(out, '\\');
            buffer_append_char(out, at[1]);
            return;
        }
    }
    if ((unsigned char)byte < 0x20) {
        escape_unit(out, (unsigned char)byte);
        return;
    }
    if (byte == '/' && how == ESCAPE_SLASHES)
        buffer_append_char(out, '\\');
    buffer_append_char(out, byte);
}

/* As within a JSON string; invalid bytes are U+FFFD there. */
static void escape(struct buffer *out, const char *bytes, size_t length, enum escaping how)
{
    while (length > 0) {
        uint32_t code = 0xFFFD;
        int used = utf8_decode(bytes, length, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length;
        if (used == 1)
            escape_ascii(out, *bytes, how);
        else if (how == ESCAPE_TO_ASCII)
            escape_wide(out, used > 0 ? code : 0xFFFD);
        else if (used > 0)
            buffer_append(out, bytes, taken);
        else
            buffer_append_string(out, "\xEF\xBF\xBD");
        bytes += taken;
        length -= taken;
    }
}

static void add_escaped(struct mask *mask, const char *bytes, size_t length)
{
    for (int how = 0; how < ESCAPINGS; how++) {
        struct buffer once = {0}, twice = {0};
        escape(&once, bytes, length, (enum escaping)how);
        (void)add_form(mask, once.bytes, once.length, false);
        escape(&twice, once.bytes, once.length, ESCAPE_LEAST);
        (void)add_form(mask, twice.bytes, twice.length, false);
        explicit_bzero(once.bytes, once.length);
        explicit_bzero(twice.bytes, twice.length);
        buffer_finish(&once);
        buffer_finish(&twice);
    }
}

/* A terminal begins lines anew with a carriage return. */
static void add_returns(struct mask *mask, const char *bytes, size_t length)
{
    struct buffer text = {0};

    if (memchr(bytes, '\n', length) == NULL)
        return;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
            buffer_append_char(&text, '\r');
        buffer_append_char(&text, bytes[i]);
    }
    (void)add_form(mask, text.bytes, text.length, true);
    add_escaped(mask, text.bytes, text.length);
    explicit_bzero(text.bytes, text.length);
    buffer_finish(&text);
}

static bool add_piece(struct mask *mask, const char *bytes, size_t length)
{
    bool special = false, fresh;

    for (size_t i = 0; i < length && !special; i++)
        special = bytes[i] == '"' || bytes[i] == '\\' || (unsigned char)bytes[i] < 0x20;
    fresh = add_form(mask, bytes, length, special);
    add_escaped(mask, bytes, length);
    add_returns(mask, bytes, length);
    return fresh;
}

bool mask_add(struct mask *mask, const char *secret, size_t length)
{
    bool fresh = false;

    if (length < MASK_SHORTEST)
        return false;
    if (length <= MASK_PIECE)
        return add_piece(mask, secret, length);
    for (size_t at = 0; at < length; at += MASK_PIECE) {
        size_t from = length - at < MASK_PIECE ? length - MASK_PIECE : at;
        fresh = add_piece(mask, secret + from, MASK_PIECE) || fresh;
    }
    return fresh;
}

/* ---- finding ---- */

/* Whether what was found in JSON is a string's content, or begins within an escape sequence or is a member's name. */
static bool is_content(const char *bytes, size_t length, const char *found, size_t found_length)
{
    const char *end = found + found_length, *last = bytes + length, *before = found;

    while (before > bytes && before[-1] == '\\')
        before--;
    if ((found - before) % 2 != 0)
        return false;
    return !(found > bytes && found[-1] == '"' && last - end >= 2 && end[0] == '"' && end[1] == ':');
}

/* The next occurrence at or after `from`, or NULL. */
static const char *find(const struct form *form, enum kind kind, const char *bytes, size_t length,
                        const char *from)
{
    if (kind == JSON && form->plain)
        return NULL;
    for (;; from++) {
        from = memmem(from, (size_t)(bytes + length - from), form->bytes, form->length);
        if (from == NULL || kind == TEXT || is_content(bytes, length, from, form->length))
            return from;
    }
}

static bool found_any(const struct mask *mask, enum kind kind, const char *bytes, size_t length)
{
    for (size_t i = 0; i < mask->count; i++) {
        if (find(&mask->forms[i], kind, bytes, length, bytes) != NULL)
            return true;
    }
    return false;
}

/* Masks in `out`, a copy of the bytes, in which occurrences may overlap; NULL: nowhere. Returns where the last one of those
 * that begin before `limit` ends. */
static size_t fill(const struct mask *mask, enum kind kind, const char *bytes, size_t length, size_t limit,
                   char *out)
{
    size_t reach = 0;

    for (size_t i = 0; i < mask->count; i++) {
        const struct form *form = &mask->forms[i];
        const char *at = bytes;
        size_t done = 0;
        while ((at = find(form, kind, bytes, length, at)) != NULL && (size_t)(at - bytes) < limit) {
            size_t from = (size_t)(at - bytes), to = from + form->length;
            from = from > done ? from : done;
            if (out != NULL)
                memset(out + from, '*', to - from);
            done = to;
            at++;
        }
        reach = reach > done ? reach : done;
    }
    return reach;
}

static bool apply(const struct mask *mask, enum kind kind, char *bytes, size_t length)
{
    char *copy;

    if (mask == NULL || !found_any(mask, kind, bytes, length))
        return false;
    copy = copy_bytes(bytes, length);
    (void)fill(mask, kind, copy, length, length, bytes);
    explicit_bzero(copy, length);
    free(copy);
    return true;
}

bool mask_text(const struct mask *mask, char *bytes, size_t length)
{
    return apply(mask, TEXT, bytes, length);
}

bool mask_json(const struct mask *mask, char *bytes, size_t length)
{
    return apply(mask, JSON, bytes, length);
}

static bool begins(const struct mask *mask, const char *bytes, size_t length)
{
    for (size_t i = 0; i < mask->count; i++) {
        const struct form *form = &mask->forms[i];
        if (length < form->length && *bytes == *form->bytes && memcmp(bytes, form->bytes, length) == 0)
            return true;
    }
    return false;
}

size_t mask_pending(const struct mask *mask, const char *bytes, size_t length)
{
    size_t rest;

    if (mask == NULL || mask->count == 0)
        return 0;
    rest = length < mask->longest ? length : mask->longest - 1;
    while (rest > 0 && !begins(mask, bytes + length - rest, rest))
        rest--;
    return rest;
}

/* ---- pieces ---- */

void mask_stream_init(struct mask_stream *stream)
{
    *stream = (struct mask_stream){0};
}

static void forget_copy(struct mask_stream *stream)
{
    if (stream->copy.bytes != NULL)
        explicit_bzero(stream->copy.bytes, stream->copy.length);
    buffer_finish(&stream->copy);
}

void mask_stream_finish(struct mask_stream *stream)
{
    forget_copy(stream);
    stream->reach = 0;
}

const char *mask_stream_piece(struct mask_stream *stream, const struct mask *mask, const char *bytes,
                              size_t *length, bool last)
{
    size_t whole = *length, before = stream->reach < whole ? stream->reach : whole;

    forget_copy(stream);
    if (mask == NULL || whole == 0)
        return bytes;
    if (!last)
        *length -= mask_pending(mask, bytes, whole);
    if (before == 0 && !found_any(mask, TEXT, bytes, whole))
        return bytes;
    buffer_append(&stream->copy, bytes, whole);
    memset(stream->copy.bytes, '*', before);
    (void)fill(mask, TEXT, bytes, whole, whole, stream->copy.bytes);
    return stream->copy.bytes;
}

void mask_stream_taken(struct mask_stream *stream, const struct mask *mask, const char *bytes, size_t whole,
                       size_t taken)
{
    size_t reach = stream->reach;

    if (stream->copy.length > 0) {
        size_t found = fill(mask, TEXT, bytes, whole, taken, NULL);
        reach = reach > found ? reach : found;
    }
    stream->reach = reach > taken ? reach - taken : 0;
}
