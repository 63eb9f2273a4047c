#include "command.h"
#include "test.h"

#include "cli/picture.h"

/* What print_table prints, with standard output in a file. */
static void caught(void (*print)(void))
{
    FILE *file = tmpfile();
    int kept;

    (void)fflush(stdout);
    kept = dup(STDOUT_FILENO);
    (void)dup2(fileno(file), STDOUT_FILENO);
    print();
    (void)fflush(stdout);
    (void)dup2(kept, STDOUT_FILENO);
    close(kept);
    (void)command_take(file, 0);
}

static void print_table(void)
{
    struct table *table = table_create(3, (const char *const[]){"NAME", "PHASE", "TITLE"});

    table_add(table, (const char *const[]){"api", "idle", "日本語 title"});
    table_add(table, (const char *const[]){"日本", "thinking", "\033[2Jescape\nline"});
    table_add(table, (const char *const[]){"e\xCC\x81x", "-", "\xFF"});
    table_print(table);
}

TEST(table_is_aligned_by_columns_and_clean)
{
    caught(print_table);
    CHECK_STRING(command_output, "NAME  PHASE     TITLE\n"
                                 "api   idle      日本語 title\n"
                                 "日本  thinking  ?[2Jescape?line\n"
                                 "e\xCC\x81x    -         ?\n");
}

TEST(prompts_are_checked)
{
    static const struct {
        const char *text;
        size_t length;
        int result;
    } cases[] = {{"hello", 5, 0},     {"two\nlines\tand é", 16, 0},
                 {"", 0, -1},         {"a\0b", 3, -1},
                 {"\033[31m", 5, -1}, {"a\rb", 3, -1},
                 {"\x7F", 1, -1},     {"\xC3", 1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_NUMBER(cli_check_prompt(cases[i].text, cases[i].length, NULL), cases[i].result);
}

static const char screen_text[] =
    "{\"cols\":12,\"rows\":4,\"styles\":{\"1\":{\"fg\":1,\"attr\":1},\"2\":{\"bg\":\"#102030\",\"ul\":3}},"
    "\"lines\":[[1,[[0,1,\"plain \"],[1,1,\"red\"],[0,1,\"  "
    "\"]]],[3,[[2,2,\"日\"],[0,-2,\"👩‍👧\"],[0,1,\"<&\"]]]]}";

TEST(a_screen_as_text)
{
    json_t *screen = json_loads(screen_text, 0, NULL);
    struct buffer out;

    CHECK(screen != NULL);
    buffer_init(&out);
    picture_text(screen, false, &out);
    CHECK_STRING(out.bytes, "\nplain red\n\n日👩‍👧<&\n");
    buffer_clear(&out);
    picture_text(screen, true, &out);
    CHECK(strstr(out.bytes, "\033[0;1;38;5;1mred") != NULL);
    CHECK(strstr(out.bytes, "\033[0;4:3;48;2;16;32;48m日") != NULL);
    buffer_clear(&out);
    picture_svg(screen, &out);
    CHECK(strncmp(out.bytes, "<svg ", 5) == 0);
    CHECK(strstr(out.bytes, "&lt;&amp;</text>") != NULL);
    CHECK(strstr(out.bytes, "fill=\"#102030\"") != NULL);
    buffer_finish(&out);
    json_decref(screen);
}

TEST_MAIN
