/* What a program asks of its terminal besides drawing. */
#include <stdlib.h>

#include "test.h"

#include "base/buffer.h"
#include "term/terminal.h"

static struct buffer heard;

static void on_bell(void *argument)
{
    (void)argument;
    buffer_append_string(&heard, "bell;");
}

static void on_title(void *argument, const char *title)
{
    (void)argument;
    buffer_printf(&heard, "title=%s;", title);
}

static void on_notify(void *argument, const char *title, const char *body)
{
    (void)argument;
    buffer_printf(&heard, "notify=%s/%s;", title, body);
}

static void on_progress(void *argument, int state, int percent)
{
    (void)argument;
    buffer_printf(&heard, "progress=%d/%d;", state, percent);
}

static void on_clipboard(void *argument, const char *base64, size_t length)
{
    (void)argument;
    buffer_printf(&heard, "clipboard=%.*s;", (int)length, base64);
}

static void on_status(void *argument, const char *payload, size_t length)
{
    (void)argument;
    buffer_printf(&heard, "status=%.*s;", (int)length, payload);
}

static void on_folder(void *argument, const char *uri)
{
    (void)argument;
    buffer_printf(&heard, "folder=%s;", uri);
}

static void on_mark(void *argument, char mark)
{
    (void)argument;
    buffer_printf(&heard, "mark=%c;", mark);
}

static void on_reset(void *argument)
{
    (void)argument;
    buffer_append_string(&heard, "reset;");
}

static void on_reply(void *argument, const char *bytes, size_t length)
{
    (void)argument;
    buffer_printf(&heard, "reply=%zu;", length);
    (void)bytes;
}

static const struct terminal_calls calls = {.reply = on_reply,
                                            .bell = on_bell,
                                            .title = on_title,
                                            .notify = on_notify,
                                            .progress = on_progress,
                                            .clipboard = on_clipboard,
                                            .program_status = on_status,
                                            .working_folder = on_folder,
                                            .prompt_mark = on_mark,
                                            .reset = on_reset};

static struct terminal *make(bool clipboard)
{
    struct terminal_options options = {
        .cols = 20, .rows = 5, .clipboard = clipboard, .calls = &calls, .scrollback_lines = 10};

    return terminal_create(&options);
}

/* What is heard when the bytes come, valid until the next call. */
static const char *hear(struct terminal *terminal, const char *bytes)
{
    static char text[8192];

    buffer_clear(&heard);
    terminal_write(terminal, bytes, strlen(bytes));
    (void)snprintf(text, sizeof text, "%s", heard.length > 0 ? heard.bytes : "");
    buffer_finish(&heard);
    return text;
}

TEST(titles)
{
    struct terminal *terminal = make(false);

    CHECK_STRING(hear(terminal, "\033]0;one\a\033]2;two\033\\\033]1;icon\a\033]2;two\a"),
                 "title=one;title=two;");
    CHECK_STRING(hear(terminal, "\033[22t\033]2;three\a\033[23t"), "title=three;title=two;");
    CHECK_STRING(terminal_title(terminal), "two");
    terminal_destroy(terminal);
}

TEST(a_title_is_bounded)
{
    struct terminal *terminal = make(false);
    char title[5000] = "\033]2;";

    memset(title + 4, 'x', sizeof title - 6);
    title[sizeof title - 2] = '\a';
    (void)hear(terminal, title);
    CHECK(strlen(terminal_title(terminal)) > 1000 && strlen(terminal_title(terminal)) <= 1024);
    terminal_destroy(terminal);
}

TEST(notifications)
{
    struct terminal *terminal = make(false);

    CHECK_STRING(hear(terminal, "\033]9;done\a\033]777;notify;title;body\033\\"),
                 "notify=/done;notify=title/body;");
    CHECK_STRING(hear(terminal, "\033]9;3 files\a\033]9;1;5\a\033]9;9;/tmp\a"), "notify=/3 files;");
    CHECK_STRING(hear(terminal, "\033]99;;hello\033\\"), "notify=hello/;");
    CHECK_STRING(hear(terminal, "\033]99;i=1:d=0;head\033\\\033]99;i=1:p=body;text\033\\"),
                 "notify=head/text;");
    CHECK_STRING(hear(terminal, "\033]99;e=1;aGk=\033\\"), "notify=hi/;");
    CHECK_STRING(hear(terminal, "\a"), "bell;");
    terminal_destroy(terminal);
}

