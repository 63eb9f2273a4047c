/*
 * Where the agent's own file is (struct agent_file). Nothing of it is opened for writing, nothing outside of the agent's
 * folder is looked into.
 */
#ifndef HOST_SIDE_FILES_FIND_H
#define HOST_SIDE_FILES_FIND_H

#include <stdint.h>

struct host;

/* Opens a regular file of this user for reading; -1 when it is something else. */
int side_file_open(const char *path, int64_t *size);
/* The path of the file that the attempt writes, allocated, or NULL. */
char *side_file_find(struct host *host);

#endif
