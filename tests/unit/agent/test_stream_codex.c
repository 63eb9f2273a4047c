#include <glob.h>
#include <libgen.h>
#include <time.h>

#include "agent/stream_codex.h"
#include "base/memory.h"
#include "stream_text.h"
#include "test.h"

#define FOLDER "tests/captures/stream"

/* Times in messages are local. */
__attribute__((constructor)) static void use_utc(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

TEST(recordings)
{
    glob_t files;
    int wrong = 0;

    CHECK(glob(FOLDER "/codex-*.jsonl", 0, NULL, &files) == 0 && files.gl_pathc >= 20);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *path = xstrdup(files.gl_pathv[i]), *name = basename(path);
        *strrchr(name, '.') = '\0';
        wrong += !stream_matches(&codex_stream, FOLDER, name);
        free(path);
    }
    globfree(&files);
    CHECK_NUMBER(wrong, 0);
}

/* ---- a conversation by hand ---- */

#define INITIALIZED "{\"id\":1,\"result\":{\"userAgent\":\"ganger/0.9 (x)\"}}"
#define OPENED "{\"id\":2,\"result\":{\"thread\":{\"id\":\"T\"},\"model\":\"m\"}}"
#define TURN "{\"id\":3,\"result\":{\"turn\":{\"id\":\"U\"}}}"
#define ENDED(status)                                                                                        \
    "{\"method\":\"turn/"                                                                                    \
    "completed\",\"params\":{\"threadId\":\"T\",\"turn\":{\"id\":\"U\",\"status\":\"" status "\"}}}"
#define COMMAND                                                                                              \
    "{\"method\":\"item/"                                                                                    \
    "started\",\"params\":{\"threadId\":\"T\",\"item\":{\"type\":\"commandExecution\",\"id\":\"c\","         \
    "\"command\":\"/bin/bash -lc 'rm x'\",\"cwd\":\"/p\",\"status\":\"inProgress\"}}}"
#define ASK(id)                                                                                              \
    "{\"id\":" id                                                                                            \
    ",\"method\":\"item/commandExecution/requestApproval\",\"params\":{\"threadId\":\"T\",\"itemId\":\"c\"," \
    "\"command\":\"rm x\",\"cwd\":\"/p\",\"reason\":\"to clean\",\"availableDecisions\":[\"accept\","        \
    "{\"acceptWithExecpolicyAmendment\":{\"execpolicy_amendment\":[\"rm\"]}},\"cancel\"]}}"

static void open_thread(struct stream_text *text)
{
    stream_text_init(text, &codex_stream);
    text->channel->begin(text->state, NULL, "/p", &text->observer);
    stream_tell(text, INITIALIZED);
    stream_tell(text, OPENED);
    buffer_clear(&text->out);
    buffer_append(&text->out, "", 0);
}

/* A turn runs. */
static void begin_turn(struct stream_text *text)
{
    open_thread(text);
    text->channel->prompt(text->state, "go", &text->observer);
    stream_tell(text, TURN);
    buffer_clear(&text->out);
    buffer_append(&text->out, "", 0);
}

static void ask(struct stream_text *text, const char *request)
{
    begin_turn(text);
    stream_tell(text, COMMAND);
    stream_tell(text, request);
    buffer_clear(&text->out);
    buffer_append(&text->out, "", 0);
}

static int give(struct stream_text *text, bool approve, int choice, const char *words)
{
    struct approval_answer answer = {.approve = approve, .choice = choice, .text = words};

    return text->channel->answer(text->state, "7", &answer, &text->observer);
}

TEST(the_handshake_leads_to_idle)
{
    struct stream_text text;

    stream_text_init(&text, &codex_stream);
    text.channel->begin(text.state, NULL, "/p", &text.observer);
    CHECK(stream_said_part(&text, "phase initializing\n> {\"id\":1,\"method\":\"initialize\""));
    stream_tell(&text, INITIALIZED);
    CHECK(stream_said(&text, "> {\"method\":\"initialized\"}\n"
                             "> {\"id\":2,\"method\":\"thread/start\",\"params\":{\"cwd\":\"/p\"}}\n"));
    stream_tell(&text, OPENED);
    CHECK(stream_said(&text, "session id:\"T\" name:\"m\" \"0.9\"\nphase idle\n"));
    stream_text_finish(&text);
}

