/*
 * Events `file_changed`: what changes below the session's working folder, watched with inotify from its first turn on, and
 * what the agent's tools say that they changed. Each path is told when it has been quiet for a moment; at most 100 paths a
 * second are told one by one, the rest as a number.
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

/* After the session and its turns were read: goes on when the session had a turn before. */
void watch_init(struct host *host);
void watch_finish(struct host *host);

/* A turn has begun: watching starts, unless it has or limits.watch_files is false. */
void watch_turn_began(struct host *host);
/* A turn ends: what waits is told, so that it belongs to it. */
void watch_settle(struct host *host);
/* The attempt has ended: what waits is told, and nothing watched until another turn begins. */
void watch_stop(struct host *host);

/* A tool of the agent has changed a file: tells it at once, with source "tool"; what the watch itself sees of that path
 * within the next 2 s is not told. */
void watch_tool_changed(struct host *host, const char *path, const char *change, const char *tool);
/* The same, with counts of lines. */
void watch_tool_change(struct host *host, const struct tool_change *change);

#endif
