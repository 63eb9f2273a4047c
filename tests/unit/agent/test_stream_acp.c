#include <glob.h>
#include <libgen.h>

#include "agent/error_class.h"
#include "agent/tool_line.h"
#include "agent/unified_diff.h"
#include "base/memory.h"
#include "stream_text.h"
#include "test.h"

#define FOLDER "tests/captures/stream"

/* ---- recordings of the real CLIs ---- */

static int differing(const struct agent_channel *channel, const char *pattern, size_t least)
{
    glob_t files;
    int wrong = 0;

    if (glob(pattern, 0, NULL, &files) != 0 || files.gl_pathc < least)
        return -1;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *path = xstrdup(files.gl_pathv[i]), *name = basename(path);
        *strrchr(name, '.') = '\0';
        wrong += !stream_matches(channel, FOLDER, name);
        free(path);
    }
    globfree(&files);
    return wrong;
}

TEST(recordings_of_gemini)
{
    CHECK_NUMBER(differing(&gemini_stream, FOLDER "/gemini-*.jsonl", 15), 0);
}

TEST(recordings_of_opencode)
{
    CHECK_NUMBER(differing(&opencode_stream, FOLDER "/opencode-*.jsonl", 7), 0);
}

/* ---- a conversation by hand ---- */

#define INITIALIZED                                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":1,\"agentCapabilities\":{},"              \
    "\"agentInfo\":{\"version\":\"1.2\"}}}"
#define OPENED "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"sessionId\":\"S\"}}"
#define ASK(id)                                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                                        \
    ",\"method\":\"session/request_permission\",\"params\":{\"sessionId\":\"S\","                            \
    "\"toolCall\":{\"toolCallId\":\"t1\",\"title\":\"rm "                                                    \
    "x\",\"kind\":\"execute\",\"rawInput\":{\"command\":\"rm x\"}},"                                         \
    "\"options\":[{\"optionId\":\"A\",\"name\":\"Always\",\"kind\":\"allow_always\"},"                       \
    "{\"optionId\":\"Y\",\"name\":\"Yes\",\"kind\":\"allow_once\"},"                                         \
    "{\"optionId\":\"N\",\"name\":\"No\",\"kind\":\"reject_once\"}]}}"
#define SELECTED(id, option)                                                                                 \
    "> {\"jsonrpc\":\"2.0\",\"id\":" id                                                                      \
    ",\"result\":{\"outcome\":{\"outcome\":\"selected\",\"optionId\":\"" option "\"}}}\n"
#define CANCELLED(id)                                                                                        \
    "> {\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"outcome\":{\"outcome\":\"cancelled\"}}}\n"

/* Ready for a prompt; nothing said since. */
static void open_conversation(struct stream_text *text)
{
    stream_text_init(text, &gemini_stream);
    text->channel->begin(text->state, NULL, "/p", &text->observer);
    stream_tell(text, INITIALIZED);
    stream_tell(text, OPENED);
    buffer_clear(&text->out);
}

static void ask(struct stream_text *text)
{
    open_conversation(text);
    text->channel->prompt(text->state, "go", &text->observer);
    stream_tell(text, ASK("7"));
    buffer_clear(&text->out);
}

static int give(struct stream_text *text, const char *id, bool approve, int choice)
{
    struct approval_answer answer = {.approve = approve, .choice = choice};

    return text->channel->answer(text->state, id, &answer, &text->observer);
}

TEST(the_handshake_leads_to_idle)
{
    struct stream_text text;

    stream_text_init(&text, &opencode_stream);
    text.channel->begin(text.state, NULL, "/p", &text.observer);
    CHECK(stream_said_part(&text,
                           "phase initializing\n> {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\""));
    stream_tell(&text, INITIALIZED);
    CHECK(stream_said(&text, "> {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session/new\",\"params\":"
                             "{\"cwd\":\"/p\",\"mcpServers\":[]}}\n"));
    stream_tell(&text, OPENED);
    CHECK(stream_said(&text, "session id:\"S\" \"1.2\"\nphase idle\n"));
    stream_tell(&text, OPENED);
    CHECK(stream_said(&text, ""));
    stream_text_finish(&text);
}

