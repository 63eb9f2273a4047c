/*
 * The agent CLIs that ganger knows by name: what a person calls them, which program they are and how to get
 * it. How they are driven is in agent/driver.h. Some are data only (base/agent_data.h).
 */
#ifndef BASE_AGENT_CATALOGUE_H
#define BASE_AGENT_CATALOGUE_H

#include <jansson.h>
#include <stddef.h>

/* Where an agent keeps its settings, login and conversations: BELOW in the value of the variable, else of HOME/DEFAULT. */
struct agent_home {
    const char *variable;  /* "CLAUDE_CONFIG_DIR"; NULL: not known */
    const char *otherwise; /* ".claude", below the home directory, when the variable is not set */
    const char *below;     /* "", or where below that value: ".gemini" */
};

struct agent_entry {
    const char *name;             /* "claude" */
    const char *title;            /* "Claude Code" */
    const char *program;          /* looked for on PATH; NULL for "command", which runs what it is given */
    const char *install;          /* the command line that installs it, or NULL */
    const char *const *arguments; /* given unless agents.NAME.args says otherwise; NULL-terminated */
    const char *const *scrubbed;  /* environment variables that would cross accounts; NULL-terminated */
    struct agent_home home;
    const json_t *login; /* "login" of its file, see agent/rules/schema.json; or NULL */
};

/* All built-in ones; "command" is the last. */
const struct agent_entry *agent_catalogue(size_t *count);
/* Also one of the user's own (agents/NAME.json with a "command"). NULL when there is no such agent. */
const struct agent_entry *agent_catalogue_find(const char *name);

/* The path of an executable: `program` itself when it has a slash, else the first of that name on PATH.
 * Allocated; NULL when there is none. */
char *program_path(const char *program);

#endif
