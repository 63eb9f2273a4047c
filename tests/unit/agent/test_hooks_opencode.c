#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/driver.h"
#include "base/memory.h"
#include "base/path.h"
#include "observed.h"
#include "test.h"

#define CAPTURES "tests/captures/side/opencode/"

/* ---- events ---- */

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

    while ((text = strstr(text, words)) != NULL) {
        count++;
        text += strlen(words);
    }
    return count;
}

#define CHECK_LINES(text, ...)                                                                               \
    do {                                                                                                     \
        const char *const test_lines[] = {__VA_ARGS__, NULL};                                                \
        const char *test_missing = missing_line(text, test_lines);                                           \
        if (test_missing != NULL)                                                                            \
            TEST_FAIL("\"%s\" is missing in:\n%s", test_missing, text);                                      \
    } while (0)

TEST(a_turn_with_a_tool_asks_and_ends)
{
    char *text = observed_file(&opencode_hooks, CAPTURES "turns.jsonl");

    CHECK_LINES(
        text, "session ses_e040a2d19ffe7IQLhiVCSni8Oz 1.18.33\n",
        "turn_started run [scn:tool]\nphase connecting\n", "mock-model", "phase thinking\n",
        "thinking The user wants me \n", "phase streaming\ntext I will run \n",
        "tool_call call_35784efe0b35 bash touch ./made-by-agent && echo", "phase tool\n",
        "approval per_1fbf5f6ec001Wcx5wkuiuh1s53 permission bash bash: touch ./made-by-agent && echo ",
        "{\"command\":\"touch ./made-by-agent && echo tool-output-line && sleep 1\"",
        "[\"Allow once\",\"Allow always\",\"Reject\"]\nphase approval\n",
        "approval_resolved per_1fbf5f6ec001Wcx5wkuiuh1s53 approved\nphase tool\n",
        "tool_result call_35784efe0b35 bash tool-output-line\n", "phase thinking\n",
        "usage in=4200 out=120 read=15000 write=0 cost=0.0189", "phase streaming\n",
        "turn_ended completed\nphase idle\n");
    CHECK_NUMBER(count_of(text, "\nturn_started "), 4);
    CHECK_NUMBER(count_of(text, "\nturn_ended "), 4);
    CHECK_NUMBER(count_of(text, "\ntool_call "), 1);
    CHECK_NUMBER(count_of(text, "\nphase idle\n"), 4);
    free(text);
}

TEST(retries_and_errors_are_told)
{
    char *text = observed_file(&opencode_hooks, CAPTURES "turns.jsonl");

    CHECK_LINES(text, "turn_started x [scn:rl]\nphase connecting\n", "retry rate_limit Rate limit reached",
                "until=1795228570879 attempt=1/0\n", "phase retrying Rate limit reached",
                "until=1795228570879\n", "phase connecting\n", "attempt=4/0\n",
                "turn_ended cancelled\nphase idle\n", "error authentication 401 Incorrect API key provided",
                "turn_ended failed\n", "turn_ended completed\n");
    free(text);
}

TEST(an_interrupted_turn_is_cancelled)
{
    char *text = observed_file(&opencode_hooks, CAPTURES "interrupt.jsonl");

    CHECK_LINES(text, "phase streaming\n", "text slowly17 \n", "turn_ended cancelled\nphase idle\n");
    CHECK_NUMBER(count_of(text, "slowly3 "), 1);
    CHECK_NUMBER(count_of(text, "error "), 0);
    free(text);
}

TEST(a_refused_tool_ends_the_turn)
{
    char *text = observed_file(&opencode_hooks, CAPTURES "reject.jsonl");

    CHECK_LINES(text, "phase approval\n", "denied\n", "The user rejected permission", "failed\n",
                "turn_ended cancelled\nphase idle\n", "context=0.61\n");
    free(text);
}

/* The lines of an event each, observed. */
static char *observed(const char *lines)
{
    void *state = opencode_hooks.create();
    struct buffer out;

    buffer_init(&out);
    buffer_append_string(&out, "");
    observed_feed(&opencode_hooks, state, lines, &out);
    opencode_hooks.destroy(state);
    return buffer_steal(&out);
}

