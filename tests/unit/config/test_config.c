#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "config/config.h"
#include "scratch.h"
#include "test.h"

static struct config *load(const char *text, size_t length, struct error *error)
{
    char *folder = scratch_folder(), *path = scratch_file(folder, "config.json", text, length);
    struct config *config = config_load(path, error);

    free(path);
    free(folder);
    return config;
}

/* The message without the folder of the file. */
static const char *message_of(const struct error *error)
{
    const char *found = strstr(error->text, "config.json");

    return found != NULL ? found : error->text;
}

static const struct {
    const char *text, *message;
} refused[] = {
    /* not JSON */
    {"{\n  \"theme\": \"dark\",\n}", "config.json:3: not valid JSON: string or '}' expected near '}'"},
    {"{\"theme\": \"a\", \"theme\": \"b\"}",
     "config.json:1: not valid JSON: duplicate object key near '\"theme\"'"},
    {"{\n\"theme\": \"\xFF\"}", "config.json:2: not valid JSON: unable to decode byte 0xff near '\"'"},
    {"{} x", "config.json:1: not valid JSON: end of file expected near 'x'"},
    {"{\"theme\": \"a\\u0000b\"}",
     "config.json:1: not valid JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'"},
    {"[]", "config.json:1: expected an object, not a list"},
    {"7", "config.json:1: expected an object, not 7"},
    /* unknown keys */
    {"{\n\n \"acounts\": {}}",
     "config.json:3: acounts: unknown key, expected one of agents, accounts, retry, timeouts, "
     "limits, recording, budgets, keys, theme, layout, runners, notify (did you mean accounts?)"},
    {"{\"agents\": {\"cluade\": {}}}",
     "config.json:1: agents.cluade: unknown key, expected one of claude, codex, "
     "gemini, opencode, pi, qwen, command (did you mean claude?)"},
    {"{\"agents\":\n{\"claude\":\n{\"arg\": []}}}", "config.json:3: agents.claude.arg: unknown key, expected "
                                                    "one of command, args, env, before_start, control, "
                                                    "keep_children (did you mean args?)"},
    {"{\"retry\": {\"rate_limit\": {\"dleays_s\": [1]}}}",
     "config.json:1: retry.rate_limit.dleays_s: unknown key, expected one of delays_s, max_attempts, "
     "max_wait_s, "
     "jitter_s, stagger_s, probe_s (did you mean delays_s?)"},
    {"{\"limits\": {\"a b\": 1}}",
     "config.json:1: limits[\"a b\"]: unknown key, expected one of scrollback_lines, "
     "recording_bytes, ended_age_s, ended_bytes, prompt_bytes, turns_per_account, clipboard, watch_files"},
    {"{\"runners\": {\"local\": {\"x\": 1}}}", "config.json:1: runners.local.x: unknown key, expected none"},
    {"{\"runners\": {\"ssh\": {}}}", "config.json:1: runners.ssh: unknown key, expected local"},
    /* wrong types */
    {"{\"theme\": 3}", "config.json:1: theme: expected a string, not 3"},
    {"{\"theme\": null}", "config.json:1: theme: expected a string, not null"},
    {"{\"theme\": \"\"}", "config.json:1: theme: expected a string that is not empty"},
    {"{\n\"timeouts\": {\n\"connect_s\": \"2m\"}}",
     "config.json:3: timeouts.connect_s: expected a number from 0 to 86400, not \"2m\""},
    {"{\"limits\": {\"clipboard\": \"yes\"}}",
     "config.json:1: limits.clipboard: expected true or false, not \"yes\""},
    {"{\"limits\": {\"scrollback_lines\": 10.5}}",
     "config.json:1: limits.scrollback_lines: expected a whole number from 0 to 1000000, not 10.5"},
    {"{\"agents\": {\"claude\": {\"args\": \"--verbose\"}}}",
     "config.json:1: agents.claude.args: expected a list, not \"--verbose\""},
    {"{\"agents\": {\"claude\": {\"args\":\n[\"a\",\n\"b\", 3]}}}",
     "config.json:3: agents.claude.args[2]: expected a string, not 3"},
    {"{\"agents\": {\"claude\": {\"command\": []}}}",
     "config.json:1: agents.claude.command: expected a list that is not empty"},
    {"{\"agents\": {\"claude\": {\"before_start\": [\"claude update\"]}}}",
     "config.json:1: agents.claude.before_start[0]: expected a list, not \"claude update\""},
    {"{\"agents\": {\"claude\": {\"env\": {\"A\": 1}}}}",
     "config.json:1: agents.claude.env.A: expected a string or an object, not 1"},
    {"{\"agents\": {\"claude\": {\"env\": {\"A\": {\"fiel\": \"x\"}}}}}",
     "config.json:1: agents.claude.env.A.fiel: unknown key, expected one of file, command (did you mean "
     "file?)"},
    {"{\"agents\": {\"claude\": {\"env\": {\"A\": {}}}}}",
     "config.json:1: agents.claude.env.A: expected exactly one of file, command"},
    {"{\"keys\": {\"cancel\": 3}}", "config.json:1: keys.cancel: expected a string or a list, not 3"},
    {"{\"keys\": {\"cancel\": [\"c\", \"\"]}}",
     "config.json:1: keys.cancel[1]: expected a string that is not empty"},
    {"{\"keys\": {\"prefix\": [\"C-a\"]}}", "config.json:1: keys.prefix: expected a string, not a list"},
    /* out of range */
    {"{\"timeouts\": {\"hard_s\": -1}}",
     "config.json:1: timeouts.hard_s: expected a number from 0 to 604800, not -1"},
    {"{\"timeouts\": {\"warn_s\": [10,\n 1e9]}}",
     "config.json:2: timeouts.warn_s[1]: expected a number from 0 to 604800, not 1000000000.0"},
    {"{\"limits\": {\"prompt_bytes\": 0}}",
     "config.json:1: limits.prompt_bytes: expected a whole number from 1 to 102400, not 0"},
    {"{\"layout\": \"tilde\"}",
     "config.json:1: layout: expected one of tiled, main-and-stack, columns, rows, zoomed (did "
     "you mean tiled?), not \"tilde\""},
    {"{\"layout\": [\"tiled\"]}",
     "config.json:1: layout: expected one of tiled, main-and-stack, columns, rows, zoomed, not a list"},
    /* accounts */
    {"{\"accounts\": {\"work\": {}}}", "config.json:1: accounts.work: expected the key agent"},
    {"{\"accounts\": {\n\"work\": {\"agent\":\n\"claud\"}}}",
     "config.json:2: accounts.work.agent: expected one of claude, codex, gemini, opencode, pi, qwen, "
     "command (did you mean claude?), not \"claud\""},
    {"{\"accounts\": {\"a b\": {\"agent\": \"claude\"}}}",
     "config.json:1: accounts[\"a b\"]: expected a name of letters, digits, \".\", \"_\" and \"-\""},
    {"{\"accounts\": {\"a\": {\"agent\": \"claude\", \"env\": {\"X=Y\": \"\"}}}}",
     "config.json:1: accounts.a.env[\"X=Y\"]: expected the name of an environment variable"},
    {"{\"accounts\": {\"a\": {\"agent\": \"claude\", \"env\": {\"GANGER_TOKEN\": \"\"}}}}",
     "config.json:1: accounts.a.env.GANGER_TOKEN: expected another variable: those that begin with GANGER_ "
     "are "
     "ganger's own"},
};

