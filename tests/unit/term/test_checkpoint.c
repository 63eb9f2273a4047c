/* Restoring a checkpoint at any cut and going on must equal the run that was not interrupted. */
#include <glob.h>
#include <stdlib.h>

#include <jansson.h>

#include "test.h"

#include "base/error.h"
#include "base/path.h"
#include "tests/term/terminal_check.h"

struct run {
    struct terminal *terminal;
    struct buffer replies;
};

static void on_reply(void *argument, const char *bytes, size_t length)
{
    struct run *run = argument;

    buffer_append(&run->replies, bytes, length);
}

static struct terminal_options options_of(struct run *run, int cols, int rows)
{
    static const struct terminal_calls calls = {.reply = on_reply};

    return (struct terminal_options){
        .cols = cols, .rows = rows, .scrollback_lines = 300, .calls = &calls, .argument = run};
}

/* The output of a recording, and its size. */
static bool load_cast(const char *path, struct buffer *output, int *cols, int *rows)
{
    struct error error;
    char *text, *at, *end;
    size_t length;

    if (path_read_file(path, 8 << 20, &text, &length, &error) < 0)
        return false;
    for (at = text; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        json_t *value = json_loadb(at, (size_t)(end - at), 0, NULL);
        if (json_is_object(value)) {
            *cols = (int)json_integer_value(json_object_get(value, "width"));
            *rows = (int)json_integer_value(json_object_get(value, "height"));
        } else if (json_is_array(value) && strcmp(json_string_value(json_array_get(value, 1)), "o") == 0) {
            buffer_append(output, json_string_value(json_array_get(value, 2)),
                          json_string_length(json_array_get(value, 2)));
        }
        json_decref(value);
    }
    free(text);
    return output->length > 0;
}

static struct terminal *restored(struct run *run)
{
    struct buffer saved = {0};
    struct terminal_options options = options_of(run, 1, 1);
    struct terminal *loaded;

    terminal_save(run->terminal, &saved);
    loaded = terminal_load(&options, saved.bytes, saved.length, NULL);
    buffer_finish(&saved);
    return loaded;
}

/* Returns what differs, or NULL. */
static const char *cut_and_go_on(const struct buffer *output, int cols, int rows, unsigned seed)
{
    struct run straight = {0}, cut = {0};
    struct terminal_options options = options_of(&straight, cols, rows);
    const char *wrong = NULL;
    size_t until, at = 0;

    srand(seed);
    straight.terminal = terminal_create(&options);
    options.argument = &cut;
    cut.terminal = terminal_create(&options);
    terminal_write(straight.terminal, output->bytes, output->length);
    while (at < output->length && wrong == NULL) {
        struct terminal *loaded;
        until = at + 1 + (size_t)rand() % (output->length / 3);
        if (until > output->length)
            until = output->length;
        terminal_write(cut.terminal, output->bytes + at, until - at);
        at = until;
        while (at < output->length && !terminal_at_ground(cut.terminal))
            terminal_write(cut.terminal, output->bytes + at++, 1);
        loaded = restored(&cut);
        wrong = loaded == NULL ? "not loaded" : check_same(cut.terminal, loaded);
        terminal_destroy(cut.terminal);
        cut.terminal = loaded;
    }
    if (wrong == NULL)
        wrong = check_same(straight.terminal, cut.terminal);
    if (wrong == NULL && (straight.replies.length != cut.replies.length ||
                          (straight.replies.length > 0 &&
                           memcmp(straight.replies.bytes, cut.replies.bytes, cut.replies.length) != 0)))
        wrong = "replies differ";
    terminal_destroy(straight.terminal);
    terminal_destroy(cut.terminal);
    buffer_finish(&straight.replies);
    buffer_finish(&cut.replies);
    return wrong;
}

TEST(recordings_of_agents_cut_anywhere)
{
    glob_t files;
    const char *wrong = NULL;

    CHECK(glob("tests/captures/*.cast", 0, NULL, &files) == 0);
    for (size_t i = 0; i < files.gl_pathc && wrong == NULL; i++) {
        struct buffer output = {0};
        int cols = 80, rows = 24;
        if (!load_cast(files.gl_pathv[i], &output, &cols, &rows))
            wrong = files.gl_pathv[i];
        for (unsigned seed = 0; seed < 4 && wrong == NULL; seed++)
            wrong = cut_and_go_on(&output, seed % 2 == 0 ? cols : 40, seed % 2 == 0 ? rows : 9, seed);
        buffer_finish(&output);
    }
    globfree(&files);
    CHECK_STRING(wrong == NULL ? "" : wrong, "");
}

static const char *cut_bytes(const char *before, const char *after)
{
    struct buffer output = {0};
    struct run straight = {0}, cut = {0};
    struct terminal_options options = options_of(&straight, 20, 5);
    const char *wrong;

    straight.terminal = terminal_create(&options);
    options.argument = &cut;
    cut.terminal = terminal_create(&options);
    terminal_write(straight.terminal, before, strlen(before));
    terminal_write(cut.terminal, before, strlen(before));
    terminal_destroy(cut.terminal);
    cut.terminal = restored(&straight);
    if (cut.terminal == NULL)
        return "not loaded";
    buffer_clear(&straight.replies);
    terminal_write(straight.terminal, after, strlen(after));
    terminal_write(cut.terminal, after, strlen(after));
    wrong = check_same(straight.terminal, cut.terminal);
    terminal_destroy(straight.terminal);
    terminal_destroy(cut.terminal);
    buffer_finish(&straight.replies);
    buffer_finish(&cut.replies);
    buffer_finish(&output);
    return wrong == NULL ? "" : wrong;
}

