/*
 * One driver per agent CLI: how it is started, resumed, prompted and interrupted. Drivers are data and pure functions; the
 * host carries out what they say.
 */
#ifndef AGENT_DRIVER_H
#define AGENT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

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
    const char *prompt;     /* the first prompt, or NULL */
    const char *session_id; /* the id to give a new conversation (a UUID), when the agent takes one */
    const char *resume_id;  /* resume this conversation; "" : the latest of the working folder; NULL: a new one */
};

struct agent_driver {
    const char *name;    /* "claude" */
    const char *title;   /* "Claude Code" */
    const char *program; /* what is looked for on PATH */
    const char *install; /* how a person gets it: a command line */
    bool takes_session_id; /* a new conversation can be given its id */
    bool can_resume;
    int enter_delay_ms;   /* between a pasted prompt and Enter */
    const char *interrupt; /* key names, space separated, that interrupt a turn */
    const char *const *scrubbed; /* environment variables that would cross accounts; NULL-terminated */
    /* Appends the agent's arguments after the program (and the configured ones). */
    void (*arguments)(const struct agent_start *start, struct arguments *out);
};

/* claude, codex, gemini, opencode, command; NULL when unknown. */
const struct agent_driver *agent_driver_find(const char *name);
/* All of them in order; *count is how many. `command` is last. */
const struct agent_driver *const *agent_drivers(size_t *count);
/* The absolute path of a program on PATH (or of a path), allocated, or NULL. */
char *agent_program_path(const char *program);

#endif