TEST(progress)
{
    struct terminal *terminal = make(false);

    CHECK_STRING(hear(terminal, "\033]9;4;1;50\a\033]9;4;3\a\033]9;4;0;\a\033]9;4;1;900\a\033]9;4;7;1\a"),
                 "progress=1/50;progress=3/0;progress=0/0;progress=1/100;");
    terminal_destroy(terminal);
}

TEST(clipboard_only_when_offered)
{
    struct terminal *terminal = make(true);

    CHECK_STRING(hear(terminal, "\033]52;c;aGk=\a\033]52;c;?\a\033]52;c;no good\a"), "clipboard=aGk=;");
    CHECK_STRING(hear(terminal, "\033[c"), "reply=12;");
    terminal_destroy(terminal);
    terminal = make(false);
    CHECK_STRING(hear(terminal, "\033]52;c;aGk=\a"), "");
    CHECK_STRING(hear(terminal, "\033[c"), "reply=9;");
    terminal_destroy(terminal);
}

TEST(program_status)
{
    struct terminal *terminal = make(false);
    char report[6000] = "\033]7501;msg=";

    CHECK_STRING(hear(terminal, "\033]7501;state=idle:app=x\033\\\033]7501;?\a"),
                 "status=state=idle:app=x;reply=9;");
    memset(report + 11, 'x', sizeof report - 13);
    report[sizeof report - 2] = '\a';
    CHECK_STRING(hear(terminal, report), "");
    terminal_destroy(terminal);
}

TEST(folder_and_marks)
{
    struct terminal *terminal = make(false);

    CHECK_STRING(
        hear(terminal, "\033]7;file://h/a%20b\a\033]133;A\a\033]133;B;k=s\a\033]133;D;0\a\033]133;Z\a"),
        "folder=file://h/a%20b;mark=A;mark=B;mark=D;");
    terminal_destroy(terminal);
}

TEST(full_reset)
{
    struct terminal *terminal = make(false);

    CHECK_STRING(hear(terminal, "\033c"), "title=;reset;");
    terminal_destroy(terminal);
}

TEST(quiet_calls_nothing_but_titles)
{
    struct terminal *terminal = make(true);

    terminal_set_quiet(terminal, true);
    CHECK_STRING(
        hear(
            terminal,
            "\033]2;t\a\a\033[c\033]9;x\a\033]52;c;aGk=\a\033]7501;?\a\033]7501;a=b\a\033]133;A\a\033]7;x\a"),
        "title=t;");
    terminal_set_quiet(terminal, false);
    CHECK_STRING(hear(terminal, "\a"), "bell;");
    terminal_destroy(terminal);
}

TEST(a_palette_of_the_outer_terminal)
{
    struct terminal *terminal = make(false);

    terminal_set_palette(terminal, -2, 0x102030);
    terminal_set_palette(terminal, 300, 0);
    CHECK_STRING(hear(terminal, "\033]11;?\a"), "reply=24;");
    terminal_destroy(terminal);
}

TEST(synchronized_output_and_input_modes)
{
    struct terminal *terminal = make(false);
    struct terminal_modes modes;

    (void)hear(terminal, "\033[?2026;2004;1004;1;1003;1006h\033[>5u\033[>4;2m\033=");
    modes = terminal_modes(terminal);
    CHECK(modes.synchronized && modes.input.bracketed_paste && modes.input.focus_events);
    CHECK(modes.input.application_cursor && modes.input.application_keypad);
    CHECK_NUMBER(modes.input.mouse_mode, MOUSE_ANY);
    CHECK_NUMBER(modes.input.mouse_encoding, MOUSE_ENCODING_SGR);
    CHECK_NUMBER(modes.input.kitty_flags, 5);
    CHECK_NUMBER(modes.input.modify_other_keys, 2);
    (void)hear(terminal, "\033c");
    modes = terminal_modes(terminal);
    CHECK(!modes.synchronized && !modes.input.bracketed_paste && modes.input.mouse_mode == MOUSE_OFF);
    CHECK(modes.input.kitty_flags == 0 && modes.input.modify_other_keys == 0);
    terminal_destroy(terminal);
}

TEST(cursor_shapes)
{
    struct terminal *terminal = make(false);

    (void)hear(terminal, "\033[6 q\033[?25l");
    CHECK_NUMBER(terminal_cursor(terminal).shape, 3);
    CHECK(!terminal_cursor(terminal).blink && !terminal_cursor(terminal).visible);
    (void)hear(terminal, "\033[3 q\033[?25h");
    CHECK_NUMBER(terminal_cursor(terminal).shape, 2);
    CHECK(terminal_cursor(terminal).blink && terminal_cursor(terminal).visible);
    terminal_destroy(terminal);
}

TEST_MAIN