#define EVENT(type, properties) "{\"type\":\"" type "\",\"properties\":{" properties "}}\n"
#define STATUS(session, status)                                                                              \
    EVENT("session.status", "\"sessionID\":\"" session "\",\"status\":{" status "}")
#define BUSY(session) STATUS(session, "\"type\":\"busy\"")
#define IDLE(session) STATUS(session, "\"type\":\"idle\"")
#define USER(session, id, text)                                                                              \
    EVENT("message.updated", "\"info\":{\"id\":\"" id "\",\"role\":\"user\",\"sessionID\":\"" session "\"}") \
    EVENT("message.part.updated",                                                                            \
          "\"part\":{\"id\":\"p" id "\",\"messageID\":\"" id "\",\"sessionID\":\"" session                   \
          "\",\"type\":\"text\",\"text\":\"" text "\"}")
#define ANSWER(session, id, parent)                                                                          \
    EVENT("message.updated", "\"info\":{\"id\":\"" id "\",\"role\":\"assistant\",\"parentID\":\"" parent     \
                             "\",\"sessionID\":\"" session "\"}")

TEST(a_subagent_does_not_move_the_phase)
{
    char *text = observed(
        USER("main", "m1", "go") BUSY("main")
            EVENT("session.created",
                  "\"info\":{\"id\":\"sub\",\"parentID\":\"main\",\"agent\":\"explore\",\"tokens\":{}}")
                BUSY("sub") USER("sub", "m2", "look")
                    EVENT("permission.asked",
                          "\"id\":\"q\",\"sessionID\":\"sub\",\"permission\":\"edit\",\"patterns\":[\"a.c\"]")
                        EVENT("permission.replied",
                              "\"sessionID\":\"sub\",\"requestID\":\"q\",\"reply\":\"always\"") IDLE("sub")
                            IDLE("main"));

    CHECK_STRING(text,
                 "session main\n"
                 "turn_started go\n"
                 "phase connecting\n"
                 "subagent sub explore\n"
                 "approval sub q permission edit edit: a.c [\"Allow once\",\"Allow always\",\"Reject\"]\n"
                 "phase approval\n"
                 "approval_resolved q approved\n"
                 "phase connecting\n"
                 "subagent sub ended\n"
                 "turn_ended completed\n"
                 "phase idle\n");
    free(text);
}

TEST(a_prompt_given_meanwhile_is_a_turn_of_its_own)
{
    char *text = observed(USER("s", "m1", "one") BUSY("s") ANSWER("s", "m2", "m1") USER("s", "m3", "two")
                              ANSWER("s", "m2", "m1") ANSWER("s", "m4", "m3") IDLE("s"));

    CHECK_STRING(text, "session s\nturn_started one\nphase connecting\nturn_ended completed\n"
                       "turn_started two\nturn_ended completed\nphase idle\n");
    free(text);
}

TEST(a_limit_of_the_account_is_told)
{
    char *text = observed(USER("s", "m1", "x") STATUS(
        "s", "\"type\":\"retry\",\"attempt\":1,\"message\":\"Go limit reached\",\"next\":99,"
             "\"action\":{\"reason\":\"account_rate_limit\"}") BUSY("s")
                              EVENT("message.part.updated", "\"part\":{\"id\":\"p\",\"messageID\":\"m2\","
                                                            "\"sessionID\":\"s\",\"type\":\"step-start\"}"));

    CHECK_LINES(text, "limit account_rate_limit Go limit reached until=99 percent=-1 failed\n",
                "phase limited Go limit reached until=99\n", "phase connecting\n", "limit percent=-1 ended\n",
                "phase thinking\n");
    free(text);
}

