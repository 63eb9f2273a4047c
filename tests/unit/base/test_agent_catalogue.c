#include <stdlib.h>
#include <sys/stat.h>

#include "base/agent_catalogue.h"
#include "scratch.h"
#include "test.h"

TEST(agents)
{
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    CHECK(count >= 5);
    CHECK_STRING(entries[count - 1].name, "command");
    CHECK(agent_catalogue_find("claude") == &entries[0]);
    CHECK(agent_catalogue_find("Claude") == NULL);
    for (size_t i = 0; i < count; i++)
        CHECK(entries[i].arguments != NULL && entries[i].scrubbed != NULL);
}

TEST(agents_that_are_data_only)
{
    static const char own[] = "{\"version\": 2, \"agent\": \"tinker\", \"command\": [\"tinker\", \"--tty\"], "
                              "\"install\": \"make tinker\", \"home\": {\"variable\": \"TINKER_HOME\"}, "
                              "\"scrubbed\": [\"TINKER_KEY\"], \"login\": {\"command\": [\"login\"]}}";
    char *folder = scratch_folder(), *agents = path_join(folder, "agents");
    const struct agent_entry *entry = agent_catalogue_find("qwen");

    CHECK_STRING(entry->program, "qwen");
    CHECK(mkdir(agents, 0700) == 0);
    free(scratch_file(agents, "tinker.json", own, sizeof own - 1));
    CHECK(agent_catalogue_find("tinker") == NULL);
    CHECK(setenv("GANGER_CONFIG_DIR", folder, 1) == 0);
    entry = agent_catalogue_find("tinker");
    CHECK(entry != NULL);
    CHECK_STRING(entry->arguments[0], "--tty");
    CHECK_STRING(entry->install, "make tinker");
    CHECK_STRING(entry->home.variable, "TINKER_HOME");
    CHECK_STRING(entry->home.otherwise, "");
    CHECK_STRING(entry->scrubbed[0], "TINKER_KEY");
    CHECK(json_is_array(json_object_get(entry->login, "command")));
    CHECK(agent_catalogue_find("tinker") == entry);
    CHECK(agent_catalogue_find("../agents/tinker") == NULL);
    CHECK(unsetenv("GANGER_CONFIG_DIR") == 0);
    free(agents);
    free(folder);
}

static bool scrubs(const struct agent_entry *entry, const char *variable)
{
    for (size_t i = 0; entry->scrubbed[i] != NULL; i++) {
        if (strcmp(entry->scrubbed[i], variable) == 0)
            return true;
    }
    return false;
}

TEST(directories_of_agents)
{
    static const struct {
        const char *agent, *variable, *otherwise, *below;
    } cases[] = {{"claude", "CLAUDE_CONFIG_DIR", ".claude", ""},
                 {"codex", "CODEX_HOME", ".codex", ""},
                 {"gemini", "GEMINI_CLI_HOME", "", ".gemini"},
                 {"opencode", "XDG_DATA_HOME", ".local/share", "opencode"},
                 {"qwen", "QWEN_HOME", ".qwen", ""},
                 {"pi", "PI_CODING_AGENT_DIR", ".pi/agent", ""}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct agent_entry *entry = agent_catalogue_find(cases[i].agent);
        CHECK_STRING(entry->home.variable, cases[i].variable);
        CHECK_STRING(entry->home.otherwise, cases[i].otherwise);
        CHECK_STRING(entry->home.below, cases[i].below);
        CHECK(entry->login != NULL);
    }
    CHECK(agent_catalogue_find("command")->home.variable == NULL);
    CHECK(scrubs(agent_catalogue_find("claude"), "ANTHROPIC_API_KEY"));
    CHECK(scrubs(agent_catalogue_find("claude"), "CLAUDE_CONFIG_DIR"));
    CHECK(scrubs(agent_catalogue_find("codex"), "CODEX_API_KEY"));
    CHECK(!scrubs(agent_catalogue_find("claude"), "HOME"));
}

TEST(programs_on_the_path)
{
    char *first = scratch_folder(), *second = scratch_folder(), *tool = scratch_file(second, "tool", "#!", 2);
    char *path = xasprintf("/nonexistent:%s:%s", first, second), *inside = path_join(first, "tool"), *found;

    CHECK(setenv("PATH", path, 1) == 0);
    CHECK(program_path("tool") == NULL);
    CHECK(chmod(tool, 0700) == 0 && mkdir(inside, 0700) == 0);
    found = program_path("tool");
    CHECK_STRING(found, tool);
    free(found);
    found = program_path(tool);
    CHECK_STRING(found, tool);
    free(found);
    CHECK(program_path("") == NULL);
    CHECK(program_path(inside) == NULL);
    CHECK(program_path("/nonexistent/x") == NULL);
    CHECK(setenv("PATH", "", 1) == 0);
    CHECK(program_path("tool") == NULL);
    free(inside);
    free(path);
    free(tool);
    free(second);
    free(first);
}

TEST_MAIN
