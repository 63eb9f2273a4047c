#include "store/recording_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u
#define PARAMETER_MAX 100000

enum state {
    TEXT,
    ESCAPE,        /* after ESC */
    ESCAPE_MIDDLE, /* after ESC and an intermediate byte */
    CONTROL,       /* after ESC [ */
    STRING,        /* OSC, DCS, APC, PM, SOS: up to BEL or ESC \ */
    STRING_ESCAPE,
};

struct feeding {
    struct recording_text *text;
    int (*line)(void *argument, const char *bytes, size_t length);
    void *argument;
    int result;
};

void recording_text_init(struct recording_text *text)
{
    *text = (struct recording_text){.state = TEXT};
}

void recording_text_finish(struct recording_text *text)
{
    buffer_finish(&text->line);
    recording_text_init(text);
}

/* ---- the line ---- */

static bool blank(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length && bytes[at] == ' ')
        at++;
    return at == length;
}

static void give(struct feeding *feeding)
{
    struct buffer *line = &feeding->text->line;

    if (feeding->result == 0 && line->length > 0 && !blank(line->bytes, line->length)) {
        line->bytes[line->length] = '\0';
        feeding->result = feeding->line(feeding->argument, line->bytes, line->length);
    }
}

static void end_line(struct feeding *feeding)
{
    struct recording_text *text = feeding->text;

    if (text->line.length > 0)
        give(feeding);
    text->line.length = text->column = 0;
}

/* The line is about to lose what is behind the cursor. */
static void cut(struct feeding *feeding)
{
    struct recording_text *text = feeding->text;

    if (text->column == 0)
        give(feeding);
    text->line.length = text->column;
}

static void put_text(struct feeding *feeding, const char *bytes, size_t length)
{
    struct recording_text *text = feeding->text;

    if (text->column < text->line.length)
        cut(feeding);
    while (text->line.length + length > RECORDING_LINE_MAX) {
        size_t fits = RECORDING_LINE_MAX - text->line.length;
        while (fits > 0 && ((unsigned char)bytes[fits] & 0xC0) == 0x80)
            fits--;
        if (fits == 0 && text->line.length == 0)
            fits = RECORDING_LINE_MAX;
        buffer_append(&text->line, bytes, fits);
        bytes += fits;
        length -= fits;
        end_line(feeding);
    }
    memcpy(buffer_reserve(&text->line, length), bytes, length);
    text->line.length += length;
    text->column = text->line.length;
}

static void put_blank(struct feeding *feeding)
{
    struct recording_text *text = feeding->text;

    if (text->column == text->line.length && text->column > 0 && text->line.bytes[text->column - 1] != ' ')
        put_text(feeding, " ", 1);
}

static void go_back(struct recording_text *text)
{
    while (text->column > 0 && ((unsigned char)text->line.bytes[--text->column] & 0xC0) == 0x80)
        ;
}

/* To another row, or nobody knows where. */
static void leave_row(struct feeding *feeding)
{
    feeding->text->row = feeding->text->cell = 0;
    end_line(feeding);
}

/* ---- sequences ---- */

static unsigned parameter(const struct recording_text *text, unsigned index)
{
    return index < text->parameter_count && text->parameters[index] > 0 ? text->parameters[index] : 1;
}

/* Programs that draw only what changed go along the row like this. */
static void place_cursor(struct feeding *feeding)
{
    struct recording_text *text = feeding->text;
    unsigned row = parameter(text, 0), cell = parameter(text, 1);

    if (row == text->row && cell > text->cell)
        put_blank(feeding);
    else
        end_line(feeding);
    text->row = row;
    text->cell = cell;
}

static void move_to_cell(struct feeding *feeding)
{
    if (parameter(feeding->text, 0) == 1)
        feeding->text->column = 0;
    else
        put_blank(feeding);
}

static void end_control(struct feeding *feeding, char byte)
{
    struct recording_text *text = feeding->text;

    switch (byte) {
    case 'H':
    case 'f':
        place_cursor(feeding);
        break;
    case 'G':
    case '`':
        move_to_cell(feeding);
        break;
    case 'K':
        /* 2 is all of the line, 1 what is before the cursor. */
        if (text->parameter_count > 0 && text->parameters[0] > 0)
            end_line(feeding);
        else if (text->column < text->line.length)
            cut(feeding);
        break;
    case 'C':
    case 'a':
    case 'D':
        put_blank(feeding);
        break;
    case 'h':
    case 'l':
        /* The alternate screen. */
        if (text->parameters[0] == 1049 || text->parameters[0] == 1047 || text->parameters[0] == 47)
            leave_row(feeding);
        break;
    default:
        if (memchr("ABEFJLMSTdeu", byte, 12) != NULL)
            leave_row(feeding);
        break;
    }
}

