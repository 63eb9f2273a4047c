#include "agent/tool_line.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define ELLIPSIS "\xE2\x80\xA6"

static const char *const telling[] = {"command", "cmd",   "file_path", "filePath", "filepath",    "path",
                                      "pattern", "query", "url",       "prompt",   "description", "name"};

void tool_line_append_text(struct buffer *out, const char *text, size_t max)
{
    size_t length = strcspn(text, "\r\n"), start = out->length;
    bool cut = text[length + strspn(text + length, "\r\n \t")] != '\0';

    if (length + (cut ? strlen(ELLIPSIS) : 0) > max) {
        cut = true;
        length = max - strlen(ELLIPSIS);
        length -= utf8_incomplete_tail(text, length);
    }
    buffer_append(out, text, length);
    for (size_t i = start; i < out->length; i++) {
        if ((unsigned char)out->bytes[i] < 0x20 || out->bytes[i] == 0x7F)
            out->bytes[i] = ' ';
    }
    if (cut)
        buffer_append_string(out, ELLIPSIS);
}

/* Some tools take a command as a list of words. */
static bool append_words(struct buffer *out, const json_t *words)
{
    struct buffer line;
    const json_t *word;
    size_t i;

    if (!json_is_array(words) || !json_is_string(json_array_get(words, 0)))
        return false;
    buffer_init(&line);
    json_array_foreach(words, i, word)
    {
        if (!json_is_string(word) || line.length > TOOL_LINE_MAX)
            break;
        buffer_printf(&line, "%s%s", i > 0 ? " " : "", json_string_value(word));
    }
    tool_line_append_text(out, line.bytes, TOOL_LINE_MAX);
    buffer_finish(&line);
    return true;
}

void tool_line_append(struct buffer *out, const json_t *input)
{
    struct buffer line;

    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++) {
        const json_t *value = json_object_get(input, telling[i]);
        if (json_is_string(value) && *json_string_value(value) != '\0') {
            tool_line_append_text(out, json_string_value(value), TOOL_LINE_MAX);
            return;
        }
        if (append_words(out, value))
            return;
    }
    if (!json_is_object(input) || json_object_size(input) == 0)
        return;
    buffer_init(&line);
    json_append_value(&line, input);
    tool_line_append_text(out, line.bytes, TOOL_LINE_MAX);
    buffer_finish(&line);
}
