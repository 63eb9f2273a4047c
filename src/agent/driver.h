/*
 * One driver per agent CLI: how it is started, resumed and interrupted. Drivers are data and pure functions;
 * the host carries out what they say. Their names, programs and how to get them are in
 * base/agent_catalogue.h.
 */
#ifndef AGENT_DRIVER_H
#define AGENT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

enum agent_mode { AGENT_MODE_TUI, AGENT_MODE_STREAM };

/* A growing NULL-terminated vector of strings. */
struct arguments {
    char **items;
    size_t count;
};

void arguments_init(struct arguments *arguments);
void arguments_finish(struct arguments *arguments);
void arguments_add(struct arguments *arguments, const char *text);

struct agent_start {
    enum agent_mode mode;
    /* The first prompt, or NULL. */
    const char *prompt;
    /* The id (a UUID) to give a new conversation, when the agent takes one; or NULL. */
    const char *session_id;
    /* Resume this conversation; "": the latest of the working folder; NULL: a new one. */
    const char *resume_id;
};

struct agent_driver {
    const char *name;      /* as in the catalogue */
    bool takes_session_id; /* a new conversation can be given its id */
    bool can_resume;
    bool takes_prompt; /* a first prompt among the arguments; else it is sent when the agent is ready */
    bool resumes_with_prompt; /* the same when a conversation is resumed */
    int enter_delay_ms;       /* least time between a pasted prompt and Enter */
    const char *interrupt;    /* key names, space separated, that interrupt a turn */
    /* Appends what follows the program and its configured arguments. */
    void (*arguments)(const struct agent_start *start, struct arguments *out);
};

/* NULL when unknown. */
const struct agent_driver *agent_driver_find(const char *name);

#endif
