#include "rpc/frame.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"
#include "test.h"

/* ---- a handler that writes down what it is told ---- */

static void note_head(void *out, const struct frame_head *head)
{
    buffer_printf(out, "head %llu %llu %d %u %dx%d\n", (unsigned long long)head->frame,
                  (unsigned long long)head->base, head->more, head->attempt, head->cols, head->rows);
}

static void note_style(void *out, const struct frame_style *style)
{
    buffer_printf(out, "style %u %x %x %x %x %u <%s>\n", style->id, style->foreground, style->background,
                  style->underline_color, style->attributes, style->underline,
                  style->link == NULL ? "-" : style->link);
}

static void note_scroll(void *out, int top, int bottom, int n)
{
    buffer_printf(out, "scroll %d %d %d\n", top, bottom, n);
}

static void note_line(void *out, int64_t y)
{
    buffer_printf(out, "line %lld\n", (long long)y);
}

static void note_run(void *out, uint32_t style, int width, const char *text, size_t length)
{
    buffer_printf(out, "run %u %d <%.*s>\n", style, width, (int)length, text);
}

static void note_line_end(void *out, bool wrapped)
{
    buffer_printf(out, "end %d\n", wrapped);
}

static void note_cursor(void *out, const struct frame_cursor *cursor)
{
    buffer_printf(out, "cursor %d %d %d %d %d\n", cursor->x, cursor->y, cursor->visible, cursor->shape,
                  cursor->blink);
}

static void note_modes(void *out, const struct frame_modes *modes)
{
    buffer_printf(out, "modes %d %d %d %d %d %u %u %d %d\n", modes->alternate_screen,
                  modes->application_cursor, modes->application_keypad, modes->bracketed_paste,
                  modes->focus_events, modes->modify_other_keys, modes->kitty_flags, modes->mouse_mode,
                  modes->mouse_encoding);
}

static void note_title(void *out, const char *title)
{
    buffer_printf(out, "title <%s>\n", title);
}

static const struct frame_handler notes = {note_head,     note_style,  note_scroll, note_line, note_run,
                                           note_line_end, note_cursor, note_modes,  note_title};

/* ---- random frames: written, and noted as they should be read ---- */

static unsigned long long seed;

static unsigned pick(unsigned below)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % below;
}

static const char *const narrow[] = {"a", "Z", " ", "\"", "\\", "/", "~", "é", "ß", "─", "Ω"};
static const char *const wide[] = {"日", "本", "語", "😀", "漢"};
static const char *const clusters[] = {"e\xCC\x81", "👩‍👩‍👧", "🇩🇪", "❤️"};

#define PICK(array) ((array)[pick(sizeof(array) / sizeof((array)[0]))])

static void random_styles(struct frame_writer *writer, struct buffer *expected)
{
    static const uint32_t colors[] = {
        FRAME_COLOR_DEFAULT,       0, 7, 255, FRAME_COLOR_RGB, FRAME_COLOR_RGB | 0xFFFFFF,
        FRAME_COLOR_RGB | 0x12AB0F};
    static const char *const links[] = {NULL, "https://example.org/?q=\"a\\b\"", "file:///tmp/ä", ""};

    for (unsigned i = pick(5); i > 0; i--) {
        struct frame_style style = {.id = 1 + pick(1 << 20),
                                    .foreground = PICK(colors),
                                    .background = PICK(colors),
                                    .underline_color = PICK(colors),
                                    .attributes = (uint16_t)pick(256),
                                    .underline = (uint8_t)pick(6),
                                    .link = PICK(links)};
        frame_style(writer, &style);
        note_style(expected, &style);
    }
}

/* Adds one glyph at a time; the writer joins what belongs together, and so does this. */
static void random_line(struct frame_writer *writer, struct buffer *expected, int y, int cols)
{
    struct buffer run;
    int room = cols, run_style = -1, run_width = 0;
    bool wrapped = pick(3) == 0;

    buffer_init(&run);
    frame_line_begin(writer, y);
    note_line(expected, y);
    for (unsigned i = pick(2 * (unsigned)cols); i > 0 && room >= 2; i--) {
        int kind = (int)pick(8), style = (int)pick(2), width = kind == 0 ? -2 : kind == 1 ? 2 : 1;
        const char *glyph = kind == 0 ? PICK(clusters) : kind == 1 ? PICK(wide) : PICK(narrow);
        if (run.length > 0 && (style != run_style || width != run_width || width < 0)) {
            note_run(expected, (uint32_t)run_style, run_width, run.bytes, run.length);
            buffer_clear(&run);
        }
        run_style = style;
        run_width = width;
        buffer_append_string(&run, glyph);
        frame_run(writer, (uint32_t)style, width, glyph, strlen(glyph));
        room -= abs(width);
    }
    if (run.length > 0)
        note_run(expected, (uint32_t)run_style, run_width, run.bytes, run.length);
    frame_line_end(writer, wrapped);
    note_line_end(expected, wrapped);
    buffer_finish(&run);
}

