/* Claude's stream-json, as the real CLI prints it and as nobody should. */
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>

#include "agent/driver.h"
#include "base/clock.h"
#include "base/memory.h"
#include "observed_talk.h"
#include "stream_text.h"
#include "test.h"

static int64_t at_noon(void)
{
    return 1000000;
}

#define FOLDER "tests/captures/stream"

TEST(recordings)
{
    glob_t files;
    int wrong = 0;

    clock_inject(at_noon, NULL);
    CHECK(glob(FOLDER "/claude-*.jsonl", 0, NULL, &files) == 0 && files.gl_pathc >= 10);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *path = xstrdup(files.gl_pathv[i]), *name = basename(path);
        *strrchr(name, '.') = '\0';
        wrong += !stream_matches(&claude_stream, FOLDER, name);
        free(path);
    }
    globfree(&files);
    clock_inject(NULL, NULL);
    CHECK_NUMBER(wrong, 0);
}

struct talk {
    void *state;
    struct observed observed;
    struct observer observer;
};

static void talk_begin(struct talk *talk)
{
    *talk = (struct talk){.state = claude_stream.create()};
    talk->observer = observed_by(&talk->observed);
    buffer_append_string(&talk->observed.told, "");
    buffer_append_string(&talk->observed.sent, "");
}

static void talk_end(struct talk *talk)
{
    claude_stream.destroy(talk->state);
    buffer_finish(&talk->observed.told);
    buffer_finish(&talk->observed.sent);
}

static const char *says(struct talk *talk, const char *text)
{
    json_error_t error;
    json_t *message = json_loads(text, 0, &error);

    if (message == NULL)
        printf("# %s: %s\n", error.text, text);
    else
        claude_stream.message(talk->state, message, &talk->observer);
    json_decref(message);
    return observed_take(&talk->observed);
}

static const char *sent(struct talk *talk)
{
    static char text[65536];

    (void)snprintf(text, sizeof text, "%s", talk->observed.sent.bytes);
    buffer_clear(&talk->observed.sent);
    return text;
}

static void prompted(struct talk *talk)
{
    claude_stream.prompt(talk->state, "do it", &talk->observer);
    (void)observed_take(&talk->observed);
    (void)sent(talk);
}

TEST(a_prompt_can_be_sent_once_the_agent_answers)
{
    struct talk talk;

    talk_begin(&talk);
    claude_stream.begin(talk.state, NULL, "/", &talk.observer);
    CHECK_STRING(sent(&talk), "{\"type\":\"control_request\",\"request_id\":\"ganger-1\",\"request\":"
                              "{\"subtype\":\"initialize\",\"hooks\":null}}\n");
    CHECK_STRING(observed_take(&talk.observed), "");
    CHECK_STRING(says(&talk, "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\"}}"),
                 "phase idle\n");
    claude_stream.prompt(talk.state, "say \"hi\"\n", &talk.observer);
    CHECK_STRING(sent(&talk), "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":"
                              "[{\"type\":\"text\",\"text\":\"say \\\"hi\\\"\\n\"}]}}\n");
    CHECK_STRING(observed_take(&talk.observed), "turn text=say \"hi\"\n\nphase connecting\n");
    CHECK_STRING(says(&talk, "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\"}}"), "");
    claude_stream.interrupt(talk.state, &talk.observer);
    CHECK(strstr(sent(&talk), "\"subtype\":\"interrupt\"") != NULL);
    talk_end(&talk);
}

#define STREAM(event) "{\"type\":\"stream_event\",\"parent_tool_use_id\":null,\"event\":" event "}"
#define SAYS(id, block)                                                                                      \
    "{\"type\":\"assistant\",\"parent_tool_use_id\":null,\"message\":{\"id\":\"" id "\",\"content\":[" block \
    "]}}"

