/* A host that follows another: the screen from the last checkpoint, the recording and the ring. */
#ifndef HOST_RECOVERY_H
#define HOST_RECOVERY_H

struct host;

/* Makes the attempt's terminal as it was, and sets its size to that of the PTY. Nothing is answered or told. */
void recovery_rebuild(struct host *host, int cols, int rows);

#endif
