/*
 * Draws a recording (asciicast v2 on standard input): one JSON object a line for each event, with the screen after it.
 * {"t", "kind": "o" output, "i" input, "m" marker, "data", "screen": [lines], "title", "status": [OSC 7501 reports],
 * "synchronized": a frame is being drawn}. Built and used by derive_truth.py.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "term/terminal.h"

static void keep_report(void *reports, const char *payload, size_t length)
{
    json_array_append_new(reports, json_stringn(payload, length));
}

static size_t encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> (6 * more));
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | ((c >> (6 * (more - i))) & 0x3F));
    return (size_t)more + 1;
}

static json_t *row_text(const struct terminal *terminal, int y)
{
    char text[TERMINAL_COLS_MAX * 64];
    size_t length = 0, visible = 0;
    const struct cell *row = terminal_row(terminal, y);
    for (int x = 0; x < terminal_cols(terminal); x++) {
        size_t size = 1;
        char small[4] = " ";
        const char *glyph = small;
        if (row[x].glyph == CELL_TAIL)
            continue;
        if (row[x].glyph & CELL_CLUSTER)
            glyph = terminal_cluster(terminal, row[x].glyph, &size);
        else if (row[x].glyph != 0)
            size = encode(row[x].glyph, small);
        if (length + size > sizeof text)
            break;
        for (size_t i = 0; i < size; i++)
            text[length++] = glyph[i];
        if (row[x].glyph != 0 && row[x].glyph != ' ')
            visible = length;
    }
    return json_stringn(text, visible);
}

static json_t *screen_text(const struct terminal *terminal)
{
    json_t *lines = json_array();
    for (int y = 0; y < terminal_rows(terminal); y++)
        json_array_append_new(lines, row_text(terminal, y));
    return lines;
}

static void print_event(struct terminal *terminal, json_t *event, json_t *reports)
{
    const char *kind = json_string_value(json_array_get(event, 1));
    json_t *data = json_array_get(event, 2);
    if (kind[0] == 'o')
        terminal_write(terminal, json_string_value(data), json_string_length(data));
    json_t *frame =
        json_pack("{s:O, s:s, s:O, s:o, s:s, s:O, s:b}", "t", json_array_get(event, 0), "kind", kind, "data",
                  data, "screen", screen_text(terminal), "title", terminal_title(terminal), "status", reports,
                  "synchronized", terminal_modes(terminal).synchronized);
    json_dumpf(frame, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(frame);
    json_array_clear(reports);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    json_t *header = getline(&line, &size, stdin) > 0 ? json_loads(line, 0, NULL) : NULL;
    if (header == NULL)
        return 1;
    json_t *reports = json_array();
    struct terminal_calls calls = {.program_status = keep_report};
    struct terminal_options options = {
        .cols = (int)json_integer_value(json_object_get(header, "width")),
        .rows = (int)json_integer_value(json_object_get(header, "height")),
        .scrollback_lines = 100,
        .calls = &calls,
        .argument = reports,
    };
    struct terminal *terminal = terminal_create(&options);
    while (getline(&line, &size, stdin) > 0) {
        json_t *event = json_loads(line, 0, NULL);
        if (event != NULL)
            print_event(terminal, event, reports);
        json_decref(event);
    }
    terminal_destroy(terminal);
    json_decref(reports);
    json_decref(header);
    free(line);
    return 0;
}