TEST(bad_files_say_where_and_what_was_expected)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error error = {0};
        struct config *config = load(refused[i].text, strlen(refused[i].text), &error);
        if (config != NULL)
            TEST_FAIL("accepted: %s", refused[i].text);
        CHECK_STRING(message_of(&error), refused[i].message);
    }
}

TEST(empty_files_give_the_defaults)
{
    static const char *const texts[] = {"", " \n", "{}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error error;
        struct config *config = load(texts[i], strlen(texts[i]), &error);
        CHECK(config != NULL);
        CHECK_NUMBER(config_number(config, "timeouts.connect_s"), 120);
        CHECK_NUMBER(config_number(config, "timeouts.cancel_grace_s"), 2);
        CHECK_NUMBER(config_number(config, "limits.scrollback_lines"), 10000);
        CHECK_NUMBER(config_number(config, "limits.recording_bytes"), 100000000);
        CHECK_NUMBER(json_array_size(config_value(config, "retry.rate_limit.delays_s")), 3);
        CHECK_STRING(config_string(config, "theme"), "auto");
        CHECK_STRING(config_string(config, "layout"), "tiled");
        CHECK_STRING(config_string(config, "keys.prefix"), "C-a");
        CHECK(config_bool(config, "limits.clipboard"));
        CHECK_STRING(config_string(config, "retry.rotate"), "off");
        CHECK(config_agent(config, "claude") == NULL);
        CHECK_NUMBER(json_object_size(config_accounts(config)), 0);
        CHECK(config_value(config, "no.such") == NULL);
        config_destroy(config);
    }
}

