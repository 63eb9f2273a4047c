/*
 * The file in which the agent keeps what it does (struct agent_file): found by what the agent's processes have open, by
 * their ids, by what a hook names, or by its time and working folder; then followed by inotify, a piece at a time. What was
 * written before the attempt began, or before this host took it over, is not told again: the conversation's id, its model
 * and its totals are taken from it. A file that is not regular, not this user's, gone or cut short is no error.
 */
#ifndef HOST_SIDE_FILES_H
#define HOST_SIDE_FILES_H

#include <jansson.h>
#include <stdbool.h>

struct host;
struct side_files;

/* An attempt has begun, in tui mode, or was taken over. */
void side_files_begin(struct host *host, bool taken_over);
/* A hook may name the file: its payload. */
void side_files_named(struct host *host, const json_t *payload);
/* Reads what is written by now. */
void side_files_settle(struct host *host);
/* The attempt ends: what is still unread is read. */
void side_files_end(struct host *host);

#endif
