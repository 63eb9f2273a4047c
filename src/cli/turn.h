/*
 * Waiting for the turn of a prompt, by its id.
 */
#ifndef CLI_TURN_H
#define CLI_TURN_H

#include "base/error.h"
#include "rpc/client.h"

/* Asks for the events that turn_wait needs; before the prompt is sent, so that none is missed. Returns 0 or -1. */
int turn_subscribe(struct client *client, struct error *error);

/*
 * Waits until the turn of a prompt has ended, at most timeout_s (negative: for ever). Returns an exit code: 0 when it was
 * completed, 1 when it failed or the session ended (said on stderr, for session `name`), 124 on time-out. When the connection
 * ends, it goes on with the host that follows.
 */
int turn_wait(struct client *client, const char *uuid, const char *prompt_id, double timeout_s,
              const char *name);

/*
 * The same for a prompt that may have been sent, and its turn ended, long ago: looks through the session's stored events
 * first. A prompt that the session does not know is an error.
 */
int turn_wait_known(const char *uuid, const char *prompt_id, double timeout_s, const char *name);

#endif
