#include <stdlib.h>
#include <unistd.h>

#include "agent/driver.h"
#include "agent/rules.h"
#include "base/agent_catalogue.h"
#include "base/buffer.h"
#include "test.h"

static const struct {
    const char *agent;
    struct agent_start start;
    const char *expected;
} starts[] = {
    {"claude", {.prompt = "hi"}, "hi"},
    {"claude", {.prompt = "-x", .session_id = "I"}, "--session-id I -- -x"},
    {"claude", {.prompt = "hi", .session_id = "I", .resume_id = "R"}, "--resume R hi"},
    {"claude", {.resume_id = ""}, "--continue"},
    {"codex", {.prompt = "hi", .session_id = "I"}, "hi"},
    {"codex", {.prompt = "hi", .resume_id = ""}, "resume --last hi"},
    {"codex", {.resume_id = "R"}, "resume R"},
    {"gemini", {.prompt = "hi", .session_id = "I"}, "--session-id I --prompt-interactive hi"},
    {"gemini", {.resume_id = ""}, "--resume latest"},
    {"opencode", {.prompt = "hi"}, "--prompt hi"},
    {"opencode", {.prompt = "hi", .resume_id = ""}, "--continue"},
    {"opencode", {.resume_id = "R"}, "--session R"},
    {"command", {.prompt = "hi"}, ""},
    {"codex", {.mode = AGENT_MODE_STREAM, .resume_id = "R"}, "app-server"},
    {"gemini", {.mode = AGENT_MODE_STREAM, .session_id = "I"}, "--acp"},
    {"opencode", {.mode = AGENT_MODE_STREAM, .resume_id = ""}, "acp"},
};

TEST(every_agent_has_a_driver_and_rules)
{
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        struct error error;
        struct rules *rules = rules_load(entries[i].name, NULL, NULL, &error);
        CHECK(agent_driver_find(entries[i].name) != NULL);
        CHECK(rules != NULL);
        rules_destroy(rules);
    }
    CHECK(agent_driver_find("emacs") == NULL);
}

TEST(arguments_of_a_start)
{
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct arguments arguments;
        struct buffer line;
        arguments_init(&arguments);
        buffer_init(&line);
        buffer_append(&line, "", 0);
        agent_driver_find(starts[i].agent)->arguments(&starts[i].start, &arguments);
        for (size_t k = 0; k < arguments.count; k++)
            buffer_printf(&line, "%s%s", k > 0 ? " " : "", arguments.items[k]);
        CHECK_STRING(line.bytes, starts[i].expected);
        buffer_finish(&line);
        arguments_finish(&arguments);
    }
}

static const struct {
    const char *agent, *title;
    enum phase phase;
} titles[] = {
    {"claude", "✳ Claude Code", PHASE_IDLE},
    {"claude", "◐ Claude Code", PHASE_THINKING},
    {"claude", "⠂ fix the parser", PHASE_THINKING},
    {"claude", "Claude Code", PHASE_COUNT},
    {"codex", "⠋ proj", PHASE_THINKING},
    {"codex", "[ ! ] Action Required | proj", PHASE_APPROVAL},
    {"codex", "proj", PHASE_IDLE},
    {"codex", "", PHASE_COUNT},
    {"gemini", "◇  Ready (proj)      ", PHASE_IDLE},
    {"gemini", "✦  Working… (proj)", PHASE_THINKING},
    {"gemini", "✋  Action Required (proj)", PHASE_APPROVAL},
    {"opencode", "OC | a session", PHASE_COUNT},
    {"command", "✳ anything", PHASE_COUNT},
};

TEST(phases_from_titles)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        struct error error;
        struct rules *rules = rules_load(titles[i].agent, NULL, NULL, &error);
        enum phase phase = rules_title(rules, titles[i].title).phase;
        rules_destroy(rules);
        if (phase != titles[i].phase)
            TEST_FAIL("%s: \"%s\" is %d", titles[i].agent, titles[i].title, (int)phase);
    }
}

TEST_MAIN
