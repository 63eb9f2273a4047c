#include "host/rules_file.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/agent_data.h"
#include "base/memory.h"
#include "base/path.h"

#define FILE_MAX (1024 * 1024)

char *rules_file_found(const char *agent)
{
    char *file = agent_data_user_path(agent);

    if (file != NULL && access(file, R_OK) == 0)
        return file;
    free(file);
    return NULL;
}

struct rules *rules_file_read(const char *agent, const char *path, struct error *error)
{
    char *file = path != NULL ? xstrdup(path) : rules_file_found(agent), *text;
    struct rules *rules = NULL;
    size_t length;

    if (file == NULL)
        return rules_load(agent, NULL, NULL, error);
    if (path_read_file(file, FILE_MAX, &text, &length, error) == 0) {
        rules = rules_load(agent, text, file, error);
        free(text);
    }
    free(file);
    return rules;
}