static void random_frame(struct buffer *line, struct buffer *expected)
{
    struct frame_head head = {pick(1u << 31), pick(2) ? 0 : pick(1u << 31), pick(2),
                              pick(5),        (int)pick(200) + 2,           (int)pick(60) + 2};
    struct frame_writer writer;

    frame_begin(&writer, line, &head);
    note_head(expected, &head);
    random_styles(&writer, expected);
    if (pick(2)) {
        int top = (int)pick((unsigned)head.rows - 1),
            bottom = top + 1 + (int)pick((unsigned)(head.rows - top));
        int n = (int)pick((unsigned)(bottom - top) + 1) * (pick(2) ? 1 : -1);
        frame_scroll(&writer, top, bottom, n);
        note_scroll(expected, top, bottom, n);
    }
    for (unsigned i = pick(6); i > 0; i--)
        random_line(&writer, expected, (int)pick((unsigned)head.rows), head.cols);
    if (pick(2)) {
        struct frame_cursor cursor = {(int)pick((unsigned)head.cols), (int)pick((unsigned)head.rows), pick(2),
                                      pick(2), (int)pick(4)};
        frame_cursor(&writer, &cursor);
        note_cursor(expected, &cursor);
    }
    if (pick(2)) {
        struct frame_modes modes = {pick(2), pick(2),  pick(2),      pick(2),     pick(2),
                                    pick(3), pick(32), (int)pick(4), (int)pick(3)};
        frame_modes(&writer, &modes);
        note_modes(expected, &modes);
    }
    if (pick(2)) {
        static const char *const titles[] = {"", "✳ a title", "with \"quotes\" and \\"};
        const char *title = PICK(titles);
        frame_title(&writer, title);
        note_title(expected, title);
    }
    (void)frame_end(&writer);
}

/* Reads a copy, so that the sanitizer sees every byte outside of it. */
static int read_copy(const char *bytes, size_t length, struct buffer *out)
{
    struct error error;
    char *copy = xmalloc(length);
    int result;

    memcpy(copy, bytes, length);
    result = frame_read(copy, length, &notes, out, &error);
    free(copy);
    return result;
}

static bool reads_as(const char *bytes, size_t length, const struct buffer *expected)
{
    struct buffer got;
    bool same;

    buffer_init(&got);
    same = read_copy(bytes, length, &got) == 0 && got.length == expected->length &&
           memcmp(got.bytes, expected->bytes, got.length) == 0;
    buffer_finish(&got);
    return same;
}

TEST(what_is_written_is_read)
{
    for (int i = 0; i < 500; i++) {
        struct buffer line, expected;
        buffer_init(&line);
        buffer_init(&expected);
        seed = (unsigned long long)i;
        random_frame(&line, &expected);
        CHECK(frame_is(line.bytes, line.length));
        CHECK(reads_as(line.bytes, line.length, &expected));
        CHECK(reads_as(line.bytes, line.length - 1, &expected));
        buffer_finish(&line);
        buffer_finish(&expected);
    }
}

TEST(other_shapes_of_the_same_json_read_the_same)
{
    static const size_t flags[] = {JSON_SORT_KEYS | JSON_COMPACT, JSON_ENSURE_ASCII | JSON_COMPACT,
                                   JSON_ESCAPE_SLASH | JSON_INDENT(2), JSON_ENSURE_ASCII};
    for (int i = 0; i < 150; i++) {
        struct buffer line, expected;
        json_t *message;
        buffer_init(&line);
        buffer_init(&expected);
        seed = (unsigned long long)i;
        random_frame(&line, &expected);
        message = json_loadb(line.bytes, line.length, 0, NULL);
        CHECK(message != NULL);
        for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++) {
            char *other = json_dumps(message, flags[k]);
            bool same_order = (flags[k] & JSON_SORT_KEYS) == 0 || strstr(other, "\"styles\":{\"") == NULL;
            if (same_order)
                CHECK(reads_as(other, strlen(other), &expected));
            free(other);
        }
        json_decref(message);
        buffer_finish(&line);
        buffer_finish(&expected);
    }
}

