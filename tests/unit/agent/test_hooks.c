/* Hooks of Claude Code and Gemini CLI: what their payloads mean, and how they are asked for. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/driver.h"
#include "base/memory.h"
#include "base/path.h"
#include "observed.h"
#include "test.h"

#define CLAUDE "tests/captures/side/claude/"
#define GEMINI "tests/captures/side/gemini/"

/* Does `text` have these lines in this order, others between them? Returns the first that is missing, or NULL. */
static const char *missing_line(const char *text, const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        const char *found = strstr(text, *lines);
        if (found == NULL)
            return *lines;
        text = found + strlen(*lines);
    }
    return NULL;
}

static size_t count_of(const char *text, const char *words)
{
    size_t count = 0;

    for (; (text = strstr(text, words)) != NULL; text += strlen(words))
        count++;
    return count;
}

#define CHECK_LINES(text, ...)                                                                               \
    do {                                                                                                     \
        const char *const test_lines[] = {__VA_ARGS__, NULL};                                                \
        const char *test_missing = missing_line(text, test_lines);                                           \
        if (test_missing != NULL)                                                                            \
            TEST_FAIL("\"%s\" is missing in:\n%s", test_missing, text);                                      \
    } while (0)

static char *observed(const struct agent_channel *channel, const char *lines)
{
    void *state = channel->create();
    struct buffer out;

    buffer_init(&out);
    buffer_append_string(&out, "");
    observed_feed(channel, state, lines, &out);
    channel->destroy(state);
    return buffer_steal(&out);
}

/* ---- Claude Code ---- */

TEST(claude_a_tool_is_asked_for_and_runs)
{
    char *text = observed_file(&claude_hooks, CLAUDE "hooks-tool.jsonl");

    CHECK_LINES(
        text, "session 5cfdc603-f5fe-43e9-b23b-2e03fca00337 claude-opus-5-5\nphase idle SessionStart\n",
        "turn_started run [scn:tool]\nphase connecting UserPromptSubmit\n",
        "tool_call toolu_c49abbbeec8c48c09447 Bash touch /home/dev/code/made-by-agent", "phase tool Bash\n",
        "approval toolu_c49abbbeec8c48c09447 permission Bash Bash: touch", "\nCreate a file {\"command\"",
        "phase approval PermissionRequest\n", "phase approval Claude needs your permission\n",
        "approval_resolved toolu_c49abbbeec8c48c09447 approved\n"
        "tool_result toolu_c49abbbeec8c48c09447 tool-output-line\nphase connecting PostToolUse\n",
        " whole\nturn_ended completed\nphase idle Stop\n");
    CHECK_NUMBER(count_of(text, "approval_resolved"), 1);
    CHECK_NUMBER(count_of(text, "turn_ended"), 1);
    free(text);
}

TEST(claude_a_question_has_its_choices)
{
    char *text = observed_file(&claude_hooks, CLAUDE "hooks-ask.jsonl");

    CHECK_LINES(text,
                "approval toolu_1f0219c0bfd743939b37 question AskUserQuestion Which colour do you want?\n"
                "1. Red: Like fire\n2. Blue: Like the sea {",
                "[\"Red\",\"Blue\"]\nphase approval PermissionRequest\n",
                "approval_resolved toolu_1f0219c0bfd743939b37 answered\n", "phase idle Stop\n");
    free(text);
}

TEST(claude_a_written_file_is_told_with_its_diff)
{
    char *text = observed_file(&claude_hooks, CLAUDE "hooks-write.jsonl");

    CHECK_LINES(text, "permission Write Write: /home/dev/code/proj/written-08d923.txt\n", "+hello\n+world\n",
                "file toolu_5ed581254c3643138e6d created /home/dev/code/proj/written-08d923.txt "
                "{\"diff\":\"+hello\\n+world\\n\"}\n");
    free(text);
}

TEST(claude_is_not_idle_while_a_subagent_works)
{
    char *text = observed_file(&claude_hooks, CLAUDE "hooks-task.jsonl");

    CHECK_LINES(text, "subagent a25914720a69d8ef0 general-purpose\n", "phase thinking 1 subagent\n",
                "subagent a25914720a69d8ef0 general-purpose Hello from", " ended\n",
                "turn_started\nphase connecting UserPromptSubmit\n",
                "turn_ended completed\nphase idle Stop\n");
    CHECK_NUMBER(count_of(text, "turn_ended"), 1);
    CHECK_NUMBER(count_of(text, "phase idle"), 2);
    free(text);
}

