#include "cli/first_config.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/agent_catalogue.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "base/utf8.h"

struct search {
    json_t *accounts;
    json_t *directories; /* real paths, so that no two accounts share one */
    const struct agent_entry *agent;
};

/* `directory`: the value of the agent's variable; `own` needs none. */
static void offer(struct search *search, const char *directory, bool own)
{
    const struct agent_home *home = &search->agent->home;
    char *whole = *home->below != '\0' ? path_join(directory, home->below) : xstrdup(directory);
    char *real = realpath(whole, NULL), *name = NULL;
    const char *last = strrchr(directory, '/') + 1;
    struct stat status;

    if (own || *last == '\0')
        name = xstrdup(search->agent->name);
    else
        name = xstrdup(*last == '.' ? last + 1 : last);
    if (real != NULL && stat(real, &status) == 0 && S_ISDIR(status.st_mode) && name_valid(name) &&
        utf8_valid(directory, strlen(directory)) && json_object_get(search->accounts, name) == NULL &&
        json_object_get(search->directories, real) == NULL) {
        json_t *account = json_pack("{s:s}", "agent", search->agent->name);
        if (!own)
            (void)json_object_set_new(account, "env", json_pack("{s:s}", home->variable, directory));
        (void)json_object_set_new(search->accounts, name, account);
        (void)json_object_set_new(search->directories, real, json_true());
    }
    free(name);
    free(real);
    free(whole);
}

/* HOME/.claude-work beside HOME/.claude. */
static void search_beside(struct search *search, const char *user_home)
{
    const char *own = search->agent->home.otherwise;
    size_t length = strlen(own);
    struct dirent **entries;
    int count;

    if (own[0] != '.' || strchr(own, '/') != NULL)
        return;
    count = scandir(user_home, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strncmp(name, own, length) == 0 && name[length] == '-' && name[length + 1] != '\0') {
            char *path = path_join(user_home, name);
            offer(search, path, false);
            free(path);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void search_agent(struct search *search, const char *user_home)
{
    const struct agent_home *home = &search->agent->home;
    char *program = search->agent->program != NULL ? program_path(search->agent->program) : NULL, *own;
    const char *named;

    if (program == NULL || home->variable == NULL) {
        free(program);
        return;
    }
    own = *home->otherwise != '\0' ? path_join(user_home, home->otherwise) : xstrdup(user_home);
    offer(search, own, true);
    named = getenv(home->variable);
    if (named != NULL && named[0] == '/')
        offer(search, named, false);
    search_beside(search, user_home);
    free(own);
    free(program);
}

json_t *first_config(void)
{
    struct search search = {.accounts = json_object(), .directories = json_object()};
    const char *user_home = getenv("HOME");
    size_t count;
    const struct agent_entry *entries = agent_catalogue(&count);

    for (size_t i = 0; i < count && user_home != NULL && user_home[0] == '/'; i++) {
        search.agent = agent_catalogue_find(entries[i].name);
        search_agent(&search, user_home);
    }
    json_decref(search.directories);
    return json_pack("{s:o}", "accounts", search.accounts);
}
