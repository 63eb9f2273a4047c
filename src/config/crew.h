/*
 * A crew file: several sessions declared together, strictly checked against src/config/crew_schema.json. Its keys are described in
 * ganger-crew(5). What depends on the machine (folders, accounts, installed agents) is checked when a session is started.
 */
#ifndef CONFIG_CREW_H
#define CONFIG_CREW_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

#define CREW_FILE "ganger.json"
#define CREW_SESSIONS_MAX 200
#define CREW_PROMPT_MAX (100 * 1024) /* bytes of a prompt's file */

/* Defaults are applied. NULL: the file does not say. */
struct crew_session {
    const char *name, *agent, *account, *mode;
    char *folder; /* absolute; not checked */
    char *prompt; /* a file's text, without line feeds at its end */
    char **
        command; /* ends with NULL; then the agent is NULL or "command", account and mode are the session's own */
    int cols, rows;   /* 0: not said */
    double timeout_s; /* 0: none */
};

struct crew {
    char *path;                    /* as crew_path gives it */
    struct crew_session *sessions; /* in the order of the file */
    size_t count;
    json_t *values; /* what the strings belong to */
};

/* Where the file is, symbolic links resolved: what the crew is known by. NULL: ./ganger.json. The file itself need not be there
 * any more. Allocated; NULL with the error. */
char *crew_path(const char *file, struct error *error);
/* Reads the file (NULL: ./ganger.json). Returns NULL with an error such as "/home/me/api/ganger.json:4: sessions.api.cwd: expected a
 * string, not 3"; its code is ENOENT when there is no such file. */
struct crew *crew_load(const char *file, struct error *error);
void crew_destroy(struct crew *crew);
/* The JSON Schema. Owned by the module. */
const char *crew_schema(void);

#endif