TEST(claude_errors_have_their_class)
{
    char *credit = observed_file(&claude_hooks, CLAUDE "hooks-credit.jsonl");
    char *limit = observed_file(&claude_hooks, CLAUDE "hooks-usage-limit.jsonl");
    char *long_prompt = observed_file(&claude_hooks, CLAUDE "hooks-toolong.jsonl");

    CHECK_LINES(credit, "error billing billing_error Credit balance is too low\nturn_ended failed Credit",
                "phase idle StopFailure\n");
    CHECK_LINES(limit, "error rate_limit rate_limit You've hit your 5-hour limit",
                "phase idle StopFailure\n");
    CHECK_LINES(long_prompt, "error context_window invalid_request Prompt is too long",
                "phase idle StopFailure\n");
    free(credit);
    free(limit);
    free(long_prompt);
}

#define HEAD "{\"session_id\":\"s1\",\"prompt_id\":\"p1\",\"hook_event_name\":"

TEST(claude_what_was_denied_or_interrupted_is_gone_with_the_next_prompt)
{
    char *text =
        observed(&claude_hooks, HEAD
                 "\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"},"
                 "\"tool_use_id\":\"t1\"}\n" HEAD
                 "\"PermissionRequest\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}\n" HEAD
                 "\"Notification\",\"notification_type\":\"idle_prompt\"}\n"
                 "{\"session_id\":\"s1\",\"prompt_id\":\"p2\",\"hook_event_name\":\"UserPromptSubmit\","
                 "\"prompt\":\"more\"}\n");

    CHECK_LINES(
        text, "approval t1 permission Bash",
        "approval_resolved t1 gone\napproval_resolved gone\nturn_ended cancelled\nphase idle Notification\n",
        "turn_started more\nphase connecting UserPromptSubmit\n");
    free(text);
}

TEST(claude_parallel_calls_keep_asking)
{
    char *text = observed(
        &claude_hooks, HEAD
        "\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"a\"},\"tool_use_id\":\"t1\"}"
        "\n" HEAD "\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"b\"},\"tool_use_id\":"
        "\"t2\"}\n" HEAD
        "\"PermissionRequest\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"a\"}}\n" HEAD
        "\"PostToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"b\"},\"tool_use_id\":\"t2\","
        "\"tool_response\":{\"stdout\":\"x\",\"stderr\":\"y\"}}\n" HEAD
        "\"PostToolUseFailure\",\"tool_name\":\"Bash\",\"tool_use_id\":\"t1\",\"error\":\"no such file\"}\n");

    CHECK_LINES(text, "approval t1 ",
                "phase approval PermissionRequest\ntool_result t2 x\ny\nphase approval PostToolUse\n",
                "approval_resolved t1 approved\ntool_result t1 no such file failed\nphase connecting "
                "PostToolUseFailure\n");
    free(text);
}

TEST(claude_goes_on_where_another_host_was_told)
{
    char *text = observed(
        &claude_hooks,
        HEAD "\"PostToolUse\",\"tool_name\":\"Bash\",\"tool_use_id\":\"t1\",\"tool_response\":\"x\"}\n" HEAD
             "\"Stop\"}\n");

    CHECK_STRING(text, "approval_resolved t1 approved\ntool_result t1 x\nphase connecting PostToolUse\n"
                       "approval_resolved gone\nturn_ended completed\nphase idle Stop\n");
    free(text);
}

TEST(claude_a_late_hook_does_not_open_the_turn_again)
{
    char *text =
        observed(&claude_hooks, HEAD "\"UserPromptSubmit\",\"prompt\":\"x\"}\n" HEAD "\"Stop\"}\n" HEAD
                                     "\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_use_id\":\"t1\"}\n");

    CHECK_STRING(text, "approval_resolved gone\nturn_started x\nphase connecting "
                       "UserPromptSubmit\nturn_ended completed\nphase idle Stop\n");
    free(text);
}

TEST(claude_a_server_in_the_background_keeps_nobody_waiting)
{
    char *text = observed(&claude_hooks,
                          HEAD "\"UserPromptSubmit\",\"prompt\":\"x\"}\n" HEAD
                               "\"Stop\",\"background_tasks\":[{\"id\":\"b\",\"type\":\"shell\",\"status\":"
                               "\"running\"}]}\n");

    CHECK_LINES(text, "turn_ended completed\nphase idle Stop\n");
    free(text);
}