TEST(a_conversation_is_resumed)
{
    struct stream_text text;

    stream_text_init(&text, &codex_stream);
    text.channel->begin(text.state, "R", "/p", &text.observer);
    buffer_clear(&text.out);
    stream_tell(&text, INITIALIZED);
    CHECK(stream_said_part(&text, "\"thread/resume\",\"params\":{\"threadId\":\"R\",\"excludeTurns\":true"));
    stream_text_finish(&text);

    stream_text_init(&text, &codex_stream);
    text.channel->begin(text.state, "", "/p", &text.observer);
    stream_tell(&text, INITIALIZED);
    CHECK(stream_said_part(&text, "\"thread/list\",\"params\":{\"cwd\":\"/p\",\"limit\":1"));
    stream_tell(&text, "{\"id\":2,\"result\":{\"data\":[]}}");
    CHECK(stream_said(&text,
                      "error name:\"not_found\" \"there is no conversation to resume in this folder\"\n"));
    stream_text_finish(&text);
}

TEST(without_a_conversation_it_is_never_idle)
{
    struct stream_text text;

    stream_text_init(&text, &codex_stream);
    text.channel->begin(text.state, NULL, "/p", &text.observer);
    stream_tell(&text, INITIALIZED);
    buffer_clear(&text.out);
    stream_tell(&text, "{\"id\":2,\"error\":{\"code\":-32600,\"message\":\"not logged in\"}}");
    CHECK(stream_said(&text, "error name:\"authentication\" \"-32600\" \"not logged in\"\n"));
    stream_tell(&text, ASK("{}"));
    stream_tell(&text, ENDED("completed"));
    CHECK(strstr(text.out.bytes, "idle") == NULL);
    text.channel->prompt(text.state, "more", &text.observer);
    CHECK(stream_said_part(&text, "error name:\"invalid_request\""));
    stream_text_finish(&text);
}

TEST(an_approval_is_asked_in_full)
{
    struct stream_text text;

    begin_turn(&text);
    stream_tell(&text, COMMAND);
    CHECK(stream_said(
        &text, "call id:\"c\" name:\"shell\" \"rm x\" {\"command\":\"/bin/bash -lc 'rm x'\",\"cwd\":\"/p\"}\n"
               "phase tool \"shell rm x\"\n"));
    stream_tell(&text, ASK("7"));
    CHECK(stream_said(&text,
                      "approval id:\"7\" \"permission\" name:\"shell\" \"rm x\\nin /p\\nreason: to clean\" "
                      "{\"command\":\"rm x\",\"cwd\":\"/p\",\"reason\":\"to clean\"} "
                      "choices:[\"Approve\",\"Approve, and every command that begins with: rm\",\"Deny\","
                      "\"Deny and end the turn\"]\n"
                      "phase approval \"shell rm x…\"\n"));
    stream_text_finish(&text);
}