/* A byte of a control sequence; those of the 7-bit range end it, whatever they are. */
static void step_control(struct feeding *feeding, char byte)
{
    struct recording_text *text = feeding->text;
    unsigned count = text->parameter_count;

    if (byte >= '0' && byte <= '9') {
        if (count == 0)
            count = text->parameter_count = 1;
        if (count <= 2 && text->parameters[count - 1] < PARAMETER_MAX)
            text->parameters[count - 1] = text->parameters[count - 1] * 10 + (unsigned)(byte - '0');
    } else if (byte == ';' || byte == ':') {
        text->parameter_count = count == 0 ? 2 : count < 3 ? count + 1 : 3;
    } else if (byte >= '@') {
        text->state = TEXT;
        end_control(feeding, byte);
    }
}

static void step_escape(struct feeding *feeding, char byte)
{
    struct recording_text *text = feeding->text;

    text->state = TEXT;
    if (byte == '[') {
        text->state = CONTROL;
        text->parameters[0] = text->parameters[1] = text->parameter_count = 0;
    } else if (byte != '\0' && strchr("]PX^_", byte) != NULL) {
        text->state = STRING;
    } else if (byte >= ' ' && byte <= '/') {
        text->state = ESCAPE_MIDDLE;
    } else if (byte != '\0' && strchr("8DEMc", byte) != NULL) {
        leave_row(feeding);
    }
}

static void step_control_byte(struct feeding *feeding, char byte)
{
    struct recording_text *text = feeding->text;

    switch (byte) {
    case 0x1B:
        text->state = ESCAPE;
        break;
    case '\r':
        text->column = 0;
        break;
    case '\b':
        go_back(text);
        break;
    case '\t':
        put_blank(feeding);
        break;
    case '\n':
    case '\v':
    case '\f':
        leave_row(feeding);
        break;
    case 0x18:
    case 0x1A:
        text->state = TEXT;
        break;
    default:
        break;
    }
}

static void step(struct feeding *feeding, char byte)
{
    struct recording_text *text = feeding->text;
    unsigned char value = (unsigned char)byte;

    if (text->state == STRING_ESCAPE) {
        text->state = byte == '\\' ? TEXT : ESCAPE;
        if (text->state == ESCAPE)
            step(feeding, byte);
    } else if (text->state == STRING) {
        text->state = value == 7 || value == 0x18 || value == 0x1A ? TEXT
                      : value == 0x1B                              ? STRING_ESCAPE
                                                                   : STRING;
    } else if (value < 0x20) {
        step_control_byte(feeding, byte);
    } else if (text->state == ESCAPE) {
        step_escape(feeding, byte);
    } else if (text->state == ESCAPE_MIDDLE) {
        text->state = value >= '0' ? TEXT : ESCAPE_MIDDLE;
    } else if (text->state == CONTROL) {
        step_control(feeding, byte);
    }
}

/* ---- text ---- */

/* How many bytes from here on are neither control characters nor DEL. */
static size_t plain(const char *bytes, size_t length)
{
    size_t at = 0;

    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word, del;
        memcpy(&word, bytes + at, sizeof word);
        del = word ^ ONES * 0x7F;
        if ((((word - ONES * 0x20) & ~word) | ((del - ONES) & ~del)) & HIGHS)
            break;
    }
    while (at < length && (unsigned char)bytes[at] >= 0x20 && bytes[at] != 0x7F)
        at++;
    return at;
}

int recording_text_feed(struct recording_text *text, const char *bytes, size_t length,
                        int (*line)(void *argument, const char *bytes, size_t length), void *argument)
{
    struct feeding feeding = {.text = text, .line = line, .argument = argument};

    for (size_t at = 0; at < length && feeding.result == 0;) {
        if (text->state == TEXT) {
            size_t run = plain(bytes + at, length - at);
            if (run > 0)
                put_text(&feeding, bytes + at, run);
            at += run;
            if (at == length)
                break;
        }
        step(&feeding, bytes[at++]);
    }
    return feeding.result;
}

int recording_text_end(struct recording_text *text,
                       int (*line)(void *argument, const char *bytes, size_t length), void *argument)
{
    struct feeding feeding = {.text = text, .line = line, .argument = argument};

    text->state = TEXT;
    leave_row(&feeding);
    return feeding.result;
}