TEST(claude_the_hooks_of_another_conversation_are_not_ours)
{
    char *text =
        observed(&claude_hooks,
                 "{\"session_id\":\"s1\",\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}\n"
                 "{\"session_id\":\"s2\",\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}\n"
                 "{\"session_id\":\"s2\",\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"inner\"}\n"
                 "{\"session_id\":\"s1\",\"hook_event_name\":\"SessionEnd\"}\n"
                 "{\"session_id\":\"s3\",\"hook_event_name\":\"SessionStart\",\"source\":\"clear\"}\n"
                 "{\"session_id\":\"s3\",\"hook_event_name\":\"Blue\"}\n{\"session_id\":\"s3\",\"hook_event_"
                 "name\":\"Red\"}\n");

    CHECK_STRING(text, "session s1\nphase idle SessionStart\nsession s3\nphase idle "
                       "SessionStart\nunknown Blue\n");
    free(text);
}

TEST(payloads_of_any_form_are_survived)
{
    static const char *const values[] = {"null", "1", "[]", "{}", "\"x\"", "[[]]", "{\"a\":[{}]}"};
    static const char *const names[] = {
        "SessionStart",  "UserPromptSubmit", "PreToolUse",  "PermissionRequest",
        "PostToolUse",   "Notification",     "Stop",        "StopFailure",
        "SubagentStart", "SubagentStop",     "Elicitation", "BeforeAgent",
        "BeforeTool",    "AfterTool",        "AfterAgent",  "PreCompact"};
    static const char *const keys[] = {
        "session_id",       "prompt", "tool_input", "tool_name",         "tool_use_id", "tool_response",
        "background_tasks", "error",  "details",    "notification_type", "agent_id",    "message"};
    const struct agent_channel *channels[] = {&claude_hooks, &gemini_hooks};

    for (size_t i = 0; i < 2; i++) {
        void *state = channels[i]->create();
        struct buffer out, line;
        buffer_init(&out);
        buffer_init(&line);
        for (size_t value = 0; value < sizeof values / sizeof values[0]; value++) {
            for (size_t name = 0; name < sizeof names / sizeof names[0]; name++) {
                buffer_clear(&line);
                buffer_printf(&line, "{\"hook_event_name\":\"%s\"", names[name]);
                for (size_t key = 0; key < sizeof keys / sizeof keys[0]; key++)
                    buffer_printf(&line, ",\"%s\":%s", keys[key], values[(value + key) % 7]);
                buffer_append_string(&line, "}\n");
                observed_feed(channels[i], state, line.bytes, &out);
            }
        }
        CHECK(out.length > 0);
        buffer_finish(&line);
        buffer_finish(&out);
        channels[i]->destroy(state);
    }
}

/* ---- Gemini CLI ---- */

TEST(gemini_a_tool_is_asked_for_and_runs)
{
    char *text = observed_file(&gemini_hooks, GEMINI "hooks-approve.jsonl");

    CHECK_LINES(
        text, "session ", "phase idle SessionStart\n",
        "turn_started run [scn:tool]\nphase connecting BeforeAgent\n",
        "tool_call tool-1 run_shell_command touch ./made-by-agent", "phase tool run_shell_command\n",
        "approval tool-1 permission run_shell_command touch ./made-by-agent && echo tool-output-line && "
        "sleep 1\n"
        "Confirm Shell Command {",
        "phase approval Notification\napproval_resolved tool-1 approved\ntool_result tool-1 Output: "
        "tool-output-line\n",
        "phase connecting AfterTool\nturn_ended completed\nphase idle AfterAgent\n");
    free(text);
}

/* ---- transcripts ---- */

static char *reported(const struct agent_transcript *transcript, const char *path, int times, bool alone)
{
    const struct observer observer = {.observe = observed_append};
    struct observer to = observer;
    void *state = transcript->create(0, alone);
    struct error error;
    struct buffer out;
    size_t length;
    char *text;

    buffer_init(&out);
    buffer_append_string(&out, "");
    to.argument = &out;
    transcript->report(state, &to);
    for (int i = 0; i < times && path_read_file(path, 1 << 20, &text, &length, &error) == 0; i++) {
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = '\0';
            transcript->line(state, line, (size_t)(end - line));
        }
        free(text);
    }
    transcript->report(state, &to);
    transcript->destroy(state);
    return buffer_steal(&out);
}

TEST(claude_usage_counts_a_message_once)
{
    char *text = reported(&claude_transcript, CLAUDE "transcript-tool.jsonl", 2, false);

    CHECK_LINES(text, "text I will run a command", " whole\n", "session claude-opus-5-5\n",
                "usage in=2400 out=79 read=30000 write=6000 cost=-1.0000 context=9.60\n");
    CHECK_NUMBER(count_of(text, "usage "), 1);
    free(text);
}

TEST(claude_says_when_its_limit_ends)
{
    char *text = reported(&claude_transcript, CLAUDE "transcript-usage-limit.jsonl", 1, false);

    CHECK_STRING(text, "limit five_hour until=1795234899000 percent=-1 failed\n");
    free(text);
}

