/*
 * Standard input of a headless run. Nothing reads it but a prompt that is given as "-": who puts something into it is told so.
 */
#ifndef CLI_HEADLESS_INPUT_H
#define CLI_HEADLESS_INPUT_H

#include <poll.h>

/* What to wait for: its descriptor is -1 once there is nothing to tell. A file that has not been read is told of at once. */
struct pollfd headless_input_begin(void);
/* After a poll: tells of data that nobody reads, once. */
void headless_input_ready(struct pollfd *input);

#endif
