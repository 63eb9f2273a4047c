/* The transcript that ganger draws: what is in it, and what never is. */
#include <stdlib.h>

#include "agent/drawing.h"
#include "base/utf8.h"
#include "term/width.h"
#include "test.h"

struct board {
    struct drawing *drawing;
    struct buffer out;
    int cols;
};

static void board_begin(struct board *board, int cols)
{
    *board = (struct board){.drawing = drawing_create(), .cols = cols};
    buffer_append_string(&board->out, "");
}

static void board_end(struct board *board)
{
    drawing_destroy(board->drawing);
    buffer_finish(&board->out);
}

static void draw(struct board *board, struct observation told)
{
    drawing_observe(board->drawing, &told, board->cols, &board->out);
}

static void say(struct board *board, enum observation_kind kind, const char *text)
{
    draw(board, (struct observation){.kind = kind, .text = text});
}

/* What was drawn since the last call: SGR sequences as {2;3}, line ends as \n. */
static const char *drawn(struct board *board)
{
    static char text[262144];
    size_t used = 0;

    for (size_t i = 0; i < board->out.length && used + 2 < sizeof text; i++) {
        char byte = board->out.bytes[i];
        if (byte == '\r')
            continue;
        if (byte == '\x1b' && board->out.bytes[i + 1] == '[') {
            size_t length = strspn(board->out.bytes + i + 2, "0123456789;");
            if (board->out.bytes[i + 2 + length] != 'm')
                continue;
            text[used++] = '{';
            memcpy(text + used, board->out.bytes + i + 2, length);
            used += length;
            text[used++] = '}';
            i += 2 + length;
        } else {
            text[used++] = byte;
        }
    }
    text[used] = '\0';
    buffer_clear(&board->out);
    return text;
}

/* The same without styles. */
static const char *plain(struct board *board)
{
    static char text[262144];
    const char *from = drawn(board);
    size_t used = 0;

    for (; *from != '\0'; from++) {
        if (*from == '{' && from[strspn(from + 1, "0123456789;") + 1] == '}')
            from += strspn(from + 1, "0123456789;") + 1;
        else
            text[used++] = *from;
    }
    text[used] = '\0';
    return text;
}

static void end(struct board *board)
{
    draw(board, (struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = "completed"});
}

TEST(text_is_wrapped_at_words)
{
    struct board board;

    board_begin(&board, 20);
    say(&board, OBSERVED_TEXT, "The quick brown fox jumps ov");
    CHECK_STRING(plain(&board), "The quick brown fox\njumps");
    say(&board, OBSERVED_TEXT, "er the lazy dog.\n\n\n\nIncomprehensibilities-are-long\n");
    end(&board);
    CHECK_STRING(plain(&board), " over the lazy\ndog.\n\nIncomprehensibilitie\ns-are-long\n");
    board_end(&board);
}

TEST(markdown_becomes_styles)
{
    struct board board;

    board_begin(&board, 60);
    say(&board, OBSERVED_TEXT, "# Head\na **bold** b `co**de` c 2 ** 3 * 4\n```sh\n  x  `y` **z**\n```\nend");
    end(&board);
    CHECK_STRING(drawn(&board),
                 "{0;1}Head{0}\na {0;1}bold{0} b {0;36}co**de{0} c 2 ** 3 * 4\n```sh\n  x  `y` **z**\n"
                 "```\nend\n");
    board_end(&board);
}

TEST(prompts_thoughts_and_text_are_told_apart)
{
    struct board board;

    board_begin(&board, 40);
    say(&board, OBSERVED_TURN_STARTED, "do\nthis");
    say(&board, OBSERVED_THINKING, "hm");
    say(&board, OBSERVED_TEXT, "yes");
    end(&board);
    CHECK_STRING(drawn(&board), "{1;36}\xE2\x9D\xAF{0} {0;1}do{0}\n  {0;1}this{0}\n\n{0;2;3}hm{0}\n\nyes\n");
    board_end(&board);
}

static void call(struct board *board, const char *id, const char *name, const char *line)
{
    draw(board, (struct observation){.kind = OBSERVED_TOOL_CALL, .id = id, .name = name, .text = line});
}

static void result(struct board *board, const char *id, const char *text, bool failed)
{
    draw(board, (struct observation){.kind = OBSERVED_TOOL_RESULT, .id = id, .text = text, .failed = failed});
}

