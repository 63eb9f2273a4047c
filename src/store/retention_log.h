/*
 * STATE/retention.log (see retention.h), for who removes sessions.
 */
#ifndef STORE_RETENTION_LOG_H
#define STORE_RETENTION_LOG_H

#include "store/retention.h"

/* Opens (or makes) and locks it. A descriptor, or -1; error.code EWOULDBLOCK: another process has the lock. */
int retention_log_open(const char *state_dir, struct error *error);
/* Appends the line of a session that was removed. A full disk loses it. */
void retention_log_removed(int log, const struct ended_session *session, int64_t now_ms, const char *reason);
/* Sets the time at which was last looked. */
void retention_log_looked(int log, int64_t now_ms);

#endif
