#include "base/name.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/buffer.h"

static bool is_alphanumeric(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool uuid_valid(const char *text)
{
    if (strlen(text) != UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < UUID_SIZE - 1; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return false;
        } else if (strchr("0123456789abcdefABCDEF", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

bool name_valid(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_LENGTH || !is_alphanumeric(name[0]) || uuid_valid(name))
        return false;
    for (size_t i = 1; i < length; i++) {
        if (!is_alphanumeric(name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    }
    return true;
}

void uuid_generate(char out[UUID_SIZE])
{
    unsigned char bytes[16];

    while (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        continue;
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", bytes[i]);
        at += 2;
    }
}

char *name_in_hint(const char *hint, const char *name)
{
    static const char *const commands[] = {"`ganger logs`", "`ganger resume`",   "`ganger retry`",
                                           "`ganger show`", "`ganger snapshot`", "`ganger why`"};
    struct buffer text;

    if (hint == NULL)
        return NULL;
    buffer_init(&text);
    buffer_append_string(&text, "");
    while (*hint != '\0') {
        size_t length = 0;
        for (size_t i = 0; i < sizeof commands / sizeof commands[0] && length == 0; i++)
            length = strncmp(hint, commands[i], strlen(commands[i])) == 0 ? strlen(commands[i]) : 0;
        if (length > 0)
            buffer_printf(&text, "%.*s %s`", (int)length - 1, hint, name);
        else
            buffer_append_char(&text, *hint);
        hint += length > 0 ? length : 1;
    }
    return buffer_steal(&text);
}