TEST(a_tool_and_its_result)
{
    struct board board;

    board_begin(&board, 30);
    call(&board, "1", "Bash", "seq 1 20 and some more words of it");
    result(&board, "1", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", false);
    CHECK_STRING(plain(&board), "\xE2\x97\x8F Bash  seq 1 20 and some mor\xE2\x80\xA6\n"
                                "  \xE2\x8E\xBF 1\n    2\n    3\n    4\n    5\n    6\n    7\n    8\n"
                                "    \xE2\x80\xA6 3 more lines\n");
    call(&board, "2", "Bash", "false");
    result(&board, "2", "\x1b[1mno\x1b[0m way\r\n50%\r100%", true);
    CHECK_STRING(drawn(&board), "\n{34}\xE2\x97\x8F{0} {1}Bash{0}  false\n"
                                "{2}  \xE2\x8E\xBF {0}{31}no way{0}\n    {31}100%{0}\n");
    call(&board, "3", "Quiet", NULL);
    result(&board, "3", "", false);
    CHECK_STRING(plain(&board), "\n\xE2\x97\x8F Quiet\n");
    board_end(&board);
}

TEST(results_that_come_later_name_their_tool)
{
    struct board board;

    board_begin(&board, 40);
    call(&board, "1", "Read", "a");
    call(&board, "2", "Grep", "b");
    (void)plain(&board);
    result(&board, "1", "first", false);
    CHECK_STRING(plain(&board), "\xE2\x97\x8B Read\n  \xE2\x8E\xBF first\n");
    result(&board, "2", "second", false);
    CHECK_STRING(plain(&board), "  \xE2\x8E\xBF second\n");
    board_end(&board);
}

TEST(diffs_have_colours)
{
    json_t *input = json_pack("{ss}", "diff", "@@ -1,2 +1,2 @@\n same\n-old\n+new\n@@ -9 +9 @@\n+more\n");
    struct board board;

    board_begin(&board, 40);
    call(&board, "1", "Edit", "x.c");
    (void)drawn(&board);
    draw(&board, (struct observation){
                     .kind = OBSERVED_FILE, .id = "1", .text = "x.c", .outcome = "modified", .input = input});
    result(&board, "1", "The file x.c has been updated.", false);
    CHECK_STRING(drawn(&board),
                 "{2}  \xE2\x8E\xBF {0}{1}modified x.c  +2 \xE2\x88\x92"
                 "1{0}\n    {2} same{0}\n    {31}-old{0}\n    {32}+new{0}\n    {2}\xE2\x8B\xAE{0}\n"
                 "    {32}+more{0}\n");
    board_end(&board);
    json_decref(input);
}

TEST(lists_have_boxes)
{
    json_t *list = json_pack("[{ssss}{ssss}{ssss}]", "text", "a", "state", "done", "text", "b", "state",
                             "active", "text", "c", "state", "pending");
    struct board board;

    board_begin(&board, 40);
    call(&board, "1", "TodoWrite", "[]");
    draw(&board, (struct observation){.kind = OBSERVED_TODO, .input = list});
    result(&board, "1", "Todos have been modified", false);
    CHECK_STRING(plain(&board), "To do\n  \xE2\x98\x91 a\n  \xE2\x96\xB8 b\n  \xE2\x98\x90 c\n");
    board_end(&board);
    json_decref(list);
}

TEST(questions_and_answers)
{
    json_t *choices = json_pack("[ss]", "Yes", "No");
    struct board board;

    board_begin(&board, 40);
    call(&board, "t", "Bash", "rm x");
    draw(&board, (struct observation){.kind = OBSERVED_APPROVAL,
                                      .id = "1",
                                      .request = "permission",
                                      .text = "Bash  rm x",
                                      .choices = choices});
    draw(&board, (struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = "1", .outcome = "approved"});
    result(&board, "t", "gone", false);
    CHECK_STRING(plain(&board),
                 "\xE2\x97\x8F Bash  rm x\n\n? Bash  rm x\n  1. Yes\n  2. No\n  \xE2\x9C\x93 approved\n"
                 "  \xE2\x8E\xBF gone\n");
    board_end(&board);
    json_decref(choices);
}

TEST(subagents_stand_behind_a_bar)
{
    struct board board;

    board_begin(&board, 20);
    draw(&board, (struct observation){
                     .kind = OBSERVED_TEXT, .parent = "k", .text = "inside of the subagent", .whole = true});
    draw(&board, (struct observation){
                     .kind = OBSERVED_TOOL_CALL, .parent = "k", .id = "1", .name = "Bash", .text = "ls"});
    CHECK_STRING(plain(&board),
                 "\xE2\x94\x82 inside of the\n\xE2\x94\x82 subagent\n\xE2\x94\x82 \n\xE2\x94\x82 "
                 "\xE2\x97\x8F Bash  ls\n");
    board_end(&board);
}

TEST(the_turn_is_summed_up)
{
    struct observation usage = {.kind = OBSERVED_USAGE,
                                .usage = {.input_tokens = 1000,
                                          .output_tokens = 20,
                                          .cache_read_tokens = 345,
                                          .cache_write_tokens = -1,
                                          .cost_usd = 0.5,
                                          .context_pct = -1}};
    struct observation over = {.kind = OBSERVED_TURN_ENDED, .outcome = "completed", .duration_ms = 2340};
    struct board board;

    board_begin(&board, 80);
    draw(&board, usage);
    draw(&board, over);
    CHECK_STRING(plain(&board), "1,345 tokens in \xC2\xB7 20 out \xC2\xB7 $0.5000 \xC2\xB7 2.3 s\n");
    usage.usage.output_tokens = 25;
    over.duration_ms = 0;
    over.outcome = "cancelled";
    draw(&board, usage);
    draw(&board, over);
    CHECK_STRING(plain(&board), "interrupted\n\n5 out\n");
    board_end(&board);
}

/* ---- anything ---- */

static const char *const nasty = "\x1b[2J\x1b]0;title\a\xC2\x9B"
                                 "31m\x07\b\r \x1b[31mred \x1b(B\x7F tab\there \xE4\xBD\xA0\xE5\xA5\xBD"
                                 "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB e\xCC\x81 **b** `c` # "
                                 "```\n```\n\n \xF0\x9F\x87\xA9\xF0\x9F\x87\xAA"
                                 "averyveryveryveryveryveryveryverylongword \xFF end";

static void everything(struct board *board, const char *text)
{
    json_t *list = json_pack("[{s:s, s:s}]", "text", "item", "state", "active");
    json_t *diff = json_pack("{s:s}", "diff", "+\x1b[2J x\n-\ty\n");
    json_t *choices = json_pack("[s]", "Yes \x1b[2J");

    for (int kind = OBSERVED_SESSION; kind <= OBSERVED_UNKNOWN; kind++) {
        struct observation told = {.kind = (enum observation_kind)kind,
                                   .text = text,
                                   .name = text,
                                   .outcome = text,
                                   .request = "permission",
                                   .id = "1",
                                   .parent = kind % 3 == 0 ? "p" : NULL,
                                   .choices = choices,
                                   .until_ms = 1000,
                                   .input = kind == OBSERVED_TODO ? list : diff,
                                   .failed = true};
        draw(board, told);
        told.failed = false;
        told.whole = true;
        draw(board, told);
    }
    drawing_line(board->drawing, DRAWING_STDERR, text, strlen(text), board->cols, &board->out);
    drawing_line(board->drawing, DRAWING_UNREAD, text, strlen(text), board->cols, &board->out);
    json_decref(list);
    json_decref(diff);
    json_decref(choices);
}

TEST(nothing_but_our_own_sequences_passes)
{
    struct board board;

    for (int cols = 1; cols < 120; cols += 7) {
        board_begin(&board, cols);
        everything(&board, nasty);
        CHECK(utf8_valid(board.out.bytes, board.out.length));
        CHECK(strstr(board.out.bytes, "\xC2\x9B") == NULL);
        for (size_t i = 0; i < board.out.length; i++) {
            unsigned char byte = (unsigned char)board.out.bytes[i];
            if (byte == 0x1B) {
                size_t length = strspn(board.out.bytes + i + 2, "0123456789;");
                CHECK(board.out.bytes[i + 1] == '[' && board.out.bytes[i + 2 + length] == 'm');
            } else if (byte == '\r') {
                CHECK(board.out.bytes[i + 1] == '\n');
            } else {
                CHECK((byte >= 0x20 && byte != 0x7F) || byte == '\n');
            }
        }
        board_end(&board);
    }
}

TEST(rows_fit_the_columns)
{
    struct board board;

    for (int cols = 12; cols < 120; cols++) {
        const char *row;
        board_begin(&board, cols);
        everything(&board, nasty);
        row = plain(&board);
        while (*row != '\0') {
            size_t length = strcspn(row, "\n");
            if (width_of_text(row, length) > cols)
                printf("# %d: %.*s\n", cols, (int)length, row);
            CHECK(width_of_text(row, length) <= cols);
            row += length + (row[length] == '\n');
        }
        board_end(&board);
    }
}

TEST(pieces_draw_what_the_whole_does)
{
    static const char text[] =
        "Some **bold words** and `code` \xE4\xBD\xA0\xE5\xA5\xBD, a list:\n- one\n- two **three\n"
        "```c\nint x;\n```\n# Heading `x`\nlast *word* here";
    struct board whole, pieces;
    size_t length = strlen(text);

    for (int cols = 8; cols < 40; cols += 5) {
        board_begin(&whole, cols);
        board_begin(&pieces, cols);
        say(&whole, OBSERVED_TEXT, text);
        end(&whole);
        for (size_t at = 0; at < length;) {
            uint32_t code;
            char piece[8] = "";
            int used = utf8_decode(text + at, length - at, &code);
            memcpy(piece, text + at, (size_t)used);
            say(&pieces, OBSERVED_TEXT, piece);
            at += (size_t)used;
        }
        end(&pieces);
        CHECK_STRING(pieces.out.bytes, whole.out.bytes);
        board_end(&whole);
        board_end(&pieces);
    }
}

TEST_MAIN