TEST(gemini_usage_counts_the_last_row_of_a_message)
{
    char *text = reported(&gemini_transcript, GEMINI "session-approve.jsonl", 2, false);

    CHECK_LINES(text, "text I will run a command to create the file. whole\n",
                "text The command finished. All done: the file was created. whole\n",
                "session gemini-3.8-flash\n",
                "usage in=8400 out=368 read=30000 write=0 cost=-1.0000 context=1.83\n");
    CHECK_NUMBER(count_of(text, "text "), 2);
    free(text);
}

TEST(transcripts_tell_tools_where_no_hooks_do)
{
    char *claude = reported(&claude_transcript, CLAUDE "transcript-tool.jsonl", 1, true);
    char *gemini = reported(&gemini_transcript, GEMINI "session-approve.jsonl", 2, true);

    CHECK_LINES(claude, "tool_call toolu_ecf5216197de437a91a5 Bash touch ",
                "tool_result toolu_ecf5216197de437a91a5 tool-output-line\n", "text The command finished.");
    CHECK_LINES(gemini, "text I will run",
                "tool_call run_shell_command__fc-029e7acd run_shell_command touch ",
                "tool_result run_shell_command__fc-029e7acd ", "Output: tool-output-line");
    CHECK_NUMBER(count_of(gemini, "tool_call"), 1);
    free(claude);
    free(gemini);
}

TEST(what_was_said_before_is_not_said_again)
{
    const struct agent_transcript *transcript = &claude_transcript;
    void *state = transcript->create(1795227800000, true); /* 02:23:20 */
    struct buffer out = {0};
    const struct observer to = {.observe = observed_append, .argument = &out};
    char line[] = "{\"type\":\"assistant\",\"timestamp\":\"2026-11-21T02:23:19Z\",\"message\":{\"id\":\"1\","
                  "\"model\":\"m\","
                  "\"usage\":{\"input_tokens\":1,\"output_tokens\":1},\"content\":[{\"type\":\"text\","
                  "\"text\":\"old\"}]}}";
    char later[] = "{\"type\":\"assistant\",\"timestamp\":\"2026-11-21T02:23:21Z\",\"message\":{\"id\":\"2\","
                   "\"content\":"
                   "[{\"type\":\"text\",\"text\":\"new\"}]}}";

    transcript->line(state, line, strlen(line));
    transcript->line(state, later, strlen(later));
    transcript->report(state, &to);
    CHECK_STRING(out.bytes,
                 "text new whole\nsession m\nusage in=1 out=1 read=0 write=0 cost=-1.0000 context=0.00\n");
    buffer_finish(&out);
    transcript->destroy(state);
}

/* ---- asking for hooks ---- */

static const char *no_variable(void *argument, const char *name)
{
    (void)argument;
    (void)name;
    return NULL;
}

static char *claude_settings(const char *option, const char *value)
{
    struct arguments argv;
    struct agent_side side = {.hook = "'/bin/ganger' hook claude", .variable = no_variable, .argv = &argv};
    char *text;

    arguments_init(&argv);
    arguments_add(&argv, "claude");
    if (option != NULL)
        arguments_add(&argv, option);
    if (value != NULL)
        arguments_add(&argv, value);
    claude_inject(&side);
    text = xstrdup(argv.items[argv.count - 1]);
    arguments_finish(&argv);
    return text;
}

TEST(claude_gets_hooks_beside_those_of_the_user)
{
    char *alone = claude_settings(NULL, NULL);
    char *joined = claude_settings("--settings", "{\"model\":\"x\",\"hooks\":{\"Stop\":[{\"hooks\":[1]}]}}");
    char *equals = claude_settings("--settings={\"model\":\"x\"}", NULL);
    char *file = claude_settings("--settings", "/tmp/x.json");
    char *odd = claude_settings("--settings", "{\"hooks\":[]}");

    CHECK_LINES(alone,
                "{\"hooks\":{\"SessionStart\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"'/bin/ganger' "
                "hook claude\"",
                "\"async\":true");
    CHECK_LINES(joined,
                "{\"model\":\"x\",\"hooks\":{\"Stop\":[{\"hooks\":[1]},{\"hooks\":[{\"type\":\"command\"");
    CHECK_LINES(equals, "--settings={\"model\":\"x\",\"hooks\":{\"SessionStart\"");
    CHECK_STRING(file, "/tmp/x.json");
    CHECK_STRING(odd, "{\"hooks\":[]}");
    free(alone);
    free(joined);
    free(equals);
    free(file);
    free(odd);
}

TEST_MAIN