TEST(an_approval_is_answered_once)
{
    static const struct {
        bool approve;
        int choice;
        const char *said;
    } cases[] = {
        {true, 0,
         "> {\"id\":7,\"result\":{\"decision\":\"accept\"}}\nresolved id:\"7\" \"approved\"\nphase tool "
         "\"shell rm x\"\n"},
        {false, 0,
         "> {\"id\":7,\"result\":{\"decision\":\"decline\"}}\nresolved id:\"7\" \"denied\"\nphase "
         "connecting\n"},
        {false, 1,
         "> {\"id\":7,\"result\":{\"decision\":\"accept\"}}\nresolved id:\"7\" \"approved\"\nphase tool "
         "\"shell rm x\"\n"},
        {true, 2,
         "> "
         "{\"id\":7,\"result\":{\"decision\":{\"acceptWithExecpolicyAmendment\":{\"execpolicy_amendment\":["
         "\"rm\"]}}}}\n"
         "resolved id:\"7\" \"approved\"\nphase tool \"shell rm x\"\n"},
        {true, 4,
         "> {\"id\":7,\"result\":{\"decision\":\"cancel\"}}\nresolved id:\"7\" \"denied\"\nphase "
         "connecting\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        ask(&text, ASK("7"));
        CHECK_NUMBER(give(&text, true, 5, NULL), -1);
        CHECK_NUMBER(give(&text, true, -1, NULL), -1);
        CHECK_NUMBER(give(&text, cases[i].approve, cases[i].choice, NULL), 0);
        CHECK(stream_said(&text, cases[i].said));
        CHECK_NUMBER(give(&text, true, 0, NULL), -1);
        stream_tell(
            &text, "{\"method\":\"serverRequest/resolved\",\"params\":{\"threadId\":\"T\",\"requestId\":7}}");
        CHECK(stream_said(&text, ""));
        stream_text_finish(&text);
    }
}

TEST(words_with_a_refusal_steer_the_turn)
{
    struct stream_text text;

    ask(&text, ASK("7"));
    CHECK_NUMBER(give(&text, false, 0, "keep it"), 0);
    CHECK(stream_said_part(&text,
                           "\"turn/steer\",\"params\":{\"threadId\":\"T\",\"expectedTurnId\":\"U\",\"input\":"
                           "[{\"type\":\"text\",\"text\":\"keep it\"}]}"));
    stream_text_finish(&text);
}

TEST(an_approval_ends_without_an_answer)
{
    struct stream_text text;

    ask(&text, ASK("7"));
    stream_tell(&text,
                "{\"method\":\"serverRequest/resolved\",\"params\":{\"threadId\":\"T\",\"requestId\":7}}");
    CHECK(stream_said(&text, "resolved id:\"7\" \"gone\"\nphase tool \"shell rm x\"\n"));
    CHECK_NUMBER(give(&text, true, 0, NULL), -1);
    stream_text_finish(&text);

    ask(&text, ASK("7"));
    text.channel->interrupt(text.state, &text.observer);
    CHECK(stream_said(
        &text, "> {\"id\":4,\"method\":\"turn/interrupt\",\"params\":{\"threadId\":\"T\",\"turnId\":\"U\"}}\n"
               "> {\"id\":7,\"result\":{\"decision\":\"decline\"}}\n"
               "resolved id:\"7\" \"gone\"\nphase connecting\n"));
    CHECK_NUMBER(give(&text, true, 0, NULL), -1);
    stream_tell(&text, ASK("8"));
    CHECK(stream_said(&text, "> {\"id\":8,\"error\":{\"code\":-32602,\"message\":\"refused\"}}\n"));
    stream_tell(&text, ENDED("interrupted"));
    CHECK(stream_said(&text, "turn ended \"cancelled\"\nphase idle\n"));
    stream_text_finish(&text);

    ask(&text, ASK("7"));
    stream_tell(&text, ENDED("completed"));
    CHECK(stream_said(&text, "resolved id:\"7\" \"gone\"\nturn ended \"completed\"\nphase idle\n"));
    stream_text_finish(&text);
}

TEST(two_requests_with_one_id_are_both_refused)
{
    struct stream_text text;

    ask(&text, ASK("7"));
    stream_tell(&text, ASK("\"7\""));
    CHECK(stream_said_part(&text, "resolved id:\"7\" \"gone\""));
    CHECK_NUMBER(give(&text, true, 0, NULL), -1);
    stream_text_finish(&text);
}

TEST(a_change_of_files_is_shown_as_a_diff)
{
    struct stream_text text;

    begin_turn(&text);
    stream_tell(
        &text, "{\"method\":\"item/"
               "started\",\"params\":{\"threadId\":\"T\",\"item\":{\"type\":\"fileChange\",\"id\":\"f\","
               "\"status\":\"inProgress\",\"changes\":[{\"path\":\"/p/a\",\"kind\":{\"type\":\"update\"},"
               "\"diff\":\"@@ -1 +1 "
               "@@\\n-a\\n+b\\n\"},{\"path\":\"/p/b\",\"kind\":{\"type\":\"delete\"},\"diff\":\"x\\n\"}]}}}");
    stream_tell(&text, "{\"id\":7,\"method\":\"item/fileChange/"
                       "requestApproval\",\"params\":{\"threadId\":\"T\",\"itemId\":\"f\"}}");
    CHECK(stream_said_part(&text, "approval id:\"7\" \"permission\" name:\"edit\" \"change /p/a, /p/b\\n"
                                  "--- /p/a\\n+++ /p/a\\n@@ -1 +1 @@\\n-a\\n+b\\n"
                                  "--- /p/b\\n+++ /dev/null\\n@@ -1,1 +0,0 @@\\n-x\\n\""));
    CHECK_NUMBER(give(&text, true, 2, NULL), 0);
    CHECK(stream_said_part(&text, "{\"decision\":\"acceptForSession\"}"));
    stream_text_finish(&text);
}

TEST(questions_rights_and_servers)
{
    static const struct {
        const char *request;
        bool approve;
        int choice;
        const char *words, *said; /* NULL: there is no such answer */
    } cases[] = {
        {"item/tool/"
         "requestUserInput\",\"params\":{\"questions\":[{\"id\":\"q\",\"question\":\"Which?\",\"options\":"
         "[{\"label\":\"A\",\"description\":\"a\"},{\"label\":\"B\",\"description\":\"b\"}]}]}",
         true, 2, NULL,
         "> {\"id\":7,\"result\":{\"answers\":{\"q\":{\"answers\":[\"B\"]}}}}\nresolved id:\"7\" "
         "\"answered\"\n"},
        {"item/tool/"
         "requestUserInput\",\"params\":{\"questions\":[{\"id\":\"q\",\"question\":\"Which?\"},{\"id\":\"r\"}"
         "]}",
         true, 0, "one\ntwo\nthree",
         "> "
         "{\"id\":7,\"result\":{\"answers\":{\"q\":{\"answers\":[\"one\"]},\"r\":{\"answers\":["
         "\"two\\nthree\"]}}}}\n"},
        {"item/tool/requestUserInput\",\"params\":{\"questions\":[{\"id\":\"q\",\"question\":\"Which?\"}]}",
         true, 0, NULL, NULL},
        {"item/tool/requestUserInput\",\"params\":{\"questions\":[{\"id\":\"q\",\"question\":\"Which?\"}]}",
         false, 0, NULL, "> {\"id\":7,\"result\":{\"answers\":{}}}\nresolved id:\"7\" \"denied\"\n"},
        {"item/permissions/requestApproval\",\"params\":{\"cwd\":\"/"
         "p\",\"permissions\":{\"network\":{\"enabled\":true},\"fileSystem\":null}}",
         true, 0, NULL,
         "> {\"id\":7,\"result\":{\"permissions\":{\"network\":{\"enabled\":true}},\"scope\":\"turn\"}}\n"},
        {"item/permissions/requestApproval\",\"params\":{\"permissions\":{\"network\":{\"enabled\":true}}}",
         false, 0, NULL, "> {\"id\":7,\"result\":{\"permissions\":{},\"scope\":\"turn\"}}\n"},
        {"mcpServer/elicitation/"
         "request\",\"params\":{\"serverName\":\"s\",\"mode\":\"form\",\"message\":\"ok?\","
         "\"requestedSchema\":{}}",
         true, 0, NULL, "> {\"id\":7,\"result\":{\"action\":\"accept\",\"content\":{},\"_meta\":null}}\n"},
        {"mcpServer/elicitation/"
         "request\",\"params\":{\"serverName\":\"s\",\"mode\":\"form\",\"message\":\"name?\","
         "\"requestedSchema\":{\"properties\":{\"n\":{}}}}",
         true, 0, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        char *message = xasprintf("{\"id\":7,\"method\":\"%s}", cases[i].request);
        int given;
        begin_turn(&text);
        stream_tell(&text, message);
        free(message);
        CHECK(strstr(text.out.bytes, "approval id:\"7\"") == text.out.bytes);
        buffer_clear(&text.out);
        buffer_append(&text.out, "", 0);
        given = give(&text, cases[i].approve, cases[i].choice, cases[i].words);
        CHECK_NUMBER(given, cases[i].said != NULL ? 0 : -1);
        CHECK(stream_said_part(&text, cases[i].said != NULL ? cases[i].said : ""));
        stream_text_finish(&text);
    }
}

TEST(an_interrupt_waits_for_the_turn)
{
    struct stream_text text;

    open_thread(&text);
    text.channel->interrupt(text.state, &text.observer);
    CHECK(stream_said(&text, ""));
    text.channel->prompt(text.state, "go", &text.observer);
    text.channel->interrupt(text.state, &text.observer);
    CHECK(strstr(text.out.bytes, "interrupt") == NULL);
    buffer_clear(&text.out);
    stream_tell(&text, TURN);
    CHECK(stream_said(
        &text,
        "> {\"id\":4,\"method\":\"turn/interrupt\",\"params\":{\"threadId\":\"T\",\"turnId\":\"U\"}}\n"));
    stream_text_finish(&text);
}

TEST(subagents_do_not_set_the_phase)
{
    struct stream_text text;

    begin_turn(&text);
    stream_tell(
        &text,
        "{\"method\":\"item/"
        "completed\",\"params\":{\"threadId\":\"T\",\"item\":{\"type\":\"subAgentActivity\",\"id\":\"1\","
        "\"kind\":\"started\",\"agentThreadId\":\"X\",\"agentPath\":\"/root/look\"}}}");
    stream_tell(&text, "{\"method\":\"item/agentMessage/"
                       "delta\",\"params\":{\"threadId\":\"X\",\"itemId\":\"m\",\"delta\":\"hi\"}}");
    stream_tell(
        &text,
        "{\"method\":\"turn/"
        "completed\",\"params\":{\"threadId\":\"X\",\"turn\":{\"id\":\"V\",\"status\":\"completed\"}}}");
    stream_tell(
        &text,
        "{\"method\":\"item/"
        "completed\",\"params\":{\"threadId\":\"T\",\"item\":{\"type\":\"subAgentActivity\",\"id\":\"2\","
        "\"kind\":\"completed\",\"agentThreadId\":\"X\"}}}");
    CHECK(stream_said(
        &text, "subagent id:\"X\" name:\"/root/look\"\ntext in:\"X\" \"hi\"\nsubagent id:\"X\" ended\n"));
    stream_text_finish(&text);
}

TEST(errors_and_retries)
{
    static const struct {
        const char *error, *said;
    } cases[] = {
        {"{\"message\":\"m\",\"codexErrorInfo\":\"contextWindowExceeded\"},\"willRetry\":false",
         "error name:\"context_window\" \"contextWindowExceeded\" \"m\"\n"},
        {"{\"message\":\"m\",\"codexErrorInfo\":{\"responseStreamDisconnected\":{\"httpStatusCode\":503}}},"
         "\"willRetry\":false",
         "error name:\"overloaded\" \"responseStreamDisconnected\" \"m\"\n"},
        {"{\"message\":\"m\",\"codexErrorInfo\":{\"httpConnectionFailed\":{\"httpStatusCode\":null}}},"
         "\"willRetry\":false",
         "error name:\"network\" \"httpConnectionFailed\" \"m\"\n"},
        {"{\"message\":\"Reconnecting... 2/5\",\"additionalDetails\":\"why\",\"codexErrorInfo\":"
         "{\"responseStreamDisconnected\":{\"httpStatusCode\":429}}},\"willRetry\":true",
         "retry name:\"rate_limit\" \"why\" attempt=2/5\nphase retrying \"rate_limit\"\n"},
        {"{\"message\":\"m\",\"codexErrorInfo\":\"somethingElse\"},\"willRetry\":false",
         "error \"somethingElse\" \"m\"\n"},
        {"5", "error \"the agent gave no reason\"\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_text text;
        char *message =
            xasprintf("{\"method\":\"error\",\"params\":{\"threadId\":\"T\",\"error\":%s}}", cases[i].error);
        begin_turn(&text);
        stream_tell(&text, message);
        free(message);
        CHECK(stream_said(&text, cases[i].said));
        stream_text_finish(&text);
    }
}

TEST(other_requests_are_refused)
{
    struct stream_text text;

    open_thread(&text);
    stream_tell(&text, "{\"id\":1,\"method\":\"attestation/generate\",\"params\":{}}");
    stream_tell(&text, "{\"id\":2,\"method\":\"attestation/generate\"}");
    CHECK(stream_said(&text, "unknown \"attestation/generate\"\n"
                             "> {\"id\":1,\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n"
                             "> {\"id\":2,\"error\":{\"code\":-32601,\"message\":\"not supported\"}}\n"));
    stream_tell(&text, "{\"method\":\"brand/new\"}");
    stream_tell(&text, "{\"method\":\"brand/new\"}");
    CHECK(stream_said(&text, "unknown \"brand/new\"\n"));
    stream_text_finish(&text);
}

TEST(messages_that_are_wrong_are_borne)
{
    static const char *const messages[] = {
        "{}",
        "{\"id\":1}",
        "{\"id\":99,\"result\":{}}",
        "{\"id\":3,\"result\":null}",
        "{\"id\":[],\"method\":\"item/commandExecution/requestApproval\"}",
        "{\"id\":null,\"method\":\"item/fileChange/requestApproval\",\"params\":7}",
        "{\"id\":11,\"method\":\"item/commandExecution/"
        "requestApproval\",\"params\":{\"availableDecisions\":[1,{},[],\"x\"]}}",
        "{\"id\":12,\"method\":\"item/tool/requestUserInput\",\"params\":{\"questions\":[5]}}",
        "{\"id\":13,\"method\":\"item/tool/requestUserInput\",\"params\":{}}",
        "{\"id\":14,\"method\":\"item/permissions/requestApproval\",\"params\":{\"permissions\":[]}}",
        "{\"method\":\"item/started\"}",
        "{\"method\":\"item/completed\",\"params\":{\"item\":{\"type\":\"commandExecution\"}}}",
        "{\"method\":\"item/"
        "completed\",\"params\":{\"item\":{\"type\":\"commandExecution\",\"command\":\"\",\"exitCode\":\"x\"}"
        "}}",
        "{\"method\":\"item/"
        "completed\",\"params\":{\"item\":{\"type\":\"fileChange\",\"status\":\"completed\",\"changes\":[1,{}"
        "]}}}",
        "{\"method\":\"item/"
        "completed\",\"params\":{\"item\":{\"type\":\"mcpToolCall\",\"arguments\":5,\"result\":[]}}}",
        "{\"method\":\"item/"
        "completed\",\"params\":{\"item\":{\"type\":\"collabAgentToolCall\",\"agentsStates\":[1]}}}",
        "{\"method\":\"item/completed\",\"params\":{\"item\":{\"type\":\"reasoning\",\"summary\":[1]}}}",
        "{\"method\":\"item/completed\",\"params\":{\"item\":{\"type\":7}}}",
        "{\"method\":\"turn/completed\",\"params\":{\"turn\":{\"status\":\"failed\"}}}",
        "{\"method\":\"turn/started\",\"params\":{}}",
        "{\"method\":\"turn/completed\",\"params\":{\"turn\":5}}",
        "{\"method\":\"account/rateLimits/"
        "updated\",\"params\":{\"rateLimits\":{\"primary\":{\"usedPercent\":1e300,\"resetsAt\":"
        "9223372036854775807,\"windowDurationMins\":-5},\"secondary\":4}}}",
        "{\"method\":\"thread/tokenUsage/"
        "updated\",\"params\":{\"tokenUsage\":{\"total\":{\"inputTokens\":\"x\"}}}}",
        "{\"method\":\"turn/plan/updated\",\"params\":{\"plan\":[1,{\"step\":2}]}}",
        "{\"type\":\"item.completed\"}",
        "{\"type\":\"turn.failed\"}",
        "{\"type\":\"error\"}",
        "{\"type\":5}",
    };

    for (int opened = 0; opened < 2; opened++) {
        struct stream_text text;
        if (opened)
            begin_turn(&text);
        else
            stream_text_init(&text, &codex_stream);
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
            stream_tell(&text, messages[i]);
        CHECK(strstr(text.out.bytes, "accept") == NULL);
        text.channel->interrupt(text.state, &text.observer);
        stream_text_finish(&text);
    }
}

TEST(times_when_a_limit_ends)
{
    int64_t now = 1795249800000; /* 2026-11-21 08:30:00 UTC */

    CHECK_NUMBER(codex_reset_time("or try again at 9:48 AM.", now), 1795254539000);
    CHECK_NUMBER(codex_reset_time("or try again at 4:37 AM.", now), 1795322279000);
    CHECK_NUMBER(codex_reset_time("try again at Nov 23rd, 2026 3:45 PM.", now), 1795448759000);
    /* Within that very minute. */
    CHECK_NUMBER(codex_reset_time("or try again at 9:48 AM.", 1795254480000 + 31000), 1795254480000 + 59000);
    CHECK_NUMBER(codex_reset_time("try again at some point", now), 0);
    CHECK_NUMBER(codex_reset_time("try again", now), 0);
}

TEST_MAIN