TEST(a_conversation_is_resumed)
{
    static const struct {
        const char *abilities, *resume, *method;
    } cases[] = {
        {"{\"loadSession\":true}", "R", "session/load\",\"params\":{\"sessionId\":\"R\""},
        {"{\"loadSession\":true,\"sessionCapabilities\":{\"resume\":{}}}", "R",
         "session/resume\",\"params\":{\"sessionId\":\"R\""},
        {"{\"loadSession\":true,\"sessionCapabilities\":{\"list\":{}}}", "",
         "session/list\",\"params\":{\"cwd\""},
        {"{\"loadSession\":true}", "", "error name:\"not_found\""},
        {"{}", "R", "error name:\"invalid_request\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        char *message = xasprintf("{\"id\":1,\"result\":{\"protocolVersion\":1,\"agentCapabilities\":%s}}",
                                  cases[i].abilities);
        bool said;
        stream_text_init(&text, &opencode_stream);
        text.channel->begin(text.state, cases[i].resume, "/p", &text.observer);
        stream_tell(&text, message);
        said = stream_said_part(&text, cases[i].method);
        stream_text_finish(&text);
        free(message);
        CHECK(said);
    }
}

TEST(the_latest_conversation_of_the_folder_is_resumed)
{
    struct stream_text text;

    stream_text_init(&text, &opencode_stream);
    text.channel->begin(text.state, "", "/p", &text.observer);
    stream_tell(&text, "{\"id\":1,\"result\":{\"agentCapabilities\":{\"loadSession\":true,"
                       "\"sessionCapabilities\":{\"list\":{}}}}}");
    buffer_clear(&text.out);
    stream_tell(&text, "{\"id\":2,\"result\":{\"sessions\":[{\"sessionId\":\"a\",\"cwd\":\"/"
                       "p\",\"updatedAt\":\"2026-01-01\"},"
                       "{\"sessionId\":\"b\",\"cwd\":\"/p\",\"updatedAt\":\"2026-02-01\"},"
                       "{\"sessionId\":\"c\",\"cwd\":\"/q\",\"updatedAt\":\"2026-03-01\"}, 5]}}");
    CHECK(stream_said_part(&text, "\"session/load\",\"params\":{\"sessionId\":\"b\""));
    /* What was said before is told again, and is not. */
    stream_tell(
        &text,
        "{\"method\":\"session/update\",\"params\":{\"update\":{\"sessionUpdate\":\"agent_message_chunk\","
        "\"content\":{\"type\":\"text\",\"text\":\"old\"}}}}");
    CHECK(stream_said(&text, ""));
    stream_tell(&text, "{\"id\":3,\"result\":{}}");
    CHECK(stream_said(&text, "session id:\"b\"\nphase idle\n"));
    stream_text_finish(&text);
}

TEST(history_that_gemini_tells_late_is_not_told_again)
{
    static const char text_update[] =
        "{\"method\":\"session/update\",\"params\":{\"update\":{\"sessionUpdate\":"
        "\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"old\"}}}}";
    struct stream_text text;

    stream_text_init(&text, &gemini_stream);
    text.channel->begin(text.state, "R", "/p", &text.observer);
    stream_tell(&text, "{\"id\":1,\"result\":{\"agentCapabilities\":{\"loadSession\":true}}}");
    buffer_clear(&text.out);
    stream_tell(&text, "{\"id\":2,\"result\":{}}");
    stream_tell(&text, text_update);
    CHECK(stream_said(&text, "session id:\"R\"\n"));
    stream_tell(&text, "{\"method\":\"session/"
                       "update\",\"params\":{\"update\":{\"sessionUpdate\":\"available_commands_update\"}}}");
    CHECK(stream_said(&text, "phase idle\n"));
    stream_tell(&text, text_update);
    CHECK(stream_said(&text, "text \"old\"\n"));
    stream_text_finish(&text);
}

TEST(without_a_login_it_is_never_idle)
{
    struct stream_text text;

    stream_text_init(&text, &gemini_stream);
    text.channel->begin(text.state, NULL, "/p", &text.observer);
    text.channel->prompt(text.state, "early", &text.observer);
    stream_tell(&text, INITIALIZED);
    buffer_clear(&text.out);
    stream_tell(&text, "{\"id\":2,\"error\":{\"code\":-32000,\"message\":\"Key is missing.\"}}");
    CHECK(stream_said(&text, "error name:\"authentication\" \"-32000\" \"Key is missing.\"\n"));
    text.channel->prompt(text.state, "more", &text.observer);
    CHECK(stream_said_part(&text, "error name:\"invalid_request\""));
    text.channel->interrupt(text.state, &text.observer);
    CHECK(stream_said(&text, ""));
    stream_text_finish(&text);
}

TEST(a_prompt_that_comes_early_waits)
{
    struct stream_text text;

    stream_text_init(&text, &gemini_stream);
    text.channel->begin(text.state, NULL, "/p", &text.observer);
    text.channel->prompt(text.state, "one", &text.observer);
    text.channel->prompt(text.state, "two \xFF", &text.observer);
    stream_tell(&text, INITIALIZED);
    buffer_clear(&text.out);
    stream_tell(&text, OPENED);
    CHECK(stream_said(
        &text,
        "session id:\"S\" \"1.2\"\nturn started \"one\"\nphase connecting\n"
        "> {\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"session/prompt\",\"params\":{\"sessionId\":\"S\","
        "\"prompt\":[{\"type\":\"text\",\"text\":\"one\"}]}}\n"));
    stream_tell(&text, "{\"id\":3,\"result\":{\"stopReason\":\"end_turn\"}}");
    CHECK(stream_said_part(&text, "turn ended \"completed\"\nturn started \"two \xEF\xBF\xBD\"\n"));
    stream_text_finish(&text);
}

TEST(an_approval_is_answered_once)
{
    static const struct {
        bool approve;
        int choice;
        const char *sent, *outcome;
    } cases[] = {
        {true, 0, SELECTED("7", "Y"), "approved"},  {false, 0, SELECTED("7", "N"), "denied"},
        {true, 1, SELECTED("7", "A"), "approved"},  {true, 3, SELECTED("7", "N"), "denied"},
        {false, 2, SELECTED("7", "Y"), "approved"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        ask(&text);
        CHECK_NUMBER(give(&text, "8", true, 0), -1);
        CHECK_NUMBER(give(&text, "7", true, 4), -1);
        CHECK_NUMBER(give(&text, "7", true, -1), -1);
        CHECK(stream_said(&text, ""));
        CHECK_NUMBER(give(&text, "7", cases[i].approve, cases[i].choice), 0);
        CHECK(strstr(text.out.bytes, cases[i].sent) == text.out.bytes);
        CHECK(strstr(text.out.bytes, cases[i].outcome) != NULL);
        buffer_clear(&text.out);
        CHECK_NUMBER(give(&text, "7", true, 0), -1);
        CHECK_NUMBER(text.out.length, 0);
        stream_text_finish(&text);
    }
}

TEST(what_is_asked_is_told_in_full)
{
    struct stream_text text;

    open_conversation(&text);
    text.channel->prompt(text.state, "go", &text.observer);
    buffer_clear(&text.out);
    stream_tell(&text, ASK("\"x\""));
    CHECK(stream_said(&text,
                      "call id:\"t1\" name:\"execute\" \"rm x\" {\"command\":\"rm x\"}\n"
                      "approval id:\"x\" \"permission\" name:\"execute\" \"rm x\" {\"command\":\"rm x\"} "
                      "choices:[\"Always\",\"Yes\",\"No\"]\n"
                      "phase approval \"execute rm x\"\n"));
    /* It stays asked whatever else is said. */
    stream_tell(
        &text,
        "{\"method\":\"session/update\",\"params\":{\"update\":{\"sessionUpdate\":\"tool_call_update\","
        "\"toolCallId\":\"t1\",\"status\":\"in_progress\"}}}");
    stream_tell(
        &text,
        "{\"method\":\"session/update\",\"params\":{\"update\":{\"sessionUpdate\":\"agent_thought_chunk\","
        "\"content\":{\"type\":\"text\",\"text\":\"hm\"}}}}");
    CHECK(stream_said(&text, "thinking \"hm\"\n"));
    stream_text_finish(&text);
}

TEST(an_approval_ends_without_an_answer)
{
    struct stream_text text;

    ask(&text);
    text.channel->interrupt(text.state, &text.observer);
    CHECK(stream_said(
        &text,
        CANCELLED(
            "7") "resolved id:\"7\" \"gone\"\n"
                 "> {\"jsonrpc\":\"2.0\",\"method\":\"session/cancel\",\"params\":{\"sessionId\":\"S\"}}\n"
                 "phase connecting\n"));
    CHECK_NUMBER(give(&text, "7", true, 0), -1);
    /* One that crosses the interrupt is not asked at all. */
    stream_tell(&text, ASK("8"));
    CHECK(stream_said(&text, CANCELLED("8")));
    stream_tell(&text, "{\"id\":3,\"result\":{\"stopReason\":\"cancelled\"}}");
    CHECK(stream_said(&text, "turn ended \"cancelled\"\nphase idle\n"));
    stream_text_finish(&text);

    ask(&text);
    stream_tell(&text, "{\"method\":\"$/cancel_request\",\"params\":{\"requestId\":7}}");
    CHECK(stream_said_part(&text, "resolved id:\"7\" \"gone\"\n"));
    CHECK_NUMBER(give(&text, "7", true, 0), -1);
    stream_text_finish(&text);

    ask(&text);
    stream_tell(&text, "{\"id\":3,\"result\":{\"stopReason\":\"end_turn\"}}");
    CHECK(stream_said(&text,
                      CANCELLED("7") "resolved id:\"7\" \"gone\"\nturn ended \"completed\"\nphase idle\n"));
    stream_text_finish(&text);
}

TEST(two_requests_with_one_id_are_both_refused)
{
    struct stream_text text;

    ask(&text);
    stream_tell(&text, ASK("7"));
    CHECK(stream_said_part(&text, CANCELLED("7")));
    CHECK_NUMBER(give(&text, "7", true, 0), -1);
    stream_text_finish(&text);
}

TEST(a_request_without_options_can_only_be_refused)
{
    struct stream_text text;

    open_conversation(&text);
    stream_tell(&text, "{\"id\":9,\"method\":\"session/request_permission\",\"params\":{}}");
    buffer_clear(&text.out);
    CHECK_NUMBER(give(&text, "9", true, 0), -1);
    CHECK_NUMBER(give(&text, "9", true, 1), -1);
    CHECK_NUMBER(give(&text, "9", false, 0), 0);
    CHECK(stream_said_part(&text, CANCELLED("9")));
    stream_text_finish(&text);
}

TEST(other_requests_are_refused)
{
    struct stream_text text;

    open_conversation(&text);
    stream_tell(&text, "{\"id\":1,\"method\":\"fs/read_text_file\",\"params\":{\"path\":\"/etc/passwd\"}}");
    CHECK(stream_said(
        &text,
        "> {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n"));
    stream_tell(&text, "{\"id\":\"q\",\"method\":\"session/elicitation\"}");
    stream_tell(&text, "{\"id\":\"r\",\"method\":\"session/elicitation\"}");
    CHECK(stream_said(
        &text,
        "unknown \"session/elicitation\"\n"
        "> {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n"
        "> {\"jsonrpc\":\"2.0\",\"id\":\"r\",\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n"));
    stream_text_finish(&text);
}

TEST(messages_that_are_wrong_are_borne)
{
    static const char *const messages[] = {
        "{}",
        "{\"id\":3}",
        "{\"id\":99,\"result\":{}}",
        "{\"id\":\"1\",\"result\":{\"sessionId\":5}}",
        "{\"id\":{},\"method\":\"session/request_permission\"}",
        "{\"id\":null,\"method\":\"session/request_permission\",\"params\":{\"options\":7,\"toolCall\":[]}}",
        "{\"id\":5,\"method\":\"session/request_permission\",\"params\":{\"options\":[1,{},{\"kind\":3}]}}",
        "{\"method\":5}",
        "{\"method\":\"session/update\"}",
        "{\"method\":\"session/"
        "update\",\"params\":{\"update\":{\"sessionUpdate\":\"agent_message_chunk\",\"content\":5}}}",
        "{\"method\":\"session/update\",\"params\":{\"update\":{\"sessionUpdate\":\"tool_call\"}}}",
        "{\"method\":\"session/"
        "update\",\"params\":{\"update\":{\"sessionUpdate\":\"tool_call_update\",\"status\":\"completed\","
        "\"content\":[1,{\"type\":\"diff\"},{\"type\":\"content\"}],\"rawOutput\":[]}}}",
        "{\"method\":\"session/"
        "update\",\"params\":{\"update\":{\"sessionUpdate\":\"plan\",\"entries\":{\"a\":1}}}}",
        "{\"method\":\"session/"
        "update\",\"params\":{\"update\":{\"sessionUpdate\":\"usage_update\",\"used\":\"x\",\"size\":0}}}",
        "{\"type\":\"tool_use\"}",
        "{\"type\":\"result\",\"stats\":3}",
        "{\"type\":\"error\",\"error\":[]}",
        "{\"type\":7}",
        "{\"error\":{}}",
    };

    for (int opened = 0; opened < 2; opened++) {
        struct stream_text text;
        if (opened)
            open_conversation(&text);
        else
            stream_text_init(&text, &opencode_stream);
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
            stream_tell(&text, messages[i]);
        CHECK(strstr(text.out.bytes, "selected") == NULL);
        stream_text_finish(&text);
    }
}

/* ---- errors and small parts ---- */

TEST(errors_of_a_prompt)
{
    static const struct {
        const char *error, *said;
    } cases[] = {
        {"{\"code\":429,\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"slow down\\\"}}\"}",
         "error name:\"rate_limit\" \"429\" \"slow down\"\n"},
        {"{\"code\":400,\"message\":\"API key not valid\"}", "error name:\"authentication\""},
        {"{\"code\":500,\"message\":\"boom\"}", "error name:\"server_error\""},
        {"{\"code\":-32603,\"message\":\"Internal error\",\"data\":{\"details\":\"prompt is too long\"}}",
         "error name:\"context_window\" \"-32603\" \"Internal error: prompt is too long\"\n"},
        {"{}", "error \"0\" \"the agent gave no reason\"\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        char *message = xasprintf("{\"id\":3,\"error\":%s}", cases[i].error);
        bool said;
        open_conversation(&text);
        text.channel->prompt(text.state, "go", &text.observer);
        stream_tell(&text, message);
        free(message);
        said = strstr(text.out.bytes, cases[i].said) != NULL &&
               strstr(text.out.bytes, "turn ended \"failed\"") != NULL;
        if (!said)
            printf("# %s", text.out.bytes);
        stream_text_finish(&text);
        CHECK(said);
    }
}

TEST(classes_of_errors)
{
    CHECK_STRING(error_class_of_text("exceeded retry limit, last status: 429 Too Many Requests"),
                 "rate_limit");
    CHECK_STRING(error_class_of_text("unexpected status 401 Unauthorized"), "authentication");
    CHECK_STRING(error_class_of_text("Quota exceeded. Check your plan and billing details."), "billing");
    CHECK_STRING(error_class_of_text("stream disconnected before completion"), "network");
    CHECK(error_class_of_text("status unknown: 12") == NULL);
    CHECK(error_class_of_text(NULL) == NULL);
    CHECK_STRING(error_class_of_status(529), "overloaded");
    CHECK(error_class_of_status(200) == NULL);
}

TEST(diffs)
{
    static const struct {
        const char *before, *after, *diff;
    } cases[] = {
        {NULL, "a\n", "--- /dev/null\n+++ f\n@@ -0,0 +1,1 @@\n+a\n"},
        {"a\n", NULL, "--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n"},
        {"a\n", "a\n", ""},
        {"1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nx\n6\n7\n8\n",
         "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
        {"a\na\n", "a\n", "--- f\n+++ f\n@@ -1,2 +1,1 @@\n a\n-a\n"},
        {"a", "b",
         "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of "
         "file\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        bool same;
        buffer_init(&out);
        buffer_append(&out, "", 0);
        unified_diff_append(&out, "f", cases[i].before, cases[i].after);
        same = strcmp(out.bytes, cases[i].diff) == 0;
        if (!same)
            printf("# %s", out.bytes);
        buffer_finish(&out);
        CHECK(same);
    }
}

TEST(lines_of_tools)
{
    struct buffer out;
    json_t *input = json_pack("{s:[s,s], s:s}", "command", "ls", "-l", "z", "x");

    buffer_init(&out);
    tool_line_append(&out, input);
    CHECK_STRING(out.bytes, "ls -l");
    buffer_clear(&out);
    tool_line_append_text(&out, "one\ttwo\nthree", 40);
    CHECK_STRING(out.bytes, "one two…");
    buffer_clear(&out);
    tool_line_append_text(&out, "ab\xC3\xA9xyz", 6);
    CHECK_STRING(out.bytes, "ab…");
    buffer_finish(&out);
    json_decref(input);
}

TEST_MAIN
