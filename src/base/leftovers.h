/* Processes that a session left behind when its keeper is gone. */
#ifndef BASE_LEFTOVERS_H
#define BASE_LEFTOVERS_H

/* Ends every process whose environment says GANGER_SESSION=uuid, but the caller: TERM, then KILL after
 * grace_ms. Returns how many there were. Blocks until none is left, at most grace_ms and 100 ms. */
int leftovers_end(const char *uuid, int grace_ms);

#endif
