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
                              "\"install\": \"make tinker\"}";
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
    CHECK(agent_catalogue_find("tinker") == entry);
    CHECK(agent_catalogue_find("../agents/tinker") == NULL);
    CHECK(unsetenv("GANGER_CONFIG_DIR") == 0);
    free(agents);
    free(folder);
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
