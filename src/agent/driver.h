/*
 * One driver per agent CLI: how it is started, resumed and interrupted, and through which channels it says what it
 * does. Drivers are data and pure functions; the host carries out what they say. Their names, programs and how to
 * get them are in base/agent_catalogue.h, what their screens and titles mean in rules/NAME.json.
 */
#ifndef AGENT_DRIVER_H
#define AGENT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/observation.h"

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
    /* The first prompt, or NULL. Always NULL in stream mode: it is sent over the channel. */
    const char *prompt;
    /* The id (a UUID) to give a new conversation, when the agent takes one; or NULL. */
    const char *session_id;
    /* Resume this conversation; "": the latest of the working folder; NULL: a new one. */
    const char *resume_id;
};

/*
 * How the agent is made to report to ganger without touching the user's files: arguments, environment variables
 * and files of the session's folder.
 */
struct agent_side {
    const char *hook;   /* the command line that reports, quoted for a shell: "/path/ganger hook claude" */
    const char *folder; /* the session's folder, absolute: files may be written there */
    /* The value that a variable will have for the agent, or NULL. */
    const char *(*variable)(void *argument, const char *name);
    void *argument;
    struct arguments *argv; /* appended to, before what `arguments` appends */
    struct arguments *set;  /* NAME=VALUE */
};

/*
 * The file in which an agent keeps its conversation, one JSON object a line, read for what was said, models and tokens. Pure,
 * like a channel.
 */
struct agent_transcript {
    /* Where it is, for an agent that reports no hooks: patterns of glob(7) with the conversation's id in the place of %s,
     * below the value of the variable, or, when that is not set, below HOME. */
    const char *variable, *below_variable, *below_home;
    /* What was said before that time (wall clock) is not said again. `alone`: no hook tells the rest, such as tool calls. */
    void *(*create)(int64_t since_ms, bool alone);
    void (*destroy)(void *state);
    /* Does the file ("transcript_path" of the payload) have more of it at this hook? `hooks`: the channel's state. */
    bool (*grew)(const void *hooks, const json_t *payload);
    /* A line, NUL-terminated, which may be changed. */
    void (*line)(void *state, char *line, size_t length);
    /* Observes what changed since the last report: OBSERVED_USAGE, OBSERVED_SESSION with a model. */
    void (*report)(void *state, const struct observer *observer);
};

/*
 * A file in which an agent keeps what it does, found and followed by the host. Two forms: lines are added to it, each a
 * message of the channel (`grows`), or it is one message that is written anew.
 */
struct agent_file {
    const struct agent_channel *channel;
    bool grows;
    /* The agent's folder is the value of the variable, else `home` below HOME. */
    const char *home_variable, *home;
    /* Where below that folder PID.json of a process of the agent is, or NULL. */
    const char *by_pid;
    /* Where below that folder YYYY/MM/DD has the files that were begun on a day, or NULL. */
    const char *by_day;
    /* When a conversation was begun, by its id, ms; -1: it does not say. */
    int64_t (*id_ms)(const char *id);
    /* The time in a file's name at which it was begun, ms; -1: it is no such file. */
    int64_t (*begun_ms)(const char *path);
    /* Its first line: is it a person's conversation in that working folder? */
    bool (*is_of)(const json_t *first, const char *folder);
};

/*
 * The files in which a conversation is kept, below the agent's directory, for taking it to another account: patterns in which
 * each step is matched as fnmatch(3) does, "%s" is the conversation's id and "%8" its first eight characters. A folder is
 * meant with all that is in it.
 */
struct agent_carry {
    const char *const *files; /* NULL-terminated */
    /* The folder for the first step with a "*" belongs to a working folder, whose path this file in it says; its name there
     * may be another one. NULL: it has the same name everywhere. */
    const char *marker;
};

struct agent_driver {
    const char *name;      /* as in the catalogue */
    bool takes_session_id; /* a new conversation can be given its id */
    bool names_stream;     /* the same in stream mode */
    bool can_resume;
    bool takes_prompt; /* a first prompt among the arguments; else it is sent when the agent is ready */
    bool resumes_with_prompt; /* the same when a conversation is resumed */
    bool forgets_refused;     /* its conversation does not hold a prompt whose turn failed */
    int enter_delay_ms;       /* least time between a pasted prompt and Enter */
    const char *interrupt;    /* key names, space separated, that interrupt a turn */
    /* Appends what follows the program and its configured arguments. */
    void (*arguments)(const struct agent_start *start, struct arguments *out);
    /* NULL: the agent has no side channel. In tui mode only. */
    void (*inject)(const struct agent_side *side);
    const struct agent_channel *hooks;         /* payloads of its hooks; NULL: none */
    const struct agent_transcript *transcript; /* that its hooks name; NULL: none */
    const struct agent_file *file;             /* followed in tui mode; NULL: none */
    const struct agent_carry *carry;           /* NULL: a conversation cannot be taken to another account */
    const struct agent_channel *stream;        /* its JSON mode; NULL: what it prints is the transcript */
};

/* NULL when unknown. */
const struct agent_driver *agent_driver_find(const char *name);

/* src/agent/hooks_*.c and inject_*.c */
extern const struct agent_channel claude_hooks, gemini_hooks, opencode_hooks, codex_hooks;
void claude_inject(const struct agent_side *side);
void opencode_inject(const struct agent_side *side);
void codex_inject(const struct agent_side *side);
extern const struct agent_transcript claude_transcript, gemini_transcript;
/* src/agent/rollout_codex.c: lines of the file in which Codex keeps a conversation. */
extern const struct agent_channel codex_rollout;
extern const struct agent_file codex_rollout_file;
/* src/agent/session_file_claude.c */
extern const struct agent_file claude_session_file;
/* src/agent/stream_*.c: Claude's stream-json, Codex' app-server, the Agent Client Protocol. The latter two also understand
 * the events of `exec --json`, `-o stream-json` and `run --format json`. */
extern const struct agent_channel claude_stream, codex_stream, gemini_stream, opencode_stream;

#endif
