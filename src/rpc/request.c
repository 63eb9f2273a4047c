#include "rpc/request.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static const char *next_line(const char *text)
{
    text += strcspn(text, "\n");
    return text + strspn(text, " \t\n");
}

/* "Bash command", "Create file": what agents put above the command or the file. */
static bool is_heading(const char *line)
{
    size_t length = strcspn(line, "\n"), blanks = 0;

    if (!isupper((unsigned char)*line))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalpha((unsigned char)line[i]) && line[i] != ' ')
            return false;
        blanks += line[i] == ' ';
    }
    return blanks <= 1;
}

/* Agents that show a call in one line begin it with the tool's name. */
static const char *without_tool(const char *line, const char *tool)
{
    size_t length = strlen(tool);

    if (strncmp(line, tool, length) != 0 || strchr(" \t:", line[length]) == NULL || line[length] == '\0')
        return line;
    return line + length + strspn(line + length, " \t:");
}

char *request_brief(const json_t *request)
{
    const char *tool = json_member_string(request, "tool", NULL),
               *line = json_member_string(request, "input", "");

    if (tool == NULL || *tool == '\0')
        tool = json_member_string(request, "kind", "permission");
    line += strspn(line, " \t\n");
    if (is_heading(line) && *next_line(line) != '\0')
        line = next_line(line);
    line = without_tool(line, tool);
    return xasprintf("%s%s%.*s", tool, *line == '\0' ? "" : ": ", (int)strcspn(line, "\n"), line);
}
