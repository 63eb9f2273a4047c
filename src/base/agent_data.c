#include "base/agent_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"

#ifndef AGENT_RULES_FILE
#define AGENT_RULES_FILE "build/agent-rules.json"
#endif

EMBED(agent_rules_text, AGENT_RULES_FILE);

/* Read once, kept for the life of the program. */
static const json_t *all(void)
{
    static json_t *list;

    if (list == NULL)
        list = json_loads(agent_rules_text, JSON_REJECT_DUPLICATES, NULL);
    return list;
}

const char *agent_data_name(size_t index)
{
    return json_member_string(json_array_get(all(), index), "agent", NULL);
}

const json_t *agent_data(const char *name)
{
    const char *found;

    for (size_t i = 0; (found = agent_data_name(i)) != NULL; i++) {
        if (strcmp(found, name) == 0)
            return json_array_get(all(), i);
    }
    return NULL;
}

char *agent_data_user_path(const char *name)
{
    struct error error;
    char *folder, *file;

    if (!name_valid(name))
        return NULL;
    folder = path_config_dir(&error);
    if (folder == NULL)
        return NULL;
    file = xasprintf("%s/agents/%s.json", folder, name);
    free(folder);
    return file;
}