TEST(questions_todo_lists_and_files_are_told)
{
    char *text = observed(
        USER("s", "m1", "x") EVENT("question.asked",
                                   "\"id\":\"q\",\"sessionID\":\"s\",\"questions\":[{\"question\":\"Which?\","
                                   "\"options\":[{\"label\":\"A\"},{\"label\":\"B\"}]}]")
            EVENT("question.replied", "\"sessionID\":\"s\",\"requestID\":\"q\",\"answers\":[[\"A\"]]")
                EVENT("todo.updated", "\"sessionID\":\"s\",\"todos\":[{\"content\":\"t\",\"status\":"
                                      "\"in_progress\"}]") EVENT("file.edited", "\"file\":\"/a.c\""));

    CHECK_LINES(text, "approval q question question Which?", "[\"A\",\"B\"]\nphase approval\n",
                "approval_resolved q answered\n", "todo [{\"text\":\"t\",\"state\":\"active\"}]\n",
                "file modified /a.c\n");
    free(text);
}

TEST(nonsense_is_ignored)
{
    char *text = observed("[]\n{}\n{\"type\":1}\n{\"type\":\"session.status\",\"properties\":[]}\n"
                          "{\"type\":\"message.updated\",\"properties\":{\"info\":{\"role\":\"user\"}}}\n"
                          "{\"type\":\"message.part.updated\",\"properties\":{\"part\":{\"id\":3}}}\n"
                          "{\"type\":\"message.part.delta\",\"properties\":{\"partID\":\"p\",\"delta\":1}}\n"
                          "{\"type\":\"permission.asked\",\"properties\":{}}\n"
                          "{\"type\":\"session.error\",\"properties\":{\"sessionID\":\"z\",\"error\":1}}\n"
                          "{\"type\":\"todo.updated\",\"properties\":{\"todos\":[1,null,{}]}}\n"
                          "{\"type\":\"session.rolled\",\"properties\":{}}\n");

    CHECK_NUMBER(count_of(text, "phase"), 0);
    CHECK_NUMBER(count_of(text, "approval"), 0);
    free(text);
}

/* ---- injection ---- */

static const char *config_content;

static const char *variable(void *argument, const char *name)
{
    (void)argument;
    return strcmp(name, "OPENCODE_CONFIG_CONTENT") == 0 ? config_content : NULL;
}

/* What opencode_inject sets in a folder named "a b", or "". Allocated. */
static char *injected(const char *content, bool *plugin)
{
    char folder[] = "/tmp/ganger-test-XXXXXX", *inner, *file, *result;
    const char *at;
    struct arguments set, argv;
    struct stat status;
    struct agent_side side = {
        .hook = "ganger hook opencode", .variable = variable, .argv = &argv, .set = &set};

    if (mkdtemp(folder) == NULL)
        return NULL;
    inner = path_join(folder, "a b");
    (void)mkdir(inner, 0700);
    side.folder = inner;
    config_content = content;
    arguments_init(&set);
    arguments_init(&argv);
    opencode_inject(&side);
    file = path_join(inner, "ganger-opencode.js");
    *plugin = stat(file, &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size > 1000;
    at = set.count == 1 ? strstr(set.items[0], "ganger-test-") : NULL;
    result = xstrdup(at == NULL ? "" : at + strlen("ganger-test-XXXXXX"));
    arguments_finish(&set);
    arguments_finish(&argv);
    (void)path_remove_tree(folder, NULL);
    free(file);
    free(inner);
    return result;
}

TEST(the_plugin_is_added_to_what_is_configured)
{
    bool plugin;
    char *text = injected(NULL, &plugin);

    CHECK(plugin);
    CHECK_STRING(text, "/a%20b/ganger-opencode.js\"]}");
    free(text);
    text = injected("{\"plugin\":[\"mine\"],\"model\":\"m\"}", &plugin);
    CHECK(plugin);
    CHECK_STRING(text, "/a%20b/ganger-opencode.js\"],\"model\":\"m\"}");
    free(text);
}

TEST(what_is_no_object_is_left_alone)
{
    static const char *const contents[] = {"nonsense", "[]", "{\"plugin\":\"mine\"}"};

    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        bool plugin;
        char *text = injected(contents[i], &plugin);
        CHECK(!plugin);
        CHECK_STRING(text, "");
        free(text);
    }
}

TEST_MAIN