TEST(a_wrong_line_calls_nothing)
{
    for (int i = 0; i < 60; i++) {
        struct buffer line, expected, got;
        buffer_init(&line);
        buffer_init(&expected);
        buffer_init(&got);
        seed = (unsigned long long)i;
        random_frame(&line, &expected);
        for (int k = 0; k < 20; k++) {
            size_t cut = pick((unsigned)line.length - 1);
            if (cut > 0)
                CHECK_NUMBER(read_copy(line.bytes, cut == line.length - 1 ? cut - 1 : cut, &got), -1);
            CHECK_NUMBER(got.length, 0);
        }
        for (int k = 0; k < 50; k++) {
            size_t at = pick((unsigned)line.length);
            char kept = line.bytes[at];
            line.bytes[at] = (char)pick(256);
            if (read_copy(line.bytes, line.length, &got) < 0)
                CHECK_NUMBER(got.length, 0);
            buffer_clear(&got);
            line.bytes[at] = kept;
        }
        buffer_finish(&line);
        buffer_finish(&expected);
        buffer_finish(&got);
    }
}

#define HEAD                                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"method\":\"screen\",\"params\":{\"frame\":1,\"base\":0,\"more\":false,"          \
    "\"attempt\":1,"                                                                                         \
    "\"cols\":10,\"rows\":4"

TEST(values_out_of_range_are_refused)
{
    static const char *const bad[] = {
        HEAD ",\"lines\":[[4,[]]]}}",
        HEAD ",\"lines\":[[-1,[]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"12345678901\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,2,\"123456\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,0,\"1\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,3,\"1\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,-11,\"1\"]]]]}}",
        HEAD ",\"lines\":[[0,[[16777216,1,\"1\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"\\u001b[2J\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"\\u0000\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"\xC2\x9B\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"\xFF\"]]]]}}",
        HEAD ",\"lines\":[[0,[[0,1,\"\\ud800\"]]]]}}",
        HEAD ",\"scroll\":[2,2,1]}}",
        HEAD ",\"scroll\":[0,5,1]}}",
        HEAD ",\"scroll\":[0,2,3]}}",
        HEAD ",\"cursor\":[10,0,true,1,true]}}",
        HEAD ",\"cursor\":[0,4,true,1,true]}}",
        HEAD ",\"cursor\":[0,0,true,4,true]}}",
        HEAD ",\"styles\":{\"0\":{}}}}",
        HEAD ",\"styles\":{\"1\":{\"fg\":256}}}}",
        HEAD ",\"styles\":{\"1\":{\"fg\":\"#12345\"}}}}",
        HEAD ",\"styles\":{\"1\":{\"fg\":\"#12345g\"}}}}",
        HEAD ",\"styles\":{\"1\":{\"ul\":6}}}}",
        HEAD ",\"title\":\"a\\nb\"}}",
        HEAD "}",
        HEAD "}} x",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}",
        "[]",
        "null",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer got;
        int result;
        buffer_init(&got);
        result = read_copy(bad[i], strlen(bad[i]), &got);
        if (result != -1 || got.length != 0)
            TEST_FAIL("accepted: %s", bad[i]);
        buffer_finish(&got);
    }
}

TEST(escapes_are_decoded)
{
    static const char line[] =
        HEAD ",\"lines\":[[0,[[0,1,\"\\u00e9\\\"\\\\\\/x\"],[0,2,\"\\ud83d\\ude00\"]],1]]}}";
    struct buffer got;

    buffer_init(&got);
    CHECK_NUMBER(read_copy(line, sizeof line - 1, &got), 0);
    CHECK_STRING(got.bytes, "head 1 0 0 1 10x4\nline 0\nrun 0 1 <é\"\\/x>\nrun 0 2 <😀>\nend 1\n");
    buffer_finish(&got);
}

TEST(acknowledgements_and_input)
{
    static const char bad[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"session.input\",\"params\":{\"data\":\"a*==\"}}";
    struct buffer out, decoded;
    uint64_t frame = 0;
    char bytes[256];

    buffer_init(&out);
    buffer_init(&decoded);
    frame_write_ack(&out, 1234567890123);
    CHECK(frame_read_ack(out.bytes, out.length - 1, &frame));
    CHECK(frame == 1234567890123);
    CHECK(!frame_read_ack(out.bytes, out.length - 2, &frame));
    CHECK(!frame_read_input(out.bytes, out.length - 1, &decoded));
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        buffer_clear(&out);
        buffer_clear(&decoded);
        frame_write_input(&out, bytes, length);
        CHECK(frame_read_input(out.bytes, out.length - 1, &decoded));
        CHECK_NUMBER(decoded.length, length);
        CHECK(memcmp(decoded.bytes, bytes, length) == 0);
    }
    CHECK(!frame_read_input(bad, sizeof bad - 1, &decoded));
    buffer_finish(&out);
    buffer_finish(&decoded);
}

TEST_MAIN
