#include "term/emulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"

#define STATUS_BYTES_MAX 4096
#define NOTIFICATION_BYTES_MAX 2048
#define URI_BYTES_MAX 4096

/* Appends the text without control characters, invalid UTF-8 replaced, at most `limit` bytes. */
static void append_clean(struct buffer *out, const char *text, size_t length, size_t limit)
{
    while (length > 0 && out->length + 4 <= limit) {
        uint32_t code;
        int used = utf8_decode(text, length, &code);
        char bytes[4];

        if (used <= 0) {
            code = UTF8_REPLACEMENT;
            used = used == 0 ? (int)length : -used;
        }
        if (code >= 0x20 && (code < 0x7F || code >= 0xA0))
            buffer_append(out, bytes, (size_t)utf8_encode(code, bytes));
        text += used;
        length -= (size_t)used;
    }
    buffer_append(out, "", 0);
}

void osc_set_title(struct terminal *terminal, const char *text, size_t length)
{
    struct buffer title = {0};

    append_clean(&title, text, length, TITLE_BYTES_MAX);
    if (strcmp(title.bytes, terminal->title) == 0) {
        buffer_finish(&title);
        return;
    }
    free(terminal->title);
    terminal->title = buffer_steal(&title);
    terminal->changed = true;
    if (terminal->calls.title != NULL)
        terminal->calls.title(terminal->argument, terminal->title);
}

static void notify(struct terminal *terminal, const char *title, size_t title_length, const char *body,
                   size_t body_length)
{
    struct buffer clean_title = {0}, clean_body = {0};

    if (!terminal_loud(terminal) || terminal->calls.notify == NULL)
        return;
    append_clean(&clean_title, title, title_length, NOTIFICATION_BYTES_MAX);
    append_clean(&clean_body, body, body_length, NOTIFICATION_BYTES_MAX);
    terminal->calls.notify(terminal->argument, clean_title.bytes, clean_body.bytes);
    buffer_finish(&clean_title);
    buffer_finish(&clean_body);
}

static int leading_number(const char **text, const char *end)
{
    int value = 0, digits = 0;

    while (*text < end && **text >= '0' && **text <= '9' && digits++ < 5)
        value = value * 10 + (*(*text)++ - '0');
    return digits == 0 ? -1 : value;
}

/* "st" or "st;pr" of ConEmu's OSC 9;4. */
static void progress(struct terminal *terminal, const char *text, size_t length)
{
    const char *end = text + length;
    int state = leading_number(&text, end), percent = 0;

    if (text < end && *text == ';') {
        text++;
        percent = leading_number(&text, end);
    }
    if (state < 0 || state > 4 || !terminal_loud(terminal) || terminal->calls.progress == NULL)
        return;
    percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    terminal->calls.progress(terminal->argument, state, percent);
}

/* iTerm's notification, or one of ConEmu's numbered commands. */
static void osc_9(struct terminal *terminal, const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    int command = leading_number(&at, end);

    if (command == 4 && at < end && *at == ';')
        progress(terminal, at + 1, (size_t)(end - at) - 1);
    else if (command < 0 || (at < end && *at != ';'))
        notify(terminal, "", 0, text, length);
}

static void osc_777(struct terminal *terminal, const char *text, size_t length)
{
    static const char verb[] = "notify;";
    const char *end = text + length, *split;

    if (length < sizeof verb - 1 || memcmp(text, verb, sizeof verb - 1) != 0)
        return;
    text += sizeof verb - 1;
    split = memchr(text, ';', (size_t)(end - text));
    if (split == NULL)
        notify(terminal, "", 0, text, (size_t)(end - text));
    else
        notify(terminal, text, (size_t)(split - text), split + 1, (size_t)(end - split) - 1);
}

/* The value of `key` in kitty's "k=v:k=v" metadata, or `otherwise`. */
static char metadata(const char *text, const char *end, char key, char otherwise)
{
    for (; text + 2 < end; text++)
        if (text[0] == key && text[1] == '=')
            return text[2];
        else if ((text = memchr(text, ':', (size_t)(end - text))) == NULL)
            break;
    return otherwise;
}

