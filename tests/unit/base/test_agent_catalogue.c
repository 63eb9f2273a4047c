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
