/*
 * Which sessions dashboards show: STATE/shown, an empty file of which a dashboard locks one byte for each, the byte
 * that the UUID's first digits number. The locks belong to the open file (fcntl, F_OFD_SETLK): they go with the
 * dashboard, however it ends, and one descriptor holds any number. Two UUIDs that begin alike share a byte, which only
 * keeps a session longer.
 */
#ifndef STORE_SESSION_SHOWN_H
#define STORE_SESSION_SHOWN_H

#include <stdbool.h>

/* Opens (or makes) the file. A descriptor, or -1 with errno. */
int session_shown_open(const char *state_dir);
/* Says that this session is shown, or no more. Without effect when `file` is -1. */
void session_shown_set(int file, const char *uuid, bool shown);
/* Whether nobody else shows it; then nobody can say so until session_shown_set(…, false). True when `file` is -1. */
bool session_shown_claim(int file, const char *uuid);

#endif
