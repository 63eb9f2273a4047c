/*
 * Events `file_changed`: what the agent's tools say that they changed.
 */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

struct host;

/* What tells of a change through a tool of the agent. */
struct tool_change {
    const char *path;                /* absolute, or relative to the working folder */
    const char *change;              /* "created", "modified" or "deleted" */
    const char *tool;                /* the tool's name, or NULL */
    long lines_added, lines_removed; /* -1: not known */
};

/* A tool of the agent has changed a file: tells it at once, with source "tool"; what the watch itself sees of that path
 * within the next 2 s is not told. */
void watch_tool_changed(struct host *host, const char *path, const char *change, const char *tool);
/* The same, with counts of lines. */
void watch_tool_change(struct host *host, const struct tool_change *change);

#endif