/* kitty's desktop notifications: p is title or body, e=1 base64, d=0 says that more follows. */
static void osc_99(struct terminal *terminal, const char *text, size_t length)
{
    const char *end = text + length, *split = memchr(text, ';', length);
    struct buffer *title = &terminal->notification;
    struct buffer decoded = {0};
    bool more;
    char part;

    if (split == NULL)
        return;
    part = metadata(text, split, 'p', 't');
    more = metadata(text, split, 'd', '1') == '0';
    if (metadata(text, split, 'e', '0') == '1') {
        long size = base64_decode(split + 1, (size_t)(end - split) - 1, buffer_reserve(&decoded, length));
        decoded.length = size > 0 ? (size_t)size : 0;
    } else {
        buffer_append(&decoded, split + 1, (size_t)(end - split) - 1);
    }
    if (part == 't' && more) {
        append_clean(title, decoded.bytes, decoded.length, NOTIFICATION_BYTES_MAX);
    } else if (part == 't') {
        append_clean(title, decoded.bytes, decoded.length, NOTIFICATION_BYTES_MAX);
        notify(terminal, title->bytes, title->length, "", 0);
        buffer_finish(title);
    } else if (part == 'b') {
        notify(terminal, title->length > 0 ? title->bytes : "", title->length, decoded.bytes, decoded.length);
        buffer_finish(title);
    }
    buffer_finish(&decoded);
}

static void osc_8(struct terminal *terminal, const char *text, size_t length)
{
    const char *split = memchr(text, ';', length);
    struct buffer uri = {0};

    if (split == NULL)
        return;
    append_clean(&uri, split + 1, length - (size_t)(split - text) - 1, URI_BYTES_MAX);
    if (intern_crowded(&terminal->intern))
        screen_collect(terminal);
    terminal->pen.link = intern_link(&terminal->intern, uri.bytes, uri.length);
    terminal->pen_stale = true;
    buffer_finish(&uri);
}

static void osc_52(struct terminal *terminal, const char *text, size_t length)
{
    const char *split = memchr(text, ';', length);
    size_t size;

    if (split == NULL || !terminal->clipboard || !terminal_loud(terminal) ||
        terminal->calls.clipboard == NULL)
        return;
    size = length - (size_t)(split - text) - 1;
    for (size_t i = 0; i < size; i++) {
        char byte = split[1 + i];
        bool letter =
            (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        if (!letter && byte != '+' && byte != '/' && byte != '=')
            return;
    }
    terminal->calls.clipboard(terminal->argument, split + 1, size);
}

static void osc_7501(struct terminal *terminal, const char *text, size_t length, bool bell)
{
    if (length == 1 && text[0] == '?')
        replyf(terminal, "\033]7501;?%s", bell ? "\a" : "\033\\");
    else if (length <= STATUS_BYTES_MAX && terminal_loud(terminal) && terminal->calls.program_status != NULL)
        terminal->calls.program_status(terminal->argument, text, length);
}

static void osc_7(struct terminal *terminal, const char *text, size_t length)
{
    struct buffer uri = {0};

    if (!terminal_loud(terminal) || terminal->calls.working_folder == NULL)
        return;
    append_clean(&uri, text, length, URI_BYTES_MAX);
    terminal->calls.working_folder(terminal->argument, uri.bytes);
    buffer_finish(&uri);
}

static void osc_133(struct terminal *terminal, const char *text, size_t length)
{
    if (length > 0 && text[0] >= 'A' && text[0] <= 'D' && (length == 1 || text[1] == ';') &&
        terminal_loud(terminal) && terminal->calls.prompt_mark != NULL)
        terminal->calls.prompt_mark(terminal->argument, text[0]);
}

void osc_dispatch(struct terminal *terminal, const char *text, size_t length, bool bell)
{
    const char *at = text, *end = text + length;
    int number = leading_number(&at, end);

    if (number < 0 || at == end || *at != ';')
        return;
    at++;
    length = (size_t)(end - at);
    switch (number) {
    case 0:
    case 2:
        osc_set_title(terminal, at, length);
        break;
    case 4:
    case 10:
    case 11:
    case 12:
        query_palette(terminal, number, at, length, bell);
        break;
    case 7:
        osc_7(terminal, at, length);
        break;
    case 8:
        osc_8(terminal, at, length);
        break;
    case 9:
        osc_9(terminal, at, length);
        break;
    case 52:
        osc_52(terminal, at, length);
        break;
    case 99:
        osc_99(terminal, at, length);
        break;
    case 133:
        osc_133(terminal, at, length);
        break;
    case 777:
        osc_777(terminal, at, length);
        break;
    case 7501:
        osc_7501(terminal, at, length, bell);
        break;
    default:
        break;
    }
}

/* XTGETTCAP: no capability is told, each name is given back as unknown. */
static void refuse_capability(struct terminal *terminal, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("0123456789abcdefABCDEF;", name[i]) == NULL || name[i] == 0)
            length = 0;
    replyf(terminal, "\033P0+r%.*s\033\\", length <= 256 ? (int)length : 0, name);
}

void dcs_dispatch(struct terminal *terminal, const char *text, size_t length)
{
    if (length >= 2 && memcmp(text, "$q", 2) == 0)
        query_setting(terminal, text + 2, length - 2);
    else if (length >= 2 && memcmp(text, "+q", 2) == 0)
        refuse_capability(terminal, text + 2, length - 2);
}
