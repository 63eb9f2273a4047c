/*
 * Leaving a running agent to another host, for `ganger upgrade`: the keeper starts the program that is installed now. It happens at
 * a moment when nothing is half done: no prompt is being typed, no attempt begins or ends. All that was read is on disk first, with
 * a checkpoint, so that the one that follows is quick.
 */
#ifndef HOST_HANDOVER_H
#define HOST_HANDOVER_H

#include "base/error.h"

struct host;

/* What the host does next; "leaving": another one follows, "ended": the session has ended, and none does. */
struct handover {
    const char *state;
};

/*
 * Prepares it and fills `handover`; the host leaves when the loop comes back. May block for 2 s, as long as the disk takes. Returns 0,
 * or RPC_BUSY with the error when the moment is not right: ask again.
 */
int handover_begin(struct host *host, struct handover *handover, struct error *error);

#endif
