#include "rpc/request.h"

#include <stdlib.h>

#include "test.h"

static void brief(const char *tool, const char *input, const char *expected)
{
    json_t *request = json_pack("{s:s, s:s?, s:s?}", "kind", "permission", "tool", tool, "input", input);
    char *line = request_brief(request);

    CHECK_STRING(line, expected);
    free(line);
    json_decref(request);
}

TEST(one_line_says_what_is_asked)
{
    brief("Bash", "rm -rf build", "Bash: rm -rf build");
    brief("Bash", "  \n\nrm -rf build\nDelete it", "Bash: rm -rf build");
    brief(NULL, "Which colour?\nred", "permission: Which colour?");
    brief("Bash", NULL, "Bash");
    brief("Bash", "", "Bash");
    brief(NULL, NULL, "permission");
    brief("", "x", "permission: x");
}

TEST(headings_are_passed_over)
{
    brief("Bash", "Bash command\n\nrm -rf build\nDelete it", "Bash: rm -rf build");
    brief("Write", "Create file\na.txt", "Write: a.txt");
    brief("Bash", "Bash command", "Bash: command");
    brief("Fetch", "Fetch\n\n  https://a.example", "Fetch: https://a.example");
    brief(NULL, "Do you want this?\nyes", "permission: Do you want this?");
}

TEST(the_tool_is_named_once)
{
    brief("Bash", "Bash  touch it", "Bash: touch it");
    brief("Bash", "Bash: touch it", "Bash: touch it");
    brief("Bash", "Bashful", "Bash: Bashful");
    brief("Bash", "Bash", "Bash: Bash");
}

TEST(what_is_no_text_is_left_out)
{
    json_t *request = json_pack("{s:i, s:[i], s:b}", "kind", 1, "tool", 2, "input", 1);
    char *line = request_brief(request);

    CHECK_STRING(line, "permission");
    free(line);
    json_decref(request);
    line = request_brief(NULL);
    CHECK_STRING(line, "permission");
    free(line);
}

TEST_MAIN