TEST(hidden_state)
{
    CHECK_STRING(cut_bytes("12345678901234567890", "x"), "");
    CHECK_STRING(cut_bytes("\033[2;4r\033[?6h\033[2;2H", "x\n\n\n\033[Hy"), "");
    CHECK_STRING(cut_bytes("\033(0\033)B\016", "qqq\017qqq"), "");
    CHECK_STRING(cut_bytes("\033[3;4H\033[1;31m\0337\033[m", "\0338x"), "");
    CHECK_STRING(cut_bytes("\033[3g\033[5G\033H\r", "\tx\ty"), "");
    CHECK_STRING(cut_bytes("\033[20h\033[4h", "a\nb\rc"), "");
    CHECK_STRING(cut_bytes("e", "\xCC\x81"), "");
    CHECK_STRING(cut_bytes("\xF0\x9F\x91\xA9\xE2\x80\x8D", "\xF0\x9F\x92\xBBx"), "");
    CHECK_STRING(cut_bytes("ab", "\033[3b"), "");
    CHECK_STRING(cut_bytes("one\033[?1049htwo\033[>3u", "\033[?1049lthree\033[?u"), "");
    CHECK_STRING(cut_bytes("\033]2;a\a\033[22t\033]2;b\a", "\033[23t"), "");
    CHECK_STRING(cut_bytes("\033]8;;http://x/\a", "linked"), "");
    CHECK_STRING(cut_bytes("123456789012345678901234\r\n\n\n\n\n", "x\r\ny"), "");
    CHECK_STRING(cut_bytes("\033[?7l\033[?25l\033[4 q\033[?1003;1006;2026h", "123456789012345678901234"), "");
}

TEST(damage_is_noticed)
{
    struct run run = {0};
    struct terminal_options options = options_of(&run, 20, 5);
    struct buffer saved = {0};
    struct error error;

    run.terminal = terminal_create(&options);
    terminal_write(run.terminal, "some text\r\nmore\033[31m", 20);
    terminal_save(run.terminal, &saved);
    for (size_t i = 0; i < saved.length; i++) {
        saved.bytes[i] ^= 0x10;
        CHECK(terminal_load(&options, saved.bytes, saved.length, &error) == NULL);
        saved.bytes[i] ^= 0x10;
        CHECK(terminal_load(&options, saved.bytes, i, &error) == NULL);
    }
    terminal_destroy(run.terminal);
    buffer_finish(&saved);
}

TEST(the_title_is_told)
{
    struct run run = {0};
    struct terminal_options options = options_of(&run, 20, 5);
    struct terminal *loaded;

    run.terminal = terminal_create(&options);
    terminal_write(run.terminal, "\033]2;name\a", 9);
    loaded = restored(&run);
    CHECK(loaded != NULL);
    CHECK_STRING(terminal_title(loaded), "name");
    CHECK(terminal_epoch(loaded) != terminal_epoch(run.terminal));
    terminal_destroy(loaded);
    terminal_destroy(run.terminal);
}

/* The text of the screen and of the scrollback. */
static void append_run(void *argument, const struct line_run *run)
{
    buffer_append(argument, run->text, run->length);
}

static void text_of(const struct terminal *terminal, struct buffer *out)
{
    for (uint64_t line = terminal_scrollback_first(terminal); line < terminal_scrollback_end(terminal);
         line++) {
        (void)terminal_scrollback_line(terminal, line, append_run, out);
        buffer_append_char(out, '\n');
    }
    terminal_text(terminal, out);
}

TEST(secrets_are_not_saved)
{
    static const char key[] = "sk-secret-0123456789";
    struct terminal_options options = {.cols = 16, .rows = 3, .scrollback_lines = 100};
    struct terminal *terminal = terminal_create(&options), *loaded;
    struct mask *mask = mask_create();
    struct buffer saved = {0}, live = {0}, restored = {0};
    struct masked_cells *cells;

    (void)mask_add(mask, key, strlen(key));
    for (int i = 0; i < 4; i++)
        terminal_write(terminal, "a sk-secret-0123456789 b\r\n", 26);
    terminal_write(terminal, "\033]2;sk-secret-0123456789\007", 25);
    terminal_compact(terminal);
    cells = terminal_mask(terminal, mask);
    terminal_save_masked(terminal, mask, &saved);
    terminal_unmask(cells);
    text_of(terminal, &live);
    loaded = terminal_load(&options, saved.bytes, saved.length, NULL);
    CHECK(loaded != NULL);
    text_of(loaded, &restored);
    CHECK(strstr(live.bytes, key) != NULL);
    CHECK(strstr(live.bytes, "a sk-secret-0123\n456789 b\n") != NULL);
    CHECK(strstr(restored.bytes, "a ********************") != NULL);
    CHECK(strstr(restored.bytes, "a **************\n****** b\n") != NULL);
    CHECK(strstr(restored.bytes, "sk-") == NULL && strstr(restored.bytes, "6789") == NULL);
    CHECK_STRING(terminal_title(loaded), "********************");
    terminal_destroy(loaded);
    terminal_destroy(terminal);
    mask_destroy(mask);
    buffer_finish(&saved);
    buffer_finish(&live);
    buffer_finish(&restored);
}

TEST_MAIN