TEST(values_of_the_file_win)
{
    static const char text[] =
        "{\"$schema\": \"x\", \"agents\": {\"claude\": {\"command\": [\"npx\", \"claude\"], \"env\": "
        "{\"A_TOKEN\": \"s\", \"B\": \"b\", \"C_KEY\": {\"file\": \"/k\"}}}},"
        "\"timeouts\": {\"hard_s\": 0.5, \"warn_s\": []}, \"keys\": {\"cancel\": [\"c\", \"C-c\"]}}";
    struct error error;
    struct config *config = load(text, sizeof text - 1, &error);
    const json_t *agent, *env;

    CHECK(config != NULL);
    agent = config_agent(config, "claude");
    CHECK_STRING(json_string_value(json_array_get(json_object_get(agent, "command"), 1)), "claude");
    CHECK_NUMBER(json_member_bool(agent, "control", -1), 0);
    CHECK(json_object_get(agent, "args") == NULL);
    CHECK_STRING(json_member_string(json_object_get(agent, "env"), "A_TOKEN", ""), "s");
    CHECK_NUMBER(config_number(config, "timeouts.hard_s") * 10, 5);
    CHECK_NUMBER(config_number(config, "timeouts.connect_s"), 120);
    CHECK_NUMBER(json_array_size(config_value(config, "timeouts.warn_s")), 0);
    CHECK_NUMBER(json_array_size(json_object_get(config_keys(config), "cancel")), 2);
    env = json_object_get(json_object_get(json_object_get(config_show(config), "agents"), "claude"), "env");
    CHECK_STRING(json_member_string(env, "A_TOKEN", ""), "(hidden)");
    CHECK_STRING(json_member_string(env, "B", ""), "b");
    CHECK_STRING(json_member_string(json_object_get(env, "C_KEY"), "file", ""), "/k");
    config_destroy(config);
}

TEST(what_is_shown_can_be_loaded)
{
    struct error error = {0};
    struct config *config = load("{}", 2, &error), *again;
    struct buffer text = {0};

    CHECK(config != NULL);
    json_append_value(&text, config_show(config));
    again = load(text.bytes, text.length, &error);
    CHECK_STRING(error.text, "");
    CHECK(again != NULL && json_equal(config_show(again), config_show(config)));
    buffer_finish(&text);
    config_destroy(again);
    config_destroy(config);
}

TEST(missing_and_unreadable_files)
{
    char *folder = scratch_folder();
    struct error error;
    struct config *config;

    CHECK(setenv("GANGER_CONFIG_DIR", folder, 1) == 0);
    config = config_load(NULL, &error);
    CHECK(config != NULL);
    config_destroy(config);
    CHECK(config_load("/nonexistent/config.json", &error) == NULL);
    CHECK_STRING(error.text, "cannot open /nonexistent/config.json: No such file or directory");
    free(scratch_file(folder, "config.json", "{\"x\": 1}", 8));
    CHECK(config_load(NULL, &error) == NULL);
    CHECK(strncmp(message_of(&error), "config.json:1: x: unknown key", 29) == 0);
    CHECK(unsetenv("GANGER_CONFIG_DIR") == 0);
    free(folder);
}

TEST(schema_knows_every_agent)
{
    json_t *schema = json_loads(config_schema(), JSON_REJECT_DUPLICATES, NULL), *properties, *names;
    const struct agent_entry *entries;
    size_t count;

    CHECK(schema != NULL);
    entries = agent_catalogue(&count);
    properties = json_object_get(schema, "properties");
    names = json_object_get(json_object_get(json_object_get(properties, "agents"), "propertyNames"), "enum");
    CHECK_NUMBER(json_array_size(names), count);
    for (size_t i = 0; i < count; i++) {
        CHECK_STRING(json_string_value(json_array_get(names, i)), entries[i].name);
    }
    json_decref(schema);
}

TEST_MAIN
