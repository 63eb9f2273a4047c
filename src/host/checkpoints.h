/* The state of a host that a checkpoint holds: the terminal, and the program's own status records. */
#ifndef HOST_CHECKPOINTS_H
#define HOST_CHECKPOINTS_H

#include <stddef.h>

#include "term/terminal.h"

struct host;

/* The state, allocated, or NULL within a sequence. */
char *checkpoints_take(struct host *host, size_t *length);
/* The terminal of that state, or NULL when it is damaged; the status records are taken over. */
struct terminal *checkpoints_restore(struct host *host, const struct terminal_options *options,
                                     const char *state, size_t length);

#endif