TEST(pieces_are_not_repeated_by_the_whole)
{
    struct talk talk;

    talk_begin(&talk);
    prompted(&talk);
    CHECK_STRING(says(&talk, "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"S\",\"model\":\"M\","
                             "\"claude_code_version\":\"2\"}"),
                 "session id=S name=M text=2\n");
    CHECK_STRING(says(&talk, STREAM("{\"type\":\"message_start\",\"message\":{\"id\":\"m1\"}}")),
                 "phase thinking\n");
    CHECK_STRING(says(&talk, STREAM("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                                    "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}")),
                 "thinking text=hm\n");
    CHECK_STRING(says(&talk, SAYS("m1", "{\"type\":\"thinking\",\"thinking\":\"hm\"}")), "");
    CHECK_STRING(says(&talk, STREAM("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
                                    "{\"type\":\"text_delta\",\"text\":\"yes\"}}")),
                 "phase streaming\ntext text=yes\n");
    CHECK_STRING(says(&talk, SAYS("m1", "{\"type\":\"text\",\"text\":\"yes\"}")), "");
    CHECK_STRING(says(&talk, SAYS("m2", "{\"type\":\"text\",\"text\":\"whole\"}")),
                 "text text=whole whole\n");
    talk_end(&talk);
}

#define BASH "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"Bash\",\"input\":{\"command\":\"touch x\"}}"
#define ASK                                                                                                  \
    "{\"type\":\"control_request\",\"request_id\":\"r1\",\"request\":{\"subtype\":\"can_use_tool\","         \
    "\"tool_name\":\"Bash\",\"input\":{\"command\":\"touch x\"},\"tool_use_id\":\"t1\","                     \
    "\"permission_suggestions\":[{\"type\":\"addRules\",\"behavior\":\"allow\",\"rules\":[{\"toolName\":"    \
    "\"Bash\",\"ruleContent\":\"touch:*\"}],\"destination\":\"localSettings\"}]}}"
#define RESULT(content)                                                                                      \
    "{\"type\":\"user\",\"parent_tool_use_id\":null,\"message\":{\"role\":\"user\",\"content\":[{"           \
    "\"type\":\"tool_result\",\"tool_use_id\":\"t1\",\"content\":" content "}]}}"

static void ask(struct talk *talk)
{
    talk_begin(talk);
    prompted(talk);
    CHECK_STRING(says(talk, SAYS("m1", BASH)),
                 "call id=t1 name=Bash text=touch x\nphase tool text=Bash touch x\n");
    CHECK_STRING(says(talk, ASK),
                 "asked id=r1 name=Bash request=permission text=Bash  touch x "
                 "choices=[\"Yes\",\"Yes, always: Bash(touch:*)\",\"No\"]\nphase approval text=Bash\n");
    (void)sent(talk);
}

static int answer(struct talk *talk, const char *id, bool approve, int choice, const char *text)
{
    struct approval_answer given = {.approve = approve, .choice = choice, .text = text};

    return claude_stream.answer(talk->state, id, &given, &talk->observer);
}

TEST(a_permission_is_given)
{
    struct talk talk;

    ask(&talk);
    CHECK_NUMBER(answer(&talk, "r2", true, 0, NULL), -1);
    CHECK_NUMBER(answer(&talk, "r1", true, 4, NULL), -1);
    CHECK_STRING(sent(&talk), "");
    CHECK_NUMBER(answer(&talk, "r1", true, 0, NULL), 0);
    CHECK_STRING(sent(&talk),
                 "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":\"r1\","
                 "\"response\":{\"behavior\":\"allow\",\"updatedInput\":{\"command\":\"touch x\"},"
                 "\"toolUseID\":\"t1\"}}}\n");
    CHECK_STRING(observed_take(&talk.observed),
                 "settled id=r1 outcome=approved\nphase tool text=Bash touch x\n");
    CHECK_NUMBER(answer(&talk, "r1", true, 0, NULL), -1);
    CHECK_STRING(says(&talk, RESULT("\"made\"")), "result id=t1 text=made\nphase connecting\n");
    talk_end(&talk);
}

TEST(a_permission_is_given_for_good)
{
    struct talk talk;

    ask(&talk);
    CHECK_NUMBER(answer(&talk, "r1", true, 2, NULL), 0);
    CHECK(strstr(sent(&talk), "\"updatedPermissions\":[{\"type\":\"addRules\"") != NULL);
    talk_end(&talk);
}

TEST(a_permission_is_denied)
{
    struct talk talk;

    ask(&talk);
    CHECK_NUMBER(answer(&talk, "r1", true, 3, "not now"), 0);
    CHECK(strstr(sent(&talk), "{\"behavior\":\"deny\",\"message\":\"not now\"}") != NULL);
    CHECK_STRING(observed_take(&talk.observed),
                 "settled id=r1 outcome=denied\nphase tool text=Bash touch x\n");
    talk_end(&talk);
}

TEST(a_permission_is_taken_back)
{
    struct talk talk;

    ask(&talk);
    CHECK_STRING(says(&talk, "{\"type\":\"control_cancel_request\",\"request_id\":\"r1\"}"),
                 "settled id=r1 outcome=gone\nphase tool text=Bash touch x\n");
    CHECK_NUMBER(answer(&talk, "r1", true, 0, NULL), -1);
    CHECK_STRING(says(&talk, ASK),
                 "asked id=r1 name=Bash request=permission text=Bash  touch x "
                 "choices=[\"Yes\",\"Yes, always: Bash(touch:*)\",\"No\"]\nphase approval text=Bash\n");
    CHECK_STRING(says(&talk, RESULT("[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\"}]")),
                 "settled id=r1 outcome=gone\nresult id=t1 text=a\n[image]\nphase connecting\n");
    talk_end(&talk);
}

TEST(questions_are_asked_one_after_another)
{
    struct talk talk;

    talk_begin(&talk);
    prompted(&talk);
    (void)says(
        &talk,
        "{\"type\":\"control_request\",\"request_id\":\"q\",\"request\":{\"subtype\":\"can_use_tool\","
        "\"tool_name\":\"AskUserQuestion\",\"input\":{\"questions\":[{\"question\":\"Which?\",\"options\":["
        "{\"label\":\"A\",\"description\":\"first\"},{\"label\":\"B\"}]},{\"question\":\"Why?\","
        "\"options\":[]}]}}}");
    CHECK_NUMBER(answer(&talk, "q", true, 2, NULL), 0);
    CHECK_STRING(sent(&talk), "");
    CHECK_STRING(observed_take(&talk.observed),
                 "settled id=q outcome=answered\nasked id=q/2 "
                 "name=AskUserQuestion request=question text=Why? choices=[]\n");
    CHECK_NUMBER(answer(&talk, "q", true, 1, NULL), -1);
    CHECK_NUMBER(answer(&talk, "q/2", true, 0, "so"), 0);
    CHECK(strstr(sent(&talk), "\"answers\":{\"Which?\":\"B\",\"Why?\":\"so\"}") != NULL);
    talk_end(&talk);
}

TEST(a_plan_is_shown)
{
    struct talk talk;

    talk_begin(&talk);
    prompted(&talk);
    CHECK_STRING(
        says(&talk, "{\"type\":\"control_request\",\"request_id\":\"p\",\"request\":{\"subtype\":"
                    "\"can_use_tool\",\"tool_name\":\"ExitPlanMode\",\"input\":{\"plan\":\"1. go\"}}}"),
        "asked id=p name=ExitPlanMode request=plan text=1. go choices=[\"Yes\",\"No, keep planning\"]\n"
        "phase approval text=ExitPlanMode\n");
    talk_end(&talk);
}

TEST(requests_that_nobody_knows_are_refused)
{
    struct talk talk;

    talk_begin(&talk);
    CHECK_STRING(
        says(&talk,
             "{\"type\":\"control_request\",\"request_id\":\"h\",\"request\":{\"subtype\":\"dance\"}}"),
        "unknown text=request dance\n");
    CHECK(strstr(sent(&talk), "\"subtype\":\"error\",\"request_id\":\"h\"") != NULL);
    talk_end(&talk);
}

TEST(retries_and_limits_have_their_times)
{
    struct talk talk;

    clock_inject(at_noon, NULL);
    talk_begin(&talk);
    prompted(&talk);
    CHECK_STRING(says(&talk,
                      "{\"type\":\"system\",\"subtype\":\"api_retry\",\"attempt\":2,\"max_retries\":10,"
                      "\"retry_delay_ms\":500,\"error_status\":529,\"error\":\"overloaded\"}"),
                 "retry name=overloaded text=overloaded (HTTP status 529) until=1000500 attempt=2/10\n"
                 "phase retrying text=overloaded (HTTP status 529) until=1000500\n");
    CHECK_STRING(says(&talk,
                      "{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"rejected\","
                      "\"resetsAt\":2000,\"rateLimitType\":\"five_hour\",\"unifiedWindows\":{\"five_hour\":"
                      "{\"utilization\":1,\"resetsAt\":2000,\"status\":\"rejected\"}}}}"),
                 "limit name=five_hour text=5-hour limit until=2000000 percent=100 failed\n");
    CHECK_STRING(says(&talk, "{\"type\":\"assistant\",\"error\":\"rate_limit\",\"message\":{\"content\":[{"
                             "\"type\":\"text\",\"text\":\"You've hit your limit\"}]}}"),
                 "error name=rate_limit text=You've hit your limit outcome=rate_limit\n");
    CHECK_STRING(
        says(&talk, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"duration_ms\":5}"),
        "usage in=0 out=0 read=0 write=0 cost=-1.0000 context=-1.0\nended outcome=failed\n"
        "phase limited until=2000000\n");
    talk_end(&talk);
    clock_inject(NULL, NULL);
}

TEST(results_end_turns)
{
    struct talk talk;

    talk_begin(&talk);
    prompted(&talk);
    CHECK_STRING(
        says(&talk, "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"total_cost_usd\":0.5,"
                    "\"modelUsage\":{\"a\":{\"inputTokens\":10,\"outputTokens\":2,\"contextWindow\":100},"
                    "\"b\":{\"inputTokens\":1,\"cacheReadInputTokens\":3}}}"),
        "usage in=11 out=2 read=3 write=0 cost=0.5000 context=-1.0\nended outcome=completed\nphase idle\n");
    prompted(&talk);
    CHECK_STRING(
        says(&talk, "{\"type\":\"result\",\"subtype\":\"error_max_turns\",\"is_error\":true}"),
        "error name=max_turns text=error_max_turns outcome=error_max_turns\n"
        "usage in=0 out=0 read=0 write=0 cost=-1.0000 context=-1.0\nended outcome=failed\nphase idle\n");
    prompted(&talk);
    CHECK_STRING(
        says(&talk, "{\"type\":\"result\",\"subtype\":\"error_during_execution\",\"is_error\":true,"
                    "\"terminal_reason\":\"aborted_streaming\"}"),
        "usage in=0 out=0 read=0 write=0 cost=-1.0000 context=-1.0\nended outcome=cancelled\nphase idle\n");
    talk_end(&talk);
}

TEST(all_kinds_of_content_are_told)
{
    struct talk talk;

    talk_begin(&talk);
    prompted(&talk);
    CHECK_STRING(says(&talk, SAYS("m", "{\"type\":\"redacted_thinking\",\"data\":\"x\"}")),
                 "thinking text=(thinking that the vendor does not show) whole\n");
    CHECK_STRING(says(&talk, SAYS("m", "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\","
                                       "\"input\":{\"query\":\"cats\"}}")),
                 "call id=s name=web_search text=cats server\n");
    CHECK_STRING(
        says(&talk, SAYS("m", "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s\",\"content\":[{"
                              "\"title\":\"Cats\",\"url\":\"http://c\"}]}")),
        "result id=s text=Cats  http://c server\n");
    CHECK_STRING(
        says(&talk, SAYS("m", "{\"type\":\"code_execution_tool_result\",\"tool_use_id\":\"s\",\"content\":{"
                              "\"stdout\":\"1\",\"stderr\":\"oh\",\"return_code\":1}}")),
        "result id=s text=1\noh failed server\n");
    CHECK_STRING(says(&talk, SAYS("m", "{\"type\":\"hologram\"},{\"type\":\"hologram\"}")),
                 "unknown text=content hologram\n");
    CHECK_STRING(says(&talk, "{\"type\":\"telepathy\"}"), "unknown text=message telepathy\n");
    CHECK_STRING(says(&talk, "{\"type\":\"telepathy\"}"), "");
    CHECK_STRING(says(&talk, "{}"), "unknown text=message without a type\n");
    talk_end(&talk);
}

TEST(files_lists_and_subagents_are_told)
{
    struct talk talk;
    const char *told;

    talk_begin(&talk);
    prompted(&talk);
    told = says(
        &talk, SAYS("m", "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"TodoWrite\",\"input\":{\"todos\":[{"
                         "\"content\":\"a\",\"status\":\"completed\"},{\"content\":\"b\","
                         "\"status\":\"in_progress\"}]}}"));
    CHECK(strstr(told,
                 "todo input=[{\"state\":\"done\",\"text\":\"a\"},{\"state\":\"active\",\"text\":\"b\"}]\n"));
    (void)says(&talk, RESULT("\"ok\""));
    told = says(
        &talk, "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"e\","
               "\"content\":\"updated\"}]},\"tool_use_result\":{\"filePath\":\"/x.c\",\"structuredPatch\":[{"
               "\"oldStart\":1,\"oldLines\":1,\"newStart\":1,\"newLines\":1,\"lines\":[\"-a\",\"+b\"]}]}}");
    CHECK(strstr(told,
                 "file id=e text=/x.c outcome=modified input={\"diff\":\"@@ -1,1 +1,1 @@\\n-a\\n+b\\n\"}\n"));
    told = says(&talk,
                SAYS("m", "{\"type\":\"tool_use\",\"id\":\"k\",\"name\":\"Task\",\"input\":{\"description\":"
                          "\"look around\"}}"));
    CHECK(strstr(told, "agent id=k name=look around\n") != NULL);
    CHECK_STRING(
        says(&talk,
             "{\"type\":\"assistant\",\"parent_tool_use_id\":\"k\",\"message\":{\"id\":\"z\",\"content\":"
             "[{\"type\":\"text\",\"text\":\"inside\"}]}}"),
        "text parent=k text=inside whole\n");
    told = says(
        &talk, "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"k\","
               "\"content\":\"done\"}]}}");
    CHECK(strstr(told, "agent id=k name=look around over\n") != NULL);
    talk_end(&talk);
}

/* Every member of a message, one after the other, is of another type or gone. */
static void spoil(struct talk *talk, json_t *whole, json_t *part)
{
    json_t *values[] = {json_null(),  json_integer(7), json_string("x"),
                        json_array(), json_object(),   json_true()};
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(part, next, key, value)
    {
        json_incref(value);
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            json_object_set(part, key, values[i]);
            claude_stream.message(talk->state, whole, &talk->observer);
        }
        json_object_set(part, key, value);
        if (json_is_object(value))
            spoil(talk, whole, value);
        if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
            spoil(talk, whole, json_array_get(value, 0));
        json_decref(value);
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        json_decref(values[i]);
}

TEST(members_of_any_type_are_survived)
{
    static const char *const messages[] = {
        SAYS("m1", BASH),
        SAYS("m1", "{\"type\":\"text\",\"text\":\"a\"}"),
        SAYS(
            "m1",
            "{\"type\":\"code_execution_tool_result\",\"tool_use_id\":\"s\",\"content\":{\"stdout\":\"1\"}}"),
        ASK,
        RESULT("[{\"type\":\"text\",\"text\":\"x\"}]"),
        STREAM("{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":1}}}"),
        STREAM("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":"
               "\"\"}}"),
        STREAM("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
               "\"a\"}}"),
        ("{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"rejected\",\"resetsAt\":2,"
         "\"rateLimitType\":\"a\",\"unifiedWindows\":{\"a\":{\"utilization\":1,\"status\":\"rejected\"}}}}"),
        "{\"type\":\"system\",\"subtype\":\"api_retry\",\"attempt\":1,\"error\":\"x\",\"error_status\":1}",
        "{\"type\":\"system\",\"subtype\":\"task_started\",\"task_id\":\"1\",\"task_type\":\"agent\"}",
        "{\"type\":\"result\",\"subtype\":\"x\",\"is_error\":true,\"errors\":[],\"modelUsage\":{\"a\":{}}}",
    };
    struct talk talk;

    talk_begin(&talk);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        json_t *message = json_loads(messages[i], 0, NULL);
        CHECK(message != NULL);
        spoil(&talk, message, message);
        json_decref(message);
    }
    CHECK(talk.observed.told.length > 0);
    talk_end(&talk);
}

TEST_MAIN
